"""Every way Halfpast says no.

One tree; `code` is the word of the HTTP contract, `app.web.problem` maps each class to its status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class HalfpastError(Exception):
    """Base of all expected refusals; `detail` is a sentence a person can act on."""

    code = "ERROR"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `field` is a dotted path into the request, `message` a sentence."""

    field: str
    message: str


class Invalid(HalfpastError):
    """The request can never succeed as sent: malformed, unknown zone, or a start the rules never offer."""

    code = "VALIDATION_ERROR"

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.errors = tuple(errors)

    @classmethod
    def field(cls, field: str, message: str) -> Invalid:
        """The common case: one field is wrong."""
        return cls(message, (FieldError(field, message),))


class Unauthenticated(HalfpastError):
    """No credentials, or wrong ones."""

    code = "UNAUTHENTICATED"


class Forbidden(HalfpastError):
    """Known caller, known thing, not allowed."""

    code = "FORBIDDEN"


class NotFound(HalfpastError):
    """Unknown, or not the caller's: strangers learn no difference."""

    code = "NOT_FOUND"


class Conflict(HalfpastError):
    """The start was offered by the rules but is busy, full or at a limit; `alternatives` are epoch seconds. `taken` are
    the starts of a recurring set that cannot be had."""

    code = "BOOKING_CONFLICT"

    def __init__(
        self, detail: str, alternatives: Sequence[int] = (), timezone: str = "UTC", taken: Sequence[int] = ()
    ) -> None:
        super().__init__(detail)
        self.alternatives = tuple(alternatives)
        self.timezone = timezone
        self.taken = tuple(taken)


class ClaimOverlap(HalfpastError):
    """The database refused a claim that overlaps another; the booking turns it into a Conflict."""

    code = "BOOKING_CONFLICT"


class AlreadyExists(HalfpastError):
    """A name that must be unique is taken (slug, e-mail, collection)."""

    code = "ALREADY_EXISTS"


class StillMember(HalfpastError):
    """Somebody who is to be forgotten signs in, or has links or bookings that somebody else has to take first."""

    code = "STILL_MEMBER"


class LinkExpired(HalfpastError):
    """A one-time link after its expiry."""

    code = "LINK_EXPIRED"


class LinkUsed(HalfpastError):
    """A one-time link whose booking stands."""

    code = "LINK_USED"


class LinkInactive(HalfpastError):
    """A link that was switched off or revoked."""

    code = "LINK_INACTIVE"


class StaleVersion(HalfpastError):
    """If-Match named another version than the current one."""

    code = "STALE_VERSION"


class NotModifiable(HalfpastError):
    """The booking's state does not allow the step."""

    code = "BOOKING_NOT_MODIFIABLE"


class IdempotencyMismatch(HalfpastError):
    """An Idempotency-Key came again with another body."""

    code = "IDEMPOTENCY_MISMATCH"


class RateLimited(HalfpastError):
    """Too many requests; `retry_after` is in whole seconds."""

    code = "RATE_LIMITED"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class CalendarUnavailable(HalfpastError):
    """No host can be judged: their calendars were not read within the age limit."""

    code = "CALENDAR_UNAVAILABLE"


class SecretUnreadable(HalfpastError):
    """Something stored was sealed with a key that is not known, or was damaged."""

    code = "SECRET_UNREADABLE"
    mend = "Put that key back, last in HALFPAST_SECRET_KEYS or as the file secret-key of the data folder."


class ProviderFailure(HalfpastError):
    """A calendar server refused, failed or answered nonsense.

    `kind` says who can mend it: `auth` (the person: new password), `gone` (the calendar or object is not there),
    `conflict` (the object changed meanwhile: re-read), `invalid_cursor` (full resync), `busy` (try later, see
    `retry_after` in seconds), `unreachable` (network), `refused` (address not allowed), `protocol` (nonsense),
    `rejected` (a mail that will never be taken).
    """

    code = "PROVIDER_FAILURE"

    def __init__(self, kind: str, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.retry_after = retry_after


class NotBegun(ProviderFailure):
    """A `busy` failure before anything was asked of the other side: there was no place to ask from. It is tried again
    soon, and counts as no attempt."""

    def __init__(self, detail: str) -> None:
        super().__init__("busy", detail)

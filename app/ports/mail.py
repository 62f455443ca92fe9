"""Mail as the use cases see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.domain.bookings import Booking
from app.domain.reminders import Reminder
from app.domain.scheduling.telling import Told

Audience = Literal["recipient", "host", "guest"]
BookingNews = Literal["requested", "confirmed", "changed", "cancelled", "declined", "followup", "reminder"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """The calendar part of a mail: `method` equals the METHOD inside `text` (RFC 6047 §2.4)."""

    method: Literal["REQUEST", "CANCEL", "REPLY"]
    text: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address; `message_id` is stable, so that a repeated delivery is recognised as the same.

    `from_name` is the name shown before the configured From address (None: the configured one).
    """

    to: str
    to_name: str
    subject: str
    text: str
    html: str
    message_id: str
    invitation: Invitation | None = None
    reply_to: str | None = None
    from_name: str | None = None
    more_invitations: tuple[Invitation, ...] = ()
    """Of further events: an invitation is of one alone (RFC 5546 §3.2.2)."""
    unsubscribe_url: str | None = None
    """Where whoever gets it says that they want no more of the kind (RFC 8058)."""


@dataclass(frozen=True, slots=True)
class MailPerson:
    """Whom a booking mail goes to, and the IANA zone and BCP 47 locale it is told in: for hosts English, since users
    have no language. Who owns the link without being a host hears as a host does."""

    email: str
    name: str
    timezone: str
    audience: Audience
    locale: str = "en"
    is_owner: bool = False


@dataclass(frozen=True, slots=True)
class BookingMailContext:
    """All a booking mail says. The organizer is the first host; the addresses are absolute.

    `with_invitation`: whether it carries a calendar part (a cancellation of what was never told carries none).
    """

    booking: Booking
    news: BookingNews
    organization: str
    organizer_name: str
    organizer_email: str
    previous_start: int | None
    manage_url: str | None  # the recipient's own; never in what hosts or guests get
    app_url: str | None  # the host's page of the booking
    now: int
    followup_subject: str = ""
    followup_body: str = ""
    view_url: str | None = None  # the guests' page of the booking, to look at
    with_invitation: bool = True
    reminder: Reminder | None = None
    seats: int = 0  # of a session: how many seats its attendees have together
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class EventMail:
    """All that a mail about a person's own event says; `key` is the same for the same message to the same address."""

    to: str
    facts: Told
    sender_name: str
    sender_email: str
    organization: str
    invitation: Invitation
    key: str


@dataclass(frozen=True, slots=True)
class DigestContext:
    """A user's coming bookings, by start; `key` is the same for the same digest."""

    key: str
    person: MailPerson
    organization: str
    is_weekly: bool
    bookings: Sequence[Booking]
    base_url: str
    unsubscribe_url: str


class Mailer(Protocol):
    """Hands a mail to a server or folder; raises `ProviderFailure` when it is not surely accepted: `busy` or
    `unreachable` for what may work later, `auth` for a refused login, `rejected` for what never will."""

    async def send(self, mail: Mail) -> None: ...

    async def check(self) -> None:
        """Go as far as a mail could be handed over (reached, encrypted, logged in), and send none."""
        ...


class MailComposer(Protocol):
    """Words a mail."""

    def booking(self, context: BookingMailContext, person: MailPerson) -> Mail: ...

    def series(self, contexts: Sequence[BookingMailContext], person: MailPerson) -> Mail:
        """One mail about several bookings of a recurring set of which there is the same news, by start."""
        ...

    def session(self, session: BookingMailContext, attendees: Sequence[BookingMailContext], person: MailPerson) -> Mail:
        """One mail to a host about a session of which all these attendees have the same news."""
        ...

    def text(self, context: BookingMailContext, person: MailPerson) -> str:
        """The same news as a text to a phone."""
        ...

    def digest(self, context: DigestContext) -> Mail: ...

    def event(self, context: EventMail) -> Mail: ...

    def account(self, kind: str, to: str, name: str, url: str, organization: str, now: int, reason: str = "") -> Mail:
        """Mails of the account: `kind` is invitation, password_reset, calendar_trouble, write_trouble, edits_asked,
        conflict_found, conflicts_found, recipient_declined, edits_kept, event_kept or edit_refused (the last two
        for the `reason`, a sentence), links_received or links_given (`reason` names them)."""
        ...

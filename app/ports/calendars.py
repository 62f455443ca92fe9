"""What a calendar provider must be able to do. iCalendar text is the common tongue of all providers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.calendar_event import CalendarEvent


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach an account: an address (or an e-mail for discovery), a user name and a secret.

    For providers with a sign-in of their own `username` is the account's e-mail address and `secret` their tokens, in a
    text of the provider's own; they keep renewed tokens under `account_id` themselves.
    """

    url: str
    username: str
    secret: str
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider's calendars can do."""

    writable: bool
    incremental: bool
    push: bool
    needs_connection: bool
    is_address: bool = False
    """An account is an address and nothing else."""
    conferences: bool = False
    """Makes online meetings of its own with events (Google Meet, Microsoft Teams)."""
    invites: bool = False
    """Invites the attendees of our events by itself."""
    signs_in: bool = False
    """Accounts are connected at the provider's own sign-in page (OAuth 2.0), not by a password given to us."""


@dataclass(frozen=True, slots=True)
class RemoteCalendar:
    """A calendar as the provider lists it; `name` is its stable id there (CalDAV: the absolute collection URL)."""

    name: str
    display_name: str
    color: str | None
    timezone: str | None  # IANA, when the provider says one
    read_only: bool
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteObject:
    """One event resource: `name` is its id in the calendar (CalDAV: the href path), `data` iCalendar text."""

    name: str
    etag: str
    data: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a cursor. With `full`, `changed` is everything there is and whatever is not in it is gone."""

    changed: tuple[RemoteObject, ...]
    removed: tuple[str, ...]
    cursor: str | None
    full: bool


@dataclass(frozen=True, slots=True)
class WrittenEvent:
    """Where an event ended up."""

    key: str
    etag: str | None
    html_link: str | None = None
    join_url: str | None = None


Texts = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""The mirror's texts of some names, for providers that tell of parts of an event alone."""


async def no_texts(_: Sequence[str]) -> Mapping[str, str]:
    """The `Texts` of an empty mirror."""
    return {}


class CalendarProvider(Protocol):
    """One provider. Every method may raise `ProviderFailure`; none returns a guess."""

    name: str
    capabilities: Capabilities

    async def aclose(self) -> None:
        """Close what is held open."""
        ...

    async def discover(self, credentials: Credentials) -> Credentials:
        """Find the account's address from what the person typed (RFC 6764) and prove the credentials."""
        ...

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """All calendars of the account."""
        ...

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],
        texts: Texts = no_texts,
    ) -> Changes:
        """What changed since `cursor` (None: everything). `known` maps the names held here to their etags, for
        servers that have no sync-token, and `texts` has what they hold. An expired cursor is answered with a full
        listing."""
        ...

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """One event by its key; None when it is certainly not there."""
        ...

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """One event by its UID; None when it is certainly not there."""
        ...

    async def write_event(
        self, credentials: Credentials, calendar: str, event: CalendarEvent, key: str | None
    ) -> WrittenEvent:
        """Bring the calendar's event with `event.uid` to this state; made when absent, never made twice. What the
        person changed on it that is not ours (notes added, alarms, colour) is kept."""
        ...

    async def delete_event(self, credentials: Credentials, calendar: str, uid: str, key: str | None) -> None:
        """Make sure no event with this UID is there; absent already is success."""
        ...


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A person sent to a provider's sign-in page, who is to come back to `redirect_uri` with `state`.

    `verifier` is the secret of PKCE (RFC 7636), `login_hint` the e-mail address to offer there.
    """

    redirect_uri: str
    state: str
    verifier: str
    login_hint: str = ""
    with_contacts: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person granted: the account's e-mail address, its tokens, and the scopes that were really given."""

    username: str
    secret: str
    scopes: tuple[str, ...]


class SignIn(Protocol):
    """A provider with a sign-in page of its own. `ProviderFailure` as everywhere; `auth` when the person refused, or
    gave too little."""

    def authorization_url(self, request: SignInRequest) -> str:
        """Where to send the person."""
        ...

    async def redeem(self, request: SignInRequest, answer: Mapping[str, str]) -> Grant:
        """What came back (the query of the redirect), turned into tokens."""
        ...

    async def revoke(self, credentials: Credentials) -> None:
        """Give the grant back, where the provider can take it."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    """A channel for push messages to open: its id and secret token are ours, `address` is where messages go."""

    id: str
    token: str
    address: str


@dataclass(frozen=True, slots=True)
class Channel:
    """An open channel; `resource_id` is the provider's name for it, `expires_at` epoch seconds."""

    id: str
    resource_id: str
    expires_at: int


class Push(Protocol):
    """A provider that tells of changes by itself."""

    async def watch(self, credentials: Credentials, calendar: str, request: ChannelRequest) -> Channel:
        """Open a channel for a calendar's changes."""
        ...

    async def renew(self, credentials: Credentials, calendar: str, channel: Channel) -> Channel | None:
        """Keep a channel open for longer; None where a new one must be opened instead."""
        ...

    async def unwatch(self, credentials: Credentials, channel: Channel) -> None:
        """Close a channel; one that is gone already is closed."""
        ...

"""The unit of work and its repositories. Nothing commits but `commit()`; leaving without it rolls back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from app.domain.bookings import Booking, BookingStatus, CalendarEventState
from app.domain.links import Link, OneTimeLink, Template
from app.ports.calendar_edits import CalendarEdits
from app.ports.calendar_store import CalendarStore
from app.ports.channels import Channels
from app.ports.contacts import Contacts
from app.ports.event_states import EventStates
from app.ports.mail_log import MailLog
from app.ports.organization_grants import OrganizationGrants
from app.ports.outbox import Outbox

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Organization:
    """One customer of the program."""

    id: str
    slug: str
    name: str
    complete_after_minutes: int
    hold_minutes: int


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in."""

    id: str
    org_id: str
    email: str
    handle: str
    name: str
    roles: tuple[str, ...]
    password_hash: str | None
    timezone: str
    is_active: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A stored schedule: the shape of the API, from which `rules()` makes what the engine reads."""

    id: str
    org_id: str
    user_id: str
    name: str
    timezone: str
    is_default: bool
    weekly: Mapping[str, Sequence[tuple[str, str]]]
    overrides: Sequence[Mapping[str, Any]]
    exclusions: Sequence[Mapping[str, Any]]
    holiday_country: str | None
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class TimeOff:
    """A period a host is away, epoch seconds."""

    id: str
    org_id: str
    host_id: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class LinkHost:
    """A host of a link with what decides about it: `judged_until` is the instant until which its calendars count
    as read (None: it has none to read); past it the host is not offered."""

    host_id: str
    name: str
    kind: str
    email: str
    revision: int
    priority: int
    schedule: ScheduleRecord | None
    max_per_day: int | None
    max_per_week: int | None
    judged_until: int | None


@dataclass(frozen=True, slots=True)
class LinkContext:
    """All that one SELECT says about a link: itself, its organization, template, hosts and their revisions."""

    link: Link
    organization: Organization
    hosts: tuple[LinkHost, ...]
    template: Template | None
    one_time: OneTimeLink | None

    def stamp(self, now: int) -> tuple[object, ...]:
        """Equal stamps mean equal free times, but for the passing of time itself."""
        return (
            self.link.id,
            self.link.version,
            self.link.is_active,
            self.one_time and (self.one_time.id, self.one_time.status),
            tuple(
                (
                    host.host_id,
                    host.revision,
                    host.schedule and (host.schedule.id, host.schedule.version),
                    host.max_per_day,
                    host.max_per_week,
                    host.judged_until is not None and host.judged_until <= now,
                )
                for host in self.hosts
            ),
        )


@dataclass(frozen=True, slots=True)
class HostTimes:
    """What occupies a host in a window. `busy` is sorted and may overlap; `next_expiry` is when the first pending hold
    counted in it runs out."""

    busy: Sequence[tuple[int, int]] = ()
    next_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """What to list, by start; times are epoch seconds over the start. `user_id` narrows to what this user owns or
    hosts; `newest_first` turns the order round."""

    org_id: str
    user_id: str | None = None
    status: Sequence[BookingStatus] = ()
    link_id: str | None = None
    recipient: str | None = None
    host_id: str | None = None
    start: int | None = None
    end: int | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `cursor` asks for the next, None at the end."""

    items: tuple[Item, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed what. `changes` holds ids, states and times, no personal data."""

    org_id: str
    actor_kind: str  # user | recipient | system | device
    actor_id: str | None
    action: str
    entity: str
    entity_id: str
    changes: Mapping[str, Any]


class LinkStore(Protocol):
    """Links, one-time links and templates."""

    async def add(self, link: Link, hosts: Sequence[tuple[str, int]]) -> None:
        """Store with its hosts as (host id, priority); a taken slug is `AlreadyExists`."""
        ...

    async def get(self, org_id: str, link_id: str, *, lock: bool = False) -> Link | None: ...
    async def page(self, org_id: str, owner_id: str | None, limit: int, cursor: str | None) -> Page[Link]: ...
    async def update(self, link: Link) -> None: ...
    async def delete(self, org_id: str, link_id: str, now: int) -> None: ...

    async def context(self, token: str, *, lock: bool = False) -> LinkContext | None:
        """By public token (`org.slug` or a one-time token), in one SELECT. With `lock` the one-time row and the
        hosts' rows, in id order, stay locked until the end of the transaction."""
        ...

    async def stamp(self, token: str, now: int) -> tuple[object, ...] | None:
        """`LinkContext.stamp` by the narrowest SELECT there is; the hot path of an unchanged answer."""
        ...

    async def context_of(self, link_id: str) -> LinkContext | None: ...

    async def add_one_time(self, one_time: OneTimeLink) -> None: ...
    async def one_time(self, org_id: str, one_time_id: str) -> OneTimeLink | None: ...
    async def one_times(
        self, link_id: str, limit: int, cursor: str | None, *, newest_first: bool = False
    ) -> Page[OneTimeLink]: ...
    async def consume_one_time(self, one_time_id: str, booking_id: str, now: int) -> bool:
        """The conditional update that only one booking wins."""
        ...

    async def revive_one_time(self, one_time_id: str, booking_id: str) -> None: ...
    async def revoke_one_time(self, one_time_id: str) -> bool: ...

    async def add_template(self, template: Template) -> None: ...
    async def template(self, org_id: str, template_id: str, *, lock: bool = False) -> Template | None: ...
    async def templates(self, org_id: str, limit: int, cursor: str | None) -> Page[Template]: ...
    async def update_template(self, template: Template) -> None: ...
    async def delete_template(self, org_id: str, template_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class HostPerson:
    """The person behind a host. `timezone` is the one their times are told in; `write_calendar_id` is the connected
    calendar that bookings are written to (None: just the built-in `schedule`), `write_provider` whose it is, and
    `provider_invites` the setting of its account. `adds_contacts`: an address book of theirs, or of the link's owner,
    takes new recipients."""

    host_id: str
    name: str
    email: str
    timezone: str
    schedule_calendar_id: str | None
    write_calendar_id: str | None
    write_provider: str | None = None
    provider_invites: bool = False
    adds_contacts: bool = False


class HostStore(Protocol):
    """Hosts, their schedules, time off, and what occupies them."""

    async def people(self, host_ids: Sequence[str], link_id: str | None = None) -> list[HostPerson]:
        """The people behind these hosts of a link, in id order; resources have none. One SELECT."""
        ...

    async def times(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, HostTimes]:
        """Claims, time off and busy intervals of conflict calendars that overlap [start, end), by host; holds that ran
        out and the occurrence `without` are left out. One statement; hosts without any are missing."""
        ...

    async def link_starts(self, link_id: str, start: int, end: int, now: int, without: str | None = None) -> list[int]:
        """Starts in [start, end) of the link's bookings but cancelled ones, those whose hold ran out and booking
        `without`."""
        ...

    async def host_starts(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, list[int]]:
        """The same for hosts, by host."""
        ...

    async def last_booked(self, host_ids: Sequence[str]) -> Mapping[str, int]:
        """When each host was last booked; hosts never booked are missing."""
        ...

    async def bump(self, host_ids: Sequence[str]) -> None:
        """Raise the revisions: something that free times depend on changed."""
        ...

    async def lock(self, host_ids: Sequence[str]) -> None:
        """Lock the rows in id order."""
        ...

    async def claim(self, booking: Booking) -> None:
        """Insert the booking's claims, one a host. `ClaimOverlap` when the database forbids it."""
        ...

    async def move_claim(self, booking: Booking) -> None:
        """Exchange the old time and hosts of the booking's claims for the new ones."""
        ...

    async def release(self, occurrence_id: str) -> None: ...

    async def expired_holds(self, host_ids: Sequence[str], start: int, end: int, now: int) -> list[str]:
        """Ids of pending bookings in the way whose hold ran out."""
        ...

    async def add_schedule(self, schedule: ScheduleRecord) -> None: ...
    async def schedule(self, org_id: str, schedule_id: str) -> ScheduleRecord | None: ...
    async def schedules(self, user_id: str) -> list[ScheduleRecord]: ...
    async def update_schedule(self, schedule: ScheduleRecord) -> None: ...
    async def delete_schedule(self, org_id: str, schedule_id: str) -> None: ...
    async def schedule_in_use(self, schedule_id: str) -> bool: ...

    async def add_time_off(self, time_off: TimeOff, now: int) -> None: ...
    async def time_off(
        self, host_id: str, after: int, limit: int | None = None, behind: tuple[int, str] | None = None
    ) -> list[TimeOff]:
        """What ends later than `after`, by start and id; from `behind` such a pair on."""
        ...

    async def delete_time_off(self, host_id: str, time_off_id: str) -> bool: ...


class BookingStore(Protocol):
    """Bookings and their previous times."""

    async def add(self, booking: Booking) -> None: ...
    async def get(self, booking_id: str, *, lock: bool = False) -> Booking | None: ...
    async def by_token(self, token: str) -> Booking | None: ...
    async def update(self, booking: Booking, was_version: int) -> bool:
        """Write the new state if the row still has `was_version`."""
        ...

    async def replace_hosts(self, booking: Booking) -> None: ...
    async def move_hosts(self, booking: Booking) -> None:
        """Write the booking's start to its host rows."""
        ...

    async def add_previous_time(self, booking: Booking, now: int) -> None: ...
    async def previous_times(self, booking_id: str) -> list[Mapping[str, Any]]: ...
    async def event_states(self, booking_ids: Sequence[str]) -> Mapping[str, list[CalendarEventState]]:
        """How far each booking's event has come in its hosts' write calendars, by booking id; one SELECT."""
        ...

    async def times_of_host(self, host_id: str, start: int, end: int) -> list[tuple[str, int, int]]:
        """(id, start, end) of the host's active bookings that overlap [start, end)."""
        ...

    async def conflicting(self, booking_ids: Sequence[str]) -> frozenset[str]:
        """Those of these bookings that are active and overlap busy time in a conflict calendar of one of their hosts;
        one SELECT. Buffers do not count."""
        ...

    async def page(self, where: BookingFilter, limit: int, cursor: str | None) -> Page[Booking]: ...


class PeopleStore(Protocol):
    """Organizations and users."""

    async def add_organization(self, organization: Organization, now: int) -> None: ...
    async def organization(self, org_id: str) -> Organization | None: ...
    async def organization_by_slug(self, slug: str) -> Organization | None: ...
    async def any_organization(self) -> bool: ...
    async def only_organization(self) -> Organization | None:
        """The organization of a server that has just one; None otherwise."""
        ...

    async def update_organization(self, org_id: str, **values: Any) -> None: ...

    async def add_user(self, user: User, now: int) -> None:
        """The user and the host of the same id; a taken e-mail is `AlreadyExists`."""
        ...

    async def user(self, user_id: str) -> User | None: ...
    async def user_by_email(self, email: str) -> User | None: ...
    async def user_by_handle(self, handle: str) -> User | None: ...
    async def users(self, org_id: str) -> list[User]: ...
    async def handles_like(self, handle: str) -> set[str]: ...
    async def update_user(self, user_id: str, now: int, **values: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Feed:
    """A secret ICS address."""

    id: str
    org_id: str
    user_id: str
    kind: str  # schedule | busy
    label: str
    token: str
    created_at: int


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A device's CalDAV password, without the password."""

    id: str
    org_id: str
    user_id: str
    label: str
    created_at: int
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class TokenUser:
    """Whose a session or API token is, and whether it was found by an older key's hash."""

    user: User
    under_older_key: bool


class TokenStore(Protocol):
    """Sessions, API tokens, app passwords and feeds; secrets are stored as keyed hashes."""

    async def add_session(self, token: str, user: User, now: int, expires_at: int) -> None: ...
    async def session_user(self, token: str, now: int) -> TokenUser | None: ...
    async def end_session(self, token: str) -> None: ...
    async def end_sessions(self, user_id: str) -> None: ...
    async def add_api_token(self, token_id: str, token: str, user: User, label: str, now: int) -> None: ...
    async def api_token_user(self, token: str) -> TokenUser | None: ...
    async def move_to_first_key(self, token: str) -> None:
        """Keep a session or API token that an older key's hash found under the first key's."""
        ...

    async def add_app_password(self, password: AppPassword, secret: str) -> None: ...
    async def app_passwords(self, user_id: str) -> list[AppPassword]: ...
    async def delete_app_password(self, user_id: str, password_id: str) -> bool: ...
    async def add_feed(self, feed: Feed) -> None: ...
    async def feeds(self, user_id: str) -> list[Feed]: ...
    async def delete_feed(self, user_id: str, feed_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What an idempotent request was answered; `answer` is plain here and sealed at rest."""

    body_hash: str
    answer: str


class IdempotencyStore(Protocol):
    """Answers kept for 24 h by a keyed hash of caller, route and key."""

    async def get(self, scope: str, not_before: int) -> StoredAnswer | None: ...
    async def put(self, scope: str, body_hash: str, answer: str, now: int, not_before: int) -> bool:
        """False when another request stored one at or after `not_before`; an older one is replaced."""
        ...

    async def purge(self, before: int, limit: int) -> None:
        """Forget answers stored before an instant, at most `limit` of them, without waiting for anybody."""
        ...


class AuditLog(Protocol):
    """Append-only."""

    async def write(self, entry: AuditEntry, now: int) -> None: ...
    async def of_entity(self, org_id: str, entity_id: str) -> list[Mapping[str, Any]]: ...


class UnitOfWork(Protocol):
    """One transaction (or, from `Ports.read`, one autocommit connection for reading only)."""

    @property
    def links(self) -> LinkStore: ...
    @property
    def hosts(self) -> HostStore: ...
    @property
    def bookings(self) -> BookingStore: ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def calendars(self) -> CalendarStore: ...
    @property
    def event_states(self) -> EventStates: ...
    @property
    def calendar_edits(self) -> CalendarEdits: ...
    @property
    def channels(self) -> Channels: ...
    @property
    def organization_grants(self) -> OrganizationGrants: ...
    @property
    def contacts(self) -> Contacts: ...
    @property
    def mail_log(self) -> MailLog: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...

    async def commit(self) -> None: ...

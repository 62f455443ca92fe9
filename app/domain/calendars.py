"""Calendars as Halfpast keeps them: connected ones mirrored here, built-in ones living here.

A *calendar* row is either a mirror of a remote calendar (conflict and write calendars) or a built-in CalDAV
collection (`schedule`, `personal`, others the user makes). Both keep their objects as iCalendar text, and both turn
opaque events into busy intervals when an object changes, never when a slot is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AccountStatus = Literal["ok", "error"]
EditPolicy = Literal["rules", "outside", "ask"]
"""Bookings follow as far as their link's rules allow, also outside its hours, or only when the person says so."""
ContactsUse = Literal["off", "suggest", "add"]
BUILTIN = "builtin"
SCHEDULE = "schedule"
PERSONAL = "personal"
INBOX = "inbox"
"""The collection of scheduling messages (RFC 6638 §2.2); not shown among a person's calendars."""


@dataclass(frozen=True, slots=True)
class CalendarAccount:
    """A user's account at a provider; `secret` is the plain credential, held encrypted at rest, `scopes` what was
    granted where one signs in at the provider (space between), `edits` what becomes of bookings whose events are moved
    or deleted there. `provider_invites`: the provider invites recipient and guests, as attendees of its event, instead
    of our mail. `contacts`: whether its address book is asked for suggestions, and new recipients are added to it."""

    id: str
    org_id: str
    user_id: str
    provider: str
    label: str
    url: str
    username: str
    secret: str
    status: AccountStatus
    error: str | None
    last_ok_at: int | None
    created_at: int
    updated_at: int
    edits: EditPolicy = "rules"
    scopes: str | None = None
    provider_invites: bool = False
    contacts: ContactsUse = "off"


@dataclass(frozen=True, slots=True)
class Calendar:
    """One calendar.

    `name` is the last segment of a built-in collection's path, and for a mirror its id at the provider (a CalDAV
    calendar's absolute address). `revision` counts changes of the collection (built-in: the sync token and ctag).
    `sync_cursor`, `synced_at` and `sync_error` belong to mirrors. `timezone` reads floating and all-day times.
    `tentative_busy`: whether events that are only tentative block time too. `properties` are WebDAV properties that
    clients keep here and only they understand (RFC 4918 §4: dead ones): name in lxml's notation → the element as XML.
    `takes_new`: whether devices may add objects (to a schedule only where walk-ins are allowed).
    """

    id: str
    org_id: str
    account_id: str
    user_id: str
    provider: str
    name: str
    display_name: str
    color: str | None
    position: int
    description: str
    timezone: str
    components: tuple[str, ...]
    is_conflict: bool
    is_write: bool
    read_only: bool
    revision: int
    modified_at: int
    sync_cursor: str | None
    synced_at: int | None
    sync_error: str | None
    tentative_busy: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)
    takes_new: bool = True

    @property
    def is_schedule(self) -> bool:
        """Whether this is where a person's bookings are, whose events mean bookings."""
        return self.provider == BUILTIN and self.name == SCHEDULE


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """One stored iCalendar resource (RFC 4791 §4.1). `start`/`end` cover all its instances, epoch seconds; `end` is
    None for a recurrence without end. `booking_id` marks our own events, which are never busy. `schedule_tag` changes
    with what matters to scheduling (RFC 6638 §3.2.10); None: nobody is invited."""

    id: str
    calendar_id: str
    name: str
    uid: str
    component: str
    etag: str
    data: str
    start: int
    end: int | None
    booking_id: str | None
    revision: int
    deleted: bool
    modified_at: int
    schedule_tag: str | None = None


BusyInterval = tuple[int, int]


def etag_of(data: str) -> str:
    """The strong entity tag of a built-in object's text, quotes included (RFC 9110 §8.8.3)."""
    return f'"{hashlib.sha256(data.encode()).hexdigest()[:32]}"'


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What parsing one iCalendar resource yields (see `app.domain.recurrence.read_object`).

    `busy` are the opaque instances inside the asked window, epoch seconds, ascending; `recurs_beyond` says that
    there are instances after it. `problems` are sentences about what could not be understood; each such event is
    counted busy as far as its times are known (never silently free).
    """

    uid: str
    component: str
    start: int
    end: int | None
    busy: tuple[BusyInterval, ...]
    recurs_beyond: bool
    summary: str
    problems: tuple[str, ...] = ()
    is_recurring: bool = False

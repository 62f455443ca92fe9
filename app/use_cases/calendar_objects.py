"""What putting and deleting calendar objects share: conditions, limits (RFC 4791 §5.3.2.1), reading the data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from app.domain.calendars import Calendar, ObjectFacts
from app.domain.errors import HalfpastError, Invalid, StaleVersion
from app.domain.ical_limits import broken_limit
from app.domain.ical_parse import MAX_BYTES as MAX_BYTES
from app.domain.ical_parse import parse_calendar
from app.domain.recurrence import read_object
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.mirror import expansion_window

MAX_UID_BYTES = 1_000
PARSE_INLINE = 8_000
"""Texts longer than this many characters are parsed in a thread, so that nobody else waits for them."""

_METHOD = re.compile(r"^METHOD[:;]", re.MULTILINE | re.IGNORECASE)
_NOT_CARRIED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class StoragePorts(Protocol):
    """The part of `Ports` that publishing needs."""

    @property
    def clock(self) -> Callable[[], int]: ...
    @property
    def unit_of_work(self) -> Callable[[], AbstractAsyncContextManager[UnitOfWork]]: ...
    @property
    def read(self) -> Callable[[], AbstractAsyncContextManager[UnitOfWork]]: ...


class ObjectRefused(HalfpastError):
    """The data breaks a precondition; `precondition` is its name in RFC 4791 §5.3.2.1 (`no-uid-conflict`, ...), and
    `existing` the object that has the UID, in the calendar `collection` (None: the same one)."""

    code = "VALIDATION_ERROR"

    def __init__(
        self, precondition: str, detail: str, existing: str | None = None, collection: str | None = None
    ) -> None:
        super().__init__(detail)
        self.precondition = precondition
        self.existing = existing
        self.collection = collection


class EditRefused(HalfpastError):
    """What a device did to a booking's event cannot be. The event was written anew, so that the device reads it again;
    what it sent is kept for its person."""

    code = "BOOKING_CONFLICT"


@dataclass(frozen=True, slots=True)
class Device:
    """What a request came from: an app password by its id, its label, and the person who made it."""

    id: str
    label: str
    user_id: str
    org_id: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """If-Match and If-None-Match as sets of etags, quotes included; `*` stands for any, None for not sent. So does
    `if_schedule_tag`, If-Schedule-Tag-Match (RFC 6638 §8.3), for the schedule tag."""

    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] | None = None
    if_schedule_tag: frozenset[str] | None = None

    def check(self, etag: str | None, schedule_tag: str | None = None) -> None:
        """`StaleVersion` unless they hold for the object's tags (None: it is not there); RFC 9110 §13.1."""
        if self.if_schedule_tag is not None and schedule_tag not in self.if_schedule_tag:
            raise StaleVersion("The event was changed meanwhile.")
        if self.if_match is not None and (etag is None or not self.if_match & {"*", etag}):
            raise StaleVersion("The object was changed meanwhile.")
        if self.if_none_match is not None and etag is not None and self.if_none_match & {"*", etag}:
            raise StaleVersion("There is an object at this address already.")


def storable(data: str) -> str:
    """The text as it is kept: without the characters that neither iCalendar nor the XML around it can carry."""
    return _NOT_CARRIED.sub("", data) if _NOT_CARRIED.search(data) else data


async def read_facts(text: str, calendar: Calendar, addresses: frozenset[str], now: int) -> ObjectFacts:
    """What the text says; `ObjectRefused` when it is no object that a collection can hold (RFC 4791 §4.1)."""
    if len(text) > PARSE_INLINE:
        return await asyncio.to_thread(_read, text, calendar, addresses, now)
    return _read(text, calendar, addresses, now)


def _read(text: str, calendar: Calendar, addresses: frozenset[str], now: int) -> ObjectFacts:
    if _METHOD.search(text):
        raise ObjectRefused("valid-calendar-object-resource", "A stored object must not have a METHOD.")
    limit = broken_limit(text)
    try:
        if limit is not None:  # before the work that it saves
            parse_calendar(text)
            raise ObjectRefused(*limit)
        facts = read_object(
            text,
            timezone=calendar.timezone,
            window=expansion_window(now),
            tentative_busy=calendar.tentative_busy,
            self_addresses=addresses,
        )
    except Invalid as error:
        raise ObjectRefused(_precondition(text), error.detail) from error
    if len(facts.uid.encode()) > MAX_UID_BYTES:
        raise ObjectRefused("valid-calendar-object-resource", f"A UID has at most {MAX_UID_BYTES} bytes.")
    if facts.component not in calendar.components:
        raise ObjectRefused("supported-calendar-component", f"This calendar does not hold {facts.component}.")
    return facts


def _precondition(text: str) -> str:
    """Which of the preconditions unreadable data breaks: what parses is iCalendar, but no object."""
    try:
        parse_calendar(text)
    except Invalid:
        return "valid-calendar-data"
    return "valid-calendar-object-resource"

"""Rows of calendars, objects and busy time, and the entities they become."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.sql.elements import ColumnElement

from app.db import models as m
from app.domain.calendars import BusyInterval, Calendar, CalendarObject
from app.domain.intervals import join
from app.ports.calendar_store import ObjectEntry, ObjectWrite

CHUNK = 400
"""Rows a statement handles at once: bounded memory, and far below every driver's limit of bound values."""

LIVE = text("NOT calendar_objects.deleted")
"""Objects that are no tombstones, in the very words of the partial indexes: else SQLite does not see that they fit."""

Item = TypeVar("Item")

CALENDAR = tuple(m.calendars.c[name] for name in Calendar.__dataclass_fields__)
_COMPONENTS, _PROPERTIES = map(tuple(Calendar.__dataclass_fields__).index, ("components", "properties"))

_OBJECT_NAMES = {"start": "start_at", "end": "end_at"}
OBJECT = tuple(m.calendar_objects.c[_OBJECT_NAMES.get(name, name)] for name in CalendarObject.__dataclass_fields__)


def entry_columns(size: ColumnElement[int]) -> tuple[ColumnElement[Any], ...]:
    """The columns of an `ObjectEntry`; `size` counts the octets of the text."""
    c = m.calendar_objects.c
    return (c.name, c.etag, c.component, size, c.revision, c.deleted, c.modified_at)


def calendar_of(row: Sequence[Any]) -> Calendar:
    """From the columns `CALENDAR`."""
    values = list(row)
    values[_COMPONENTS] = tuple(values[_COMPONENTS])
    values[_PROPERTIES] = values[_PROPERTIES] or {}
    return Calendar(*values)


def calendar_values(calendar: Calendar) -> dict[str, Any]:
    """The row of a calendar."""
    values = {name: getattr(calendar, name) for name in Calendar.__dataclass_fields__}
    return {**values, "components": list(calendar.components)}


def object_of(row: Sequence[Any]) -> CalendarObject:
    """From the columns `OBJECT`."""
    return CalendarObject(*row)


def entry_of(row: Sequence[Any]) -> ObjectEntry:
    """From `entry_columns`."""
    return ObjectEntry(*row)


def object_values(write: ObjectWrite, revision: int, now: int) -> dict[str, Any]:
    """What a write sets, whether the row is new, there, or a tombstone that comes to life."""
    return {
        "uid": write.uid,
        "component": write.component,
        "etag": write.etag,
        "data": write.data,
        "start_at": write.start,
        "end_at": write.end,
        "booking_id": write.booking_id,
        "revision": revision,
        "deleted": False,
        "expanded_until": write.expanded_until,
        "modified_at": now,
        "schedule_tag": write.schedule_tag,
    }


def busy_pieces(write: ObjectWrite) -> list[BusyInterval]:
    """The object's busy time as it is stored: merged, ascending, no piece longer than `MAX_SPAN`. A booking's own
    object has none: the booking's claim is what blocks."""
    if write.booking_id is not None:
        return []
    pieces: list[BusyInterval] = []
    for start, end in join(write.busy):
        pieces.extend((begin, min(begin + m.MAX_SPAN, end)) for begin in range(start, end, m.MAX_SPAN))
    return pieces


def chunks(items: Iterable[Item]) -> Iterable[list[Item]]:
    """Runs of at most `CHUNK` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk

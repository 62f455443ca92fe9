"""Whether two entries say the same, but for what is everybody's own: answers, alarms, notes."""

from __future__ import annotations

from app.domain.content_lines import Component
from app.domain.scheduling.addresses import address_key
from app.domain.scheduling.objects import Key, SchedulingObject, instance_of
from app.domain.scheduling.times import times_of

_WORDS = ("SUMMARY", "LOCATION", "DESCRIPTION", "STATUS")


def when_and_whom(item: SchedulingObject, entry: Component) -> tuple[object, ...]:
    """The times of an entry and who is invited to it."""
    return times_of(item, entry), {address_key(line.value) for line in entry.every("ATTENDEE")}


def tells_the_same(one: tuple[SchedulingObject, Component], other: tuple[SchedulingObject, Component]) -> bool:
    """Whether two entries differ in nothing that the organizer says: their times, words and people."""
    is_same = when_and_whom(*one) == when_and_whom(*other)
    return is_same and all(one[1].value(name) == other[1].value(name) for name in _WORDS)


def is_like_series(item: SchedulingObject, key: Key, entry: Component) -> bool:
    """Whether an instance stands by itself for somebody's own answer or alarm alone."""
    made = instance_of(item, key)
    return made is not None and tells_the_same((item, made), (item, entry))

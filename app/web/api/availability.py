"""The text of an availability answer, kept as long as nothing it rests on has changed.

What it rests on is known by one SELECT of revisions at every request, so another process's write is seen at once; what
time itself changes is known by the answer's `valid_until`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from app.domain.hours import MINUTES_A_DAY, fixed_offset, zone
from app.ports import Ports
from app.use_cases.find_slots import SlotQuestion, Slots, find_slots

MAX_ANSWERS = 2048
MAX_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[object, ...]
    made_at: int
    valid_until: int
    text: bytes


class Answers:
    """The answers of this process, within a number and a size; the least used leave first."""

    def __init__(self, size: int = MAX_ANSWERS, max_bytes: int = MAX_BYTES) -> None:
        self._size = size
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, SlotQuestion], _Kept] = OrderedDict()

    def get(self, key: tuple[str, SlotQuestion], stamp: tuple[object, ...], now: int) -> bytes | None:
        """The text, if it still is the right answer."""
        kept = self._kept.get(key)
        if kept is None or kept.stamp != stamp or not kept.made_at <= now < kept.valid_until:
            return None
        self._kept.move_to_end(key)
        return kept.text

    def put(
        self, key: tuple[str, SlotQuestion], stamp: tuple[object, ...], now: int, slots: Slots, text: bytes
    ) -> None:
        """Keep an answer under the stamp that was read before it was worked out."""
        self._forget(self._kept.pop(key, None))
        self._kept[key] = _Kept(stamp, now, slots.valid_until, text)
        self._bytes += len(text)
        while len(self._kept) > self._size or self._bytes > self._max_bytes:
            self._forget(self._kept.popitem(last=False)[1])

    def _forget(self, kept: _Kept | None) -> None:
        self._bytes -= 0 if kept is None else len(kept.text)


async def availability_text(ports: Ports, answers: Answers, token: str, question: SlotQuestion) -> bytes:
    """The JSON of `GET availability`."""
    now = ports.clock()
    key = (token, question)
    async with ports.read() as work:
        stamp = await work.links.stamp(token, now)
    kept = answers.get(key, stamp, now) if stamp is not None else None
    if kept is not None:
        return kept
    slots = await find_slots(ports, token, question, now)
    text = render(slots, question)
    if stamp is not None:
        answers.put(key, stamp, now, slots, text)
    return text


def render(slots: Slots, question: SlotQuestion) -> bytes:
    """Days of local dates in `question.timezone`, put together from prepared pieces of text."""
    days: dict[str, list[str]] = {}
    until = 0
    stay = slots.stay
    for start, seats in slots.starts:
        if start >= until:
            day = _Day.of(question.timezone, start)
            texts, until = days.setdefault(day.date, []), day.until
        if stay is None:
            texts.append(day.slot(start, slots.duration, seats))
        else:
            texts.append(day.worded(start, stay.end(start, slots.duration), seats))
    body = ",".join(f'{{"date":"{date}","slots":[{",".join(texts)}]}}' for date, texts in days.items())
    timezone = msgspec.json.encode(question.timezone).decode()
    return f'{{"timezone":{timezone},"duration":{slots.duration},"days":[{body}]}}'.encode()


_CLOCK = tuple(f"{minute // 60:02}:{minute % 60:02}:00" for minute in range(MINUTES_A_DAY))


@dataclass(frozen=True, slots=True)
class _Day:
    """A local date whose clock is read off a table. Where it is changed, `until` ends behind the start asked for and
    `midnight` is None: such slots are worded one by one, which takes several times as long."""

    zone: ZoneInfo
    date: str
    offset: str
    midnight: int | None
    until: int

    @classmethod
    def of(cls, timezone: str, start: int) -> _Day:
        """The date that an instant lies on."""
        begin = datetime.fromtimestamp(start, zone(timezone))
        text, offset = begin.isoformat(), fixed_offset(timezone, begin.date())
        if offset is None or (start + offset) % 60:
            return cls(zone(timezone), text[:10], text[19:], None, start + 1)
        midnight = start - (start + offset) % 86400
        return cls(zone(timezone), text[:10], text[19:], midnight, midnight + 86400)

    def slot(self, start: int, duration: int, seats: int) -> str:
        """The JSON of a slot; `duration` in minutes."""
        if self.midnight is not None:
            minute, rest = divmod(start - self.midnight, 60)
            if not rest and minute + duration < MINUTES_A_DAY:
                date, offset = self.date, self.offset
                return (
                    f'{{"start":"{date}T{_CLOCK[minute]}{offset}",'
                    f'"end":"{date}T{_CLOCK[minute + duration]}{offset}","seats_left":{seats}}}'
                )
        return self.worded(start, start + duration * 60, seats)

    def worded(self, start: int, end: int, seats: int) -> str:
        """The same for any end, as the clock says it."""
        first, last = (datetime.fromtimestamp(at, self.zone).isoformat() for at in (start, end))
        return f'{{"start":"{first}","end":"{last}","seats_left":{seats}}}'

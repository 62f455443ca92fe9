"""The slot picker as the templates see it: a month, the times of a day, the ways onward. Pure; shared by booking and
moving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request

from app.domain.errors import Invalid
from app.domain.stays import nights_words
from app.use_cases.browse_times import FreeTimes, Wish
from app.use_cases.zone_names import canonical_zone, known_zone
from app.web.api.fields import LONGEST_STAY
from app.web.pages.wording import Wording
from app.web.pages.zones import ZoneGroup, local_now, offset_label, place_of, zone_groups
from app.web.times import parse_date, parse_moment, rfc3339

ZONE_COOKIE = "timezone"
NOON, EVENING = 12, 17
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Query:
    """What the address of a picker page says. `timezone` is a choice the reader made, `detected` what their browser
    reported; `start` is epoch seconds. `kept` goes along wherever the reader goes."""

    path: str
    timezone: str | None = None
    detected: str | None = None
    duration: int | None = None
    month: date | None = None
    day: date | None = None
    start: int | None = None
    host_id: str | None = None
    kept: tuple[tuple[str, str], ...] = ()

    def wish(self) -> Wish:
        """The question to the use case."""
        return Wish(self.timezone or self.detected, self.duration, self.month, self.day, self.start, self.host_id)

    def address(self, **parts: str | int | None) -> str:
        """An address of the same page; the reader's choices go along."""
        kept = {**dict(self.kept), "duration": self.duration, "tz": self.timezone, "with": self.host_id}
        given = {name: value for name, value in {**kept, **parts}.items() if value is not None}
        return f"{self.path}?{urlencode(given, safe='/:')}" if given else self.path


def read_query(request: Request[Any, Any, Any], path: str) -> Query:
    """The query of the page at `path`; `Invalid` names what makes no sense."""
    asked: Mapping[str, str] = {name: value[:_LONGEST] for name, value in request.query_params.items() if value}
    return Query(
        path=path,
        timezone=canonical_zone(asked["tz"], "tz") if "tz" in asked else None,
        detected=known_zone(request.cookies.get(ZONE_COOKIE)),
        duration=read_minutes(asked["duration"]) if "duration" in asked else None,
        month=parse_date(f"{asked['month']}-01", "month") if "month" in asked else None,
        day=parse_date(asked["day"], "day") if "day" in asked else None,
        start=read_start(asked["start"]) if "start" in asked else None,
        host_id=read_person(asked["with"]) if "with" in asked else None,
    )


def read_person(text: str) -> str:
    """The id of somebody who was chosen."""
    try:
        return str(UUID(text))
    except ValueError as problem:
        raise Invalid.field("with", "This is nobody to choose.") from problem


def read_minutes(text: str) -> int:
    """A length in whole minutes."""
    if not text.isascii() or not text.isdecimal() or len(text) > 5 or int(text) > LONGEST_STAY:
        raise Invalid.field("duration", "A length is a number of minutes.")
    return int(text)


def read_start(text: str) -> int:
    """An instant as RFC 3339, as epoch seconds."""
    return parse_moment(text, "start")


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to go: `is_current` when it is where the reader is."""

    label: str
    address: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class DayCell:
    """One date of the month; `address` is None when it has no free time."""

    iso: str
    number: int
    label: str
    address: str | None
    is_current: bool
    is_today: bool


@dataclass(frozen=True, slots=True)
class Slot:
    """One start: `label` is the time of day, `full` says the day too, `left` how many seats there are in a class."""

    label: str
    full: str
    value: str
    address: str
    left: str = ""


@dataclass(frozen=True, slots=True)
class SlotGroup:
    """Morning, afternoon or evening; `is_wide` when its slots say more than a time."""

    title: str
    slots: tuple[Slot, ...]
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Picker:
    """All that the picker template shows. `weeks` hold None before the first and after the last of the month."""

    month: str
    weekdays: tuple[tuple[str, str], ...]
    weeks: tuple[tuple[DayCell | None, ...], ...]
    previous_month: str | None
    next_month: str | None
    day: str | None
    is_first: bool
    groups: tuple[SlotGroup, ...]
    day_before: Choice | None
    day_after: Choice | None
    durations: tuple[Choice, ...]
    people: tuple[Choice, ...]
    zone: ZoneView
    count: int

    @property
    def status(self) -> str:
        """What a screen reader hears when the day changes."""
        if self.day is None:
            return f"No free times in {self.month}."
        return f"{self.day}: {self.count} free {'time' if self.count == 1 else 'times'}."


@dataclass(frozen=True, slots=True)
class ZoneView:
    """The zone all times are in, and the form to choose another."""

    name: str
    place: str
    offset: str
    clock: str
    is_chosen: bool
    groups: tuple[ZoneGroup, ...]
    kept: tuple[tuple[str, str], ...]


def picker_of(free: FreeTimes, query: Query, wording: Wording, now: int) -> Picker:
    """The view of an answer."""
    day = free.day
    starts = free.starts_on(day) if day else []
    return Picker(
        month=wording.month(free.month),
        weekdays=wording.weekdays(),
        weeks=_weeks(free, query, wording),
        previous_month=_month_address(query, free.month - timedelta(days=1)) if _has_past(free) else None,
        next_month=_month_address(query, free.month + timedelta(days=32)) if _has_future(free) else None,
        day=wording.day(day) if day else None,
        is_first=free.is_first,
        groups=_groups(starts, free, query, wording),
        day_before=_day_choice(free.day_before, query, wording),
        day_after=_day_choice(free.day_after, query, wording),
        durations=_durations(free, query),
        people=_people(free, query),
        zone=_zone(free, query, wording, now),
        count=len(starts),
    )


def _groups(starts: Sequence[int], free: FreeTimes, query: Query, wording: Wording) -> tuple[SlotGroup, ...]:
    """The starts of the shown day; a stay says when it ends."""
    stay = free.stay
    groups = group_slots(starts, free.timezone, wording, lambda start: _slot_address(query, free, start))
    if stay is None:
        return _with_seats(groups, free)

    def told(slot: Slot) -> Slot:
        start = read_start(slot.value)
        end = stay.end(start, free.duration)
        first, last = (f"{wording.weekday(at, free.timezone)} {wording.time(at, free.timezone)}" for at in (start, end))
        words = f"{nights_words(free.duration)}, from {first} to {last}"
        return replace(slot, label=words, full=f"{slot.full}: {words}")

    return tuple(SlotGroup("Arrival", tuple(told(slot) for slot in group.slots), is_wide=True) for group in groups)


def _with_seats(groups: tuple[SlotGroup, ...], free: FreeTimes) -> tuple[SlotGroup, ...]:
    """Of a class: each time with its seats."""
    if not free.seats:
        return groups

    def told(slot: Slot) -> Slot:
        left = free.seats.get(read_start(slot.value), 0)
        return replace(slot, left="1 seat left" if left == 1 else f"{left} seats left")

    return tuple(SlotGroup(group.title, tuple(told(slot) for slot in group.slots)) for group in groups)


def length_words(minutes: int, *, by_night: bool) -> str:
    """A length to be read out: `3 nights` for a stay."""
    return nights_words(minutes) if by_night else minutes_words(minutes)


def minutes_label(minutes: int) -> str:
    """`45 min`, `1 h`, `1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def minutes_words(minutes: int) -> str:
    """`45 minutes`, `1 hour`, `1 hour 30 minutes`, to be read out."""
    hours, rest = divmod(minutes, 60)
    parts = [
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((hours, "hour"), (rest, "minute")) if count
    ]
    return " ".join(parts)


def group_slots(
    starts: Sequence[int], timezone: str, wording: Wording, address: Callable[[int], str]
) -> tuple[SlotGroup, ...]:
    """The starts of one day by part of the day. Where the clocks go back a time comes twice: then with its offset."""
    zone = ZoneInfo(timezone)
    counts = Counter(wording.time(start, timezone) for start in starts)
    found: dict[str, list[Slot]] = {}
    for start in starts:
        label = wording.time(start, timezone)
        if counts[label] > 1:
            label = f"{label} ({offset_label(timezone, start)})"
        local = datetime.fromtimestamp(start, zone)
        full = f"{wording.day(local.date())}, {label}"
        found.setdefault(_part_of_day(local.hour), []).append(Slot(label, full, rfc3339(start), address(start)))
    return tuple(SlotGroup(title, tuple(slots)) for title, slots in found.items())


def _part_of_day(hour: int) -> str:
    if hour < NOON:
        return "Morning"
    return "Afternoon" if hour < EVENING else "Evening"


def _weeks(free: FreeTimes, query: Query, wording: Wording) -> tuple[tuple[DayCell | None, ...], ...]:
    counts = Counter(datetime.fromtimestamp(start, ZoneInfo(free.timezone)).date() for start in free.starts)
    first = free.month
    days = ((first + timedelta(days=32)).replace(day=1) - first).days
    lead = (first.weekday() - wording.first_weekday) % 7
    cells: list[DayCell | None] = [None] * lead
    for index in range(days):
        day = first + timedelta(days=index)
        cells.append(_cell(day, counts[day], free, query, wording))
    cells += [None] * (-len(cells) % 7)
    weeks = [tuple(cells[begin : begin + 7]) for begin in range(0, len(cells), 7)]
    return tuple(week for week in weeks if not _is_over(week, free.today))


def _is_over(week: Sequence[DayCell | None], today: date) -> bool:
    """Whether all its days are past: on a phone such weeks would only push the times out of sight."""
    return all(cell is None or cell.iso < today.isoformat() for cell in week)


def _cell(day: date, count: int, free: FreeTimes, query: Query, wording: Wording) -> DayCell:
    times = f"{count} free {'time' if count == 1 else 'times'}" if count else "no free times"
    return DayCell(
        iso=day.isoformat(),
        number=day.day,
        label=f"{wording.day(day)}, {times}",
        address=query.address(day=day.isoformat()) if count else None,
        is_current=day == free.day,
        is_today=day == free.today,
    )


def _has_past(free: FreeTimes) -> bool:
    return free.month > free.today.replace(day=1)


def _has_future(free: FreeTimes) -> bool:
    return free.last_month is None or free.month < free.last_month


def _month_address(query: Query, inside: date) -> str:
    return query.address(month=f"{inside:%Y-%m}")


def _slot_address(query: Query, free: FreeTimes, start: int) -> str:
    day = free.day.isoformat() if free.day else None
    return query.address(duration=free.duration, day=day, start=rfc3339(start))


def _day_choice(day: date | None, query: Query, wording: Wording) -> Choice | None:
    return None if day is None else Choice(wording.day(day), query.address(day=day.isoformat()))


def _durations(free: FreeTimes, query: Query) -> tuple[Choice, ...]:
    day = query.day.isoformat() if query.day else None
    by_night = free.stay is not None
    return tuple(
        Choice(
            nights_words(minutes) if by_night else minutes_label(minutes),
            query.address(duration=minutes, day=day),
            minutes == free.duration,
        )
        for minutes in free.durations
    )


def _people(free: FreeTimes, query: Query) -> tuple[Choice, ...]:
    """Anybody, or one of those among whom there is a choice."""
    if len(free.people) < 2:
        return ()
    day = query.day.isoformat() if query.day else None
    anybody = Choice("Anybody", replace(query, host_id=None).address(day=day), query.host_id is None)
    named = (
        Choice(name, query.address(day=day, **{"with": host_id}), host_id == query.host_id)
        for host_id, name in free.people
    )
    return (anybody, *named)


def _zone(free: FreeTimes, query: Query, wording: Wording, now: int) -> ZoneView:
    kept = [
        *query.kept,
        ("duration", query.duration),
        ("day", query.day),
        ("month", query.month and f"{query.month:%Y-%m}"),
        ("with", query.host_id),
    ]
    return ZoneView(
        name=free.timezone,
        place=place_of(free.timezone),
        offset=offset_label(free.timezone, free.starts[0] if free.starts else now),
        clock=wording.clock(local_now(free.timezone, now)),
        is_chosen=query.timezone is not None,
        groups=zone_groups(now),
        kept=tuple((name, str(value)) for name, value in kept if value is not None),
    )

"""Why a start is offered or not: every rule's verdict in words, for the one whose link it is.

Instants are epoch seconds UTC; words tell wall times in the zone of the host's schedule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.domain.hours import ONE_DAY, local_date, working_ranges, zone
from app.domain.intervals import Interval, join
from app.domain.rules import HostState, LinkRules, full_days, full_weeks, offered_period
from app.domain.stays import Stay, nights_words, wall_time

Rule = Literal["calendars", "hours", "step", "notice", "period", "picked", "busy", "day_limit", "week_limit"]


@dataclass(frozen=True, slots=True)
class Blocker:
    """What occupies a host: a booking, an event of a calendar (`source` is its name, `read_at` when it was read, None
    for one of our own) or time off."""

    host_id: str
    kind: Literal["booking", "event", "time_off"]
    title: str
    source: str
    start: int
    end: int
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says."""

    rule: Rule
    ok: bool
    text: str


def explain(
    rules: LinkRules,
    duration: int,
    host: HostState,
    start: int,
    now: int,
    blockers: Sequence[Blocker],
    picks: Sequence[Interval] = (),
) -> list[Finding]:
    """Every rule's verdict on one start for one host, in the order of the rules. `blockers` are what may lie in the
    way; `picks` (start, minutes) take the place of hours, step, notice and period."""
    wall = _Wall(host.schedule.timezone)
    if picks:
        is_picked = (start, duration) in picks
        found = [Finding("picked", is_picked, f"It is {'' if is_picked else 'not '}among the chosen times.")]
    else:
        found = [*_hours(rules, duration, host, start, wall), *_time(rules, host, start, now, wall)]
    return [*found, _busy(rules, duration, start, now, blockers, wall), *_limits(rules, host, start, wall)]


def unread(name: str, read_at: int, now: int) -> Finding:
    """For a host whose calendars were not read within the limit; `read_at` is 0 when they never were."""
    last = f"were last read {_ago(read_at, now)}" if read_at else "were never read"
    return Finding("calendars", False, f"The calendars of {name} {last}: too long ago to know what is free.")


@dataclass(frozen=True, slots=True)
class _Wall:
    """Words for instants in one zone."""

    timezone: str

    def _at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, zone(self.timezone))

    def time(self, instant: int) -> str:
        return f"{self._at(instant):%H:%M}"

    def span(self, start: int, end: int) -> str:
        if self._at(start).date() == self._at(end).date():
            return f"{self.time(start)}-{self.time(end)}"
        return f"{self.moment(start)} to {self.moment(end)}"

    def moment(self, instant: int) -> str:
        return f"{self.day(self._at(instant).date())}, {self.time(instant)}"

    @staticmethod
    def day(day: date) -> str:
        return f"{day:%A}, {day.day} {day:%B %Y}"


def _hours(rules: LinkRules, duration: int, host: HostState, start: int, wall: _Wall) -> list[Finding]:
    if rules.stay is not None:
        return _arrival(rules.stay, duration, host, start, wall)
    end, day = start + duration * 60, local_date(host.schedule.timezone, start)
    ranges = working_ranges(host.schedule, day - ONE_DAY, local_date(host.schedule.timezone, end) + ONE_DAY)
    near = [each for each in ranges if each[0] < end + 86400 and each[1] > start - 86400]
    of_day = ", ".join(wall.span(*each) for each in near if local_date(host.schedule.timezone, each[0]) == day)
    hours = f"{wall.day(day)} ({host.schedule.timezone}): {of_day or 'no working hours'}."
    inside = any(opens <= start and end <= closes for opens, closes in join(ranges))
    found = [Finding("hours", inside, f"{wall.span(start, end)} lies {'within' if inside else 'outside'} {hours}")]
    holding = [each for each in ranges if each[0] <= start < each[1]]
    if not holding:
        return found
    step = rules.step or duration
    on_step = any((start - opens) % (step * 60) == 0 for opens, _ in holding)
    begins = " and ".join(wall.time(opens) for opens, _ in holding)
    text = f"Starts come every {step} minutes from {begins} on; this is {'' if on_step else 'not '}one of them."
    return [*found, Finding("step", on_step, text)]


def _arrival(stay: Stay, duration: int, host: HostState, start: int, wall: _Wall) -> list[Finding]:
    day = local_date(stay.timezone, start)
    opens = bool(working_ranges(host.schedule, day, day))
    words = "has working hours: guests arrive on it" if opens else "has no working hours: nobody arrives on it"
    found = [Finding("hours", opens, f"{wall.day(day)} {words}. This is {nights_words(duration)}.")]
    is_start = stay.is_start(start)
    text = f"Stays begin at {wall_time(stay.check_in)}; this does {'' if is_start else 'not '}so."
    return [*found, Finding("step", is_start, text)]


def _time(rules: LinkRules, host: HostState, start: int, now: int, wall: _Wall) -> list[Finding]:
    earliest = now + rules.minimum_notice * 60
    text = f"Starts are offered from {wall.moment(earliest)} on ({_minutes(rules.minimum_notice)} of notice)."
    found = [Finding("notice", start >= earliest, text)]
    first, last = offered_period(rules, host.schedule.timezone, now)
    if rules.date_range is not None:
        words = " to ".join(wall.day(day) for day in rules.date_range)
        opens = first if rules.minimum_notice == 0 else min(first, start)
        return [*found, Finding("period", opens <= start < last, f"Starts are offered on the dates {words}.")]
    if rules.horizon_days is None:
        return [*found, Finding("period", True, "There is no last day.")]
    day = wall.day(local_date(host.schedule.timezone, last - 1))
    return [*found, Finding("period", start < last, f"The last day is {day} ({rules.horizon_days} days ahead).")]


def _busy(rules: LinkRules, duration: int, start: int, now: int, blockers: Sequence[Blocker], wall: _Wall) -> Finding:
    begin, end = start - rules.buffer_before * 60, rules.end(start, duration) + rules.buffer_after * 60
    in_the_way = [each for each in blockers if each.start < end and each.end > begin]
    if not in_the_way:
        return Finding("busy", True, f"Nothing is in the way from {wall.span(begin, end)}, buffers included.")
    return Finding("busy", False, "Blocked by " + "; ".join(_words(each, now, wall) for each in in_the_way) + ".")


def _words(blocker: Blocker, now: int, wall: _Wall) -> str:
    span = wall.span(blocker.start, blocker.end)
    match blocker.kind:
        case "event":
            read = "" if blocker.read_at is None else f", read {_ago(blocker.read_at, now)}"
            return f"“{blocker.title or 'an event'}” in {blocker.source}, {span}{read}"
        case "booking":
            return f"the booking “{blocker.title}”, {span} with its buffers"
    return f"time off{f' (“{blocker.title}”)' if blocker.title else ''}, {span}"


def _limits(rules: LinkRules, host: HostState, start: int, wall: _Wall) -> list[Finding]:
    day = wall.day(local_date(host.schedule.timezone, start))
    a_day, a_week = (rules.max_per_day, host.max_per_day), (rules.max_per_week, host.max_per_week)
    return [
        *_limit("day_limit", a_day, full_days(rules, host), start, f"on {day}"),
        *_limit("week_limit", a_week, full_weeks(rules, host), start, f"in the week of {day}"),
    ]


def _limit(
    rule: Rule, limits: tuple[int | None, int | None], full: Sequence[Interval], start: int, period: str
) -> list[Finding]:
    """`limits` are the link's and the host's; nothing is said where there is none."""
    names = [f"{most} of the {whose}" for most, whose in zip(limits, ("link", "host"), strict=True) if most is not None]
    if not names:
        return []
    is_full = any(first <= start < last for first, last in full)
    text = f"At most {' and '.join(names)} {period}: {'reached' if is_full else 'not reached'}."
    return [Finding(rule, not is_full, text)]


def _minutes(minutes: int) -> str:
    for length, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes and minutes % length == 0:
            number = minutes // length
            return f"{number} {word}{'' if number == 1 else 's'}"
    return "0 minutes"


def _ago(instant: int, now: int) -> str:
    """`2 minutes ago`."""
    seconds = max(now - instant, 0)
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            number = seconds // length
            return f"{number} {word}{'' if number == 1 else 's'} ago"
    return "just now"

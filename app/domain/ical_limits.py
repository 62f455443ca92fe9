"""What a calendar object may be at most (RFC 4791 §5.2.5-5.2.9), beside its size."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from app.domain.ical_tree import Branch, parse_tree
from app.domain.rrules import BoundedRule, Effort, NotUnderstood, TooDense, rule_parts
from app.domain.wall_times import wall_of

MIN_DATE_TIME, MAX_DATE_TIME = "16000101T000000Z", "99991231T235959Z"
"""The calendar that rules are worked out in; nobody's diary is older."""
MAX_INSTANCES = 20_000
"""Of a series that ends: fifty years of every day. One without end is taken, as every device makes them."""
MAX_ATTENDEES = 5_000
_DATED = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE", "COMPLETED", "FREEBUSY"})
_DATE = re.compile(r"(?<![0-9])([0-9]{8})(?:T([0-9]{6}))?(?![0-9])")
_UNTIL = re.compile(r"(?:^|;)UNTIL=([^;]*)")
_SECONDS = {"SECONDLY": 1, "MINUTELY": 60}
_COUNT = re.compile(r"(?:^|;)COUNT=([0-9]{1,12})(?![0-9])")


def broken_limit(data: str) -> tuple[str, str] | None:
    """The precondition that a readable object breaks, and a sentence; None when it is within all limits."""
    for branch in parse_tree(data).branches:
        if branch.name == "VTIMEZONE":
            continue
        found = _outside(branch) or _too_many(branch)
        if found is not None:
            return found
    return None


def _outside(branch: Branch) -> tuple[str, str] | None:
    for line in branch.lines:
        if line.name not in _DATED:
            continue
        stamps = [f"{each[1]}T{each[2] or '000000'}Z" for each in _DATE.finditer(line.value)]
        if any(each < MIN_DATE_TIME for each in stamps):
            return "min-date-time", f"Times here begin at {MIN_DATE_TIME}."
        if any(each > MAX_DATE_TIME for each in stamps):
            return "max-date-time", f"Times here end at {MAX_DATE_TIME}."
    return None


def _too_many(branch: Branch) -> tuple[str, str] | None:
    if sum(line.name == "ATTENDEE" for line in branch.lines) > MAX_ATTENDEES:
        return "max-attendees-per-instance", f"An event may have {MAX_ATTENDEES} attendees."
    listed = sum(line.value.count(",") + 1 for line in branch.named("RDATE"))
    start = branch.first("DTSTART") or branch.first("DUE")
    made = (_count(line.value.upper(), "" if start is None else start.value) for line in branch.named("RRULE"))
    if listed + sum(made) > MAX_INSTANCES:
        return "max-instances", f"A series that ends may have {MAX_INSTANCES} instances."
    return None


def _count(rule: str, start: str) -> int:
    """How many starts a rule that ends makes, or one more than may be; 0 for one without end."""
    counted = _COUNT.search(rule)
    if counted is not None:
        return int(counted[1])
    first, last = _wall(start), _wall(_UNTIL.search(rule))
    if first is None or last is None:
        return 0
    try:
        found = BoundedRule(_UNTIL.sub("", rule), first, None, Effort(MAX_INSTANCES)).between(first, last)
    except NotUnderstood:
        return 0
    except TooDense:
        unit = _SECONDS.get(rule_parts(rule)["FREQ"])
        too_many = unit is None or last - first > timedelta(seconds=unit * MAX_INSTANCES)
        return MAX_INSTANCES + 1 if too_many else 0
    return len(found)


def _wall(text: str | re.Match[str] | None) -> datetime | None:
    """The wall time in a value, to the second or the day; enough to count by."""
    found = _DATE.search(text if isinstance(text, str) else text[1] if text is not None else "")
    return None if found is None else wall_of(found[1], found[2] or "000000")

"""Busy time told without what it is taken by (RFC 4791 §7.10): of which kind it is, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.event_text import PRODID, content_line, utc_stamp
from app.domain.ical_matching import meeting
from app.domain.ical_parse import first_value
from app.domain.ical_series import Vcomponent
from app.domain.ical_tasks import free_busy_periods
from app.domain.ical_times import ObjectTimes
from app.domain.intervals import Interval, join
from app.domain.recurrence import SHOWN_AS, own_answer

KINDS = ("BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE")
"""FBTYPE (RFC 5545 §3.2.9); any other word counts as the first."""
_FREE = frozenset({"FREE", "WORKINGELSEWHERE"})

Busy = tuple[int, int, str]


def busy_times(times: ObjectTimes, window: Interval, addresses: frozenset[str]) -> Iterator[Busy]:
    """What of an object is busy in the window, epoch seconds, in no order; `addresses` are the person's own,
    lower-case, to know a declined invitation by. Where a series is too dense to list, all of it is busy."""
    for component in times.main:
        if component.name == "VFREEBUSY":
            yield from _said(component, window)
        elif component.name == "VEVENT" and (kind := kind_of(component, addresses)) is not None:
            for placed in meeting(times, component, window):
                yield max(placed.begin, window[0]), min(placed.until, window[1]), kind


def _said(component: Vcomponent, window: Interval) -> Iterator[Busy]:
    for begin, until, kind in free_busy_periods(component):
        if kind != "FREE" and begin < window[1] and until > window[0]:
            yield max(begin, window[0]), min(until, window[1]), kind if kind in KINDS else "BUSY"


def kind_of(event: Vcomponent, addresses: frozenset[str]) -> str | None:
    """How an event takes its time; None when it leaves it free."""

    def word(name: str) -> str:
        return str(first_value(event, name)[0] or "").strip().upper()

    answer, shown = own_answer(event, addresses), word(SHOWN_AS)
    if word("TRANSP") == "TRANSPARENT" or word("STATUS") == "CANCELLED" or answer == "DECLINED" or shown in _FREE:
        return None
    if shown == "OOF":
        return "BUSY-UNAVAILABLE"
    return "BUSY-TENTATIVE" if "TENTATIVE" in (word("STATUS"), answer, shown) else "BUSY"


def by_kind(busy: Iterable[Busy]) -> dict[str, list[Interval]]:
    """Each kind's times, ascending and apart. Kinds may overlap: that a time is busy does not make it less tentative
    for another event."""
    listed: dict[str, list[Interval]] = {kind: [] for kind in KINDS}
    for begin, until, kind in busy:
        listed[kind].append((begin, until))
    return {kind: join(times) for kind, times in listed.items()}


def free_busy_text(busy: Mapping[str, Sequence[Interval]], window: Interval, now: int, of: str) -> str:
    """The VFREEBUSY, times in UTC; `of` names whose it is, so that the same answer has the same UID."""
    uid = hashlib.sha256(f"{of} {window[0]} {window[1]}".encode()).hexdigest()[:32]
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nBEGIN:VFREEBUSY\r\nUID:{uid}\r\n"
    head += f"DTSTAMP:{utc_stamp(now)}\r\nDTSTART:{utc_stamp(window[0])}\r\nDTEND:{utc_stamp(window[1])}\r\n"
    lines = [
        content_line("FREEBUSY" if kind == "BUSY" else f"FREEBUSY;FBTYPE={kind}", _periods(times))
        for kind, times in busy.items()
        if times
    ]
    return f"{head}{''.join(lines)}END:VFREEBUSY\r\nEND:VCALENDAR\r\n"


def _periods(times: Sequence[Interval]) -> str:
    return ",".join(f"{utc_stamp(begin)}/{utc_stamp(until)}" for begin, until in times)

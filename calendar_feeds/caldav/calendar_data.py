"""The C:calendar-data element of a report (RFC 4791 §9.6): in which form objects are wanted, and giving them in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from app.domain.errors import Invalid
from app.domain.ical_expand import Allowance, TooManyInstances, expanded
from app.domain.ical_partial import Part, limited_busy, limited_series, trimmed
from app.domain.ical_times import ObjectTimes
from app.domain.ical_tree import parse_tree
from app.domain.rrules import Effort
from app.ports.published import StoredText
from calendar_feeds.caldav.time_range import closed_range
from calendar_feeds.caldav.xml import CALDAV, Element, children, name
from calendar_feeds.messages import Refusal

MAX_EXPANDED = 10_000
MAX_EXPANDED_TEXT = 20_000_000
"""Instances in one answer, and characters of them."""
MAX_PARTS = 500
EFFORT = 200_000
"""What may be spent on rules for one answer, in starts found."""
_DEPTH = 5
_SPECIAL = {name(each, CALDAV) for each in ("comp", "expand", "limit-recurrence-set", "limit-freebusy-set")}


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Form:
    """How objects are wanted. The ranges are [start, end), epoch seconds."""

    part: Part = WHOLE
    expand: tuple[int, int] | None = None
    limit_series: tuple[int, int] | None = None
    limit_busy: tuple[int, int] | None = None


def check_kind(prop: Element) -> Element | None:
    """The C:calendar-data in a DAV:prop; 403 with C:supported-calendar-data when it is of a kind not kept here."""
    asked = prop.find(name("calendar-data", CALDAV))
    if asked is not None:
        kind = (asked.get("content-type", "text/calendar").strip().lower(), asked.get("version", "2.0").strip())
        if kind != ("text/calendar", "2.0"):
            raise Refusal(403, "<C:supported-calendar-data/>", "Objects are kept as text/calendar, version 2.0.")
    return asked


def form_in(root: Element) -> Form | None:
    """The form that a report asks for, None for objects as they are kept; 400 for one that makes no sense."""
    prop = root.find(name("prop"))
    asked = None if prop is None else check_kind(prop)
    if asked is None or not any(each.tag in _SPECIAL for each in children(asked)):
        return None
    if sum(1 for _ in asked.iter()) > MAX_PARTS:
        raise Refusal(403, "<C:supported-calendar-data/>", f"A form has at most {MAX_PARTS} elements.")
    return _form(asked)


def _form(asked: Element) -> Form:
    part = WHOLE
    top = asked.find(name("comp", CALDAV))
    if top is not None:
        if _name_of(top) != "VCALENDAR":
            raise _malformed("The outermost C:comp is VCALENDAR.")
        part = _part(top, _DEPTH)
    ranges = {}
    for local in ("expand", "limit-recurrence-set", "limit-freebusy-set"):
        found = asked.find(name(local, CALDAV))
        ranges[local] = None if found is None else closed_range(found, _malformed)
    if ranges["expand"] and ranges["limit-recurrence-set"]:
        raise _malformed("A series is either expanded or limited.")
    return Form(part, ranges["expand"], ranges["limit-recurrence-set"], ranges["limit-freebusy-set"])


def _part(comp: Element, depth: int) -> Part:
    """A C:comp; one that names nothing stands for the whole component (as in the example of §7.8.1)."""
    if not depth:
        raise _malformed("The components of C:calendar-data nest too deep.")
    props = comp.findall(name("prop", CALDAV))
    comps = comp.findall(name("comp", CALDAV))
    all_props = comp.find(name("allprop", CALDAV)) is not None
    all_comps = comp.find(name("allcomp", CALDAV)) is not None
    if not (props or comps or all_props or all_comps):
        return WHOLE
    return Part(
        None if all_props else {_name_of(each): each.get("novalue") == "yes" for each in props},
        None if all_comps else {_name_of(each): _part(each, depth - 1) for each in comps},
    )


def _name_of(element: Element) -> str:
    found = element.get("name", "").strip().upper()
    if not found:
        raise _malformed("Every part of C:calendar-data has a name.")
    return found


def _malformed(detail: str) -> Refusal:
    return Refusal(400, detail=detail)


async def in_form(items: Sequence[StoredText], form: Form | None, zone: tzinfo) -> list[StoredText]:
    """The objects with their text in the wanted form; `zone` reads floating and all-day times. 403 with
    DAV:number-of-matches-within-limits when that would be more than is answered at once."""
    if form is None or not items:
        return list(items)
    try:
        return await asyncio.to_thread(_formed, items, form, zone)
    except TooManyInstances as error:
        raise Refusal(403, "<D:number-of-matches-within-limits/>", error.detail) from error


def _formed(items: Sequence[StoredText], form: Form, zone: tzinfo) -> list[StoredText]:
    allowance, effort = Allowance(MAX_EXPANDED, MAX_EXPANDED_TEXT), Effort(EFFORT)
    return [item._replace(data=_text(item.data, form, zone, allowance, effort)) for item in items]


def _text(data: str, form: Form, zone: tzinfo, allowance: Allowance, effort: Effort) -> str:
    calendar = parse_tree(data)
    try:
        if form.expand or form.limit_series or form.limit_busy:
            times = ObjectTimes(data, zone, effort)
            if form.expand:
                calendar = expanded(calendar, times, form.expand, allowance)
            if form.limit_series:
                calendar = limited_series(calendar, times, form.limit_series)
            if form.limit_busy:
                calendar = limited_busy(calendar, times, form.limit_busy)
    except Invalid:  # it was readable when it was kept; as it is, it is better than nothing
        return data
    return trimmed(calendar, form.part).text()

"""Working hours as a property of the inbox (RFC 7953 §7.2.4): PROPPATCH of it changes the person's schedule."""

from __future__ import annotations

from app.domain.errors import Invalid, NotFound
from app.use_cases.change_availability import change_hours
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import AVAILABILITY, OK
from calendar_feeds.caldav.settable import CONFLICT, FORBIDDEN, Change
from calendar_feeds.caldav.xml import Element, children, name, text

_INVALID = "<D:error><C:valid-calendar-data/></D:error>"


Hours = tuple[str, str | None]
"""A name of the property, and its text (None: it is to be removed)."""


def take_hours(root: Element) -> Hours | None:
    """Take the property out of a DAV:propertyupdate; None when it is not there."""
    taken: Hours | None = None
    for instruction in children(root):
        is_set = instruction.tag == name("set")
        for prop in list(instruction.iter(*AVAILABILITY)):
            taken = (str(prop.tag), "".join(str(part) for part in prop.itertext()).strip() if is_set else None)
            parent = prop.getparent()
            if parent is not None:
                parent.remove(prop)
    return taken


async def set_hours(exchange: Exchange, hours: Hours, change: Change) -> None:
    """Change the schedule, if nothing else stands in the way, and note the property's status. A person always has
    working hours: they cannot be removed."""
    qualified, sent = hours
    change.results[qualified] = FORBIDDEN if sent is None else OK
    if sent is None or not change.is_possible:
        return
    try:
        await change_hours(exchange.ports, exchange.owner.id, sent)
    except (Invalid, NotFound) as refused:
        told = f"<D:responsedescription>{text(refused.detail)}</D:responsedescription>"
        change.results[qualified] = CONFLICT
        change.reasons[qualified] = _INVALID + told

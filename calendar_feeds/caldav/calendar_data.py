"""The C:calendar-data element of a request (RFC 4791 §9.6): in which form objects are wanted."""

from __future__ import annotations

from calendar_feeds.caldav.xml import CALDAV, Element, name
from calendar_feeds.messages import Refusal


def check_calendar_data(root: Element) -> None:
    """403 with C:supported-calendar-data when the report asks for a form that is not kept here."""
    asked = root.find(f"{name('prop')}/{name('calendar-data', CALDAV)}")
    if asked is None:
        return
    form = (asked.get("content-type", "text/calendar"), asked.get("version", "2.0"))
    if form != ("text/calendar", "2.0"):
        raise Refusal(403, "<C:supported-calendar-data/>", "Objects are kept as text/calendar, version 2.0.")

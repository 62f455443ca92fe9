"""The host's own calendar, on a real server, that bookings are written to."""

from __future__ import annotations

from typing import Any

import httpx2
from icalendar import Calendar

from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.connect_calendar import NewAccount, connect_calendar
from tests.faults.site import Site
from tests.support.calendar_servers import PASSWORD, USER, CalendarServer

NAME = "work/"


async def make_calendar(server: CalendarServer) -> None:
    """An empty calendar on the server."""
    async with httpx2.AsyncClient(auth=(USER, PASSWORD), trust_env=False) as client:
        assert (await client.request("MKCALENDAR", server.home + NAME)).status_code == 201


async def write_into(place: Site, url: str) -> None:
    """Connect the account behind `url` and have its calendar receive the first user's bookings."""
    workspace = place.workspace
    account = await connect_calendar(workspace.ports, workspace.owner, NewAccount("caldav", url, USER, PASSWORD))
    async with workspace.ports.read() as work:
        (calendar,) = await work.calendars.calendars_in(account.id)
    await choose_calendars(workspace.ports, workspace.owner, account.id, [CalendarChoice(calendar.id, is_write=True)])


async def events_in(server: CalendarServer) -> list[tuple[str, int]]:
    """UID and start of every event in the calendar, asked of the server itself."""
    async with httpx2.AsyncClient(auth=(USER, PASSWORD), trust_env=False) as client:
        answer = await client.get(server.home + NAME)
    assert answer.status_code == 200, answer.text[:300]
    events: list[Any] = list(Calendar.from_ical(answer.content).walk("VEVENT")) if answer.content else []
    return sorted((str(event["UID"]), int(event["DTSTART"].dt.timestamp())) for event in events)

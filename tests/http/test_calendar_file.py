"""A recipient's booking as a file for their calendar."""

from __future__ import annotations

import icalendar
import pytest

from tests.http.api import Api

pytestmark = pytest.mark.anyio


async def test_it_is_the_event_of_the_invitation_and_says_its_type_once(shared_api: Api) -> None:
    booking = shared_api.acme.booking
    answer = await shared_api.get(f"/public/bookings/{booking.token}/calendar.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["UID"] == booking.uid
    assert event["ORGANIZER"] == f"mailto:{shared_api.app.state.ports.organizer_address}"
    assert event["ORGANIZER"].params["CN"] == "Owner"

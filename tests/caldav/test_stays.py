"""A device moves a stay by the night: it tells elapsed time, and the stay keeps its nights."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.bookings import Booking
from app.domain.services import ServiceHost
from app.use_cases.ids import new_id
from app.use_cases.manage_services import create_service
from tests.caldav.test_edit_policies import asked, choose
from tests.support.clock import at
from tests.support.dav_server import Person, condition
from tests.support.devices import mailed, put, read, stored, work

BERLIN = "Europe/Berlin"
NIGHT = 1440


def book(guide: Person, start: int, nights: int) -> Booking:
    """A tour with the guide, from 15:00 to 11:00."""

    async def make() -> Booking:
        workspace = guide.server.workspace
        shape = {"name": "Tour", "durations": (NIGHT, 3 * NIGHT), "check_in": "15:00", "check_out": "11:00"}
        tour = await create_service(workspace.ports, workspace.owner, shape, (), [ServiceHost(guide.user.id)])
        link = await workspace.link(f"tour-{new_id()[-12:]}", service_id=tour.id)
        return await workspace.book(link, start, nights * NIGHT)

    return guide.server.run(make())


def test_a_stay_is_moved_over_a_change_of_the_clock(ana: Person) -> None:
    guide = ana.server.person(timezone=BERLIN)
    booking = book(guide, at("2027-03-12 15:00", BERLIN), 3)
    text = read(guide, booking).text
    assert "DTSTART;TZID=Europe/Berlin:20270312T150000" in text
    assert "DTEND;TZID=Europe/Berlin:20270315T110000" in text
    over = text.replace(":20270312T15", ":20270326T15").replace(":20270315T11", ":20270329T11")
    assert put(guide, booking, over).status_code == 204
    after = stored(guide, booking)
    assert (after.start, after.end) == (at("2027-03-26 15:00", BERLIN), at("2027-03-29 11:00", BERLIN))
    assert (after.duration, (after.end - after.start) // 60) == (3 * NIGHT, 3 * NIGHT - 240 - 60)
    shorter = read(guide, booking).text.replace(":20270329T11", ":20270327T09")
    assert put(guide, booking, shorter).status_code == 204
    after = stored(guide, booking)
    assert (after.duration, after.end) == (NIGHT, at("2027-03-27 11:00", BERLIN)), "check-out is the house's"
    assert "DTEND;TZID=Europe/Berlin:20270327T110000" in read(guide, booking).text


def test_what_the_house_does_not_offer_is_put_back(ana: Person) -> None:
    guide = ana.server.person(timezone=BERLIN)
    booking = book(guide, at("2027-03-12 15:00", BERLIN), 3)
    text = read(guide, booking).text
    for wrong in (
        text.replace(":20270315T11", ":20270314T11"),  # two nights
        text.replace(":20270312T15", ":20270312T18"),  # another check-in
    ):
        refused = put(guide, booking, wrong)
        assert (refused.status_code, condition(refused)) == (409, "C:allowed-organizer-scheduling-object-change")
        assert stored(guide, booking) == booking


@pytest.mark.parametrize(
    ("policy", "times"),
    [("rules", (15, 9)), ("outside", (15, 9)), ("outside", (9, 18)), ("ask", (15, 9)), ("ask", (9, 18))],
)
def test_the_same_dates_at_other_times_of_day_are_no_move(ana: Person, policy: Any, times: tuple[int, int]) -> None:
    """Nobody is asked or told, and the device reads the house's times again."""
    guide = ana.server.person(timezone=BERLIN)
    booking = book(guide, at("2027-03-12 15:00", BERLIN), 3)
    choose(guide, policy)
    before = read(guide, booking)
    other = before.text.replace(":20270312T15", f":20270312T{times[0]:02}")
    other = other.replace(":20270315T11", f":20270315T{times[1]:02}")
    for _ in range(2):  # its calendar has it otherwise still, and it says so again
        tag = read(guide, booking).headers["ETag"]
        assert put(guide, booking, other).status_code == 204
        assert stored(guide, booking) == booking
        after = read(guide, booking)
        assert after.headers["ETag"] != tag
        assert "DTSTART;TZID=Europe/Berlin:20270312T150000" in after.text
        assert "DTEND;TZID=Europe/Berlin:20270315T110000" in after.text
    assert asked(guide) == []
    work(guide, 600)
    subjects = " ".join(each.subject for each in mailed(guide))
    assert "could not be moved" not in subjects and "say what you meant" not in subjects


def test_other_dates_are_asked_about(ana: Person) -> None:
    guide = ana.server.person(timezone=BERLIN)
    booking = book(guide, at("2027-03-12 15:00", BERLIN), 3)
    choose(guide, "ask")
    other = read(guide, booking).text.replace(":20270312T15", ":20270313T15").replace(":20270315T11", ":20270316T11")
    assert put(guide, booking, other).status_code == 204
    assert [(each.kind, each.start) for each in asked(guide)] == [("moved", at("2027-03-13 15:00", BERLIN))]

"""Events that devices make in `schedule/`: bookings of people who walked in, where the organization wants that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.change_organization import change_organization
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.suggest_contacts import suggest_contacts
from tests.support.dav_server import Person, condition
from tests.support.devices import (
    GRACE,
    NINE,
    TEN,
    audit,
    kept,
    moved,
    posted,
    rows,
    stamp,
    stored,
    with_line,
    work,
)  # fmt: skip
from tests.support.ical import ics


def allow(person: Person, *, walk_ins: bool) -> None:
    """As an admin does it."""
    workspace = person.server.workspace
    organization = workspace.organization
    person.server.run(
        change_organization(
            workspace.ports,
            workspace.owner,
            name=organization.name,
            complete_after_minutes=60,
            hold_minutes=1440,
            walk_ins=walk_ins,
        )
    )


@pytest.fixture
def open_door(ana: Person) -> Iterator[Person]:
    """Somebody whose organization takes walk-ins."""
    allow(ana, walk_ins=True)
    yield ana
    allow(ana, walk_ins=False)


def walk_in(person: Person, start: int = NINE, *lines: str, name: str = "phone.ics", **headers: str) -> Any:
    """A new event of half an hour, as a phone sends it; its UID is the person's."""
    uid = f"{start}@{person.user.handle}"
    text = ics(uid, "SUMMARY:Robin\\, haircut", *lines, start=stamp(start), end=stamp(start + 1800))
    sent = {"Content_Type": "text/calendar", "If_None_Match": "*", **headers}
    return person.request("PUT", person.schedule + name, text, **sent)


def the_booking(person: Person) -> Booking:
    hosted = m.booking_hosts.c
    (row,) = rows(person, select(hosted.booking_id).where(hosted.host_id == person.user.id))
    return person.server.run(person.server.workspace.stored(row["booking_id"]))


def test_where_nobody_walks_in_new_events_are_refused_and_kept(ana: Person) -> None:
    refused = walk_in(ana)
    assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    assert "<D:bind/>" in refused.text
    assert ana.request("GET", ana.schedule + "phone.ics").status_code == 404
    assert [row["name"] for row in kept(ana)] == ["phone.ics"]


def privileges(person: Person) -> set[str]:
    answer = person.dav(
        "PROPFIND", person.schedule, "<D:propfind><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>"
    )
    return {str(each.tag).removeprefix("{DAV:}") for each in answer.all(".//D:privilege/*")}


def test_the_privileges_say_whether_events_can_be_added(ana: Person) -> None:
    assert {"write-content", "write-properties", "unbind"} <= privileges(ana)
    assert not {"bind", "write"} & privileges(ana)
    allow(ana, walk_ins=True)
    try:
        assert {"bind", "write"} <= privileges(ana)
        assert {"bind", "write"} <= privileges(ana.server.person())
    finally:
        allow(ana, walk_ins=False)


def test_a_new_event_is_a_booking_without_a_link_and_nobody_is_mailed_but_the_host(open_door: Person) -> None:
    ana = open_door
    made = walk_in(ana, NINE, "LOCATION:Chair 2", "DESCRIPTION:Short on the sides", "X-COLOR-ME:yes")
    assert (made.status_code, "ETag" in made.headers) == (201, False)
    booking = the_booking(ana)
    assert (booking.start, booking.duration, booking.status, booking.link_id) == (NINE, 30, "confirmed", None)
    assert (booking.recipient.name, booking.recipient.email, booking.title) == ("Robin, haircut", "", "Walk-in")
    assert (booking.location.value, booking.uid) == ("Chair 2", f"{NINE}@{ana.user.handle}")
    assert audit(ana, booking) == [("booking.created", "device", "Phone")]
    text = ana.request("GET", ana.schedule + "phone.ics").text
    for part in ("SUMMARY:Robin\\, haircut", "LOCATION:Chair 2", "X-COLOR-ME:yes", "Short on the sides"):
        assert part in text
    assert text.count("BEGIN:VEVENT") == 1
    work(ana)
    assert posted(ana, booking) == [(ana.user.email, "Walk-in")]


def test_a_walk_in_that_is_put_again_stays_one(open_door: Person) -> None:
    ana = open_door
    assert walk_in(ana).status_code == 201
    assert walk_in(ana).status_code == 412  # the answer got lost
    assert not kept(ana)
    assert walk_in(ana, If_None_Match="").status_code == 204
    assert the_booking(ana).version == 1


def test_the_guard_refuses_walk_ins_where_something_is(open_door: Person) -> None:
    ana = open_door
    ana.book(NINE)
    taken = walk_in(ana, NINE + 600)
    assert (taken.status_code, condition(taken)) == (409, "C:allowed-organizer-scheduling-object-change")
    ana.put("dentist.ics", ics("dentist", start=stamp(TEN)))
    assert walk_in(ana, TEN).status_code == 409
    assert [row["reason"] for row in kept(ana)] == ["This time was just taken."] * 2


@pytest.mark.parametrize(
    ("start", "lines", "status"),
    [
        (NINE + 30, (), 409),
        (NINE - 10 * 86400, (), 409),
        (NINE, ("RRULE:FREQ=DAILY",), 409),
        (NINE, ("ATTENDEE:mailto:robin@example.net",), 409),
    ],
)
def test_what_no_walk_in_can_be_is_refused(open_door: Person, start: int, lines: tuple[str, ...], status: int) -> None:
    assert walk_in(open_door, start, *lines).status_code == status
    assert len(kept(open_door)) == 1


def test_somebody_who_is_here_already_is_entered_afterwards(open_door: Person) -> None:
    now = open_door.server.clock.now // 60 * 60
    assert walk_in(open_door, now - 600).status_code == 201
    assert the_booking(open_door).status == "confirmed"


def test_a_walk_in_moves_keeps_notes_and_is_cancelled_like_any_booking(open_door: Person) -> None:
    ana = open_door
    walk_in(ana)
    booking, path = the_booking(ana), ana.schedule + "phone.ics"
    text = ana.request("GET", path).text
    shifted = moved(with_line(text, "COLOR:red"), TEN, 45)  # a length of its own: there is no link to ask
    assert ana.request("PUT", path, shifted, Content_Type="text/calendar").status_code == 204
    assert (stored(ana, booking).start, stored(ana, booking).duration) == (TEN, 45)
    assert "COLOR:red" in ana.request("GET", path).text
    ports = ana.server.workspace.ports
    ana.server.run(reschedule_booking(ports, booking.id, Move(NINE), Actor("user", ana.user.id)))
    assert f"DTSTART:{stamp(NINE)}" in ana.request("GET", path).text
    assert ana.request("DELETE", path).status_code == 204
    work(ana, GRACE)
    assert stored(ana, booking).status == "cancelled"
    assert {address for address, _ in posted(ana, booking)} == {ana.user.email}


def test_who_walked_in_is_no_contact_and_a_step_mails_nobody_without_an_address(open_door: Person) -> None:
    ana = open_door
    walk_in(ana)
    booking, ports = the_booking(ana), ana.server.workspace.ports
    assert ana.server.run(suggest_contacts(ports, ana.user, "robin")) == []
    ana.server.run(take_step(ports, booking.id, "cancel", Actor("user", ana.user.id)))
    work(ana)
    lanes = rows(ana, select(m.outbox.c.lane).where(m.outbox.c.subject_id == booking.id))
    assert [row["lane"] for row in lanes] == []


def test_who_walked_in_is_called_as_the_event_is(open_door: Person) -> None:
    ana = open_door
    walk_in(ana)
    booking, path = the_booking(ana), ana.schedule + "phone.ics"
    work(ana)
    text = ana.request("GET", path).text.replace("SUMMARY:Robin\\, haircut", "SUMMARY:Robin Roe")
    assert ana.request("PUT", path, with_line(text, "COLOR:red"), Content_Type="text/calendar").status_code == 204
    after = stored(ana, booking)
    assert (after.recipient.name, after.sequence, after.version) == ("Robin Roe", 0, 2)
    again = ana.request("GET", path).text
    assert "SUMMARY:Robin Roe" in again
    assert "COLOR:red" in again
    work(ana)
    assert posted(ana, booking) == [(ana.user.email, "Walk-in")]  # nothing that anybody must know
    assert audit(ana, booking)[1:] == [
        ("booking.renamed", "device", "Phone"),
        ("booking.annotated", "device", "Phone"),
    ]


def test_two_devices_that_enter_somebody_at_once_make_one_booking(open_door: Person) -> None:
    async def race() -> list[int]:
        tries = [asyncio.to_thread(walk_in, open_door, NINE) for _ in range(5)]
        return sorted(response.status_code for response in await asyncio.gather(*tries))

    assert asyncio.run(race()) == [201] + [412] * 4
    assert the_booking(open_door).version == 1
    assert not kept(open_door)


def test_an_event_whose_booking_was_cancelled_blocks_like_any_other(open_door: Person) -> None:
    ana, busy = open_door, m.busy_intervals.c
    walk_in(ana)
    text = ana.request("GET", ana.schedule + "phone.ics").text
    ana.request("DELETE", ana.schedule + "phone.ics")
    work(ana, GRACE)
    assert stored(ana, the_booking(ana)).status == "cancelled"
    assert ana.put("again.ics", text).status_code == 201
    found = rows(ana, select(busy.start_at).where(busy.calendar_id == ana.calendar().id))
    assert [row["start_at"] for row in found] == [NINE]


def test_an_event_that_moves_into_the_schedule_is_not_in_its_own_way(open_door: Person) -> None:
    """Phones put it there first, and delete it here afterwards."""
    ana, busy = open_door, m.busy_intervals.c
    half = {"start": stamp(NINE), "end": stamp(NINE + 1800)}
    assert ana.put("a.ics", ics(f"{NINE}@{ana.user.handle}", **half)).status_code == 201
    assert ana.put("b.ics", ics("b", start=stamp(TEN), end=stamp(TEN + 1800))).status_code == 201
    assert walk_in(ana).status_code == 201
    found = rows(ana, select(busy.start_at).where(busy.calendar_id == ana.calendar().id))
    assert [row["start_at"] for row in found] == [TEN]
    assert ana.request("DELETE", ana.personal + "a.ics").status_code == 204
    work(ana, GRACE)
    assert the_booking(ana).status == "confirmed"
    assert walk_in(ana, TEN, name="taken.ics").status_code == 409

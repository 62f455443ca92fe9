"""What a person wants done when a device moves or deletes a booking's event in their schedule: as the rules allow, also
outside their hours, or only when they say so."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parseaddr

import pytest

from app.domain.bookings import Booking
from app.domain.calendars import BUILTIN, EditPolicy
from app.domain.errors import NotFound
from app.ports.calendar_edits import CalendarEdit
from app.use_cases.booking_changes import Actor
from app.use_cases.calendar_accounts import change_account
from app.use_cases.follow_edit import answer_edit
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.dav_server import Person
from tests.support.devices import (
    GRACE,
    NINE,
    TEN,
    audit,
    href,
    kept,
    mailed,
    moved,
    put,
    read,
    stamp,
    stored,
    with_line,
    work,
)

NIGHT = at("2027-03-02 22:00")


def choose(person: Person, edits: EditPolicy) -> None:
    """The policy of the person's calendars on this server."""

    async def change() -> None:
        ports = person.server.workspace.ports
        async with ports.read() as work:
            accounts = await work.calendars.accounts_of(person.user.id)
        own = next(each for each in accounts if each.provider == BUILTIN)
        await change_account(ports, person.user, own.id, edits=edits)

    person.server.run(change())


def in_office_hours(person: Person) -> None:
    week = {day: [("08:00", "17:00")] for day in ("mon", "tue", "wed", "thu", "fri")}
    person.server.run(person.server.workspace.hours(person.user, week))


def asked(person: Person) -> list[CalendarEdit]:
    """What the person is asked about."""

    async def read_edits() -> list[CalendarEdit]:
        async with person.server.workspace.ports.read() as work:
            return [each for each in await work.calendar_edits.of_user(person.user.id) if each.is_asked]

    return person.server.run(read_edits())


def answer(person: Person, booking: Booking, *, accept: bool) -> None:
    ports, calendar_id = person.server.workspace.ports, person.calendar("schedule").id
    person.server.run(answer_edit(ports, person.user.id, booking.id, calendar_id, accept=accept))


def subjects(person: Person) -> list[str]:
    return [each.subject for each in mailed(person) if parseaddr(each.to)[1] == person.user.email]


def test_outside_the_hours_as_the_person_wants_it(ana: Person) -> None:
    in_office_hours(ana)
    booking = ana.book(NINE)
    assert put(ana, booking, moved(read(ana, booking).text, NIGHT)).status_code == 409
    assert stored(ana, booking).start == NINE
    choose(ana, "outside")
    assert put(ana, booking, moved(read(ana, booking).text, NIGHT, 45)).status_code == 204
    assert (stored(ana, booking).start, stored(ana, booking).end) == (NIGHT, NIGHT + 45 * 60)
    other = ana.book(NINE)
    assert put(ana, other, moved(read(ana, other).text, NIGHT)).status_code == 409  # never over a booking


def test_who_wants_to_be_asked_is_and_the_event_stands_until_they_say(ana: Person) -> None:
    in_office_hours(ana)
    choose(ana, "ask")
    booking = ana.book(NINE)
    before, token = read(ana, booking), ana.sync(collection=ana.schedule).sync_token
    text = with_line(moved(before.text, NIGHT), "COLOR:red")
    tagged = {"If_Match": before.headers["ETag"]}
    first = put(ana, booking, text, **tagged)
    assert (first.status_code, "ETag" in first.headers) == (204, False)
    assert ana.sync(token, ana.schedule).hrefs == [href(ana, booking)]
    after = read(ana, booking)
    assert "COLOR:red" in after.text  # what the person noted for themselves is nobody's question
    assert (f"DTSTART:{stamp(NIGHT)}" in after.text, after.headers["ETag"] == before.headers["ETag"]) == (False, False)
    assert put(ana, booking, text, **tagged).status_code == 412  # the answer got lost
    assert not kept(ana)
    work(ana, 10)
    assert subjects(ana).count("Did you mean to change your bookings?") == 1
    assert replace(stored(ana, booking), client_id=None) == booking
    assert [(each.kind, each.start, each.end) for each in asked(ana)] == [("moved", NIGHT, NIGHT + 1800)]
    assert ("booking.event_moved", "device", "Phone") in audit(ana, booking)
    answer(ana, booking, accept=True)
    assert stored(ana, booking).start == NIGHT
    assert audit(ana, booking)[-1][:2] == ("booking.rescheduled", "user")
    assert asked(ana) == []
    assert "COLOR:red" in read(ana, booking).text


def test_the_latest_wish_counts_and_no_is_no(ana: Person) -> None:
    choose(ana, "ask")
    booking = ana.book(NINE)
    for start in (TEN, NIGHT):
        assert put(ana, booking, moved(read(ana, booking).text, start)).status_code == 204
    assert [each.start for each in asked(ana)] == [NIGHT]
    answer(ana, booking, accept=False)
    assert (stored(ana, booking), asked(ana)) == (booking, [])
    with pytest.raises(NotFound):
        answer(ana, booking, accept=True)


def test_a_wish_is_void_once_the_booking_was_changed(ana: Person) -> None:
    choose(ana, "ask")
    booking = ana.book(NINE)
    assert put(ana, booking, moved(read(ana, booking).text, TEN)).status_code == 204
    ana.server.clock.advance(60)
    ports = ana.server.workspace.ports
    ana.server.run(reschedule_booking(ports, booking.id, Move(NINE + 7200), Actor("recipient", booking.id)))
    assert asked(ana) == []
    with pytest.raises(NotFound):
        answer(ana, booking, accept=True)
    assert stored(ana, booking).start == NINE + 7200
    work(ana, 10)
    assert put(ana, booking, moved(read(ana, booking).text, TEN)).status_code == 204
    work(ana, 10)
    assert [each.start for each in asked(ana)] == [TEN]
    assert subjects(ana).count("Did you mean to change your bookings?") == 1  # the first was over before it was told
    answer(ana, booking, accept=True)
    assert stored(ana, booking).start == TEN


def test_what_was_taken_meanwhile_is_told(ana: Person) -> None:
    choose(ana, "ask")
    booking = ana.book(NINE)
    assert put(ana, booking, moved(read(ana, booking).text, TEN)).status_code == 204
    ana.book(TEN)
    answer(ana, booking, accept=True)
    work(ana)
    assert (stored(ana, booking).start, asked(ana)) == (NINE, [])
    assert "Your booking stays where it was" in subjects(ana)


def test_what_no_booking_can_be_is_refused_unasked(ana: Person) -> None:
    choose(ana, "ask")
    booking = ana.book(NINE)
    before = read(ana, booking)
    text = moved(before.text, TEN).replace(stamp(TEN + 1800), stamp(TEN + 1801))
    assert put(ana, booking, text).status_code == 409
    assert put(ana, booking, moved(before.text, TEN), If_Match='"old"').status_code == 412
    assert asked(ana) == []


def test_a_deletion_waits_for_the_word_of_who_wants_to_be_asked(ana: Person) -> None:
    choose(ana, "ask")
    first, second = ana.book(NINE), ana.book(TEN)
    assert ana.request("DELETE", href(ana, first)).status_code == 204
    work(ana, GRACE)
    assert ana.request("DELETE", href(ana, second)).status_code == 204
    work(ana, GRACE)
    assert [stored(ana, each).status for each in (first, second)] == ["confirmed", "confirmed"]
    answer(ana, first, accept=True)
    answer(ana, second, accept=False)
    assert [stored(ana, each).status for each in (first, second)] == ["cancelled", "confirmed"]
    assert read(ana, second).status_code == 200

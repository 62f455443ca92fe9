"""Events deleted in `schedule/` that cancel nothing: whoever deleted them, or what became of the booking meanwhile."""

from __future__ import annotations

from email.utils import parseaddr

import pytest

from app.domain.bookings import Booking
from app.domain.errors import NotFound
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.change_person import change_person
from tests.caldav.test_edit_policies import answer, asked, choose
from tests.caldav.test_handing_back import booked, pair
from tests.support.dav_server import Person
from tests.support.devices import GRACE, NINE, href, mailed, read, stored, work


def delete(person: Person, booking: Booking) -> None:
    assert person.request("DELETE", href(person, booking)).status_code == 204


def told(person: Person) -> list[str]:
    """The subjects of mails about events that were put back."""
    mine = [each for each in mailed(person) if parseaddr(each.to)[1] == person.user.email]
    return [each.subject for each in mine if "event was deleted" in each.subject]


def test_whoever_is_switched_off_meanwhile_cancels_nothing(ana: Person) -> None:
    """Their event is there again, for when they are back; nobody is told."""
    person = ana.server.person()
    booking = person.book(NINE)
    work(person)
    delete(person, booking)
    ports, admin = person.server.workspace.ports, person.server.boss().user
    person.server.run(change_person(ports, admin, person.user.id, {"is_active": False}))
    work(person, GRACE)
    work(person)
    assert (stored(person, booking).status, told(person)) == ("confirmed", [])
    person.server.run(change_person(ports, admin, person.user.id, {"is_active": True}))
    assert read(person, booking).status_code == 200
    work(person, GRACE)
    assert stored(person, booking).status == "confirmed"


def test_what_is_cancelled_within_the_grace_time_is_left_at_that(ana: Person) -> None:
    booking = ana.book(NINE)
    delete(ana, booking)
    off = take_step(ana.server.workspace.ports, booking.id, "cancel", Actor("recipient", booking.id), reason="Ill")
    ana.server.run(off)
    work(ana, GRACE)
    found = stored(ana, booking)
    assert (found.status, found.cancel_reason) == ("cancelled", "Ill")
    assert asked(ana) == [] and ana.request("GET", href(ana, booking)).status_code == 404


def test_an_answer_that_comes_too_late_is_none(ana: Person) -> None:
    person = ana.server.person()
    choose(person, "ask")
    booking = person.book(NINE)
    delete(person, booking)
    work(person, GRACE)
    assert [each.kind for each in asked(person)] == ["deleted"]
    off = take_step(person.server.workspace.ports, booking.id, "cancel", Actor("recipient", booking.id))
    person.server.run(off)
    with pytest.raises(NotFound):
        answer(person, booking, accept=True)
    assert asked(person) == []
    assert stored(person, booking).cancel_reason is None


def test_where_the_pool_has_nobody_else_left_it_says_so(ana: Person) -> None:
    """The other one was switched off: the booking stays, and its host is told why."""
    host, other, booking = pair(ana.server.person(), hand_back=True)
    ports, admin = host.server.workspace.ports, host.server.boss().user
    host.server.run(change_person(ports, admin, other.user.id, {"is_active": False}))
    delete(host, booking)
    work(host, GRACE)
    work(host)
    assert [each.id for each in stored(host, booking).hosts] == [host.user.id]
    assert read(host, booking).status_code == 200
    assert len(told(host)) == 1
    mail = next(each for each in mailed(host) if each.subject in told(host))
    folder = host.server.workspace.parts.mail_folder
    assert folder is not None
    whole = host.server.run(folder.read_mail(mail.name))
    assert whole is not None and "no other hosts" in whole.text


def test_of_two_hosts_who_delete_at_once_one_cancels(ana: Person) -> None:
    ben = ana.server.person()
    first = ana.server.person()
    _, booking = booked([first, ben], "collective")
    for each in (first, ben):
        delete(each, booking)
    work(first, GRACE)
    assert stored(first, booking).status == "cancelled"
    work(first, GRACE)
    assert told(first) == [] and told(ben) == []
    assert asked(first) == [] and asked(ben) == []

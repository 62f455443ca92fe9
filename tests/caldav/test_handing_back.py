"""A host of a pool gives a booking back from their device, by declining or by deleting its event."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

import pytest

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.links import Link
from app.use_cases.ids import new_id
from tests.support.dav_server import Person
from tests.support.devices import (
    GRACE,
    NINE,
    audit,
    href,
    kept,
    mailed,
    posted,
    put,
    read,
    stored,
    with_line,
    work,
)  # fmt: skip


def booked(people: list[Person], mode: str = "pool", **values: Any) -> tuple[Link, Booking]:
    """A booking of a link that these people host together."""

    async def make() -> tuple[Link, Booking]:
        workspace = people[0].server.workspace
        hosts = [each.user for each in people]
        link = await workspace.shared_link(mode, hosts, f"team-{new_id()[-12:]}", **values)
        return link, await workspace.book(link, NINE)

    return people[0].server.run(make())


def pair(server_of: Person, **values: Any) -> tuple[Person, Person, Booking]:
    """The host of a pool's booking, the other host, and the booking."""
    ben = server_of.server.person()
    _, booking = booked([server_of, ben], **values)
    mine = booking.hosts[0].id == server_of.user.id
    return (server_of, ben, booking) if mine else (ben, server_of, booking)


def decline(person: Person, booking: Booking) -> int:
    own = f"ATTENDEE;PARTSTAT=DECLINED:mailto:{person.user.email}"
    status: int = put(person, booking, with_line(read(person, booking).text, own)).status_code
    return status


def test_who_declines_hands_the_booking_to_another_who_is_free(ana: Person) -> None:
    host, other, booking = pair(ana)
    work(host)
    assert decline(host, booking) == 204
    assert host.request("GET", href(host, booking)).status_code == 404
    assert read(other, booking).status_code == 200
    after = stored(host, booking)
    assert ([each.id for each in after.hosts], after.start) == ([other.user.id], NINE)
    assert audit(host, booking)[-1] == ("booking.handed_back", "device", "Phone")
    work(host)
    work(host, 600)
    casey = "casey@example.org"
    assert posted(host, booking) == sorted(
        [
            (casey, "Confirmed"),
            (casey, "Updated"),
            (host.user.email, "New booking"),
            (host.user.email, "No longer yours"),
            (other.user.email, "New booking"),
        ]
    )


def test_where_nobody_else_can_the_booking_stays_and_what_was_sent_is_kept(ana: Person) -> None:
    host, other, booking = pair(ana)
    host.server.run(host.server.workspace.busy(other.user, NINE, NINE + 3600))
    assert decline(host, booking) == 409
    assert [each.id for each in stored(host, booking).hosts] == [host.user.id]
    assert len(kept(host)) == 1
    alone = ana.book(NINE + 7200)
    assert decline(ana, alone) == 409


def test_notice_does_not_keep_a_booking_from_being_handed_on_but_hours_do(ana: Person) -> None:
    host, other, booking = pair(ana)
    where = m.links.c.id == booking.link_id
    host.server.run(host.server.workspace.set(m.links, where, minimum_notice=10_000, step=45))
    host.server.run(host.server.workspace.hours(other.user, {"mon": [("09:00", "17:00")]}))
    assert decline(host, booking) == 409  # it is a Tuesday
    host.server.run(host.server.workspace.hours(other.user))
    assert decline(host, booking) == 204


def test_deleting_hands_back_where_the_link_says_so(ana: Person) -> None:
    host, other, booking = pair(ana, hand_back=True)
    assert host.request("DELETE", href(host, booking)).status_code == 204
    work(host, GRACE)
    after = stored(host, booking)
    assert (after.status, [each.id for each in after.hosts]) == ("confirmed", [other.user.id])
    assert audit(host, booking)[-1] == ("booking.handed_back", "device", "Phone")
    assert read(other, booking).status_code == 200


def test_a_deleted_booking_that_nobody_can_take_stays_and_its_owner_is_told(ana: Person) -> None:
    owner = ana.server.person()
    ben = ana.server.person()
    link, booking = booked([owner, ana, ben], hand_back=True)
    host = next(each for each in (owner, ana, ben) if each.user.id == booking.hosts[0].id)
    for each in (owner, ana, ben):
        if each is not host:
            host.server.run(host.server.workspace.busy(each.user, NINE, NINE + 3600))
    assert host.request("DELETE", href(host, booking)).status_code == 204
    work(host, GRACE)
    work(host)
    assert stored(host, booking).status == "confirmed"
    assert read(host, booking).status_code == 200

    told = {parseaddr(each.to)[1] for each in mailed(host) if "event was deleted" in each.subject}
    people = {each.user.id for each in (owner, ana, ben) if each.user.email in told}
    assert people == {link.owner_id, host.user.id}


@pytest.mark.parametrize(("mode", "values"), [("collective", {"hand_back": True}), ("pool", {})])
def test_elsewhere_deleting_cancels(ana: Person, mode: str, values: dict[str, Any]) -> None:
    ben = ana.server.person()
    _, booking = booked([ana, ben], mode, **values)
    host = ana if booking.hosts[0].id == ana.user.id else ben
    assert host.request("DELETE", href(host, booking)).status_code == 204
    work(host, GRACE)
    assert stored(host, booking).status == "cancelled"

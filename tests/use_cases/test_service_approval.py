"""Services whose bookings are approved by hand: the hold of links, on a team's time."""

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.errors import Conflict
from app.domain.links import Link
from app.domain.services import ServiceHost
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_services import change_service, create_service
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, request

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
HOLD = 1440 * 60
STAFF = Actor("user", "staff")


@pytest.fixture
async def link(workspace: Workspace) -> Link:
    """A link to a service of two people that needs approval."""
    people = [ServiceHost(workspace.owner.id), ServiceHost((await workspace.user("ana")).id)]
    values = {"name": "Cut", "durations": (30,), "requires_approval": True}
    service = await create_service(workspace.ports, workspace.owner, values, hosts=people)
    return await workspace.link("cut", service_id=service.id)


async def confirm(workspace: Workspace, booking: Booking) -> Booking:
    return await take_step(workspace.ports, booking.id, "confirm", STAFF)


async def test_a_request_holds_the_time_of_one_of_the_team(workspace: Workspace, clock: Clock, link: Link) -> None:
    first, second = [await workspace.book(link, NINE) for _ in range(2)]
    assert {first.status, second.status} == {"pending"}
    assert first.hold_expires_at == clock.now + HOLD
    assert first.hosts != second.hosts
    with pytest.raises(Conflict):
        await workspace.book(link, NINE)
    assert (await confirm(workspace, first)).status == "confirmed"


@pytest.mark.parametrize(("by_link", "by_service"), [(True, False), (False, True), (False, False)])
async def test_either_of_link_and_service_asks_for_approval(
    workspace: Workspace, link: Link, by_link: bool, by_service: bool
) -> None:
    assert link.service_id is not None
    values = {"requires_approval": by_service}
    await change_service(workspace.ports, workspace.owner, link.service_id, values)
    other = await workspace.link("other", service_id=link.service_id, requires_approval=by_link)
    made = await workspace.book(other, NINE)
    assert made.status == ("pending" if by_link or by_service else "confirmed")


async def test_what_staff_book_needs_no_approval(workspace: Workspace, link: Link) -> None:
    wanted = ClientBooking(request(NINE, recipient=Recipient("Casey", "")), service_id=link.service_id)
    assert (await book_for_client(workspace.ports, workspace.owner, wanted)).status == "confirmed"


async def test_a_booking_releases_the_holds_that_ran_out_without_a_worker(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    held = [await workspace.book(link, NINE) for _ in range(2)]
    clock.advance(HOLD)
    made = [await workspace.book(link, NINE) for _ in range(2)]
    assert [(await workspace.stored(booking)).status for booking in held] == ["cancelled"] * 2
    claimed = {row["occurrence_id"] for row in await workspace.rows(select(m.claims))}
    assert claimed == {booking.id for booking in made}


async def test_approval_that_comes_too_late_takes_the_time_anew(workspace: Workspace, clock: Clock, link: Link) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    confirmed = await confirm(workspace, held)
    assert (confirmed.status, confirmed.hosts) == ("confirmed", held.hosts)
    assert len(await workspace.rows(m.claims)) == 1


async def test_approval_that_comes_too_late_is_refused_when_the_time_is_gone(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    await workspace.busy(next(user for user in workspace.users if user.id == held.hosts[0].id), NINE, NINE + 600)
    with pytest.raises(Conflict):
        await confirm(workspace, held)
    assert (await workspace.stored(held)).status == "pending"

"""Holds that ran out are in nobody's way, whether or not a worker has come by yet."""

from __future__ import annotations

import pytest

from app.domain.bookings import Booking
from app.domain.errors import NotModifiable
from app.domain.links import Link
from app.use_cases.change_booking import take_step
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.workspace import Workspace
from tests.use_cases.test_seats import HOUR, NINE, STAFF, book, class_link, client, seats
from tests.use_cases.test_seats import sound as sound  # what must hold of seats holds here too

pytestmark = pytest.mark.anyio


async def lapsed(workspace: Workspace, link: Link, start: int, stays: int = 1) -> tuple[list[Booking], Booking]:
    """Confirmed attendees of a session, and a request in it whose hold runs out at once."""
    confirmed = []
    for number in range(stays):
        asked = await book(workspace, link, start, number)
        confirmed.append(await take_step(workspace.ports, asked.id, "confirm", STAFF))
    request = await book(workspace, link, start, 9)
    assert request.hold_expires_at is not None
    workspace.clock.now = request.hold_expires_at + 1
    return confirmed, request


@pytest.mark.parametrize("step", ["correct", "confirm"])
async def test_a_booking_that_is_over_is_corrected_over_a_request_that_lapsed(workspace: Workspace, step: str) -> None:
    link = await workspace.link("first")
    other = await workspace.link("second", requires_approval=True)
    booking = await workspace.book(link, NINE)
    workspace.clock.now = NINE
    done = await take_step(workspace.ports, booking.id, "complete", STAFF)
    request = await workspace.book(other, NINE, recipient=client(2))
    assert (done.status, request.status, request.hold_expires_at) == ("completed", "pending", NINE)
    workspace.clock.now = NINE + 60
    corrected = await take_step(workspace.ports, booking.id, step, STAFF)  # type: ignore[arg-type]
    assert corrected.status == "confirmed"
    assert (await workspace.stored(request)).cancel_reason == "expired"


async def test_a_session_moves_without_the_request_that_lapsed(workspace: Workspace) -> None:
    link = await class_link(workspace, requires_approval=True)
    (stays,), request = await lapsed(workspace, link, NINE)
    session = await reschedule_booking(workspace.ports, stays.occurrence_id, Move(NINE + 1800, anywhere=True), STAFF)
    assert (session.start, session.seats_taken) == (NINE + 1800, 1)
    assert (await workspace.stored(request)).cancel_reason == "expired"
    assert (await workspace.stored(request)).start == NINE


async def test_a_session_of_lapsed_requests_alone_is_none_to_move(workspace: Workspace) -> None:
    link = await class_link(workspace, requires_approval=True)
    _, request = await lapsed(workspace, link, NINE, stays=0)
    with pytest.raises(NotModifiable):
        await reschedule_booking(workspace.ports, request.occurrence_id, Move(NINE + 1800, anywhere=True), STAFF)


@pytest.mark.parametrize("later", [1800, 5 * HOUR])
async def test_the_only_one_who_is_left_takes_the_time_along(workspace: Workspace, later: int) -> None:
    """Beside a request that lapsed, to a time that overlaps the old one or not."""
    link = await class_link(workspace, requires_approval=True, step=30)
    (booking,), request = await lapsed(workspace, link, NINE)
    moved = await reschedule_booking(workspace.ports, booking.id, Move(NINE + later), STAFF)
    assert moved.start == NINE + later
    assert (await workspace.stored(booking.occurrence_id)).status == "cancelled"
    assert (await workspace.stored(request)).cancel_reason == "expired"
    assert (await seats(workspace, link))[NINE + later] == 2

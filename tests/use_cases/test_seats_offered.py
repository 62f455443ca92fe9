"""What is offered to a group that wants several seats, and what is refused to it."""

from __future__ import annotations

import pytest

from app.db import models as m
from app.domain.errors import Conflict, Invalid
from app.domain.links import Link
from app.ports.feeds import FeedWindow
from app.ports.people import User
from app.use_cases.browse_times import Wish, browse_link, browse_moves
from app.use_cases.change_booking import take_step
from app.use_cases.manage_services import change_service
from app.use_cases.manage_sessions import NewSession, create_session
from app.use_cases.manage_tokens import create_feed
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.workspace import Workspace
from tests.use_cases.test_seats import HOUR, NINE, STAFF, book, class_link, client, lesson, seats
from tests.use_cases.test_seats import sound as sound  # what must hold of seats holds here too

pytestmark = pytest.mark.anyio


async def two_half_full(workspace: Workspace, start: int = NINE) -> Link:
    """A class of two teachers, whose sessions at a start have one seat left each."""
    ben = await workspace.user("ben")
    service = await lesson(workspace, [workspace.owner, ben], mode="pool")
    link = await workspace.link("lesson", service_id=service.id)
    for number in range(2):
        await book(workspace, link, start, number, seats=2)
    return link


async def test_alternatives_have_as_many_seats_as_are_wanted(workspace: Workspace) -> None:
    link = await class_link(workspace)
    await book(workspace, link, NINE + HOUR, 1, seats=2)
    await book(workspace, link, NINE, 2, seats=2)
    with pytest.raises(Conflict) as refused:
        await book(workspace, link, NINE, 3, seats=2)
    assert NINE + HOUR not in refused.value.alternatives and NINE + 2 * HOUR in refused.value.alternatives


async def test_a_group_moves_to_where_it_sits_together(workspace: Workspace) -> None:
    link = await two_half_full(workspace)
    group = await book(workspace, link, NINE + HOUR, 3, seats=2)
    offered = await browse_moves(workspace.ports, group, Wish(timezone="UTC", start=NINE))
    assert NINE not in offered.starts and NINE + 2 * HOUR in offered.starts
    with pytest.raises(Conflict) as refused:
        await reschedule_booking(workspace.ports, group.id, Move(NINE), STAFF)
    assert NINE not in refused.value.alternatives and NINE + 2 * HOUR in refused.value.alternatives


async def test_the_page_says_how_many_can_sit_together(workspace: Workspace) -> None:
    link = await two_half_full(workspace)
    shown = await browse_link(workspace.ports, workspace.token(link), Wish(timezone="UTC", start=NINE))
    assert (shown.seats[NINE], shown.seats[NINE + HOUR]) == (1, 3)
    assert (await seats(workspace, link))[NINE] == 2


async def test_more_seats_than_there_ever_are(workspace: Workspace) -> None:
    link = await class_link(workspace)
    for start, field in ((NINE, "seats"), (NINE + 60, "start"), (workspace.clock.now - 86400, "start")):
        with pytest.raises(Invalid) as refused:
            await book(workspace, link, start, 1, seats=4)
        assert [each.field for each in refused.value.errors] == [field]
    await book(workspace, link, NINE)
    with pytest.raises(Invalid) as refused:
        await book(workspace, link, NINE, 2, seats=4)
    assert [each.field for each in refused.value.errors] == ["seats"]


async def test_a_larger_session_of_staff_has_them(workspace: Workspace) -> None:
    link = await class_link(workspace)
    assert link.service_id is not None
    await create_session(workspace.ports, workspace.owner, NewSession(link.service_id, NINE, 60, capacity=6))
    assert (await book(workspace, link, NINE, 1, seats=4)).seats == 4
    with pytest.raises(Conflict):
        await book(workspace, link, NINE, 2, seats=4)


async def test_a_group_that_is_larger_than_classes_are_by_now_can_move(workspace: Workspace) -> None:
    link = await class_link(workspace, 5)
    group = await book(workspace, link, NINE, 1, seats=4)
    assert link.service_id is not None
    await change_service(workspace.ports, workspace.owner, link.service_id, {"capacity": 3})
    moved = await reschedule_booking(workspace.ports, group.id, Move(NINE + 2 * HOUR), STAFF)
    assert (moved.start, moved.seats) == (NINE + 2 * HOUR, 4)
    assert (await workspace.stored(moved.occurrence_id)).capacity == 4


async def test_a_session_that_cannot_be_set_has_alternatives(workspace: Workspace) -> None:
    link = await class_link(workspace)
    other = await workspace.link("intro", durations=(60,))
    await workspace.book(other, NINE, 60)
    assert link.service_id is not None
    for hosts in ((), (workspace.owner.id,)):
        with pytest.raises(Conflict) as refused:
            await create_session(workspace.ports, workspace.owner, NewSession(link.service_id, NINE, 60, None, hosts))
        assert NINE not in refused.value.alternatives and NINE + HOUR in refused.value.alternatives


async def test_a_session_of_requests_alone_is_tentative(workspace: Workspace) -> None:
    link = await class_link(workspace, requires_approval=True)
    first, second = [await book(workspace, link, NINE, number) for number in range(2)]

    async def published() -> str:
        (text,) = [row["data"] for row in await workspace.rows(m.calendar_objects) if row["booking_id"] is not None]
        return str(text)

    assert "STATUS:TENTATIVE" in await published()
    await take_step(workspace.ports, first.id, "confirm", STAFF)
    assert "STATUS:CONFIRMED" in await published()
    await take_step(workspace.ports, first.id, "cancel", STAFF)
    assert "STATUS:TENTATIVE" in await published()
    assert second.status == "pending" and client(0).email not in await published()


async def test_a_feed_names_no_clients_of_others(workspace: Workspace) -> None:
    """Ana's link leads into sessions that the owner gives, and so does the owner's own link."""
    ana = await workspace.user("ana")
    service = await lesson(workspace, [workspace.owner])
    theirs = await workspace.link("theirs", service_id=service.id)
    hers = await workspace.link("hers", ana, service_id=service.id)
    first, second = await book(workspace, theirs, NINE, 1), await book(workspace, hers, NINE, 2)
    gone = await book(workspace, hers, NINE + HOUR, 3)
    await book(workspace, theirs, NINE + HOUR, 4)
    await take_step(workspace.ports, gone.id, "cancel", STAFF)

    async def told(user: User) -> list[tuple[str, list[str], int]]:
        made = await create_feed(workspace.ports, user, "link", subject_id=hers.id)
        assert made.token is not None
        async with workspace.ports.read() as work:
            feed = await work.feeds.find(made.token)
            assert feed is not None
            shown = await work.feeds.bookings(feed, FeedWindow(NINE - HOUR, None, 0))
        return [
            (each.booking.id, [attendee.name for attendee in each.booking.attendees], each.booking.seats_taken)
            for each in shown
        ]

    assert await told(ana) == [(first.occurrence_id, ["", "Client 2"], 2)]
    assert await told(workspace.owner) == [(first.occurrence_id, ["Client 1", "Client 2"], 2)]
    await take_step(workspace.ports, second.occurrence_id, "cancel", STAFF)
    assert [each[0] for each in await told(workspace.owner)] == [first.occurrence_id]

"""The same request twice acts once, for a day."""

import asyncio

import pytest

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Conflict, IdempotencyMismatch
from app.domain.links import Link
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.idempotency import KEEP_SECONDS, PURGED_AT_ONCE, Replay, once
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR = 3600


async def words(_: UnitOfWork, booking: Booking) -> str:
    return f"answer {booking.id}"


def replay(key: str = "key", body: str = "body", link: Link | None = None) -> Replay[Booking]:
    return Replay(f"book|{link.slug if link else 'intro'}|{key}", body, words)


async def send(workspace: Workspace, link: Link, asked: Replay[Booking], start: int = NINE) -> str:
    return await once(workspace.ports, asked, lambda: workspace.book(link, start, replay=asked))


@pytest.fixture
async def link(workspace: Workspace) -> Link:
    return await workspace.link()


async def test_a_repeated_request_gets_the_first_answer(workspace: Workspace, clock: Clock, link: Link) -> None:
    first = await send(workspace, link, replay())
    clock.advance(KEEP_SECONDS)
    assert await send(workspace, link, replay()) == first
    (row,) = await workspace.rows(m.bookings)
    assert first == f"answer {row['id']}"


async def test_the_first_answer_stays_the_answer_whatever_became_of_the_booking(
    workspace: Workspace, link: Link
) -> None:
    first = await send(workspace, link, replay())
    await take_step(workspace.ports, first.removeprefix("answer "), "cancel", Actor("system"))
    assert await send(workspace, link, replay()) == first
    assert len(await workspace.rows(m.bookings)) == 1


async def test_another_body_under_the_same_key_is_refused(workspace: Workspace, link: Link) -> None:
    await send(workspace, link, replay())
    with pytest.raises(IdempotencyMismatch):
        await send(workspace, link, replay(body="another"), NINE + HOUR)
    assert len(await workspace.rows(m.bookings)) == 1


async def test_another_key_or_link_is_another_request(workspace: Workspace, link: Link) -> None:
    other = await workspace.link("other")
    await send(workspace, link, replay("one", link=link))
    await send(workspace, link, replay("two", link=link), NINE + HOUR)
    await send(workspace, other, replay("one", link=other), NINE + 2 * HOUR)
    assert len(await workspace.rows(m.bookings)) == 3


async def test_a_refusal_is_not_kept(workspace: Workspace, link: Link) -> None:
    """The next try with the same key may succeed."""
    blocking = await workspace.book(link, NINE)
    with pytest.raises(Conflict):
        await send(workspace, link, replay())
    await take_step(workspace.ports, blocking.id, "cancel", Actor("system"))
    assert (await send(workspace, link, replay())).startswith("answer ")


async def test_after_a_day_the_key_is_free_again(workspace: Workspace, clock: Clock, link: Link) -> None:
    first = await send(workspace, link, replay())
    clock.advance(KEEP_SECONDS + 1)
    with pytest.raises(Conflict):  # the time is taken, not the key
        await send(workspace, link, replay())
    second = await send(workspace, link, replay(body="another"), NINE + 26 * HOUR)
    assert second != first
    assert await send(workspace, link, replay(body="another"), NINE + 26 * HOUR) == second


async def test_answers_are_stored_sealed_under_a_hashed_key(workspace: Workspace, link: Link) -> None:
    async def render(_: UnitOfWork, booking: Booking) -> str:
        return f"the booking token is {booking.token}"

    asked = Replay("book|intro|guess me", "0f" * 32, render)
    await send(workspace, link, asked)
    (row,) = await workspace.rows(m.idempotency_keys)
    assert "guess" not in row["scope"]
    assert "booking token" not in row["answer_sealed"]


async def test_old_answers_do_not_pile_up(workspace: Workspace, clock: Clock, link: Link) -> None:
    for number in range(5):
        await send(workspace, link, replay(f"old {number}"), NINE + number * HOUR)
    clock.advance(KEEP_SECONDS + 1)
    await send(workspace, link, replay("new"), NINE + 30 * HOUR)
    assert len(await workspace.rows(m.idempotency_keys)) == 1
    assert PURGED_AT_ONCE >= 5


async def test_twins_at_once_get_one_answer(workspace: Workspace, link: Link) -> None:
    answers = await asyncio.gather(*(send(workspace, link, replay()) for _ in range(8)))
    assert len(set(answers)) == 1
    assert len(await workspace.rows(m.bookings)) == 1


async def test_twins_at_once_on_a_pool_do_not_take_two_hosts(workspace: Workspace) -> None:
    """The second twin finds another host free: it is the key that stops it."""
    team = [workspace.owner, *[await workspace.user(name) for name in ("ana", "ben", "cleo")]]
    pool = await workspace.shared_link("pool", team)
    answers = await asyncio.gather(*(send(workspace, pool, replay()) for _ in range(8)))
    assert len(set(answers)) == 1
    assert len(await workspace.rows(m.bookings)) == len(await workspace.rows(m.claims)) == 1


async def test_twins_of_a_one_time_link_get_the_first_answer(workspace: Workspace, link: Link) -> None:
    one_time = await workspace.one_time(link)
    asked = replay()

    async def book() -> Booking:
        return await workspace.book(one_time, NINE, replay=asked)

    answers = await asyncio.gather(*(once(workspace.ports, asked, book) for _ in range(6)))
    assert len(set(answers)) == 1


async def test_different_bodies_at_once_under_one_key_book_once(workspace: Workspace, link: Link) -> None:
    sent = [send(workspace, link, replay(body=f"body {number}"), NINE + number * HOUR) for number in range(6)]
    results = await asyncio.gather(*sent, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["IdempotencyMismatch"] * 5 + ["str"]
    assert len(await workspace.rows(m.bookings)) == 1


async def test_a_booking_that_fails_keeps_no_answer(workspace: Workspace, link: Link) -> None:
    """Answer and booking are one transaction."""

    async def render(_: UnitOfWork, __: Booking) -> str:
        raise RuntimeError("half way")

    asked = Replay("book|intro|key", "body", render)
    with pytest.raises(RuntimeError):
        await send(workspace, link, asked)
    assert await workspace.rows(m.idempotency_keys) == await workspace.rows(m.bookings) == []


async def test_a_step_taken_twice_under_one_key_is_one_step(workspace: Workspace, link: Link) -> None:
    """The second one would be refused: what is cancelled cannot be cancelled."""
    booking = await workspace.book(link, NINE)

    async def cancel() -> Booking:
        return await take_step(workspace.ports, booking.id, "cancel", Actor("system"), replay=asked)

    asked = replay()
    answers = await asyncio.gather(*(once(workspace.ports, asked, cancel) for _ in range(6)))
    assert set(answers) == {f"answer {booking.id}"}
    assert (await workspace.stored(booking)).version == booking.version + 1


async def test_a_move_to_where_it_is_already_is_not_made_up_for_later(workspace: Workspace, link: Link) -> None:
    booking = await workspace.book(link, NINE)
    staff, asked = Actor("user", "staff"), replay()

    async def stay() -> Booking:
        return await reschedule_booking(workspace.ports, booking.id, Move(NINE), staff, replay=asked)

    first = await once(workspace.ports, asked, stay)
    await reschedule_booking(workspace.ports, booking.id, Move(NINE + HOUR), staff)
    assert await once(workspace.ports, asked, stay) == first
    assert (await workspace.stored(booking)).start == NINE + HOUR

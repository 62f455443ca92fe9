"""Rules for cancelling and moving: they bind recipients, in whichever way they come, and nobody else."""

from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Conflict, Invalid, NotModifiable
from app.domain.links import Link
from app.domain.services import Service, ServiceHost
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_links import change_link, delete_link
from app.use_cases.manage_services import change_service, create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.take_reply import take_reply
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400
STAFF = Actor("user", "staff")


def recipient(booking: Booking) -> Actor:
    return Actor("recipient", booking.id)


async def cancel(workspace: Workspace, booking: Booking, actor: Actor | None = None) -> Booking:
    return await take_step(workspace.ports, booking.id, "cancel", actor or recipient(booking))


async def move(workspace: Workspace, booking: Booking, start: int, actor: Actor | None = None) -> Booking:
    return await reschedule_booking(workspace.ports, booking.id, Move(start), actor or recipient(booking))


async def audited(workspace: Workspace, booking: Booking, action: str) -> dict[str, Any]:
    entries = m.audit_entries.c
    query = select(m.audit_entries).where(entries.entity_id == booking.id, entries.action == action)
    (row,) = await workspace.rows(query)
    found: dict[str, Any] = row["changes"]
    return found


async def test_a_recipient_cancels_until_the_last_minute_of_the_rule(workspace: Workspace, clock: Clock) -> None:
    link = await workspace.link(cancel_until=120)
    late, early = await workspace.book(link, NINE), await workspace.book(link, NINE + HOUR)
    clock.now = NINE - 2 * HOUR
    assert (await cancel(workspace, early)).status == "cancelled"
    clock.now += 1
    with pytest.raises(NotModifiable, match="up to 2 hours before it begins"):
        await cancel(workspace, late)
    assert (await workspace.stored(late)).status == "confirmed"
    assert (await cancel(workspace, late, STAFF)).status == "cancelled"


async def test_a_recipient_moves_until_the_last_minute_of_the_rule(workspace: Workspace, clock: Clock) -> None:
    """The present start counts, not the one wished for."""
    link = await workspace.link(reschedule_until=1440)
    made = await workspace.book(link, NINE)
    clock.now = NINE - DAY + 1
    with pytest.raises(NotModifiable, match="up to 1 day before it begins"):
        await move(workspace, made, NINE + 3 * DAY)
    assert (await workspace.stored(made)).start == NINE
    assert (await move(workspace, made, NINE + 3 * DAY, STAFF)).start == NINE + 3 * DAY
    assert (await move(workspace, made, NINE + 4 * DAY)).start == NINE + 4 * DAY, "now it is early enough again"


async def test_a_recipient_moves_as_often_as_the_rule_says(workspace: Workspace) -> None:
    """What staff move, and what goes nowhere or is refused, is not counted."""
    link = await workspace.link(max_reschedules=2)
    other = await workspace.book(link, NINE + 9 * HOUR)
    made = await workspace.book(link, NINE)
    await move(workspace, made, NINE + HOUR, STAFF)
    await move(workspace, made, NINE + HOUR)
    with pytest.raises(Conflict):
        await move(workspace, made, other.start)
    assert (await workspace.stored(made)).moves == 0
    assert (await move(workspace, made, NINE + 2 * HOUR)).moves == 1
    assert (await move(workspace, made, NINE + 3 * HOUR)).moves == 2
    with pytest.raises(NotModifiable, match="can be moved twice"):
        await move(workspace, made, NINE + 4 * HOUR)
    assert (await move(workspace, made, NINE + 5 * HOUR, STAFF)).moves == 2
    with pytest.raises(NotModifiable, match="cannot be moved"):
        await move(workspace, await workspace.book(await workspace.link("never", max_reschedules=0), NINE), NINE + DAY)


async def test_the_fee_is_noted_for_who_cancels_and_owed_by_recipients_alone(workspace: Workspace) -> None:
    link = await workspace.link(cancel_fee=2000, fee_currency="EUR")
    theirs, ours = await workspace.book(link, NINE), await workspace.book(link, NINE + HOUR)
    await cancel(workspace, theirs)
    await cancel(workspace, ours, STAFF)
    assert (await audited(workspace, theirs, "booking.cancel"))["fee"] == {"amount": 2000, "currency": "EUR"}
    assert "fee" not in await audited(workspace, ours, "booking.cancel")


async def test_a_request_can_be_withdrawn_at_any_time_and_for_nothing(workspace: Workspace, clock: Clock) -> None:
    link = await workspace.link(requires_approval=True, cancel_until=1440, cancel_fee=2000, fee_currency="EUR")
    made = await workspace.book(link, clock.now + HOUR)
    await cancel(workspace, made)
    assert "fee" not in await audited(workspace, made, "booking.cancel")


async def service_of(workspace: Workspace, **values: Any) -> Service:
    people = [ServiceHost(workspace.owner.id)]
    return await create_service(workspace.ports, workspace.owner, {"name": "Cut", **values}, hosts=people)


@pytest.mark.parametrize(
    ("own", "usual", "expected"),
    [(None, 60, 60), (0, 60, 0), (120, 60, 120), (None, None, None)],
)
async def test_a_links_own_rule_wins_over_its_services(
    workspace: Workspace, own: int | None, usual: int | None, expected: int | None
) -> None:
    names = ("cancel_until", "reschedule_until", "max_reschedules", "cancel_fee")
    service = await service_of(workspace, currency="EUR", **dict.fromkeys(names, usual))
    values = dict.fromkeys(names, own) | {"fee_currency": "CHF" if own else None}
    link = (await workspace.context(await workspace.link("cut", service_id=service.id, **values))).link
    assert [getattr(link, name) for name in names] == [expected] * 4
    assert link.fee_currency == ("CHF" if own else "EUR" if own is None else None)


async def test_the_rules_are_those_of_the_offer_now(workspace: Workspace, clock: Clock) -> None:
    """What its owner eases counts for bookings that are there, and so does what they tighten; a deleted link leaves
    those of the service."""
    service = await service_of(workspace, cancel_until=60)
    link = await workspace.link("cut", service_id=service.id)
    made = [await workspace.book(link, NINE + hour * HOUR) for hour in range(4)]
    clock.now = NINE - HOUR + 1
    with pytest.raises(NotModifiable):
        await cancel(workspace, made[0])
    await change_service(workspace.ports, workspace.owner, service.id, {"cancel_until": 0})
    await cancel(workspace, made[0])
    await change_link(workspace.ports, workspace.owner, link.id, {"cancel_until": 300})
    with pytest.raises(NotModifiable):
        await cancel(workspace, made[1])
    await delete_link(workspace.ports, workspace.owner, link.id)
    await cancel(workspace, made[1])
    await change_service(workspace.ports, workspace.owner, service.id, {"cancel_until": 600})
    with pytest.raises(NotModifiable):
        await cancel(workspace, made[2])


@pytest.mark.parametrize(
    ("values", "late", "status"),
    [
        ({"cancel_until": 120}, False, "cancelled"),
        ({"cancel_until": 120}, True, "confirmed"),
        ({"cancel_fee": 1, "fee_currency": "EUR"}, False, "confirmed"),
    ],
)
async def test_a_refusal_in_a_calendar_cancels_only_what_could_be_cancelled_for_nothing(
    workspace: Workspace, clock: Clock, values: dict[str, Any], late: bool, status: str
) -> None:
    """Otherwise the hosts are told, as without the setting."""
    link: Link = await workspace.link(cancel_on_decline=True, **values)
    made = await workspace.book(link, NINE)
    clock.now = NINE - 2 * HOUR + int(late)
    await take_reply(workspace.ports, made.id, "declined")
    stored = await workspace.stored(made)
    assert (stored.status, stored.recipient_reply) == (status, "declined")
    told = {row["kind"] for row in await workspace.rows(m.outbox)}
    assert ("recipient_declined" in told) == (status == "confirmed")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cancel_fee": 100}, "fee_currency"),
        ({"cancel_fee": 100, "fee_currency": "ABC"}, "fee_currency"),
    ],
)
async def test_a_fee_needs_a_currency_that_there_is(workspace: Workspace, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await workspace.link("fee", **values)
    assert [error.field for error in refusal.value.errors] == [field]
    with pytest.raises(Invalid) as refusal:
        await service_of(workspace, cancel_fee=values["cancel_fee"], currency=values.get("fee_currency"))
    assert [error.field for error in refusal.value.errors] == ["currency"]

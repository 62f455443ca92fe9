"""A new recipient is added to the address books of those who switched it on: after confirmation, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Recipient
from app.domain.calendars import ContactsUse
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.capabilities import need
from tests.support.clock import Clock, at
from tests.use_cases.address_books import ANA, BEN, AddressBooks, address_books

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

TEN = at("2027-03-02 10:00")
HOUR = 3600
STAFF = Actor("user", "staff")
RAE = Recipient("Rae Recipient", "rae@example.org")
CREATE = "people:createContact"


@pytest.fixture
async def world(tables_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[AddressBooks]:
    need("contracts")
    async with address_books(tables_url, tmp_path, clock) as made:
        yield made


async def added(world: AddressBooks) -> list[dict[str, Any]]:
    return [dict(row) for row in await world.rows(m.added_contacts)]


async def open_kinds(world: AddressBooks) -> set[str]:
    return {row["kind"] for row in await world.rows(m.outbox)}


async def test_the_recipient_of_a_confirmed_booking_is_added(world: AddressBooks) -> None:
    account = await world.account(world.owner, "add")
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    (person,) = world.google.people.contacts[ANA]
    assert person["names"] == [{"unstructuredName": "Rae Recipient"}]
    assert world.addresses() == ["rae@example.org"]
    assert await added(world) == [
        {
            "account_id": account.id,
            "email": "rae@example.org",
            "org_id": world.organization.id,
            "added_at": world.clock.now,
            "key": person["resourceName"],
        }
    ]


@pytest.mark.parametrize("contacts", ["off", "suggest"])
async def test_nobody_is_added_unless_it_is_switched_on(world: AddressBooks, contacts: ContactsUse) -> None:
    """Nor is anything enqueued."""
    await world.account(world.owner, contacts)
    await world.book(await world.link(), TEN, recipient=RAE)
    assert "add_contact" not in await open_kinds(world)
    await world.work()
    assert world.asked() == []
    assert await added(world) == []


async def test_an_address_is_added_once_whatever_happens_later(world: AddressBooks) -> None:
    """Other bookings, in any case of letters; a move; and although the person has deleted the contact since."""
    await world.account(world.owner, "add")
    link = await world.link()
    booking = await world.book(link, TEN, recipient=RAE)
    await world.work()
    world.google.people.contacts[ANA].clear()
    await world.book(link, TEN + HOUR, recipient=Recipient("R.", "RAE@Example.org"))
    await reschedule_booking(world.ports, booking.id, Move(TEN + 2 * HOUR), STAFF)
    await world.work()
    assert len(world.asked(CREATE)) == 1
    assert len(await added(world)) == 1


async def test_two_bookings_at_once_add_one_contact(world: AddressBooks) -> None:
    """Their work is done side by side."""
    await world.account(world.owner, "add")
    link = await world.link()
    for number in range(4):
        await world.book(link, TEN + number * HOUR, recipient=RAE)
    await world.work()
    assert world.addresses() == ["rae@example.org"]


async def test_a_move_is_no_confirmation(world: AddressBooks) -> None:
    account = await world.account(world.owner, "suggest")
    booking = await world.book(await world.link(), TEN, recipient=RAE)
    await world.use(account, "add")
    await reschedule_booking(world.ports, booking.id, Move(TEN + HOUR), STAFF)
    await world.work()
    assert world.asked() == []


async def test_who_waits_for_approval_is_added_with_it(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    link = await world.link(requires_approval=True)
    kept, refused = await world.book(link, TEN, recipient=RAE), await world.book(link, TEN + HOUR)
    await world.work()
    assert world.asked() == []
    await take_step(world.ports, refused.id, "cancel", STAFF)
    await take_step(world.ports, kept.id, "confirm", STAFF)
    await world.work()
    assert world.addresses() == ["rae@example.org"]


async def test_who_is_in_the_book_already_stays_as_they_are(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    world.google.people.add(ANA, "My Rae", "Rae@example.org")
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    assert world.addresses() == ["Rae@example.org"]
    assert world.asked(CREATE) == []
    assert len(await added(world)) == 1  # need not be looked for again


async def test_every_host_and_whose_link_it_is_has_the_person_added(world: AddressBooks) -> None:
    """And nobody else: Cat hosts nothing."""
    ben, cat = await world.user("ben"), await world.user("cat")
    link = await world.shared_link("collective", [ben])
    await world.set(m.links, m.links.c.id == link.id, owner_id=world.owner.id)
    await world.account(world.owner, "add", ANA)
    await world.account(ben, "add", BEN)
    await world.account(cat, "add", "cat@example.com")
    await world.book(link, TEN, recipient=RAE)
    await world.work()
    assert (world.addresses(ANA), world.addresses(BEN)) == (["rae@example.org"], ["rae@example.org"])
    assert world.addresses("cat@example.com") == []


async def test_the_owner_of_a_link_that_others_host_is_enough(world: AddressBooks) -> None:
    ben = await world.user("ben")
    link = await world.shared_link("collective", [ben])
    await world.set(m.links, m.links.c.id == link.id, owner_id=world.owner.id)
    await world.account(world.owner, "add", ANA)
    await world.book(link, TEN, recipient=RAE)
    await world.work()
    assert world.addresses(ANA) == ["rae@example.org"]


async def test_a_book_that_fails_holds_nobody_up_and_is_tried_again(world: AddressBooks) -> None:
    for email in (ANA, BEN):
        await world.account(world.owner, "add", email)
    world.google.fail(CREATE, 503, "backendError")
    booking = await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    assert sorted([*world.addresses(ANA), *world.addresses(BEN)]) == ["rae@example.org"]
    assert "put_contact" in await open_kinds(world)
    await world.work(120)
    assert (world.addresses(ANA), world.addresses(BEN)) == (["rae@example.org"], ["rae@example.org"])
    assert (await world.stored(booking)).status == "confirmed"


async def test_an_answer_that_is_lost_on_the_way_adds_nobody_twice(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    world.google.fail(CREATE, is_cut=True, is_late=True)
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    assert await added(world) == []
    await world.work(120)
    assert world.addresses() == ["rae@example.org"]
    assert len(await added(world)) == 1


async def test_access_that_was_taken_back_shows_on_the_account_and_nowhere_else(world: AddressBooks) -> None:
    account = await world.account(world.owner, "add")
    world.google.withdraw(ANA)
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    assert "put_contact" not in await open_kinds(world)
    async with world.ports.read() as work:
        stored = await work.calendars.account(account.id)
    assert stored is not None
    assert (stored.status, "Connect the account again" in (stored.error or "")) == ("error", True)
    assert await added(world) == []


async def test_whoever_switches_it_off_or_disconnects_meanwhile_gets_nobody(world: AddressBooks) -> None:
    link = await world.link()
    first = await world.account(world.owner, "add", ANA)
    second = await world.account(world.owner, "add", BEN)
    await world.book(link, TEN, recipient=RAE)
    await world.use(first, "suggest")
    await disconnect_calendar(world.ports, world.owner, second.id)
    await world.work()
    assert (world.addresses(ANA), world.addresses(BEN)) == ([], [])
    assert world.asked(CREATE) == []


async def test_what_was_added_is_forgotten_with_the_account(world: AddressBooks) -> None:
    account = await world.account(world.owner, "add")
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.work()
    await disconnect_calendar(world.ports, world.owner, account.id)
    assert await world.rows(select(m.added_contacts)) == []

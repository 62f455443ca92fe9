"""Whom we brought into address books is taken out again when they are erased; what cannot be is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.db import models as m
from app.domain.bookings import Recipient
from app.domain.contacts import Contact
from app.use_cases.booking_changes import SYSTEM, Actor
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.use_cases.erase_person import Erasure, erase_as_admin, erase_person
from app.worker import MAX_ATTEMPTS
from integrations.contacts.google import GoogleContacts
from tests.capabilities import need
from tests.support.clock import Clock, at
from tests.use_cases.address_books import ANA, BEN, AddressBooks, address_books

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

TEN = at("2027-03-02 10:00")
HOUR, DAY = 3600, 86_400
RAE, SAM = Recipient("Rae Recipient", "rae@example.org"), Recipient("Sam Second", "sam@example.org")
CREATE, DELETE = "people:createContact", "deleteContact"


@pytest.fixture
async def world(tables_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[AddressBooks]:
    need("contracts")
    async with address_books(tables_url, tmp_path, clock) as made:
        yield made


async def added(world: AddressBooks, *people: Recipient) -> None:
    link = await world.link()
    for number, each in enumerate(people):
        await world.book(link, TEN + number * HOUR, recipient=each)
    await world.work()


async def erase(world: AddressBooks, email: str = RAE.email) -> Erasure:
    return await erase_as_admin(world.ports, world.owner, email)


async def open_work(world: AddressBooks, kind: str = "remove_contact") -> list[Any]:
    return [row for row in await world.rows(m.outbox) if row["kind"] == kind]


async def mails(world: AddressBooks, subject: str) -> list[str]:
    folder = world.ports.mail_folder
    assert folder is not None
    return [each.to for each in await folder.list_mails(100) if subject in each.subject]


async def test_who_is_erased_goes_from_every_book_they_were_added_to(world: AddressBooks) -> None:
    for email in (ANA, BEN):
        await world.account(world.owner, "add", email)
    await added(world, RAE, SAM)
    erased = await erase(world)
    assert erased.contacts_left == ()
    assert not any("rae" in str(row).lower() for row in await open_work(world)), "the work names nobody"
    await world.work()
    assert (world.addresses(ANA), world.addresses(BEN)) == ([SAM.email], [SAM.email])
    assert [row["email"] for row in await world.rows(m.added_contacts)] == [SAM.email] * 2
    assert await open_work(world) == []


async def test_what_the_owner_wrote_into_it_goes_too_and_the_switch_does_not_matter(world: AddressBooks) -> None:
    account = await world.account(world.owner, "add")
    await added(world, RAE)
    world.google.people.contacts[ANA][0]["emailAddresses"] = [{"value": "rae.new@example.org"}]
    await world.use(account, "off")
    await erase(world)
    await world.work()
    assert world.addresses() == []


async def test_who_was_there_before_stays_and_it_is_told_where(world: AddressBooks) -> None:
    """It is the owner's own contact; and of what was added before keys were kept nobody knows."""
    world.google.people.add(ANA, "My Rae", RAE.email)
    await world.account(world.owner, "add")
    await added(world, RAE)
    assert (await erase(world)).contacts_left == (world.owner.id,)
    await world.work()
    assert world.addresses() == [RAE.email]
    assert world.asked(DELETE) == []
    assert await world.rows(m.added_contacts) == []


async def test_a_book_that_fails_is_tried_again(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    await added(world, RAE)
    world.google.fail(DELETE, 503, "backendError")
    await erase(world)
    await world.work()
    assert world.addresses() == [RAE.email]
    await world.work(120)
    assert world.addresses() == []
    assert await mails(world, "still in an address book") == []


async def test_where_it_cannot_be_done_whoever_erased_them_is_told(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    await added(world, RAE)
    world.google.fail(DELETE, 503, "backendError", times=99)
    await erase(world)
    for _ in range(MAX_ATTEMPTS + 1):
        await world.work(2 * HOUR)
    assert [row["state"] for row in await open_work(world)] == ["dead"]
    assert [world.owner.email in to for to in await mails(world, "still in an address book")] == [True]


async def test_a_book_that_was_disconnected_meanwhile_is_told_of(world: AddressBooks) -> None:
    account = await world.account(world.owner, "add")
    await added(world, RAE)
    await erase(world)
    await disconnect_calendar(world.ports, world.owner, account.id)
    await world.work()
    assert len(await mails(world, "still in an address book")) == 1
    assert world.addresses() == [RAE.email]


async def test_nobody_is_added_by_work_that_was_under_way(world: AddressBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider makes the contact while the person is erased here."""
    account = await world.account(world.owner, "add")
    add = GoogleContacts.add

    async def slow(self: GoogleContacts, credentials: Any, contact: Contact) -> str | None:
        key = await add(self, credentials, contact)
        await erase_person(world.ports, world.organization.id, RAE.email, Actor("user", world.owner.id))
        return key

    monkeypatch.setattr(GoogleContacts, "add", slow)
    await added(world, RAE)
    assert len(world.asked(CREATE)) == 1
    assert world.addresses() == []
    assert await world.rows(m.added_contacts) == []
    assert account.id in {row["id"] for row in await world.rows(m.calendar_accounts)}


async def test_an_erased_booking_adds_nobody(world: AddressBooks) -> None:
    await world.account(world.owner, "add")
    await world.book(await world.link(), TEN, recipient=RAE)
    await erase_person(world.ports, world.organization.id, RAE.email, SYSTEM)
    async with world.parts.database.write.begin() as connection:
        await connection.execute(update(m.bookings).values(status="confirmed"))
    await world.work()
    assert world.asked(CREATE) == []

"""Suggestions while an address is typed: past bookings and address books, merged, within a bound."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.db import models as m
from app.domain.bookings import Recipient
from app.domain.contacts import Suggestion
from app.domain.errors import Invalid
from app.ports.people import User
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_people import create_organization
from app.use_cases.suggest_contacts import suggest_contacts
from integrations.google.sign_in import CONTACT_SCOPES
from tests.capabilities import need
from tests.support.clock import Clock, at
from tests.support.crowd import crowd
from tests.support.statements import statements_of
from tests.support.workspace import Workspace
from tests.use_cases.address_books import ANA, BEN, AddressBooks, address_books

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

TEN = at("2027-03-02 10:00")
HOUR = 3600
RAE = Recipient("Rae Recipient", "rae@example.org")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[AddressBooks]:
    need("contracts")
    async with address_books(tables_url, tmp_path, clock) as made:
        yield made


async def suggested(world: Workspace, typed: str, user: User | None = None) -> list[str]:
    return [each.email for each in await suggest_contacts(world.ports, user or world.owner, typed)]


# past bookings


async def test_people_of_past_bookings_are_suggested_without_any_account(workspace: Workspace) -> None:
    await workspace.book(await workspace.link(), TEN, recipient=RAE)
    found = await suggest_contacts(workspace.ports, workspace.owner, "RAE")
    assert found == [Suggestion("Rae Recipient", "rae@example.org", "bookings")]


async def test_the_newest_booking_comes_first_and_names_the_person(workspace: Workspace) -> None:
    link = await workspace.link()
    for number, name in enumerate(("Mark Old", "Mark Other", "Mark New")):
        email = "mark@example.org" if number != 1 else "other@example.org"
        await workspace.book(link, TEN + number * HOUR, recipient=Recipient(name, email))
    found = await suggest_contacts(workspace.ports, workspace.owner, "mark")
    assert [(each.name, each.email) for each in found] == [
        ("Mark New", "mark@example.org"),
        ("Mark Other", "other@example.org"),
    ]


async def test_a_cancelled_booking_was_with_somebody_too(workspace: Workspace) -> None:
    booking = await workspace.book(await workspace.link(), TEN, recipient=RAE)
    await take_step(workspace.ports, booking.id, "cancel", Actor("user", workspace.owner.id))
    assert await suggested(workspace, "rae") == ["rae@example.org"]


async def test_hosts_and_owners_of_links_know_their_people_and_nobody_elses(workspace: Workspace) -> None:
    ben, cat = await workspace.user("ben"), await workspace.user("cat")
    team = await workspace.shared_link("collective", [ben])
    await workspace.set(m.links, m.links.c.id == team.id, owner_id=workspace.owner.id)  # whose host is another
    await workspace.book(team, TEN, recipient=RAE)
    assert await suggested(workspace, "rae") == ["rae@example.org"]
    assert await suggested(workspace, "rae", ben) == ["rae@example.org"]
    assert await suggested(workspace, "rae", cat) == []


async def test_other_organizations_are_another_world(workspace: Workspace) -> None:
    await workspace.book(await workspace.link(), TEN, recipient=RAE)
    other = Workspace(
        workspace.parts, workspace.clock, await create_organization(workspace.ports, "Umbrella", "umbrella")
    )
    await other.user("owner")
    assert await suggested(other, "rae") == []


async def test_ten_thousand_bookings_cost_no_more_statements(workspace: Workspace) -> None:
    await workspace.link()
    costs = []
    for numbers in (range(10), range(10, 10_000)):
        await crowd(workspace, numbers)
        async with statements_of(workspace.parts.database) as seen:
            assert await suggested(workspace, "old") == ["old@example.org"]
        costs.append(len(seen))
    assert costs == [3, 3]


# address books


async def test_an_address_book_is_asked_only_when_it_is_switched_on(world: AddressBooks) -> None:
    account = await world.account(world.owner, "off")
    world.google.people.add(ANA, "Rae Known", "known@example.org")
    assert await suggested(world, "rae") == []
    assert world.asked() == []
    for contacts in ("suggest", "add"):
        await world.use(account, contacts)
        (found,) = await suggest_contacts(world.ports, world.owner, "rae")
        assert found == Suggestion("Rae Known", "known@example.org", "google")


async def test_an_address_book_is_nobody_elses(world: AddressBooks) -> None:
    await world.account(world.owner, "suggest")
    world.google.people.add(ANA, "Rae Known", "known@example.org")
    assert await suggested(world, "rae", await world.user("ben")) == []
    assert world.asked() == []


async def test_bookings_and_all_books_are_merged(world: AddressBooks) -> None:
    await world.book(await world.link(), TEN, recipient=RAE)
    for email in (ANA, BEN):
        await world.account(world.owner, "suggest", email)
    world.google.people.add(ANA, "My Rae", "RAE@example.org")
    world.google.people.add(ANA, "Doctor Rae", "doctor@example.org", is_other=True)
    world.google.people.add(BEN, "Rae of Ben", "ben.rae@example.org")
    found = await suggest_contacts(world.ports, world.owner, "rae")
    assert found == [
        Suggestion("Rae Recipient", "rae@example.org", "bookings"),
        Suggestion("Rae of Ben", "ben.rae@example.org", "google"),
        Suggestion("Doctor Rae", "doctor@example.org", "google"),
    ]


async def test_a_book_that_does_not_answer_in_time_is_left_out(world: AddressBooks) -> None:
    """The others are not: all are asked at once."""
    await world.book(await world.link(), TEN, recipient=RAE)
    slow = await world.account(world.owner, "suggest", ANA)
    await world.account(world.owner, "suggest", BEN, CONTACT_SCOPES[:1])  # has no other contacts to wait for
    for email in (ANA, BEN):
        world.google.people.add(email, "Rae", f"rae.{email}")
    world.google.fail("otherContacts", delay=20, times=99)
    began = time.monotonic()
    with capture_logs() as logs:
        found = await suggest_contacts(world.ports, world.owner, "rae", patience=4)
    assert time.monotonic() - began < 8
    assert [each.email for each in found] == ["rae@example.org", f"rae.{BEN}"]
    left_out = [(log["account"], log["reason"]) for log in logs if log["event"] == "contacts are left out"]
    assert left_out == [(slow.id, "no answer in time")]


async def test_nobody_who_types_waits_long(world: AddressBooks) -> None:
    """Unless told otherwise, a second and a half."""
    await world.account(world.owner, "suggest")
    world.google.fail("GET /v1/", delay=20, times=99)
    began = time.monotonic()
    assert await suggested(world, "rae") == []
    assert 1.4 < time.monotonic() - began < 5


async def test_slow_books_are_waited_for_together(world: AddressBooks) -> None:
    for email in (ANA, BEN):
        await world.account(world.owner, "suggest", email)
        world.google.people.add(email, "Rae", f"rae.{email}")
    await suggested(world, "rae")
    world.google.fail("GET /v1/", delay=4, times=99)
    began = time.monotonic()
    assert len(await suggest_contacts(world.ports, world.owner, "rae", patience=20)) == 2
    assert time.monotonic() - began < 7.5  # one after the other it would be eight seconds at least


@pytest.mark.parametrize(("status", "reason"), [(503, "backendError"), (403, "insufficientPermissions")])
async def test_a_book_that_fails_is_for_the_log_alone(world: AddressBooks, status: int, reason: str) -> None:
    await world.book(await world.link(), TEN, recipient=RAE)
    account = await world.account(world.owner, "suggest")
    world.google.fail("GET /v1/", status, reason, times=99)
    with capture_logs() as logs:
        assert await suggested(world, "rae") == ["rae@example.org"]
    assert [log["account"] for log in logs if log["event"] == "contacts are left out"] == [account.id]


async def test_access_that_was_taken_back_is_no_error_for_who_types(world: AddressBooks) -> None:
    await world.book(await world.link(), TEN, recipient=RAE)
    await world.account(world.owner, "suggest")
    world.google.withdraw(ANA)
    assert await suggested(world, "rae") == ["rae@example.org"]


@pytest.mark.parametrize("typed", ["", "ra", " ra ", "\n\n\n"])
async def test_less_than_three_characters_ask_nobody(world: AddressBooks, typed: str) -> None:
    await world.account(world.owner, "suggest")
    with pytest.raises(Invalid):
        await suggest_contacts(world.ports, world.owner, typed)
    assert world.asked() == []

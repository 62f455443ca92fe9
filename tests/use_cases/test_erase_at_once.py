"""Erasing while other things happen to the same person: twice, while they book, while they are mailed and filed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.errors import Conflict
from app.domain.links import Link
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.erase_person import Erasure, erase_person
from app.worker import Worker
from tests.support.clock import at
from tests.support.workspace import Workspace
from tests.use_cases.calendars.marked import EMAIL, GUEST, MARKS, WHO, places_in_tables

pytestmark = pytest.mark.anyio

NINE = at("2027-03-04 09:00")
HOUR = 3600
SAID: dict[str, Any] = {"recipient": WHO, "guests": (GUEST,), "notes": "Orchidnote"}


async def erase(workspace: Workspace) -> Erasure:
    return await erase_person(workspace.ports, workspace.organization.id, EMAIL.lower(), SYSTEM)


async def work(workspace: Workspace) -> None:
    await Worker(workspace.ports, workspace.parts.handlers).drain()


async def some(workspace: Workspace, link: Link, count: int, first: int = 0) -> list[Booking]:
    return [await workspace.book(link, NINE + (first + each) * HOUR, **SAID) for each in range(count)]


async def audited(workspace: Workspace, action: str) -> Counter[str]:
    return Counter(row["entity_id"] for row in await workspace.rows(m.audit_entries) if row["action"] == action)


async def test_twice_at_once_erases_each_booking_once(workspace: Workspace) -> None:
    bookings = await some(workspace, await workspace.link(), 5)
    await work(workspace)
    done = await asyncio.gather(*(erase(workspace) for _ in range(3)))
    assert max(each.bookings for each in done) == len(bookings)
    assert await audited(workspace, "booking.erased") == Counter(each.id for each in bookings)
    await work(workspace)
    assert await places_in_tables(workspace, MARKS) == {}


async def test_while_they_book_a_booking_is_erased_whole_or_stands_whole(workspace: Workspace) -> None:
    link = await workspace.link()
    await some(workspace, link, 3)
    made = await asyncio.gather(
        *(workspace.book(link, NINE + each * HOUR, **SAID) for each in range(3, 9)),
        *(erase(workspace) for _ in range(2)),
        return_exceptions=True,
    )
    assert [each for each in made if isinstance(each, BaseException) and not isinstance(each, Conflict)] == []
    for row in await workspace.rows(m.bookings):
        told = (row["recipient_name"], row["recipient_email"].lower(), row["guests"], row["notes"])
        assert told in [("Erased", "", [], None), (WHO.name, EMAIL.lower(), [GUEST], "Orchidnote")], told
        assert (row["erased_at"] is None) == (row["recipient_email"] != "")
    await work(workspace)
    await erase(workspace)
    await work(workspace)
    assert await places_in_tables(workspace, MARKS) == {}


async def test_while_they_are_mailed_and_filed_nothing_comes_back(workspace: Workspace) -> None:
    """Several workers are in the middle of it."""
    await some(workspace, await workspace.link(), 8)
    robin = await workspace.book(
        await workspace.link("other"),
        NINE + 10 * HOUR,
        recipient=Recipient("Robin", "robin@example.org"),
        guests=(EMAIL,),
    )
    await asyncio.gather(work(workspace), work(workspace), erase(workspace), work(workspace))
    await work(workspace)
    left = await places_in_tables(workspace, MARKS)
    assert left == {}
    assert (await workspace.stored(robin)).recipient.name == "Robin"
    told = [row["address"] for row in await workspace.rows(m.mail_deliveries) if row["booking_id"] == robin.id]
    assert "robin@example.org" in told


async def test_while_bookings_are_changed(workspace: Workspace) -> None:
    bookings = await some(workspace, await workspace.link(), 4)

    async def change(booking: Booking) -> None:
        await edit_booking(workspace.ports, booking.id, {"internal_notes": "Latepayer"}, SYSTEM)
        await take_step(workspace.ports, booking.id, "cancel", SYSTEM, reason="Hospitalreason")

    done = await asyncio.gather(*(change(each) for each in bookings), erase(workspace), return_exceptions=True)
    assert isinstance(done[-1], Erasure)
    await erase(workspace)
    await work(workspace)
    assert await places_in_tables(workspace, MARKS) == {}

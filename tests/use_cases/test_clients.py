"""Clients: found by address or number, joined by a booking with both, and filed by the worker alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.clients import Client, block_key, identities_of, phone_key
from app.domain.errors import AlreadyExists, StaleVersion
from app.ports.clients import ClientFilter
from app.ports.outbox import Job
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.file_clients import BATCH, file_all_job, file_booking, file_booking_job, join_clients
from app.use_cases.manage_clients import change_client
from app.wiring import HANDLERS
from app.worker import Worker
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, make_workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
HOUR = 3600
STAFF = Actor("user", "staff")
MANY_WRITERS = pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)
"""SQLite has one at a time, who waits for nobody amid a transaction."""


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("+49 30 1234567", "+49301234567"),
        ("0049 (0)30 / 123 45-67", "+49301234567"),
        ("+49 (0) 30 1234567", "+49301234567"),
        ("030 1234567", "0301234567"),
        ("(030) 1234567", "0301234567"),
        ("1234", None),
        ("", None),
        ("+", None),
    ],
)
def test_numbers_are_compared_by_their_digits(number: str, key: str | None) -> None:
    assert phone_key(number) == key


def test_what_is_blocked_is_compared_in_lower_case() -> None:
    assert block_key("email", " Rae+Spam@Example.ORG ") == "rae+spam@example.org"
    assert block_key("domain", "@Example.ORG") == "example.org"
    assert block_key("phone", "00 49 30 12345") == "+493012345"
    assert [block_key("email", "rae"), block_key("domain", "org"), block_key("phone", "12")] == [None] * 3


async def clients(workspace: Workspace) -> list[Client]:
    async with workspace.ports.read() as work:
        return list((await work.clients.page(ClientFilter(workspace.organization.id), 200, None)).items)


async def booked(workspace: Workspace, hour: int, *people: Recipient) -> list[Booking]:
    """Booked and filed, one after the other."""
    link = await workspace.link(f"link-{hour}")
    made = []
    for number, who in enumerate(people):
        made.append(await workspace.book(link, NINE + (hour + number) * HOUR, recipient=who))
        await file_booking(workspace.ports, made[-1].id)
    return made


async def client_ids(workspace: Workspace, bookings: Sequence[Booking]) -> list[str | None]:
    return [(await workspace.stored(booking)).client_id for booking in bookings]


async def test_whoever_books_again_is_the_same_client(workspace: Workspace) -> None:
    """By the address in any case, or by the number in any form; what was not known is added."""
    made = await booked(
        workspace,
        0,
        Recipient("Rae", "rae@example.org"),
        Recipient("R. Rae", "rae@example.org", "+49 30 1234567"),
        Recipient("Rae", "rae@work.example", "0049 30 1234567"),
        Recipient("Kim", "kim@example.org"),
    )
    first, second, third, other = await client_ids(workspace, made)
    assert first == second == third != other
    rae = next(client for client in await clients(workspace) if client.id == first)
    assert (rae.name, rae.email, rae.phone) == ("Rae", "rae@example.org", "+49 30 1234567")
    assert rae.identities == (
        ("email", "rae@example.org"), ("email", "rae@work.example"), ("phone", "+49301234567"),
    )  # fmt: skip


async def test_a_plus_address_is_somebody_else(workspace: Workspace) -> None:
    made = await booked(workspace, 0, Recipient("Rae", "rae@example.org"), Recipient("Rae", "rae+kids@example.org"))
    assert len(set(await client_ids(workspace, made))) == 2


async def test_a_booking_with_the_address_of_one_and_the_number_of_another_joins_them(workspace: Workspace) -> None:
    made = await booked(
        workspace, 0, Recipient("Rae", "rae@example.org"), Recipient("Rae R.", "other@example.org", "030 123456")
    )
    kept, gone = await client_ids(workspace, made)
    for client_id, notes in ((kept, "Likes tea"), (gone, "Allergic to nuts")):
        await change_client(workspace.ports, workspace.owner, client_id or "", {"notes": notes})
    made += await booked(workspace, 5, Recipient("Rae", "rae@example.org", "030/123456"))
    assert await client_ids(workspace, made) == [kept] * 3
    (rae,) = await clients(workspace)
    assert (rae.id, rae.notes, rae.phone) == (kept, "Likes tea\n\nAllergic to nuts", "030 123456")
    assert len(rae.identities) == 3
    async with workspace.ports.read() as work:
        figures = await work.clients.figures([rae.id], workspace.clock.now)
    assert figures[rae.id].bookings == 3


async def test_clients_of_other_organizations_are_none_of_ours(workspace: Workspace, clock: Clock) -> None:
    other = await make_workspace(workspace.parts, clock, "umbrella")
    (ours,) = await booked(workspace, 0, Recipient("Rae", "rae@example.org"))
    (theirs,) = await booked(other, 0, Recipient("Rae", "rae@example.org"))
    assert len({*await client_ids(workspace, [ours]), *await client_ids(other, [theirs])}) == 2
    assert len(await clients(workspace)) == len(await clients(other)) == 1


async def test_booking_leaves_the_filing_to_the_worker(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(), NINE)
    assert await clients(workspace) == []
    (job,) = await workspace.rows(select(m.outbox).where(m.outbox.c.kind == "client"))
    assert job["lane"] == f"booking:{made.id}:client"
    await Worker(workspace.ports, {**HANDLERS}).drain()
    assert [client.email for client in await clients(workspace)] == ["casey@example.org"]
    before = await workspace.counts()
    await file_booking(workspace.ports, made.id)
    assert await workspace.counts() == before


async def test_nobody_without_address_and_number_is_a_client(workspace: Workspace) -> None:
    made = await booked(workspace, 0, Recipient("Walker", ""), Recipient("Caller", "", "12"))
    assert await client_ids(workspace, made) == [None, None]


async def test_a_change_of_a_booking_does_not_take_it_from_its_client(workspace: Workspace) -> None:
    """It rests on the booking as it was read, which may have been before the filing."""
    link = await workspace.link()
    made = await workspace.book(link, NINE)
    seen = made.changed(workspace.clock.now, notes="Hello")
    await file_booking(workspace.ports, made.id)
    async with workspace.ports.unit_of_work() as work:
        assert await work.bookings.update(seen, made.version)
        await work.commit()
    assert (await workspace.stored(made)).client_id is not None
    await edit_booking(workspace.ports, made.id, {"notes": "Again"}, STAFF)
    await take_step(workspace.ports, made.id, "cancel", STAFF)
    assert (await workspace.stored(made)).client_id is not None


async def test_what_was_booked_before_there_were_clients_is_filed_in_pieces(workspace: Workspace) -> None:
    link = await workspace.link()
    for number in range(3):
        await workspace.book(link, NINE + number * HOUR, recipient=Recipient(f"N{number}", f"n{number}@example.org"))
    (template, *_) = await workspace.rows(m.bookings)
    copies = [
        {**template, "id": f"{number:032x}", "uid": str(number), "token_lookup": str(number)} for number in range(BATCH)
    ]
    copies = [{**row, "id": _uuid(row["id"]), "occurrence_id": _uuid(row["id"])} for row in copies]
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(m.bookings.insert(), copies)
        await connection.execute(delete(m.outbox))
    job = Job("", workspace.organization.id, "", "clients", workspace.organization.id, {}, 1, 1)
    assert await file_all_job(workspace.ports, job) == workspace.clock.now
    assert await file_all_job(workspace.ports, job) is None
    assert len(await clients(workspace)) == 3
    unfiled = select(m.bookings.c.id).where(m.bookings.c.client_id.is_(None))
    assert await workspace.rows(unfiled) == []


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


async def test_a_number_that_another_client_has_is_refused(workspace: Workspace) -> None:
    made = await booked(
        workspace, 0, Recipient("Rae", "rae@example.org"), Recipient("Kim", "kim@example.org", "030 123456")
    )
    rae, kim = await client_ids(workspace, made)
    with pytest.raises(AlreadyExists):
        await change_client(workspace.ports, workspace.owner, rae or "", {"phone": "030-123456"})
    await change_client(workspace.ports, workspace.owner, kim or "", {"phone": "030 999999"})
    changed = await change_client(workspace.ports, workspace.owner, rae or "", {"phone": "030-123456"})
    assert changed.identities == (("email", "rae@example.org"), ("phone", "030123456"))


@MANY_WRITERS
async def test_joining_never_waits_for_a_booking_that_is_being_changed(workspace: Workspace) -> None:
    """Waiting could go in a circle: it is refused, and the worker tries again."""
    made = await booked(workspace, 0, Recipient("Rae", "rae@example.org"), Recipient("Kim", "kim@example.org"))
    kept, gone = sorted(await clients(workspace), key=lambda client: client.id)
    async with workspace.ports.unit_of_work() as changing:
        assert await changing.bookings.get(made[1].id, lock=True)
        with pytest.raises(StaleVersion):
            async with workspace.ports.unit_of_work() as work:
                await join_clients(work, kept, gone, workspace.clock.now)


@MANY_WRITERS
async def test_filing_comes_back_to_a_booking_that_is_being_changed(workspace: Workspace) -> None:
    """Nothing failed, so that nothing is told to the log as an error."""
    rae, kim = Recipient("Rae", "rae@example.org"), Recipient("Kim", "kim@example.org", "030 123456")
    _, gone = await booked(workspace, 0, rae, kim)
    both = await workspace.book(await workspace.link(), NINE + 5 * HOUR, recipient=replace(rae, phone="030 123456"))
    job, now = Job("", workspace.organization.id, "", "client", both.id, {}, 1, 1), workspace.clock.now
    every = replace(job, kind="clients", subject_id=workspace.organization.id)
    async with workspace.ports.unit_of_work() as changing:
        assert await changing.bookings.get(gone.id, lock=True)
        assert await file_booking_job(workspace.ports, job) == now + 1
        assert await file_all_job(workspace.ports, every) == now + 1
    assert await file_booking_job(workspace.ports, job) is None
    assert len(await clients(workspace)) == 1


async def test_bookings_filed_at_once_make_one_client(workspace: Workspace) -> None:
    link = await workspace.link()
    who: dict[str, Any] = {"recipient": Recipient("Rae", "rae@example.org", "030 123456")}
    made = [await workspace.book(link, NINE + number * HOUR, **who) for number in range(6)]
    await asyncio.gather(*(file_booking(workspace.ports, booking.id) for booking in made))
    assert len(set(await client_ids(workspace, made))) == 1
    assert len(await clients(workspace)) == 1


async def test_figures_are_of_what_the_user_may_see(workspace: Workspace) -> None:
    made = await booked(workspace, 0, *[Recipient("Rae", "rae@example.org")] * 5)
    other = await workspace.user("other")
    link = await workspace.link("others", other)
    made.append(await workspace.book(link, NINE, recipient=Recipient("Rae", "rae@example.org")))
    await file_booking(workspace.ports, made[-1].id)
    await take_step(workspace.ports, made[0].id, "cancel", STAFF)
    workspace.clock.now = NINE + 3 * HOUR + 60
    await take_step(workspace.ports, made[1].id, "no_show", STAFF)
    (rae,) = await clients(workspace)
    async with workspace.ports.read() as work:
        whole = (await work.clients.figures([rae.id], workspace.clock.now))[rae.id]
        theirs = (await work.clients.figures([rae.id], workspace.clock.now, other.id))[rae.id]
        seen = [await work.clients.sees(user.id, rae.id) for user in (workspace.owner, other)]
    assert (whole.bookings, whole.cancelled, whole.no_shows) == (6, 1, 1)
    assert (whole.last, whole.next) == (NINE + 3 * HOUR, NINE + 4 * HOUR)
    assert (theirs.bookings, theirs.cancelled, theirs.last, theirs.next) == (1, 0, NINE, None)
    assert seen == [True, True]


@pytest.mark.parametrize(
    ("words", "found"),
    [("rae", 1), ("RAE", 1), ("example.org", 2), ("030-1234", 1), ("%", 0), ("", 2), ("nobody", 0)],
)
async def test_clients_are_searched_by_name_address_and_number(workspace: Workspace, words: str, found: int) -> None:
    await booked(workspace, 0, Recipient("Rae", "r@example.org", "030 123456"), Recipient("Kim", "kim@example.org"))
    async with workspace.ports.read() as work:
        page = await work.clients.page(ClientFilter(workspace.organization.id, words=words), 50, None)
    assert len(page.items) == found


async def test_a_client_is_found_again_after_staff_corrected_the_name(workspace: Workspace) -> None:
    made = await booked(workspace, 0, Recipient("rae", "rae@example.org"))
    (client_id,) = await client_ids(workspace, made)
    await change_client(workspace.ports, workspace.owner, client_id or "", {"name": "Rae Recipient"})
    await booked(workspace, 5, Recipient("rae", "rae@example.org"))
    assert [client.name for client in await clients(workspace)] == ["Rae Recipient"]
    assert identities_of(Recipient("rae", "RAE@example.org")) == (("email", "rae@example.org"),)


async def test_an_erased_recipient_is_filed_nowhere(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(), NINE)
    async with workspace.parts.database.write.begin() as connection:
        gone = update(m.bookings).where(m.bookings.c.id == made.id)
        await connection.execute(gone.values(recipient_email="", recipient_phone=None))
    await file_booking(workspace.ports, made.id)
    assert await clients(workspace) == []

"""What time takes away, in pieces that cost the same however much there is."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.db import models as m
from app.domain.bookings import Recipient
from app.ports.outbox import Job
from app.ports.personal_data import Keeping
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.edit_booking import edit_booking
from app.use_cases.ids import new_id
from app.use_cases.keep_data import BATCH, ENTRIES, EVERY_SECONDS, retention_job
from app.use_cases.manage_links import create_one_time
from app.worker import Worker
from tests.support.clock import at
from tests.support.statements import statements_of
from tests.support.workspace import Workspace
from tests.use_cases.calendars.marked import GUEST, MARKS, WHO, mark, places_in_tables, work

pytestmark = pytest.mark.anyio

NINE = at("2027-03-04 09:00")
HOUR, DAY = 3600, 86_400
MANY = 10_000
OF_A_BATCH = BATCH * 50 + 60
"""Statements, at most."""


async def keep(workspace: Workspace, days: int) -> None:
    async with workspace.ports.unit_of_work() as unit:
        await unit.personal_data.keep(workspace.organization.id, Keeping(days))
        await unit.commit()


async def turn(workspace: Workspace) -> int:
    """One run of the daily work; when it wants to run again."""
    org = workspace.organization.id
    return await retention_job(workspace.ports, Job(new_id(), org, "x", "retention", org, {}, 1, 1))


async def test_nothing_is_left_of_who_is_long_gone(workspace: Workspace) -> None:
    """But for what was kept on purpose: the block list, links that can still be booked, and what the owner's devices
    sent and could not be taken, which waits for the owner."""
    made = await mark(workspace)
    await keep(workspace, 100)
    await Worker(workspace.ports, workspace.parts.handlers).drain()
    await work(workspace, 150 * DAY)
    await work(workspace, 2 * DAY)
    left = await places_in_tables(workspace, MARKS)
    kept = {"blocked_recipients.value", "blocked_recipients.reason", "kept_edits.data", "kept_edits.reason"}
    assert set(left) <= {*kept, "one_time_links.recipient_email"}, left
    open_links = select(m.one_time_links.c.status).where(m.one_time_links.c.recipient_email.is_not(None))
    assert {row["status"] for row in await workspace.rows(open_links)} <= {"open"}, "they may still be booked"
    for booking in (*made.bookings.values(), *made.robins.values()):
        assert (await workspace.stored(booking)).recipient.email == ""


async def test_who_was_a_guest_once_is_forgotten_with_the_booking(workspace: Workspace) -> None:
    booking = await workspace.book(await workspace.link(), NINE, recipient=WHO, guests=(GUEST,))
    await work(workspace)
    await edit_booking(workspace.ports, booking.id, {"guests": ()}, SYSTEM)
    await work(workspace)
    await keep(workspace, 1)
    workspace.clock.now = NINE + 5 * DAY
    await turn(workspace)
    told = {row["address"] for row in await workspace.rows(m.mail_deliveries)}
    assert told == {workspace.owner.email}


async def test_work_that_was_given_up_and_old_invitations_go(workspace: Workspace) -> None:
    org, user, now = workspace.organization.id, workspace.owner.id, NINE + 500 * DAY
    workspace.clock.now = now
    job: dict[str, Any] = {"org_id": org, "kind": "put_contact", "subject_id": user, "payload": {}, "requested": 1}
    job |= {"attempts": 9, "run_at": now, "created_at": now}
    jobs = [
        {**job, "id": new_id(), "lane": f"{state}:{days}", "state": state, "updated_at": now - days * DAY}
        for state, days in (("dead", 91), ("dead", 89), ("pending", 91))
    ]
    mail = {"org_id": org, "user_id": user, "address": "rae@example.org", "mails": 1}
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(insert(m.outbox), jobs)
        mails = [{**mail, "uid": str(days), "sent_at": now - days * DAY} for days in (91, 89)]
        await connection.execute(insert(m.scheduling_mails), mails)
    assert await turn(workspace) == now + EVERY_SECONDS
    lanes = {row["lane"] for row in await workspace.rows(m.outbox)}
    assert lanes & {each["lane"] for each in jobs} == {"dead:89", "pending:91"}
    assert [row["uid"] for row in await workspace.rows(m.scheduling_mails)] == ["89"]


async def test_whom_links_were_sent_to_is_forgotten_once_they_are_over(workspace: Workspace) -> None:
    link = await workspace.link()
    for email, expires_at in (("old@example.org", NINE), ("open@example.org", None)):
        await create_one_time(
            workspace.ports, workspace.owner, link.id, recipient_email=email, slots=[], expires_at=expires_at
        )
    await keep(workspace, 30)
    workspace.clock.now = NINE + 60 * DAY
    await turn(workspace)
    assert {row["recipient_email"] for row in await workspace.rows(m.one_time_links)} == {None, "open@example.org"}


async def test_ten_thousand_rows_cost_a_batch_no_more_statements(workspace: Workspace) -> None:
    link = await workspace.link()
    booking = await workspace.book(link, NINE, recipient=Recipient("Rae", "rae@example.org"))
    await keep(workspace, 1)
    workspace.clock.now = now = NINE + 800 * DAY
    costs = []
    for count in (2 * BATCH, MANY):
        await fill(workspace, booking.id, link.id, count)
        async with statements_of(workspace.parts.database) as statements:
            assert await turn(workspace) == now, "more is left, and comes at once"
        costs.append(len(statements))
    assert costs[1] <= costs[0] + 5
    assert costs[1] <= OF_A_BATCH
    async with workspace.parts.database.read.connect() as connection:
        erased = select(func.count()).where(m.bookings.c.erased_at.is_not(None))
        assert await connection.scalar(erased) == 2 * BATCH
        for table in (m.view_events, m.notifications):
            assert await connection.scalar(select(func.count()).select_from(table)) == MANY - ENTRIES


async def fill(workspace: Workspace, booking_id: str, link_id: str, count: int) -> None:
    """So many old bookings like this one, views and notifications."""
    org, user = workspace.organization.id, workspace.owner.id
    (row,) = await workspace.rows(select(m.bookings).where(m.bookings.c.id == booking_id))
    ids = [new_id() for _ in range(count)]
    copies = [
        {**row, "id": each, "occurrence_id": each, "uid": each, "token_lookup": each.replace("-", "").ljust(64, "1"),
         "erased_at": None, "recipient_name": "Rae", "recipient_email": "rae@example.org", "status": "completed"}
        for each in ids
    ]  # fmt: skip
    views = [{"id": new_id(), "org_id": org, "link_id": link_id, "service_id": None, "at": NINE} for _ in ids]
    note = {"org_id": org, "user_id": user, "kind": "new", "booking_id": booking_id, "sequence": 0, "created_at": NINE}
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(insert(m.bookings), copies)
        await connection.execute(insert(m.view_events), [{**each, "referrer": None} for each in views])
        await connection.execute(insert(m.notifications), [{**note, "id": new_id(), "read_at": NINE} for _ in ids])

"""What erasing and time take away: all of the person, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from app.db import models as m
from app.db.records import SqlIdempotencyStore
from app.domain.bookings import Booking, Recipient
from app.domain.locations import Location
from app.ports.clients import ClientFilter
from app.ports.mail_log import Delivery
from app.ports.outbox import Job, NewJob
from app.ports.personal_data import Keeping
from app.ports.push import PushNote
from app.ports.telling import Notification
from app.ports.texting import Text
from app.use_cases.audit_changes import told
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.erase_person import erase_booking, erase_person
from app.use_cases.file_clients import file_booking
from app.use_cases.ids import new_id
from app.use_cases.keep_data import retention_job
from app.use_cases.manage_people import create_organization
from app.use_cases.read_notifications import notifications_of
from app.use_cases.unsubscribe import is_unsubscribed
from tests.support.clock import at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
DAY, HOUR = 86_400, 3600
NA, ANNA = "na@example.com", "anna@example.com"


async def booked(workspace: Workspace, hour: int = 0, **values: Any) -> Booking:
    link = await workspace.link(f"link-{hour}")
    who = Recipient(values.pop("name", "Na"), values.pop("email", NA), "+4930123456")
    return await workspace.book(link, NINE + hour * HOUR, recipient=who, **values)


async def count(workspace: Workspace, table: Any) -> int:
    async with workspace.parts.database.read.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(table)) or 0


async def test_the_mail_of_a_longer_address_stays(workspace: Workspace) -> None:
    org = workspace.organization.id
    jobs = [NewJob(org, f"to:{who}", "booking_mail", new_id(), NINE, {"address": who}) for who in (NA, ANNA)]
    async with workspace.ports.unit_of_work() as work:
        await work.outbox.enqueue(jobs, workspace.clock())
        for who in (NA, ANNA):
            assert await work.idempotency.put(who, "hash", f'{{"email":"{who}"}}', workspace.clock(), 0)
        await work.commit()
    async with workspace.parts.database.write.begin() as connection:
        other = update(m.outbox).where(m.outbox.c.lane == f"to:{ANNA}")
        await connection.execute(other.values(last_error=f"{ANNA} is refused"))
    await erase_person(workspace.ports, org, NA, SYSTEM)
    async with workspace.parts.database.read.connect() as connection:
        rows = (await connection.execute(select(m.outbox.c.lane, m.outbox.c.last_error))).all()
    assert [tuple(row) for row in rows if row[0].startswith("to:")] == [(f"to:{ANNA}", f"{ANNA} is refused")]
    async with workspace.ports.read() as work:
        assert await work.idempotency.get(NA, 0) is None
        assert await work.idempotency.get(ANNA, 0) is not None


async def test_texts_and_pushes_are_erased(workspace: Workspace) -> None:
    booking, other = await booked(workspace), await booked(workspace, 1, email=ANNA)
    texts, pushes = workspace.ports.texter, workspace.ports.pusher
    for each in (booking, other):
        await texts.send(Text("sms", f"+4930{each.start}", "Soon", f"{each.id}.r1.recipient.1"))
        await pushes.send(PushNote(new_id(), "New: Na", "", f"{each.id}.new.1.x"))
    await texts.send(Text("sms", "+4930123456", "Soon", f"{new_id()}.r1.recipient.1"))
    await texts.send(Text("sms", "+49301234567", "Soon", f"{new_id()}.r1.recipient.1"))
    await erase_person(workspace.ports, workspace.organization.id, NA, SYSTEM)
    assert await texts.erase([booking.id, "+4930123456"]) == await pushes.erase([booking.id]) == 0
    assert await texts.erase([other.id, "+49301234567"]) == 2
    assert await pushes.erase([other.id]) == 1


async def test_whom_an_erased_booking_was_with_is_not_brought_back(workspace: Workspace) -> None:
    """By work that began before: the client is filed, and a mail under way is noted."""
    booking = await booked(workspace)
    await erase_booking(workspace.ports, booking.id, SYSTEM)
    async with workspace.ports.unit_of_work() as work:
        assert await work.clients.file(booking.id, new_id()) is False
        for address in (NA, workspace.users[0].email):
            sent = Delivery(booking.id, address, "state", booking.org_id, "confirmed", 0, "<x>", NINE)
            await work.mail_log.record(sent)
        await work.commit()
    async with workspace.ports.read() as work:
        told_of = await work.mail_log.of_booking(booking.id, "state")
    assert [each.address for each in told_of] == [workspace.users[0].email]


async def test_a_booking_is_read_under_the_lock(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = await booked(workspace)
    store = type(await _clients(workspace))
    lock = store.lock

    async def erased_meanwhile(self: Any, org_id: str) -> None:
        await lock(self, org_id)
        row = update(m.bookings).where(m.bookings.c.id == booking.id)
        gone = {"recipient_name": "Erased", "recipient_email": "", "recipient_phone": None}
        await self._db.execute(row.values(**gone, erased_at=NINE))

    monkeypatch.setattr(store, "lock", erased_meanwhile)
    await file_booking(workspace.ports, booking.id)
    assert await count(workspace, m.clients) == 0


async def _clients(workspace: Workspace) -> Any:
    async with workspace.ports.read() as work:
        return work.clients


async def test_old_traces_go_by_themselves(workspace: Workspace) -> None:
    booking = await booked(workspace)
    link = (await workspace.stored(booking)).link_id
    org, user, now = workspace.organization.id, workspace.users[0].id, NINE + 500 * DAY
    workspace.clock.now = now
    view = {"org_id": org, "link_id": link, "service_id": None, "referrer": None}
    line = {"org_id": org, "user_id": user, "kind": "new", "booking_id": booking.id, "sequence": 0}
    ages = [(401, None), (399, None), (399, 91), (91, 89), (1, None)]
    sent = {"booking_id": booking.id, "target": "recipient", "start_at": NINE, "org_id": org}
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(m.notifications.delete())
        views = [{**view, "id": new_id(), "at": now - days * DAY} for days in (401, 399)]
        await connection.execute(insert(m.view_events), views)
        lines = [
            {**line, "id": new_id(), "created_at": now - made * DAY, "read_at": read and now - read * DAY}
            for made, read in ages
        ]
        await connection.execute(insert(m.notifications), lines)
        reminders = [{**sent, "reminder": f"r{days}", "sent_at": now - days * DAY} for days in (91, 89)]
        await connection.execute(insert(m.reminders_sent), reminders)
    assert await retention_job(workspace.ports, Job(new_id(), org, "x", "retention", org, {}, 1, 1)) == now + DAY
    assert [await count(workspace, each) for each in (m.view_events, m.notifications, m.reminders_sent)] == [1, 3, 1]


async def test_retention_opens_no_answers_for_what_rested_a_day(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, opened = await booked(workspace), []

    async def noted(self: SqlIdempotencyStore, words: Sequence[str]) -> list[str]:
        opened.append(words)
        return []

    monkeypatch.setattr(SqlIdempotencyStore, "holding", noted)
    org = workspace.organization.id
    async with workspace.ports.unit_of_work() as work:
        await work.personal_data.keep(org, Keeping(1))
        await work.commit()
    workspace.clock.now = NINE + 5 * DAY
    await retention_job(workspace.ports, Job(new_id(), org, "x", "retention", org, {}, 1, 1))
    assert (await workspace.stored(booking)).recipient.email == ""
    assert opened == []


async def test_every_new_organization_forgets(workspace: Workspace) -> None:
    made = await create_organization(workspace.ports, "Later")
    async with workspace.parts.database.read.connect() as connection:
        kinds = select(m.outbox.c.kind).where(m.outbox.c.org_id == made.id)
        assert list(await connection.scalars(kinds)) == ["retention"]


async def test_what_was_handed_over_tells_nobody_else_whom_it_is_with(workspace: Workspace) -> None:
    booking, user = await booked(workspace), workspace.users[0]
    line = Notification(new_id(), booking.org_id, user.id, "new", booking.id, 0, NINE)
    async with workspace.ports.unit_of_work() as work:
        await work.telling.notify(line)
        await work.commit()

    async def seen(*roles: str) -> tuple[str, int | None]:
        async with workspace.ports.read() as work:
            page = await notifications_of(work, _with(user, roles), 10, None)
        (found,) = [each for each in page.items if each.id == line.id]
        return found.recipient, found.start

    assert await seen("owner") == ("Na", NINE)  # the link's owner and host
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(update(m.bookings).where(m.bookings.c.id == booking.id).values(link_id=None))
        await connection.execute(m.booking_hosts.delete())
    assert await seen("owner") == ("", None)
    assert await seen("admin") == ("Na", NINE)


def _with(user: Any, roles: tuple[str, ...]) -> Any:
    return replace(user, roles=roles)


async def test_names_are_found_in_any_case(workspace: Workspace) -> None:
    """Also beyond ASCII."""
    booking = await booked(workspace, name="Özil Ångström")
    await file_booking(workspace.ports, booking.id)
    async with workspace.ports.read() as work:
        for words in ("özil", "ÖZIL", "ångström"):
            found = await work.clients.page(ClientFilter(workspace.organization.id, words=words), 10, None)
            assert [each.name for each in found.items] == ["Özil Ångström"], words


async def test_who_unsubscribed_is_known_by_the_first_key(workspace: Workspace) -> None:
    ports, org = workspace.ports, workspace.organization.id
    first = ports.vault.lookup(NA)
    older = Older(ports.vault)
    async with ports.unit_of_work() as work:
        await work.telling.unsubscribe(org, "0" * 64, workspace.clock())
        await work.commit()
    async with ports.read() as work:
        assert await is_unsubscribed(replace(ports, vault=older), work, org, NA)
        assert await work.telling.is_unsubscribed(org, [first])
        assert not await work.telling.is_unsubscribed(org, ["0" * 64])


class Older:
    """A vault with an older key, under which a hash was stored."""

    def __init__(self, vault: Any) -> None:
        self._vault = vault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vault, name)

    def lookups(self, token: str) -> tuple[str, ...]:
        first = self._vault.lookup(token)
        return (first, "0" * 64, first)


def test_the_number_to_call_is_not_in_the_log() -> None:
    assert told(Location("phone", "+4930123")) == {"kind": "phone", "value": "…"}
    assert told(Location("address", "Main Street 1")) == {"kind": "address", "value": "Main Street 1"}

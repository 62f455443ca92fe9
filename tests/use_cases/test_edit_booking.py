"""Staff's own notes stay with staff; guests come and go."""

from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.db.models import metadata
from app.domain.bookings import Booking
from app.domain.errors import NotModifiable, StaleVersion
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.wiring import HANDLERS
from app.worker import Worker
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
HOUR = 3600
STAFF = Actor("user", "staff")
SECRET = "Owes-us-money-since-May"


async def edit(workspace: Workspace, booking: Booking, **values: Any) -> Booking:
    return await edit_booking(workspace.ports, booking.id, values, STAFF)


async def tell(workspace: Workspace) -> None:
    await Worker(workspace.ports, HANDLERS).drain()


async def mails(workspace: Workspace) -> list[str]:
    folder = workspace.parts.mail_folder
    assert folder is not None
    return [path.read_text() for path in sorted(workspace.parts.settings.data_dir.glob("mail/**/*")) if path.is_file()]


async def told(workspace: Workspace, booking: Booking) -> dict[str, str]:
    """What each address knows."""
    deliveries = m.mail_deliveries.c
    query = select(m.mail_deliveries).where(deliveries.booking_id == booking.id, deliveries.kind == "state")
    return {row["address"]: row["status"] for row in await workspace.rows(query)}


async def test_what_staff_note_for_themselves_is_kept_in_one_place_alone(workspace: Workspace) -> None:
    """Neither in a mail, nor in an event, nor in the log, through the whole life of a booking."""
    link = await workspace.link()
    made = await workspace.book(link, NINE, guests=("guest@example.org",))
    await tell(workspace)
    await edit(workspace, made, internal_notes=SECRET)
    await tell(workspace)
    await reschedule_booking(workspace.ports, made.id, Move(NINE + HOUR), STAFF)
    await tell(workspace)
    await take_step(workspace.ports, made.id, "cancel", STAFF)
    await tell(workspace)
    assert (await workspace.stored(made)).internal_notes == SECRET
    for table in metadata.sorted_tables:
        for row in await workspace.rows(table):
            found = {name for name, value in row.items() if SECRET in str(value)}
            assert found == ({"internal_notes"} if table is m.bookings else set()), table.name
    sent = await mails(workspace)
    assert len(sent) >= 6
    assert not [text for text in sent if SECRET in text]


async def test_a_note_for_staff_is_nobodys_news(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(), NINE, guests=("guest@example.org",))
    await tell(workspace)
    before = len(await mails(workspace))
    after = await edit(workspace, made, internal_notes=SECRET)
    await tell(workspace)
    assert len(await mails(workspace)) == before
    assert (after.version, after.sequence) == (made.version + 1, made.sequence)
    query = select(m.audit_entries).where(m.audit_entries.c.action == "booking.edited")
    (entry,) = await workspace.rows(query)
    assert entry["changes"] == {"fields": ["internal_notes"]}


async def test_a_guest_who_is_added_is_invited_and_one_who_is_left_out_is_told(workspace: Workspace) -> None:
    """Nobody else hears of it."""
    made = await workspace.book(await workspace.link(), NINE, guests=("stays@example.org", "goes@example.org"))
    await tell(workspace)
    before = await mails(workspace)
    await edit(workspace, made, guests=("stays@example.org", "comes@example.org"))
    await tell(workspace)
    assert await told(workspace, made) == {
        "casey@example.org": "confirmed",
        workspace.owner.email: "confirmed",
        "stays@example.org": "confirmed",
        "comes@example.org": "confirmed",
        "goes@example.org": "cancelled",
    }
    new = (await mails(workspace))[len(before) :]
    assert len(await mails(workspace)) == len(before) + 2, new
    await edit(workspace, made, guests=("goes@example.org",))
    await tell(workspace)
    assert (await told(workspace, made))["goes@example.org"] == "confirmed", "they are invited again"


async def test_guests_of_a_request_hear_when_it_is_confirmed(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(requires_approval=True), NINE)
    await edit(workspace, made, guests=("guest@example.org",))
    await tell(workspace)
    assert "guest@example.org" not in await told(workspace, made)
    await take_step(workspace.ports, made.id, "confirm", STAFF)
    await tell(workspace)
    assert (await told(workspace, made))["guest@example.org"] == "confirmed"


async def test_guests_are_of_what_is_still_to_come(workspace: Workspace, clock: Clock) -> None:
    """Notes can be written afterwards too."""
    made = await workspace.book(await workspace.link(), NINE)
    clock.now = made.end
    with pytest.raises(NotModifiable):
        await edit(workspace, made, guests=("guest@example.org",))
    assert (await edit(workspace, made, internal_notes="Came late", guests=())).internal_notes == "Came late"
    with pytest.raises(StaleVersion):
        await edit_booking(workspace.ports, made.id, {"internal_notes": "x"}, STAFF, version=made.version)

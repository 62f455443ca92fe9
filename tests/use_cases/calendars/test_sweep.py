"""Erase somebody who used everything, and look for them everywhere: in each column of each table, in the files, in the
calendars of a real server."""

from __future__ import annotations

import pytest

from app.use_cases.booking_changes import SYSTEM
from app.use_cases.erase_person import erase_person
from tests.use_cases.calendars.marked import (
    DAY,
    EMAIL,
    GUEST,
    MARKS,
    ROBIN,
    kept_answers,
    mails_to,
    mark,
    places_in_files,
    places_in_tables,
    work,
)
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio

POLL = 600
EXPECTED = {
    "bookings.recipient_name", "bookings.recipient_email", "bookings.recipient_phone", "bookings.guests",
    "bookings.answers", "bookings.notes", "bookings.internal_notes", "bookings.cancel_reason", "calendar_objects.data",
    "client_identities.value", "clients.name", "clients.email", "clients.phone", "clients.notes", "event_notes.data",
    "event_notes.plain", "kept_edits.data", "kept_edits.reason", "mail_deliveries.address",
    "one_time_links.recipient_email", "outbox.payload", "outbox.last_error", "scheduling_mails.address",
    "added_contacts.email", "blocked_recipients.value", "calendar_events.error",
}  # fmt: skip
"""Where the marks must have been, or the search proves nothing."""


async def texts_of(world: CalendarWorld, remote: str) -> str:
    """All that the real server's calendar says."""
    texts = [await world.remote.read(remote, key) for key in await world.remote.keys(remote)]
    return "\n".join(texts).replace("\r\n ", "").lower()


async def mails_to_robin(world: CalendarWorld) -> set[str]:
    """By name: what tells of the erased person goes from the folder, whoever it was for."""
    folder = world.ports.mail_folder
    assert folder is not None
    return {mail.name for mail in await folder.list_mails(10_000) if ROBIN.email in mail.to}


async def test_nothing_is_left_of_who_is_erased(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.write_to(calendar)
    made = await mark(world, calendar)
    await work(world, POLL)  # the copies of what was written are read back
    before = await places_in_tables(world)
    assert set(before) >= EXPECTED, EXPECTED - set(before)
    assert set().union(*before.values()) == set(MARKS)
    assert {name.split("/")[0] for name in places_in_files(world)} >= {"texts", "pushes"}
    said = await texts_of(world, remote)
    assert {each for each in MARKS if each in said} >= {"xavierona", "marked-domain", "orchidnote", "estateanswer"}
    ids = [each.id for each in made.bookings.values()]
    assert await kept_answers(world, ids) >= 5
    assert await mails_to(world, EMAIL) > 5
    sent_before = await mails_to_robin(world)

    erased = await erase_person(world.ports, world.organization.id, EMAIL.lower(), SYSTEM)
    assert erased.bookings == len(made.bookings)
    assert erased.guest_of == len(made.guest_of)
    for _ in range(3):  # what follows is done, and the calendars are read again
        await work(world, POLL)
    await work(world, 40 * DAY)

    assert await places_in_tables(world) == {}
    assert places_in_files(world) == {}
    said = await texts_of(world, remote)
    assert {each for each in MARKS if each in said} == set()
    assert await kept_answers(world, ids) == 0
    assert await mails_to(world, EMAIL) == await mails_to(world, GUEST) == 0
    for name, booking in made.robins.items():
        stored = await world.stored(booking)
        assert (stored.status in {"confirmed", "completed"}, stored.recipient) == (True, ROBIN), name
    assert await mails_to_robin(world) - sent_before, "what waited for others was sent"

"""Recipients and users say no to what they may do without; what a booking needs still comes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.db import models as m
from app.db.telling import SqlTelling
from app.domain.errors import NotFound
from app.domain.notification_settings import DEFAULT_WAYS
from app.domain.reminders import Reminder
from app.domain.templates import Followup
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.manage_links import create_template
from app.use_cases.unsubscribe import members_way_out, recipients_way_out, unsubscribe
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA = "rita@example.org"
FOLLOWUP = Followup("Thank you", "How was it?", 60)


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def followed_up(world: MailWorld) -> Any:
    values = {"name": "Care", "questions": (), "email_followup_enabled": True, "followup": FOLLOWUP}
    template = await create_template(world.ports, world.owner, values)
    after, before = Reminder(120, "after", subject="Once more", body="Come again."), Reminder(60)
    link = await world.link("intro", title="Intro call", template_id=template.id, reminders=(after, before))
    return await world.take(link)


async def through(world: MailWorld, booking: Any) -> list[str]:
    """What Rita gets from the booking on."""
    for instant in (booking.start - 3600, booking.end + 3600, booking.end + 7200):
        world.clock.now = instant
        await world.work()
    return [subject.partition(":")[0] for subject in world.subjects(RITA)]


async def test_what_she_may_refuse_says_how(world: MailWorld) -> None:
    booking = await followed_up(world)
    await world.work()
    assert await through(world, booking) == ["Confirmed", "Reminder", "Thank you", "Once more"]
    confirmed, reminder, *optional = world.mails(RITA)
    assert confirmed["List-Unsubscribe"] is reminder["List-Unsubscribe"] is None
    for mail in optional:
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        address = str(mail["List-Unsubscribe"]).strip("<>")
        assert re.fullmatch(r"http://127\.0\.0\.1:8000/unsubscribe/[A-Za-z0-9_~-]+", address)
        assert address in mail.get_body(("plain",)).get_content()
        assert "rita" not in address


async def test_who_unsubscribed_gets_what_the_booking_needs(world: MailWorld) -> None:
    booking = await followed_up(world)
    await world.work()
    token = recipients_way_out(world.ports, booking).rpartition("/")[2]
    for _ in range(2):
        assert await unsubscribe(world.ports, token) == "followups"
    assert await through(world, booking) == ["Confirmed", "Reminder"]
    (row,) = await world.rows(m.unsubscribed)
    assert RITA not in str(row)


async def test_a_digest_ends_by_its_own_address(world: MailWorld) -> None:
    await choose_notifications(world.ports, world.owner, {"digest": "daily", "ways": DEFAULT_WAYS})
    token = members_way_out(world.ports, world.owner.id).rpartition("/")[2]
    assert await asyncio.gather(*(unsubscribe(world.ports, token) for _ in range(12))) == ["digests"] * 12
    async with world.ports.read() as work:
        settings = await work.telling.settings(world.owner.id, world.owner.org_id)
    assert (settings.digest, settings.version) == ("off", 2)  # mail programs ask more than once
    await world.work(2 * 86_400)
    assert await world.rows(m.outbox) == []


async def test_a_forged_address_stops_nothing(world: MailWorld) -> None:
    token = members_way_out(world.ports, world.owner.id).rpartition("/")[2]
    with pytest.raises(NotFound):
        await unsubscribe(world.ports, token[:-2] + ("AA" if not token.endswith("AA") else "BB"))


async def test_choices_made_in_the_same_moment_do_not_keep_a_digest(
    world: MailWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose_notifications(world.ports, world.owner, {"digest": "daily", "ways": DEFAULT_WAYS})
    token = members_way_out(world.ports, world.owner.id).rpartition("/")[2]
    stored, tries = SqlTelling.put_settings, []

    async def once_too_late(self: SqlTelling, *given: Any) -> bool:
        tries.append(given)
        return len(tries) > 1 and await stored(self, *given)

    monkeypatch.setattr(SqlTelling, "put_settings", once_too_late)
    assert await unsubscribe(world.ports, token) == "digests"
    async with world.ports.read() as work:
        assert (await work.telling.settings(world.owner.id, world.owner.org_id)).digest == "off"

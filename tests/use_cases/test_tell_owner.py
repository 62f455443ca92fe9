"""The owner of a link hears what is booked through it, also when others host it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.db import models as m
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

ANA = "ana@studio.example.com"
BEN = "ben@studio.example.com"
HOST = Actor("user", "ben")
RECIPIENT = Actor("recipient")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    """Ana owns the link; Ben alone hosts it."""
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def shared(world: MailWorld, **values: Any) -> str:
    ana, ben = world.users
    link = await world.shared_link("pool", [ben], **values)
    await world.set(m.links, m.links.c.id == link.id, owner_id=ana.id)
    booking = await world.take(link)
    await world.work()
    return booking.id


async def test_owner_and_host_hear_of_a_booking_a_move_and_its_end(world: MailWorld) -> None:
    booking_id = await shared(world)
    await reschedule_booking(world.ports, booking_id, Move(START + 3600), RECIPIENT)
    await world.work(60)
    await take_step(world.ports, booking_id, "cancel", RECIPIENT)
    await world.work(60)
    for address in (ANA, BEN):
        assert [subject.partition(":")[0] for subject in world.subjects(address)] == [
            "New booking",
            "New time",
            "Cancelled",
        ]


async def test_the_owner_has_nothing_put_into_a_calendar(world: MailWorld) -> None:
    booking_id = await shared(world)
    (mail,) = world.mails(ANA)
    assert not [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    text = mail.get_body(("plain",)).get_content()
    assert f"/app/bookings/{booking_id}" in text
    assert "because it was booked through your link" in text


async def test_a_confirmation_is_told_to_those_who_are_assigned(world: MailWorld) -> None:
    booking_id = await shared(world, requires_approval=True)
    await take_step(world.ports, booking_id, "confirm", HOST)
    await world.work(60)
    assert [subject.partition(":")[0] for subject in world.subjects(BEN)] == ["Please confirm", "New booking"]
    assert [subject.partition(":")[0] for subject in world.subjects(ANA)] == ["Please confirm"]
    await take_step(world.ports, booking_id, "cancel", HOST)
    await world.work(60)
    assert world.subjects(ANA)[1].startswith("Cancelled:")


async def test_an_owner_who_hosts_it_hears_once(world: MailWorld) -> None:
    await world.take()
    await world.work()
    assert len(world.mails(ANA)) == 1
    assert world.mails(BEN) == []

"""Whatever is done to a calendar at Microsoft, reading its changes comes to the same as reading it anew."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.fakes.microsoft_mailbox import Item, Mailbox
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.microsoft_mirror import Mirror
from tests.providers.test_microsoft import HOUR, NINE, WEEKLY, add

pytestmark = pytest.mark.anyio
STEPS, SYNC_EVERY = 60, 3


def some_deed(outlook: MicrosoftBackend, calendar: str, elsewhere: str, choose: random.Random) -> None:
    """One thing that a person does."""
    mailbox = outlook.mailbox
    start = NINE + timedelta(days=choose.choice([-9, 0, 1, 7, 800]), hours=choose.randrange(8))
    items = [item for item in mailbox.items.values() if item.calendar == calendar]
    deeds: list[Callable[[Item], object]] = [
        lambda item: mailbox.change(item.id, start=start, end=start + HOUR),
        lambda item: mailbox.change(item.id, showAs=choose.choice(["free", "busy", "oof", "tentative"])),
        lambda item: mailbox.respond(item.id, choose.choice(["declined", "accepted"])),
        lambda item: mailbox.delete(item.id),
        lambda item: mailbox.move(item.id, elsewhere),
        lambda item: _touch_part(mailbox, item, choose),
        lambda item: _touch_part(mailbox, item, choose),
    ]
    if not items or choose.random() < 0.35:
        add(outlook, calendar, pattern=WEEKLY if choose.random() < 0.5 else None)
    else:
        choose.choice(deeds)(choose.choice(items))


def _touch_part(mailbox: Mailbox, item: Item, choose: random.Random) -> None:
    """Move or delete an occurrence."""
    key = f"{item.id}.{item.start + timedelta(days=7):%Y%m%d}"
    if mailbox.look_up(key) is None:
        return
    if choose.random() < 0.4:
        mailbox.delete(key)
    else:
        start = NINE + timedelta(days=choose.choice([3, 900]))
        mailbox.change(key, start=start, end=start + HOUR)


@pytest.mark.parametrize("seed", range(6))
async def test_changes_come_to_the_same_as_everything(outlook: MicrosoftBackend, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311  # a plan to repeat, no secret
    graph = outlook.fake.graph
    calendar, elsewhere = await outlook.make_calendar(), await outlook.make_calendar()
    graph.bare_occurrences, graph.is_silent_about_parts = seed % 2 == 0, seed % 3 == 0
    graph.page_size, graph.empty_pages = choose.choice([2, 1000]), seed % 2 == 1
    mirror = Mirror(outlook, calendar)
    for step in range(STEPS):
        some_deed(outlook, calendar, elsewhere, choose)
        if step % SYNC_EVERY == 0:
            await mirror.sync()
            anew = Mirror(outlook, calendar)
            await anew.sync()
            assert mirror.busy() == anew.busy(), f"step {step} of plan {seed}"
            assert set(mirror.texts) == set(anew.texts), f"step {step} of plan {seed}"
    assert len(graph.rounds) > STEPS // SYNC_EVERY

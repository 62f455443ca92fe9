"""Processes killed (SIGKILL) at random moments under load and started again: nothing is lost, doubled or half done."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar
from sqlalchemy import select

from app.db import models as m
from tests.faults.host_calendar import events_in, make_calendar, write_into
from tests.faults.invariants import check_all, untold
from tests.faults.journal import read_history
from tests.faults.site import Site, free_leases, kill_at_random, site
from tests.faults.storm import Offer, Storm
from tests.providers.mail.smtp_server import Inbox, smtp_server
from tests.support.calendar_servers import CalendarServer, radicale
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.requires("radicale"),
    pytest.mark.xdist_group("storm"),
    pytest.mark.timeout(900),
]

SEED = 20270302
SERVERS, WORKERS, CLIENTS = 3, 1, 12
SECONDS, KILLS = 12, 6
CATCH_UP_SECONDS = 240


async def test_nothing_is_lost_or_doubled_when_processes_die(database_url: str, tmp_path: Path) -> None:
    """The time that a dead worker's leases last is passed over; the long form waits for it."""
    await killing_storm(database_url, tmp_path, SEED, 1, free_leases)


@pytest.mark.soak
async def test_nothing_is_lost_or_doubled_when_processes_die_for_minutes(database_url: str, tmp_path: Path) -> None:
    """Ten times as long, another seed each time, and nothing but the program itself to clean up after the dead."""

    async def nothing(_: Site) -> None:
        pass

    await killing_storm(database_url, tmp_path, int(time.time()), 10, nothing)


async def killing_storm(
    url: str, folder: Path, seed: int, rounds: int, help_along: Callable[[Site], Awaitable[None]]
) -> None:
    """Bookings, moves, cancellations and events of devices while servers with their workers die."""
    print(f"seed {seed}")
    (folder / "calendars").mkdir()
    inbox = Inbox()
    with radicale(folder / "calendars") as calendars:
        await make_calendar(calendars)
        async with (
            smtp_server(inbox),
            site(url, folder, SERVERS, WORKERS, {"HALFPAST_SMTP_URL": _smtp(inbox)}) as place,
        ):
            await write_into(place, calendars.url)
            offers = [await place.offer("short"), await place.offer("long", durations=(60,), buffer_after=15)]
            auth = await place.device(place.workspace.owner)
            async with Storm(place.urls, place.day, seed, patient=True) as storm:
                killer = asyncio.create_task(kill_at_random(place, random.Random(seed), KILLS * rounds))
                until = time.monotonic() + SECONDS * rounds
                await asyncio.gather(*(client(storm, place, offers, auth, until) for _ in range(CLIENTS)))
                await killer
            print(dict(sorted(storm.answers.items())), f"asked again {storm.asked_again} times")
            storm.check_refusals(await read_history(place.workspace.parts.database))
            await check_all(place.workspace.parts.database)
            await answers_were_kept(storm, place)
            await until_all_is_done(place, help_along)
            await check_all(place.workspace.parts.database)
            await calendar_holds_what_is_confirmed(place, calendars)
            mails_repeat_only_themselves(inbox.messages)
            print(f"{len(inbox.envelopes)} mails, {_repeated(inbox.messages)} of them repeated")


def _smtp(inbox: Inbox) -> str:
    return f"smtp://127.0.0.1:{inbox.port}"


async def client(storm: Storm, place: Site, offers: list[Offer], auth: tuple[str, str], until: float) -> None:
    """Books, and moves or cancels what there is; now and then a device puts an event."""
    while time.monotonic() < until:
        choice, offer = storm.chance.random(), storm.chance.choice(offers)
        there = storm.open_bookings
        held = storm.chance.choice(there) if there else None
        if choice < 0.6 or held is None:
            await storm.book(offer, storm.start_for(offer, storm.chance.randrange(2)))
        elif choice < 0.8:
            await storm.move(held, storm.start_for(held.offer, storm.chance.randrange(2)))
        elif choice < 0.9:
            await storm.cancel(held)
        else:
            start = storm.start_for(offer, storm.chance.randrange(2))
            await storm.put_event(place.personal(place.workspace.owner), auth, start, 15)


async def answers_were_kept(storm: Storm, place: Site) -> None:
    """What was acknowledged is there, and what was refused is not: also when the answer was lost and asked for again.
    Every client wrote to its own address, one for each booking it wanted."""
    stored = {str(row["id"]): row for row in await place.workspace.rows(m.bookings)}
    assert stored.keys() == storm.bookings.keys()
    for held in storm.bookings.values():
        row = stored[held.id]
        assert row["recipient_email"] == held.email
        assert row["version"] >= held.version, f"an acknowledged change of {held.id} was lost"
        assert (row["status"] == "cancelled") == held.ended, f"{held.id} is {row['status']}"
    emails = Counter(row["recipient_email"] for row in stored.values())
    assert not [email for email, count in emails.items() if count > 1], "one request made two bookings"
    live = select(m.calendar_objects.c.name).where(~m.calendar_objects.c.deleted)
    names = {row["name"] for row in await place.workspace.rows(live)}
    assert {path.rpartition("/")[2] for path in storm.events} <= names, "an acknowledged event was lost"


async def until_all_is_done(place: Site, help_along: Callable[[Site], Awaitable[None]]) -> None:
    """Until the workers have caught up."""
    database = place.workspace.parts.database

    async def all_done() -> bool:
        await help_along(place)
        return not await untold(database, int(time.time()))

    await eventually(all_done, "the workers catch up", CATCH_UP_SECONDS, 0.5)


async def calendar_holds_what_is_confirmed(place: Site, calendars: CalendarServer) -> None:
    """Each confirmed booking has exactly one event in the host's own calendar, at its time, and nothing else has."""
    rows = await place.workspace.rows(select(m.bookings).where(m.bookings.c.status == "confirmed"))
    confirmed = {row["uid"]: row["start_at"] for row in rows}
    assert confirmed, "the storm left nothing to look at"
    events = await events_in(calendars)
    assert Counter(uid for uid, _ in events) == Counter(confirmed.keys())
    assert dict(events) == confirmed


def mails_repeat_only_themselves(messages: Iterable[EmailMessage]) -> None:
    """A mail may come twice when its process died before it could note that it was sent; then it is the same mail:
    whoever is told the same thing twice can know it by the Message-ID."""
    ids: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    texts: dict[str, set[str]] = defaultdict(set)
    for message in messages:
        message_id = str(message["Message-ID"])
        method, uid, sequence = _invitation(message)
        ids[str(message["To"]), method, uid, sequence].add(message_id)
        texts[message_id].add(str(message["To"]) + str(message["Subject"]))
    assert ids, "nobody was told anything"
    assert not {told: found for told, found in ids.items() if len(found) > 1}, "the same news as another mail"
    assert not {message_id: found for message_id, found in texts.items() if len(found) > 1}, "one id, two mails"


def _invitation(message: EmailMessage) -> tuple[str, str, str]:
    """Method, UID and sequence of a mail's calendar part; without one its subject tells what it is about."""
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            calendar = Calendar.from_ical(payload)
            (event,) = calendar.walk("VEVENT")
            return str(calendar["METHOD"]), str(event["UID"]), str(event["SEQUENCE"])
    return "", str(message["Message-ID"]), str(message["Subject"])


def _repeated(messages: list[EmailMessage]) -> int:
    return len(messages) - len({str(message["Message-ID"]) for message in messages})

"""The same events in each of the calendar servers that `dav` compares, and how each is asked."""

from __future__ import annotations

import asyncio
import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

from app.config import load_settings
from app.db.migrate import migrate
from app.domain.calendars import PERSONAL
from app.ports.calendar_store import ObjectWrite
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.use_cases.manage_tokens import create_app_password
from app.wiring import Parts, wire
from tests.bench.measure import environment
from tests.support.calendar_servers import PASSWORD, USER, CalendarServer, radicale, xandikos

SIZES = (1_000, 10_000)
_FIRST, _DAYS = datetime(2026, 4, 1, tzinfo=UTC), 730
_OWN_PASSWORD = "bench-device-password-0123456789"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A filled calendar: its server, its path, and the Authorization that opens it."""

    host: str
    port: int
    path: str
    authorization: str


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def times(number: int, count: int) -> tuple[datetime, datetime]:
    """When event `number` of `count` is: they are spread evenly over two years."""
    start = _FIRST + timedelta(minutes=15 * (number * _DAYS * 96 // count))
    return start, start + timedelta(minutes=45)


def event(uid: str, start: datetime, end: datetime) -> str:
    """An event of about 600 bytes, as clients write them."""
    first, last = (instant.strftime("%Y%m%dT%H%M%SZ") for instant in (start, end))
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Device//EN", "BEGIN:VEVENT", f"UID:{uid}",
        "DTSTAMP:20261120T120000Z", f"DTSTART:{first}", f"DTEND:{last}", "SUMMARY:Meeting with a guest",
        "DESCRIPTION:Booked through the scheduling page\\, with a note of the guest's",
        " own that has some words in it\\, so that the size is what clients write.",
        "LOCATION:https://meet.example.org/room/abcdefghijkl", "ORGANIZER;CN=Host:mailto:host@example.org",
        "ATTENDEE;CN=Guest;PARTSTAT=ACCEPTED:mailto:guest@example.org", "STATUS:CONFIRMED", "SEQUENCE:0",
        "TRANSP:OPAQUE", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def events(count: int) -> Iterator[tuple[str, str, datetime, datetime]]:
    """UID, text, start and end."""
    for number in range(count):
        uid = f"event-{number:06d}"
        yield uid, event(uid, *times(number, count)), *times(number, count)


def fill_own(folder: Path, database_url: str) -> None:
    """A person for each size, with as many events in `personal`."""
    asyncio.run(_fill_own(folder, database_url))


def own_calendar(url: str, size: int) -> Calendar:
    """The calendar that `fill_own` filled."""
    handle = f"host{size}"
    return _calendar(f"{url}/dav/calendars/{handle}/personal/", basic(handle, _OWN_PASSWORD + handle))


async def _fill_own(folder: Path, database_url: str) -> None:
    parts = wire(load_settings(environment(folder, database_url, 8000)))
    try:
        await migrate(parts.database)
        organization = await create_organization(parts.ports, "Calendars", "calendars")
        for size in SIZES:
            new = NewUser(organization.id, f"host{size}@example.com", "Host", ("owner",), "UTC")
            user = await create_user(parts.ports, new)
            await create_app_password(parts.ports, user, "Bench", _OWN_PASSWORD + user.handle)
            await _fill_personal(parts, user.id, size)
    finally:
        await parts.close()


async def _fill_personal(parts: Parts, user_id: str, size: int) -> None:
    writes = [
        ObjectWrite(f"{uid}.ics", uid, "VEVENT", uid, text, *seconds, [seconds], None)
        for uid, text, start, end in events(size)
        for seconds in [(int(start.timestamp()), int(end.timestamp()))]
    ]
    async with parts.ports.unit_of_work() as work:
        calendar = await work.calendars.builtin_calendar(user_id, PERSONAL)
        assert calendar is not None
        for first in range(0, size, 500):
            await work.calendars.put_objects(calendar, writes[first : first + 500], parts.ports.clock())
        await work.commit()


@contextmanager
def radicale_calendars(folder: Path) -> Iterator[dict[int, Calendar]]:
    """Radicale with a filled calendar of each size."""
    with radicale(folder) as server:
        found = {size: _made(server, size) for size in SIZES}
        for size in SIZES:
            _write_files(folder / "data/collection-root" / USER / f"bench{size}", size)
        yield found


@contextmanager
def xandikos_calendars(folder: Path) -> Iterator[dict[int, Calendar]]:
    """The same with Xandikos, which keeps each calendar in a git repository."""
    with xandikos(folder) as server:
        found = {size: _made(server, size) for size in SIZES}
        for size in SIZES:
            place = folder / "data" / USER / "calendars" / f"bench{size}"
            _write_files(place, size)
            git = ["git", "-C", str(place), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
            subprocess.run([*git, "add", "--all"], check=True)
            subprocess.run([*git, "commit", "--quiet", "--message", "Events"], check=True)
        yield found


def _made(server: CalendarServer, size: int) -> Calendar:
    url = f"{server.home}bench{size}/"
    authorization = basic(USER, PASSWORD)
    request = Request(url, method="MKCALENDAR", headers={"Authorization": authorization})
    with urlopen(request) as answer:
        assert answer.status == 201
    return _calendar(url, authorization)


def _write_files(folder: Path, size: int) -> None:
    assert folder.is_dir(), folder
    for uid, text, _, _ in events(size):
        (folder / f"{uid}.ics").write_bytes(text.encode())


def _calendar(url: str, authorization: str) -> Calendar:
    host, port, path = url.removeprefix("http://").replace(":", "/", 1).split("/", 2)
    return Calendar(host, int(port), f"/{path}", authorization)

"""CalDAV against Radicale and Xandikos: the same requests to the same events, each server asked in turn.

Each is asked with its own means of checking who asks: ours with an app password, Radicale with a plain file of
passwords, Xandikos with none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench.dav_data import (
    SIZES,
    Calendar,
    event,
    fill_own,
    own_calendar,
    radicale_calendars,
    times,
    xandikos_calendars,
)
from tests.bench.dav_load import PLACE, Connection
from tests.bench.measure import Server, halfpast_server, memory_mb

SECONDS = float(os.environ.get("BENCH_SECONDS", "1"))
CLIENTS = (1, 8)
MEGABYTES = 150.0

_NAMES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_ETAG = "<D:prop><D:getetag/></D:prop>"
_WITH_DATA = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
_MONTH = '<C:time-range start="20270301T000000Z" end="20270401T000000Z"/>'


@dataclass(frozen=True, slots=True)
class Operation:
    """A request of a kind. `most` is what ours may take of the better peer's time, by the calendar's size."""

    name: str
    request: Callable[[Calendar], bytes]
    most: Mapping[int, float]


def _xml(method: str, calendar: Calendar, body: str) -> bytes:
    return request(calendar, method, calendar.path, f'<?xml version="1.0" encoding="utf-8"?>{body}', "application/xml")


def request(calendar: Calendar, method: str, path: str, body: str, kind: str) -> bytes:
    """A whole HTTP request."""
    content = body.encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {calendar.host}:{calendar.port}\r\nAuthorization: {calendar.authorization}"
        f"\r\nDepth: 1\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _propfind(calendar: Calendar) -> bytes:
    return _xml("PROPFIND", calendar, f"<D:propfind {_NAMES}>{_ETAG}</D:propfind>")


def _query(calendar: Calendar) -> bytes:
    inner = f'<C:comp-filter name="VEVENT">{_MONTH}</C:comp-filter>'
    wanted = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
    return _xml("REPORT", calendar, f"<C:calendar-query {_NAMES}>{_WITH_DATA}{wanted}</C:calendar-query>")


def _multiget(calendar: Calendar) -> bytes:
    members = sorted(set(re.findall(rb"href>([^<]+\.ics)<", _answer(calendar, _propfind(calendar)))))
    hrefs = "".join(f"<D:href>{each.decode()}</D:href>" for each in members[:: len(members) // 100][:100])
    return _xml("REPORT", calendar, f"<C:calendar-multiget {_NAMES}>{_WITH_DATA}{hrefs}</C:calendar-multiget>")


def _sync(calendar: Calendar, token: str = "") -> bytes:
    level = f"<D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
    return _xml("REPORT", calendar, f"<D:sync-collection {_NAMES}>{level}{_ETAG}</D:sync-collection>")


def _unchanged(calendar: Calendar) -> bytes:
    found = re.search(rb"sync-token>([^<]+)<", _answer(calendar, _sync(calendar)))
    assert found
    return _sync(calendar, found[1].decode())


def _put(calendar: Calendar) -> bytes:
    name = f"new-{PLACE.decode()}"
    return request(calendar, "PUT", f"{calendar.path}{name}.ics", event(name, *times(0, 1)), "text/calendar")


def _answer(calendar: Calendar, whole: bytes) -> bytes:
    status, body = Connection(calendar.host, calendar.port).send(whole)
    assert status < 400, body[:300]
    return body


OPERATIONS = (
    Operation("propfind", _propfind, dict.fromkeys(SIZES, 1 / 20)),
    Operation("query", _query, dict.fromkeys(SIZES, 1 / 20)),
    Operation("multiget", _multiget, dict.fromkeys(SIZES, 1 / 5)),
    Operation("sync_initial", _sync, dict.fromkeys(SIZES, 1 / 20)),
    Operation("sync_unchanged", _unchanged, {1_000: 1 / 20, 10_000: 1 / 100}),
    Operation("put", _put, dict.fromkeys(SIZES, 1 / 10)),  # the last: it changes the calendars
)

Point = tuple[str, int, int]
"""Operation, size, clients."""


def points() -> Iterator[tuple[Operation, int, int]]:
    """All that is measured."""
    for operation in OPERATIONS:
        for size in SIZES:
            for clients in CLIENTS:
                yield operation, size, clients


def measured(calendars: Mapping[int, Calendar]) -> dict[Point, float]:
    """Median milliseconds of a server's answers."""
    return {
        (operation.name, size, clients): _median(calendars[size], operation.request(calendars[size]), clients)
        for operation, size, clients in points()
    }


def _median(calendar: Calendar, whole: bytes, clients: int) -> float:
    command = [sys.executable, "-m", "tests.bench.dav_load", calendar.host, str(calendar.port), str(clients)]
    done = subprocess.run([*command, str(SECONDS)], input=whole, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    return float(done.stdout)


def peers(folder: Path) -> dict[Point, float]:
    """The better of the two at each point."""
    with ExitStack() as stack:
        found = []
        for name, served in (("radicale", radicale_calendars), ("xandikos", xandikos_calendars)):
            place = folder / name
            place.mkdir()
            found.append(measured(stack.enter_context(served(place))))
    return {point: min(each[point] for each in found) for point in found[0]}


def ours(folder: Path, database_url: str) -> tuple[dict[Point, float], float]:
    """The same of our own server, and its memory afterwards in MB."""
    fill_own(folder, database_url)
    server: Server
    with halfpast_server(folder, database_url) as server:
        found = measured({size: own_calendar(server.url, size) for size in SIZES})
        return found, memory_mb(server.pid)

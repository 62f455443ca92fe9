"""`make bench [NAME=slots]`: one line a figure, `name  ours  reference  ratio  target  ok|short`.

Every figure is a ratio of two things measured in this run, so that it holds on any machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import Request, urlopen

from tests.bench import calendars, dav, reminders, slots
from tests.bench.dav_data import SIZES
from tests.bench.measure import (
    NotMeasurable,
    Server,
    drive,
    environment,
    floor_server,
    free_port,
    halfpast_server,
    memory_mb,
    wait_until_ready,
)
from tests.bench.workspace import DAY, build
from tests.capabilities import lacking
from tests.databases import temporary_postgresql

Row = tuple[str, float, float, str, float]
"""Name, ours, reference, unit, and the most that ours/reference may be."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A database to measure on."""

    name: str
    url: str


def engines(folder: Path) -> Iterator[Engine]:
    """SQLite always, PostgreSQL where a server answers."""
    yield Engine("sqlite", f"sqlite+aiosqlite:///{folder}/bench.db")
    if lacking("postgresql") is None:
        with temporary_postgresql() as url:
            yield Engine("postgresql", url)


def window(now: int, days: int = 60, later: int = 0) -> str:
    """`from` and `to` of some days from tomorrow on."""
    first, last = (time.strftime("%Y-%m-%d", time.gmtime(now + DAY * n)) for n in (1 + later, days + later))
    return f"from={first}&to={last}"


def bench_slots() -> Iterator[Row]:
    """The engine against a plain sorted merge."""
    ours, reference = slots.slots()
    yield "slots", ours * 1e6, reference * 1e6, "us", 2.0


def bench_slots_pool() -> Iterator[Row]:
    """Ten hosts against ten times one."""
    ours, reference = slots.slots_pool()
    yield "slots_pool", ours * 1e6, reference * 1e6, "us", 0.5


def bench_availability() -> Iterator[Row]:
    """GET availability, 60 days: nothing changed, and everything changed."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for engine in engines(folder):
            made = build(folder, engine.url, busy=200, bookings=100)
            path = f"/api/v1/public/bench.open/availability?{window(made.now)}&duration=30&timezone=America/New_York"
            with halfpast_server(folder, engine.url) as ours, floor_server(engine.url) as floor:
                _check_another_process_is_seen(ours, path, folder, engine)
                with urlopen(ours.url + path) as answer:
                    length = len(answer.read())
                for clients in (1, 16):
                    least = drive(floor, f"/select/{length}", clients)
                    same = drive(ours, path, clients)
                    yield f"availability same {engine.name} c={clients} cpu", same.cpu_us, least.cpu_us, "us", 1.5
                    yield f"availability same {engine.name} c={clients} p50", same.p50_ms, least.p50_ms, "ms", 1.5
                    # More questions than answers are kept: each is worked out anew, as after a change.
                    changed = drive(ours, "/", clients, script=_rotating(folder, made.now))
                    yield f"availability changed {engine.name} c={clients} cpu", changed.cpu_us, least.cpu_us, "us", 5.0
                    yield f"availability changed {engine.name} c={clients} p50", changed.p50_ms, least.p50_ms, "ms", 5.0


def _rotating(folder: Path, now: int) -> str:
    """A wrk script that asks for ever other zones, days and durations."""
    zones = [f"Etc/GMT{n:+d}" for n in range(-14, 13) if n] + ["America/New_York", "Europe/Berlin", "Asia/Tokyo"]
    first = [time.strftime("%Y-%m-%d", time.gmtime(now + DAY * n)) for n in range(1, 31)]
    last = [time.strftime("%Y-%m-%d", time.gmtime(now + DAY * (n + 59))) for n in range(1, 31)]
    lists = (("zones", zones), ("first", first), ("last", last), ("durations", ["15", "30", "60"]))
    script = "".join(f"{name} = {{{','.join(repr(item) for item in items)}}}\n" for name, items in lists)
    script += (
        "n = 0\nfunction request()\n n = n + 1\n local z, d, l = n % #zones + 1,"
        " math.floor(n / #zones) % #first + 1, math.floor(n / #zones / #first) % 3 + 1\n"
        " return wrk.format('GET', '/api/v1/public/bench.open/availability?from=' .. first[d] .. '&to=' .. last[d] .."
        " '&duration=' .. durations[l] .. '&timezone=' .. string.gsub(zones[z], '+', '%%2B'))\nend\n"
    )
    target = folder / "rotating.lua"
    target.write_text(script)
    return str(target)


def _check_another_process_is_seen(ours: Server, path: str, folder: Path, engine: Engine) -> None:
    """A second process books: the next answer of the first must show it."""
    with urlopen(ours.url + path) as answer:
        before = answer.read()
    with halfpast_server(folder, engine.url) as other:
        start = before.split(b'"start":"', 1)[1].split(b'"', 1)[0].decode()
        _post_booking(other, start)
    with urlopen(ours.url + path) as answer:
        if start.encode() in answer.read():
            raise AssertionError("an answer stayed after another process booked its first time")


def _post_booking(server: Server, start: str) -> int:
    body = (
        f'{{"start":"{start}","duration":30,"timezone":"America/New_York","name":"Guest","email":"guest@example.org"}}'
    )
    request = Request(
        f"{server.url}/api/v1/public/bench.open/book", body.encode(), {"Content-Type": "application/json"}
    )
    with urlopen(request) as answer:
        status: int = answer.status
        return status


def bench_availability_growth() -> Iterator[Row]:
    """10,000 bookings and busy events around now against 100: the answer worked out anew."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in ("sqlite", "postgresql"):
            found: list[float] = []
            for count in (100, 10_000):
                folder = Path(temporary) / f"{name}{count}"
                folder.mkdir()
                for engine in engines(folder):
                    if engine.name == name:
                        # The window of 60 days holds alike many: what grows is the past and the far future.
                        made = build(folder, engine.url, busy=count, bookings=count, spread_days=count * 2)
                        with halfpast_server(folder, engine.url) as ours:
                            found.append(drive(ours, "/", 1, script=_rotating(folder, made.now)).cpu_us)
            if len(found) == 2:
                yield f"availability_growth {name} cpu", found[1], found[0], "us", 1.3


def bench_book() -> Iterator[Row]:
    """POST book against a one-row insert transaction, both over HTTP: 16 clients book 16 hosts (those of one host
    would wait for each other, as they must)."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for engine in engines(folder):
            build(folder, engine.url, busy=200, bookings=100, colleagues=16)
            script = folder / "insert.lua"
            script.write_text("wrk.method = 'POST'\n")
            with halfpast_server(folder, engine.url) as ours, floor_server(engine.url) as floor:
                for clients, slugs in ((1, ["all"]), (16, [f"host{number}" for number in range(16)])):
                    least = drive(floor, "/insert", clients, script=str(script))
                    shares = [[slug, *_far_starts(ours, slug)[: 600 // clients]] for slug in slugs]
                    rate, p50 = _book_all(ours, shares)
                    yield f"book {engine.name} c={clients} time a booking", 1e3 / rate, 1e3 / least.rate, "ms", 5.0
                    yield f"book {engine.name} c={clients} p50", p50, least.p50_ms, "ms", 5.0


def _far_starts(server: Server, slug: str) -> list[str]:
    """Free 30-minute starts far enough apart that booking one leaves the others free."""
    found: list[str] = []
    now = int(time.time())
    for later in range(0, 1800, 90):
        path = f"/api/v1/public/bench.{slug}/availability?{window(now, 90, later)}&duration=30&timezone=UTC"
        with urlopen(server.url + path) as answer:
            text = answer.read().decode()
        found += [piece.split('"', 1)[0] for piece in text.split('"start":"')[1:]][::3]
        if len(found) >= 600:
            break
    return found


def _book_all(server: Server, shares: list[list[str]]) -> tuple[float, float]:
    """Book every share (slug and starts) over a connection of its own: bookings a second and the median in ms; any
    refusal is an error."""
    command = [sys.executable, "-m", "tests.bench.booker", server.url]
    lines = "\n".join(" ".join(share) for share in shares)
    output = subprocess.run(command, input=lines, capture_output=True, text=True, check=True).stdout
    elapsed, *times = [float(line) for line in output.split()]
    return len(times) / elapsed, median(times) * 1e3


def bench_feed_304() -> Iterator[Row]:
    """A conditional GET of an unchanged feed."""
    for bookings in (1000, 10):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for engine in engines(folder):
                made = build(folder, engine.url, busy=0, bookings=bookings)
                path = f"/feeds/{made.feed_token}.ics"
                with halfpast_server(folder, engine.url) as ours, floor_server(engine.url) as floor:
                    with urlopen(ours.url + path) as answer:
                        tag = answer.headers["ETag"]
                    least = drive(floor, "/select/10", 1)
                    load = drive(ours, path, 1, header=f"If-None-Match: {tag}")
                    yield f"feed_304 {engine.name} {bookings} bookings cpu", load.cpu_us, least.cpu_us, "us", 2.5


def bench_feed_full() -> Iterator[Row]:
    """A full feed of 1,000 bookings against sending as many stored bytes."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for engine in engines(folder):
            made = build(folder, engine.url, busy=0, bookings=1000, spread_days=100)
            path = f"/feeds/{made.feed_token}.ics"
            with halfpast_server(folder, engine.url) as ours, floor_server(engine.url) as floor:
                with urlopen(ours.url + path) as answer:
                    length = len(answer.read())
                least = drive(floor, f"/select/{length}", 1)
                load = drive(ours, path, 1)
                yield f"feed_full {engine.name} {length} bytes cpu", load.cpu_us, least.cpu_us, "us", 3.0


def bench_sync() -> Iterator[Row]:
    """A calendar of 10,000 events, synced by a process of its own: everything (against parsing and storing the same
    texts), one change (against reading the names and etags held), the memory of it (MB against 150), the requests that
    one change takes (at most two), and those of asking for free times (none)."""
    for name, open_remote in calendars.REMOTES.items():
        if name != "caldav" and lacking("contracts"):
            raise NotMeasurable("needs the folder of contracts, for the fakes")
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            cost = calendars.measured(open_remote, folder)
            yield f"sync_initial {name} cpu", cost.initial_cpu, calendars.floor_initial(cost.texts, folder), "s", 4.0
            yield f"sync_change {name} cpu", cost.change_cpu * 1e3, calendars.floor_change(folder) * 1e3, "ms", 5.0
            yield f"sync_memory {name}", cost.peak_mb, 150.0, "MB", 1.0
            yield f"sync_requests {name} one change", cost.change_requests, 2.0, "req", 1.0
            yield f"sync_requests {name} free times", cost.asking_requests, 1.0, "req", 0.0


def bench_dav() -> Iterator[Row]:
    """Our CalDAV server against the better of Radicale and Xandikos, with 1,000 and 10,000 events and 1 and 8 clients;
    what an unchanged calendar costs to sync must not grow with it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        reference = dav.peers(folder)
        for engine in engines(folder):
            found, memory = dav.ours(folder, engine.url)
            for operation, size, clients in dav.points():
                point = (operation.name, size, clients)
                name = f"dav_{operation.name} {engine.name} {size} events c={clients}"
                yield name, found[point], reference[point], "ms", operation.most[size]
            small, large = (found["sync_unchanged", size, 1] for size in SIZES)
            yield f"dav_sync_unchanged {engine.name} growth", large, small, "ms", 1.3
            yield f"dav_memory {engine.name}", memory, dav.MEGABYTES, "MB", 1.0


def bench_memory() -> Iterator[Row]:
    """One serving process after load of every kind, MB against 150."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        made = build(folder, url, busy=2000, bookings=1000)
        with halfpast_server(folder, url) as ours:
            drive(ours, "/", 16, script=_rotating(folder, made.now))
            drive(ours, f"/feeds/{made.feed_token}.ics", 16)
            drive(ours, "/bench/open", 16)
            _book_all(ours, [["all", *_far_starts(ours, "all")[:400]]])
            yield "memory", memory_mb(ours.pid), 150.0, "MB", 1.0


def bench_start() -> Iterator[Row]:
    """`serve` from exec to ready on a migrated database, against 1.5 s."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        build(folder, url, busy=0, bookings=0)
        times = []
        for _ in range(5):
            port = free_port()
            environ = {**environment(folder, url, port), "PYTHONDONTWRITEBYTECODE": ""}
            began = time.perf_counter()
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("halfpast")), "serve", "--port", str(port)],
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                wait_until_ready(f"http://127.0.0.1:{port}/health/live", process)
                times.append(time.perf_counter() - began)
            finally:
                process.terminate()
                process.wait(20)
        yield "start", median(times[1:]), 1.5, "s", 1.0


def bench_reminders() -> Iterator[Row]:
    """100,000 reminders due within one hour (BENCH_REMINDERS for fewer), by one worker; against plain SMTP sending."""
    with tempfile.TemporaryDirectory() as temporary:
        for engine in engines(Path(temporary)):
            ours, reference = reminders.reminders(Path(temporary), engine.url)
            yield f"reminders {engine.name}", ours * 1e6, reference * 1e6, "us", 10.0


BENCHES: dict[str, Callable[[], Iterator[Row]]] = {
    "slots": bench_slots,
    "slots_pool": bench_slots_pool,
    "availability": bench_availability,
    "availability_growth": bench_availability_growth,
    "book": bench_book,
    "feed_304": bench_feed_304,
    "feed_full": bench_feed_full,
    "sync": bench_sync,
    "dav": bench_dav,
    "memory": bench_memory,
    "start": bench_start,
    "reminders": bench_reminders,
}


def main(names: list[str]) -> None:
    """Run the named figures, or all."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise SystemExit(f"no such figure: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    os.chdir(Path(__file__).resolve().parents[2])
    for name in names or BENCHES:
        try:
            for row in BENCHES[name]():
                _print(row)
        except NotMeasurable as missing:
            print(f"{name:52s} not measured: {missing}", flush=True)


def _print(row: Row) -> None:
    name, ours, reference, unit, most = row
    ratio = ours / reference
    verdict = "ok" if ratio <= most else "short"
    print(f"{name:52s} {ours:10.3f} {reference:10.3f} {unit:3s} {ratio:7.3f}  <= {most:5.2f}  {verdict}", flush=True)


if __name__ == "__main__":
    main([name for name in sys.argv[1:] if name])

"""What really happened, in which order.

Triggers note every change of claims, busy time and bookings inside the transaction that makes it. Whoever changes what
occupies a host holds that host's lock (on SQLite: the only write lock) until it commits, so the notes about one host
are in the order of the commits, and what was rolled back left no note.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text

from app.db.engine import Database, connected

DAY = 86400
COMMIT_SECONDS = 3.0
"""How long after its note a change may have become visible, on a busy machine."""

_COLUMNS = "at, what, id, host, begins, ends, status"
_NOTE = f"INSERT INTO storm_journal ({_COLUMNS}) VALUES"
_SQLITE_NOW = "(julianday('now') - 2440587.5) * 86400.0"
_SOURCES = (
    # table, verbs, the row's name, what it means; the row's values for id, host, begins, ends, status
    ("claims", ("INSERT",), "NEW", "claim", "{r}.occurrence_id, {r}.host_id, {r}.start_at, {r}.end_at, NULL"),
    ("claims", ("DELETE",), "OLD", "release", "{r}.occurrence_id, {r}.host_id, {r}.start_at, {r}.end_at, NULL"),
    ("busy_intervals", ("INSERT",), "NEW", "busy", "{r}.object_id, {host}, {r}.start_at, {r}.end_at, NULL"),
    ("busy_intervals", ("DELETE",), "OLD", "free", "{r}.object_id, {host}, {r}.start_at, {r}.end_at, NULL"),
    ("bookings", ("INSERT", "UPDATE"), "NEW", "booking", "{r}.id, {r}.link_id, {r}.start_at, {r}.end_at, {r}.status"),
)


async def keep_journal(database: Database) -> None:
    """From now on everything is noted."""
    number = "INTEGER PRIMARY KEY AUTOINCREMENT" if database.is_sqlite else "BIGSERIAL PRIMARY KEY"
    columns = "at DOUBLE PRECISION, what TEXT, id TEXT, host TEXT, begins BIGINT, ends BIGINT, status TEXT"
    async with database.write.begin() as connection:
        await connection.exec_driver_sql(f"CREATE TABLE storm_journal (n {number}, {columns})")
        for index, (table, verbs, row, what, values) in enumerate(_SOURCES):
            host = f"(SELECT user_id FROM calendars WHERE id = {row}.calendar_id)"
            noted = values.format(r=row, host=host)
            for statement in _triggers(database, f"storm_{index}", table, verbs, what, noted):
                await connection.exec_driver_sql(statement)


def _triggers(database: Database, name: str, table: str, verbs: Sequence[str], what: str, values: str) -> Iterable[str]:
    if database.is_sqlite:
        for verb in verbs:
            body = f"BEGIN {_NOTE} ({_SQLITE_NOW}, '{what}', {values}); END"
            yield f"CREATE TRIGGER {name}_{verb} AFTER {verb} ON {table} {body}"
        return
    now = "extract(epoch FROM clock_timestamp())"
    body = f"BEGIN {_NOTE} ({now}, '{what}', {values}); RETURN NULL; END"
    yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    yield f"CREATE TRIGGER {name} AFTER {' OR '.join(verbs)} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"


@dataclass(frozen=True, slots=True)
class Note:
    """One change. `host` is the link of a booking; `at` is epoch seconds."""

    n: int
    at: float
    what: str
    id: str
    host: str
    begins: int
    ends: int
    status: str | None


@dataclass(slots=True)
class Occupied:
    """A time of a host that something occupied, and from when until when it did."""

    what: str
    id: str
    host: str
    begins: int
    ends: int
    since: float
    until: float = float("inf")


@dataclass
class History:
    """The journal played back. Hosts of these tests live in UTC; weeks begin on Monday."""

    limits: Mapping[str, tuple[int | None, int | None]]
    occupied: list[Occupied] = field(default_factory=list)
    _open: dict[tuple[str, str, str, int], Occupied] = field(default_factory=dict)
    _by_host: dict[str, list[Occupied]] = field(default_factory=lambda: defaultdict(list))
    _starts: dict[str, tuple[str, int]] = field(default_factory=dict)
    _days: Counter[tuple[str, int]] = field(default_factory=Counter)
    _weeks: Counter[tuple[str, int]] = field(default_factory=Counter)
    full: list[tuple[str, str, int, float]] = field(default_factory=list)

    def play(self, notes: Iterable[Note]) -> None:
        """Take the notes in; AssertionError at the first that breaks a rule."""
        for note in notes:
            match note.what:
                case "claim":
                    self._check_free(note)
                    self._occupy(note)
                case "busy":
                    self._occupy(note)
                case "release" | "free":
                    self._vacate(note)
                case _:
                    self._count(note)

    def _check_free(self, note: Note) -> None:
        """Neither another claim nor an event stands there at the moment a claim is made."""
        for other in self._by_host[note.host]:
            assert note.begins >= other.ends or other.begins >= note.ends, f"{note} was made over {other}"

    def _occupy(self, note: Note) -> None:
        found = Occupied(note.what, note.id, note.host, note.begins, note.ends, note.at)
        self._open[note.what, note.id, note.host, note.begins] = found
        self._by_host[note.host].append(found)
        self.occupied.append(found)

    def _vacate(self, note: Note) -> None:
        what = "claim" if note.what == "release" else "busy"
        found = self._open.pop((what, note.id, note.host, note.begins))
        found.until = note.at
        self._by_host[note.host].remove(found)

    def _count(self, note: Note) -> None:
        """The limits of links hold after every single change, not just at the end."""
        if note.id in self._starts:
            link, start = self._starts.pop(note.id)
            self._days[link, start // DAY] -= 1
            self._weeks[link, _week(start)] -= 1
        if note.status == "cancelled":
            return
        link, start = note.host, note.begins
        self._starts[note.id] = link, start
        self._days[link, start // DAY] += 1
        self._weeks[link, _week(start)] += 1
        a_day, a_week = self.limits.get(link, (None, None))
        assert a_day is None or self._days[link, start // DAY] <= a_day, f"{note} is one too many on its day"
        assert a_week is None or self._weeks[link, _week(start)] <= a_week, f"{note} is one too many in its week"
        if self._days[link, start // DAY] == a_day:
            self.full.append((link, "day", start // DAY, note.at))
        if self._weeks[link, _week(start)] == a_week:
            self.full.append((link, "week", _week(start), note.at))

    def was_taken(
        self, host: str, begins: int, ends: int, since: float, until: float, without: str | None = None
    ) -> bool:
        """Whether anything (but claim `without`) stood in [begins, ends) at some moment between two instants."""
        return any(
            other.host == host
            and other.id != without
            and other.begins < ends
            and begins < other.ends
            and other.since <= until + COMMIT_SECONDS
            and other.until >= since - COMMIT_SECONDS
            for other in self.occupied
        )

    def stands(self, host: str, begins: int, ends: int) -> bool:
        """Whether anything stands in [begins, ends) at the end."""
        return any(other.begins < ends and begins < other.ends for other in self._by_host[host])

    def was_full(self, link: str, start: int) -> bool:
        """Whether the day or week of a start was full at any time."""
        return any(
            (name, place) in ((("day"), start // DAY), ("week", _week(start)))
            for full_link, name, place, _ in self.full
            if full_link == link
        )


def _week(start: int) -> int:
    return (start // DAY + 3) // 7  # 1970-01-01 was a Thursday


async def read_notes(database: Database) -> list[Note]:
    """Everything noted so far, in order."""
    async with connected(database.read) as connection:
        return [Note(*row) for row in await connection.execute(text("SELECT * FROM storm_journal ORDER BY n"))]


async def read_history(database: Database) -> History:
    """Everything noted so far, played back."""
    async with connected(database.read) as connection:
        links = (await connection.execute(text("SELECT id, max_per_day, max_per_week FROM links"))).all()
    history = History({str(link): (a_day, a_week) for link, a_day, a_week in links})
    history.play(await read_notes(database))
    return history

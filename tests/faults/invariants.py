"""What must hold in the tables after any storm, read by plain SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.engine import Database, connected

ACTIVE = "('pending', 'confirmed', 'in_progress')"
MOVES = "('booking.rescheduled', 'booking.reassigned', 'booking.handed_back')"


async def check_all(database: Database) -> None:
    """Every invariant, at one moment; AssertionError names the rows that break one."""
    async with snapshot(database) as connection:
        await _no_two_claims_overlap(connection)
        await _claims_are_the_active_bookings(connection)
        await _seats_are_those_of_attendees(connection)
        await _limits_are_kept(connection)
        await _one_time_links_are_used_once(connection)
        await _every_change_is_audited(connection)
        await _schedules_show_what_is_confirmed(connection)
        await _moves_leave_their_previous_times(connection)
        await _sequences_count_what_calendars_must_know(connection)
        await _what_must_follow_is_asked_for(connection)
        await _holds_are_the_bookings(connection)
        await _needs_are_met(connection)
        await _sets_are_whole(connection)
        await _clients_are_known_once(connection)


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection that sees one state of the database, whatever workers do meanwhile."""
    async with connected(database.read) as plain:
        if not database.is_sqlite:
            await plain.execution_options(isolation_level="REPEATABLE READ")
        else:
            await plain.exec_driver_sql("BEGIN")
        try:
            yield plain
        finally:
            await (plain.exec_driver_sql("ROLLBACK") if database.is_sqlite else plain.rollback())


async def _rows(connection: AsyncConnection, sql: str) -> list[Any]:
    return list((await connection.execute(text(sql))).all())


async def _no_two_claims_overlap(connection: AsyncConnection) -> None:
    rows = await _rows(
        connection,
        "SELECT a.occurrence_id, b.occurrence_id FROM claims a JOIN claims b ON a.host_id = b.host_id"
        " AND a.occurrence_id < b.occurrence_id AND a.start_at < b.end_at AND b.start_at < a.end_at",
    )
    assert not rows, f"claims overlap: {rows[:5]}"
    full = await _rows(connection, "SELECT occurrence_id FROM claims WHERE seats_taken > capacity")
    assert not full, f"more seats than there are: {full[:5]}"


async def _claims_are_the_active_bookings(connection: AsyncConnection) -> None:
    claimed = await _rows(connection, "SELECT occurrence_id, host_id, start_at, end_at FROM claims")
    active = await _rows(
        connection,
        "SELECT b.occurrence_id, h.host_id, b.start_at - b.buffer_before * 60, b.end_at + b.buffer_after * 60"
        " FROM bookings b JOIN booking_hosts h ON h.booking_id = b.id"
        f" WHERE b.occurrence_id = b.id AND b.status IN {ACTIVE}",
    )
    assert sorted(map(_plain, claimed)) == sorted(map(_plain, active)), "claims and active bookings differ"
    stray = await _rows(
        connection,
        "SELECT b.id FROM bookings b JOIN booking_hosts h ON h.booking_id = b.id WHERE b.start_at <> h.start_at",
    )
    assert not stray, f"host rows hold another start: {stray[:5]}"


async def _seats_are_those_of_attendees(connection: AsyncConnection) -> None:
    """Every host of a session has one claim on it, which counts the seats of its active attendees; these are where and
    when their session is."""
    wrong = await _rows(
        connection,
        "SELECT c.occurrence_id, c.seats_taken, c.capacity, s.capacity FROM claims c"
        " JOIN bookings s ON s.id = c.occurrence_id WHERE s.capacity IS NOT NULL AND (c.capacity <> s.capacity"
        " OR c.seats_taken <> (SELECT coalesce(sum(a.seats), 0) FROM bookings a"
        f" WHERE a.occurrence_id = s.id AND a.id <> s.id AND a.status IN {ACTIVE}))",
    )
    assert not wrong, f"seats are miscounted: {wrong[:5]}"
    strays = await _rows(
        connection,
        "SELECT a.id FROM bookings a JOIN bookings s ON s.id = a.occurrence_id WHERE a.id <> s.id"
        f" AND a.status IN {ACTIVE} AND (s.capacity IS NULL OR s.status NOT IN {ACTIVE}"
        " OR a.start_at <> s.start_at OR a.end_at <> s.end_at"
        " OR EXISTS (SELECT 1 FROM booking_hosts h WHERE h.booking_id = a.id AND NOT EXISTS"
        " (SELECT 1 FROM booking_hosts o WHERE o.booking_id = s.id AND o.host_id = h.host_id)))",
    )
    assert not strays, f"attendees without their session: {strays[:5]}"
    empty = await _rows(
        connection,
        f"SELECT s.id FROM bookings s WHERE s.capacity IS NOT NULL AND NOT s.is_explicit AND s.status IN {ACTIVE}"
        " AND NOT EXISTS (SELECT 1 FROM bookings a WHERE a.occurrence_id = s.id AND a.id <> s.id"
        " AND a.status <> 'cancelled')",
    )
    assert not empty, f"sessions that nobody attends: {empty[:5]}"


def _plain(row: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in row)


async def _limits_are_kept(connection: AsyncConnection) -> None:
    rows = await _rows(
        connection,
        "SELECT l.id, l.max_per_day, l.max_per_week, b.start_at FROM bookings b JOIN links l ON l.id = b.link_id"
        " WHERE b.status <> 'cancelled'",
    )
    days: Counter[tuple[str, int]] = Counter()
    weeks: Counter[tuple[str, int]] = Counter()
    for link, most_a_day, most_a_week, start in rows:  # hosts of these tests live in UTC; weeks begin on Monday
        days[str(link), start // 86400] += 1
        weeks[str(link), (start // 86400 + 3) // 7] += 1
        assert most_a_day is None or days[str(link), start // 86400] <= most_a_day, f"{link} is over its day"
        assert most_a_week is None or weeks[str(link), (start // 86400 + 3) // 7] <= most_a_week, (
            f"{link} over its week"
        )


async def _one_time_links_are_used_once(connection: AsyncConnection) -> None:
    rows = await _rows(
        connection,
        "SELECT o.id, o.status, o.booking_id,"
        " (SELECT count(*) FROM bookings b WHERE b.one_time_link_id = o.id AND b.status <> 'cancelled')"
        " FROM one_time_links o",
    )
    for one_time, status, booking, count in rows:
        assert count == (1 if status == "used" else 0), f"one-time link {one_time}: {status} with {count} bookings"
        assert (booking is not None) == (status == "used"), f"one-time link {one_time} points nowhere"


async def _every_change_is_audited(connection: AsyncConnection) -> None:
    wrong = await _rows(
        connection,
        "SELECT b.id, b.version, count(a.id) FROM bookings b LEFT JOIN audit_entries a ON a.entity_id = b.id"
        " WHERE b.capacity IS NULL"  # a session's version rises with its attendees' changes, too
        " GROUP BY b.id, b.version HAVING count(a.id) <> b.version",
    )
    assert not wrong, f"versions without audit entries, or the other way round: {wrong[:5]}"


async def _schedules_show_what_is_confirmed(connection: AsyncConnection) -> None:
    shown = await _rows(
        connection,
        "SELECT o.booking_id, c.user_id, o.start_at, o.end_at FROM calendar_objects o"
        " JOIN calendars c ON c.id = o.calendar_id WHERE c.provider = 'builtin' AND c.name = 'schedule'"
        " AND NOT o.deleted",
    )
    confirmed = await _rows(
        connection,
        "SELECT b.id, h.host_id, b.start_at, b.end_at FROM bookings b JOIN booking_hosts h ON h.booking_id = b.id"
        " JOIN hosts p ON p.id = h.host_id AND p.kind = 'user'"
        " WHERE b.occurrence_id = b.id AND b.status IN ('confirmed', 'in_progress', 'completed', 'no_show')",
    )
    assert sorted(map(_plain, shown)) == sorted(map(_plain, confirmed)), "schedules and bookings differ"


async def _moves_leave_their_previous_times(connection: AsyncConnection) -> None:
    moves: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for booking, count in await _rows(
        connection,
        f"SELECT entity_id, count(*) FROM audit_entries WHERE action IN {MOVES} GROUP BY entity_id",
    ):
        moves[str(booking)][0] = count
    for booking, count in await _rows(
        connection, "SELECT booking_id, count(*) FROM previous_times GROUP BY booking_id"
    ):
        moves[str(booking)][1] = count
    wrong = {booking: counts for booking, counts in moves.items() if counts[0] != counts[1]}
    assert not wrong, f"moves without a previous time: {wrong}"


async def _sequences_count_what_calendars_must_know(connection: AsyncConnection) -> None:
    """Erasing twice, as two admins may at once, is one change to calendars."""
    once = "CASE WHEN a.action = 'booking.erased' THEN a.action ELSE CAST(a.id AS TEXT) END"
    wrong = await _rows(
        connection,
        f"SELECT b.id, b.sequence, count(DISTINCT {once}) FROM bookings b LEFT JOIN audit_entries a"
        f" ON a.entity_id = b.id AND (a.action IN {MOVES} OR a.action IN ('booking.cancel', 'booking.expired',"
        " 'booking.confirm', 'session.closed') OR (a.action = 'booking.erased' AND b.cancel_reason = 'erased'))"
        f" GROUP BY b.id, b.sequence HAVING count(DISTINCT {once}) <> b.sequence",
    )
    assert not wrong, f"sequences that miss a change: {wrong[:5]}"


async def _what_must_follow_is_asked_for(connection: AsyncConnection) -> None:
    """The work of a booking's future is in the outbox, that of a cancelled one is not."""
    lanes = {str(lane) for (lane,) in await _rows(connection, "SELECT lane FROM outbox")}
    for booking, status, capacity in await _rows(connection, "SELECT id, status, capacity FROM bookings"):
        targets = ("complete", "followup") if capacity is None else ("complete",)
        future = {f"booking:{booking}:{target}" for target in targets}
        expected = future if status == "confirmed" else set()
        assert future & lanes == expected, f"{status} booking {booking} has {future & lanes} to come"


async def _holds_are_the_bookings(connection: AsyncConnection) -> None:
    """A claim ends with the hold of its booking; that of a session which waits for its attendees alone with their last
    one. What waits for nobody has no hold."""
    waiting = "a.occurrence_id = b.id AND a.id <> b.id AND a.status = 'pending'"
    lasting = "a.occurrence_id = b.id AND a.id <> b.id AND a.status NOT IN ('pending', 'cancelled')"
    session = (
        f"CASE WHEN b.is_explicit OR EXISTS (SELECT 1 FROM bookings a WHERE {lasting}) THEN NULL"
        f" ELSE (SELECT max(a.hold_expires_at) FROM bookings a WHERE {waiting}) END"
    )
    wrong = await _rows(
        connection,
        "SELECT b.id, b.status, c.hold_expires_at FROM claims c JOIN bookings b ON b.id = c.occurrence_id"
        " WHERE coalesce(c.hold_expires_at, 0) <>"
        f" coalesce(CASE WHEN b.capacity IS NULL THEN b.hold_expires_at ELSE {session} END, 0)",
    )
    assert not wrong, f"claims with another hold than their bookings: {wrong[:5]}"
    held = await _rows(
        connection,
        "SELECT id, status, hold_expires_at FROM bookings WHERE (hold_expires_at IS NOT NULL) <> (status = 'pending')",
    )
    assert not held, f"holds of what does not wait, or requests without one: {held[:5]}"


async def _needs_are_met(connection: AsyncConnection) -> None:
    """Whoever takes a service has as many units of each resource as it needs, and no resource gives more than it
    has: its units are hosts, of which no two claims overlap."""
    wrong = await _rows(
        connection,
        "SELECT b.id, n.resource_id, n.needed, (SELECT count(*) FROM booking_hosts h JOIN hosts u ON u.id = h.host_id"
        " WHERE h.booking_id = b.id AND u.resource_id = n.resource_id)"
        " FROM bookings b JOIN (SELECT DISTINCT o.offer_id, u.resource_id, o.needed FROM offer_hosts o"
        " JOIN hosts u ON u.id = o.host_id WHERE o.role = 'unit') n ON n.offer_id = b.service_id"
        f" WHERE b.status IN {ACTIVE} AND n.needed <> (SELECT count(*) FROM booking_hosts h"
        " JOIN hosts u ON u.id = h.host_id WHERE h.booking_id = b.id AND u.resource_id = n.resource_id)",
    )
    assert not wrong, f"bookings with fewer or more units than they need: {wrong[:5]}"
    many = await _rows(
        connection,
        "SELECT r.id, r.quantity, count(h.id) FROM resources r LEFT JOIN hosts h ON h.resource_id = r.id"
        " WHERE r.deleted_at IS NULL GROUP BY r.id, r.quantity HAVING count(h.id) <> r.quantity",
    )
    assert not many, f"resources with other units than their quantity: {many[:5]}"


async def _sets_are_whole(connection: AsyncConnection) -> None:
    """The bookings of a set are one person's through one link, and carry the id of one among them."""
    mixed = await _rows(
        connection,
        "SELECT b.id, b.series_id FROM bookings b LEFT JOIN bookings f ON f.id = b.series_id"
        " WHERE b.series_id IS NOT NULL AND (f.id IS NULL OR f.series_id <> f.id OR f.org_id <> b.org_id"
        " OR coalesce(f.link_id, f.id) <> coalesce(b.link_id, f.id)"
        " OR (f.recipient_email <> b.recipient_email AND f.erased_at IS NULL AND b.erased_at IS NULL))",
    )
    assert not mixed, f"bookings of a set that do not belong to it: {mixed[:5]}"


async def _clients_are_known_once(connection: AsyncConnection) -> None:
    """An address or a number is one client's; a client is their own organization's, and so are their bookings. A
    booking is filed under the client who is known by its address."""
    double = await _rows(
        connection,
        "SELECT org_id, kind, value FROM client_identities GROUP BY org_id, kind, value HAVING count(*) > 1",
    )
    assert not double, f"known twice: {double[:5]}"
    stray = await _rows(
        connection,
        "SELECT i.kind, i.value FROM client_identities i LEFT JOIN clients c ON c.id = i.client_id"
        " WHERE c.id IS NULL OR c.org_id <> i.org_id",
    )
    assert not stray, f"known for nobody: {stray[:5]}"
    wrong = await _rows(
        connection,
        "SELECT b.id, b.client_id FROM bookings b WHERE b.client_id IS NOT NULL AND (b.erased_at IS NOT NULL"
        " OR NOT EXISTS (SELECT 1 FROM clients c WHERE c.id = b.client_id AND c.org_id = b.org_id)"
        " OR (b.recipient_email <> '' AND NOT EXISTS (SELECT 1 FROM client_identities i"
        " WHERE i.client_id = b.client_id AND i.kind = 'email' AND i.value = lower(b.recipient_email))))",
    )
    assert not wrong, f"filed under somebody else: {wrong[:5]}"


async def untold(database: Database, now: int) -> list[Any]:
    """Work that is due, and bookings whose recipient was not told their state or that are filed under no client: empty
    once the workers are through."""
    async with snapshot(database) as connection:
        due = await _rows(
            connection,
            "SELECT lane, state, last_error FROM outbox"
            f" WHERE run_at <= {now} OR attempts > 0 OR lease_owner IS NOT NULL",
        )
        told = await _rows(
            connection,
            "SELECT b.id, b.status, b.sequence, d.status, d.sequence FROM bookings b LEFT JOIN mail_deliveries d"
            " ON d.booking_id = b.id AND d.address = b.recipient_email AND d.kind = 'state'"
            " WHERE (d.booking_id IS NULL AND b.status = 'confirmed' AND b.capacity IS NULL)"
            " OR d.status <> b.status OR d.sequence <> b.sequence",
        )
        unfiled = await _rows(
            connection,
            "SELECT id FROM bookings WHERE client_id IS NULL AND recipient_email <> '' AND erased_at IS NULL",
        )
    return [*due, *told, *unfiled]

"""A database with many rows: what a busy host's years leave behind, and have coming."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from app.db import models as m
from app.use_cases.ids import new_id
from tests.support.workspace import Workspace

HALF_HOUR, TEN_MINUTES, DAY = 1800, 600, 86400
A_NIGHT = 16  # half hours before eight in the morning


async def crowd(workspace: Workspace, numbers: range) -> None:
    """For each number a booking of the first link and the first user, with all that comes with it, and an event in
    their `personal` calendar, in the nights before and after the present one; no two numbers share a time."""
    (link, *_) = await workspace.rows(m.links)
    calendars = {row["name"]: row["id"] for row in await workspace.rows(m.calendars)}
    rows: dict[str, list[Mapping[str, Any]]] = {table.name: [] for table in m.metadata.sorted_tables}
    for number in numbers:
        for name, row in _rows(workspace, link["id"], calendars, number):
            rows[name].append(row)
    async with workspace.parts.database.write.begin() as connection:
        for table in m.metadata.sorted_tables:
            if rows[table.name]:
                await connection.execute(insert(table), rows[table.name])


def _rows(
    workspace: Workspace, link_id: str, calendars: Mapping[str, str], number: int
) -> list[tuple[str, Mapping[str, Any]]]:
    booking, event = new_id(), new_id()
    org, owner, now = workspace.organization.id, workspace.owner.id, workspace.clock.now
    night, half_hour = divmod(number, A_NIGHT)
    nights = (night // 2 + 1) * (1 if night % 2 else -1)
    start = (now // DAY + nights) * DAY + half_hour * HALF_HOUR
    booked = {"start_at": start, "end_at": start + TEN_MINUTES}
    busy = {"start_at": start + TEN_MINUTES, "end_at": start + 2 * TEN_MINUTES}
    return [
        ("bookings", _booking(workspace, booking, link_id, start)),
        ("booking_hosts", {"booking_id": booking, "host_id": owner, "start_at": start, "booked_at": now - number}),
        ("claims", {"occurrence_id": booking, "host_id": owner, "org_id": org, **booked, **_ONE_SEAT}),
        ("audit_entries", {"id": new_id(), "org_id": org, "at": now, "entity_id": booking, **_CREATED}),
        ("outbox", {"id": new_id(), "org_id": org, "lane": f"old:{booking}", "subject_id": booking, **_JOB}),
        ("calendar_objects", _object(new_id(), calendars["schedule"], booking, booked)),
        ("calendar_objects", _object(event, calendars["personal"], None, busy)),
        ("busy_intervals", {"object_id": event, "calendar_id": calendars["personal"], **busy}),
    ]


_ONE_SEAT = {"capacity": 1, "seats_taken": 1}
_CREATED: Mapping[str, Any] = {
    "actor_kind": "system", "actor_id": None, "action": "booking.created", "entity": "booking", "changes": {},
}  # fmt: skip
_JOB: Mapping[str, Any] = {
    "kind": "booking_mail", "payload": {}, "state": "pending", "requested": 1, "attempts": 0, "run_at": 1,
    "created_at": 0, "updated_at": 0,
}  # fmt: skip


def _booking(workspace: Workspace, booking: str, link_id: str, start: int) -> Mapping[str, Any]:
    return {
        "id": booking, "org_id": workspace.organization.id, "link_id": link_id, "one_time_link_id": None,
        "service_id": None, "occurrence_id": booking, "status": "confirmed", "title": "Old", "start_at": start,
        "end_at": start + TEN_MINUTES, "duration": 10, "buffer_before": 0, "buffer_after": 0, "timezone": "UTC",
        "recipient_name": "Old", "recipient_email": "old@example.org", "recipient_phone": None, "guests": [],
        "answers": {}, "answer_labels": {}, "notes": None, "seats": 1, "location": {"kind": "none", "value": ""},
        "uid": booking, "sequence": 0, "version": 1, "hold_expires_at": None, "cancel_reason": None,
        "actual_start": None, "actual_end": None, "token_lookup": booking,
        "token_sealed": workspace.ports.vault.seal(booking), "created_at": 0, "updated_at": 0,
    }  # fmt: skip


def _object(name: str, calendar_id: str, booking: str | None, times: Mapping[str, int]) -> Mapping[str, Any]:
    return {
        "id": name, "calendar_id": calendar_id, "name": f"{name}.ics", "uid": name, "component": "VEVENT",
        "etag": '"x"', "data": "x", **times, "booking_id": booking, "revision": 1, "deleted": False,
        "expanded_until": None, "modified_at": 0,
    }  # fmt: skip

"""What an admin decides for the whole organization."""

from __future__ import annotations

from app.domain.errors import FieldError, Forbidden, Invalid
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User

MAX_COMPLETE_AFTER_MINUTES = 7 * 1440
MIN_HOLD_MINUTES, MAX_HOLD_MINUTES = 5, 14 * 1440


async def change_organization(
    ports: Ports, user: User, *, name: str, complete_after_minutes: int, hold_minutes: int, walk_ins: bool
) -> None:
    """How long after its end a confirmed booking completes by itself, how long a time is held for approval, and whether
    events that people make in their schedule are bookings.

    Bookings that are there keep what they were made with.
    """
    if "admin" not in user.roles:
        raise Forbidden("Only admins of your organization can change this.")
    errors = []
    if not name.strip():
        errors.append(FieldError("name", "An organization needs a name."))
    if not 0 <= complete_after_minutes <= MAX_COMPLETE_AFTER_MINUTES:
        errors.append(FieldError("complete_after_minutes", "Between 0 minutes and a week."))
    if not MIN_HOLD_MINUTES <= hold_minutes <= MAX_HOLD_MINUTES:
        errors.append(FieldError("hold_minutes", "Between 5 minutes and two weeks."))
    if errors:
        raise Invalid("The organization cannot be kept as sent.", errors)
    values = {
        "name": name.strip(),
        "complete_after_minutes": complete_after_minutes,
        "hold_minutes": hold_minutes,
        "walk_ins": walk_ins,
    }
    async with ports.unit_of_work() as work:
        before = await work.people.organization(user.org_id)
        changes = {key: [getattr(before, key), value] for key, value in values.items() if getattr(before, key) != value}
        await work.people.update_organization(user.org_id, **values)
        await work.calendars.let_schedules_take_new(user.org_id, takes_new=walk_ins)
        entry = AuditEntry(user.org_id, "user", user.id, "organization.changed", "organization", user.org_id, changes)
        await work.audit.write(entry, ports.clock())
        await work.commit()

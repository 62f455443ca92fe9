"""What an admin decides for the whole organization."""

from __future__ import annotations

from app.domain.errors import FieldError, Forbidden, Invalid
from app.ports import Ports
from app.ports.storage import AuditEntry, User

MAX_COMPLETE_AFTER_MINUTES = 7 * 1440
MIN_HOLD_MINUTES, MAX_HOLD_MINUTES = 5, 14 * 1440


async def change_organization(
    ports: Ports, user: User, *, name: str, complete_after_minutes: int, hold_minutes: int
) -> None:
    """How long after its end a confirmed booking completes by itself, and how long a time is held for approval.

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
    values = {"name": name.strip(), "complete_after_minutes": complete_after_minutes, "hold_minutes": hold_minutes}
    async with ports.unit_of_work() as work:
        await work.people.update_organization(user.org_id, **values)
        entry = AuditEntry(
            user.org_id, "user", user.id, "organization.changed", "organization", user.org_id, dict(values)
        )
        await work.audit.write(entry, ports.clock())
        await work.commit()

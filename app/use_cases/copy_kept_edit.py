"""What was kept of a refused edit becomes an object of its own in the person's `personal`."""

from __future__ import annotations

from app.domain.calendars import PERSONAL, CalendarObject
from app.domain.errors import Invalid, NotFound
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.use_cases.calendar_objects import Conditions, ObjectRefused
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.keep_edits import as_copy
from app.use_cases.put_calendar_object import put_calendar_object


async def copy_kept_edit(
    ports: Ports, user: User, edit_id: str, replay: Replay[CalendarObject] | None = None
) -> CalendarObject:
    """Store the copy, forget the edit, and answer with the copy. `NotFound` when it is not kept (any more), `Invalid`
    for what `personal` cannot hold, and for a deletion."""
    async with ports.read() as work:
        edit = await work.kept_edits.get(user.id, edit_id)
        personal = await work.calendars.builtin_calendar(user.id, PERSONAL)
    if edit is None or personal is None:
        raise NotFound("This was decided already.")
    if not edit.data:
        raise Invalid("It was to be deleted: there is nothing to keep a copy of.")
    uid = f"{edit.id}@{ports.uid_domain}"  # of the edit: to ask twice makes no second copy
    addresses = frozenset({user.email})
    try:
        text = as_copy(edit.data, uid)
        await put_calendar_object(ports, personal, f"{new_id()}.ics", text, Conditions(), addresses)
    except ObjectRefused as refused:
        if refused.precondition != "no-uid-conflict":
            raise Invalid(refused.detail) from refused
    async with ports.unit_of_work() as work:
        copy = await work.calendars.object_by_uid(personal.id, uid)
        await work.kept_edits.remove(user.id, edit_id)
        if copy is None:
            raise NotFound("The copy was deleted meanwhile.")
        entry = AuditEntry(user.org_id, "user", user.id, "kept_edit.copied", "kept_edit", edit_id, {"object": copy.id})
        await work.audit.write(entry, ports.clock())
        await remember(work, replay, copy, ports.clock())
        await work.commit()
    return copy

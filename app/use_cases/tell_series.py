"""Tell of a recurring set in one mail: an outbox handler, one lane an addressee for all bookings of the set.

As for single bookings it is the state that is told. Bookings of which there is the same news share a mail, which
carries an invitation to each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.ports import Ports
from app.ports.outbox import Job
from app.use_cases.meeting_place import LOOK_SECONDS, is_waited_for
from app.use_cases.tell_people import DueMail, due_mail, record_due, send_due


async def send_series_mail(ports: Ports, job: Job) -> int | None:
    """The job's subject is the set; its payload names the addressee as that of a single booking's mail."""
    now = ports.clock()
    async with ports.read() as work:
        bookings = await work.bookings.series(job.subject_id)
        found = [await due_mail(ports, work, replace(job, subject_id=booking.id), now) for booking in bookings]
    due = [each for each in found if each is not None]
    if any(is_waited_for(each.scene.booking, now) for each in due):
        return now + LOOK_SECONDS
    if waits := [until for each in due if (until := each.waits_until(now)) is not None]:
        return min(waits)
    for group in _alike(due):
        await (_send(ports, group) if len(group) > 1 else send_due(ports, group[0]))
    return None


def _alike(due: Sequence[DueMail]) -> list[list[DueMail]]:
    """Those that are worded alike together, by start."""
    groups: dict[tuple[object, ...], list[DueMail]] = {}
    for each in due:
        booking, context = each.scene.booking, each.context
        key = (each.news, context.previous_start is None, booking.is_active, booking.cancel_reason)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


async def _send(ports: Ports, group: Sequence[DueMail]) -> None:
    message_id = ""
    if group[0].is_mailed:
        mail = ports.composer.series([each.context for each in group], group[0].scene.person)
        await ports.mailer.send(mail)
        message_id = mail.message_id
    async with ports.unit_of_work() as work:
        for each in group:
            await record_due(work, each, message_id)
        await work.commit()

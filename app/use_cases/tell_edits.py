"""Tell a host by mail what became of their edits of bookings' events."""

from __future__ import annotations

from app.ports import Ports
from app.ports.outbox import Job
from app.use_cases.account_mail import mail_user


async def mail_edits_asked(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail, however many edits wait for an answer."""
    async with ports.read() as work:
        asked = [each for each in await work.calendar_edits.of_user(job.subject_id) if each.is_asked]
    if asked:
        await mail_user(ports, "edits_asked", job.subject_id, f"{ports.base_url}/app/bookings")
    return None


async def mail_edit_refused(ports: Ports, job: Job) -> int | None:
    """Outbox handler: why an event stands where it stood before."""
    address = f"{ports.base_url}/app/bookings/{job.subject_id}"
    await mail_user(ports, "edit_refused", job.payload["host_id"], address, job.payload["reason"])
    return None


async def mail_event_kept(ports: Ports, job: Job) -> int | None:
    """Outbox handler: why a booking whose event was deleted stands."""
    address = f"{ports.base_url}/app/bookings/{job.subject_id}"
    await mail_user(ports, "event_kept", job.payload["host_id"], address, job.payload["reason"])
    return None

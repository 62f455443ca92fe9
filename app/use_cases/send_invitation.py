"""Invitations, cancellations and answers of people's own events, to those outside the organization (iMIP, RFC 6047)."""

from __future__ import annotations

import hashlib

from app.domain.content_lines import Line
from app.domain.scheduling.objects import SchedulingObject
from app.domain.scheduling.telling import told
from app.ports import Ports
from app.ports.mail import EventMail, Invitation
from app.ports.outbox import Job
from app.ports.people import User
from app.use_cases.note_delivery import note_new_try


async def send_invitation(ports: Ports, job: Job) -> int | None:
    """Outbox handler; the payload has the `method`, whom it is `to` and the `text`. What was written later says so by
    SEQUENCE and DTSTAMP, so the order of delivery matters to nobody."""
    async with ports.read() as work:
        sender = await work.people.user(job.subject_id)
        organization = await work.people.organization(sender.org_id) if sender else None
    to = job.payload["to"]
    if sender is None or organization is None or to == ports.organizer_address.lower():
        return None
    item = SchedulingObject.read(job.payload["text"])
    facts = told(item, sender.timezone)
    if job.payload["method"] != "REPLY":
        _under_our_address(item, sender, ports.organizer_address)
    mail = ports.composer.event(
        EventMail(
            to=to,
            facts=facts,
            sender_name=sender.name,
            sender_email=sender.email,
            organization=organization.name,
            invitation=Invitation(job.payload["method"], item.text()),
            key=hashlib.sha256(job.payload["text"].encode() + to.encode()).hexdigest()[:32],
        )
    )
    await note_new_try(ports, job)  # before it goes: what fails here must not send it twice
    await ports.mailer.send(mail)
    return None


def _under_our_address(item: SchedulingObject, sender: User, address: str) -> None:
    """Mail programs take an invitation for genuine only when its organizer is whom the mail comes from, and answer to
    that address, where answers are read (RFC 6047 §3); EMAIL (RFC 7986 §6.2) says who it is."""
    name = sender.name.replace('"', "")
    for entry in item.entries:
        if entry.first("ORGANIZER") is not None:
            line = Line("ORGANIZER", (("CN", f'"{name}"'),), f"mailto:{address}")
            entry.put(line.with_param("EMAIL", sender.email))

"""What became of a mail about one of a person's own events stands on the event (RFC 6638 §3.2.9), where phones show it:
on the guest's ATTENDEE, and for an answer on ORGANIZER."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.content_lines import Component
from app.domain.scheduling.addresses import MAILTO, address_key
from app.domain.scheduling.objects import SchedulingObject
from app.ports import Ports
from app.ports.outbox import Job
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.deliver_invitations import FAILED, SENT, Copy, PeopleNeeded, store_copy
from app.use_cases.schedule_event import in_locked_order


async def note_failure(ports: Ports, job: Job) -> int | None:
    """Outbox handler: the mail of this payload was given up."""
    await _note(ports, job, FAILED)
    return None


async def note_new_try(ports: Ports, job: Job) -> None:
    """The mail is tried once more: what was noted of its failure is not so any more."""
    item = SchedulingObject.read(job.payload["text"])
    async with ports.read() as work:
        found = await work.scheduling.events_with([job.subject_id], item.uid)
    if any(FAILED in _statuses(SchedulingObject.read(each.data), job.payload) for _, each in found):
        await _note(ports, job, SENT)


async def _note(ports: Ports, job: Job, status: str) -> None:
    """Unless a later mail to the same address is the one that counts."""
    user_id, payload, now = job.subject_id, job.payload, ports.clock()
    uid = SchedulingObject.read(payload["text"]).uid

    async def note(work: UnitOfWork, hosts: frozenset[str]) -> None:
        if user_id not in hosts:
            raise PeopleNeeded(frozenset({user_id}))
        user = await work.people.user(user_id)
        found = await work.scheduling.events_with([user_id], uid)
        latest = await work.scheduling.mailed_at(user_id, uid, payload["to"])
        if user is None or not found or latest != payload.get("at", latest):
            return
        for calendar, event in found:
            item = SchedulingObject.read(event.data)
            if _statuses(item, payload) - {status}:
                _set(item, payload, status)
                await store_copy(work, Copy(calendar, event.name, item.text(), event.schedule_tag), user.email, now)
        await work.commit()

    await in_locked_order(ports, note)


def _statuses(item: SchedulingObject, payload: Mapping[str, Any]) -> set[str]:
    """What stands there of this recipient."""
    lines = [entry.lines[at] for entry, at in _places(item, payload)]
    return {line.param("SCHEDULE-STATUS") or "" for line in lines}


def _set(item: SchedulingObject, payload: Mapping[str, Any], status: str) -> None:
    for entry, at in _places(item, payload):
        entry.lines[at] = entry.lines[at].with_param("SCHEDULE-STATUS", status)


def _places(item: SchedulingObject, payload: Mapping[str, Any]) -> Iterator[tuple[Component, int]]:
    name, address = "ORGANIZER" if payload["method"] == "REPLY" else "ATTENDEE", MAILTO + payload["to"]
    for entry in item.entries:
        for at, line in enumerate(entry.lines):
            if line.name == name and address_key(line.value) == address:
                yield entry, at

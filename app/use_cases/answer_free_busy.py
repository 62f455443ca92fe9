"""When the members of an organization are busy, for one of them who asks (RFC 6638 §5)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from app.domain.hours import Schedule, local_date, working_ranges
from app.domain.intervals import Interval, join
from app.domain.scheduling.addresses import address_key, email_in
from app.domain.scheduling.free_busy import Question, answer, outside, within
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.deliver_invitations import keys, members_at
from app.use_cases.schedule_rules import schedule_rules

SUCCESS = "2.0;Success"
INVALID_USER = "3.7;Invalid calendar user"
NO_SUPPORT = "5.3;No scheduling support for user"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """What is said of one person: the address as it was asked for, a request status (RFC 5546 §3.6), and iCalendar
    where that is a success."""

    recipient: str
    status: str
    text: str | None = None


async def answer_free_busy(ports: StoragePorts, org_id: str, question: Question) -> list[PersonAnswer]:
    """One answer for each person asked about; people outside the organization are not known here. Three statements."""
    now = ports.clock()
    addresses = [address_key(line.value) for line in question.people]
    async with ports.read() as work:
        people = {key: each for each in await members_at(work, org_id, addresses) for key in keys(each)}
        ids = sorted({each.id for each in people.values()})
        times = await work.hosts.times(ids, question.start, question.end, now) if ids else {}
        schedules = await work.scheduling.default_schedules(ids) if ids else {}
    rules = {user_id: schedule_rules(record, now) for user_id, record in schedules.items()}

    def write() -> list[PersonAnswer]:
        found = []
        for key, line in zip(addresses, question.people, strict=True):
            member = people.get(key)
            if member is None:
                found.append(PersonAnswer(line.value, INVALID_USER if email_in(key) is None else NO_SUPPORT))
                continue
            taken = times[member.id].busy if member.id in times else ()
            busy = within(join(taken), question.start, question.end)
            away = _away(rules.get(member.id), busy, question)
            found.append(PersonAnswer(line.value, SUCCESS, answer(question, line, busy, away, now)))
        return found

    return await asyncio.to_thread(write)


def _away(rules: Schedule | None, busy: list[Interval], question: Question) -> list[Interval]:
    """Time outside the person's working hours (RFC 7953), as far as it is not busy anyway."""
    if rules is None:
        return []
    first, last = (local_date(rules.timezone, each) for each in (question.start, question.end))
    hours = working_ranges(rules, first - _DAY, last + _DAY)
    return outside(join([*hours, *busy]), question.start, question.end)

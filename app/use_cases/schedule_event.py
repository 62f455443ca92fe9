"""Implicit scheduling (RFC 6638 §3.2): what storing or removing one of a person's own events means for those invited.

Used by whatever writes a built-in calendar, inside its transaction and after it locked the calendar.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from app.domain.calendars import BUILTIN, INBOX, Calendar, CalendarObject, ObjectFacts
from app.domain.errors import StaleVersion
from app.domain.scheduling import attendee, organizer
from app.domain.scheduling.addresses import keys_of
from app.domain.scheduling.attendee import participates
from app.domain.scheduling.likeness import tells_the_same
from app.domain.scheduling.messages import Message
from app.domain.scheduling.objects import SERVER, SchedulingObject, change_attendee, tidy_people
from app.ports.scheduling import CalendarUser
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import ObjectRefused, StoragePorts
from app.use_cases.deliver_invitations import PeopleNeeded, Post, members_at, new_tag
from app.use_cases.known_facts import KnownFacts

Result = TypeVar("Result")
Role = Literal["organizer", "attendee"]
_HAS_ORGANIZER = re.compile(r"^ORGANIZER[;:]", re.MULTILINE | re.IGNORECASE)
MAX_ATTENDEES = 200
MAX_INVITATIONS = 400_000
"""People times the invitations in an object: what is looked at to tell them all."""
ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to be stored: the text, where need be other than what was sent, and the schedule tag."""

    text: str
    tag: str | None


@dataclass(slots=True)
class _Side:
    """An object from one person's point of view; the role is None where nobody is invited by it."""

    item: SchedulingObject
    role: Role | None


async def in_locked_order(
    ports: StoragePorts, change: Callable[[UnitOfWork, frozenset[str]], Awaitable[Result]]
) -> Result:
    """Run a change in a transaction that it commits itself. Whom it concerns is known only once the event has been read
    under its lock: then it begins anew with all their hosts locked in the order of their ids, as everybody does."""
    locked: frozenset[str] = frozenset()
    for _ in range(ATTEMPTS):
        async with ports.unit_of_work() as work:
            if locked:
                await work.hosts.lock(sorted(locked))
            try:
                return await change(work, locked)
            except PeopleNeeded as needed:
                locked |= needed.ids
    raise StaleVersion("Others are changing this event at the same time.")


def takes_part(calendar: Calendar, *texts: str) -> bool:
    """Whether scheduling has to look at these texts: bookings have their own way, and messages are no events."""
    is_own = calendar.provider == BUILTIN and not calendar.is_schedule and calendar.name != INBOX
    return is_own and any(_HAS_ORGANIZER.search(text) for text in texts)


async def settle_put(
    work: UnitOfWork,
    calendar: Calendar,
    current: CalendarObject | None,
    text: str,
    facts: ObjectFacts,
    locked: frozenset[str],
    now: int,
    *,
    keeps_answers: bool,
) -> Settled:
    """Check the new text of an event against the old (`ObjectRefused` names the precondition of §3.2.4), tell everybody
    concerned, and say what to store. `keeps_answers` as in `organizer.settle`."""
    if not takes_part(calendar, text, current.data if current else ""):
        return Settled(text, None)
    owner = await _owner(work, calendar)
    own = keys_of(owner.id, owner.email, owner.handle)
    before = _side(current.data, own) if current else None
    after = _side(text, own)
    _check(before, after)
    if after.role is not None and (before is None or before.role is None):
        await _check_unique(work, calendar, facts.uid)
    known = KnownFacts((text, calendar, owner.email.lower(), facts))
    deed = _Deed(work, owner, own, facts, locked, now, known)
    sent = after.item.copy()
    if after.role is not None:
        tidy_people(after.item)
    if before is not None and _is_bound(before):
        attendee.restore(before.item, after.item)
    tag = current.schedule_tag if current else None
    if after.role == "attendee":
        only_answers = before is not None and _is_same_but_answer(before.item, after.item)
        tag = tag if tag and only_answers else new_tag()
        await deed.answer(before.item if before and before.role else None, after.item)
    else:
        was = before.item if before and before.role == "organizer" else None
        tag = new_tag() if after.role else None
        await deed.invite(was, after.item if after.role else None, keeps_answers=keeps_answers)
    return Settled(text if after.item.calendar == sent.calendar else after.item.text(), tag)


async def settle_removal(
    work: UnitOfWork, calendar: Calendar, current: CalendarObject, locked: frozenset[str], now: int, *, answers: bool
) -> None:
    """Tell everybody that an event is gone: those invited that it is cancelled, the organizer that it was declined.
    Without `answers` the organizer is told nothing (`Schedule-Reply: F`, §8.1)."""
    if not takes_part(calendar, current.data):
        return
    owner = await _owner(work, calendar)
    own = keys_of(owner.id, owner.email, owner.handle)
    before = _side(current.data, own)
    facts = ObjectFacts(current.uid, current.component, current.start, current.end, (), False, "")
    deed = _Deed(work, owner, own, facts, locked, now)
    if before.role == "organizer":
        await deed.invite(before.item, None, keeps_answers=False)
    elif before.role == "attendee" and answers:
        await deed.answer(before.item, None)


async def need_people(
    work: UnitOfWork, calendar: Calendar, events: Sequence[CalendarObject], locked: frozenset[str]
) -> None:
    """`PeopleNeeded` unless the hosts of everybody in these events are locked: all at once, however many they are."""
    addresses: set[str] = set()
    for event in events:
        item = SchedulingObject.read(event.data)
        addresses |= {*item.attendees(), *([item.organizer] if item.organizer else [])}
    ids = {each.id for each in await members_at(work, calendar.org_id, addresses)} | {calendar.user_id}
    if events and ids - locked:
        raise PeopleNeeded(frozenset(ids))


@dataclass(slots=True)
class _Deed:
    """One person's change of one event."""

    work: UnitOfWork
    owner: CalendarUser
    own: frozenset[str]
    facts: ObjectFacts
    locked: frozenset[str]
    now: int
    known: KnownFacts = field(default_factory=KnownFacts)

    async def invite(
        self, before: SchedulingObject | None, after: SchedulingObject | None, *, keeps_answers: bool
    ) -> None:
        """As the organizer."""
        addresses = {*(before.attendees() if before else {}), *(after.attendees() if after else {})} - self.own
        post = await self._post(addresses)
        if after is not None:
            organizer.settle(before, after, self.own, keeps_answers=keeps_answers, members=post.members)
        told = await asyncio.to_thread(organizer.messages, before, after, self.own, self.now)
        for message in told:
            status = await post.send(message, is_over=self._is_over)
            if after is not None and status is not None:
                _note(after, message, status)
        if after is not None:
            organizer.forget_wishes(after)

    async def answer(self, before: SchedulingObject | None, after: SchedulingObject | None) -> None:
        """As somebody invited."""
        source = after or before
        if source is None or source.organizer is None:
            return
        answer = attendee.reply(before, after, self.own, self.now)
        status = None
        if answer is not None or before is None:
            post = await self._post({source.organizer, *source.attendees()} - self.own)
            if before is None and post.is_uninvited(source.organizer):
                raise ObjectRefused("attendee-allowed", "You are not invited to this event.")
            status = None if answer is None else await post.send(answer, is_over=self._is_over)
        if after is not None:
            attendee.settle(before, after, self.own, status)

    async def _post(self, addresses: set[str]) -> Post:
        return await Post.about(self.work, self.owner, self.facts.uid, addresses, self.locked, self.now, self.known)

    @property
    def _is_over(self) -> bool:
        return self.facts.end is not None and self.facts.end <= self.now


def _note(after: SchedulingObject, message: Message, status: str) -> None:
    """SCHEDULE-STATUS on the recipient's ATTENDEE lines (§3.2.9)."""
    for entry in after.entries:
        change_attendee(entry, frozenset({message.recipient}), SCHEDULE_STATUS=status)


def _side(text: str, own: frozenset[str]) -> _Side:
    item = SchedulingObject.read(text)
    if item.organizer is None:
        return _Side(item, None)
    if item.organizer in own:
        return _Side(item, "organizer")
    return _Side(item, "attendee" if participates(item, own) else None)


def _is_bound(side: _Side) -> bool:
    """Whether it is an invitation that is answered through the server."""
    return side.role == "attendee" and side.item.organizer_agent == SERVER


def _check(before: _Side | None, after: _Side) -> None:
    """The preconditions on a change (§3.2.4.2 to §3.2.4.4)."""
    if not after.item.has_one_organizer:
        raise ObjectRefused("same-organizer-in-all-components", "All parts of an event have the same organizer.")
    people = after.item.attendees()
    if len(people) > MAX_ATTENDEES or len(people) * _invitations(after.item) > MAX_INVITATIONS:
        detail = f"At most {MAX_ATTENDEES} people can be invited to an event, fewer to one with many exceptions."
        raise ObjectRefused("max-attendees-per-instance", detail)
    if before is None or before.role is None:
        return
    if before.role == "organizer" and after.item.organizer is not None and after.role != "organizer":
        raise ObjectRefused("allowed-organizer-scheduling-object-change", "The organizer of an event stays the same.")
    if _is_bound(before) and (after.role != "attendee" or not attendee.is_allowed(before.item, after.item)):
        detail = "When it is, who organizes it and who is invited is for its organizer to change."
        raise ObjectRefused("allowed-attendee-scheduling-object-change", detail)


def _invitations(item: SchedulingObject) -> int:
    return sum(len(entry.every("ATTENDEE")) for entry in item.entries)


async def _check_unique(work: UnitOfWork, calendar: Calendar, uid: str) -> None:
    """§3.2.4.1: an event of several people is in one of a person's calendars only."""
    for other, item in await work.scheduling.events_with([calendar.user_id], uid):
        if other.id != calendar.id and _HAS_ORGANIZER.search(item.data):
            detail = f"This event is in the calendar {other.display_name} already."
            raise ObjectRefused("unique-scheduling-object-resource", detail, item.name, other.name)


def _is_same_but_answer(before: SchedulingObject, after: SchedulingObject) -> bool:
    """Whether an attendee changed nothing that others could see but their answer: the tag stays (§3.2.10)."""
    if before.by_key.keys() != after.by_key.keys():
        return False
    return all(tells_the_same((before, before.by_key[key]), (after, entry)) for key, entry in after.by_key.items())


async def _owner(work: UnitOfWork, calendar: Calendar) -> CalendarUser:
    [owner] = await work.scheduling.members(calendar.org_id, [], [], [calendar.user_id])
    return owner

"""Deliver scheduling messages (RFC 6638 §3.2.5, §4): into the calendars and inboxes of members of the organization, and
by mail to everybody else. All within the transaction of the change that caused them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.domain.calendars import INBOX, PERSONAL, Calendar, ObjectFacts, etag_of
from app.domain.errors import HalfpastError
from app.domain.scheduling.addresses import MAILTO, PRINCIPAL_PATH, email_in, keys_of
from app.domain.scheduling.attendee import participates
from app.domain.scheduling.delivery import answered, cancelled, invited, with_answers
from app.domain.scheduling.messages import Message
from app.domain.scheduling.objects import SchedulingObject
from app.ports.calendar_store import ObjectWrite
from app.ports.outbox import NewJob
from app.ports.scheduling import CalendarUser
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import read_facts
from app.use_cases.expand_collection import expansion_job
from app.use_cases.ids import is_id, new_id
from app.use_cases.known_facts import KnownFacts
from app.use_cases.mirror import expansion_window

SENT, DELIVERED = "1.1", "1.2"
NOBODY, NO_AUTHORITY, FAILED = "3.7", "3.8", "5.1"
"""SCHEDULE-STATUS (RFC 6638 §3.2.9): what became of a message."""

DAY = 86400
MESSAGES_KEPT = 60 * DAY
MAX_MAILS_A_DAY = 500
"""Mails about one person's own events: enough for people, too few for a campaign."""


class PeopleNeeded(Exception):
    """The hosts with these ids must be locked too, before anything else is."""

    def __init__(self, ids: frozenset[str]) -> None:
        super().__init__("Further people take part.")
        self.ids = ids


def new_tag() -> str:
    """A schedule tag (§3.2.10), quotes included."""
    return f'"{new_id()}"'


def keys(person: CalendarUser) -> frozenset[str]:
    """All addresses of a member."""
    return keys_of(person.id, person.email, person.handle)


async def members_at(work: UnitOfWork, org_id: str, addresses: Iterable[str]) -> list[CalendarUser]:
    """The members of the organization behind these address keys."""
    emails, handles, ids = [], [], []
    for key in addresses:
        if key.startswith(MAILTO):
            emails.append(key.removeprefix(MAILTO))
        elif key.startswith(PRINCIPAL_PATH):
            handles.append(key.removeprefix(PRINCIPAL_PATH))
        elif is_id(key.removeprefix("urn:uuid:")):
            ids.append(key.removeprefix("urn:uuid:"))
    return await work.scheduling.members(org_id, emails, handles, ids) if emails or handles or ids else []


@dataclass(frozen=True, slots=True)
class Copy:
    """Where a member has the event, and how."""

    calendar: Calendar
    name: str
    text: str
    tag: str | None


@dataclass
class Post:
    """One sender's messages about one event. `members` are the people of the organization it is about, `locked` the
    hosts whose rows are locked: everybody's whose calendar is written."""

    work: UnitOfWork
    sender: CalendarUser
    uid: str
    now: int
    members: dict[str, CalendarUser] = field(default_factory=dict)
    _events: dict[str, Copy] = field(default_factory=dict)
    _boxes: dict[tuple[str, str], Calendar] = field(default_factory=dict)
    _mailed: int | None = None
    _facts: KnownFacts = field(default_factory=KnownFacts)
    _read: dict[str, SchedulingObject] = field(default_factory=dict)

    @classmethod
    async def about(
        cls,
        work: UnitOfWork,
        sender: CalendarUser,
        uid: str,
        addresses: Iterable[str],
        locked: frozenset[str],
        now: int,
        facts: KnownFacts | None = None,
    ) -> Post:
        """Find out who of these is of the organization, and where each has the event: three statements. `PeopleNeeded`
        when somebody's host is not locked yet. `facts` are those known of the event already."""
        people = [each for each in await members_at(work, sender.org_id, addresses) if each.id != sender.id]
        ids = [each.id for each in people]
        if missing := frozenset(ids) - locked:
            raise PeopleNeeded(missing | ({sender.id} if sender.id else set()))
        post = cls(work, sender, uid, now, {key: each for each in people for key in keys(each)})
        post._facts = facts or post._facts
        if people:
            for calendar, item in await work.scheduling.events_with(ids, uid):
                copy = Copy(calendar, item.name, item.data, item.schedule_tag)
                post._events.setdefault(calendar.user_id, copy)
            for box in await work.scheduling.calendars_of(ids, [PERSONAL, INBOX]):
                post._boxes[box.user_id, box.name] = box
        return post

    async def send(self, message: Message, *, is_over: bool) -> str | None:
        """Deliver one message: its SCHEDULE-STATUS, None when there is none to tell. What is over (`is_over`) is
        nobody's news outside."""
        member = self.members.get(message.recipient)
        if member is None:
            return None if is_over or message.is_told_again else await self._mail(message)
        try:
            if message.method == "REPLY":
                return await self._take_answer(member, message)
            return await self._take_invitation(member, message)
        except HalfpastError:
            return FAILED

    async def _take_invitation(self, member: CalendarUser, message: Message) -> str:
        """REQUEST or CANCEL: into the calendar where the event is, else into the default one (§4.3)."""
        sent, own = self._object(message.text), keys(member)
        there = self._events.get(member.id)
        known = self._object(there.text) if there else None
        if known is not None and known.organizer not in keys(self.sender):
            return NO_AUTHORITY
        made = invited(known, sent, own) if message.method == "REQUEST" else None
        if message.method == "CANCEL" and known is not None:
            made = cancelled(known, sent)
        if made is None:  # what they deleted or never had, or know better: no news
            return DELIVERED
        calendar = there.calendar if there else self._boxes.get((member.id, PERSONAL))
        if calendar is not None:
            name = there.name if there else f"{new_id()}.ics"
            await self._store(member, Copy(calendar, name, made.text(), new_tag()))
        await self._notify(member, message)
        return DELIVERED

    def is_uninvited(self, organizer: str) -> bool:
        """Whether the sender claims to be invited to a member's event that they are not invited to."""
        member = self.members.get(organizer)
        there = self._events.get(member.id) if member else None
        if there is None:
            return False
        return not participates(SchedulingObject.read(there.text), keys(self.sender))

    async def answered_by_mail(self, recipient: str, answer: Message) -> None:
        """Take a REPLY that came from outside to this member's event."""
        member = self.members.get(recipient)
        if member is not None:
            await self._take_answer(member, answer)

    async def _take_answer(self, member: CalendarUser, message: Message) -> str:
        """REPLY: the organizer's event shows the answer, and so do the copies of the other attendees."""
        there = self._events.get(member.id)
        if there is None:
            return NO_AUTHORITY
        known = SchedulingObject.read(there.text)
        if known.organizer not in keys(member):
            return NO_AUTHORITY
        made = answered(known, SchedulingObject.read(message.text))
        if made is not None:
            await self._store(member, replace(there, text=made.text()))
            await self._show_answers(made, member)
        await self._notify(member, message)
        return DELIVERED

    async def _show_answers(self, made: SchedulingObject, organizer: CalendarUser) -> None:
        for member in {each.id: each for each in self.members.values()}.values():
            there = self._events.get(member.id)
            if there is None or member.id == organizer.id:
                continue
            shown = with_answers(SchedulingObject.read(there.text), made, keys(member))
            if shown is not None:
                await self._store(member, replace(there, text=shown.text()))

    def _object(self, text: str) -> SchedulingObject:
        """The text read, to be changed by whoever asks: many are sent and have the same."""
        if text not in self._read:
            self._read[text] = SchedulingObject.read(text)
        return self._read[text].copy()

    async def _store(self, member: CalendarUser, copy: Copy) -> None:
        """Write a member's copy; its time is busy, or free, at once."""
        facts = await self._facts.read(copy.text, copy.calendar, member.email, self.now)
        await _store_as(self.work, copy, facts, self.now)
        self._events[member.id] = copy

    async def _notify(self, member: CalendarUser, message: Message) -> None:
        """Into the inbox, for devices that show what came (§4.1). Several messages are about one UID, so a message is
        known by its own name. Devices that never look at them leave them lying: they go by themselves."""
        inbox = self._boxes.get((member.id, INBOX))
        if inbox is None:
            return
        old = await self.work.scheduling.messages_before(inbox.id, self.now - MESSAGES_KEPT)
        if old:
            await self.work.calendars.remove_objects(inbox, old, self.now)
        name = f"{new_id()}.ics"
        item = self._object(message.text)
        kind = item.entries[0].name if item.entries else "VEVENT"
        write = ObjectWrite(name, name, kind, etag_of(message.text), message.text, self.now, None, (), None)
        await self.work.calendars.put_object(inbox, write, self.now)

    async def _mail(self, message: Message) -> str:
        """By the outbox, once per state: the same message asked for again is the same work."""
        email = email_in(message.recipient)
        if email is None or len(email) > 254:
            return NOBODY
        if self._mailed is None:
            self._mailed = await self.work.scheduling.mailed_since(self.sender.id, self.now - DAY)
        if self._mailed >= MAX_MAILS_A_DAY:
            return FAILED
        self._mailed += 1
        await self.work.scheduling.note_mail(self.sender.org_id, self.sender.id, self.uid, [email], self.now)
        payload = {"method": message.method, "to": email, "text": message.text, "at": self.now}
        lane = f"itip:{self.sender.id}:{state_of(message)}"
        job = NewJob(self.sender.org_id, lane, "scheduling_mail", self.sender.id, self.now, payload)
        await self.work.outbox.enqueue([job], self.now)
        return SENT


async def store_copy(work: UnitOfWork, copy: Copy, email: str, now: int) -> None:
    """Write the event of somebody with this e-mail address as it is there."""
    await _store_as(work, copy, await read_facts(copy.text, copy.calendar, frozenset({email.lower()}), now), now)


async def _store_as(work: UnitOfWork, copy: Copy, facts: ObjectFacts, now: int) -> None:
    await work.calendars.put_object(copy.calendar, write_of(copy.name, copy.text, facts, now, copy.tag), now)
    if facts.recurs_beyond:
        await work.outbox.enqueue([expansion_job(copy.calendar, now)], now)


def write_of(name: str, text: str, facts: ObjectFacts, now: int, tag: str | None) -> ObjectWrite:
    """An object as it is stored."""
    return ObjectWrite(
        name=name,
        uid=facts.uid,
        component=facts.component,
        etag=etag_of(text),
        data=text,
        start=facts.start,
        end=facts.end,
        busy=facts.busy,
        expanded_until=expansion_window(now)[1] if facts.recurs_beyond else None,
        schedule_tag=tag,
    )


def state_of(message: Message) -> str:
    """A name for what a message says to whom, whenever it was said."""
    lines = [line for line in message.text.split("\r\n") if not line.startswith("DTSTAMP")]
    return hashlib.sha256("\n".join([message.recipient, *lines]).encode()).hexdigest()[:40]

"""A person whose every word is a mark that nothing else holds, with bookings of every kind; and a search for the marks
in all tables and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import MetaData, Text, cast, insert, select, update

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.calendars import Calendar
from app.domain.links import Link
from app.domain.reminders import Reminder
from app.domain.repeats import Repeat
from app.domain.services import Need, ServiceHost
from app.domain.templates import Followup, Question
from app.ports.push import PushNote
from app.ports.texting import Text as SmsText
from app.use_cases.block_recipients import add_block
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_series import book_series
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.idempotency import Replay
from app.use_cases.ids import new_id
from app.use_cases.manage_clients import change_client, client_known_as
from app.use_cases.manage_links import change_link, create_one_time, create_template
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_schedules import create_schedule
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.worker import Worker
from tests.support.clock import at
from tests.support.workspace import ALL_DAY, Workspace, request

HOUR, DAY, WEEK, NIGHT = 3600, 86_400, 7 * 86_400, 1440
NINE = at("2027-03-04 09:00")
SECOND = "second.q@marked-domain.example.org"
"""Another address of theirs, which is filed under the same client by its number."""
EMAIL, PHONE = "Xavierona.Q@Marked-Domain.example.org", "+49 30 5550192"
WHO = Recipient("Xavierona Quibblesworth", EMAIL, PHONE)
ROBIN = Recipient("Robin Recipient", "robin@example.org", "+49 30 1112223")
GUEST = "theirfriend@marked-guest.example.net"
MARKS = (
    "xavierona", "quibblesworth", "marked-domain", "5550192", "theirfriend", "orchidnote", "estateanswer",
    "hospitalreason", "latepayer", "clientnote", "devicenote", "keptmark",
)  # fmt: skip
Values = dict[str, Any]
STAFF, THEMSELVES = Actor("user", "staff"), Actor("recipient", "them")
QUESTION = Question("topic", "What about?", "short")


@dataclass
class Marked:
    """What was made: all of the person's bookings by what they are, and those of others they are a guest of."""

    bookings: dict[str, Booking] = field(default_factory=dict)
    guest_of: dict[str, Booking] = field(default_factory=dict)
    robins: dict[str, Booking] = field(default_factory=dict)


async def mark(workspace: Workspace, write: Calendar | None = None) -> Marked:
    """Everything that can be told of somebody, and worked off, but for the last bookings, whose mails wait."""
    made = Marked()
    values: Values = {
        "name": "Q", "questions": (QUESTION,), "email_followup_enabled": True,
        "followup": Followup("How was it", "Hi", 0),
    }  # fmt: skip
    template = await create_template(workspace.ports, workspace.owner, values)
    reminders = (Reminder(60),)
    link = await workspace.link("intro", template_id=template.id, reminders=reminders, max_repeats=10, horizon_days=90)
    await _single(workspace, link, made)
    await _others(workspace, link, made)
    await _offers(workspace, made)
    await work(workspace)
    await _traces(workspace, link, made, write)
    await work(workspace)
    made.bookings["waiting"] = await book(workspace, link, NINE + 8 * HOUR)
    made.robins["waiting"] = await book(workspace, link, NINE + 9 * HOUR, recipient=ROBIN, guests=(EMAIL,), notes=None)
    made.guest_of["waiting"] = made.robins["waiting"]
    await add_block(workspace.ports, workspace.owner, "email", EMAIL, "Latepayer")
    await add_block(workspace.ports, workspace.owner, "phone", PHONE, None)
    return made


async def book(workspace: Workspace, link: Any, start: int, minutes: int = 30, **values: Any) -> Booking:
    """As the person, with all they can say."""
    said: Values = {"recipient": WHO, "answers": {"topic": "Estateanswer"}, "guests": (GUEST,), "notes": "Orchidnote"}
    said |= values
    if said["recipient"] is ROBIN:
        said["answers"] = {}
    key = f"key {link.id} {start} {said['recipient'].name}"
    return await workspace.book(link, start, minutes, Replay(key, "h", _render), **said)


async def _render(_: Any, booking: Booking) -> str:
    return f'{{"id":"{booking.id}","name":"{booking.recipient.name}","email":"{booking.recipient.email}"}}'


async def _single(workspace: Workspace, link: Link, made: Marked) -> None:
    """One that is over, one that was moved, one that was cancelled, one that waits for a yes, one by its own link."""
    ports, bookings = workspace.ports, made.bookings
    bookings["over"] = await book(workspace, link, workspace.clock.now // DAY * DAY + 20 * HOUR)
    bookings["plain"] = await book(workspace, link, NINE)
    moved = await book(workspace, link, NINE + HOUR)
    bookings["moved"] = await reschedule_booking(ports, moved.id, Move(NINE + 2 * HOUR), THEMSELVES)
    cancelled = await book(workspace, link, NINE + 3 * HOUR)
    bookings["cancelled"] = await take_step(ports, cancelled.id, "cancel", THEMSELVES, reason="Hospitalreason")
    approval = await workspace.link("ask", requires_approval=True)
    bookings["pending"] = await book(workspace, approval, NINE + 4 * HOUR, answers={})
    once = await create_one_time(ports, workspace.owner, link.id, recipient_email=EMAIL, slots=[], expires_at=None)
    bookings["one time"] = await book(workspace, once, NINE + 5 * HOUR)
    await create_one_time(ports, workspace.owner, link.id, recipient_email=EMAIL, slots=[], expires_at=None)
    said = request(NINE + 6 * HOUR, recipient=WHO, answers={"topic": "Estateanswer"}, notes="Orchidnote")
    bookings["by staff"] = await book_for_client(ports, workspace.owner, ClientBooking(said, link.id))
    other_address = Recipient("X. Quibblesworth", SECOND, PHONE)
    bookings["second"] = await book(workspace, link, NINE + 10 * HOUR, recipient=other_address)
    await create_one_time(ports, workspace.owner, link.id, recipient_email=SECOND, slots=[], expires_at=None)
    await edit_booking(ports, bookings["by staff"].id, {"internal_notes": "Latepayer"}, STAFF)


async def _others(workspace: Workspace, link: Link, made: Marked) -> None:
    """As a guest."""
    guests = (EMAIL.lower(), "other@example.net")
    made.guest_of["plain"] = await book(workspace, link, NINE + 7 * HOUR, recipient=ROBIN, guests=guests, notes=None)
    made.robins["plain"] = made.guest_of["plain"]


async def _offers(workspace: Workspace, made: Marked) -> None:
    """A class, a set, a stay."""
    ports, owner = workspace.ports, workspace.owner
    lesson = await create_service(
        ports, owner, {"name": "Lesson", "durations": (60,), "capacity": 4}, [], [ServiceHost(owner.id)]
    )
    classes = await workspace.link("lesson", service_id=lesson.id)
    made.bookings["seat"] = await book(workspace, classes, NINE + DAY, 60, answers={}, guests=())
    made.robins["seat"] = await book(workspace, classes, NINE + DAY, 60, recipient=ROBIN, guests=(), notes=None)
    weekly = await workspace.link("weekly", max_repeats=10, horizon_days=90)
    said = request(NINE + 2 * DAY, recipient=WHO, notes="Orchidnote", guests=(GUEST,), repeat=Repeat(3))
    series = await book_series(ports, workspace.token(weekly), said)
    made.bookings |= {f"set {number}": each for number, each in enumerate(series.bookings)}
    hours = await create_schedule(
        ports, owner,
        {"name": "House", "timezone": "UTC", "weekly": ALL_DAY, "overrides": (), "exclusions": (), "is_default": False,
         "holiday_country": None},
    )  # fmt: skip
    room = await create_resource(ports, owner, {"name": "Room"})
    shape: Values = {"name": "Room", "durations": (NIGHT,), "check_in": "15:00", "check_out": "11:00"}
    shape |= {"schedule_id": hours.id}
    stay = await create_service(ports, owner, shape, [Need(room.id)])
    nights = await workspace.link("room", service_id=stay.id)
    made.bookings["stay"] = await book(workspace, nights, at("2027-03-10 15:00"), NIGHT, answers={}, guests=())


async def _traces(workspace: Workspace, link: Link, made: Marked, write: Calendar | None) -> None:
    """What stands beside bookings: the client, the block list, notes and copies from devices, messages, work to do."""
    ports, owner, now = workspace.ports, workspace.owner, workspace.clock.now
    async with ports.read() as reading:
        client = await client_known_as(reading, owner, EMAIL.lower())
    await change_client(ports, owner, client.id, {"notes": "Clientnote"})
    await change_link(ports, owner, link.id, {"description": "Unmarked"})
    plain = made.bookings["plain"]
    (text,) = [
        row["data"] for row in await workspace.rows(m.calendar_objects)
        if row["booking_id"] == plain.id and (write is None or row["calendar_id"] != write.id)
    ]  # fmt: skip
    calendar_id = (await workspace.rows(select(m.calendars.c.id).where(m.calendars.c.name == "schedule")))[0]["id"]
    note: Values = {
        "booking_id": plain.id,
        "user_id": owner.id,
        "org_id": owner.org_id,
        "name": None,
        "updated_at": now,
    }
    kept: Values = {"id": new_id(), "org_id": owner.org_id, "user_id": owner.id, "calendar_id": calendar_id}
    kept |= {"name": "k.ics"}
    kept |= {"data": f"SUMMARY:Keptmark\r\n {EMAIL}", "reason": f"{EMAIL} moved", "device": "Phone", "kept_at": now}
    named: Values = {**kept, "id": new_id(), "reason": "", "name": "own.ics"}
    named |= {"data": f"UID:{plain.uid}\r\nSUMMARY:With {WHO.name}"}
    told: Values = {"user_id": owner.id, "uid": "event", "address": EMAIL.lower(), "org_id": owner.org_id}
    told |= {"sent_at": now}
    added: Values = {"account_id": _account(await workspace.rows(m.calendar_accounts)), "email": EMAIL.lower()}
    added |= {"org_id": owner.org_id, "added_at": now, "key": None}
    job: Values = {"id": new_id(), "org_id": owner.org_id, "lane": "x:put_contact", "kind": "put_contact"}
    job |= {"state": "dead"}
    job |= {
        "subject_id": new_id(),
        "payload": {"email": EMAIL.lower(), "name": WHO.name},
        "requested": 1,
        "attempts": 9,
    }
    job |= {"run_at": now, "created_at": now, "updated_at": now, "last_error": f"{EMAIL} is refused"}
    itip: Values = {**job, "id": new_id(), "lane": "x:mail", "kind": "scheduling_mail", "last_error": None}
    itip |= {"payload": {"to": EMAIL.lower(), "text": f"ATTENDEE;CN={WHO.name}:mailto:{EMAIL}", "method": "REQUEST"}}
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(insert(m.event_notes).values(**note, data="X-NOTE:Devicenote", plain=text))
        await connection.execute(insert(m.kept_edits), [kept, named])
        await connection.execute(insert(m.scheduling_mails).values(**told, mails=1))
        await connection.execute(insert(m.added_contacts).values(**added))
        await connection.execute(insert(m.outbox), [job, itip])
        failed = update(m.calendar_events).where(m.calendar_events.c.booking_id == plain.id)
        await connection.execute(failed.values(error=f"{WHO.name} is refused"))
        replied = update(m.bookings).where(m.bookings.c.id == plain.id)
        await connection.execute(replied.values(recipient_reply="declined"))
    await ports.texter.send(SmsText("sms", PHONE.replace(" ", ""), f"Dear {WHO.name}", f"{plain.id}.r1.recipient.1"))
    await ports.pusher.send(PushNote(new_id(), f"New: {WHO.name}", "", f"{plain.id}.new.1.x"))


def _account(rows: Sequence[Mapping[str, Any]]) -> str:
    return str(next(row["id"] for row in rows if row["provider"] == "builtin"))


async def work(workspace: Workspace, seconds: int = 0) -> None:
    """Let time pass, and do all that is due."""
    workspace.clock.advance(seconds)
    await Worker(workspace.ports, workspace.parts.handlers).drain()


async def places_in_tables(workspace: Workspace, marks: Sequence[str] = MARKS) -> dict[str, set[str]]:
    """Table and column → the marks in it, in tables as the database has them: whatever type a column is of, as text."""
    found: dict[str, set[str]] = {}
    async with workspace.parts.database.read.connect() as connection:
        there = MetaData()
        await connection.run_sync(there.reflect)
        for table in there.sorted_tables:
            for column in table.columns:
                for (text,) in await connection.execute(select(cast(column, Text)).select_from(table)):
                    hits = {mark for mark in marks if mark in (text or "").lower()}
                    if hits:
                        found.setdefault(f"{table.name}.{column.name}", set()).update(hits)
    return found


def places_in_files(workspace: Workspace, marks: Sequence[str] = MARKS) -> dict[str, set[str]]:
    """The same for the data folder, but for the mails and the database itself."""
    folder = workspace.parts.settings.data_dir
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if not path.is_file() or inside.parts[0] == "mail" or ".db" in path.name or "sqlite" in path.name:
            continue
        text = path.read_bytes().decode(errors="replace").lower() + str(inside).lower()
        if hits := {mark for mark in marks if mark in text}:
            found[str(inside)] = hits
    return found


async def mails_to(workspace: Workspace, address: str) -> int:
    """How many lie in the folder."""
    folder = workspace.ports.mail_folder
    assert folder is not None
    return sum(address.lower() in mail.to.lower() for mail in await folder.list_mails(10_000))


async def kept_answers(workspace: Workspace, words: Sequence[str]) -> int:
    """How many sealed answers tell of them."""
    async with workspace.ports.read() as reading:
        return len(await reading.idempotency.holding(words))

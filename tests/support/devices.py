"""What devices do to the bookings of a person, and looks behind the server: what tests of schedules share."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.ports.mail_folder import StoredMail
from app.worker import Worker
from tests.support.clock import at
from tests.support.dav_server import Person
from tests.support.workspace import Row

NINE = at("2027-03-02 09:00")
TEN = at("2027-03-02 10:00")
GRACE = 121


def stamp(instant: int) -> str:
    """The instant as iCalendar has it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y%m%dT%H%M%SZ")


def href(person: Person, booking: Booking) -> str:
    """Where the booking's event is."""
    return f"{person.schedule}{booking.id}.ics"


def read(person: Person, booking: Booking) -> Any:
    """The answer to a GET of the booking's event."""
    response = person.request("GET", href(person, booking))
    assert response.status_code == 200, response.text
    return response


def moved(text: str, start: int, minutes: int = 30) -> str:
    """The event at another time, as clients that write UTC do it."""
    text = re.sub(r"DTSTART[^\r]*", f"DTSTART:{stamp(start)}", text)
    return re.sub(r"DTEND[^\r]*", f"DTEND:{stamp(start + minutes * 60)}", text)


def with_line(text: str, *lines: str) -> str:
    """The event with more lines."""
    return text.replace("END:VEVENT\r\n", "".join(f"{line}\r\n" for line in lines) + "END:VEVENT\r\n")


def put(person: Person, booking: Booking, text: str, **headers: str) -> Any:
    """The answer to a PUT of the booking's event."""
    return person.request("PUT", href(person, booking), text, **{"Content_Type": "text/calendar", **headers})


def stored(person: Person, booking: Booking) -> Booking:
    """The booking as the database has it."""
    return person.server.run(person.server.workspace.stored(booking))


def rows(person: Person, query: Any) -> list[Row]:
    """The rows of a query."""
    return list(person.server.run(person.server.workspace.rows(query)))


def work(person: Person, seconds: int = 0) -> None:
    """Let time pass, then do all that is due."""
    workspace = person.server.workspace
    person.server.clock.advance(seconds)
    person.server.run(Worker(workspace.ports, workspace.parts.handlers).drain())


def mails(person: Person, booking: Booking) -> list[tuple[str, str, int]]:
    """(address, state, sequence) of what was told of the booking's state."""
    told = m.mail_deliveries.c
    where = (told.booking_id == booking.id, told.kind == "state")
    found = rows(person, select(told.address, told.status, told.sequence).where(*where))
    return sorted((row["address"], row["status"], row["sequence"]) for row in found)


def audit(person: Person, booking: Booking) -> list[tuple[str, str, str | None]]:
    """(action, kind of actor, device) of all that was done to it."""
    entries = m.audit_entries.c
    found = rows(person, select(m.audit_entries).where(entries.entity_id == booking.id).order_by(entries.id))
    return [(row["action"], row["actor_kind"], row["changes"].get("device")) for row in found]


def kept(person: Person) -> list[Row]:
    """What was kept for the person of edits that were refused."""
    return rows(person, select(m.kept_edits).where(m.kept_edits.c.user_id == person.user.id))


def posted(person: Person, booking: Booking) -> list[tuple[str, str]]:
    """(address, subject without its details) of every mail about the booking."""
    mails = [each for each in mailed(person) if booking.id in each.message_id]
    return sorted((parseaddr(each.to)[1], each.subject.partition(":")[0]) for each in mails)


def mailed(person: Person) -> list[StoredMail]:
    """All mails so far."""
    folder = person.server.workspace.parts.mail_folder
    assert folder is not None
    return person.server.run(folder.list_mails(10_000))

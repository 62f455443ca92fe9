"""People of one organization who invite each other, and short ways to look at what each of them has."""

from dataclasses import dataclass
from typing import Any

from app.domain.content_lines import Component, read_calendar
from app.use_cases.ids import new_id
from tests.support.clock import at
from tests.support.dav_server import Person
from tests.support.ical import calendar

TUESDAY = "DTSTART:20270302T090000Z"
EVENT = ("DURATION:PT1H", "SUMMARY:Planning")


@dataclass
class Table:
    """Ana, who invites, and Ben and Cem, who are invited."""

    ana: Person
    ben: Person
    cem: Person


def address(person: Person) -> str:
    return f"mailto:{person.user.email}"


def invitation(uid: str, organizer: Person, *people: Person, lines: tuple[str, ...] = (), start: str = TUESDAY) -> str:
    """An event of the organizer's with these people."""
    return calendar([f"UID:{uid}", start, *EVENT, *people_lines(organizer, *people), *lines])


def people_lines(organizer: Person, *people: Person) -> list[str]:
    return [
        f"ORGANIZER;CN=Ana:{address(organizer)}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:{address(organizer)}",
        *(f"ATTENDEE;CN={each.user.name};RSVP=TRUE;PARTSTAT=NEEDS-ACTION:{address(each)}" for each in people),
    ]


def members(person: Person, collection: str = "personal") -> dict[str, str]:
    """Texts by address of what is in one of the person's collections."""
    found = person.dav(
        "PROPFIND", f"{person.home}{collection}/", "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>", depth="1"
    )
    hrefs = [href for href in found.hrefs if not href.endswith("/")]
    return {href: person.request("GET", href).text for href in hrefs}


def only(person: Person, collection: str = "personal") -> tuple[str, str]:
    """The one object there."""
    [item] = members(person, collection).items()
    return item


def event(text: str, number: int = 0) -> Component:
    """One of the events of a text."""
    return [each for each in read_calendar(text).children if each.name == "VEVENT"][number]


def attendee(text: str, person: Person, number: int = 0) -> Any:
    """The ATTENDEE line of somebody."""
    return next(line for line in event(text, number).every("ATTENDEE") if line.value == address(person))


def organizer(text: str) -> Any:
    """The ORGANIZER line."""
    return event(text).first("ORGANIZER")


def answer(person: Person, partstat: str, **headers: str) -> Any:
    """Give an answer by changing the person's own copy."""
    href, text = only(person)
    line = attendee(text, person)
    unfolded = text.replace("\r\n ", "")
    changed = unfolded.replace(line.text(), line.with_param("PARTSTAT", partstat).text())
    return person.request("PUT", href, changed, Content_Type="text/calendar", **headers)


def methods(person: Person) -> list[str]:
    """The methods of the messages in the inbox, oldest first."""
    return [read_calendar(text).value("METHOD") for _, text in sorted(members(person, "inbox").items())]


def free(person: Person) -> list[int]:
    """The starts offered on Tuesday 2 March."""

    async def ask() -> list[int]:
        workspace = person.server.workspace
        link = await workspace.link(f"free-{new_id()}", person.user)
        return await workspace.free(link, at("2027-03-02 00:00"), at("2027-03-02 00:00"))

    return person.server.run(ask())

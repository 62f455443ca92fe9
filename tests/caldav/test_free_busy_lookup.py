"""POST to the outbox: when people of the organization are busy (RFC 6638 §5), and when they work (RFC 7953)."""

import pytest
import requests
from lxml import etree

from app.domain.content_lines import Component, read_calendar
from tests.support.clock import at
from tests.support.dav_server import NAMESPACES, DavServer, Person, condition
from tests.support.ical import ics


def question(organizer: Person, *people: str, start: str = "20270302T000000Z", end: str = "20270303T000000Z") -> str:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Device//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY",
        "UID:lookup", "DTSTAMP:20270101T000000Z", f"DTSTART:{start}", f"DTEND:{end}",
        f"ORGANIZER:mailto:{organizer.user.email}", *(f"ATTENDEE:{each}" for each in people), "END:VFREEBUSY",
        "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines)


def ask(person: Person, text: str) -> requests.Response:
    return person.request("POST", f"{person.home}outbox/", text, Content_Type="text/calendar")


def answers(response: requests.Response) -> dict[str, tuple[str, Component | None]]:
    """Status and VFREEBUSY by recipient."""
    assert response.status_code == 200, response.text
    found = {}
    for each in etree.fromstring(response.content).findall("C:response", NAMESPACES):
        data = each.findtext("C:calendar-data", namespaces=NAMESPACES)
        free_busy = read_calendar(data).children[0] if data else None
        recipient = str(each.findtext("C:recipient/D:href", namespaces=NAMESPACES))
        found[recipient] = (str(each.findtext("C:request-status", namespaces=NAMESPACES)), free_busy)
    return found


def periods(free_busy: Component | None, kind: str) -> str:
    assert free_busy is not None
    return ",".join(line.value for line in free_busy.every("FREEBUSY") if line.param("FBTYPE") == kind)


def test_bookings_and_events_are_busy_and_say_no_more(ana: Person, server: DavServer) -> None:
    ben = server.person()
    ben.put("a.ics", ics("secret", "SUMMARY:Dentist", start="20270302T100000Z", end="20270302T103000Z"))
    ben.put("b.ics", ics("free", "TRANSP:TRANSPARENT", start="20270302T150000Z"))
    ben.book(at("2027-03-02 13:00"))
    address = f"mailto:{ben.user.email}"
    response = ask(ana, question(ana, address))
    status, free_busy = answers(response)[address]
    assert status.startswith("2.0")
    assert periods(free_busy, "BUSY") == ("20270302T100000Z/20270302T103000Z,20270302T130000Z/20270302T133000Z")
    assert "Dentist" not in response.text
    assert "secret" not in response.text


def test_time_outside_working_hours_is_told_as_such(ana: Person, server: DavServer) -> None:
    ben = server.person()
    server.run(server.workspace.hours(ben.user, {"tue": [("09:00", "17:00")]}))
    ben.put("a.ics", ics("early", start="20270302T080000Z", end="20270302T100000Z"))
    _, free_busy = answers(ask(ana, question(ana, ben.principal)))[ben.principal]
    assert periods(free_busy, "BUSY") == "20270302T080000Z/20270302T100000Z"
    assert periods(free_busy, "BUSY-UNAVAILABLE") == (
        "20270302T000000Z/20270302T080000Z,20270302T170000Z/20270303T000000Z"
    )


def test_people_outside_the_organization_are_not_known(ana: Person, server: DavServer) -> None:
    stranger = server.stranger()
    outside, nobody = f"mailto:{stranger.user.email}", "urn:x-nowhere:1"
    found = answers(ask(ana, question(ana, outside, nobody)))
    assert found[outside] == ("5.3;No scheduling support for user", None)
    assert found[nobody] == ("3.7;Invalid calendar user", None)


def test_times_without_a_zone_are_those_of_who_asks(server: DavServer) -> None:
    ana = server.person(timezone="Asia/Kolkata")
    found = answers(ask(ana, question(ana, ana.principal, start="20270302T053000", end="20270302T063000")))
    free_busy = found[ana.principal][1]
    assert free_busy is not None
    assert (free_busy.value("DTSTART"), free_busy.value("DTEND")) == ("20270302T000000Z", "20270302T010000Z")


def test_nobody_asks_in_anothers_name(ana: Person, server: DavServer) -> None:
    ben = server.person()
    assert condition(ask(ana, question(ben, ben.principal))) == "C:organizer-allowed"
    theirs = ana.request("POST", f"{ben.home}outbox/", question(ben, ben.principal), Content_Type="text/calendar")
    assert theirs.status_code == 403


@pytest.mark.parametrize(
    "broken",
    [
        ("METHOD:REQUEST", "METHOD:REPLY"),
        ("VFREEBUSY", "VEVENT"),
        ("DTEND:20270303T000000Z", "DTEND:20370303T000000Z"),
        ("DTEND:20270303T000000Z", "DTEND:20270301T000000Z"),
        ("DTSTART:20270302T000000Z", "DTSTART:now"),
        ("UID:lookup", "SUMMARY:none"),
    ],
)
def test_what_is_no_lookup_is_refused(lite: Person, broken: tuple[str, str]) -> None:
    refused = ask(lite, question(lite, lite.principal).replace(*broken))
    assert refused.status_code == 403
    assert condition(refused) == "C:valid-scheduling-message"


@pytest.mark.parametrize("body", ["<?xml version='1.0'?><mkcalendar/>", "BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\n", ""])
def test_what_is_no_calendar_breaks_another_precondition(lite: Person, body: str) -> None:
    refused = ask(lite, body)
    assert refused.status_code == 403
    assert condition(refused) == "C:valid-calendar-data"

"""What an object may be at most is told, and held (RFC 4791 §5.2.5-5.2.9 and §5.3.2.1)."""

import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from calendar_feeds.caldav import multiget
from calendar_feeds.caldav.resources import Location, locate_href
from tests.caldav.test_own_calendars import make
from tests.support.dav_server import Person, basic, condition, declared
from tests.support.ical import calendar, ics


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ics("a", start="15991231T230000Z"), "C:min-date-time"),
        (calendar(["UID:a", "DUE;VALUE=DATE:10000101"], kind="VTODO"), "C:min-date-time"),
        (ics("a", "RRULE:FREQ=DAILY;COUNT=20001"), "C:max-instances"),
        (ics("a", "RRULE:FREQ=HOURLY;UNTIL=20400101T000000Z"), "C:max-instances"),
        (ics("a", "RRULE:FREQ=SECONDLY;UNTIL=20270401T000000Z"), "C:max-instances"),
        (ics("a", *["ATTENDEE:mailto:x@example.com"] * 5001), "C:max-attendees-per-instance"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_by_its_precondition(lite: Person, text: str, expected: str) -> None:
    response = lite.put("a.ics", text)
    assert (response.status_code, condition(response)) == (403, expected)


@pytest.mark.parametrize(
    "text",
    [
        ics("a", start=";VALUE=DATE:16040229"),  # a birthday without a year, as Apple writes it
        ics("a", "RRULE:FREQ=DAILY"),
        ics("a", "RRULE:FREQ=DAILY;COUNT=20000"),
        ics("a", "RRULE:FREQ=WEEKLY;UNTIL=21270101T000000Z"),
        ics("a", "RRULE:FREQ=MINUTELY;UNTIL=20270301T120000Z"),
        calendar(
            ["UID:a", "DTSTART;TZID=Mine:20270301T090000", "DURATION:PT1H"],
            extra=[
                "BEGIN:VTIMEZONE", "TZID:Mine", "BEGIN:STANDARD", "DTSTART:00010101T000000", "TZOFFSETFROM:+0100",
                "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE",
            ],
        ),
    ],
)  # fmt: skip
def test_what_devices_really_write_is_within_the_limits(lite: Person, text: str) -> None:
    assert lite.put("a.ics", text).status_code == 201


def test_the_limits_are_told(lite: Person) -> None:
    names = ("max-resource-size", "min-date-time", "max-date-time", "max-instances", "max-attendees-per-instance")
    body = "".join(f"<C:{each}/>" for each in names)
    answer = lite.dav("PROPFIND", lite.personal, f"<D:propfind><D:prop>{body}</D:prop></D:propfind>")
    assert [answer.text(lite.personal, f"C:{each}") for each in names] == [
        "1000000", "16000101T000000Z", "99991231T235959Z", "20000", "5000",
    ]  # fmt: skip
    asked = "<D:propfind><D:prop><C:supported-collation-set/></D:prop></D:propfind>"
    element = lite.dav("PROPFIND", lite.personal, asked).found(lite.personal, "C:supported-collation-set")
    assert element is not None
    assert [each.text for each in element] == ["i;ascii-casemap", "i;octet", "i;unicode-casemap"]


@pytest.mark.parametrize("number", ["9223372036854775807", "9" * 5000])
def test_a_limit_larger_than_any_calendar_is_none(ana: Person, number: str) -> None:
    ana.put("a.ics", ics("a"))
    limit = f"<C:limit><C:nresults>{number}</C:nresults></C:limit>"
    assert ana.sync(more=limit.replace("C:", "D:")).hrefs == [f"{ana.personal}a.ics"]
    every = '<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
    query = f"<C:calendar-query><D:prop><D:getetag/></D:prop>{every}{limit}</C:calendar-query>"
    assert ana.dav("REPORT", ana.personal, query, depth="1").hrefs == [f"{ana.personal}a.ics"]


def test_no_request_asks_so_much_of_everything_that_all_others_wait(lite: Person) -> None:
    names = "".join(f"<D:x{number}/>" for number in range(301))
    properties = "".join(f'<D:property name="x{number}"/>' for number in range(301))
    text = "<D:property-search><D:prop><D:displayname/></D:prop><D:match>a</D:match></D:property-search>"
    for method, path, body in (
        ("PROPFIND", lite.personal, f"<D:propfind><D:prop>{names}</D:prop></D:propfind>"),
        ("PROPFIND", lite.personal, f"<D:propfind><D:allprop/><D:include>{names}</D:include></D:propfind>"),
        ("REPORT", lite.personal, f"<D:sync-collection><D:sync-token/><D:prop>{names}</D:prop></D:sync-collection>"),
        ("REPORT", lite.principal, f"<D:expand-property>{properties}</D:expand-property>"),
        ("REPORT", "/dav/principals/", f"<D:principal-property-search>{text * 21}</D:principal-property-search>"),
    ):
        refused = lite.request(method, path, declared(body), Depth="0")
        assert (refused.status_code, "at once" in refused.text) == (403, True), body[:60]


def test_an_address_is_looked_at_as_often_however_many_calendars_there_are(
    lite: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(address: str) -> Location | None:
        looked.append(address)
        return locate_href(address)

    monkeypatch.setattr(multiget, "locate_href", look)
    calendars = [make(lite, f"c{number}") for number in range(5)]
    asked = "".join(f"<D:href>{each}none.ics</D:href>" for each in calendars)
    body = f"<C:calendar-multiget><D:prop><D:getetag/></D:prop>{asked}</C:calendar-multiget>"
    assert len(lite.dav("REPORT", lite.home, body).hrefs) == 5
    assert len(looked) <= 2 * 5


def test_who_sends_slowly_keeps_nobody_waiting(ana: Person) -> None:
    """More of them than there are connections to the database."""
    where = urlsplit(ana.server.url)
    begun = (
        f"REPORT {ana.personal} HTTP/1.1\r\nHost: here\r\nContent-Length: 500\r\n"
        f"Authorization: {basic(ana.user.handle, ana.password)}\r\n\r\n<D:sync-collection"
    )
    with ExitStack() as sockets:
        for _ in range(40):
            each = sockets.enter_context(socket.create_connection((where.hostname, where.port)))
            each.sendall(begun.encode())
        time.sleep(0.5)  # until all of them are being waited for
        assert ana.sync().response.status_code == 207

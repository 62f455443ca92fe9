"""Nothing that strangers send gives a 500, and nothing takes long."""

import random
import time

import pytest

from tests.support.dav_server import Person, declared
from tests.support.ical import calendar, ics
from tests.unit.test_hostile_objects import TOLD

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + ']><D:propfind xmlns:D="DAV:"><D:prop>&j;</D:prop></D:propfind>'
)
FILE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    '<D:propfind xmlns:D="DAV:"><D:prop><D:displayname/>&f;</D:prop></D:propfind>'
)
BROKEN = {
    "nothing closed": "<D:propfind xmlns:D='DAV:'><D:prop>",
    "no namespace": "<propfind><prop/></propfind>",
    "undeclared": "<D:propfind/>",
    "another root": "<D:options xmlns:D='DAV:'/>",
    "text": "hello",
    "binary": "\x00\x01\x02",
    "bomb": BOMB,
    "file": FILE,
    "unknown encoding": '<?xml version="1.0" encoding="klingon"?><D:propfind xmlns:D="DAV:"/>',
    "deep": "<D:propfind xmlns:D='DAV:'>" + "<x>" * 5000 + "</x>" * 5000 + "</D:propfind>",
}


@pytest.mark.parametrize("method", ["PROPFIND", "REPORT", "PROPPATCH"])
@pytest.mark.parametrize("kind", BROKEN)
def test_broken_xml_is_a_client_error(lite: Person, method: str, kind: str) -> None:
    begun = time.process_time()
    response = lite.request(method, lite.personal, BROKEN[kind], Depth="1")
    assert 400 <= response.status_code < 500
    assert b"root:" not in response.content
    assert time.process_time() - begun < 1


def test_a_body_that_is_too_large_is_413(lite: Person) -> None:
    response = lite.request("PROPFIND", lite.personal, "<x>" + " " * 5_000_000, Depth="0")
    assert response.status_code == 413
    assert lite.request("PROPFIND", lite.personal, Depth="0").status_code == 207


@pytest.mark.parametrize(
    "body",
    [
        "<D:sync-collection><D:prop/><D:limit><D:nresults>x</D:nresults></D:limit></D:sync-collection>",
        "<D:sync-collection><D:prop/><D:limit><D:nresults>-1</D:nresults></D:limit></D:sync-collection>",
        "<D:sync-collection><D:prop/><D:limit/></D:sync-collection>",
        "<D:sync-collection><D:sync-level>many</D:sync-level><D:prop/></D:sync-collection>",
        "<D:sync-collection/>",
        "<C:calendar-query/>",
        "<C:calendar-query><D:prop/><C:filter/></C:calendar-query>",
        '<C:calendar-query><C:filter><C:comp-filter name="VEVENT"/></C:filter></C:calendar-query>',
        "<C:calendar-multiget/>",
        '<D:expand-property><D:property name="a b"/></D:expand-property>',
        "<D:expand-property><D:property/></D:expand-property>",
    ],
)
def test_reports_that_lack_what_they_need_are_client_errors(lite: Person, body: str) -> None:
    lite.put("a.ics", ics("a"))
    for path in (lite.personal, lite.personal + "a.ics", lite.principal, "/dav/"):
        assert 400 <= lite.request("REPORT", path, declared(body), Depth="1").status_code < 500


def test_strange_addresses_in_a_multiget_are_missing(lite: Person) -> None:
    strange = [
        "",
        " ",
        "http://[::1",
        "%",
        "%ff",
        "//",
        "mailto:a@b",
        "/dav/calendars/" + "x" * 3000,
        "../../etc/passwd",
    ]
    hrefs = "".join(f"<D:href>{each}</D:href>" for each in strange)
    body = declared(f"<C:calendar-multiget><D:prop><D:getetag/></D:prop>{hrefs}</C:calendar-multiget>")
    response = lite.request("REPORT", lite.personal, body, Depth="1")
    assert response.status_code == 207
    assert response.text.count("404 Not Found") == len({each.strip() for each in strange})


@pytest.mark.parametrize(
    "text",
    [
        calendar(["UID:a", "DTSTART:99999999T999999Z"]),
        calendar(["UID:a", "DTSTART:00010101T000000Z", "DTEND:99991231T235959Z"]),
        calendar(["UID:a", "DTSTART;VALUE=DATE:99991231", "RRULE:FREQ=DAILY"]),
        ics("a", "RRULE:FREQ=SECONDLY"),
        ics("a", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        ics("a", "RRULE:FREQ=NEVER;INTERVAL=0"),
        ics("a", "RRULE:FREQ=DAILY;COUNT=999999999"),
        ics("a", "RRULE:FREQ=MINUTELY;BYSETPOS=-1;BYDAY=MO"),
        ics("a", "EXDATE:nonsense", "RDATE;VALUE=PERIOD:20270301T000000Z/nonsense"),
        ics("a", "DURATION:P99999999999D"),
        ics("a", start=";TZID=No/Where:20270301T090000"),
        ics("a", *["ATTENDEE:mailto:x@example.com"] * 3000),
        "BEGIN:VCALENDAR\r\n" * 50 + "END:VCALENDAR\r\n" * 50,
        ics("a" * 2000),
        "\ufeff" + ics("a"),
        ics("a").replace("\r\n", "\n"),
        ics("a", "SUMMARY:" + "\\" * 999),
    ],
)
def test_strange_events_are_kept_or_refused_and_then_all_reports_still_work(lite: Person, text: str) -> None:
    begun = time.process_time()
    assert lite.put("a.ics", text).status_code in {201, 403}
    assert time.process_time() - begun < 2
    for limits in (
        'start="20270301T000000Z" end="20270401T000000Z"',
        'start="20270301T000000Z"',
        'end="20270301T000000Z"',
    ):
        body = (
            "<C:calendar-query><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name='VCALENDAR'>"
            f"<C:comp-filter name='VEVENT'><C:time-range {limits}/></C:comp-filter></C:comp-filter></C:filter>"
            "</C:calendar-query>"
        )
        lite.dav("REPORT", lite.personal, body, depth="1")
    lite.dav("PROPFIND", lite.personal, "", depth="1")
    assert time.process_time() - begun < 10


def mutated(text: str, chance: random.Random) -> bytes:
    """The text with a few bytes changed, lost, doubled or swapped."""
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 30)]
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 30)]
            case _:
                data[at:at] = chance.choice([b"<", b">", b"&", b"\r\n", b";", b":", b"BEGIN:VEVENT\r\n", b"\xff"])
        if not data:
            return b""
    return bytes(data)


REQUESTS = [
    "<D:propfind><D:prop><D:getetag/><C:calendar-data/><D:resourcetype/></D:prop></D:propfind>",
    "<D:sync-collection><D:sync-token/><D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>",
    (
        "<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name='VCALENDAR'>"
        "<C:comp-filter name='VEVENT'><C:time-range start='20270301T000000Z' end='20270401T000000Z'/>"
        "<C:prop-filter name='SUMMARY'><C:text-match collation='i;octet' negate-condition='yes'>x</C:text-match>"
        "<C:param-filter name='LANGUAGE'><C:is-not-defined/></C:param-filter></C:prop-filter></C:comp-filter>"
        "</C:comp-filter></C:filter></C:calendar-query>"
    ),
    "<D:propertyupdate><D:set><D:prop><D:displayname>x</D:displayname></D:prop></D:set></D:propertyupdate>",
    "<D:expand-property><D:property name='owner'><D:property name='displayname'/></D:property></D:expand-property>",
]


@pytest.mark.parametrize("name", sorted(TOLD))
def test_events_made_to_exhaust_the_server_end_within_a_bound(lite: Person, name: str) -> None:
    """Refused, or kept with a time that is busy; and the collection can be read after it."""
    text = TOLD[name]()
    began = time.process_time()
    response = lite.put("hostile.ics", text)
    assert response.status_code in {201, 403, 413}, response.text[:300]
    lite.dav("PROPFIND", lite.personal, "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>", depth="1")  # 207
    assert time.process_time() - began < 15
    if response.status_code == 201:
        assert lite.request("DELETE", lite.personal + "hostile.ics").status_code == 204


def test_mutated_requests_never_fail_here(lite: Person, soak: bool) -> None:
    chance = random.Random(20270301)  # noqa: S311  # the same cases each time
    lite.put("a.ics", ics("a", "RRULE:FREQ=DAILY"))
    for _ in range(3000 if soak else 300):
        body = mutated(declared(chance.choice(REQUESTS)), chance)
        method = chance.choice(["PROPFIND", "REPORT", "PROPPATCH"])
        path = chance.choice([lite.personal, lite.personal + "a.ics", lite.home, lite.principal])
        assert lite.request(method, path, body, Depth=chance.choice("01")).status_code < 500, body


def test_mutated_events_never_fail_here(lite: Person, soak: bool) -> None:
    chance = random.Random(20270302)  # noqa: S311  # the same cases each time
    whole = calendar(
        ["UID:w", "DTSTART;TZID=Europe/Berlin:20270302T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=5",
         "EXDATE;TZID=Europe/Berlin:20270316T090000", "SUMMARY:Ä \\, b", "ATTENDEE;CN=\"x\":mailto:a@example.com"],
        ["UID:w", "RECURRENCE-ID;TZID=Europe/Berlin:20270323T090000", "DTSTART:20270324T090000Z", "DURATION:PT1H"],
    )  # fmt: skip
    for number in range(3000 if soak else 300):
        response = lite.request("PUT", f"{lite.personal}{number % 7}.ics", mutated(whole, chance))
        assert response.status_code < 500
    lite.dav("PROPFIND", lite.personal, "<D:propfind><D:prop><C:calendar-data/></D:prop></D:propfind>", depth="1")

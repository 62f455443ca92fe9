"""Whatever is sent as an event with people, or as a lookup, is stored or refused, and soon."""

import re
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.caldav.test_free_busy_lookup import ask, question
from tests.support.dav_server import DavServer, Person
from tests.support.ical import calendar

PLAIN = [
    "UID:hostile", "DTSTART;TZID=Europe/Berlin:20270302T090000", "DTEND;TZID=Europe/Berlin:20270302T100000",
    "RRULE:FREQ=DAILY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20270303T090000", "SEQUENCE:1",
]  # fmt: skip
ODD = [
    "ATTENDEE:", "ATTENDEE;PARTSTAT:mailto:x", "ATTENDEE:mailto:a%00b@example.com", "ATTENDEE:mailto:%%%",
    "ATTENDEE;CN=\"unclosed:mailto:y@example.com", "ATTENDEE:http://[::1", "ATTENDEE;SCHEDULE-AGENT=:urn:x",
    "ATTENDEE:urn:uuid:not-an-id", "ATTENDEE:/dav/principals/%00/", "ATTENDEE:" + "x" * 5000, "ORGANIZER:",
    "ORGANIZER:mailto:", "ORGANIZER;SCHEDULE-STATUS=9:mailto:who@example.com", "EXDATE:", "EXDATE:20270303,,x",
    "EXDATE;TZID=No/Where:20270303T090000",
    "RECURRENCE-ID:", "RECURRENCE-ID:99991231T235959Z", "RECURRENCE-ID;VALUE=DATE:20270303", "DTSTART:00010101T000000Z",
    "DTEND:99991231T235959Z", "SEQUENCE:-1", "SEQUENCE:99999999999999999999", "STATUS:CANCELLED",
    "DTSTART;VALUE=DATE:20270302",
    "RDATE;VALUE=PERIOD:20270302T090000Z/PT1H", "DURATION:P99999W",
]  # fmt: skip


def event(organizer: Person, guest: Person, lines: list[str], second: list[str]) -> str:
    people = [f"ORGANIZER:mailto:{organizer.user.email}", f"ATTENDEE:mailto:{guest.user.email}"]
    extra = ["UID:hostile", "RECURRENCE-ID;TZID=Europe/Berlin:20270304T090000",
             "DTSTART;TZID=Europe/Berlin:20270304T110000", "DURATION:PT1H"]  # fmt: skip
    return calendar([*lines, *people], [*extra, *second, *people])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_odd_events_are_stored_or_refused(server: DavServer, ana: Person, data: st.DataObject) -> None:
    ben = server.person()
    for _ in range(3):
        lines = [*PLAIN, *data.draw(st.lists(st.sampled_from(ODD), max_size=3))]
        dropped = data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=2))
        kept = [line for number, line in enumerate(lines) if number not in dropped]
        text = event(ana, ben, kept, data.draw(st.lists(st.sampled_from(ODD), max_size=2)))
        began = time.process_time()
        response = ana.put("hostile.ics", text)
        assert response.status_code in {201, 204, 403}, response.text
        assert time.process_time() - began < 5
    ana.request("DELETE", ana.personal + "hostile.ics")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*ODD, "ATTENDEE:mailto:\x01@example.com"]), max_size=4))
def test_odd_lookups_are_answered_or_refused(lite: Person, lines: list[str]) -> None:
    text = question(lite, lite.principal).replace("END:VFREEBUSY", "\r\n".join([*lines, "END:VFREEBUSY"]))
    response = ask(lite, text)
    assert response.status_code in {200, 403}, response.text
    assert not re.search(rb"[\x00-\x08]", response.content)


def test_an_event_with_too_many_people_is_refused(lite: Person) -> None:
    people = [f"ATTENDEE:mailto:guest{number}@example.org" for number in range(201)]
    refused = lite.put("crowd.ics", calendar([*PLAIN, f"ORGANIZER:mailto:{lite.user.email}", *people]))
    assert refused.status_code == 403
    assert "max-attendees-per-instance" in refused.text

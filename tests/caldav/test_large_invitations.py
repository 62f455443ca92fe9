"""What many exceptions and many colleagues cost: counted, since time depends on the machine."""

from typing import Any

import pytest

from app.use_cases import calendar_objects
from tests.caldav.invitations import answer, free, members, only, people_lines
from tests.support.clock import at
from tests.support.dav_server import DavServer
from tests.support.ical import calendar

EXCEPTIONS = 40


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were read for what they say."""
    found: list[str] = []
    read = calendar_objects._read

    def counted(text: str, *rest: Any) -> Any:
        found.append(text)
        return read(text, *rest)

    monkeypatch.setattr(calendar_objects, "_read", counted)
    return found


def series(people: list[str], summary: str) -> str:
    """A series with many exceptions."""
    first = ["UID:large", "DTSTART:20270302T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=60"]
    days = [f"202703{day:02}" for day in range(3, 32)] + [f"202704{day:02}" for day in range(1, EXCEPTIONS - 28)]
    times = [[f"RECURRENCE-ID:{day}T090000Z", f"DTSTART:{day}T100000Z", "DURATION:PT1H"] for day in days]
    return calendar([*first, f"SUMMARY:{summary}", *people], *(["UID:large", *each, *people] for each in times))


def test_what_all_copies_say_is_read_once(server: DavServer, readings: list[str]) -> None:
    ana, *colleagues = [server.person() for _ in range(6)]
    people = people_lines(ana, *colleagues)
    for summary in ("Planning", "Review"):
        readings.clear()
        assert ana.put("large.ics", series(people, summary)).status_code in {201, 204}
        assert len(readings) == 1
    for each in colleagues:
        [text] = members(each).values()
        assert text.count("SUMMARY:Review") == 1
        assert text.count("RECURRENCE-ID") == EXCEPTIONS


def test_answers_that_free_the_time_are_told_apart(server: DavServer, readings: list[str]) -> None:
    ana, ben, cem = (server.person() for _ in range(3))
    people = people_lines(ana, ben, cem)
    assert ana.put("large.ics", series(people, "Planning")).status_code == 201
    assert answer(ben, "DECLINED").status_code == 204
    href, known = only(ana)
    readings.clear()
    changed = known.replace("SUMMARY:Planning", "SUMMARY:Review")
    assert ana.request("PUT", href, changed, Content_Type="text/calendar").status_code == 204
    assert len(readings) == 2
    nine = at("2027-03-02 09:00")
    assert [nine in free(each) for each in (ana, ben, cem)] == [False, True, False]

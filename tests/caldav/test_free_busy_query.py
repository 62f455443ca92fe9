"""The free-busy-query report (RFC 4791 §7.10)."""

import pytest
import requests

from app.domain.free_busy import by_kind
from tests.caldav.test_reading import put_all
from tests.support.clock import MONDAY
from tests.support.dav_server import Person, condition, declared
from tests.support.ical import calendar, ics

MARCH = 'start="20270301T000000Z" end="20270401T000000Z"'


def asked(person: Person, path: str, range_: str = MARCH, depth: str = "1") -> requests.Response:
    """The report."""
    body = declared(f"<C:free-busy-query><C:time-range {range_}/></C:free-busy-query>")
    return person.request("REPORT", path, body, Depth=depth, Content_Type="application/xml")


def busy(response: requests.Response) -> dict[str, list[str]]:
    """The periods of each kind."""
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found: dict[str, list[str]] = {}
    for line in response.text.replace("\r\n ", "").split("\r\n"):
        if line.startswith("FREEBUSY"):
            head, _, value = line.partition(":")
            found[head.partition("FBTYPE=")[2] or "BUSY"] = value.split(",")
    return found


def test_busy_times_are_told_by_their_kind_joined_and_in_utc(ana: Person) -> None:
    own = f"mailto:{ana.user.email}"
    put_all(
        ana,
        zoned=ics("zoned", start=";TZID=Europe/Berlin:20270302T090000"),
        touching=ics("touching", start="20270302T090000Z"),
        weekly=ics("weekly", "RRULE:FREQ=WEEKLY;COUNT=2", "EXDATE:20270310T120000Z", start="20270310T120000Z"),
        day=ics("day", start=";VALUE=DATE:20270320"),
        maybe=ics("maybe", "STATUS:TENTATIVE", start="20270302T083000Z", end="20270302T120000Z"),
        away=ics("away", "X-MICROSOFT-CDO-BUSYSTATUS:OOF", start="20270325T090000Z"),
        free=ics("free", "TRANSP:TRANSPARENT", start="20270303T090000Z"),
        off=ics("off", "STATUS:CANCELLED", start="20270304T090000Z"),
        declined=ics("declined", f"ATTENDEE;PARTSTAT=DECLINED:{own}", start="20270305T090000Z"),
        moment=calendar(["UID:moment", "DTSTART:20270306T090000Z"]),
        task=calendar(["UID:task", "DTSTART:20270307T090000Z", "DUE:20270307T120000Z"], kind="VTODO"),
        edge=ics("edge", start="20270228T233000Z"),
    )
    response = asked(ana, ana.personal)
    assert busy(response) == {
        "BUSY": [
            "20270301T000000Z/20270301T003000Z",
            "20270302T080000Z/20270302T100000Z",
            "20270317T120000Z/20270317T130000Z",
            "20270320T000000Z/20270321T000000Z",
        ],
        "BUSY-UNAVAILABLE": ["20270325T090000Z/20270325T100000Z"],
        "BUSY-TENTATIVE": ["20270302T083000Z/20270302T120000Z"],
    }
    assert "DTSTART:20270301T000000Z\r\nDTEND:20270401T000000Z\r\n" in response.text
    assert "UID:" in response.text and "SUMMARY" not in response.text
    assert asked(ana, ana.personal + "day.ics").text.count("20270320T000000Z") == 1


def test_busy_times_that_were_put_as_such_count(ana: Person) -> None:
    collection = ana.home + "published/"
    components = '<C:supported-calendar-component-set><C:comp name="VFREEBUSY"/></C:supported-calendar-component-set>'
    make = declared(f"<C:mkcalendar><D:set><D:prop>{components}</D:prop></D:set></C:mkcalendar>")
    assert ana.request("MKCALENDAR", collection, make).status_code == 201
    text = calendar(
        [
            "UID:f", "DTSTART:20270301T000000Z", "DTEND:20270401T000000Z",
            "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T100000Z/PT1H,20270302T100000Z/20270302T110000Z",
            "FREEBUSY;FBTYPE=FREE:20270303T100000Z/PT1H", "FREEBUSY;FBTYPE=X-LUNCH:20270304T100000Z/PT1H",
        ],
        kind="VFREEBUSY",
    )  # fmt: skip
    assert ana.request("PUT", collection + "f.ics", text).status_code == 201
    assert busy(asked(ana, collection)) == {
        "BUSY": ["20270304T100000Z/20270304T110000Z"],
        "BUSY-TENTATIVE": ["20270301T100000Z/20270301T110000Z", "20270302T100000Z/20270302T110000Z"],
    }
    assert ana.request("GET", collection + "f.ics").text == text
    for range_, names in ((MARCH, 1), ('start="20270401T000001Z" end="20270501T000000Z"', 0)):
        inner = f'<C:comp-filter name="VFREEBUSY"><C:time-range {range_}/></C:comp-filter>'
        body = (
            "<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter>"
            f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter></C:calendar-query>'
        )
        assert len(ana.dav("REPORT", collection, body, depth="1").hrefs) == names


def test_a_home_tells_of_all_calendars_that_block_time(ana: Person) -> None:
    put_all(ana, a=ics("a", start="20270302T090000Z"))
    ana.book(MONDAY)
    home = busy(asked(ana, ana.home))["BUSY"]
    assert set(busy(asked(ana, ana.personal))["BUSY"] + busy(asked(ana, ana.schedule))["BUSY"]) == set(home)
    assert len(home) == 2
    assert busy(asked(ana, ana.home, depth="0")) == {}


def test_somebody_elses_busy_times_are_not_told(ana: Person) -> None:
    ben = ana.server.person()
    assert asked(ben, ana.personal).status_code in {403, 404}
    assert asked(ben, ana.home).status_code in {403, 404}


@pytest.mark.parametrize("range_", ["", 'start="20270301T000000Z"', 'start="x" end="y"'])
def test_a_question_without_a_whole_range_is_malformed(lite: Person, range_: str) -> None:
    assert asked(lite, lite.personal, range_).status_code == 400
    bare = declared("<C:free-busy-query/>")
    assert lite.request("REPORT", lite.personal, bare, Depth="1").status_code == 400


def test_more_than_can_be_told_is_refused(lite: Person) -> None:
    century = asked(lite, lite.personal, 'start="20270301T000000Z" end="21270401T000000Z"')
    assert (century.status_code, condition(century)) == (403, "D:number-of-matches-within-limits")


def test_what_is_too_dense_to_list_is_busy_throughout(lite: Person) -> None:
    put_all(lite, dense=ics("dense", "RRULE:FREQ=MINUTELY", start="20270310T090000Z"))
    assert busy(asked(lite, lite.personal)) == {"BUSY": ["20270310T090000Z/20270401T000000Z"]}


def test_the_report_is_told_of_where_it_is(lite: Person) -> None:
    body = "<D:propfind><D:prop><D:supported-report-set/></D:prop></D:propfind>"
    for path in (lite.home, lite.personal):
        element = lite.dav("PROPFIND", path, body).found(path, "D:supported-report-set")
        assert element is not None
        assert element.find(".//{urn:ietf:params:xml:ns:caldav}free-busy-query") is not None


def test_times_are_joined_within_their_kind() -> None:
    found = by_kind([(0, 10, "BUSY-TENTATIVE"), (2, 4, "BUSY"), (3, 6, "BUSY-UNAVAILABLE"), (4, 5, "BUSY")])
    assert found == {"BUSY": [(2, 5)], "BUSY-UNAVAILABLE": [(3, 6)], "BUSY-TENTATIVE": [(0, 10)]}

"""Objects in the form a report asks for (RFC 4791 §9.6): parts of them, expanded, limited."""

import time
from zoneinfo import ZoneInfo

import pytest

from app.domain.ical_partial import limited_busy
from app.domain.ical_times import ObjectTimes
from app.domain.ical_tree import parse_tree
from tests.caldav.test_reading import events, put_all, query
from tests.support.clock import at
from tests.support.dav_server import Person, condition, declared
from tests.support.ical import calendar, ics

MARCH = 'start="20270301T000000Z" end="20270401T000000Z"'
WEEKLY = calendar(
    [
        "UID:w",
        "DTSTART;TZID=Europe/Berlin:20270302T090000",
        "DTEND;TZID=Europe/Berlin:20270302T100000",
        "RRULE:FREQ=WEEKLY;COUNT=6",
        "EXDATE;TZID=Europe/Berlin:20270316T090000",
        "SUMMARY:Jour fixe",
        "X-MINE;X-P=1:kept",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "DESCRIPTION:soon",
        "TRIGGER:-PT5M",
        "END:VALARM",
    ],
    [
        "UID:w",
        "RECURRENCE-ID;TZID=Europe/Berlin:20270309T090000",
        "DTSTART;TZID=Europe/Berlin:20270310T110000",
        "DURATION:PT30M",
        "SUMMARY:Moved",
    ],
)


def data(ana: Person, form: str, *, range_: str = MARCH, name: str = "w", more: str = "", kind: str = "VEVENT") -> str:
    """The text of one object in this form, by a query."""
    inner = f'<C:comp-filter name="{kind}"><C:time-range {range_}/></C:comp-filter>'
    body = query(inner, f"<C:calendar-data>{form}</C:calendar-data>", more=more)
    answer = ana.dav("REPORT", ana.personal, body, depth="1")
    return (answer.text(f"{ana.personal}{name}.ics", "C:calendar-data") or "").replace("\r\n ", "")


def expansion(range_: str) -> str:
    """A request for all events of a range, expanded over it."""
    form = f"<C:calendar-data><C:expand {range_}/></C:calendar-data>"
    return declared(query(events(f"<C:time-range {range_}/>"), form))


def lines(text: str, name: str) -> list[str]:
    """The lines of that property."""
    return [each for each in text.split("\r\n") if each.partition(":")[0].partition(";")[0] == name]


def test_a_series_is_expanded_into_instances_in_utc(ana: Person) -> None:
    put_all(ana, w=WEEKLY)
    text = data(ana, f"<C:expand {MARCH}/>")
    assert lines(text, "DTSTART") == [
        "DTSTART:20270302T080000Z",
        "DTSTART:20270323T080000Z",
        "DTSTART:20270330T070000Z",  # summer time has begun
        "DTSTART:20270310T100000Z",
    ]
    assert lines(text, "RECURRENCE-ID") == [
        "RECURRENCE-ID:20270302T080000Z",
        "RECURRENCE-ID:20270323T080000Z",
        "RECURRENCE-ID:20270330T070000Z",
        "RECURRENCE-ID:20270309T080000Z",
    ]
    assert lines(text, "DTEND") == ["DTEND:20270302T090000Z", "DTEND:20270323T090000Z", "DTEND:20270330T080000Z"]
    assert lines(text, "DURATION") == ["DURATION:PT30M"]
    assert text.count("X-MINE;X-P=1:kept") == text.count("BEGIN:VALARM") == 3
    assert not any(word in text for word in ("RRULE", "EXDATE", "TZID", "VTIMEZONE"))


def test_only_instances_in_the_range_are_expanded(ana: Person) -> None:
    put_all(ana, w=WEEKLY, single=ics("single", start="20270309T083000Z"))
    ninth = 'start="20270309T000000Z" end="20270310T000000Z"'
    assert lines(data(ana, f"<C:expand {ninth}/>"), "DTSTART") == []  # it was moved to the tenth
    assert lines(data(ana, f"<C:expand {ninth}/>", name="single"), "DTSTART") == ["DTSTART:20270309T083000Z"]
    assert lines(data(ana, f"<C:expand {ninth}/>", name="single"), "RECURRENCE-ID") == []


def test_all_day_and_floating_instances_keep_their_kind(ana: Person) -> None:
    put_all(
        ana,
        day=calendar(
            ["UID:day", "DTSTART;VALUE=DATE:20270301", "DTEND;VALUE=DATE:20270303", "RRULE:FREQ=WEEKLY;COUNT=2"]
        ),
        floating=calendar(["UID:f", "DTSTART:20270301T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=2"]),
    )
    day = data(ana, f"<C:expand {MARCH}/>", name="day")
    assert lines(day, "DTSTART") == ["DTSTART;VALUE=DATE:20270301", "DTSTART;VALUE=DATE:20270308"]
    assert lines(day, "DTEND") == ["DTEND;VALUE=DATE:20270303", "DTEND;VALUE=DATE:20270310"]
    assert lines(day, "RECURRENCE-ID") == ["RECURRENCE-ID;VALUE=DATE:20270301", "RECURRENCE-ID;VALUE=DATE:20270308"]
    floating = data(ana, f"<C:expand {MARCH}/>", name="floating")
    assert lines(floating, "DTSTART") == ["DTSTART:20270301T090000", "DTSTART:20270302T090000"]
    assert lines(floating, "RECURRENCE-ID") == ["RECURRENCE-ID:20270301T090000", "RECURRENCE-ID:20270302T090000"]


def test_dates_added_to_a_series_and_changes_of_all_that_follow_are_expanded(ana: Person) -> None:
    put_all(
        ana,
        w=calendar(
            ["UID:w", "DTSTART:20270301T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4", "SUMMARY:Early",
             "RDATE:20270320T120000Z", "RDATE;VALUE=PERIOD:20270321T120000Z/PT3H"],
            ["UID:w", "RECURRENCE-ID;RANGE=THISANDFUTURE:20270303T090000Z", "DTSTART:20270303T100000Z",
             "DURATION:PT2H", "SUMMARY:Late"],
        ),
    )  # fmt: skip
    text = data(ana, f"<C:expand {MARCH}/>")
    by_id = dict(zip(lines(text, "RECURRENCE-ID"), lines(text, "DTSTART"), strict=True))
    assert by_id["RECURRENCE-ID:20270302T090000Z"] == "DTSTART:20270302T090000Z"
    assert by_id["RECURRENCE-ID:20270303T090000Z"] == "DTSTART:20270303T100000Z"
    assert by_id["RECURRENCE-ID:20270304T090000Z"] == "DTSTART:20270304T100000Z"
    assert "RANGE" not in text and text.count("SUMMARY:Late") == text.count("DTSTART") - 2
    assert len(by_id) == 6


def test_tasks_are_expanded_too(ana: Person) -> None:
    put_all(
        ana,
        task=calendar(["UID:t", "DUE:20270301T170000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Post"], kind="VTODO"),
        both=calendar(
            ["UID:b", "DTSTART:20270301T090000Z", "DUE:20270301T170000Z", "RRULE:FREQ=MONTHLY"], kind="VTODO"
        ),
        undated=calendar(["UID:u", "SUMMARY:Some day"], kind="VTODO"),
    )
    expand = f"<C:expand {MARCH}/>"
    task = data(ana, expand, name="task", kind="VTODO")
    assert lines(task, "DUE") == ["DUE:20270301T170000Z", "DUE:20270308T170000Z", "DUE:20270315T170000Z"]
    assert lines(task, "RECURRENCE-ID")[1] == "RECURRENCE-ID:20270308T170000Z"
    assert lines(task, "DTSTART") == []
    both = data(ana, expand, name="both", kind="VTODO")
    assert (lines(both, "DTSTART"), lines(both, "DUE")) == (["DTSTART:20270301T090000Z"], ["DUE:20270301T170000Z"])
    assert lines(data(ana, expand, name="undated", kind="VTODO"), "SUMMARY") == ["SUMMARY:Some day"]


def test_journal_entries_are_expanded(lite: Person) -> None:
    notes = lite.home + "notes/"
    assert lite.request("MKCALENDAR", notes).status_code == 201
    entry = calendar(["UID:j", "DTSTART;VALUE=DATE:20270301", "RRULE:FREQ=DAILY;COUNT=2"], kind="VJOURNAL")
    assert lite.request("PUT", notes + "j.ics", entry).status_code == 201
    inner = f'<C:comp-filter name="VJOURNAL"><C:time-range {MARCH}/></C:comp-filter>'
    body = query(inner, f"<C:calendar-data><C:expand {MARCH}/></C:calendar-data>")
    text = lite.dav("REPORT", notes, body, depth="1").text(notes + "j.ics", "C:calendar-data") or ""
    assert lines(text, "DTSTART") == ["DTSTART;VALUE=DATE:20270301", "DTSTART;VALUE=DATE:20270302"]


def test_a_multiget_expands_as_well(ana: Person) -> None:
    put_all(ana, w=WEEKLY)
    href = ana.personal + "w.ics"
    body = (
        f"<C:calendar-multiget><D:prop><C:calendar-data><C:expand {MARCH}/></C:calendar-data></D:prop>"
        f"<D:href>{href}</D:href></C:calendar-multiget>"
    )
    text = ana.dav("REPORT", ana.personal, body).text(href, "C:calendar-data") or ""
    assert len(lines(text, "DTSTART")) == 4


@pytest.mark.parametrize(
    "text",
    [
        ics("w", "RRULE:FREQ=DAILY"),
        ics("w", "RRULE:FREQ=SECONDLY"),
        ics("w", "RRULE:FREQ=HOURLY;BYMINUTE=0,10,20"),
    ],
)
def test_an_endless_series_over_a_century_is_refused_soon(lite: Person, text: str) -> None:
    put_all(lite, w=text)
    century = 'start="20270301T000000Z" end="21270301T000000Z"'
    body = expansion(century)
    begun = time.process_time()
    response = lite.request("REPORT", lite.personal, body, Depth="1")
    assert time.process_time() - begun < 1
    assert (response.status_code, condition(response)) == (403, "D:number-of-matches-within-limits")


def test_many_objects_together_are_bounded_too(lite: Person) -> None:
    put_all(lite, **{f"n{number}": ics(f"n{number}", "RRULE:FREQ=DAILY") for number in range(6)})
    years = 'start="20270301T000000Z" end="20331231T000000Z"'
    body = expansion(years)
    response = lite.request("REPORT", lite.personal, body, Depth="1")
    assert (response.status_code, condition(response)) == (403, "D:number-of-matches-within-limits")


def test_a_large_event_is_not_repeated_beyond_measure(lite: Person) -> None:
    put_all(lite, w=ics("w", "RRULE:FREQ=DAILY", f"DESCRIPTION:{'x' * 500_000}"))
    year = 'start="20270301T000000Z" end="20280301T000000Z"'
    response = lite.request("REPORT", lite.personal, expansion(year), Depth="1")
    assert (response.status_code, condition(response)) == (403, "D:number-of-matches-within-limits")


def test_overrides_outside_the_range_are_left_out_on_wish(ana: Person) -> None:
    put_all(ana, w=WEEKLY)
    tenth = 'start="20270310T000000Z" end="20270311T000000Z"'
    ninth = 'start="20270309T080000Z" end="20270309T081000Z"'
    end = 'start="20270330T000000Z" end="20270331T000000Z"'
    for range_, summaries in ((tenth, 2), (ninth, 2), (end, 1)):
        text = data(ana, f"<C:limit-recurrence-set {range_}/>")
        assert len(lines(text, "SUMMARY")) == summaries, range_
        assert lines(text, "RRULE") == ["RRULE:FREQ=WEEKLY;COUNT=6"]


def test_parts_of_an_object_are_given_byte_for_byte(ana: Person) -> None:
    long = "DESCRIPTION:" + "ä" * 50 + "\r\n " + "b" * 20
    put_all(ana, w=ics("w", "SUMMARY;LANGUAGE=de:Hallo", long, "X-A:1", "BEGIN:VALARM", "ACTION:AUDIO",
                       "TRIGGER:PT0S", "END:VALARM"))  # fmt: skip

    def part(inner: str) -> str:
        body = query(events(""), f'<C:calendar-data><C:comp name="VCALENDAR">{inner}</C:comp></C:calendar-data>')
        return ana.dav("REPORT", ana.personal, body, depth="1").text(ana.personal + "w.ics", "C:calendar-data") or ""

    assert part('<C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="UID"/></C:comp>') == (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:w\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    assert part('<C:comp name="VEVENT"><C:prop name="description"/></C:comp>') == (
        f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{long}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    assert "\r\nSUMMARY;LANGUAGE=de:\r\n" in part(
        '<C:comp name="VEVENT"><C:prop name="SUMMARY" novalue="yes"/><C:prop name="X-A"/></C:comp>'
    )
    assert part("") == part("<C:allprop/><C:allcomp/>")
    assert "VALARM" in part('<C:comp name="VEVENT"/>')
    assert "VALARM" not in part('<C:comp name="VEVENT"><C:allprop/></C:comp>')
    assert "SUMMARY" not in part('<C:comp name="VEVENT"><C:allcomp/></C:comp>')
    assert "VEVENT" not in part("<C:allprop/>")


def test_busy_times_outside_the_range_are_left_out_on_wish(lite: Person) -> None:
    text = calendar(
        ["UID:f", "DTSTART:20270301T000000Z", "DTEND:20270401T000000Z",
         "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T100000Z/PT1H,20270302T100000Z/20270302T110000Z",
         "FREEBUSY:20270320T100000Z/PT1H"],
        kind="VFREEBUSY",
    )  # fmt: skip
    times = ObjectTimes(text, ZoneInfo("UTC"))
    kept = limited_busy(parse_tree(text), times, (at("2027-03-02 10:30"), at("2027-03-02 11:30"))).text()
    assert lines(kept, "FREEBUSY") == ["FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270302T100000Z/20270302T110000Z"]
    assert lines(kept, "DTSTART") == ["DTSTART:20270301T000000Z"]


@pytest.mark.parametrize(
    "form",
    [
        "<C:expand/>",
        '<C:expand start="20270301T000000Z"/>',
        '<C:expand start="20270401T000000Z" end="20270301T000000Z"/>',
        f"<C:expand {MARCH}/><C:limit-recurrence-set {MARCH}/>",
        '<C:limit-freebusy-set start="yesterday" end="20270301T000000Z"/>',
        '<C:comp name="VEVENT"/>',
        '<C:comp name="VCALENDAR"><C:comp/></C:comp>',
        '<C:comp name="VCALENDAR">' + '<C:comp name="X">' * 20 + "</C:comp>" * 20 + "</C:comp>",
    ],
)
def test_a_form_that_makes_no_sense_is_refused(lite: Person, form: str) -> None:
    body = declared(query(events(""), f"<C:calendar-data>{form}</C:calendar-data>"))
    assert lite.request("REPORT", lite.personal, body, Depth="1").status_code == 400


def test_ranges_beyond_all_that_is_kept_are_refused_by_their_preconditions(lite: Person) -> None:
    for limits in ('start="15000101T000000Z" end="20270301T000000Z"', 'end="15000101T000000Z"'):
        body = declared(query(events(f"<C:time-range {limits}/>")))
        response = lite.request("REPORT", lite.personal, body, Depth="1")
        assert (response.status_code, condition(response)) == (403, "C:min-date-time")


def test_no_more_results_than_asked_for_come_and_it_is_told(ana: Person) -> None:
    put_all(ana, **{name: ics(name) for name in "abc"})
    for limit in ("<C:limit><C:nresults>2</C:nresults></C:limit>", "<D:limit><D:nresults>2</D:nresults></D:limit>"):
        answer = ana.dav("REPORT", ana.personal, query(events(""), more=limit), depth="1")
        assert len(answer.hrefs) == 3
        assert "507" in (answer.status(ana.personal) or "")
    all_ = query(events(""), more="<C:limit><C:nresults>3</C:nresults></C:limit>")
    assert len(ana.dav("REPORT", ana.personal, all_, depth="1").hrefs) == 3
    none = declared(query(events(""), more="<C:limit><C:nresults>0</C:nresults></C:limit>"))
    assert ana.request("REPORT", ana.personal, none, Depth="1").status_code == 400


def test_data_of_another_kind_is_given_by_no_request(lite: Person) -> None:
    put_all(lite, a=ics("a"))
    asked = '<D:prop><C:calendar-data content-type="application/calendar+json"/></D:prop>'
    for method, body in (
        ("PROPFIND", f"<D:propfind>{asked}</D:propfind>"),
        ("REPORT", f"<D:sync-collection><D:sync-token/>{asked}</D:sync-collection>"),
        ("REPORT", f"<C:calendar-multiget>{asked}<D:href>{lite.personal}a.ics</D:href></C:calendar-multiget>"),
    ):
        response = lite.request(method, lite.personal, declared(body), Depth="1")
        assert (response.status_code, condition(response)) == (403, "C:supported-calendar-data")

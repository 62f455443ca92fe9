"""Filters of a calendar-query (RFC 4791 §9.7), read from XML and applied to texts."""

import time
from datetime import tzinfo
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from calendar_feeds.caldav.filter_matching import Candidate
from calendar_feeds.caldav.filters import read_filter
from calendar_feeds.caldav.query_zone import query_zone
from calendar_feeds.messages import Refusal
from tests.support.ical import calendar, ics

UTC = ZoneInfo("UTC")
ALARM = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT30M", "END:VALARM"]


def passes(text: str, inner: str, *, zone: tzinfo = UTC, test: str = "allof") -> bool:
    """Whether the text passes a filter with this inside the one for VCALENDAR."""
    names = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    body = (
        f'<C:calendar-query {names}><C:filter><C:comp-filter name="VCALENDAR" test="{test}">{inner}</C:comp-filter>'
        "</C:filter></C:calendar-query>"
    )
    return Candidate(text, zone).passes(read_filter(etree.fromstring(body)))


def prop(name: str, inner: str = "", *, of: str = "VEVENT", test: str = "allof") -> str:
    """A filter on a property."""
    asked = f'<C:prop-filter name="{name}" test="{test}">{inner}</C:prop-filter>'
    return f'<C:comp-filter name="{of}">{asked}</C:comp-filter>'


def within(start: str | None, end: str | None, of: str = "VEVENT", inside: str | None = None) -> str:
    """A filter on a time, perhaps of what is inside the component."""
    sides = "".join(f' {side}="{at}"' for side, at in (("start", start), ("end", end)) if at)
    range_ = f"<C:time-range{sides}/>"
    inner = f'<C:comp-filter name="{inside}">{range_}</C:comp-filter>' if inside else range_
    return f'<C:comp-filter name="{of}">{inner}</C:comp-filter>'


def text(sought: str, **attributes: str) -> str:
    """A text-match."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<C:text-match{given}>{sought}</C:text-match>"


def test_collations_fold_what_they_say() -> None:
    event = ics("a", "SUMMARY:Straße CAFÉ")
    for collation, sought, expected in (
        ("i;ascii-casemap", "cafÉ", True),
        ("i;ascii-casemap", "café", False),
        ("default", "STRAßE", True),
        ("i;octet", "CAFÉ", True),
        ("i;octet", "cafÉ", False),
        ("i;unicode-casemap", "café", True),
        ("i;unicode-casemap", "STRASSE", True),
        ("i;unicode-casemap", "CAFE\u0301", True),  # the accent by itself
    ):
        assert passes(event, prop("SUMMARY", text(sought, collation=collation))) is expected, (collation, sought)


def test_a_match_may_be_of_the_whole_or_of_an_end() -> None:
    event = ics("a", "SUMMARY:Team lunch")
    for kind, sought, expected in (
        ("contains", "m l", True),
        ("equals", "team LUNCH", True),
        ("equals", "team", False),
        ("starts-with", "team", True),
        ("starts-with", "lunch", False),
        ("ends-with", "lunch", True),
    ):
        assert passes(event, prop("SUMMARY", text(sought, match_type=kind))) is expected, (kind, sought)


def test_values_are_compared_unescaped_unfolded_and_each_by_itself() -> None:
    event = ics("a", "SUMMARY:One\\, two\\; th\r\n ree\\nfour", "COMMENT:first", "COMMENT:second")
    assert passes(event, prop("summary", text("one, two; three\nfour")))
    assert passes(event, prop("COMMENT", text("second")))
    assert not passes(event, prop("COMMENT", text("firstsecond")))
    assert passes(event, prop("X-NONE", "<C:is-not-defined/>"))


def test_parameters_are_looked_at_with_their_quotes_undone() -> None:
    event = ics("a", 'ATTENDEE;CN="Ben; the ^\'boss^\'";MEMBER="mailto:a@x","mailto:b@x":mailto:ben@example.com')

    def param(name: str, inner: str) -> str:
        return prop("ATTENDEE", f'<C:param-filter name="{name}">{inner}</C:param-filter>')

    assert passes(event, param("CN", text('ben; the "boss"', match_type="equals")))
    assert passes(event, param("MEMBER", text("mailto:b@x", match_type="equals")))
    assert passes(event, param("ROLE", "<C:is-not-defined/>"))
    assert not passes(event, param("CN", "<C:is-not-defined/>"))
    assert not passes(event, param("ROLE", text("chair", negate_condition="yes")))  # what is not there matches nothing


def test_any_of_several_conditions_may_be_enough() -> None:
    event = ics("a", "SUMMARY:Lunch", "LOCATION:Here")
    two = (
        f'<C:comp-filter name="VEVENT" test="{{}}"><C:prop-filter name="SUMMARY">{text("lunch")}</C:prop-filter>'
        f'<C:prop-filter name="LOCATION">{text("there")}</C:prop-filter></C:comp-filter>'
    )
    assert not passes(event, two.format("allof"))
    assert passes(event, two.format("anyof"))
    kinds = '<C:comp-filter name="VEVENT"/><C:comp-filter name="VTODO"/>'
    assert not passes(event, kinds)
    assert passes(event, kinds, test="anyof")
    with pytest.raises(Refusal):
        passes(event, two.format("some"))


def test_properties_that_are_times_are_compared_as_such() -> None:
    event = ics("a", "LAST-MODIFIED:20270305T120000Z", "EXDATE;VALUE=DATE:20270310,20270312")
    task = calendar(["UID:t", "COMPLETED:20270305T120000Z", "DUE;TZID=Europe/Berlin:20270310T090000"], kind="VTODO")

    def at(start: str, end: str) -> str:
        return f'<C:time-range start="202703{start}Z" end="202703{end}Z"/>'

    assert passes(event, prop("LAST-MODIFIED", at("05T120000", "05T120001")))
    assert not passes(event, prop("LAST-MODIFIED", at("04T120000", "05T120000")))
    assert passes(event, prop("EXDATE", at("12T220000", "12T230000")))
    assert not passes(event, prop("EXDATE", at("11T000000", "12T000000")))
    assert passes(task, prop("DUE", at("10T080000", "10T080001"), of="VTODO"))
    assert not passes(event, prop("X-WHEN", at("01T000000", "31T000000")))
    assert not passes(ics("a", "X-WHEN:x"), prop("X-WHEN", at("01T000000", "31T000000")))
    with pytest.raises(Refusal, match="SUMMARY"):  # RFC 4791 §7.8 has it as what cannot be
        passes(event, prop("SUMMARY", at("01T000000", "31T000000")))


def test_recurring_tasks_and_entries_are_met_by_their_instances() -> None:
    task = calendar(["UID:t", "DTSTART:20270301T090000Z", "DUE:20270301T170000Z", "RRULE:FREQ=WEEKLY"], kind="VTODO")
    assert passes(task, within("20270308T160000Z", "20270308T163000Z", "VTODO"))
    assert not passes(task, within("20270309T000000Z", "20270310T000000Z", "VTODO"))
    assert passes(task, within("20370309T000000Z", None, "VTODO"))
    due = calendar(["UID:t", "DUE;VALUE=DATE:20270301", "RRULE:FREQ=DAILY;COUNT=3"], kind="VTODO")
    assert passes(due, within("20270302T120000Z", "20270303T000000Z", "VTODO"))
    assert not passes(due, within("20270303T120000Z", "20270304T000000Z", "VTODO"))
    entry = calendar(["UID:j", "DTSTART;VALUE=DATE:20270301", "RRULE:FREQ=WEEKLY;COUNT=2"], kind="VJOURNAL")
    assert passes(entry, within("20270308T230000Z", "20270309T000000Z", "VJOURNAL"))
    assert not passes(entry, within("20270309T000000Z", "20270310T000000Z", "VJOURNAL"))


def test_alarms_of_tasks_of_instances_and_far_from_their_event() -> None:
    task = calendar(["UID:t", "DUE:20270301T090000Z", "RRULE:FREQ=DAILY;COUNT=3", *ALARM], kind="VTODO")
    assert passes(task, within("20270302T083000Z", "20270302T083100Z", "VTODO", "VALARM"))
    assert not passes(task, within("20270304T083000Z", "20270304T083100Z", "VTODO", "VALARM"))
    week_before = [each.replace("-PT30M", "-P1W") for each in ALARM]
    assert passes(ics("a", *week_before), within("20270222T090000Z", "20270222T090001Z", "VEVENT", "VALARM"))
    daily = [*ALARM[:-1], "REPEAT:5", "DURATION:P1D", ALARM[-1]]
    assert passes(ics("a", *daily), within("20270306T083000Z", "20270306T083001Z", "VEVENT", "VALARM"))
    assert not passes(ics("a", *daily), within("20270307T083000Z", "20270307T083001Z", "VEVENT", "VALARM"))


def test_busy_times_are_met_by_their_range_or_their_periods() -> None:
    whole = calendar(["UID:f", "DTSTART:20270301T000000Z", "DTEND:20270302T000000Z"], kind="VFREEBUSY")
    listed = calendar(["UID:f", "FREEBUSY:20270301T100000Z/PT1H,20270305T100000Z/PT1H"], kind="VFREEBUSY")
    bare = calendar(["UID:f"], kind="VFREEBUSY")
    hour = within("20270305T103000Z", "20270305T110000Z", "VFREEBUSY")
    assert [passes(each, hour) for each in (whole, listed, bare)] == [False, True, False]
    assert passes(whole, within("20270301T103000Z", "20270305T110000Z", "VFREEBUSY"))


def test_a_zone_of_the_query_may_be_defined_by_itself() -> None:
    definition = calendar(
        extra=[
            "BEGIN:VTIMEZONE", "TZID:Somewhere of mine", "BEGIN:STANDARD", "DTSTART:16010101T000000",
            "TZOFFSETFROM:+0300", "TZOFFSETTO:+0300", "END:STANDARD", "END:VTIMEZONE",
        ]
    )  # fmt: skip
    names = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'

    class Calendar:
        timezone = "UTC"

    def zone(inner: str) -> tzinfo | None:
        return query_zone(etree.fromstring(f"<C:calendar-query {names}>{inner}</C:calendar-query>"), Calendar())  # type: ignore[arg-type]

    found = zone(f"<C:timezone>{definition}</C:timezone>")
    assert found is not None
    floating = ics("a", start="20270301T090000")
    assert passes(floating, within("20270301T060000Z", "20270301T063000Z"), zone=found)
    assert not passes(floating, within("20270301T090000Z", "20270301T093000Z"), zone=found)
    assert zone("") is None
    assert zone("<C:timezone-id>UTC</C:timezone-id>") is None
    assert zone("<C:timezone-id>W. Europe Standard Time</C:timezone-id>") == ZoneInfo("Europe/Berlin")
    doubled = definition.replace("END:VCALENDAR", "BEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nEND:VCALENDAR")
    for bad in ("nonsense", calendar(), doubled):
        with pytest.raises(Refusal) as refused:
            zone(f"<C:timezone>{bad}</C:timezone>")
        assert refused.value.condition == "<C:valid-calendar-data/>"


def test_many_alarms_of_many_instances_are_looked_at_in_time() -> None:
    alarms = [line.replace("30M", f"{number}M") for number in range(1, 1500) for line in ALARM]
    event = ics("a", "RRULE:FREQ=DAILY", *alarms)
    begun = time.process_time()
    assert not passes(event, within("20280301T120001Z", "20280301T120002Z", "VEVENT", "VALARM"))
    assert time.process_time() - begun < 5


def test_a_rule_too_dense_to_list_is_so_in_every_window() -> None:
    event = ics("a", "RRULE:FREQ=MINUTELY", *ALARM)
    both = (
        '<C:comp-filter name="VEVENT"><C:time-range start="20300101T000000Z" end="20310101T000000Z"/>'
        '<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter></C:comp-filter>'
    )
    assert not passes(event, both)
    candidate = Candidate(event, UTC)
    for length in (1, 2):
        instances = candidate.times.near((2_000_000_000, 2_000_000_000 + length))
        assert any(each.instance is None for each in instances)

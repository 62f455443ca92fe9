"""PROPFIND over members, calendar-query, calendar-multiget and sync-collection."""

import pytest

from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from calendar_feeds.caldav import members
from tests.support.clock import MONDAY
from tests.support.dav_server import Person, condition, declared
from tests.support.ical import calendar, ics

TUESDAY = MONDAY + 86400
MARCH = '<C:time-range start="20270301T000000Z" end="20270401T000000Z"/>'
DATA = "<D:getetag/><C:calendar-data/>"


def query(inner: str, props: str = "<D:getetag/>", *, more: str = "") -> str:
    """A calendar-query with this inside the filter for VCALENDAR."""
    return (
        f"<C:calendar-query><D:prop>{props}</D:prop><C:filter>"
        f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>{more}</C:calendar-query>'
    )


def events(inner: str) -> str:
    """A filter on events."""
    return f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>'


def found(ana: Person, inner: str, *, more: str = "") -> set[str]:
    """The names of the objects in `personal` that pass."""
    answer = ana.dav("REPORT", ana.personal, query(inner, more=more), depth="1")
    return {href.removeprefix(ana.personal).removesuffix(".ics") for href in answer.hrefs}


def put_all(ana: Person, **texts: str) -> None:
    """Put objects under these names."""
    for name, text in texts.items():
        assert ana.put(f"{name}.ics", text).status_code == 201, name


def test_members_are_listed_with_their_etags(ana: Person) -> None:
    first = ana.put("a.ics", ics("a")).headers["ETag"]
    second = ana.put("b%20%C3%BC%26.ics", ics("b")).headers["ETag"]
    body = "<D:propfind><D:prop><D:getetag/><D:resourcetype/><D:getcontenttype/><D:nonsense/></D:prop></D:propfind>"
    answer = ana.dav("PROPFIND", ana.personal, body, depth="1")
    one, two = ana.personal + "a.ics", ana.personal + "b%20%C3%BC%26.ics"
    assert set(answer.hrefs) == {ana.personal, one, two}
    assert answer.text(one, "D:getetag") == first
    assert answer.text(two, "D:getetag") == second
    assert answer.text(two, "D:getcontenttype") == "text/calendar; charset=utf-8"
    assert answer.missing(one) == {"{DAV:}nonsense"}
    assert ana.dav("PROPFIND", ana.personal, body, depth="0").hrefs == [ana.personal]
    boxes = {f"{ana.home}inbox/", f"{ana.home}outbox/"}
    assert set(ana.dav("PROPFIND", ana.home, body, depth="1").hrefs) == {ana.home, ana.schedule, ana.personal} | boxes


def test_members_are_listed_without_the_etag_when_only_other_properties_are_asked(ana: Person) -> None:
    put_all(ana, a=ics("a"), b=ics("b"))
    answer = ana.dav("PROPFIND", ana.personal, "<D:propfind><D:prop><D:resourcetype/></D:prop></D:propfind>", depth="1")
    assert len(answer.hrefs) == 3
    assert answer.found(ana.personal + "a.ics", "D:getetag") is None


def test_all_properties_and_their_names_can_be_asked_for(lite: Person) -> None:
    put_all(lite, a=ics("a"))
    member = lite.personal + "a.ics"
    for body in ("", "<D:propfind><D:allprop/></D:propfind>"):
        answer = lite.dav("PROPFIND", lite.personal, body, depth="1")
        assert answer.text(member, "D:getcontentlength") == str(len(ics("a")))
        assert answer.found(member, "C:calendar-data") is None  # RFC 4791 §9.6: never by allprop
        assert not answer.missing(member)
    included = "<D:propfind><D:allprop/><D:include><D:sync-token/></D:include></D:propfind>"
    assert lite.dav("PROPFIND", lite.personal, included).found(lite.personal, "D:sync-token") is not None
    names = lite.dav("PROPFIND", lite.personal, "<D:propfind><D:propname/></D:propfind>", depth="1")
    assert names.text(member, "D:getetag") == ""
    assert names.text(lite.personal, "CS:getctag") == ""


def test_infinite_depth_is_refused_politely(lite: Person) -> None:
    for depth in ({"Depth": "infinity"}, {}):
        response = lite.request("PROPFIND", "/dav/", **depth)
        assert (response.status_code, condition(response)) == (403, "D:propfind-finite-depth")
    assert lite.request("PROPFIND", "/dav/", Depth="2").status_code == 400


def test_missing_properties_are_left_out_on_wish(lite: Person) -> None:
    put_all(lite, a=ics("a"))
    body = "<D:propfind><D:prop><D:getetag/><D:nonsense/></D:prop></D:propfind>"
    for header in ({"Prefer": "return=minimal"}, {"Brief": "t"}):
        answer = lite.dav("PROPFIND", lite.personal, body, depth="1", **header)
        assert "nonsense" not in answer.response.text
        assert answer.response.headers["Preference-Applied"] == "return=minimal"
        assert len(answer.hrefs) == 2


def test_the_schedule_shows_bookings_and_follows_them(ana: Person) -> None:
    booking = ana.book(TUESDAY)
    href = f"{ana.schedule}{booking.id}.ics"
    answer = ana.dav("REPORT", ana.schedule, query(events(MARCH), DATA), depth="1")
    assert answer.hrefs == [href]
    text = answer.text(href, "C:calendar-data") or ""
    assert f"UID:{booking.uid}\r\n" in text
    assert ana.request("GET", href).text == text
    token = ana.sync(collection=ana.schedule).sync_token
    ana.server.run(take_step(ana.server.workspace.ports, booking.id, "cancel", SYSTEM))
    assert "404" in (ana.sync(token, ana.schedule).status(href) or "")
    assert ana.request("GET", href).status_code == 404


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ('start="20270301T093000Z" end="20270301T094000Z"', {"plain"}),
        ('start="20270301T100000Z" end="20270301T110000Z"', set()),
        ('start="20270309T000000Z" end="20270310T000000Z"', {"weekly", "endless"}),
        ('start="20270308T000000Z" end="20270309T000000Z"', {"day", "endless"}),
        ('start="20270309T080000Z" end="20270309T110000Z"', set()),  # moved to the afternoon
        ('start="20270316T080000Z" end="20270316T110000Z"', set()),  # an EXDATE
        ('start="20270323T080000Z" end="20270323T110000Z"', set()),  # moved to the next day
        ('start="20270324T080000Z" end="20270324T110000Z"', {"weekly"}),
        ('start="20270401T000000Z" end="20270401T010000Z"', {"instant"}),
        ('start="20270402T000000Z"', {"endless"}),
        ('end="20270301T090000Z"', {"endless"}),
        ('start="20300601T120000Z" end="20300601T130000Z"', {"endless"}),
        ('start="20300601T140000Z" end="20300601T150000Z"', set()),
    ],
)
def test_time_ranges_meet_instances_exactly(ana: Person, limits: str, names: set[str]) -> None:
    put_all(
        ana,
        plain=ics("plain", start="20270301T090000Z"),
        day=ics("day", start=";VALUE=DATE:20270308"),
        instant=calendar(["UID:instant", "DTSTART:20270401T000000Z"]),
        endless=ics("endless", "RRULE:FREQ=DAILY", "TRANSP:TRANSPARENT", start="20270201T120000Z"),
        weekly=calendar(
            [
                "UID:w",
                "DTSTART:20270302T090000Z",
                "DURATION:PT1H",
                "RRULE:FREQ=WEEKLY;COUNT=5",
                "EXDATE:20270316T090000Z",
            ],
            ["UID:w", "RECURRENCE-ID:20270323T090000Z", "DTSTART:20270324T090000Z", "DURATION:PT1H"],
            ["UID:w", "RECURRENCE-ID:20270309T090000Z", "DTSTART:20270309T150000Z", "DURATION:PT1H"],
        ),
    )
    assert found(ana, events(f"<C:time-range {limits}/>")) == names


def test_floating_and_all_day_times_are_read_in_the_zone_of_the_query(ana: Person) -> None:
    put_all(ana, floating=ics("floating", start="20270301T090000"), day=ics("day", start=";VALUE=DATE:20270310"))
    eight_utc = '<C:time-range start="20270301T080000Z" end="20270301T083000Z"/>'
    berlin = "<C:timezone-id>Europe/Berlin</C:timezone-id>"
    defined = (
        "<C:timezone>BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nEND:VTIMEZONE\n"
        "END:VCALENDAR\n</C:timezone>"
    )
    assert found(ana, events(eight_utc)) == set()
    assert found(ana, events(eight_utc), more=berlin) == {"floating"}
    assert found(ana, events(eight_utc), more=defined) == {"floating"}
    before_midnight = '<C:time-range start="20270309T230000Z" end="20270309T233000Z"/>'
    assert found(ana, events(before_midnight)) == set()
    assert found(ana, events(before_midnight), more=berlin) == {"day"}


def test_filters_look_into_properties_and_parameters(ana: Person) -> None:
    put_all(
        ana,
        a=ics("a", "SUMMARY:Team Lunch", "LOCATION:Café", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@example.com"),
        b=ics("b", "SUMMARY:Dinner", "CATEGORIES:HOME,FUN", "ATTENDEE;PARTSTAT=DECLINED:mailto:b@example.com"),
    )

    def prop(name: str, inner: str) -> str:
        return events(f'<C:prop-filter name="{name}">{inner}</C:prop-filter>')

    assert found(ana, prop("SUMMARY", "<C:text-match>lunch</C:text-match>")) == {"a"}
    assert found(ana, prop("SUMMARY", '<C:text-match collation="i;octet">lunch</C:text-match>')) == set()
    assert found(ana, prop("SUMMARY", '<C:text-match negate-condition="yes">lunch</C:text-match>')) == {"b"}
    assert found(ana, prop("LOCATION", "<C:text-match>CAFé</C:text-match>")) == {"a"}
    assert found(ana, prop("LOCATION", "")) == {"a"}
    assert found(ana, prop("LOCATION", "<C:is-not-defined/>")) == {"b"}
    assert found(ana, prop("CATEGORIES", "<C:text-match>fun</C:text-match>")) == {"b"}
    assert found(ana, prop("UID", '<C:text-match collation="i;octet">b</C:text-match>')) == {"b"}
    accepted = '<C:param-filter name="PARTSTAT"><C:text-match>accepted</C:text-match></C:param-filter>'
    assert found(ana, prop("ATTENDEE", accepted)) == {"a"}
    assert found(ana, prop("ATTENDEE", '<C:param-filter name="CN"><C:is-not-defined/></C:param-filter>')) == {"a", "b"}
    in_march = prop("DTSTART", '<C:time-range start="20270301T000000Z" end="20270302T000000Z"/>')
    assert found(ana, in_march) == {"a", "b"}


def test_filters_look_into_components(ana: Person) -> None:
    alarm = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT30M", "END:VALARM"]
    put_all(
        ana,
        rings=ics("rings", *alarm),
        quiet=ics("quiet"),
        task=calendar(["UID:task", "DUE:20270301T120000Z", "SUMMARY:Do it"], kind="VTODO"),
        undated=calendar(["UID:undated", "SUMMARY:Some day"], kind="VTODO"),
    )
    assert found(ana, events("")) == {"rings", "quiet"}
    assert found(ana, '<C:comp-filter name="VTODO"/>') == {"task", "undated"}
    assert found(ana, "") == {"rings", "quiet", "task", "undated"}
    assert found(ana, '<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>') == {"rings", "quiet"}
    assert found(ana, events('<C:comp-filter name="VALARM"/>')) == {"rings"}
    assert found(ana, events('<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>')) == {"quiet"}
    at_half_past_eight = '<C:time-range start="20270301T083000Z" end="20270301T083100Z"/>'
    assert found(ana, events(f'<C:comp-filter name="VALARM">{at_half_past_eight}</C:comp-filter>')) == {"rings"}
    todo = '<C:comp-filter name="VTODO"><C:time-range start="20270301T000000Z" end="20270302T000000Z"/></C:comp-filter>'
    assert found(ana, todo) == {"task", "undated"}
    assert found(ana, '<C:comp-filter name="VJOURNAL"/>') == set()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (query('<C:comp-filter name="VEVENT"><C:time-range start="20270301"/></C:comp-filter>'), "C:valid-filter"),
        (query('<C:comp-filter name="VEVENT"><C:time-range/></C:comp-filter>'), "C:valid-filter"),
        (
            query('<C:comp-filter name="VEVENT"><C:time-range start="20279901T000000Z"/></C:comp-filter>'),
            "C:valid-filter",
        ),
        (query('<C:comp-filter name="VEVENT"><C:nonsense/></C:comp-filter>'), "C:valid-filter"),
        (query("<C:comp-filter/>"), "C:valid-filter"),
        (query('<C:comp-filter name="VALARM"/>'), "C:valid-filter"),
        (query('<C:comp-filter name="VEVENT"><C:comp-filter name="VEVENT"/></C:comp-filter>'), "C:valid-filter"),
        (query(f'<C:comp-filter name="VTIMEZONE">{MARCH}</C:comp-filter>'), "C:valid-filter"),
        (query('<C:comp-filter name="VPOLL"/>'), "C:supported-filter"),
        (
            query(
                events('<C:prop-filter name="SUMMARY"><C:text-match collation="i;x">a</C:text-match></C:prop-filter>')
            ),
            "C:supported-collation",
        ),
        (query("", '<C:calendar-data content-type="application/json"/>'), "C:supported-calendar-data"),
        (query("", more="<C:timezone-id>Mars/Phobos</C:timezone-id>"), "C:valid-timezone"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_by_its_precondition(lite: Person, body: str, expected: str) -> None:
    response = lite.request("REPORT", lite.personal, declared(body), Depth="1")
    assert (response.status_code, condition(response)) == (403, expected)


def test_a_query_with_depth_0_asks_the_object_itself(lite: Person) -> None:
    put_all(lite, a=ics("a"))
    body = query(events(MARCH))
    assert lite.dav("REPORT", lite.personal, body, depth="0").hrefs == []
    assert lite.dav("REPORT", lite.personal + "a.ics", body, depth="0").hrefs == [lite.personal + "a.ics"]
    april = query(events('<C:time-range start="20270401T000000Z"/>'))
    assert lite.dav("REPORT", lite.personal + "a.ics", april, depth="0").hrefs == []


def test_reports_that_a_resource_does_not_have_are_refused(lite: Person) -> None:
    for path, body in (
        (lite.principal, query("")),
        (lite.home, "<D:sync-collection><D:sync-token/><D:prop/></D:sync-collection>"),
        (lite.personal, "<C:nonsense/>"),
        (lite.principal, "<D:nonsense/>"),
    ):
        response = lite.request("REPORT", path, declared(body), Depth="1")
        assert (response.status_code, condition(response)) == (403, "D:supported-report")
    assert lite.request("REPORT", lite.home + "nothing/", declared(query("")), Depth="1").status_code == 404


def test_multiget_answers_for_every_address_asked(ana: Person) -> None:
    put_all(ana, **{"a@b": ics("a"), "ü": ics("u")})
    asked = [
        f"{ana.personal}a%40b.ics",
        f"{ana.server.url}{ana.personal}%C3%BC.ics",
        f"{ana.personal}gone.ics",
        f"{ana.schedule}a@b.ics",
        "/elsewhere/x.ics",
    ]
    hrefs = "".join(f"<D:href>{each}</D:href>" for each in asked)
    body = f"<C:calendar-multiget><D:prop>{DATA}</D:prop>{hrefs}</C:calendar-multiget>"
    answer = ana.dav("REPORT", ana.personal, body, depth=None)  # Evolution sends no Depth
    assert answer.text(ana.personal + "a@b.ics", "C:calendar-data") == ics("a")
    assert answer.text(ana.personal + "%C3%BC.ics", "C:calendar-data") == ics("u")
    for missing in asked[2:]:
        assert "404" in (answer.status(missing) or "")
    assert len(answer.hrefs) == 5


def test_sync_tells_what_changed_and_what_went(ana: Person) -> None:
    start = ana.sync()
    assert start.hrefs == []
    put_all(ana, a=ics("a"), b=ics("b"))
    second = ana.sync(start.sync_token)
    assert sorted(second.hrefs) == [ana.personal + "a.ics", ana.personal + "b.ics"]  # all there are, in no order
    changed = ana.put("a.ics", ics("a", "SUMMARY:New"))
    assert ana.request("DELETE", ana.personal + "b.ics").status_code == 204
    put_all(ana, c=ics("c"))
    third = ana.sync(second.sync_token, props=DATA)
    assert third.text(ana.personal + "a.ics", "D:getetag") == changed.headers["ETag"]
    assert "SUMMARY:New" in (third.text(ana.personal + "a.ics", "C:calendar-data") or "")
    assert "404" in (third.status(ana.personal + "b.ics") or "")
    assert third.text(ana.personal + "c.ics", "D:getetag")
    again = ana.sync(third.sync_token)
    assert (again.hrefs, again.sync_token) == ([], third.sync_token)
    everything = ana.sync()
    assert set(everything.hrefs) == {ana.personal + "a.ics", ana.personal + "c.ics"}


def test_a_token_of_any_age_leads_to_the_present(ana: Person) -> None:
    tokens = [(ana.sync().sync_token, set[str]())]
    for number in range(6):
        put_all(ana, **{f"n{number}": ics(f"n{number}")})
        if number % 2:
            ana.request("DELETE", f"{ana.personal}n{number - 1}.ics")
        tokens.append((ana.sync().sync_token, set(ana.sync().hrefs)))
    now = set(ana.sync().hrefs)
    for token, had in tokens:
        answer = ana.sync(token)
        gone = {href for href in answer.hrefs if answer.status(href)}
        assert (had - gone) | (set(answer.hrefs) - gone) == now


def test_the_ctag_changes_with_the_collection_and_only_then(ana: Person) -> None:
    def ctag() -> str | None:
        answer = ana.dav("PROPFIND", ana.personal, "<D:propfind><D:prop><CS:getctag/></D:prop></D:propfind>")
        return answer.text(ana.personal, "CS:getctag")

    first = ctag()
    assert ctag() == first
    put_all(ana, a=ics("a"))
    second = ctag()
    assert second != first
    ana.put("a.ics", ics("a"))  # the same text again
    assert ctag() == second
    ana.request("DELETE", ana.personal + "a.ics")
    assert ctag() not in {first, second}


def test_objects_are_read_conditionally(ana: Person) -> None:
    etag = ana.put("a.ics", ics("a")).headers["ETag"]
    href = ana.personal + "a.ics"
    head = ana.request("HEAD", href)
    assert (head.status_code, head.headers["ETag"], head.content) == (200, etag, b"")
    assert head.headers["Content-Length"] == str(len(ics("a")))
    assert ana.request("GET", href, If_None_Match=etag).status_code == 304
    assert ana.request("GET", href, If_None_Match='"other"').status_code == 200
    assert ana.request("GET", href, If_Match='"other"').status_code == 412
    assert ana.request("GET", ana.personal + "none.ics").status_code == 404


def test_a_large_calendar_with_all_its_texts_is_sent_in_parts(lite: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "PAGE", 10)
    for number in range(25):
        lite.put(f"{number:02}.ics", ics(f"{number}@example.com", f"SUMMARY:Nummer {number} ü"))
    asked = "<D:propfind><D:prop><D:getetag/><C:calendar-data/></D:prop></D:propfind>"
    listed = lite.dav("PROPFIND", lite.personal, asked, depth="1")
    assert "Content-Length" not in listed.response.headers
    assert len(listed.hrefs) == 26
    first = lite.sync(props="<D:getetag/><C:calendar-data/>")
    assert "Content-Length" not in first.response.headers
    assert len(first.hrefs) == 25
    assert "SUMMARY:Nummer 24 ü" in (first.text(f"{lite.personal}24.ics", "C:calendar-data") or "")
    assert lite.sync(first.sync_token).hrefs == []


def test_members_come_without_their_collection_when_the_client_prefers_so(lite: Person) -> None:
    lite.put("a.ics", ics("a"))
    asked = "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>"
    assert lite.dav("PROPFIND", lite.personal, asked, depth="1", Prefer="depth-noroot").hrefs == [
        f"{lite.personal}a.ics"
    ]
    assert lite.dav("PROPFIND", lite.personal, asked, depth="0", Prefer="depth-noroot").hrefs == [lite.personal]


@pytest.mark.parametrize("inner", ["<D:allprop/><D:propname/>", "<D:unknown/>", ""])
def test_a_propfind_asks_for_one_thing(lite: Person, inner: str) -> None:
    body = declared(f"<D:propfind>{inner}</D:propfind>")
    assert lite.request("PROPFIND", lite.personal, body, Depth="0").status_code == 400


def test_definitions_of_known_zones_stay_out_when_the_client_has_them(lite: Person) -> None:
    definitions = [
        ["TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19701025T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100"],
        ["TZID:Our Own", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0100"],
    ]
    zones = "".join(
        "\r\n".join(["BEGIN:VTIMEZONE", *each, "END:STANDARD", "END:VTIMEZONE", ""]) for each in definitions
    )
    text = ics("a", start=";TZID=Europe/Berlin:20270301T100000").replace("BEGIN:VEVENT", f"{zones}BEGIN:VEVENT")
    lite.put("a.ics", text)
    path = f"{lite.personal}a.ics"
    multiget = f"<C:calendar-multiget><D:prop>{DATA}</D:prop><D:href>{path}</D:href></C:calendar-multiget>"
    for header, known in (("T", True), ("F", False)):
        got = lite.request("GET", path, CalDAV_Timezones=header).text
        reported = lite.dav("REPORT", lite.personal, multiget, CalDAV_Timezones=header).text(path, "C:calendar-data")
        for found in (got, reported or ""):
            assert ("TZID:Europe/Berlin\r" in found, "TZID:Our Own\r" in found) == (known, True)
    assert lite.request("GET", path).text == text

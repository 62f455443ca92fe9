"""PUT, DELETE, PROPPATCH, and what may not be written."""

import asyncio
from urllib.parse import quote

import pytest

from tests.support.clock import at
from tests.support.dav_server import NAMESPACES, Person, condition, declared
from tests.support.ical import calendar, ics

NINE = "DTSTART:20270301T090000Z"


def free_starts(ana: Person) -> list[int]:
    """The starts offered on Tuesday 2 March, for 30 minutes, from a link that is always open."""

    async def ask() -> list[int]:
        workspace = ana.server.workspace
        link = await workspace.link(f"free-{ana.user.handle}-{ana.server.clock.now}", ana.user)
        return await workspace.free(link, at("2027-03-02 00:00"), at("2027-03-02 00:00"))

    free = ana.server.run(ask())
    ana.server.clock.advance(1)
    return free


def test_an_object_comes_back_byte_for_byte(ana: Person) -> None:
    text = calendar(
        [
            "UID:odd",
            "DTSTART;TZID=Anywhere:20270302T090000",
            "DURATION:PT15M",
            "SUMMARY:Ünïcödé ✓ \\, \\; \\n 🎉",
            "X-STRANGE;X-PARAM=\"a:b\":value",
            "DESCRIPTION:" + "long " * 40,
        ],
        extra=["X-WR-CALNAME:Mine", "BEGIN:VTIMEZONE", "TZID:Anywhere", "BEGIN:STANDARD", "DTSTART:19700101T000000",
               "TZOFFSETFROM:+0545", "TZOFFSETTO:+0545", "END:STANDARD", "END:VTIMEZONE"],
    )  # fmt: skip
    created = ana.put("odd.ics", text)
    assert created.status_code == 201
    read = ana.request("GET", ana.personal + "odd.ics")
    assert read.content == text.encode()
    assert read.headers["ETag"] == created.headers["ETag"]
    assert not read.headers["ETag"].startswith("W/")
    assert read.headers["Content-Type"] == "text/calendar; charset=utf-8"


def test_what_cannot_be_carried_is_left_out_and_no_etag_promises_otherwise(ana: Person) -> None:
    dirty = ics("dirty", "DESCRIPTION:ring\x07 the\x0b bell")
    created = ana.put("dirty.ics", dirty)
    assert created.status_code == 201
    assert "ETag" not in created.headers
    assert ana.request("GET", ana.personal + "dirty.ics").text == dirty.replace("\x07", "").replace("\x0b", "")


def test_conditions_guard_against_overwriting(ana: Person) -> None:
    first = ana.put("a.ics", ics("a"), If_None_Match="*")
    assert first.status_code == 201
    assert ana.put("a.ics", ics("a", "SUMMARY:2"), If_None_Match="*").status_code == 412
    second = ana.put("a.ics", ics("a", "SUMMARY:2"), If_Match=first.headers["ETag"])
    assert second.status_code == 204
    assert ana.put("a.ics", ics("a", "SUMMARY:3"), If_Match=first.headers["ETag"]).status_code == 412
    assert ana.put("b.ics", ics("b"), If_Match="*").status_code == 412
    href = ana.personal + "a.ics"
    assert ana.request("DELETE", href, If_Match=first.headers["ETag"]).status_code == 412
    assert ana.request("DELETE", href, If_Match=second.headers["ETag"]).status_code == 204
    assert ana.request("DELETE", href).status_code == 404


def test_two_devices_that_save_at_once_do_not_both_win(ana: Person) -> None:
    etag = ana.put("a.ics", ics("a")).headers["ETag"]

    async def race() -> list[int]:
        tries = [
            asyncio.to_thread(ana.put, "a.ics", ics("a", f"SUMMARY:{number}"), If_Match=etag) for number in range(6)
        ]
        return sorted(response.status_code for response in await asyncio.gather(*tries))

    assert asyncio.run(race()) == [204] + [412] * 5


def test_an_event_in_personal_takes_the_time_off_the_link_at_once(ana: Person) -> None:
    nine = at("2027-03-02 09:00")
    assert nine in free_starts(ana)
    assert ana.put("a.ics", ics("a", start="20270302T090000Z")).status_code == 201
    blocked = free_starts(ana)
    assert not {nine, nine + 1800} & set(blocked)
    assert nine + 3600 in blocked
    ana.put("a.ics", ics("a", "TRANSP:TRANSPARENT", start="20270302T090000Z"))
    assert nine in free_starts(ana)
    ana.put("a.ics", ics("a", "RRULE:FREQ=WEEKLY", start="20270223T090000Z"))
    assert nine not in free_starts(ana)
    assert ana.request("DELETE", ana.personal + "a.ics").status_code == 204
    assert nine in free_starts(ana)


def test_an_invitation_declined_on_the_phone_is_not_busy(ana: Person) -> None:
    nine = at("2027-03-02 09:00")
    invited = f"ATTENDEE;PARTSTAT=DECLINED:mailto:{ana.user.email}"
    ana.put("a.ics", ics("a", "ORGANIZER:mailto:x@example.com", invited, start="20270302T090000Z"))
    assert nine in free_starts(ana)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "C:valid-calendar-data"),
        ("hello", "C:valid-calendar-data"),
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VCALENDAR\r\n", "C:valid-calendar-data"),
        (calendar(["UID:a", NINE], ["UID:b", NINE]), "C:valid-calendar-object-resource"),
        (calendar([NINE]), "C:valid-calendar-object-resource"),
        (calendar([f"UID:{'é' * 900}", NINE]), "C:valid-calendar-object-resource"),
        (calendar(["UID:a"]), "C:valid-calendar-object-resource"),
        (calendar(), "C:valid-calendar-object-resource"),
        (ics("a").replace("VERSION", "METHOD:REQUEST\r\nVERSION"), "C:valid-calendar-object-resource"),
        (calendar(["UID:j", NINE], kind="VJOURNAL"), "C:supported-calendar-component"),
    ],
)  # fmt: skip
def test_data_that_is_no_object_is_refused_by_its_precondition(lite: Person, text: str, expected: str) -> None:
    response = lite.put("a.ics", text)
    assert (response.status_code, condition(response)) == (403, expected)
    assert lite.request("GET", lite.personal + "a.ics").status_code == 404
    assert lite.calendar().revision == 0


def test_other_media_types_sizes_and_encodings_are_refused_by_their_precondition(lite: Person) -> None:
    json = lite.put("a.ics", ics("a"), Content_Type="application/calendar+json")
    assert (json.status_code, condition(json)) == (403, "C:supported-calendar-data")
    large = lite.put("a.ics", ics("a", "DESCRIPTION:" + "x" * 1_000_000))
    assert (large.status_code, condition(large)) == (403, "C:max-resource-size")
    latin = lite.request("PUT", lite.personal + "a.ics", ics("a", "SUMMARY:é").encode("latin-1"))
    assert (latin.status_code, condition(latin)) == (403, "C:valid-calendar-data")
    assert lite.request("PUT", lite.personal + "a.ics", ics("a")).status_code == 201  # no type at all is fine


def test_an_object_needs_a_calendar_and_a_possible_name(lite: Person) -> None:
    assert lite.request("PUT", lite.home + "nothing/a.ics", ics("a")).status_code == 409
    assert lite.request("PUT", lite.personal, ics("a")).status_code == 405
    assert lite.put("x" * 500 + ".ics", ics("a")).status_code == 403
    assert lite.put("a%2Fb.ics", ics("a")).status_code == 404
    assert lite.put("a%00.ics", ics("a")).status_code == 404


def test_names_may_hold_anything_else(ana: Person) -> None:
    for name in ("a b.ics", "ü.ics", "50%.ics", "a&b<c>.ics", "q?x.ics", "#1.ics", "no-ending", "ä\u0308.ics"):
        path = quote(name, safe="")
        assert ana.put(path, ics(name)).status_code == 201
        assert ana.request("GET", ana.personal + path).status_code == 200
    answer = ana.sync()
    assert len(answer.hrefs) == 8
    for href in answer.hrefs:
        assert ana.request("GET", href).status_code == 200


def test_properties_people_choose_can_be_set(ana: Person) -> None:
    body = (
        "<D:propertyupdate><D:set><D:prop><D:displayname>Privat &amp; so</D:displayname>"
        '<A:calendar-color symbolic-color="custom">#FF2968FF</A:calendar-color><A:calendar-order>7</A:calendar-order>'
        "<C:calendar-description>Mine</C:calendar-description></D:prop></D:set></D:propertyupdate>"
    )
    before = ana.calendar().revision
    answer = ana.dav("PROPPATCH", ana.personal, body, depth=None)
    assert len(answer.all(".//D:status")) == 1
    assert "200" in (answer.root.findtext(".//D:status", namespaces=NAMESPACES) or "")
    now = ana.calendar()
    assert (now.display_name, now.color, now.position, now.description) == ("Privat & so", "#FF2968FF", 7, "Mine")
    assert now.revision > before
    ana.dav(
        "PROPPATCH",
        ana.personal,
        "<D:propertyupdate><D:remove><D:prop><A:calendar-color/></D:prop></D:remove></D:propertyupdate>",
    )
    assert ana.calendar().color is None


def test_properties_change_together_or_not_at_all(ana: Person) -> None:
    body = (
        "<D:propertyupdate><D:set><D:prop><D:displayname>New</D:displayname><D:resourcetype/><X:own xmlns:X='x:y'/>"
        "</D:prop></D:set></D:propertyupdate>"
    )
    answer = ana.dav("PROPPATCH", ana.personal, body, depth=None)
    statuses = {
        str(each.tag): propstat.findtext("D:status", namespaces=NAMESPACES)
        for propstat in answer.all(".//D:propstat")
        for each in propstat.find("D:prop", namespaces=NAMESPACES)  # type: ignore[union-attr]
    }
    assert statuses == {
        "{DAV:}displayname": "HTTP/1.1 424 Failed Dependency",
        "{DAV:}resourcetype": "HTTP/1.1 403 Forbidden",
        "{x:y}own": "HTTP/1.1 424 Failed Dependency",
    }
    assert ana.calendar().display_name == "Personal"


@pytest.mark.parametrize(
    "value",
    [
        "<A:calendar-color>reddish</A:calendar-color>",
        "<A:calendar-order>first</A:calendar-order>",
        "<D:displayname/>",
        f"<D:displayname>{'x' * 300}</D:displayname>",
    ],
)
def test_values_that_make_no_sense_are_conflicts(lite: Person, value: str) -> None:
    body = f"<D:propertyupdate><D:set><D:prop>{value}</D:prop></D:set></D:propertyupdate>"
    answer = lite.dav("PROPPATCH", lite.personal, body, depth=None)
    assert "409" in (answer.root.findtext(".//D:status", namespaces=NAMESPACES) or "")


@pytest.mark.parametrize(
    ("method", "path", "privilege"),
    [
        ("DELETE", "schedule/", "unbind"),
        ("DELETE", "personal/", "unbind"),
        ("DELETE", "", "unbind"),
    ],
)
def test_what_may_not_be_written_is_403_with_the_privilege_it_needs(
    ana: Person, method: str, path: str, privilege: str
) -> None:
    body = ics("a") if method == "PUT" else declared("<D:propertyupdate><D:set><D:prop/></D:set></D:propertyupdate>")
    response = ana.request(method, ana.home + path, body)
    assert (response.status_code, condition(response)) == (403, "D:need-privileges")
    assert f"<D:{privilege}/>" in response.text
    assert ana.calendar("schedule").revision == ana.calendar().revision == 0


def test_a_collection_is_not_made_twice(lite: Person) -> None:
    for path in (lite.personal, lite.home, "/dav/"):
        assert lite.request("MKCALENDAR", path).status_code == 403


def test_methods_without_a_meaning_here_are_405_and_say_what_is_allowed(lite: Person) -> None:
    for method in ("LOCK", "UNLOCK", "ACL", "PATCH"):
        response = lite.request(method, lite.personal)
        assert response.status_code == 405
        assert "PROPFIND" in response.headers["Allow"]

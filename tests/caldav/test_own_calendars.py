"""Calendars that people make on their devices: MKCALENDAR, extended MKCOL, their properties, and their end."""

import pytest

from tests.support.clock import MONDAY
from tests.support.dav_server import NAMESPACES, Person, condition, declared
from tests.support.ical import ics

DAY = 86400
ZONE = (
    "<C:calendar-timezone>BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:America/New_York\r\n"
    "END:VTIMEZONE\r\nEND:VCALENDAR\r\n</C:calendar-timezone>"
)
COLORED = (
    "<C:mkcalendar><D:set><D:prop><D:displayname>Errands &amp; so</D:displayname>"
    '<A:calendar-color symbolic-color="custom">#FF2968FF</A:calendar-color><A:calendar-order>7</A:calendar-order>'
    f"{ZONE}"
    '<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>'
    "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
    "<X:own xmlns:X='x:y' kind='a'>kept <X:b/></X:own></D:prop></D:set></C:mkcalendar>"
)
MKCOL = (
    "<D:mkcol><D:set><D:prop><D:resourcetype><D:collection/><C:calendar/></D:resourcetype>"
    "<D:displayname>From MKCOL</D:displayname></D:prop></D:set></D:mkcol>"
)


def make(person: Person, name: str = "errands", body: str = "", method: str = "MKCALENDAR") -> str:
    """A new calendar's path."""
    response = person.request(method, f"{person.home}{name}/", declared(body))
    assert response.status_code == 201, response.text
    return f"{person.home}{name}/"


def test_a_calendar_is_made_with_colour_order_zone_and_kinds_as_iphones_send_them(ana: Person) -> None:
    path = make(ana, "6E1F2C1B-9A0D", COLORED)
    calendar = ana.calendar("6E1F2C1B-9A0D")
    assert (calendar.display_name, calendar.color, calendar.position) == ("Errands & so", "#FF2968FF", 7)
    assert (calendar.timezone, calendar.components, calendar.is_conflict) == ("America/New_York", ("VTODO",), False)
    home = ana.dav("PROPFIND", ana.home, "<D:propfind><D:prop><D:resourcetype/></D:prop></D:propfind>", depth="1")
    assert home.found(path, "D:resourcetype/C:calendar") is not None


def test_what_clients_keep_with_a_calendar_comes_back_as_it_was(ana: Person) -> None:
    path = make(ana, body=COLORED)
    asked = "<D:propfind><D:prop><X:own xmlns:X='x:y'/><X:other xmlns:X='x:y'/></D:prop></D:propfind>"
    answer = ana.dav("PROPFIND", path, asked)
    kept = answer.root.find(".//{x:y}own")
    assert kept is not None
    assert (kept.get("kind"), kept.text, len(kept)) == ("a", "kept ", 1)
    assert answer.missing(path) == {"{x:y}other"}
    for body in ("<D:propfind><D:allprop/></D:propfind>", "<D:propfind><D:propname/></D:propfind>"):
        assert ana.dav("PROPFIND", path, body).root.find(".//{x:y}own") is not None
    gone = "<D:propertyupdate><D:remove><D:prop><X:own xmlns:X='x:y'/></D:prop></D:remove></D:propertyupdate>"
    ana.dav("PROPPATCH", path, gone, depth=None)
    assert ana.dav("PROPFIND", path, asked).missing(path) == {"{x:y}own", "{x:y}other"}


def test_a_calendar_without_a_body_holds_everything_and_blocks(ana: Person) -> None:
    path = make(ana, "plain")
    calendar = ana.calendar("plain")
    assert (calendar.display_name, calendar.components) == ("plain", ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"))
    assert calendar.is_conflict
    for kind in ("VEVENT", "VTODO", "VJOURNAL"):
        text = f"BEGIN:{kind}\r\nUID:{kind}\r\nDTSTAMP:20270101T000000Z\r\nDTSTART:20270301T100000Z\r\nEND:{kind}"
        whole = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{text}\r\nEND:VCALENDAR\r\n"
        assert ana.request("PUT", f"{path}{kind}.ics", whole, Content_Type="text/calendar").status_code == 201
        assert ana.request("GET", f"{path}{kind}.ics").text == whole


def test_an_extended_mkcol_makes_a_calendar_and_nothing_else(ana: Person) -> None:
    make(ana, "made", MKCOL, "MKCOL")
    assert ana.calendar("made").display_name == "From MKCOL"
    for body in ("", "<D:mkcol/>", MKCOL.replace("<C:calendar/>", ""), MKCOL.replace("C:calendar/", "C:addressbook/")):
        refused = ana.request("MKCOL", f"{ana.home}other/", declared(body))
        assert (refused.status_code, condition(refused)) == (403, "D:valid-resourcetype")


def test_a_property_that_cannot_be_leaves_no_calendar_behind(ana: Person) -> None:
    wrong = "<A:calendar-color>reddish</A:calendar-color><D:displayname>A</D:displayname>"
    body = f"<C:mkcalendar><D:set><D:prop>{wrong}</D:prop></D:set></C:mkcalendar>"
    response = ana.request("MKCALENDAR", f"{ana.home}new/", declared(body))
    assert response.status_code == 207
    assert "409 Conflict" in response.text
    assert "424 Failed Dependency" in response.text
    response = ana.request(
        "MKCOL", f"{ana.home}new/", declared(MKCOL.replace("<D:displayname>", f"{wrong}<D:displayname>"))
    )
    assert response.status_code == 403
    assert ana.request("PROPFIND", f"{ana.home}new/", Depth="0").status_code == 404


def test_a_calendar_is_made_once_and_only_in_the_home(ana: Person) -> None:
    path = make(ana)
    for taken in (path, ana.personal, ana.schedule, f"{ana.home}inbox/", f"{ana.home}outbox/", ana.home, "/dav/"):
        refused = ana.request("MKCALENDAR", taken)
        assert (refused.status_code, condition(refused)) == (403, "D:resource-must-be-null")
        assert ana.request("MKCOL", taken).status_code == 405
    inside = ana.request("MKCALENDAR", f"{ana.personal}deeper")
    assert (inside.status_code, condition(inside)) == (403, "C:calendar-collection-location-ok")


def test_names_in_every_script_make_calendars(ana: Person) -> None:
    path = make(ana, "%D7%A4%D7%92%D7%99%D7%A9%D7%95%D7%AA%20%26")
    assert ana.calendar("פגישות &").name == "פגישות &"
    assert ana.dav("PROPFIND", path).hrefs == [path]


def test_a_calendar_goes_with_all_that_is_in_it_and_its_time_is_free_again(ana: Person) -> None:
    path = make(ana)
    ana.request("PUT", f"{path}a.ics", ics("a", start="20270301T100000Z"), Content_Type="text/calendar")
    before = ana.sync(collection=path).sync_token
    assert ana.request("DELETE", path, Depth="0").status_code == 204  # some clients send it; there is one meaning only
    assert ana.request("GET", f"{path}a.ics").status_code == 404
    assert ana.request("DELETE", path).status_code == 404
    make(ana)
    stale = ana.request(
        "REPORT",
        path,
        declared(
            f"<D:sync-collection><D:sync-token>{before}</D:sync-token><D:sync-level>1</D:sync-level>"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        ),
    )
    assert (stale.status_code, condition(stale)) == (403, "D:valid-sync-token")


def test_the_calendars_everybody_has_stay(ana: Person) -> None:
    for path in (ana.personal, ana.schedule, ana.home, f"{ana.home}inbox/", ana.principal):
        refused = ana.request("DELETE", path)
        assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")


def test_a_home_keeps_what_clients_note_there(ana: Person) -> None:
    alarm = "<C:default-alarm-vevent-datetime>BEGIN:VALARM&#13;\nEND:VALARM&#13;\n</C:default-alarm-vevent-datetime>"
    body = f"<D:propertyupdate><D:set><D:prop>{alarm}</D:prop></D:set></D:propertyupdate>"
    ana.dav("PROPPATCH", ana.home, body, depth=None)
    asked = "<D:propfind><D:prop><C:default-alarm-vevent-datetime/></D:prop></D:propfind>"
    answer = ana.dav("PROPFIND", ana.home, asked)
    assert (answer.text(ana.home, "C:default-alarm-vevent-datetime") or "").startswith("BEGIN:VALARM")
    protected = (
        "<D:propertyupdate><D:set><D:prop><D:displayname>Mine</D:displayname></D:prop></D:set></D:propertyupdate>"
    )
    refused = ana.dav("PROPPATCH", ana.home, protected, depth=None)
    assert "403" in (refused.root.findtext(".//D:status", namespaces=NAMESPACES) or "")
    ana.dav("PROPPATCH", ana.home, body.replace("D:set>", "D:remove>"), depth=None)
    assert ana.dav("PROPFIND", ana.home, asked).missing(ana.home)


def test_the_language_of_a_property_is_kept_with_it(lite: Person) -> None:
    own = "<X:own xmlns:X='x:y'>so</X:own>"
    body = f"<D:propertyupdate xml:lang='de'><D:set><D:prop>{own}</D:prop></D:set></D:propertyupdate>"
    lite.dav("PROPPATCH", lite.personal, body, depth=None)
    kept = lite.dav("PROPFIND", lite.personal, "<D:propfind><D:prop><X:own xmlns:X='x:y'/></D:prop></D:propfind>")
    found = kept.root.find(".//{x:y}own")
    assert found is not None
    assert found.get("{http://www.w3.org/XML/1998/namespace}lang") == "de"


def test_what_is_in_a_calendar_of_ones_own_blocks_unless_it_is_transparent(ana: Person) -> None:
    workspace = ana.server.workspace
    link = ana.server.run(workspace.link(f"own-{ana.user.handle}", ana.user))

    def offered() -> list[int]:
        return ana.server.run(workspace.free(link, MONDAY, MONDAY + DAY))

    path = make(ana)
    assert offered()
    start, end = "20270301T000000Z", "20270331T000000Z"
    ana.request("PUT", f"{path}a.ics", ics("a", start=start, end=end), Content_Type="text/calendar")
    assert not offered()
    update = (
        "<D:propertyupdate><D:set><D:prop><C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
        "</D:prop></D:set></D:propertyupdate>"
    )
    ana.dav("PROPPATCH", path, update, depth=None)
    assert offered()


def test_properties_of_clients_are_bounded(lite: Person) -> None:
    path = make(lite)
    long = (
        f"<D:propertyupdate><D:set><D:prop><X:a xmlns:X='x:y'>{'x' * 20_000}</X:a></D:prop></D:set></D:propertyupdate>"
    )
    answer = lite.dav("PROPPATCH", path, long, depth=None)
    assert "507" in (answer.root.findtext(".//D:status", namespaces=NAMESPACES) or "")
    many = "".join(f"<X:p{number} xmlns:X='x:y'>{'x' * 10_000}</X:p{number}>" for number in range(12))
    body = f"<D:propertyupdate><D:set><D:prop>{many}</D:prop></D:set></D:propertyupdate>"
    answer = lite.dav("PROPPATCH", path, body, depth=None)
    assert "507" in (answer.root.findtext(".//D:status", namespaces=NAMESPACES) or "")
    assert lite.calendar("errands").properties == {}


def test_a_minimal_answer_to_a_change_of_properties_has_no_body(lite: Person) -> None:
    body = "<D:propertyupdate><D:set><D:prop><D:displayname>New</D:displayname></D:prop></D:set></D:propertyupdate>"
    response = lite.request("PROPPATCH", lite.personal, declared(body), Prefer="return=minimal")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Preference-Applied"] == "return=minimal"
    assert lite.calendar().display_name == "New"


def test_a_new_zone_of_a_calendar_is_the_one_its_all_day_events_are_read_in(ana: Person) -> None:
    path = make(ana)
    for value, zone in (("Asia/Tokyo", "Asia/Tokyo"), ("/vendor/Europe/Berlin", "Europe/Berlin")):
        body = (
            f"<D:propertyupdate><D:set><D:prop><C:calendar-timezone-id>{value}</C:calendar-timezone-id></D:prop>"
            "</D:set></D:propertyupdate>"
        )
        ana.dav("PROPPATCH", path, body, depth=None)
        assert ana.calendar("errands").timezone == zone
    unknown = body.replace("/vendor/Europe/Berlin", "Nowhere/At-All")
    answer = ana.dav("PROPPATCH", path, unknown, depth=None)
    assert "409" in (answer.root.findtext(".//D:status", namespaces=NAMESPACES) or "")


def test_a_zone_is_a_definition_and_nothing_else(ana: Person) -> None:
    path = make(ana)
    definition = ZONE.replace("END:VTIMEZONE", "END:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:a\r\nEND:VEVENT")
    body = f"<D:propertyupdate><D:set><D:prop>{definition}</D:prop></D:set></D:propertyupdate>"
    assert "409 Conflict" in ana.dav("PROPPATCH", path, body, depth=None).response.text
    zone = definition.replace("C:calendar-timezone", "C:timezone")
    query = '<C:calendar-query><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>' + f"{zone}</C:calendar-query>"
    refused = ana.request("REPORT", path, declared(query), Depth="1")
    assert (refused.status_code, condition(refused)) == (403, "C:valid-calendar-data")


@pytest.mark.parametrize("method", ["MKCALENDAR", "MKCOL"])
def test_a_body_of_another_kind_is_refused(lite: Person, method: str) -> None:
    assert lite.request(method, f"{lite.home}new/", "<x/>").status_code == 400
    assert lite.request(method, f"{lite.home}new/", "<").status_code == 400


def test_a_home_answers_for_all_its_calendars(ana: Person) -> None:
    path = make(ana)
    ana.put("a.ics", ics("a"))
    ana.request("PUT", f"{path}b.ics", ics("b"), Content_Type="text/calendar")
    both = [f"{ana.personal}a.ics", f"{path}b.ics"]
    body = (
        '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">'
        '<C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>'
    )
    assert ana.dav("REPORT", ana.home, body, depth="infinity").hrefs == both
    assert ana.dav("REPORT", ana.home, body, depth="1").hrefs == []
    one = body.replace("</C:filter>", "</C:filter><C:limit><C:nresults>1</C:nresults></C:limit>")
    assert ana.dav("REPORT", ana.home, one, depth="infinity").hrefs == [both[0], ana.home]
    asked = "".join(f"<D:href>{each}</D:href>" for each in [*both, f"{path}none.ics", f"{ana.home}none/a.ics"])
    answer = ana.dav(
        "REPORT", ana.home, f"<C:calendar-multiget><D:prop><D:getetag/></D:prop>{asked}</C:calendar-multiget>"
    )
    assert [href for href in answer.hrefs if answer.status(href) is None] == both
    boss = ana.server.boss()
    assert boss.dav("REPORT", ana.home, body, depth="infinity").hrefs == []

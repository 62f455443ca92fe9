"""Bugs that clients met in the field; each has a test that this server does not have it.

Numbers are those of the project's list of fifteen.
"""

import pytest

from tests.caldav.test_other_people import let_in
from tests.support.clock import MONDAY
from tests.support.dav_server import Person, condition, declared
from tests.support.ical import ics

TUESDAY = MONDAY + 86400
WRITING = {"write", "write-content", "write-properties", "bind", "unbind", "all", "unlock", "write-acl"}


def privileges(ana: Person, path: str) -> set[str]:
    """The privileges shown on a resource."""
    answer = ana.dav("PROPFIND", path, "<D:propfind><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>")
    shown = answer.found(path, "D:current-user-privilege-set")
    assert shown is not None
    return {str(each.tag).split("}")[1] for each in shown.iterfind("{DAV:}privilege/*")}


def test_1_a_read_only_calendar_shows_no_privilege_of_writing(ana: Person) -> None:
    booking = ana.book(TUESDAY)
    ana.put("a.ics", ics("a"))
    ben = ana.server.person()
    assert let_in(ana, "read", ben) == 200
    members = [f"{ana.personal}a.ics", f"{ana.schedule}{booking.id}.ics"]
    for path in (ana.schedule, ana.personal, *members, ana.home, ana.principal, "/dav/"):
        assert not privileges(ben, path) & WRITING, path
        assert "read" in privileges(ben, path)
    assert not privileges(ana, "/dav/") & WRITING
    assert {"read", "write", "write-content", "write-properties", "bind", "unbind"} <= privileges(ana, ana.personal)


def test_1_a_calendar_whose_privileges_say_so_takes_its_properties(ana: Person) -> None:
    colour = "<D:propertyupdate><D:set><D:prop><A:calendar-color>#FF9500FF</A:calendar-color></D:prop></D:set>"
    for path in (ana.personal, ana.schedule):
        assert "write-properties" in privileges(ana, path)
        answer = ana.dav("PROPPATCH", path, f"{colour}</D:propertyupdate>", depth=None)
        assert answer.found(path, "A:calendar-color") is not None


def test_2_a_refused_write_is_403_with_need_privileges_not_404(ana: Person) -> None:
    booking = ana.book(TUESDAY)
    ana.put("a.ics", ics("a"))
    ben = ana.server.person()
    assert let_in(ana, "read", ben) == 200
    for path in (f"{ana.schedule}{booking.id}.ics", f"{ana.personal}a.ics", f"{ana.personal}new.ics"):
        refused = [ben.request("PUT", path, ics("a"))]
        if not path.endswith("new.ics"):
            refused.append(ben.request("DELETE", path))
        assert {(each.status_code, condition(each)) for each in refused} == {(403, "D:need-privileges")}


def test_3_a_sync_that_is_cut_says_so_with_507_and_goes_on(ana: Person) -> None:
    for number in range(7):
        ana.put(f"{number}.ics", ics(str(number)))
    ana.request("DELETE", ana.personal + "3.ics")
    limit = "<D:limit><D:nresults>2</D:nresults></D:limit>"
    token, seen = "", set[str]()
    for _ in range(10):
        answer = ana.sync(token, more=limit)
        token = answer.sync_token
        members = [href for href in answer.hrefs if href != ana.personal]
        assert 1 <= len(members) <= 2
        seen |= {href for href in members if answer.status(href) is None}
        if ana.personal not in answer.hrefs:
            break
        assert answer.status(ana.personal) == "HTTP/1.1 507 Insufficient Storage"
        assert "number-of-matches-within-limits" in answer.response.text
    assert seen == {f"{ana.personal}{number}.ics" for number in (0, 1, 2, 4, 5, 6)}
    assert ana.sync(token).hrefs == []


@pytest.mark.parametrize(
    "token",
    ["7c5c2d0e-0000-0000-0000-000000000000", "garbage", "http://example.com/ns/sync/1", "halfpast:sync:x:1", "1", "-1"],
)
def test_4_an_unknown_token_is_403_with_valid_sync_token(lite: Person, token: str) -> None:
    body = f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>"
    response = lite.request("REPORT", lite.personal, declared(body), Depth="0")
    assert (response.status_code, condition(response)) == (403, "D:valid-sync-token")


def test_4_the_token_of_another_collection_or_of_the_future_is_unknown_too(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    own = ana.sync().sync_token
    for token in (ana.sync(collection=ana.schedule).sync_token, own[:-1] + "9", ana.server.person().sync().sync_token):
        body = (
            f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        response = ana.request("REPORT", ana.personal, declared(body), Depth="0")
        assert (response.status_code, condition(response)) == (403, "D:valid-sync-token")


def test_5_deletions_are_told_however_old_the_token(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    token = ana.sync().sync_token
    ana.request("DELETE", ana.personal + "a.ics")
    for number in range(30):
        ana.put("b.ics", ics("b", f"SUMMARY:{number}"))
    ana.server.clock.advance(400 * 86400)
    try:
        answer = ana.sync(token)
    finally:
        ana.server.clock.advance(-400 * 86400)
    assert "404" in (answer.status(ana.personal + "a.ics") or "")
    assert len(answer.hrefs) == 2


def test_6_an_at_sign_is_the_same_encoded_or_not(ana: Person) -> None:
    plain, encoded = ana.personal + "a@b.ics", ana.personal + "a%40b.ics"
    etag = ana.put("a%40b.ics", ics("a")).headers["ETag"]
    assert ana.request("GET", plain).headers["ETag"] == ana.request("GET", encoded).headers["ETag"] == etag
    assert ana.put("a@b.ics", ics("a", "SUMMARY:2"), If_Match=etag).status_code == 204
    assert ana.sync().hrefs == [plain]
    body = f"<C:calendar-multiget><D:prop><D:getetag/></D:prop><D:href>{encoded}</D:href></C:calendar-multiget>"
    assert ana.dav("REPORT", ana.personal, body).hrefs == [plain]
    assert ana.request("DELETE", encoded).status_code == 204


@pytest.mark.parametrize("altered", ["W/{}", "{}-gzip", "{};gzip", "{}--gzip", "W/{}-gzip"])
def test_7_an_etag_that_a_proxy_altered_still_matches(lite: Person, altered: str) -> None:
    etag = lite.put("a.ics", ics("a")).headers["ETag"]
    prefix, _, suffix = altered.partition("{}")
    seen = f'{prefix}"{etag[1:-1]}{suffix}"'
    assert lite.put("a.ics", ics("a", "SUMMARY:2"), If_Match=seen).status_code == 204
    assert lite.put("a.ics", ics("a", "SUMMARY:3"), If_Match=seen).status_code == 412


def test_7_answers_ask_proxies_to_leave_them_alone_and_are_never_compressed_here(lite: Person) -> None:
    lite.put("a.ics", ics("a"))
    answer = lite.request("GET", lite.personal + "a.ics", Accept_Encoding="gzip")
    assert "Content-Encoding" not in answer.headers
    assert "no-transform" in answer.headers["Cache-Control"]


def test_8_every_member_has_a_strong_etag_everywhere_it_is_told(ana: Person) -> None:
    told = {ana.put("a.ics", ics("a")).headers["ETag"], ana.request("HEAD", ana.personal + "a.ics").headers["ETag"]}
    body = "<D:propfind><D:prop><D:getetag/></D:prop></D:propfind>"
    href = ana.personal + "a.ics"
    told.add(ana.dav("PROPFIND", href, body).text(href, "D:getetag") or "")
    told.add(ana.dav("PROPFIND", ana.personal, body, depth="1").text(href, "D:getetag") or "")
    told.add(ana.sync().text(href, "D:getetag") or "")
    assert len(told) == 1
    assert told.pop().startswith('"')
    booking = ana.book(TUESDAY)
    member = f"{ana.schedule}{booking.id}.ics"
    etag = ana.dav("PROPFIND", ana.schedule, body, depth="1").text(member, "D:getetag")
    assert etag == ana.request("GET", member).headers["ETag"]
    assert etag.startswith('"')


def test_8_a_text_that_was_rewritten_gets_no_etag_on_put(lite: Person) -> None:
    assert "ETag" not in lite.put("a.ics", ics("a", "SUMMARY:\x01x")).headers


def test_8_an_object_that_scheduling_rewrote_has_a_tag_to_read_back_but_none_on_put(ana: Person) -> None:
    people = (f"ORGANIZER:mailto:{ana.user.email}", "ATTENDEE:mailto:casey@example.org")
    put = ana.put("a.ics", ics("a", *people))
    assert (put.status_code, "ETag" in put.headers) == (201, False)
    got = ana.request("GET", ana.personal + "a.ics")
    assert got.headers["ETag"].startswith('"')
    assert got.headers["Schedule-Tag"] == put.headers["Schedule-Tag"]
    changed = ana.put("a.ics", ics("a", *people, "SUMMARY:2"), If_Match=got.headers["ETag"])
    assert changed.status_code == 204


def test_9_a_time_range_may_have_one_side_only(ana: Person) -> None:
    ana.put("early.ics", ics("early", start="20270201T090000Z"))
    ana.put("late.ics", ics("late", start="20270401T090000Z"))

    def names(limits: str) -> list[str]:
        time = f'<C:comp-filter name="VEVENT"><C:time-range {limits}/></C:comp-filter>'
        query = (
            "<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter>"
            f'<C:comp-filter name="VCALENDAR">{time}</C:comp-filter></C:filter></C:calendar-query>'
        )
        return [href.removeprefix(ana.personal) for href in ana.dav("REPORT", ana.personal, query, depth="1").hrefs]

    assert names('start="20270301T000000Z"') == ["late.ics"]
    assert names('end="20270301T000000Z"') == ["early.ics"]


def test_10_without_credentials_it_is_401_and_with_them_ones_own_paths_are_never_403(lite: Person) -> None:
    inside = (lite.schedule, lite.personal, f"{lite.home}inbox/", f"{lite.home}outbox/")
    for path in ("/dav/", lite.principal, lite.home, *inside):
        assert lite.server.request("PROPFIND", path, Depth="0").status_code == 401
        assert lite.request("PROPFIND", path, Depth="0").status_code == 207
        assert lite.request("PROPFIND", path, Depth="1").status_code == 207
        assert lite.request("OPTIONS", path).status_code == 200


def test_11_bad_data_breaks_a_caldav_precondition(lite: Person) -> None:
    response = lite.put("a.ics", "no calendar")
    assert (response.status_code, condition(response)) == (403, "C:valid-calendar-data")


def test_12_multiget_answers_404_for_what_is_missing_and_decodes_addresses(lite: Person) -> None:
    lite.put("%C3%A9%20x.ics", ics("a"))
    hrefs = f"<D:href>{lite.personal}%C3%A9%20x.ics</D:href><D:href>{lite.personal}no.ics</D:href>"
    body = f"<C:calendar-multiget><D:prop><D:getetag/></D:prop>{hrefs}</C:calendar-multiget>"
    answer = lite.dav("REPORT", lite.personal, body)
    assert answer.text(lite.personal + "%C3%A9%20x.ics", "D:getetag")
    assert "404" in (answer.status(lite.personal + "no.ics") or "")


def test_13_a_second_resource_with_the_same_uid_is_refused_and_the_first_is_named(ana: Person) -> None:
    ana.put("first@home.ics", ics("same"))
    refused = ana.put("second.ics", ics("same"))
    assert (refused.status_code, condition(refused)) == (403, "C:no-uid-conflict")
    assert f"<D:href>{ana.personal}first@home.ics</D:href>" in refused.text
    changed = ana.put("first@home.ics", ics("other"))  # RFC 4791 §5.3.2.1: nor may a resource change its UID
    assert (changed.status_code, condition(changed)) == (403, "C:no-uid-conflict")
    ana.request("DELETE", ana.personal + "first@home.ics")
    assert ana.put("second.ics", ics("same")).status_code == 201


def test_14_a_calendar_has_the_colour_order_and_components_it_was_made_with(ana: Person) -> None:
    given = (
        "<D:displayname>Errands</D:displayname><A:calendar-color symbolic-color='custom'>#FF2968FF</A:calendar-color>"
        "<A:calendar-order>7</A:calendar-order><C:supported-calendar-component-set><C:comp name='VTODO'/>"
        "</C:supported-calendar-component-set>"
    )
    path = f"{ana.home}6E1F2C1B/"
    body = f"<C:mkcalendar><D:set><D:prop>{given}</D:prop></D:set></C:mkcalendar>"
    assert ana.request("MKCALENDAR", path, declared(body)).status_code == 201
    names = "<D:displayname/><A:calendar-color/><A:calendar-order/><C:supported-calendar-component-set/>"
    answer = ana.dav("PROPFIND", path, f"<D:propfind><D:prop>{names}</D:prop></D:propfind>")
    told = [answer.text(path, name) for name in ("D:displayname", "A:calendar-color", "A:calendar-order")]
    assert told == ["Errands", "#FF2968FF", "7"]
    [kind] = answer.all(".//C:supported-calendar-component-set/C:comp")
    assert kind.get("name") == "VTODO"


def test_14_there_is_a_default_calendar_from_the_start(ana: Person) -> None:
    inbox = f"{ana.home}inbox/"
    body = "<D:propfind><D:prop><C:schedule-default-calendar-URL/></D:prop></D:propfind>"
    assert ana.dav("PROPFIND", inbox, body).text(inbox, "C:schedule-default-calendar-URL/D:href") == ana.personal


def test_15_calendars_are_plain_calendars_and_not_subscriptions(lite: Person) -> None:
    answer = lite.dav("PROPFIND", lite.home, "<D:propfind><D:prop><D:resourcetype/></D:prop></D:propfind>", depth="1")
    for href in (lite.schedule, lite.personal):
        assert answer.found(href, "D:resourcetype/C:calendar") is not None
    assert "subscribed" not in answer.response.text

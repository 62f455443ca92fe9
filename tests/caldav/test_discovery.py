"""How clients find the calendars, with the requests that they send (RFC 6764, 5397, 3744, 4791 §6.2)."""

import time

import pytest

from app.use_cases.manage_tokens import delete_app_password
from tests.support.dav_server import MANY, DavServer, Person, basic

THUNDERBIRD = (
    "<D:propfind><D:prop><D:resourcetype/><D:owner/><D:displayname/><D:current-user-principal/>"
    "<D:current-user-privilege-set/><A:calendar-color/><C:calendar-home-set/></D:prop></D:propfind>"
)


def props(*names: str) -> str:
    """A PROPFIND for these properties."""
    return f"<D:propfind><D:prop>{''.join(f'<{name}/>' for name in names)}</D:prop></D:propfind>"


@pytest.mark.parametrize("path", ["/.well-known/caldav", "/.well-known/caldav/"])
@pytest.mark.parametrize("method", ["PROPFIND", "GET", "OPTIONS"])
def test_the_well_known_address_leads_to_the_server_without_credentials(lite: Person, method: str, path: str) -> None:
    response = lite.server.request(method, path, Depth="0")
    assert (response.status_code, response.headers["Location"]) == (301, "/dav/")


def test_the_root_of_the_site_leads_on_too(lite: Person) -> None:
    assert lite.server.request("PROPFIND", "/", Depth="0").status_code == 401
    answer = lite.dav("PROPFIND", "/", THUNDERBIRD, depth="1")
    assert answer.hrefs == ["/", "/dav/"]
    assert answer.text("/", "D:current-user-principal/D:href") == lite.principal
    assert lite.server.request("GET", "/").status_code == 404  # the pages' own business


def test_from_the_root_to_the_calendars_as_thunderbird_goes(ana: Person) -> None:
    root = ana.dav("PROPFIND", "/dav/", THUNDERBIRD)
    found = root.found("/dav/", "D:current-user-principal/D:href")
    assert found is not None
    assert found.text == ana.principal
    assert "{urn:ietf:params:xml:ns:caldav}calendar-home-set" in root.missing("/dav/")
    principal = ana.dav("PROPFIND", ana.principal, props("C:calendar-home-set"))
    assert principal.text(ana.principal, "C:calendar-home-set/D:href") == ana.home
    home = ana.dav("PROPFIND", ana.home, THUNDERBIRD, depth="1")
    assert home.hrefs == [ana.home, ana.schedule, ana.personal, f"{ana.home}inbox/", f"{ana.home}outbox/"]
    assert [href for href in home.hrefs if home.found(href, "D:resourcetype/C:calendar") is not None] == [
        ana.schedule,
        ana.personal,
    ]
    assert home.text(ana.personal, "D:displayname") == "Personal"
    assert home.text(ana.schedule, "A:calendar-color") == "#2563eb"


def test_a_calendar_tells_what_clients_ask_of_it(ana: Person) -> None:
    asked = props(
        "D:supported-report-set", "C:supported-calendar-component-set", "CS:getctag", "D:sync-token", "D:owner",
        "C:max-resource-size", "C:calendar-timezone", "C:calendar-timezone-id", "C:supported-calendar-data",
        "C:supported-collation-set", "A:calendar-order", "C:calendar-description", "CS:source", "D:quota-used-bytes",
    )  # fmt: skip
    answer = ana.dav("PROPFIND", ana.personal, asked)
    reports = answer.found(ana.personal, "D:supported-report-set")
    assert reports is not None
    assert {str(each.tag).split("}")[1] for each in reports.iterfind(".//{DAV:}report/*")} == {
        "calendar-query",
        "calendar-multiget",
        "sync-collection",
        "expand-property",
        "acl-principal-prop-set",
        "free-busy-query",
        "principal-match",
        "principal-property-search",
        "principal-search-property-set",
    }
    components = answer.found(ana.personal, "C:supported-calendar-component-set")
    assert components is not None
    assert [each.get("name") for each in components] == ["VEVENT", "VTODO"]
    assert (answer.text(ana.personal, "C:calendar-timezone") or "").startswith("BEGIN:VCALENDAR\r\n")
    assert answer.text(ana.personal, "C:calendar-timezone-id") == "UTC"
    assert answer.text(ana.personal, "D:owner/D:href") == ana.principal
    assert ":" in (answer.text(ana.personal, "D:sync-token") or "")
    assert answer.missing(ana.personal) == {"{http://calendarserver.org/ns/}source", "{DAV:}quota-used-bytes"}


def test_a_principal_tells_what_iphones_and_davx5_ask_of_it(ana: Person) -> None:
    asked = props(
        "C:calendar-user-address-set", "D:displayname", "CS:email-address-set", "D:principal-URL",
        "D:principal-collection-set", "D:group-membership", "D:resourcetype", "C:schedule-inbox-URL",
        "C:schedule-outbox-URL", "CS:notification-URL", "CS:calendar-proxy-read-for", "CS:calendar-proxy-write-for",
    )  # fmt: skip
    answer = ana.dav("PROPFIND", ana.principal, asked)
    addresses = answer.found(ana.principal, "C:calendar-user-address-set")
    assert addresses is not None
    assert [each.text for each in addresses] == [f"mailto:{ana.user.email}", ana.principal]
    assert answer.found(ana.principal, "D:resourcetype/D:principal") is not None
    assert answer.text(ana.principal, "D:principal-URL/D:href") == ana.principal
    assert "{http://calendarserver.org/ns/}notification-URL" in answer.missing(ana.principal)
    assert "{http://calendarserver.org/ns/}calendar-proxy-read-for" not in answer.missing(ana.principal)


def test_the_reports_a_mac_sends_about_people_are_answered(lite: Person) -> None:
    search = lite.request("REPORT", "/dav/principals/", '<principal-search-property-set xmlns="DAV:"/>', Depth="0")
    assert search.status_code == 200
    assert b"principal-search-property-set" in search.content
    expanded = lite.dav(
        "REPORT",
        lite.principal,
        '<D:expand-property><D:property name="calendar-proxy-write-for" namespace="http://calendarserver.org/ns/">'
        '<D:property name="displayname"/></D:property><D:property name="current-user-principal">'
        '<D:property name="displayname"/></D:property></D:expand-property>',
    )
    inner = expanded.found(lite.principal, "D:current-user-principal/D:response/D:propstat/D:prop/D:displayname")
    assert inner is not None
    assert inner.text == lite.user.name
    assert expanded.found(lite.principal, "CS:calendar-proxy-write-for") is not None
    assert expanded.missing(lite.principal) == set()


@pytest.mark.parametrize(("sought", "found"), [("self", True), ("example.com", True), ("nobody-else", False)])
def test_a_search_finds_people_of_the_organization_alone(lite: Person, sought: str, found: bool) -> None:
    other = lite.server.stranger()
    match = lite.user.email if sought == "self" else sought
    answer = lite.dav(
        "REPORT",
        "/dav/principals/",
        "<D:principal-property-search><D:property-search><D:prop><C:calendar-user-address-set/></D:prop>"
        f"<D:match>{match}</D:match></D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>",
    )
    assert (lite.principal in answer.hrefs) == found
    assert other.user.handle not in answer.response.text


def test_only_ones_own_principal_and_home_are_listed(ana: Person) -> None:
    other = ana.server.person()
    assert ana.dav("PROPFIND", "/dav/principals/", depth="1").hrefs == ["/dav/principals/", ana.principal]
    assert ana.dav("PROPFIND", "/dav/calendars/", depth="1").hrefs == ["/dav/calendars/", ana.home]
    assert ana.dav("PROPFIND", "/dav/", depth="1").hrefs == ["/dav/", "/dav/principals/", "/dav/calendars/"]
    assert other.user.handle not in ana.dav("PROPFIND", "/dav/", depth="1").response.text


@pytest.mark.parametrize(
    "method", ["OPTIONS", "PROPFIND", "REPORT", "GET", "HEAD", "PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "POST"]
)
def test_what_is_another_organizations_looks_like_what_never_was(lite: Person, method: str) -> None:
    other = lite.server.stranger()
    assert other.put("a.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").status_code == 403
    for path in (
        "/dav/principals/{}/",
        "/dav/calendars/{}/",
        "/dav/calendars/{}/personal/",
        "/dav/calendars/{}/personal/a.ics",
    ):
        foreign, unknown = (
            lite.request(method, path.format(handle), "<x/>", Depth="1")
            for handle in (other.user.handle, "nobody-at-all")
        )
        assert foreign.status_code == unknown.status_code == 404
        assert foreign.content == unknown.content
        assert foreign.headers.keys() == unknown.headers.keys()


@pytest.mark.parametrize(
    "path", ["/dav/", "/dav/calendars/nobody/", "/dav/nothing", "/dav/calendars/nobody/personal/a.ics"]
)
@pytest.mark.parametrize("method", ["PROPFIND", "OPTIONS", "PUT", "DELETE", "GET", "LOCK"])
def test_without_credentials_everything_is_401(lite: Person, method: str, path: str) -> None:
    response = lite.server.request(method, path, "<x/>")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Halfpast"'


def test_people_sign_in_by_handle_or_address_and_app_password_alone(ana: Person) -> None:
    def status(login: str, secret: str) -> int:
        return ana.server.request("PROPFIND", "/dav/", Depth="0", Authorization=basic(login, secret)).status_code

    assert status(ana.user.handle, ana.password) == 207
    assert status(ana.user.email, ana.password) == 207
    assert status(ana.user.email.upper(), ana.password) == 207
    assert status(ana.user.handle, ana.server.person().password) == 401
    assert status("somebody", ana.password) == 401
    assert status(ana.user.handle, "") == 401
    for header in ("Bearer abc", "Basic", "Basic !!!", "Basic YQ==", "Basic /////w==", basic("a\x00b", "c")):
        assert ana.server.request("PROPFIND", "/dav/", Depth="0", Authorization=header).status_code == 401


def test_failures_are_counted_and_refused_but_never_lock_out_a_device_with_its_password(lite: Person) -> None:
    failures = lite.server.failures
    before = len(failures.seen)
    lite.server.request("PROPFIND", "/dav/", Depth="0")
    assert len(failures.seen) == before  # asking without credentials is how clients begin
    wrong = basic(lite.user.handle, "wrong")
    assert lite.server.request("PROPFIND", "/dav/", Depth="0", Authorization=wrong).status_code == 401
    assert len(failures.seen) == before + 1
    failures.limit = before + 1
    try:
        refused = lite.server.request("PROPFIND", "/dav/", Depth="0", Authorization=wrong)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "30")
        assert lite.dav("PROPFIND", "/dav/").hrefs == ["/dav/"]
    finally:
        failures.limit = MANY


def test_the_last_use_of_an_app_password_is_noted_now_and_then(ana: Person) -> None:
    async def read() -> int | None:
        async with ana.server.workspace.ports.read() as work:
            [password] = await work.tokens.app_passwords(ana.user.id)
            return password.last_used_at

    def noted(expected: int | None) -> bool:
        """The note follows the answer, so it may take a moment."""
        for _ in range(100):
            if ana.server.run(read()) == expected:
                return True
            time.sleep(0.02)
        return False

    clock = ana.server.clock
    assert noted(None)
    ana.dav("PROPFIND", "/dav/")
    first = clock.now
    assert noted(first)
    clock.advance(60)
    ana.dav("PROPFIND", "/dav/")
    clock.advance(241)
    ana.dav("PROPFIND", "/dav/")
    assert noted(first + 301)


def test_a_revoked_app_password_stops_working_at_once(ana: Person) -> None:
    async def revoke() -> None:
        async with ana.server.workspace.ports.read() as work:
            [password] = await work.tokens.app_passwords(ana.user.id)
        await delete_app_password(ana.server.workspace.ports, ana.user, password.id)

    assert ana.request("PROPFIND", "/dav/", Depth="0").status_code == 207
    ana.server.run(revoke())
    assert ana.request("PROPFIND", "/dav/", Depth="0").status_code == 401


def test_options_tell_what_each_resource_takes(ana: Person) -> None:
    boss = ana.server.boss()

    def allowed(path: str, person: Person = ana) -> set[str]:
        response = person.request("OPTIONS", path)
        assert response.status_code == 200
        assert "calendar-access" in response.headers["DAV"].split(", ")
        return set(response.headers["Allow"].split(", "))

    assert {"PROPFIND", "REPORT"} <= allowed("/dav/")
    assert {"PUT", "DELETE", "PROPPATCH"} <= allowed(ana.personal)
    assert "PROPPATCH" in allowed(ana.schedule)
    assert not {"PUT", "DELETE", "PROPPATCH", "POST", "MOVE"} & allowed(ana.schedule, boss)
    assert not {"PUT", "DELETE"} & allowed(ana.schedule + "any.ics", boss)
    assert {"MKCALENDAR", "MKCOL"} <= allowed(ana.home)
    assert {"PUT", "DELETE"} <= allowed(ana.personal + "any.ics")


def test_a_browser_gets_a_word_of_help(lite: Person) -> None:
    response = lite.request("GET", lite.personal)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert "CalDAV" in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/dav/x",
        "/dav/principals/a/b",
        "/dav//",
        "/dav/calendars/%ff/",
        "/dav/calendars/../principals/",
        "/dav/calendars/a%2Fb/",
    ],
)
def test_addresses_without_a_meaning_are_not_found(lite: Person, path: str) -> None:
    assert lite.request("PROPFIND", path, Depth="0").status_code == 404


def test_collections_are_found_without_their_last_slash(ana: Person, server: DavServer) -> None:
    assert ana.dav("PROPFIND", ana.personal.rstrip("/")).hrefs == [ana.personal]
    assert ana.dav("PROPFIND", "/dav").hrefs == ["/dav/"]

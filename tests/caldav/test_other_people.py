"""What people see of each other: assistants, who runs the organization, colleagues, and strangers."""

import pytest

from tests.support.clock import MONDAY
from tests.support.dav_server import Person, condition, declared
from tests.support.ical import ics

NAMES = "<D:propfind><D:prop><D:displayname/><D:current-user-privilege-set/></D:prop></D:propfind>"
MEMBERS = (
    "<D:propfind><D:prop><D:group-member-set/><D:group-membership/><CS:calendar-proxy-read-for/>"
    "<CS:calendar-proxy-write-for/></D:prop></D:propfind>"
)


@pytest.fixture
def ben(ana: Person) -> Person:
    """A colleague."""
    return ana.server.person()


def let_in(owner: Person, access: str, *people: Person) -> int:
    """Choose the members of one of the owner's proxy groups, as a Mac does; the status of the change."""
    members = "".join(f"<D:href>{each.principal}</D:href>" for each in people)
    body = (
        f"<D:propertyupdate><D:set><D:prop><D:group-member-set>{members}</D:group-member-set></D:prop></D:set>"
        "</D:propertyupdate>"
    )
    answer = owner.dav("PROPPATCH", f"{owner.principal}calendar-proxy-{access}/", body, depth=None)
    return int((answer.root.findtext(".//{DAV:}status") or "").split()[1])


def privileges(person: Person, path: str) -> set[str]:
    """What the person is told that they may do there."""
    found = person.dav("PROPFIND", path, NAMES).found(path, "D:current-user-privilege-set")
    assert found is not None
    return {str(each[0].tag).split("}")[1] for each in found}


def test_a_colleague_is_found_but_their_calendars_are_closed(ana: Person, ben: Person) -> None:
    ana.put("a.ics", ics("a"))
    assert ben.dav("PROPFIND", ana.principal, NAMES).text(ana.principal, "D:displayname") == ana.user.name
    assert privileges(ben, ana.principal) == {"read", "read-current-user-privilege-set"}
    for method in ("PROPFIND", "REPORT", "GET", "PUT", "DELETE", "PROPPATCH", "MKCALENDAR", "MOVE", "OPTIONS"):
        for path in (ana.home, ana.personal, f"{ana.personal}a.ics", ana.schedule, f"{ana.home}inbox/"):
            refused = ben.request(method, path, "<x/>", Depth="0")
            assert (refused.status_code, condition(refused)) == (403, "D:need-privileges"), (method, path)


def test_an_assistant_reads_and_an_assistant_who_may_writes(ana: Person, ben: Person) -> None:
    ana.put("a.ics", ics("a"))
    assert let_in(ana, "read", ben) == 200
    assert ben.request("GET", f"{ana.personal}a.ics").status_code == 200
    assert ben.dav("PROPFIND", ana.home, NAMES, depth="1").hrefs == [ana.home, ana.schedule, ana.personal]
    assert not privileges(ben, ana.personal) & {"write", "write-content", "write-properties", "bind", "unbind", "all"}
    refused = ben.request("PUT", f"{ana.personal}b.ics", ics("b"), Content_Type="text/calendar")
    assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    assert let_in(ana, "write", ben) == 200
    assert {"write", "write-content", "bind", "unbind"} <= privileges(ben, ana.personal)
    assert ben.request("PUT", f"{ana.personal}b.ics", ics("b"), Content_Type="text/calendar").status_code == 201
    assert ana.request("GET", f"{ana.personal}b.ics").status_code == 200
    assert let_in(ana, "write") == 200
    assert ben.request("GET", f"{ana.personal}a.ics").status_code == 403


def test_both_sides_are_told_who_assists_whom(ana: Person, ben: Person) -> None:
    let_in(ana, "read", ben)
    group = f"{ana.principal}calendar-proxy-read/"
    assert ana.dav("PROPFIND", group, MEMBERS).text(group, "D:group-member-set/D:href") == ben.principal
    own = ben.dav("PROPFIND", ben.principal, MEMBERS)
    assert own.text(ben.principal, "D:group-membership/D:href") == group
    assert own.text(ben.principal, "CS:calendar-proxy-read-for/D:href") == ana.principal
    assert own.found(ben.principal, "CS:calendar-proxy-write-for/D:href") is None
    expanded = ben.dav(
        "REPORT",
        ben.principal,
        '<D:expand-property><D:property name="calendar-proxy-read-for" namespace="http://calendarserver.org/ns/">'
        '<D:property name="displayname"/><D:property name="calendar-home-set" '
        'namespace="urn:ietf:params:xml:ns:caldav"/></D:property></D:expand-property>',
    )
    assert ana.home in [each.text for each in expanded.root.iter("{DAV:}href")]


def test_assistants_are_chosen_by_the_person_and_among_colleagues_alone(ana: Person, ben: Person) -> None:
    group = f"{ana.principal}calendar-proxy-write/"
    body = "<D:propertyupdate><D:set><D:prop><D:group-member-set/></D:prop></D:set></D:propertyupdate>"
    refused = ben.request("PROPPATCH", group, declared(body))
    assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    assert let_in(ana, "write", ana.server.stranger()) == 409
    assert let_in(ana, "write", ana) == 409
    assert ana.dav("PROPFIND", group, MEMBERS).found(group, "D:group-member-set/D:href") is None


def test_who_runs_the_organization_reads_every_schedule_and_nothing_else(ana: Person) -> None:
    boss = ana.server.boss()
    ana.put("secret.ics", ics("secret"))
    booking = ana.book(MONDAY + 3 * 86400)
    assert boss.dav("PROPFIND", ana.home, NAMES, depth="1").hrefs == [ana.home, ana.schedule]
    assert booking.uid in boss.request("GET", f"{ana.schedule}{booking.id}.ics").text
    assert not privileges(boss, ana.schedule) & {"write", "write-content", "write-properties", "bind", "unbind", "all"}
    for path in (ana.personal, f"{ana.personal}secret.ics"):
        assert boss.request("PROPFIND", path, Depth="0").status_code == 403
    for method, path in (("DELETE", f"{ana.schedule}{booking.id}.ics"), ("PUT", f"{ana.schedule}{booking.id}.ics")):
        refused = boss.request(method, path, ics("a"), Content_Type="text/calendar")
        assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    mine = boss.dav("PROPFIND", boss.principal, MEMBERS)
    readable = mine.found(boss.principal, "CS:calendar-proxy-read-for")
    assert readable is not None
    assert ana.principal in [each.text for each in readable]


def test_nobody_else_is_let_in_by_running_another_organization(ana: Person) -> None:
    stranger = ana.server.stranger()
    for path in (ana.principal, ana.home, ana.schedule, f"{ana.principal}calendar-proxy-read/"):
        known = stranger.request("PROPFIND", path, Depth="0")
        unknown = stranger.request("PROPFIND", path.replace(ana.user.handle, "nobody-at-all"), Depth="0")
        assert known.status_code == unknown.status_code == 404
        assert known.content == unknown.content


def test_colleagues_are_searched_by_name_and_address(ana: Person, ben: Person) -> None:
    stranger = ana.server.stranger()

    def search(sought: str) -> list[str]:
        body = (
            "<D:principal-property-search><D:property-search><D:prop><C:calendar-user-address-set/></D:prop>"
            f"<D:match>{sought}</D:match></D:property-search><D:prop><D:displayname/></D:prop>"
            "</D:principal-property-search>"
        )
        return ana.dav("REPORT", "/dav/principals/", body).hrefs

    assert search(ben.user.email) == [ben.principal]
    assert {ana.principal, ben.principal} <= set(search("example.com"))
    assert search(stranger.user.email) == []


def test_reports_about_principals_name_oneself_and_who_has_rights(ana: Person, ben: Person) -> None:
    let_in(ana, "read", ben)
    body = "<D:principal-match><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>"
    assert ana.dav("REPORT", "/dav/principals/", body).hrefs == [ana.principal]
    assert ben.dav("REPORT", "/dav/principals/", body).hrefs == [ben.principal, f"{ana.principal}calendar-proxy-read/"]
    owned = body.replace("<D:self/>", "<D:principal-property><D:owner/></D:principal-property>")
    assert ana.dav("REPORT", ana.home, owned).hrefs[:2] == [ana.schedule, ana.personal]
    both = owned.replace("<D:principal-property>", "<D:self/><D:principal-property>")
    for wrong in (both, body.replace("<D:self/>", "")):
        assert ana.request("REPORT", ana.home, declared(wrong), Depth="0").status_code == 400
    twice = body.replace("</D:principal-match>", "<D:prop><D:owner/></D:prop></D:principal-match>")
    assert ana.request("REPORT", "/dav/principals/", declared(twice), Depth="0").status_code == 400
    for report in (body, "<D:principal-search-property-set/>", "<D:acl-principal-prop-set/>"):
        assert ana.request("REPORT", ana.home, declared(report), Depth="1").status_code == 400
    body = "<D:acl-principal-prop-set><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>"
    assert ana.dav("REPORT", ana.personal, body).hrefs == [
        ana.principal,
        f"{ana.principal}calendar-proxy-read/",
        f"{ana.principal}calendar-proxy-write/",
    ]


def test_the_rights_that_are_told_name_the_groups(ana: Person) -> None:
    answer = ana.dav("PROPFIND", ana.personal, "<D:propfind><D:prop><D:acl/></D:prop></D:propfind>")
    who = [each.text for each in answer.root.iterfind(".//{DAV:}principal/{DAV:}href")]
    assert who == [ana.principal, f"{ana.principal}calendar-proxy-write/", f"{ana.principal}calendar-proxy-read/"]


def test_an_assistant_who_is_switched_off_is_out(ana: Person, ben: Person) -> None:
    async def switch_off() -> None:
        async with ana.server.workspace.ports.unit_of_work() as work:
            await work.people.update_user(ben.user.id, ana.server.clock.now, is_active=False)
            await work.commit()

    let_in(ana, "read", ben)
    ana.server.run(switch_off())
    assert ben.request("PROPFIND", ana.home, Depth="0").status_code == 401
    group = f"{ana.principal}calendar-proxy-read/"
    assert ana.dav("PROPFIND", group, MEMBERS).found(group, "D:group-member-set/D:href") is None

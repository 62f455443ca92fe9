"""The scheduling inbox and outbox (RFC 6638 §2.1 and §2.2)."""

from tests.caldav.invitations import Table, invitation, members, only
from tests.support.dav_server import declared
from tests.support.ical import ics


def test_inbox_and_outbox_are_told_truthfully(table: Table) -> None:
    ana = table.ana
    links = "<C:schedule-inbox-URL/><C:schedule-outbox-URL/>"
    found = ana.dav("PROPFIND", ana.principal, f"<D:propfind><D:prop>{links}</D:prop></D:propfind>")
    for name, place in (("inbox", "inbox"), ("outbox", "outbox")):
        link = found.found(ana.principal, f"C:schedule-{name}-URL")
        assert link is not None
        assert link[0].text == f"{ana.home}{place}/"
    props = "<D:resourcetype/><D:current-user-privilege-set/><C:schedule-default-calendar-URL/>"
    body = f"<D:propfind><D:prop>{props}</D:prop></D:propfind>"
    inbox = ana.dav("PROPFIND", f"{ana.home}inbox/", body)
    default = inbox.found(f"{ana.home}inbox/", "C:schedule-default-calendar-URL")
    assert default is not None
    assert default[0].text == ana.personal
    elsewhere = f"<C:schedule-default-calendar-URL><D:href>{ana.schedule}</D:href></C:schedule-default-calendar-URL>"
    change = f"<D:propertyupdate><D:set><D:prop>{elsewhere}</D:prop></D:set></D:propertyupdate>"
    assert "403 Forbidden" in ana.dav("PROPPATCH", f"{ana.home}inbox/", change, depth=None).response.text
    assert inbox.found(f"{ana.home}inbox/", "D:resourcetype/C:schedule-inbox") is not None
    assert inbox.found(f"{ana.home}inbox/", "D:current-user-privilege-set//C:schedule-deliver-invite") is not None
    outbox = ana.dav("PROPFIND", f"{ana.home}outbox/", body)
    assert outbox.found(f"{ana.home}outbox/", "D:resourcetype/C:schedule-outbox") is not None
    assert outbox.found(f"{ana.home}outbox/", "D:current-user-privilege-set//C:schedule-send-freebusy") is not None
    features = ana.request("OPTIONS", ana.home).headers["DAV"]
    assert "calendar-auto-schedule" in features


def test_the_outbox_is_empty_to_every_report(table: Table) -> None:
    ana = table.ana
    outbox = f"{ana.home}outbox/"
    query = (
        '<C:calendar-query><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter>'
        "</C:calendar-query>"
    )
    assert ana.dav("REPORT", outbox, query, depth="1").hrefs == []
    multiget = f"<C:calendar-multiget><D:prop><D:getetag/></D:prop><D:href>{outbox}a.ics</D:href></C:calendar-multiget>"
    assert "404" in (ana.dav("REPORT", outbox, multiget).status(f"{outbox}a.ics") or "")
    assert table.ben.request("REPORT", outbox, declared(query), Depth="1").status_code == 403


def test_messages_can_be_read_and_thrown_away_but_not_put(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    href, _ = only(ben, "inbox")
    assert ben.request("PUT", f"{ben.home}inbox/x.ics", ics("x"), Content_Type="text/calendar").status_code == 403
    assert ben.request("DELETE", href).status_code == 204
    assert members(ben, "inbox") == {}
    assert members(ben)
    assert ana.request("GET", href).status_code in {403, 404}

"""Calendar on iOS."""

from tests.caldav.clients.apple import HOME, OBJECTS, PRINCIPAL
from tests.caldav.clients.device import Device, asking, multiget, query
from tests.support.ical import ics


def replay(device: Device) -> None:
    """Set up by the host's name, then a sync by ctag and etags."""
    device.headers = {"Brief": "t", "Prefer": "return=minimal", "Content_Type": "text/xml"}
    device.say("Set-up")
    first = asking("D:current-user-principal D:principal-URL D:resourcetype")
    device.as_stranger("PROPFIND", "/.well-known/caldav", first, Depth="0")
    device.as_stranger("PROPFIND", "/dav/", first, Depth="0")
    principal = device("PROPFIND", "/dav/", first, Depth="0").find("D:current-user-principal/D:href")
    device("OPTIONS", principal)
    found = device("PROPFIND", principal, asking(PRINCIPAL), Depth="0")
    home = found.find("C:calendar-home-set/D:href")
    device("OPTIONS", home)
    device("PROPFIND", home, asking(HOME), Depth="1")
    device.say("The schedule and a personal calendar")
    for collection in ("schedule/", "personal/"):
        path = home + collection
        device("PROPFIND", path, asking("CS:getctag D:sync-token"), Depth="0")
        device("PROPFIND", path, asking("D:getcontenttype D:getetag"), Depth="1")
        wanted = query("D:getetag D:getcontenttype", times='start="20270215T000000Z"')
        if members := device("REPORT", path, wanted, Depth="1").members:
            device("REPORT", path, multiget(OBJECTS, *members), Depth="1")
    device.say("An event made on the phone, and seen by its next sync")
    personal = f"{home}personal/"
    member = f"{personal}9B1D.ics"
    calendar = {"Content_Type": "text/calendar"}
    made = device("PUT", member, ics("9B1D", "SUMMARY:Dentist"), If_None_Match="*", **calendar)
    device("PROPFIND", personal, asking("CS:getctag D:sync-token"), Depth="0")
    device("PROPFIND", personal, asking("D:getcontenttype D:getetag"), Depth="1")
    device("PUT", member, ics("9B1D", "SUMMARY:Dentist again"), If_Match=made.headers["ETag"], **calendar)
    device("DELETE", member, If_Match=made.headers["ETag"])
    device("DELETE", member)
    device("DELETE", member)
    device.say("Somebody else's home, and a booking that is not the phone's to change")
    device("PROPFIND", "/dav/calendars/nobody/", asking("D:resourcetype"), Depth="0")
    device(
        "PROPPATCH",
        principal,
        "<D:propertyupdate><D:set><D:prop><D:displayname>Me</D:displayname></D:prop></D:set></D:propertyupdate>",
    )

"""Outlook CalDav Synchronizer: checks what the server can, then compares versions in a range of time."""

from tests.caldav.clients.device import Device, asking, multiget, query, setting
from tests.support.ical import ics

_RANGE = 'start="20270130T000000Z" end="20280301T000000Z"'
_LISTING = (
    "D:resourcetype D:displayname A:calendar-color A:calendar-order D:current-user-privilege-set "
    "C:supported-calendar-component-set"
)
_COLOUR = "<A:calendar-color>#2C9F67FF</A:calendar-color>"
_NEW = (
    "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype><D:displayname>From Outlook</D:displayname>"
    '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
)


def replay(device: Device) -> None:
    """Auto-discovery, tests of the settings, a synchronization, and a calendar made from Outlook."""
    device.say("Auto-discovery")
    device("PROPFIND", "/.well-known/caldav", asking("D:current-user-principal"), Depth="0")
    found = device("PROPFIND", "/dav/", asking("D:current-user-principal"), Depth="0")
    principal = found.find("D:current-user-principal/D:href")
    home = device("PROPFIND", principal, asking("C:calendar-home-set"), Depth="0").find("C:calendar-home-set/D:href")
    device("PROPFIND", home, asking(_LISTING), Depth="1")
    device.say("Test of the settings")
    personal = f"{home}personal/"
    device("OPTIONS", personal)
    device("PROPFIND", personal, asking("D:resourcetype"), Depth="0")
    device("PROPFIND", personal, asking("D:supported-report-set"), Depth="0")
    device("PROPFIND", personal, asking("D:current-user-privilege-set"), Depth="0")
    device.say("Synchronization")
    device("PROPFIND", personal, asking("CS:getctag D:sync-token"), Depth="0")
    member = f"{personal}outlook%201.ics"
    made = device("PUT", member, ics("outlook-1", "SUMMARY:Lunch"), If_None_Match="*")
    versions = device("REPORT", personal, query("D:getetag", times=_RANGE), Depth="1")
    device("REPORT", personal, query("D:getetag", "VTODO"), Depth="1")
    device("REPORT", personal, multiget("D:getetag D:displayname C:calendar-data", *versions.members), Depth="1")
    device("PUT", member, ics("outlook-1", "SUMMARY:Dinner"), If_Match=made.headers["ETag"])
    device("DELETE", member, If_Match=made.headers["ETag"])
    device("DELETE", member, If_Match="*")
    device.say("Colours, people, and a calendar of one's own")
    device("PROPPATCH", personal, setting(_COLOUR))
    device("PROPFIND", personal, asking("A:calendar-color"), Depth="0")
    search = (
        f"<D:principal-property-search><D:property-search><D:prop><D:displayname/></D:prop><D:match>"
        f"{device.person.user.name}</D:match></D:property-search><D:prop><D:displayname/>"
        "<C:calendar-user-address-set/></D:prop></D:principal-property-search>"
    )
    device("REPORT", "/dav/principals/", search, Depth="0")
    device("MKCOL", f"{home}from-outlook/", setting(_NEW, "D:mkcol"))
    device("PROPFIND", f"{home}from-outlook/", asking(_LISTING), Depth="0")
    device("DELETE", f"{home}from-outlook/")

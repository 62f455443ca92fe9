"""Evolution Data Server: tries without credentials first, and compares etags instead of asking for changes."""

from tests.caldav.clients.device import Device, asking, multiget, query
from tests.support.ical import ics

_DISCOVERY = "D:resourcetype D:current-user-principal D:principal-URL C:calendar-home-set C:calendar-user-address-set"
_LISTING = (
    "D:resourcetype D:displayname D:current-user-privilege-set C:calendar-description "
    "C:supported-calendar-component-set A:calendar-color A:calendar-order"
)
_FIVE_WEEKS = 'start="20270125T000000Z" end="20270405T000000Z"'


def replay(device: Device) -> None:
    """Set up, then a sync of `personal`."""
    device.say("Set-up")
    device.as_stranger("PROPFIND", "/", asking(_DISCOVERY), Depth="0")
    principal = device("PROPFIND", "/", asking(_DISCOVERY), Depth="0").find("D:current-user-principal/D:href")
    for other in ("/.well-known/webdav/Notes/", "/.well-known/carddav"):
        device("PROPFIND", other, asking(_DISCOVERY), Depth="0")
    home = device("PROPFIND", principal, asking(_DISCOVERY), Depth="0").find("C:calendar-home-set/D:href")
    device("PROPFIND", home, asking(_LISTING), Depth="1")
    personal = f"{home}personal/"
    device("OPTIONS", personal)
    device("PROPFIND", personal, asking("D:current-user-privilege-set"), Depth="0")
    device("PROPFIND", f"{home}schedule/", asking("D:current-user-privilege-set"), Depth="0")
    device.say("A calendar read")
    member = f"{personal}evo-1.ics"
    device("PUT", member, ics("evo-1", "SUMMARY:Lunch"), If_None_Match="*", Prefer="return=minimal")
    device("PROPFIND", personal, asking("CS:getctag"), Depth="0")
    device("REPORT", personal, query("D:getetag", times=_FIVE_WEEKS), Depth="1")
    members = device("REPORT", personal, query("D:getetag"), Depth="1").members
    etag = device("REPORT", personal, multiget("D:getetag C:calendar-data", *members)).find("D:getetag")
    device.say("An event changed and deleted")
    device("PUT", member, ics("evo-1", "SUMMARY:Dinner"), If_Match=etag, Prefer="return=minimal")
    device("PROPFIND", personal, asking("CS:getctag"), Depth="0")
    device("GET", member)
    device("DELETE", member)
    device("REPORT", personal, query("D:getetag"), Depth="1")
    device("GET", member)

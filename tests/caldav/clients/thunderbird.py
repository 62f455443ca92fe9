"""Thunderbird: finds calendars below what the user typed, then syncs one. The first request to each path goes out
without credentials."""

from tests.caldav.clients.device import Device, asking, multiget, sync
from tests.support.ical import ics

_DISCOVERY = (
    "D:resourcetype D:owner D:displayname D:current-user-principal D:current-user-privilege-set A:calendar-color "
    "C:calendar-home-set"
)
_LISTING = "D:resourcetype D:displayname D:current-user-privilege-set A:calendar-color"
_CHECK = (
    "D:resourcetype D:owner D:current-user-principal D:current-user-privilege-set D:supported-report-set "
    "C:supported-calendar-component-set CS:getctag"
)


def replay(device: Device) -> None:
    """Set up, then two rounds of syncing `personal` and one of `schedule`."""
    device.headers = {"Content_Type": "text/xml; charset=utf-8", "Accept": "text/xml"}
    device.say("Set-up")
    device.as_stranger("PROPFIND", "/.well-known/caldav", asking(_DISCOVERY), Depth="0")
    device.as_stranger("PROPFIND", "/dav/", asking(_DISCOVERY), Depth="0")
    principal = device("PROPFIND", "/dav/", asking(_DISCOVERY), Depth="0").find("D:current-user-principal/D:href")
    found = device("PROPFIND", principal, asking("D:resourcetype C:calendar-home-set"), Depth="0")
    home = found.find("C:calendar-home-set/D:href")
    device("PROPFIND", home, asking(_LISTING), Depth="1")
    for collection in ("schedule/", "personal/"):
        device("PROPFIND", home + collection, asking(_CHECK), Depth="0")
    device("OPTIONS", home)
    device.say("The first sync of the schedule, which is read")
    _sync(device, home + "schedule/", "")
    device.say("An event made, changed and deleted in the personal calendar")
    personal = home + "personal/"
    token = _sync(device, personal, "")
    member = personal + "tb-1.ics"
    calendar = {"Content_Type": "text/calendar; charset=utf-8"}
    made = device("PUT", member, ics("tb-1", "SUMMARY:Lunch"), If_None_Match="*", **calendar)
    token = _sync(device, personal, token)
    etag = made.headers["ETag"]
    changed = device("PUT", member, ics("tb-1", "SUMMARY:Dinner"), If_Match=etag, **calendar)
    device("PUT", member, ics("tb-1", "SUMMARY:Late"), If_Match=etag, **calendar)
    device("DELETE", member, If_Match=changed.headers["ETag"])
    token = _sync(device, personal, token)
    device.say("Nothing new, and a token that the server never gave")
    _sync(device, personal, token)
    device("REPORT", personal, sync("D:getcontenttype D:getetag", "7c5c2d0e-0000-4000-8000-000000000000"), Depth="1")


def _sync(device: Device, collection: str, token: str) -> str:
    changes = device("REPORT", collection, sync("D:getcontenttype D:getetag", token), Depth="1")
    if changes.members:
        device("REPORT", collection, multiget("D:getetag C:calendar-data", *changes.members), Depth="1")
    return changes.find("D:sync-token")

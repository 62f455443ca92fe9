"""DAVx5 on Android: detection, then a sync limited in time and one that is not."""

from tests.caldav.clients.device import Device, asking, multiget, query, sync
from tests.support.ical import ics

_TYPED = (
    "D:resourcetype D:displayname D:current-user-principal D:current-user-privilege-set C:calendar-home-set "
    "C:supported-calendar-component-set A:calendar-color C:calendar-description C:calendar-timezone"
)
_PRINCIPAL = (
    "D:displayname D:group-membership D:resourcetype C:calendar-home-set CS:calendar-proxy-read-for "
    "CS:calendar-proxy-write-for"
)
_LISTING = (
    "D:current-user-privilege-set D:displayname D:owner D:resourcetype A:calendar-color C:calendar-description "
    "C:calendar-timezone C:calendar-timezone-id C:supported-calendar-component-set CS:source"
)
_OBJECTS = "D:getcontenttype D:getetag C:schedule-tag C:calendar-data"
_PUSH = (
    "<P:push-transports xmlns:P='https://bitfire.at/webdav-push'/><P:topic xmlns:P='https://bitfire.at/webdav-push'/>"
)


def replay(device: Device) -> None:
    """Set up by the host's name, then sync."""
    device.say("Detection")
    device("PROPFIND", "/", asking(_TYPED), Depth="0")
    device("PROPFIND", "/.well-known/caldav", asking("D:current-user-principal"), Depth="0")
    found = device("PROPFIND", "/dav/", asking("D:current-user-principal"), Depth="0")
    principal = found.find("D:current-user-principal/D:href")
    device("OPTIONS", principal)
    home = device("PROPFIND", principal, asking(_PRINCIPAL), Depth="0").find("C:calendar-home-set/D:href")
    device("PROPFIND", principal, asking("C:calendar-user-address-set"), Depth="0")
    device.say("Collections")
    device("PROPFIND", home, asking(_LISTING).replace("</D:prop>", f"{_PUSH}</D:prop>"), Depth="1")
    device.say("The schedule, from 90 days ago on")
    schedule, personal = f"{home}schedule/", f"{home}personal/"
    device(
        "PROPFIND", schedule, asking("D:supported-report-set D:sync-token CS:getctag C:max-resource-size"), Depth="0"
    )
    members = device("REPORT", schedule, query("D:getetag", times='start="20261201T000000Z"'), Depth="1").members
    device("REPORT", schedule, multiget(_OBJECTS, *members))
    device.say("A personal calendar without a limit: changes upward, then down")
    first = ics("dx-1", "SUMMARY:From the phone")
    made = device("PUT", f"{personal}dx-1.ics", first, If_None_Match="*")
    invited = ics("dx-2", f"ORGANIZER:mailto:{device.person.user.email}", "ATTENDEE:mailto:casey@example.org")
    asked = device("PUT", f"{personal}dx-2.ics", invited, If_None_Match="*")
    token = _changes(device, personal, "")
    device("PUT", f"{personal}dx-1.ics", first.replace("phone", "tablet"), If_Match=made.headers["ETag"])
    device("PUT", f"{personal}dx-1.ics", first.replace("phone", "watch"), If_Match=made.headers["ETag"])
    tag = asked.headers.get("Schedule-Tag", '"none"')
    device("PUT", f"{personal}dx-2.ics", invited.replace("PT1H", "PT2H"), If_Schedule_Tag_Match=tag)
    device("PUT", f"{personal}dx-3.ics", first, If_None_Match="*")
    device("DELETE", f"{personal}dx-1.ics", If_Match='"an-old-one"')
    device("DELETE", f"{personal}dx-1.ics")
    _changes(device, personal, token)
    device.say("A token that is no longer known")
    device("REPORT", personal, sync("D:getetag D:resourcetype", "http://example.com/ns/sync/1234"), Depth="0")


def _changes(device: Device, collection: str, token: str) -> str:
    found = device("REPORT", collection, sync("D:getetag D:resourcetype", token), Depth="0")
    if found.members:
        device("REPORT", collection, multiget(_OBJECTS, *found.members))
    return found.find("D:sync-token")

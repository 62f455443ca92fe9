"""Calendar on macOS."""

from tests.caldav.clients.apple import ALARM, HOME, OBJECTS, PRINCIPAL, ZONE, new_calendar
from tests.caldav.clients.device import Device, asking, multiget, query, setting, sync
from tests.support.ical import ics

_PROXIES = "".join(
    f"<D:property name='{name}' namespace='http://calendarserver.org/ns/'>"
    "<D:property name='calendar-user-address-set' namespace='urn:ietf:params:xml:ns:caldav'/>"
    "<D:property name='email-address-set' namespace='http://calendarserver.org/ns/'/>"
    "<D:property name='displayname' namespace='DAV:'/></D:property>"
    for name in ("calendar-proxy-read-for", "calendar-proxy-write-for")
)
_COLOUR = "<A:calendar-color symbolic-color='orange'>#FF9500FF</A:calendar-color>"


def replay(device: Device) -> None:
    """Set up, settings of calendars, a calendar of one's own, an event, an invitation, when others are busy."""
    device.headers = {"Brief": "t", "Prefer": "return=minimal", "Content_Type": "text/xml"}
    device.say("Set-up")
    first = asking("D:current-user-principal D:principal-URL D:resourcetype")
    device("PROPFIND", "/.well-known/caldav", first, Depth="0")
    principal = device("PROPFIND", "/dav/", first, Depth="0").find("D:current-user-principal/D:href")
    device("OPTIONS", principal)
    found = device("PROPFIND", principal, asking(PRINCIPAL), Depth="0")
    home, outbox = found.find("C:calendar-home-set/D:href"), found.find("C:schedule-outbox-URL/D:href")
    inbox = found.find("C:schedule-inbox-URL/D:href")
    device("REPORT", "/dav/principals/", "<D:principal-search-property-set/>", Depth="0")
    device("REPORT", principal, f"<D:expand-property>{_PROXIES}</D:expand-property>", Depth="0")
    device("PROPFIND", home, asking(HOME), Depth="1")
    device.say("Settings")
    personal, schedule = f"{home}personal/", f"{home}schedule/"
    for alarm in ("default-alarm-vevent-datetime", "default-alarm-vevent-date"):
        device("PROPPATCH", home, setting(f"<C:{alarm}>{ALARM}</C:{alarm}>"))
    device("PROPPATCH", personal, setting("<A:calendar-order>2</A:calendar-order>"))
    device("PROPPATCH", personal, setting(_COLOUR))
    device("PROPPATCH", personal, setting(f"<C:calendar-timezone>{ZONE}</C:calendar-timezone>"))
    transparent = "<C:schedule-calendar-transp><C:transparent/></C:schedule-calendar-transp>"
    device("PROPPATCH", personal, setting(transparent))
    device("PROPPATCH", schedule, setting(_COLOUR))
    device("PROPFIND", personal, asking("A:calendar-color A:calendar-order C:schedule-calendar-transp"), Depth="0")
    device.say("A calendar for events, one for tasks")
    for component in ("VEVENT", "VTODO"):
        path = f"{home}{component.lower()}-3E2F/"
        device("MKCALENDAR", path, setting(new_calendar(f"New {component}", component), "C:mkcalendar"))
        device("PROPFIND", path, asking(HOME), Depth="0")
    device.say("The inbox and the schedule")
    device("PROPFIND", inbox, asking("C:calendar-availability C:schedule-default-calendar-URL CS:getctag"), Depth="0")
    device("PROPFIND", inbox, asking("D:getcontenttype D:getetag"), Depth="1")
    device("PROPFIND", schedule, asking("CS:getctag D:sync-token"), Depth="0")
    members = device("REPORT", schedule, sync("D:getcontenttype D:getetag"), Depth="1").members
    device("REPORT", schedule, multiget(OBJECTS, *members), Depth="1")
    device.say("An event, made, changed and deleted")
    member = f"{home}vevent-3E2F/5F3C.ics"
    calendar = {"Content_Type": "text/calendar"}
    made = device("PUT", member, ics("5F3C", "SUMMARY:Lunch"), If_None_Match="*", **calendar)
    changed = device("PUT", member, ics("5F3C", "SUMMARY:Dinner"), If_Match=made.headers["ETag"], **calendar)
    range_of_june = 'start="20270101T010101Z" end="20270701T010101Z"'
    device("REPORT", f"{home}vevent-3E2F/", query("D:getetag D:getcontenttype", times=range_of_june), Depth="1")
    device("PUT", f"{home}vtodo-3E2F/6A.ics", ics("6A"), If_None_Match="*", **calendar)
    device("DELETE", member, If_Match=changed.headers["ETag"])
    device("DELETE", f"{home}vevent-3E2F/")
    device.say("When others are busy")
    me = device.person.user.email
    asked = "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Device//EN", "METHOD:REQUEST", "BEGIN:VFREEBUSY",
            "UID:busy-1", "DTSTAMP:20270301T080000Z", "DTSTART:20270302T000000Z", "DTEND:20270303T000000Z",
            f"ORGANIZER:mailto:{me}", f"ATTENDEE:mailto:{me}", "ATTENDEE:mailto:nobody@example.org", "END:VFREEBUSY",
            "END:VCALENDAR", "",
        ]
    )  # fmt: skip
    device("POST", outbox, asked, **calendar)

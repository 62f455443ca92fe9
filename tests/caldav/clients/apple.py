"""What Calendar on macOS and on iOS send alike."""

PRINCIPAL = (
    "C:calendar-home-set C:calendar-user-address-set D:current-user-principal D:displayname CS:dropbox-home-URL "
    "CS:email-address-set CS:notification-URL D:principal-collection-set D:principal-URL D:resource-id "
    "C:schedule-inbox-URL C:schedule-outbox-URL D:supported-report-set"
)
HOME = (
    "D:add-member CS:allowed-sharing-modes A:autoprovisioned C:calendar-alarm A:calendar-color C:calendar-description "
    "C:calendar-free-busy-set A:calendar-order C:calendar-timezone D:current-user-privilege-set "
    "C:default-alarm-vevent-date C:default-alarm-vevent-datetime D:displayname CS:getctag CS:invite A:language-code "
    "A:location-code D:owner CS:pre-publish-url CS:publish-url CS:push-transports CS:pushkey D:quota-available-bytes "
    "D:quota-used-bytes A:refreshrate D:resource-id D:resourcetype C:schedule-calendar-transp "
    "C:schedule-default-calendar-URL CS:source CS:subscribed-strip-alarms CS:subscribed-strip-attachments "
    "CS:subscribed-strip-todos C:supported-calendar-component-set C:supported-calendar-component-sets "
    "D:supported-report-set D:sync-token C:managed-attachments-server-URL"
)
OBJECTS = "D:getetag C:calendar-data C:schedule-tag CS:created-by CS:updated-by"
ALARM = (
    "BEGIN:VALARM&#13;\nX-WR-ALARMUID:one&#13;\nUID:one&#13;\nTRIGGER;VALUE=DATE-TIME:19760401T005545Z&#13;\n"
    "ACTION:NONE&#13;\nEND:VALARM&#13;\n"
)
ZONE = (
    "BEGIN:VCALENDAR&#13;\nVERSION:2.0&#13;\nPRODID:-//Example//Device//EN&#13;\nCALSCALE:GREGORIAN&#13;\n"
    "BEGIN:VTIMEZONE&#13;\nTZID:America/Los_Angeles&#13;\n"
    "BEGIN:DAYLIGHT&#13;\nTZOFFSETFROM:-0800&#13;\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU&#13;\n"
    "DTSTART:20070311T020000&#13;\nTZNAME:PDT&#13;\nTZOFFSETTO:-0700&#13;\nEND:DAYLIGHT&#13;\n"
    "BEGIN:STANDARD&#13;\nTZOFFSETFROM:-0700&#13;\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU&#13;\n"
    "DTSTART:20071104T020000&#13;\nTZNAME:PST&#13;\nTZOFFSETTO:-0800&#13;\nEND:STANDARD&#13;\n"
    "END:VTIMEZONE&#13;\nEND:VCALENDAR&#13;\n"
)


def new_calendar(name: str, component: str) -> str:
    """What MKCALENDAR sets."""
    return (
        f"<A:calendar-order>3</A:calendar-order><C:supported-calendar-component-set><C:comp name='{component}'/>"
        "</C:supported-calendar-component-set><A:calendar-color symbolic-color='custom'>#882F00FF</A:calendar-color>"
        f"<C:calendar-timezone>{ZONE}</C:calendar-timezone><D:displayname>{name}</D:displayname>"
        "<C:schedule-calendar-transp><C:opaque/></C:schedule-calendar-transp>"
    )

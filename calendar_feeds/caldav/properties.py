"""Live properties: what each kind of resource says of itself.

A property is a function from a `Target` to the XML of its content, or None where the resource does not have it. Those
of objects that hang on nothing but name and etag can be answered from a listing alone; see `NEED_TEXT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from app.domain.calendars import Calendar
from app.domain.errors import Invalid
from app.domain.event_text import PRODID
from app.domain.timezone_text import UTC_NAMES, timezone_component
from app.ports.published import DavUser, StoredText
from app.use_cases.calendar_objects import MAX_BYTES
from calendar_feeds.caldav import acl
from calendar_feeds.caldav.resources import PRINCIPALS, Kind, home_href, principal_href
from calendar_feeds.caldav.tokens import ctag, sync_token
from calendar_feeds.caldav.xml import APPLE, CALDAV, CALENDARSERVER, element, hrefs, name, text

OK, MISSING = "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"
OBJECT_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that is asked for its properties. `calendar` is the collection it is, or is in; `item` the object."""

    kind: Kind
    href: str
    user: DavUser
    calendar: Calendar | None = None
    item: StoredText | None = None


Property = Callable[[Target], str | None]


def _own(target: Target) -> str:
    return hrefs(principal_href(target.user.handle))


def _reports(*reports: str) -> str:
    return "".join(f"<D:supported-report><D:report><{report}/></D:report></D:supported-report>" for report in reports)


PRINCIPAL_REPORTS = _reports("D:expand-property", "D:principal-search-property-set", "D:principal-property-search")
COLLECTION_REPORTS = _reports("C:calendar-query", "C:calendar-multiget", "D:sync-collection", "D:expand-property")
OBJECT_REPORTS = _reports("C:calendar-query", "C:calendar-multiget", "D:expand-property")

_EVERYWHERE: dict[str, Property] = {
    name("current-user-principal"): _own,
    name("principal-collection-set"): lambda _: hrefs(PRINCIPALS),
    name("owner"): _own,
    name("current-user-privilege-set"): lambda target: acl.privilege_xml(target.calendar),
    name("supported-privilege-set"): lambda _: acl.SUPPORTED,
    name("acl"): lambda target: acl.acl_xml(principal_href(target.user.handle), target.calendar),
    name("acl-restrictions"): lambda _: "<D:grant-only/><D:no-invert/>",
    name("inherited-acl-set"): lambda _: "",
    name("supported-report-set"): lambda _: PRINCIPAL_REPORTS,
}


def _plain_collection(title: str) -> dict[str, Property]:
    return {
        **_EVERYWHERE,
        name("resourcetype"): lambda _: "<D:collection/>",
        name("displayname"): lambda _: title,
    }


_PRINCIPAL: dict[str, Property] = {
    **_EVERYWHERE,
    name("resourcetype"): lambda _: "<D:collection/><D:principal/>",
    name("displayname"): lambda target: text(target.user.name),
    name("principal-URL"): _own,
    name("alternate-URI-set"): lambda _: "",
    name("group-member-set"): lambda _: "",
    name("group-membership"): lambda _: "",
    name("calendar-home-set", CALDAV): lambda target: hrefs(home_href(target.user.handle)),
    name("calendar-user-address-set", CALDAV): lambda target: hrefs(
        f"mailto:{target.user.email}", principal_href(target.user.handle)
    ),
    name("calendar-user-type", CALDAV): lambda _: "INDIVIDUAL",
    name("email-address-set", CALENDARSERVER): lambda target: element(
        name("email-address", CALENDARSERVER), text(target.user.email)
    ),
}


def _of_calendar(read: Callable[[Calendar], str | None]) -> Property:
    return lambda target: None if target.calendar is None else read(target.calendar)


def _components(calendar: Calendar) -> str:
    return "".join(element(name("comp", CALDAV), attributes=f' name="{each}"') for each in calendar.components)


def _timezone(calendar: Calendar) -> str | None:
    try:
        component = timezone_component(calendar.timezone)
    except Invalid:
        return None
    if calendar.timezone in UTC_NAMES:
        component = (
            "BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
            "TZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        )
    return text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\n{component}END:VCALENDAR\r\n")


def _http_date(at: int) -> str:
    return formatdate(at, usegmt=True)


_COLLECTION: dict[str, Property] = {
    **_EVERYWHERE,
    name("resourcetype"): lambda _: "<D:collection/><C:calendar/>",
    name("displayname"): _of_calendar(lambda calendar: text(calendar.display_name)),
    name("getlastmodified"): _of_calendar(lambda calendar: _http_date(calendar.modified_at)),
    name("sync-token"): _of_calendar(sync_token),
    name("getctag", CALENDARSERVER): _of_calendar(ctag),
    name("supported-report-set"): lambda _: COLLECTION_REPORTS,
    name("calendar-description", CALDAV): _of_calendar(lambda calendar: text(calendar.description)),
    name("calendar-timezone", CALDAV): _of_calendar(_timezone),
    name("calendar-timezone-id", CALDAV): _of_calendar(lambda calendar: text(calendar.timezone)),
    name("supported-calendar-component-set", CALDAV): _of_calendar(_components),
    name("supported-calendar-data", CALDAV): lambda _: element(
        name("calendar-data", CALDAV), attributes=' content-type="text/calendar" version="2.0"'
    ),
    name("supported-collation-set", CALDAV): lambda _: "".join(
        element(name("supported-collation", CALDAV), collation) for collation in ("i;ascii-casemap", "i;octet")
    ),
    name("max-resource-size", CALDAV): lambda _: str(MAX_BYTES),
    name("calendar-color", APPLE): _of_calendar(lambda calendar: text(calendar.color) if calendar.color else None),
    name("calendar-order", APPLE): _of_calendar(lambda calendar: str(calendar.position)),
}


def _of_item(read: Callable[[StoredText], str]) -> Property:
    return lambda target: None if target.item is None else read(target.item)


_OBJECT: dict[str, Property] = {
    **_EVERYWHERE,
    name("resourcetype"): lambda _: "",
    name("getetag"): _of_item(lambda item: text(item.etag)),
    name("getcontenttype"): lambda _: OBJECT_TYPE,
    name("getcontentlength"): _of_item(lambda item: str(len(item.data.encode()))),
    name("getlastmodified"): _of_item(lambda item: _http_date(item.modified_at)),
    name("supported-report-set"): lambda _: OBJECT_REPORTS,
    name("calendar-data", CALDAV): _of_item(lambda item: text(item.data)),
}

PROPERTIES: Mapping[Kind, Mapping[str, Property]] = {
    "site": _plain_collection("Halfpast"),
    "root": _plain_collection("Halfpast"),
    "principals": _plain_collection("People"),
    "principal": _PRINCIPAL,
    "homes": _plain_collection("Calendars"),
    "home": {
        **_EVERYWHERE,
        name("resourcetype"): lambda _: "<D:collection/>",
        name("displayname"): lambda target: text(target.user.name),
    },
    "collection": _COLLECTION,
    "object": _OBJECT,
}

NEED_TEXT = frozenset({name("getcontentlength"), name("getlastmodified"), name("calendar-data", CALDAV)})
"""Properties of objects for which a listing of names and etags does not suffice."""

_SPECIFIC = frozenset(
    {
        name(each)
        for each in (
            "principal-collection-set", "current-user-principal", "current-user-privilege-set", "owner", "acl",
            "supported-privilege-set", "acl-restrictions", "inherited-acl-set", "supported-report-set", "sync-token",
            "principal-URL", "alternate-URI-set", "group-member-set", "group-membership",
        )
    }
)  # fmt: skip


def in_allprop(kind: Kind) -> list[str]:
    """What DAV:allprop stands for: the properties of RFC 4918 alone, as the later RFCs ask."""
    return [each for each in PROPERTIES[kind] if each.startswith("{DAV:}") and each not in _SPECIFIC]


def response(target: Target, wanted: Sequence[str], *, minimal: bool = False) -> str:
    """A DAV:response with the wanted properties; the missing ones are named too unless `minimal`."""
    known = PROPERTIES[target.kind]
    found, missing = [], []
    for each in wanted:
        read = known.get(each)
        content = None if read is None else read(target)
        if content is None:
            missing.append(element(each))
        else:
            found.append(element(each, content))
    parts = [f"<D:response><D:href>{text(target.href)}</D:href>"]
    if found or minimal or not missing:
        parts.append(propstat(found, OK))
    if missing and not minimal:
        parts.append(propstat(missing, MISSING))
    parts.append("</D:response>")
    return "".join(parts)


def names_response(target: Target) -> str:
    """A DAV:response with the names of the properties there are (DAV:propname)."""
    present = [element(each) for each, read in PROPERTIES[target.kind].items() if read(target) is not None]
    return f"<D:response><D:href>{text(target.href)}</D:href>{propstat(present, OK)}</D:response>"


def propstat(properties: Sequence[str], status: str) -> str:
    """A DAV:propstat of rendered properties."""
    return f"<D:propstat><D:prop>{''.join(properties)}</D:prop><D:status>{status}</D:status></D:propstat>"


def gone(href: str) -> str:
    """A DAV:response for a member that is not there."""
    return f"<D:response><D:href>{text(href)}</D:href><D:status>{MISSING}</D:status></D:response>"

"""Live properties: what each kind of resource says of itself.

A property is a function from a `Target` to the XML of its content, or None where the resource does not have it. Those
of objects that hang on nothing but name and etag can be answered from a listing alone; see `NEED_TEXT`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate

from app.domain.calendars import INBOX, PERSONAL, Calendar
from app.domain.errors import Invalid
from app.domain.event_text import PRODID
from app.domain.ical_limits import MAX_ATTENDEES, MAX_DATE_TIME, MAX_INSTANCES, MIN_DATE_TIME
from app.domain.timezone_text import UTC_NAMES, timezone_component
from app.ports.published import Access, DavPerson, DavUser, StoredText
from app.use_cases.calendar_objects import MAX_BYTES
from calendar_feeds.caldav import acl
from calendar_feeds.caldav.filters import COLLATIONS
from calendar_feeds.caldav.report_kinds import supported_reports
from calendar_feeds.caldav.resources import (
    ADD_MEMBER,
    OUTBOX,
    PRINCIPALS,
    PROXIES,
    Kind,
    collection_href,
    home_href,
    principal_href,
    proxy_href,
)
from calendar_feeds.caldav.tokens import ctag, sync_token
from calendar_feeds.caldav.xml import APPLE, CALDAV, CALENDARSERVER, element, hrefs, name, text

OK, MISSING = "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"
OBJECT_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Groups:
    """Handles: whose calendars a person may read and write, and who may read and write theirs."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()

    def members(self, group: str) -> tuple[str, ...]:
        """Who is in one of the person's proxy groups."""
        return self.readers if PROXIES[group] == "read" else self.writers


NOBODY = Groups()


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that is asked for its properties by `user`, who has `access` to what is the `owner`'s. `calendar` is
    the collection it is, or is in; `item` the object."""

    kind: Kind
    href: str
    user: DavUser
    owner: DavPerson
    access: Access
    calendar: Calendar | None = None
    item: StoredText | None = None
    groups: Groups = NOBODY
    hours: str | None = None
    """Of an inbox: its owner's working hours, where they were asked for."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Of a home: properties of clients. A calendar brings its own."""


Property = Callable[[Target], str | None]


def _owner(target: Target) -> str:
    return hrefs(principal_href(target.owner.handle))


def _group_of(target: Target) -> str:
    return target.href.rstrip("/").rpartition("/")[2]


def _proxies(group: str, handles: Sequence[str]) -> str:
    return hrefs(*(proxy_href(handle, group) for handle in handles))


_EVERYWHERE: dict[str, Property] = {
    name("current-user-principal"): lambda target: hrefs(principal_href(target.user.handle)),
    name("principal-collection-set"): lambda _: hrefs(PRINCIPALS),
    name("owner"): _owner,
    name("current-user-privilege-set"): lambda target: acl.privilege_xml(target.kind, target.access, target.calendar),
    name("supported-privilege-set"): lambda _: acl.SUPPORTED,
    name("acl"): lambda target: acl.acl_xml(target.owner.handle, target.kind, target.calendar),
    name("acl-restrictions"): lambda _: "<D:grant-only/><D:no-invert/>",
    name("inherited-acl-set"): lambda _: "",
    name("supported-report-set"): lambda target: supported_reports(target.kind),
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
    name("displayname"): lambda target: text(target.owner.name),
    name("principal-URL"): _owner,
    name("alternate-URI-set"): lambda _: "",
    name("group-member-set"): lambda _: "",
    name("group-membership"): lambda target: (
        _proxies("calendar-proxy-read", target.groups.reads) + _proxies("calendar-proxy-write", target.groups.writes)
    ),
    name("calendar-proxy-read-for", CALENDARSERVER): lambda target: hrefs(
        *(principal_href(handle) for handle in target.groups.reads)
    ),
    name("calendar-proxy-write-for", CALENDARSERVER): lambda target: hrefs(
        *(principal_href(handle) for handle in target.groups.writes)
    ),
    name("calendar-home-set", CALDAV): lambda target: hrefs(home_href(target.owner.handle)),
    name("calendar-user-address-set", CALDAV): lambda target: hrefs(
        f"mailto:{target.owner.email}", principal_href(target.owner.handle)
    ),
    name("calendar-user-type", CALDAV): lambda _: "INDIVIDUAL",
    name("schedule-inbox-URL", CALDAV): lambda target: hrefs(collection_href(target.owner.handle, INBOX)),
    name("schedule-outbox-URL", CALDAV): lambda target: hrefs(collection_href(target.owner.handle, OUTBOX)),
    name("email-address-set", CALENDARSERVER): lambda target: element(
        name("email-address", CALENDARSERVER), text(target.owner.email)
    ),
    name("email-address", "http://sabredav.org/ns"): lambda target: text(target.owner.email),
    name("resource-id"): lambda target: hrefs(f"urn:uuid:{target.owner.id}"),
}

_PROXY: dict[str, Property] = {
    **_EVERYWHERE,
    name("resourcetype"): lambda target: f"<D:collection/><D:principal/><CS:{_group_of(target)}/>",
    name("displayname"): lambda target: text(f"{target.owner.name}: {_group_of(target)}"),
    name("principal-URL"): lambda target: hrefs(target.href),
    name("alternate-URI-set"): lambda _: "",
    name("group-member-set"): lambda target: hrefs(
        *(principal_href(handle) for handle in target.groups.members(_group_of(target)))
    ),
    name("group-membership"): lambda _: "",
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


_SYNCED: dict[str, Property] = {
    **_EVERYWHERE,
    name("getlastmodified"): _of_calendar(lambda calendar: _http_date(calendar.modified_at)),
    name("sync-token"): _of_calendar(sync_token),
    name("getctag", CALENDARSERVER): _of_calendar(ctag),
    name("max-resource-size", CALDAV): lambda _: str(MAX_BYTES),
    name("min-date-time", CALDAV): lambda _: MIN_DATE_TIME,
    name("max-date-time", CALDAV): lambda _: MAX_DATE_TIME,
    name("max-instances", CALDAV): lambda _: str(MAX_INSTANCES),
    name("max-attendees-per-instance", CALDAV): lambda _: str(MAX_ATTENDEES),
}


def _hours(target: Target) -> str | None:
    return None if target.hours is None else text(target.hours)


AVAILABILITY = (name("calendar-availability", CALDAV), name("calendar-availability", CALENDARSERVER))
"""By RFC 7953 §7.2.4, and as Apple's programs have called it since before that."""

_INBOX: dict[str, Property] = {
    **_SYNCED,
    **dict.fromkeys(AVAILABILITY, _hours),
    name("resourcetype"): lambda _: "<D:collection/><C:schedule-inbox/>",
    name("displayname"): lambda _: "Inbox",
    name("schedule-default-calendar-URL", CALDAV): lambda target: hrefs(collection_href(target.owner.handle, PERSONAL)),
}

_COLLECTION: dict[str, Property] = {
    **_SYNCED,
    name("resourcetype"): lambda _: "<D:collection/><C:calendar/>",
    name("displayname"): _of_calendar(lambda calendar: text(calendar.display_name)),
    name("add-member"): lambda target: hrefs(target.href + ADD_MEMBER),
    name("calendar-description", CALDAV): _of_calendar(lambda calendar: text(calendar.description)),
    name("calendar-timezone", CALDAV): _of_calendar(_timezone),
    name("calendar-timezone-id", CALDAV): _of_calendar(lambda calendar: text(calendar.timezone)),
    name("supported-calendar-component-set", CALDAV): _of_calendar(_components),
    name("supported-calendar-data", CALDAV): lambda _: element(
        name("calendar-data", CALDAV), attributes=' content-type="text/calendar" version="2.0"'
    ),
    name("supported-collation-set", CALDAV): lambda _: "".join(
        element(name("supported-collation", CALDAV), collation) for collation in COLLATIONS
    ),
    name("calendar-color", APPLE): _of_calendar(lambda calendar: text(calendar.color) if calendar.color else None),
    name("schedule-calendar-transp", CALDAV): _of_calendar(
        lambda calendar: "<C:opaque/>" if calendar.is_conflict or calendar.is_write else "<C:transparent/>"
    ),
    name("calendar-order", APPLE): _of_calendar(lambda calendar: str(calendar.position)),
}


def _of_item(read: Callable[[StoredText], str | None]) -> Property:
    return lambda target: None if target.item is None else read(target.item)


_OBJECT: dict[str, Property] = {
    **_EVERYWHERE,
    name("resourcetype"): lambda _: "",
    name("getetag"): _of_item(lambda item: text(item.etag)),
    name("getcontenttype"): lambda _: OBJECT_TYPE,
    name("getcontentlength"): _of_item(lambda item: str(len(item.data.encode()))),
    name("getlastmodified"): _of_item(lambda item: _http_date(item.modified_at)),
    name("calendar-data", CALDAV): _of_item(lambda item: text(item.data)),
    name("schedule-tag", CALDAV): _of_item(lambda item: None if item.schedule_tag is None else text(item.schedule_tag)),
}

PROPERTIES: Mapping[Kind, Mapping[str, Property]] = {
    "site": _plain_collection("Halfpast"),
    "root": _plain_collection("Halfpast"),
    "principals": _plain_collection("People"),
    "principal": _PRINCIPAL,
    "proxy": _PROXY,
    "homes": _plain_collection("Calendars"),
    "home": {
        **_EVERYWHERE,
        name("resourcetype"): lambda _: "<D:collection/>",
        name("displayname"): lambda target: text(target.owner.name),
    },
    "collection": _COLLECTION,
    "inbox": _INBOX,
    "outbox": {**_EVERYWHERE, name("resourcetype"): lambda _: "<D:collection/><C:schedule-outbox/>"},
    "object": _OBJECT,
}

NEED_TEXT = frozenset(
    {name("getcontentlength"), name("getlastmodified"), name("calendar-data", CALDAV), name("schedule-tag", CALDAV)}
)
"""Properties of objects for which a listing of names and etags does not suffice."""

_SPECIFIC = frozenset(
    {
        name(each)
        for each in (
            "principal-collection-set", "current-user-principal", "current-user-privilege-set", "owner", "acl",
            "supported-privilege-set", "acl-restrictions", "inherited-acl-set", "supported-report-set", "sync-token",
            "principal-URL", "alternate-URI-set", "group-member-set", "group-membership", "add-member", "resource-id",
        )
    }
)  # fmt: skip


def in_allprop(kind: Kind) -> list[str]:
    """What DAV:allprop stands for beside the properties of clients: those of RFC 4918 alone, as the later RFCs ask."""
    return [each for each in PROPERTIES[kind] if each.startswith("{DAV:}") and each not in _SPECIFIC]


def read_property(target: Target, qualified: str) -> str | None:
    """The whole element of a property, None where the resource does not have it."""
    read = PROPERTIES[target.kind].get(qualified)
    if read is not None:
        content = read(target)
        return None if content is None else element(qualified, content)
    return kept_properties(target).get(qualified)


def kept_properties(target: Target) -> Mapping[str, str]:
    """The properties that clients keep here and only they understand, as elements."""
    return target.calendar.properties if target.calendar is not None and target.kind in KEEPING else target.kept


KEEPING: frozenset[Kind] = frozenset({"collection", "inbox"})
"""What has room for properties of clients."""


def response(target: Target, wanted: Sequence[str], *, minimal: bool = False) -> str:
    """A DAV:response with the wanted properties; the missing ones are named too unless `minimal`."""
    found, missing = [], []
    for each in wanted:
        rendered = read_property(target, each)
        if rendered is None:
            missing.append(element(each))
        else:
            found.append(rendered)
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
    present += [element(each) for each in kept_properties(target)]
    return f"<D:response><D:href>{text(target.href)}</D:href>{propstat(present, OK)}</D:response>"


def propstat(properties: Sequence[str], status: str) -> str:
    """A DAV:propstat of rendered properties."""
    return f"<D:propstat><D:prop>{''.join(properties)}</D:prop><D:status>{status}</D:status></D:propstat>"


def gone(href: str) -> str:
    """A DAV:response for a member that is not there."""
    return f"<D:response><D:href>{text(href)}</D:href><D:status>{MISSING}</D:status></D:response>"

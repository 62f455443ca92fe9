"""What a person may do with a resource, told truthfully (RFC 3744): the same list that clients are shown decides.

A person has their own tree, and what others let them into: as assistants (calendar-proxy, to read or to write), or as
who runs the organization, who reads everybody's `schedule`. A calendar shown as writable must be so, and one shown as
read-only must not say any word of writing: clients go by that (Thunderbird by `write-properties` already).
"""

from __future__ import annotations

from app.domain.calendars import INBOX, PERSONAL, SCHEDULE, Calendar
from app.ports.published import Access
from calendar_feeds.caldav.resources import Kind, principal_href, proxy_href
from calendar_feeds.caldav.xml import hrefs
from calendar_feeds.messages import Refusal

KNOWN = ("D:read", "D:read-current-user-privilege-set")
"""On the principals of others: anybody of the organization may find and invite them."""
READ = ("D:read", "C:read-free-busy", "D:read-acl", "D:read-current-user-privilege-set")
WRITE = ("D:write", "D:write-content", "D:write-properties", "D:bind", "D:unbind")
CHANGE = ("D:write-content", "D:write-properties", "D:unbind")
"""In a schedule that takes no walk-ins: what is there may be changed and deleted, but nothing added."""
_MEMBERS = ("D:bind", "D:unbind")
DELIVER = ("C:schedule-deliver", "C:schedule-deliver-invite", "C:schedule-deliver-reply", "C:schedule-query-freebusy")
SEND = ("C:schedule-send", "C:schedule-send-invite", "C:schedule-send-reply", "C:schedule-send-freebusy")


def _supported(name: str, told: str, *inner: str) -> str:
    return (
        f"<D:supported-privilege><D:privilege><{name}/></D:privilege><D:description>{told}</D:description>"
        f"{''.join(inner)}</D:supported-privilege>"
    )


SUPPORTED = _supported(
    "D:all",
    "Everything",
    _supported("D:read", "Read", _supported("C:read-free-busy", "Read busy times")),
    _supported(
        "D:write",
        "Write",
        _supported("D:write-content", "Change objects"),
        _supported("D:write-properties", "Change properties"),
        _supported("D:bind", "Add objects"),
        _supported("D:unbind", "Remove objects"),
    ),
    _supported("C:schedule-deliver", "Deliver messages", *(_supported(name, "Of this kind") for name in DELIVER[1:])),
    _supported("C:schedule-send", "Send messages", *(_supported(name, "Of this kind") for name in SEND[1:])),
    _supported("D:read-acl", "Read the rights"),
    _supported("D:read-current-user-privilege-set", "Read one's own rights"),
).replace("<D:all/></D:privilege>", "<D:all/></D:privilege><D:abstract/>", 1)
"""DAV:supported-privilege-set: a tree in which `all` cannot be granted by itself."""


def privileges(kind: Kind, access: Access, calendar: Calendar | None) -> tuple[str, ...]:
    """What somebody with this access may do with a resource of this kind, in or being that calendar."""
    match kind:
        case "principal":
            return READ if access == "owner" else KNOWN
        case "proxy":
            return (*READ, "D:write-properties") if access == "owner" else KNOWN
        case "home":
            return _of_home(access)
        case "inbox" | "outbox":
            return _of_messages(kind, access)
        case "collection" | "object":
            return _of_calendar(access, calendar)
        case _:
            return READ


def _of_home(access: Access) -> tuple[str, ...]:
    if access == "owner":
        return (*READ, "D:write-properties", *_MEMBERS)
    return () if access == "none" else (*READ, *_MEMBERS) if access == "write" else READ


def _of_messages(kind: Kind, access: Access) -> tuple[str, ...]:
    if access != "owner":
        return ()
    return (*READ, "D:write-properties", "D:unbind", *DELIVER) if kind == "inbox" else (*READ, *SEND)


def _of_calendar(access: Access, calendar: Calendar | None) -> tuple[str, ...]:
    if calendar is not None and calendar.name == INBOX:
        return _of_messages("inbox", access)
    if calendar is None:  # not there (yet): what may be done with it is decided by the home
        return () if access == "none" else READ
    if access == "none" or (access == "schedule" and calendar.name != SCHEDULE):
        return ()
    if access not in {"owner", "write"} or calendar.read_only:
        return READ
    return READ + (WRITE if calendar.takes_new else CHANGE)


def privilege_xml(kind: Kind, access: Access, calendar: Calendar | None) -> str:
    """The content of DAV:current-user-privilege-set."""
    return _granted(privileges(kind, access, calendar))


def _granted(names: tuple[str, ...]) -> str:
    return "".join(f"<D:privilege><{name}/></D:privilege>" for name in names)


def acl_xml(handle: str, kind: Kind, calendar: Calendar | None) -> str:
    """The content of DAV:acl: who has which rights on a person's resource. None of it is changed by ACL; people are let
    in by becoming members of the proxy groups."""
    entries: tuple[tuple[str, Access], ...] = (
        (principal_href(handle), "owner"),
        (proxy_href(handle, "calendar-proxy-write"), "write"),
        (proxy_href(handle, "calendar-proxy-read"), "read"),
    )
    return "".join(
        f"<D:ace><D:principal>{hrefs(who)}</D:principal><D:grant>{_granted(rights)}</D:grant><D:protected/></D:ace>"
        for who, access in entries
        if (rights := privileges(kind, access, calendar))
    )


def is_protected(calendar: Calendar) -> bool:
    """Whether this is one of the calendars that everybody has and keeps."""
    return calendar.name in {SCHEDULE, PERSONAL}


def need_privilege(href: str, privilege: str, detail: str) -> Refusal:
    """403 with DAV:need-privileges (RFC 3744 §7.1.1), which tells clients to drop the change."""
    return Refusal(
        403,
        f"<D:need-privileges><D:resource>{hrefs(href)}<D:privilege><{privilege}/></D:privilege></D:resource>"
        "</D:need-privileges>",
        detail,
    )

"""What an address under `/dav/` means, and how addresses are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote_to_bytes, urlsplit

from app.domain.calendars import INBOX

PREFIX = "/dav"
SITE = "/"
"""The root of the whole site answers too, for clients that know no more than the host and follow no redirect."""
ROOT = "/dav/"
PRINCIPALS = "/dav/principals/"
HOMES = "/dav/calendars/"

Kind = Literal[
    "site", "root", "principals", "principal", "proxy", "homes", "home", "collection", "inbox", "outbox", "object"
]
PROXIES: dict[str, Literal["read", "write"]] = {"calendar-proxy-read": "read", "calendar-proxy-write": "write"}
"""The groups of those who may read, or write, a person's calendars (calendarserver.org's caldav-proxy)."""
OUTBOX = "outbox"
ADD_MEMBER = ";add-member"
"""Below a calendar, where clients POST what gets a name here (RFC 5995); the calendar itself does as well."""

_SAFE = "@:"  # what stays as it is beside letters, digits and -._~: clients compare addresses as text
_NOT_IN_NAMES = re.compile("[/\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")  # line ends are: some UIDs have them
_PLAIN = re.compile(r"[A-Za-z0-9\-._~@:]*")
_PLAIN_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@:"


@dataclass(frozen=True, slots=True)
class Location:
    """A parsed path. `handle`, `collection` and `name` are decoded, and empty above their level. A proxy group has its
    name in `name`, an inbox and what is in it `inbox` in `collection`."""

    kind: Kind
    handle: str = ""
    collection: str = ""
    name: str = ""


def locate(raw_path: bytes) -> Location | None:
    """What a path as sent (percent-encoded) points to; None for what this server has no place for."""
    path = raw_path.partition(b"?")[0]
    if path == SITE.encode():
        return Location("site")
    if not path.startswith(PREFIX.encode()):
        return None
    try:
        parts = [unquote_to_bytes(part).decode() for part in path[len(PREFIX) :].split(b"/")]
    except UnicodeDecodeError:
        return None
    if parts[0]:
        return None
    parts = parts[1:]
    if parts and not parts[-1]:
        parts.pop()
    if any(part in {"", ".", ".."} or _NOT_IN_NAMES.search(part) for part in parts):
        return None
    match parts:
        case []:
            return Location("root")
        case ["principals"]:
            return Location("principals")
        case ["principals", handle]:
            return Location("principal", handle)
        case ["principals", handle, group] if group in PROXIES:
            return Location("proxy", handle, name=group)
        case ["calendars"]:
            return Location("homes")
        case ["calendars", handle]:
            return Location("home", handle)
        case ["calendars", handle, "inbox"]:
            return Location("inbox", handle, INBOX)
        case ["calendars", handle, "outbox"]:
            return Location("outbox", handle)
        case ["calendars", handle, collection]:
            return Location("collection", handle, collection)
        case ["calendars", handle, collection, name] if collection != OUTBOX:
            return Location("object", handle, collection, name)
        case _:
            return None


def locate_href(href: str) -> Location | None:
    """The same for a DAV:href of a request: a path, or an address whose host is taken to be this one."""
    try:
        path = urlsplit(href).path if "://" in href else href
    except ValueError:
        return None
    return locate(path.encode())


def is_plain(name: str) -> bool:
    """Whether a name stands in a path as it is."""
    return bool(_PLAIN.fullmatch(name)) and name not in {"", ".", ".."}


def segment(name: str) -> str:
    """A path segment, percent-encoded."""
    return name if _PLAIN.fullmatch(name) else quote(name, safe=_SAFE)


def are_plain(names: bytes, *also: str) -> bool:
    """Whether none of these characters needs encoding in a path or escaping in XML, but for those in `also`."""
    return not names.translate(None, _PLAIN_BYTES + "".join(also).encode())


def principal_href(handle: str) -> str:
    """Where a person is."""
    return f"{PRINCIPALS}{segment(handle)}/"


def home_href(handle: str) -> str:
    """Where a person's collections are."""
    return f"{HOMES}{segment(handle)}/"


def proxy_href(handle: str, group: str) -> str:
    """Where one of the groups `PROXIES` of a person is."""
    return f"{PRINCIPALS}{segment(handle)}/{group}/"


def collection_href(handle: str, name: str) -> str:
    """Where a person's collection of this name is."""
    return f"{HOMES}{segment(handle)}/{segment(name)}/"

"""A device that sends requests as they are given to it, and the transcript of what it was answered."""

from __future__ import annotations

from collections.abc import Callable

import requests
from lxml import etree

from tests.caldav.clients.text import Names, written
from tests.support.dav_server import NAMESPACES, Person, basic, declared

_SHOWN_REQUEST = ("Depth", "If-Match", "If-None-Match", "If-Schedule-Tag-Match", "Destination", "Prefer", "Brief")
_SHOWN_ANSWER = ("Location", "Allow", "ETag", "Schedule-Tag", "Preference-Applied", "WWW-Authenticate")


def props(names: str) -> str:
    """Empty properties: `D:getetag C:calendar-data` and so on."""
    return "".join(f"<{name}/>" for name in names.split())


def asking(names: str) -> str:
    """The body of a PROPFIND."""
    return f"<D:propfind><D:prop>{props(names)}</D:prop></D:propfind>"


def setting(properties: str, root: str = "D:propertyupdate") -> str:
    """The body of a PROPPATCH, or of another method that sets properties."""
    return f"<{root}><D:set><D:prop>{properties}</D:prop></D:set></{root}>"


def query(names: str, component: str = "VEVENT", times: str = "") -> str:
    """A calendar-query for components, in a time-range with these attributes."""
    time_range = f"<C:time-range {times}/>" if times else ""
    inner = f'<C:comp-filter name="{component}">{time_range}</C:comp-filter>'
    return (
        f"<C:calendar-query><D:prop>{props(names)}</D:prop><C:filter>"
        f'<C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter></C:calendar-query>'
    )


def multiget(names: str, *hrefs: str) -> str:
    """A calendar-multiget."""
    members = "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return f"<C:calendar-multiget><D:prop>{props(names)}</D:prop>{members}</C:calendar-multiget>"


def sync(names: str, token: str = "", more: str = "") -> str:
    """A sync-collection."""
    return (
        f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{more}"
        f"<D:prop>{props(names)}</D:prop></D:sync-collection>"
    )


class Device:
    """Somebody's device. `headers` go with every request."""

    def __init__(self, person: Person, **headers: str) -> None:
        self.person = person
        self.headers = headers
        self.lines: list[str] = []
        self._names = Names(person)
        self._abilities = ""

    def __call__(self, method: str, path: str, body: str = "", **headers: str) -> Reply:
        """Send a request; `body` is XML with the usual prefixes or something else."""
        return self._send(method, path, body, headers, basic(self.person.user.handle, self.person.password))

    def as_stranger(self, method: str, path: str, body: str = "", **headers: str) -> Reply:
        """The same without credentials."""
        return self._send(method, path, body, headers, None)

    def _send(self, method: str, path: str, body: str, headers: dict[str, str], authorization: str | None) -> Reply:
        sent = {"Content_Type": _kind(body), **self.headers, **headers}
        if authorization:
            sent["Authorization"] = authorization
        if not body:
            del sent["Content_Type"]
        whole = '<?xml version="1.0" encoding="utf-8"?>' + declared(body) if body.startswith("<") else body
        response = self.person.server.request(method, path, whole or None, **sent)
        self._note(method, path, {name.replace("_", "-"): value for name, value in headers.items()}, response)
        return Reply(response)

    def say(self, what: str) -> None:
        """A heading in the transcript."""
        self.lines += [f"## {what}", ""]

    def transcript(self) -> str:
        """All that was asked and answered."""
        return "\n".join(self.lines)

    def _note(self, method: str, path: str, headers: dict[str, str], response: requests.Response) -> None:
        name = self._names
        asked = [f"  {each}: {name.of_header(each, headers[each])}" for each in _SHOWN_REQUEST if each in headers]
        told = [
            f"  {each}: {name.of_header(each, response.headers[each])}"
            for each in _SHOWN_ANSWER
            if each in response.headers
        ]
        if (abilities := response.headers.get("DAV", "")) not in {"", self._abilities}:
            self._abilities = abilities
            told.append(f"  DAV: {abilities}, and so on from here")
        status = f"< {response.status_code}"
        self.lines += [f"> {method} {name.in_text(path)}", *asked, status, *told, *written(response, name), ""]
        assert response.status_code < 500, self.lines[-3:]


def _kind(body: str) -> str:
    return "application/xml; charset=utf-8" if body.startswith("<") else "text/calendar; charset=utf-8"


class Reply:
    """What a client reads out of an answer to go on with."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._response = response

    def find(self, path: str) -> str:
        """The text of the first element at a path such as `C:calendar-home-set/D:href`."""
        root = etree.fromstring(self._response.content)
        found = root.findtext(f".//{path}", namespaces=NAMESPACES)
        assert found is not None, f"no {path} in {self._response.text[:2000]}"
        return found

    @property
    def members(self) -> list[str]:
        """The addresses of what is answered for, apart from collections and what is gone."""
        root = etree.fromstring(self._response.content)
        return sorted(
            href
            for each in root.iterfind("D:response", namespaces=NAMESPACES)
            if each.find("D:status", namespaces=NAMESPACES) is None
            and not (href := each.findtext("D:href", "", namespaces=NAMESPACES)).endswith("/")
        )


Replay = Callable[[Device], None]

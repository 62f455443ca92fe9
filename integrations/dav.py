"""WebDAV as calendar accounts are spoken to: python-caldav's client over the guarded HTTP, answers checked strictly.

Nothing here guesses: an answer that is not what was asked for is a `ProviderFailure`, never an empty result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from xml.sax.saxutils import escape

from caldav.async_davclient import AsyncDAVClient
from lxml import etree

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.http import BasicOrDigest, OutwardHttp, OutwardResponse, origin, retry_after, same_origin

DAV = "{DAV:}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
CS = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"
_NAMESPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/" '
    'xmlns:A="http://apple.com/ns/ical/"'
)
ONE_OPERATOR = ("icloud.com",)
"""Domains all of whose hosts are one operator's: their accounts live on other hosts (p34-caldav.icloud.com) than the
one people know, and credentials may follow there."""

_MULTISTATUS_METHODS = frozenset({"PROPFIND", "REPORT"})
_UID_TAKEN = re.compile(rb"\buid\b[^<]{0,40}already exists", re.IGNORECASE)  # Nextcloud's words, also of its trash
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@:")


class NotAllowed(ProviderFailure):
    """A 403: the password is good, the right is missing; or whatever else a server means by it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One response of a multistatus: its path as `plain_path` writes it, its own status if it has one, and the
    properties that were found."""

    path: str
    status: int | None
    properties: Mapping[str, Any]

    def text(self, name: str) -> str | None:
        """A property's text; None when it is missing or empty."""
        element = self.properties.get(name)
        value = (element.text or "").strip() if element is not None else ""
        return value or None

    def hrefs(self, name: str) -> list[str]:
        """The addresses inside a property."""
        element = self.properties.get(name)
        if element is None:
            return []
        return [each.text.strip() for each in element.iter(f"{DAV}href") if each.text and each.text.strip()]

    def children(self, name: str) -> set[str]:
        """The names of the elements inside a property."""
        element = self.properties.get(name)
        return set() if element is None else {str(each.tag) for each in element.iter(etree.Element)} - {name}


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A whole answer to PROPFIND or REPORT. `url` is where it came from, after redirects."""

    url: str
    resources: tuple[Resource, ...]
    sync_token: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to GET, PUT or DELETE."""

    status: int
    headers: Mapping[str, str]
    text: str


class DavClient:
    """One account's requests. Credentials go to the origin of `base` alone."""

    def __init__(self, http: OutwardHttp, credentials: Credentials, base: str | None = None) -> None:
        self.base = base or credentials.url
        self._session = _Session(http, credentials, self.base)
        self._client = _GuardedClient(self._session, self.base)

    async def propfind(self, url: str, properties: str, depth: int = 0) -> Multistatus:
        """`properties` are elements with the prefixes D, C, CS and A."""
        body = f"<D:propfind {_NAMESPACES}><D:prop>{properties}</D:prop></D:propfind>"
        found = self._multistatus(await self._client.propfind(url, body, depth))
        if not found.resources:  # the resource that was asked is always one of them
            raise ProviderFailure("protocol", f"{_host(found.url)} does not answer as a calendar server.")
        return found

    async def report(self, url: str, body: str, depth: int | None = 1) -> Multistatus:
        """`body` is the root element's text, where `NS` stands for the namespace declarations."""
        answer = await self._client.report(url, body.replace("NS", _NAMESPACES, 1), depth)
        return self._multistatus(answer)

    async def get(self, url: str) -> Answer:
        """`ProviderFailure` of kind gone when it is not there."""
        await self._client.request(url, "GET")
        return self._answer()

    async def put(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Store iCalendar text."""
        content_type = {"Content-Type": "text/calendar; charset=utf-8"}
        await self._client.put(url, body, {**content_type, **headers})
        return self._answer()

    async def delete(self, url: str) -> Answer:
        """`ProviderFailure` of kind gone when it is not there."""
        await self._client.delete(url)
        return self._answer()

    def _answer(self) -> Answer:
        last = self._session.last
        return Answer(last.status, last.headers, last.content.decode("utf-8", "replace"))

    def _multistatus(self, answer: Any) -> Multistatus:
        last = self._session.last
        root = answer.tree
        if last.status != 207 or root is None or root.tag != f"{DAV}multistatus":
            raise ProviderFailure("protocol", f"{_host(last.url)} does not answer as a calendar server.")
        token = root.find(f"{DAV}sync-token")
        return Multistatus(
            last.url,
            tuple(_resources(root, last.url)),
            (token.text or "").strip() or None if token is not None else None,
        )


class _Session:
    """What python-caldav takes for its HTTP library."""

    def __init__(self, http: OutwardHttp, credentials: Credentials, base: str) -> None:
        self._http = http
        self._base = base
        self._auth = BasicOrDigest(credentials.username, credentials.secret) if credentials.secret else None
        self.last: OutwardResponse

    async def request(
        self, *, method: str, url: str, data: bytes | None = None, headers: Mapping[str, str], **_unused: Any
    ) -> Any:
        """Send; every answer that is no success becomes a `ProviderFailure`."""
        auth = self._auth if shares_credentials(self._base, url) else None
        answer = await self._http.request(method, url, headers=headers, content=data, auth=auth)
        self.last = answer
        if not same_origin(answer.url, url) and answer.status in (401, 403):
            raise elsewhere(url, answer.url)
        if answer.status >= 300:
            raise failure_of(answer)
        if method in _MULTISTATUS_METHODS:
            _check_multistatus(answer)
            return _NiquestsLike(answer, answer.content)
        return _NiquestsLike(answer, b"")  # what GET and PUT answer is read from `last`; it is no XML to take apart

    async def close(self) -> None:
        """Connections belong to the shared HTTP client."""


class _NiquestsLike:
    """An answer with the attributes that python-caldav reads."""

    def __init__(self, answer: OutwardResponse, content: bytes) -> None:
        self.status_code = answer.status
        self.reason = answer.reason
        self.headers = answer.headers
        self.content = content

    @property
    def text(self) -> str:
        """The body, decoded."""
        return self.content.decode("utf-8", "replace")


class _GuardedClient(AsyncDAVClient):
    """python-caldav's client, which finds no addresses by itself and never speaks past the guard."""

    def __init__(self, session: _Session, url: str) -> None:
        self._guarded = session
        super().__init__(url=url, enable_rfc6764=False, rate_limit_handle=False)

    def _create_session(self) -> None:
        self.session = self._guarded


def shares_credentials(base: str, url: str) -> bool:
    """Whether what opens `base` may be sent to `url`."""
    if same_origin(base, url):
        return True
    one, other = origin(base), origin(url)
    if (one[0], one[2]) != ("https", 443) or (other[0], other[2]) != ("https", 443):
        return False
    return any(one[1].endswith(f".{domain}") and other[1].endswith(f".{domain}") for domain in ONE_OPERATOR)


def elsewhere(asked: str, found: str) -> ProviderFailure:
    """The refusal to send a password to an address that the person did not give."""
    place = f"{urlsplit(found).scheme}://{urlsplit(found).netloc}/"
    return ProviderFailure(
        "refused", f"{_host(asked)} says that its calendars are kept at {place} Enter that address to connect there."
    )


def failure_of(answer: OutwardResponse) -> ProviderFailure:
    """Who can mend a refused request."""
    host, status = _host(answer.url), answer.status
    conditions = _preconditions(answer)
    if f"{DAV}valid-sync-token" in conditions:
        return ProviderFailure("invalid_cursor", f"{host} does not know the sync token any more.")
    if f"{CAL}no-uid-conflict" in conditions or (status in (400, 403, 409) and _UID_TAKEN.search(answer.content)):
        return ProviderFailure("conflict", f"{host} has an event with this UID already.")
    match status:
        case 401:
            return ProviderFailure("auth", f"{host} does not accept the user name or password.")
        case 403:
            return NotAllowed("auth", f"{host} does not allow this with the account's rights.")
        case 404 | 410:
            return ProviderFailure("gone", f"{host} has nothing at this address (any more).")
        case 409 | 412:
            return ProviderFailure("conflict", f"{host} says that it was changed meanwhile.")
        case 429 | 502 | 503 | 504 | 507 | 423:
            return ProviderFailure("busy", f"{host} asks to come back later.", retry_after(answer.headers))
    if status >= 500 and status not in (501, 505):
        return ProviderFailure(
            "busy", f"{host} failed with an error of its own ({status}).", retry_after(answer.headers)
        )
    return ProviderFailure("protocol", f"{host} answers {_words(status)} to a calendar request.")


def plain_path(url: str) -> str:
    """The path of an address in one spelling: servers encode hrefs now this way, now that."""

    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _PLAIN else f"%{match[1].upper()}"

    return quote(_ESCAPE.sub(plain, urlsplit(url).path), safe="/%@:~!$&'()*+,;=-._")


def calendar_query(uid: str) -> str:
    """The REPORT that finds an event by its UID (RFC 4791 §7.8.6)."""
    match = f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{escape(uid)}</C:text-match></C:prop-filter>'
    filters = f'<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{match}</C:comp-filter></C:comp-filter>'
    wanted = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
    return f"<C:calendar-query NS>{wanted}<C:filter>{filters}</C:filter></C:calendar-query>"


def multiget(paths: Sequence[str]) -> str:
    """The REPORT that fetches resources (RFC 4791 §7.9)."""
    hrefs = "".join(f"<D:href>{escape(path)}</D:href>" for path in paths)
    return f"<C:calendar-multiget NS><D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"


def sync_collection(token: str) -> str:
    """The REPORT that says what changed since a token (RFC 6578 §3.2)."""
    level = "<D:sync-level>1</D:sync-level>"
    return (
        f"<D:sync-collection NS><D:sync-token>{escape(token)}</D:sync-token>{level}"
        "<D:prop><D:getetag/></D:prop></D:sync-collection>"
    )


def _resources(root: Any, url: str) -> Iterator[Resource]:
    for response in root.iterfind(f"{DAV}response"):
        href = response.findtext(f"{DAV}href")
        if not href or not href.strip():
            raise ProviderFailure("protocol", f"{_host(url)} lists a resource without an address.")
        where = urljoin(url, href.strip())  # only its path counts: behind proxies the rest is often wrong
        found: dict[str, Any] = {}
        for propstat in response.iterfind(f"{DAV}propstat"):
            status = _status(propstat.findtext(f"{DAV}status"))
            if status is None or 200 <= status < 300:
                found.update({str(each.tag): each for prop in propstat.iterfind(f"{DAV}prop") for each in prop})
        yield Resource(plain_path(where), _status(response.findtext(f"{DAV}status")), found)


def _status(line: str | None) -> int | None:
    words = (line or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdecimal() else None


def _check_multistatus(answer: OutwardResponse) -> None:
    """Before python-caldav, which takes what is no XML for an empty answer, and logs it."""
    root = _xml(answer.content)
    if answer.status != 207 or root is None or root.tag != f"{DAV}multistatus":
        raise ProviderFailure("protocol", f"{_host(answer.url)} does not answer as a calendar server.")


def _preconditions(answer: OutwardResponse) -> set[str]:
    root = _xml(answer.content) if answer.content[:1] == b"<" else None
    return set() if root is None else {str(each.tag) for each in root.iter(etree.Element)}


def _xml(content: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
        return None if root.getroottree().docinfo.doctype else root
    except (etree.XMLSyntaxError, ValueError):
        return None


def _words(status: int) -> str:
    try:
        return f"“{status} {HTTPStatus(status).phrase}”"
    except ValueError:
        return f"“{status}”"


def _host(url: str) -> str:
    return urlsplit(url).hostname or "The server"

"""Finding a CalDAV server from what a person typed (RFC 6764): an address, a host name or an e-mail address.

DNS and redirects only say where to look. The password goes to the host that was typed, to hosts below that name, and
nowhere else: for any other place the person is asked to type that address.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import dns.asyncresolver
import dns.exception

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.dav import CAL, DAV, DavClient, Multistatus, elsewhere, shares_credentials
from integrations.http import OutwardHttp

DnsLookup = Callable[[str, str], Awaitable[list[str]]]
"""Name and type of a record to the records' texts; empty when there are none."""

WANTED = "<D:current-user-principal/><C:calendar-home-set/><D:resourcetype/>"
DNS_SECONDS = 3.0
_TELLING = ("auth", "refused", "busy", "protocol", "unreachable", "gone")
"""Of several failed places, the one whose failure the person is told."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An address to try, and the name that was typed."""

    url: str
    typed_host: str


async def system_lookup(name: str, kind: str) -> list[str]:
    """Ask the system's resolver."""
    try:
        answer = await dns.asyncresolver.resolve(name, kind, lifetime=DNS_SECONDS)
    except (dns.exception.DNSException, OSError, ValueError):
        return []
    return [record.to_text() for record in answer]


async def discover(http: OutwardHttp, lookup: DnsLookup, typed: Credentials) -> Credentials:
    """The account's address (its principal, else the home or calendar that was typed), proved with the password."""
    username = typed.username or (typed.url if "@" in typed.url and "://" not in typed.url else "")
    credentials = Credentials(typed.url, username, typed.secret)
    failures: list[ProviderFailure] = []
    for place in await _places(http, lookup, typed.url.strip()):
        try:
            url = await _prove(http, credentials, place)
            return Credentials(url, username, typed.secret)
        except ProviderFailure as failure:
            failures.append(failure)
            if failure.kind in {"auth", "refused"} and place.url != typed.url:
                break  # a server that knows calendars was found; others would only be asked in vain
    raise min(failures, key=lambda failure: _TELLING.index(failure.kind) if failure.kind in _TELLING else 9)


async def _places(http: OutwardHttp, lookup: DnsLookup, typed: str) -> list[_Place]:
    if "://" in typed:
        parts = urlsplit(typed)
        host = parts.hostname or ""
        well_known = _Place(f"{parts.scheme}://{parts.netloc}/.well-known/caldav", host)
        exact = _Place(typed, host)
        return [exact, well_known] if parts.path.strip("/") else [well_known, exact]
    domain = typed.rpartition("@")[2].strip().rstrip(".").lower() if "@" in typed else typed.lower()
    host, _, path = domain.partition("/")
    name = host.partition(":")[0]
    if not name:
        raise ProviderFailure("refused", "Type the server's address, or your e-mail address.")
    places = [_Place(f"https://{host}/{path}", name)] if path else []
    if ":" not in host:
        places += await _by_dns(lookup, name)
    places.append(_Place(f"https://{host}/.well-known/caldav", name))
    if http.policy.may_be_private(name):
        places.append(_Place(f"http://{host}/.well-known/caldav", name))
    if "@" not in typed:
        places += [_Place(place.url.replace("/.well-known/caldav", "/"), name) for place in places[-2:]]
    return places


async def _by_dns(lookup: DnsLookup, domain: str) -> list[_Place]:
    """SRV with the TXT beside it (RFC 6764 §3, §4); the lowest priority first."""
    service = f"_caldavs._tcp.{domain}"
    found: list[tuple[int, int, int, str]] = []
    for text in await lookup(service, "SRV"):
        fields = text.split()
        if len(fields) == 4 and all(field.isdecimal() for field in fields[:3]) and fields[3] != ".":
            found.append((int(fields[0]), -int(fields[1]), int(fields[2]), fields[3].rstrip(".")))
    paths = [text.strip('"') for text in await lookup(service, "TXT")] if found else []
    path = next((text[5:] for text in paths if text.startswith("path=/")), "/.well-known/caldav")
    return [
        _Place(f"https://{host}{f':{port}' if port != 443 else ''}{path}", domain)
        for _, _, port, host in sorted(found)[:3]
    ]


async def _prove(http: OutwardHttp, credentials: Credentials, place: _Place) -> str:
    """Ask `place`, and where it leads, for the account with the password."""
    url = await _without_redirects(http, place)
    if not _is_trusted(place, url):
        raise elsewhere(f"https://{place.typed_host}/", url)
    client = DavClient(http, credentials, url)
    answer = await client.propfind(url, WANTED)
    principal = _first(answer, f"{DAV}current-user-principal")
    if principal is not None:
        await _prove_principal(client, principal, url)
        return principal
    own = answer.resources[0] if answer.resources else None
    if own and (own.hrefs(f"{CAL}calendar-home-set") or f"{CAL}calendar" in own.children(f"{DAV}resourcetype")):
        return answer.url
    raise ProviderFailure("protocol", f"{urlsplit(url).hostname} is no calendar server.")


async def _prove_principal(client: DavClient, principal: str, asked: str) -> None:
    if not shares_credentials(client.base, principal):
        raise elsewhere(asked, principal)
    answer = await client.propfind(principal, "<C:calendar-home-set/>")
    home = _first(answer, f"{CAL}calendar-home-set")
    if home is None:
        raise ProviderFailure("protocol", f"{urlsplit(asked).hostname} keeps no calendars for this account.")
    if not shares_credentials(client.base, home):
        raise elsewhere(asked, home)


async def _without_redirects(http: OutwardHttp, place: _Place) -> str:
    """Where the place leads, asked without the password: servers redirect before they ask for it."""
    body = b'<D:propfind xmlns:D="DAV:"><D:prop><D:current-user-principal/></D:prop></D:propfind>'
    headers = {"Depth": "0", "Content-Type": 'application/xml; charset="utf-8"'}
    answer = await http.request("PROPFIND", place.url, headers=headers, content=body)
    if answer.status in (404, 405, 410):
        raise ProviderFailure("gone", f"{urlsplit(place.url).hostname} has no calendars at this address.")
    return answer.url


def _is_trusted(place: _Place, url: str) -> bool:
    host = (urlsplit(url).hostname or "").rstrip(".")
    typed = place.typed_host.lower().rstrip(".")
    if urlsplit(url).scheme == "http" and urlsplit(place.url).scheme != "http":
        return False
    same_port = urlsplit(url).port == urlsplit(place.url).port
    return (host == typed and same_port) or (host.endswith(f".{typed}") and "." in typed)


def _first(answer: Multistatus, name: str) -> str | None:
    """The first address that any of the resources gives for a property."""
    for resource in answer.resources:
        for href in resource.hrefs(name):
            return urljoin(answer.url, href)
    return None

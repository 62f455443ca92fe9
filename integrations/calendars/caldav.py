"""Calendars on CalDAV servers (RFC 4791): Radicale, Nextcloud, iCloud, Fastmail and others."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import ProviderFailure
from app.domain.ical_zones import known_zone
from app.ports.calendars import (
    Capabilities,
    Changes,
    Credentials,
    RemoteCalendar,
    RemoteObject,
    Texts,
    WrittenEvent,
    no_texts,
)
from integrations.dav import (
    APPLE,
    CAL,
    CS,
    DAV,
    DavClient,
    Multistatus,
    NotAllowed,
    Resource,
    calendar_query,
    elsewhere,
    multiget,
    plain_path,
    shares_credentials,
    sync_collection,
)
from integrations.dav_discovery import DnsLookup, discover, system_lookup
from integrations.event_merge import merged_text, new_text, own_name, uid_of
from integrations.http import OutwardHttp

BATCH = 50
MAX_PAGES = 100
MAX_TEXT = 150_000_000
"""Characters of one reading: what a server sends is held until it is stored."""
TRIES = 4
_SHOWN = (
    "<D:resourcetype/><D:displayname/><A:calendar-color/><C:calendar-timezone/>"
    "<C:supported-calendar-component-set/><D:current-user-privilege-set/>"
)
_STATE = "<D:resourcetype/><D:sync-token/><CS:getctag/>"
_WRITING = {f"{DAV}all", f"{DAV}write", f"{DAV}write-content", f"{DAV}bind"}
_MAY_BE_EXPIRED = frozenset({"invalid_cursor", "conflict", "protocol"})
_TOKEN, _CTAG, _LIST = "token:", "ctag:", "list:"


class CalDavProvider:
    """`CalendarProvider` over CalDAV."""

    name = "caldav"
    capabilities = Capabilities(writable=True, incremental=True, push=False, needs_connection=True)

    def __init__(self, http: OutwardHttp, lookup: DnsLookup = system_lookup) -> None:
        self._http = http
        self._lookup = lookup

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def discover(self, credentials: Credentials) -> Credentials:
        """By RFC 6764, then the principal; see `integrations.dav_discovery`."""
        return await discover(self._http, self._lookup, credentials)

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """The calendars in the account's homes."""
        client = DavClient(self._http, credentials)
        account = await client.propfind(credentials.url, "<C:calendar-home-set/>" + _SHOWN)
        homes = [
            urljoin(account.url, href)
            for resource in account.resources
            for href in resource.hrefs(f"{CAL}calendar-home-set")
        ]
        found: dict[str, RemoteCalendar] = {}
        for home in homes or [account.url]:
            if not shares_credentials(client.base, home):
                raise elsewhere(credentials.url, home)
            listing = await client.propfind(home, _SHOWN, depth=1)
            for resource in listing.resources:
                if f"{CAL}calendar" in resource.children(f"{DAV}resourcetype"):
                    url = urljoin(listing.url, resource.path)
                    found[url] = _remote_calendar(url, resource)
        return list(found.values())

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],
        texts: Texts = no_texts,  # noqa: ARG002  # the port's; a server tells whole objects
    ) -> Changes:
        """By sync-token where the server has one, else by ctag and etags."""
        client = DavClient(self._http, credentials, calendar)
        if cursor is not None and cursor.startswith(_TOKEN):
            try:
                return await self._since(client, calendar, cursor.removeprefix(_TOKEN), known)
            except ProviderFailure as failure:
                # A token that expired is refused in many ways; whether it is only that, the listing will tell.
                if failure.kind not in {"invalid_cursor", "conflict", "protocol"} and not isinstance(
                    failure, NotAllowed
                ):
                    raise
        return await self._by_listing(client, calendar, cursor, known)

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """GET; when it is not there, the calendar must be."""
        return await self._get(DavClient(self._http, credentials, calendar), calendar, key)

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """At the name we would give it, then by a query, then, where queries fail, by looking through everything."""
        return await self._find(DavClient(self._http, credentials, calendar), calendar, uid)

    async def write_event(
        self, credentials: Credentials, calendar: str, event: CalendarEvent, key: str | None
    ) -> WrittenEvent:
        """Create with If-None-Match, change with If-Match; whoever changed it meanwhile is read again and kept."""
        client = DavClient(self._http, credentials, calendar)
        current = await self._get(client, calendar, key) if key else None
        if current is None or uid_of(current.data) != event.uid:
            current = await self._find(client, calendar, event.uid)
        for attempt in range(TRIES):
            try:
                return await self._put(client, calendar, event, current)
            except ProviderFailure as failure:
                if failure.kind not in {"conflict", "gone"} or attempt == TRIES - 1:
                    raise
            current = await self._find(client, calendar, event.uid)
            if current is None:
                await self._empty_trash(client, calendar, event.uid)
        raise ProviderFailure("conflict", "The event changes faster than it can be written.")

    async def delete_event(self, credentials: Credentials, calendar: str, uid: str, key: str | None) -> None:
        """DELETE what has this UID, wherever in the calendar it is."""
        client = DavClient(self._http, credentials, calendar)
        current = await self._get(client, calendar, key) if key else None
        if current is None or uid_of(current.data) != uid:
            current = await self._find(client, calendar, uid)
        if current is None:
            return
        try:
            await client.delete(urljoin(calendar, current.name))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise

    # changes

    async def _since(self, client: DavClient, calendar: str, token: str, known: Mapping[str, str]) -> Changes:
        changed: dict[str, str] = {}
        removed: set[str] = set()
        for _ in range(MAX_PAGES):
            answer = await client.report(calendar, sync_collection(token))
            if answer.sync_token is None:
                raise ProviderFailure("protocol", "The server forgets to name its sync token.")
            is_partial = False
            for resource in answer.resources:
                if resource.path.rstrip("/") == plain_path(calendar).rstrip("/"):
                    is_partial |= resource.status == 507
                elif resource.status in (404, 410):
                    changed.pop(resource.path, None)
                    removed.add(resource.path)
                elif _is_member(resource):
                    removed.discard(resource.path)
                    changed[resource.path] = _etag(resource)
            if not is_partial or answer.sync_token == token:
                token = answer.sync_token
                break
            token = answer.sync_token
        wanted = [path for path, etag in changed.items() if not etag or known.get(path) != etag]
        objects, vanished = await self._objects(client, calendar, wanted, changed)
        return Changes(tuple(objects), tuple(sorted(removed | vanished)), _TOKEN + token, full=False)

    async def _by_listing(
        self, client: DavClient, calendar: str, cursor: str | None, known: Mapping[str, str]
    ) -> Changes:
        state = await self._collection(client, calendar)
        token, ctag = state.text(f"{DAV}sync-token"), state.text(f"{CS}getctag")
        following = _TOKEN + token if token else _CTAG + ctag if ctag else None
        if following is not None and following == cursor and following.startswith(_CTAG):
            return Changes((), (), cursor, full=False)
        listing = await client.propfind(calendar, "<D:getetag/><D:resourcetype/>", depth=1)
        etags = {each.path: _etag(each) for each in _members(listing, calendar)}
        is_full = cursor is None
        wanted = [path for path, etag in etags.items() if is_full or not etag or known.get(path) != etag]
        objects, vanished = await self._objects(client, calendar, wanted, etags)
        removed = () if is_full else tuple(sorted((set(known) - set(etags)) | vanished))
        return Changes(tuple(objects), removed, following or _digest(etags), is_full)

    async def _collection(self, client: DavClient, calendar: str) -> Resource:
        """The calendar itself; gone when it is no calendar any more."""
        answer = await client.propfind(calendar, _STATE)
        for resource in answer.resources:
            if resource.status in (404, 410):
                break
            if f"{CAL}calendar" in resource.children(f"{DAV}resourcetype"):
                return resource
        raise ProviderFailure("gone", "The calendar is not on the server any more.")

    async def _objects(
        self, client: DavClient, calendar: str, paths: Sequence[str], etags: dict[str, str]
    ) -> tuple[list[RemoteObject], set[str]]:
        """The texts of these resources, and those that vanished meanwhile."""
        objects: list[RemoteObject] = []
        vanished: set[str] = set()
        left = MAX_TEXT
        for first in range(0, len(paths), BATCH):
            batch = paths[first : first + BATCH]
            given = await self._batch(client, calendar, batch)
            for path in batch:
                item = _object(given[path], etags.get(path, "")) if path in given else None
                item = item or await self._get(client, calendar, path)
                if item is None:
                    vanished.add(path)
                    continue
                objects.append(item)
                left -= len(item.data)
                if left < 0:
                    raise ProviderFailure("protocol", "The calendar is too large to be read.")
        return objects, vanished

    async def _batch(self, client: DavClient, calendar: str, paths: Sequence[str]) -> dict[str, Resource]:
        """What one REPORT gives; nothing when the server has no such report."""
        try:
            answer = await client.report(calendar, multiget(paths), depth=None)
        except ProviderFailure as failure:
            if failure.kind != "protocol":
                raise
            return {}
        return {each.path: each for each in answer.resources}

    # single events

    async def _get(self, client: DavClient, calendar: str, key: str) -> RemoteObject | None:
        try:
            answer = await client.get(urljoin(calendar, key))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
            await self._collection(client, calendar)
            return None
        if "BEGIN:VCALENDAR" not in answer.text[:1000].upper():
            raise ProviderFailure("protocol", "The server answers with something that is no calendar object.")
        return RemoteObject(key, _shortened(answer.headers.get("etag", "")), answer.text)

    async def _find(self, client: DavClient, calendar: str, uid: str) -> RemoteObject | None:
        own = await self._get(client, calendar, own_path(calendar, uid))
        if own is not None and uid_of(own.data) == uid:
            return own
        try:
            answer = await client.report(calendar, calendar_query(uid))
        except ProviderFailure as failure:
            if failure.kind not in {"protocol", "conflict"}:
                raise
            everything = await self._by_listing(client, calendar, None, {})
            return next((item for item in everything.changed if uid_of(item.data) == uid), None)
        for resource in _members(answer, calendar):
            item = _object(resource, "") or await self._get(client, calendar, resource.path)
            if item is not None and uid_of(item.data) == uid:
                return item
        return None

    async def _put(
        self, client: DavClient, calendar: str, event: CalendarEvent, current: RemoteObject | None
    ) -> WrittenEvent:
        if current is None:
            key, text, condition = own_path(calendar, event.uid), new_text(event), {"If-None-Match": "*"}
        else:
            key, text = current.name, merged_text(current.data, event)
            condition = {"If-Match": current.etag} if current.etag.startswith('"') else {}
        answer = await client.put(urljoin(calendar, key), text, condition)
        return WrittenEvent(key, _shortened(answer.headers.get("etag", "")) or None)

    async def _empty_trash(self, client: DavClient, calendar: str, uid: str) -> None:
        """Nextcloud keeps deleted events, and refuses their UIDs, in a trash bin beside the calendars. Ours may go."""
        stem = own_path(calendar, uid).rpartition("/")[2].removesuffix(".ics")
        trash = urljoin(calendar.rstrip("/") + "/", "../trashbin/objects/")
        try:
            listing = await client.propfind(trash, "<D:getetag/>", depth=1)
            for resource in listing.resources:
                if stem in resource.path:
                    await client.delete(urljoin(trash, resource.path))
        except ProviderFailure as failure:
            if failure.kind in {"unreachable", "busy"}:
                raise


def own_path(calendar: str, uid: str) -> str:
    """Where an event made by us is kept, so that a repeated creation meets the first one."""
    return plain_path(urljoin(calendar.rstrip("/") + "/", own_name(uid)))


def _remote_calendar(url: str, resource: Resource) -> RemoteCalendar:
    components = resource.properties.get(f"{CAL}supported-calendar-component-set")
    names = [] if components is None else [str(each.get("name")) for each in components if each.get("name")]
    privileges = resource.children(f"{DAV}current-user-privilege-set")
    return RemoteCalendar(
        name=url,
        display_name=resource.text(f"{DAV}displayname") or url.rstrip("/").rpartition("/")[2],
        color=_color(resource.text(f"{APPLE}calendar-color")),
        timezone=_zone(resource.text(f"{CAL}calendar-timezone")),
        read_only=bool(privileges) and not privileges & _WRITING,
        components=tuple(names) or ("VEVENT", "VTODO"),
    )


def _color(value: str | None) -> str | None:
    found = re.match(r"#[0-9A-Fa-f]{6}", value or "")
    return found[0].lower() if found else None


def _zone(definition: str | None) -> str | None:
    found = re.search(r"^TZID:(.+?)\s*$", definition or "", re.MULTILINE)
    zone = known_zone(found[1]) if found else None
    return zone.key if zone else None


def _members(answer: Multistatus, calendar: str) -> Iterator[Resource]:
    """The calendar objects of a listing."""
    own = plain_path(calendar).rstrip("/")
    for resource in answer.resources:
        if resource.path.rstrip("/") != own and resource.status not in (404, 410) and _is_member(resource):
            yield resource


def _is_member(resource: Resource) -> bool:
    return not resource.path.endswith("/") and f"{DAV}collection" not in resource.children(f"{DAV}resourcetype")


def _object(resource: Resource, etag: str) -> RemoteObject | None:
    data: Any = resource.properties.get(f"{CAL}calendar-data")
    text = (data.text or "") if data is not None else ""
    if not text.strip():
        return None
    return RemoteObject(resource.path, _etag(resource) or etag, text)


def _etag(resource: Resource) -> str:
    return _shortened(resource.text(f"{DAV}getetag") or "")


def _shortened(etag: str) -> str:
    """The etag, or a digest of one that is longer than we keep."""
    return etag if len(etag) <= 200 else "sha256-" + hashlib.sha256(etag.encode()).hexdigest()


def _digest(etags: dict[str, str]) -> str:
    """A cursor for servers that give none."""
    text = "\n".join(f"{path} {etag}" for path, etag in sorted(etags.items()))
    return _LIST + hashlib.sha256(text.encode()).hexdigest()

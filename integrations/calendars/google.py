"""Google Calendar, by its API v3."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import ProviderFailure
from app.ports.calendars import (
    Capabilities,
    Changes,
    Channel,
    ChannelRequest,
    Credentials,
    Grant,
    RemoteCalendar,
    RemoteObject,
    SignInRequest,
    Texts,
    WrittenEvent,
    no_texts,
)
from app.ports.organization_grants import GrantGiven
from app.ports.unit_of_work import UnitOfWork
from integrations.google import conferences
from integrations.google.body import is_news, merged_body, new_body
from integrations.google.calendar_api import CalendarApi, pages
from integrations.google.delegation import Delegation, read_key
from integrations.google.own_ids import generation_of, own_id, uid_of
from integrations.google.session import GoogleSession, Json
from integrations.google.sign_in import CALENDAR_SCOPES, GoogleSignIn
from integrations.google.text import Part, composed, part_of, parts_of
from integrations.oauth import OAuthClient

PAGE = 1000
TRIES = 5
MAX_GENERATIONS = 100
LOOKS, LOOK_SECONDS = 4, 0.5
"""How often, and how long apart, a conference that is on its way is looked for."""
_WRITERS = frozenset({"owner", "writer"})


class GoogleProvider:
    """`CalendarProvider`, `SignIn` and `Push`. A calendar's name is its id at Google, an event's key the event's id;
    the instances of a series are part of their master's object."""

    name = "google"
    scopes_granted = CALENDAR_SCOPES
    capabilities = Capabilities(
        writable=True,
        incremental=True,
        push=True,
        needs_connection=True,
        signs_in=True,
        conferences=True,
        invites=True,
    )

    def __init__(
        self,
        google: OAuthClient,
        unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]],
        clock: Callable[[], int],
    ) -> None:
        self.session = GoogleSession(google, unit_of_work, clock)
        self._sign_in = GoogleSignIn(google, self.session.addresses, self.session.threads, clock)

    async def aclose(self) -> None:
        """Close the connections."""
        self.session.threads.close()

    # sign-in

    def authorization_url(self, request: SignInRequest) -> str:
        """Google's consent page."""
        return self._sign_in.authorization_url(request)

    async def redeem(self, request: SignInRequest, answer: Mapping[str, str]) -> Grant:
        """The grant, and whose it is."""
        tokens = await self._sign_in.redeem(request, answer)
        secret = tokens.to_text()
        return Grant(await self._address(Credentials("", "", secret)), secret, tokens.scopes)

    async def revoke(self, credentials: Credentials) -> None:
        """At Google, where one revocation ends all tokens of the grant. What an admin granted for a whole organization
        is not taken back for one person: its tokens are forgotten."""
        tokens = self.session.forget(credentials)
        if tokens is not None:
            await self._sign_in.revoke(tokens)

    def read_key(self, text: str) -> GrantGiven:
        """The key of a service account."""
        return read_key(text, self.session.addresses.token)

    def kept_key(self, secret: str) -> GrantGiven | None:
        """The same, kept."""
        delegation = Delegation.of_secret(secret)
        return delegation.grant if delegation else None

    # accounts and calendars

    async def discover(self, credentials: Credentials) -> Credentials:
        """Prove the grant, and that it is this person's."""
        address = await self._address(credentials)
        if credentials.username and credentials.username.lower() != address.lower():
            raise ProviderFailure("auth", f"This is the account of {address}, not of {credentials.username}.")
        return replace(credentials, username=address, secret=self.session.newest(credentials))

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """The calendars of the person's list, other people's among them."""
        listing = pages(self.session, credentials, lambda service: service.calendarList().list, {"maxResults": 250})
        return [
            _remote_calendar(item)
            async for page in listing
            for item in page.get("items", ())
            if not item.get("deleted")
        ]

    # reading

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],
        texts: Texts = no_texts,
    ) -> Changes:
        """By sync token."""
        api = self._api(credentials, calendar)
        if cursor is not None:
            try:
                return await _since(api, cursor, known, texts)
            except ProviderFailure as failure:
                # 410 by the book, 400 for a token that is no token; whether it is only that, the listing will tell.
                if failure.kind not in {"invalid_cursor", "protocol"}:
                    raise
        parts, following = await _parts(api)
        objects = (composed(series, group) for series, group in _by_series(parts).items())
        return Changes(tuple(each for each in objects if each is not None), (), following, full=True)

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """By id."""
        api = self._api(credentials, calendar)
        event = await api.living(key)
        return await _object(api, event) if event else None

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """By our property, then by Google's UID."""
        api = self._api(credentials, calendar)
        event = await api.find(uid)
        return await _object(api, event) if event else None

    # writing

    async def write_event(
        self, credentials: Credentials, calendar: str, event: CalendarEvent, key: str | None
    ) -> WrittenEvent:
        """Insert under an id made from the UID, or replace with If-Match what has the UID; whoever changed it meanwhile
        is read again and kept."""
        api = self._api(credentials, calendar)
        current = await _current(api, event.uid, key) if key else None
        before = generation_of(key, event.uid)
        generation = 0 if before is None else before + 1
        for _ in range(TRIES):
            try:
                return _written(await _put(api, event, current, generation))
            except ProviderFailure as failure:
                if failure.kind not in {"conflict", "gone"}:
                    raise
            current, generation = await _look_again(api, event.uid, generation)
        raise ProviderFailure("conflict", "The event changes faster than it can be written.")

    async def delete_event(self, credentials: Credentials, calendar: str, uid: str, key: str | None) -> None:
        """By our own id at once; whatever else has the UID is looked for."""
        api = self._api(credentials, calendar)
        if key and generation_of(key, uid) is not None and await api.delete(key):
            return
        for _ in range(TRIES):
            found = await api.find(uid)
            if found is None or await api.delete(found["id"]):
                return

    # push

    async def watch(self, credentials: Credentials, calendar: str, request: ChannelRequest) -> Channel:
        """A channel for as long as Google likes; `refused` where a calendar can have none (holidays)."""
        body = {"id": request.id, "type": "web_hook", "address": request.address, "token": request.token}
        opened = await self._api(credentials, calendar).watch(body)
        return Channel(str(opened["id"]), str(opened["resourceId"]), int(opened.get("expiration") or 0) // 1000)

    async def renew(self, *_: object) -> Channel | None:
        """Google has no such thing: a new channel is opened beside the old one."""
        return None

    async def unwatch(self, credentials: Credentials, channel: Channel) -> None:
        """Stop the channel."""
        body = {"id": channel.id, "resourceId": channel.resource_id}
        try:
            await self.session.call(credentials, lambda service: service.channels().stop(body=body))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise

    def _api(self, credentials: Credentials, calendar: str) -> CalendarApi:
        return CalendarApi(self.session, credentials, calendar)

    async def _address(self, credentials: Credentials) -> str:
        """Whose grant it is: a primary calendar is named by its account's e-mail address."""
        entry = await self.session.call(credentials, lambda service: service.calendarList().get(calendarId="primary"))
        return str(entry["id"])


# reading


async def _parts(api: CalendarApi, **asked: Any) -> tuple[list[Part], str | None]:
    """Everything listed, and the next sync token, which the last page has."""
    parts: dict[str, Part] = {}
    following: str | None = None
    async for page in api.listed(maxResults=PAGE, **asked):
        for item in page.get("items", ()):
            parts[item["id"]] = part_of(item, api.credentials.username)
        following = page.get("nextSyncToken")
    return list(parts.values()), following


async def _since(api: CalendarApi, cursor: str, known: Mapping[str, str], texts: Texts) -> Changes:
    fresh, following = await _parts(api, syncToken=cursor)
    groups = _by_series(fresh)
    partly = [name for name, group in groups.items() if name in known and _needs_the_rest(name, group)]
    stored = await texts(partly) if partly else {}
    changed: list[RemoteObject] = []
    removed: list[str] = []
    for name, group in groups.items():
        held = parts_of(stored.get(name, ""))
        parts = [*held, *group]
        is_lost = name in partly and not held  # what the mirror has is not what was read here once
        if not all(each.is_cancelled for each in parts) and (is_lost or not any(each.is_master for each in parts)):
            parts = [*await _series(api, name), *parts]
        found = composed(name, parts)
        if found is not None and found.etag != known.get(name):
            changed.append(found)
        elif found is None and name in known:
            removed.append(name)
    return Changes(tuple(changed), tuple(removed), following, full=False)


def _by_series(parts: Iterable[Part]) -> dict[str, list[Part]]:
    groups: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        groups[part.series].append(part)
    return groups


def _needs_the_rest(series: str, group: Iterable[Part]) -> bool:
    """Whether what Google tells of an event is only a part of it."""
    master = next((each for each in group if each.id == series), None)
    return master is None or (master.is_recurring and not master.is_cancelled)


async def _series(api: CalendarApi, name: str) -> list[Part]:
    """All parts of a series that is not known here; none when the person is invited to single instances alone."""
    master = await api.living(name)
    return await _all_parts(api, master) if master else []


async def _object(api: CalendarApi, event: Json) -> RemoteObject | None:
    return composed(event["id"], await _all_parts(api, event))


async def _all_parts(api: CalendarApi, master: Json) -> list[Part]:
    parts = [part_of(master, api.credentials.username)]
    if master.get("recurrence"):
        listed, _ = await _parts(api, iCalUID=master["iCalUID"])  # all instances share it
        parts += [each for each in listed if each.series == master["id"]]
    return parts


def _remote_calendar(item: Mapping[str, Any]) -> RemoteCalendar:
    return RemoteCalendar(
        name=str(item["id"]),
        display_name=str(item.get("summaryOverride") or item.get("summary") or item["id"]),
        color=item.get("backgroundColor"),
        timezone=item.get("timeZone"),
        read_only=item.get("accessRole") not in _WRITERS,
        components=("VEVENT",),
    )


# writing


async def _put(api: CalendarApi, event: CalendarEvent, current: Json | None, generation: int) -> Json:
    """The event as it is at Google now; without a conference where Google can make none."""
    try:
        written = await _send(api, event, current, generation)
    except ProviderFailure as failure:
        if failure.kind != "protocol" or not event.conference:
            raise
        written = await _send(api, replace(event, conference=False), current, generation)
    for _ in range(LOOKS):
        if not conferences.is_pending(written):
            break
        await asyncio.sleep(LOOK_SECONDS)
        written = await api.living(written["id"]) or written
    return written


async def _send(api: CalendarApi, event: CalendarEvent, current: Json | None, generation: int) -> Json:
    invites = bool(event.attendees)
    if current is None:
        return await api.insert(new_body(event, own_id(event.uid, generation)), tells=invites)
    body = merged_body(current, event)
    return await api.update(current["id"], body, current["etag"], tells=invites and is_news(current, body))


async def _current(api: CalendarApi, uid: str, key: str) -> Json | None:
    """The event with this UID, which may be elsewhere by now."""
    event = await api.living(key)
    if event is not None and (generation_of(key, uid) is not None or uid_of(event) == uid):
        return event
    return await api.find(uid)


async def _look_again(api: CalendarApi, uid: str, generation: int) -> tuple[Json | None, int]:
    """The event with this UID, if there is one, and the first generation, from this one on, that never was."""
    found = await api.find(uid)
    if found is not None:
        return found, generation
    for number in range(generation, generation + MAX_GENERATIONS):
        event = await api.get(own_id(uid, number))
        if event is None or event.get("status") != "cancelled":  # Google's search may lag behind
            return event, number
    raise ProviderFailure("conflict", "The event was made and deleted too often.")


def _written(event: Json) -> WrittenEvent:
    return WrittenEvent(event["id"], event.get("etag"), event.get("htmlLink"), conferences.join_url(event))

"""Calendars of Microsoft 365 and Outlook.com, by Graph. A calendar's name and an event's key are their ids there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import ProviderFailure
from app.domain.ical_zones import known_zone
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
from app.use_cases.mirror import AHEAD, RENEW, expansion_window
from integrations.http import OutwardHttp
from integrations.microsoft import channels
from integrations.microsoft.changes import ChangeReader, Cursor, calendar_path, items_of, remote_object, shortened
from integrations.microsoft.events import Event, generation_after, uid_of_event
from integrations.microsoft.graph import CONCURRENT, Graph, Repeated
from integrations.microsoft.tokens import NEEDED, MicrosoftTokens, Open, tenant_secret
from integrations.microsoft.writing import EXPAND, changes_to, is_as_meant, is_own, new_event, with_ical_uid, with_uid
from integrations.oauth import OAuthClient

TRIES = 10
_COLORS = {
    "lightblue": "#a6d1f5",
    "lightgreen": "#87d28e",
    "lightorange": "#fcab73",
    "lightgray": "#c0c0c0",
    "lightyellow": "#f5f05b",
    "lightteal": "#4adacc",
    "lightpink": "#ff99b5",
    "lightbrown": "#ba9d7d",
    "lightred": "#ff8f8f",
}


class MicrosoftProvider:
    """`CalendarProvider`, `SignIn` and `Push` over Microsoft Graph. In the credentials, `url` is the service's
    address, `username` the mailbox's e-mail address and `secret` msal's token cache."""

    name = "microsoft"
    scopes_granted = (NEEDED,)
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
        microsoft: OAuthClient,
        http: OutwardHttp,
        unit_of_work: Open,
        read: Open,
        clock: Callable[[], int],
        verify: bool | str = True,
    ) -> None:
        self._client = microsoft
        self._http = http
        self._clock = clock
        self._tokens = MicrosoftTokens(microsoft, unit_of_work, read, clock, verify)
        self._gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(CONCURRENT))

    async def aclose(self) -> None:
        """Let what is under way finish; close the connections."""
        await self._tokens.aclose()
        await self._http.aclose()

    # signing in

    def authorization_url(self, request: SignInRequest) -> str:
        """Microsoft's sign-in page."""
        return self._tokens.authorization_url(request)

    async def redeem(self, request: SignInRequest, answer: Mapping[str, str]) -> Grant:
        """The tokens, and the mailbox they are for."""
        grant = await self._tokens.redeem(request, answer)
        found = await self.discover(Credentials(self._client.api, grant.username, grant.secret))
        return Grant(found.username, grant.secret, grant.scopes)

    async def revoke(self, credentials: Credentials) -> None:
        """Microsoft has no way for a program to give a grant back; forgetting the tokens is all there is. The person
        finds it under "Apps and services" of their account."""

    def tenant_sign_in_url(self, request: SignInRequest) -> str:
        """Microsoft's sign-in page, for who it is alone."""
        return self._tokens.tenant_sign_in_url(request)

    async def tenant_of_sign_in(self, request: SignInRequest, answer: Mapping[str, str]) -> str:
        """The id of their tenant."""
        return await self._tokens.tenant_of_sign_in(request, answer)

    def consent_url(self, tenant: str, redirect_uri: str, state: str) -> str:
        """Microsoft's page of the admin's consent."""
        return self._tokens.consent_url(tenant, redirect_uri, state)

    def consented(self, tenant: str) -> GrantGiven:
        """Application permissions in a tenant."""
        self._tokens.forget_tenant(tenant)
        return GrantGiven(tenant, tenant_secret(tenant))

    async def discover(self, credentials: Credentials) -> Credentials:
        """Ask whose tokens these are."""
        graph = self.graph(credentials)
        me = await graph.get(graph.url("/me", __select="id,mail,userPrincipalName"))
        username = str(me.get("mail") or me.get("userPrincipalName") or credentials.username)
        return Credentials(self._client.api, username, credentials.secret, credentials.account_id)

    # reading

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """The mailbox's calendars, shared ones included."""
        graph = self.graph(credentials)
        zone = await self._zone(graph)
        listing = graph.pages(graph.url("/me/calendars", __top=100), page=None)
        return [_remote_calendar(item, zone) async for page in listing for item in items_of(page)]

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],
        texts: Texts = no_texts,
    ) -> Changes:
        """By delta over a window that begins two days ago and is opened anew before less than `AHEAD - RENEW` of it is
        left."""
        graph, now = self.graph(credentials), self._clock()
        reader = ChangeReader(graph, calendar, credentials.username)
        last = Cursor.read(cursor)
        if last is not None and graph.serves(last.link) and last.until - now >= AHEAD - RENEW:
            try:
                return await reader.after(last, known, texts)
            except ProviderFailure as failure:
                if failure.kind != "invalid_cursor":
                    raise
        return await reader.anew(*expansion_window(now))

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """By id; when it is not there, the calendar must be."""
        found = await self._event(self.graph(credentials), calendar, key)
        return remote_object(found, credentials.username) if found else None

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """Our event by the UID it carries, anybody's by `iCalUId`."""
        graph = self.graph(credentials)
        found = await self._own(graph, calendar, uid)
        if found is None:
            found = next(iter(await self._matching(graph, calendar, with_ical_uid(uid))), None)
        return remote_object(found, credentials.username) if found else None

    # writing

    async def write_event(
        self, credentials: Credentials, calendar: str, event: CalendarEvent, key: str | None
    ) -> WrittenEvent:
        """Create by transaction id, change with If-Match; whoever changed it meanwhile is read again and kept."""
        graph = self.graph(credentials)
        current = await self._current(graph, calendar, event.uid, key)
        generation = generation_after(key)
        for _ in range(TRIES):
            try:
                if current is not None:
                    key = str(current["id"])
                    return _written(await self._change(graph, calendar, current, event))
                body = new_event(event, generation)
                made = await graph.send("POST", graph.url(f"{calendar_path(calendar)}/events"), body)
                if is_as_meant(made, event) and (_join_url(made) or not event.conference):
                    return _written(made)
                key = str(made.get("id"))  # an earlier POST may have made it; or its meeting is not there yet
            except ProviderFailure as failure:
                if failure.kind not in {"conflict", "gone"}:
                    raise
                if isinstance(failure, Repeated):
                    generation = generation_after(generation)  # unless it is found: by another worker, or before
            current = await self._current(graph, calendar, event.uid, key)
        raise ProviderFailure("conflict", "The event changes faster than it can be written.")

    async def delete_event(self, credentials: Credentials, calendar: str, uid: str, key: str | None) -> None:
        """DELETE, by key or wherever in the calendar it is."""
        graph = self.graph(credentials)
        current = await self._current(graph, calendar, uid, key)
        if current is None:
            return
        try:
            await graph.send("DELETE", graph.url(_event_path(calendar, current["id"])))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise

    # push

    async def watch(self, credentials: Credentials, calendar: str, request: ChannelRequest) -> Channel:
        """A subscription; `resource_id` is Microsoft's id for it, the token comes back as `clientState`."""
        return await channels.watch(self.graph(credentials), calendar, request, self._clock())

    async def renew(
        self,
        credentials: Credentials,
        calendar: str,  # noqa: ARG002  # the port's; the subscription knows
        channel: Channel,
    ) -> Channel | None:
        """Seven days more; None when Microsoft does not have it any more."""
        return await channels.renew(self.graph(credentials), channel, self._clock())

    async def unwatch(self, credentials: Credentials, channel: Channel) -> None:
        """Delete the subscription."""
        await channels.unwatch(self.graph(credentials), channel)

    # one account

    def graph(self, credentials: Credentials, scope: str = NEEDED) -> Graph:
        """The service on behalf of an account, with tokens for a scope: for its calendars, and what else is there."""
        gate = self._gates[credentials.account_id or credentials.username]
        return Graph(self._http, self._tokens, self._client.api, credentials, gate, scope)

    async def _zone(self, graph: Graph) -> str | None:
        """The mailbox's zone, for days; None where it is not told, or not known."""
        try:
            settings = await graph.get(graph.url("/me/mailboxSettings", __select="timeZone"))
        except ProviderFailure as failure:
            if failure.kind not in {"auth", "gone", "protocol"}:
                raise
            return None  # a right of its own, without which the rest goes on
        zone = known_zone(str(settings.get("timeZone") or ""))
        return zone.key if zone else None

    async def _event(self, graph: Graph, calendar: str, key: str) -> Event | None:
        try:
            return await graph.get(graph.url(_event_path(calendar, key), __expand=EXPAND))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
        await self._require(graph, calendar)
        return None

    async def _require(self, graph: Graph, calendar: str) -> None:
        """Gone when the calendar is."""
        await graph.get(graph.url(calendar_path(calendar), __select="id"))

    async def _matching(self, graph: Graph, calendar: str, condition: str) -> list[Event]:
        url = graph.url(f"{calendar_path(calendar)}/events", __filter=condition, __expand=EXPAND, __top=10)
        return items_of(await graph.get(url))

    async def _own(self, graph: Graph, calendar: str, uid: str) -> Event | None:
        """The one we made rather than a copy that the person made of it."""
        found = await self._matching(graph, calendar, with_uid(uid))
        return min(found, key=lambda each: uid_of_event(each) != uid, default=None)

    async def _current(self, graph: Graph, calendar: str, uid: str, key: str | None) -> Event | None:
        """Our event as it is there, at its key or elsewhere."""
        found = await self._event(graph, calendar, key) if key else None
        return found if found and is_own(found, uid) else await self._own(graph, calendar, uid)

    async def _change(self, graph: Graph, calendar: str, current: Event, event: CalendarEvent) -> Event:
        body = changes_to(current, event)
        if not body:
            return current
        url = graph.url(_event_path(calendar, current["id"]))
        return await graph.send("PATCH", url, body, etag=current.get("@odata.etag"))


def _event_path(calendar: str, key: str) -> str:
    return f"{calendar_path(calendar)}/events/{quote(key, safe='')}"


def _written(event: Event) -> WrittenEvent:
    return WrittenEvent(
        key=str(event["id"]),
        etag=shortened(str(event.get("@odata.etag") or "")) or None,
        html_link=event.get("webLink"),
        join_url=_join_url(event),
    )


def _join_url(event: Event) -> str | None:
    return (event.get("onlineMeeting") or {}).get("joinUrl")


def _remote_calendar(item: Mapping[str, Any], zone: str | None) -> RemoteCalendar:
    color = str(item.get("hexColor") or "").lower() or _COLORS.get(str(item.get("color") or "").lower())
    return RemoteCalendar(
        name=str(item["id"]),
        display_name=str(item.get("name") or "Calendar"),
        color=color if color and len(color) == 7 else None,
        timezone=zone,
        read_only=item.get("canEdit") is False,
        components=("VEVENT",),
    )

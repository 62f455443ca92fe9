"""The fake Google's Calendar API v3, over what `google_events` keeps."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from tests.fakes.google_events import Channel, FakeCalendar, Json, Refusal, moment, not_found, told
from tests.fakes.google_grants import FakeGrant, Grants

BASE = "/calendar/v3"
WEEK = 7 * 86400
_NOT_WITH_TOKEN = frozenset(
    {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}
)
_BUSY_KINDS = frozenset({"outOfOffice", "focusTime"})


@dataclass
class CalendarService:
    """All calendars, who sees them in what role, and the channels. `page_size` makes pages small, `has_empty_pages`
    puts an empty one before each."""

    grants: Grants
    clock: Callable[[], int]
    calendars: dict[str, FakeCalendar] = field(default_factory=dict)
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    page_size: int = 2500
    has_empty_pages: bool = False
    checks_channels: bool = True
    conferences: str = "success"  # or pending, failure; "none" where there can be none
    _pages: dict[str, tuple[list[Json], str | None]] = field(default_factory=dict)

    def routes(self) -> list[web.AbstractRouteDef]:
        events = f"{BASE}/calendars/{{calendar}}/events"
        return [
            web.get(f"{BASE}/users/me/calendarList", self.list_calendars),
            web.get(f"{BASE}/users/me/calendarList/{{calendar}}", self.calendar_entry),
            web.get(f"{BASE}/calendars/{{calendar}}", self.calendar_itself),
            web.get(events, self.list_events),
            web.post(events, self.insert),
            web.post(f"{events}/watch", self.watch),
            web.get(f"{events}/{{event}}", self.get),
            web.put(f"{events}/{{event}}", self.update),
            web.patch(f"{events}/{{event}}", self.patch),
            web.delete(f"{events}/{{event}}", self.delete),
            web.get(f"{events}/{{event}}/instances", self.instances),
            web.post(f"{BASE}/channels/stop", self.stop),
            web.post(f"{BASE}/freeBusy", self.free_busy),
        ]

    # who asks, and for what

    def _grant(self, request: web.Request, *scopes: str) -> FakeGrant:
        grant = self.grants.of_request(request)
        if grant is None:
            raise Refusal(401, "authError", "Invalid Credentials")
        names = {each.rsplit("/", 1)[-1] for each in grant.scopes}
        if not names & {"calendar", *scopes}:
            raise Refusal(403, "insufficientPermissions", "Request had insufficient authentication scopes.")
        return grant

    def _calendar(self, request: web.Request, *, to_write: bool = False) -> tuple[FakeCalendar, str]:
        grant = self._grant(request, "calendar.events")
        return self._seen(grant, request.match_info["calendar"], to_write=to_write)

    def _seen(self, grant: FakeGrant, name: str, *, to_write: bool = False) -> tuple[FakeCalendar, str]:
        calendar = self.calendars.get(grant.email if name == "primary" else name)
        role = self.roles.get((grant.email, calendar.id)) if calendar else None
        if calendar is None or role is None:
            raise not_found()
        if to_write and role not in {"owner", "writer"}:
            raise Refusal(403, "requiredAccessLevel", "You need to have writer access to this calendar.")
        return calendar, role

    # calendars

    async def list_calendars(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "calendar.calendarlist.readonly", "calendar.readonly")
        seen = [self._entry(grant, name) for email, name in self.roles if email == grant.email]
        return self._page(request, seen, None, {"kind": "calendar#calendarList", "etag": '"list"'}, 250)

    async def calendar_entry(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "calendar.calendarlist.readonly", "calendar.readonly")
        calendar, _ = self._seen(grant, request.match_info["calendar"])
        return web.json_response(self._entry(grant, calendar.id))

    async def calendar_itself(self, request: web.Request) -> web.Response:
        calendar, _ = self._seen(self._grant(request, "calendar.readonly"), request.match_info["calendar"])
        fields = {"id": calendar.id, "summary": calendar.summary, "timeZone": calendar.timezone}
        return web.json_response({"kind": "calendar#calendar", "etag": '"itself"', **fields})

    def _entry(self, grant: FakeGrant, name: str) -> Json:
        calendar = self.calendars[name]
        entry = {
            "kind": "calendar#calendarListEntry",
            "etag": '"entry"',
            "id": name,
            "summary": calendar.summary,
            "timeZone": calendar.timezone,
            "backgroundColor": calendar.color,
            "accessRole": self.roles[grant.email, name],
            "selected": True,
        }
        return {**entry, "primary": True} if name == grant.email else entry

    # events

    async def list_events(self, request: web.Request) -> web.Response:
        calendar, role = self._calendar(request)
        query = request.query
        head = {
            "kind": "calendar#events",
            "etag": '"events"',
            "summary": calendar.summary,
            "timeZone": calendar.timezone,
            "accessRole": role,
            "defaultReminders": [],
        }
        if "pageToken" in query:
            return self._page(request, [], None, head)
        token = query.get("syncToken")
        if token is not None:
            if _NOT_WITH_TOKEN & set(query) or query.get("showDeleted") == "false":
                raise Refusal(400, "invalid", "Sync token cannot be combined with these.")
            found = calendar.since(self._change(calendar, token))
        else:
            found = self._matching(calendar, query)
        items = [_presented(each, calendar, int(query.get("maxAttendees", 10_000))) for each in found]
        return self._page(request, items, None if _NOT_WITH_TOKEN & set(query) else _token(calendar), head)

    def _change(self, calendar: FakeCalendar, token: str) -> int:
        name, _, number = token.rpartition(":")
        if name != _stem(calendar) or not number.isdecimal() or int(number) > calendar.last:
            raise Refusal(400, "invalid", "Invalid sync token value.")
        if int(number) < calendar.first_valid:
            raise Refusal(410, "fullSyncRequired", "Sync token is no longer valid, a full sync is required.")
        return int(number)

    def _matching(self, calendar: FakeCalendar, query: Any) -> list[Json]:
        shows_deleted, is_single = query.get("showDeleted") == "true", query.get("singleEvents") == "true"
        found = list(calendar.events.values()) if shows_deleted else calendar.living()
        if is_single:
            found = [each for each in _expanded(calendar, found) if shows_deleted or each["status"] != "cancelled"]
        if "iCalUID" in query:
            found = [each for each in found if each.get("iCalUID") == query["iCalUID"]]
        for pair in query.getall("privateExtendedProperty", []):
            name, _, value = pair.partition("=")
            found = [each for each in found if _private(each).get(name) == value]
        return [each for each in found if _is_between(each, calendar, query.get("timeMin"), query.get("timeMax"))]

    def _page(
        self, request: web.Request, items: list[Json], sync: str | None, head: Json, most: int = 2500
    ) -> web.Response:
        """One page; the sync token comes on the last one only."""
        token = request.query.get("pageToken")
        if token is not None:
            if token not in self._pages:
                raise Refusal(400, "invalid", "Invalid page token value.")
            items, sync = self._pages[token]
        size = min(self.page_size, int(request.query.get("maxResults", "250")), most)
        if self.has_empty_pages and not (token or "").startswith("full"):
            return web.json_response({**head, "items": [], "nextPageToken": self._kept("full", items, sync)})
        shown, rest = items[:size], items[size:]
        tail = {"nextPageToken": self._kept("page", rest, sync)} if rest else {"nextSyncToken": sync} if sync else {}
        return web.json_response({**head, "items": shown, **tail})

    def _kept(self, kind: str, items: list[Json], sync: str | None) -> str:
        token = f"{kind}{secrets.token_hex(8)}"
        self._pages[token] = (items, sync)
        return token

    def _conferenced(self, request: web.Request, body: Json) -> Json:
        """A conference is made only for those who say that they know of conferences."""
        asked = (body.get("conferenceData") or {}).get("createRequest")
        plain = {name: value for name, value in body.items() if name != "conferenceData"}
        if asked is None or request.query.get("conferenceDataVersion") != "1":
            return plain
        if self.conferences == "none":
            raise Refusal(400, "invalid", "Invalid conference type value.")
        return {**plain, **_meet(asked, self.conferences)}

    async def get(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request)
        event = calendar.get(request.match_info["event"])
        if not event:
            raise not_found()
        asked = (event.get("conferenceData") or {}).get("createRequest") or {}
        if (asked.get("status") or {}).get("statusCode") == "pending":
            event.update(_meet(asked, "success"))  # by now
        return web.json_response(_presented(event, calendar))

    async def insert(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request, to_write=True)
        body = self._conferenced(request, await request.json())
        return web.json_response(_presented(calendar.insert(body), calendar))

    async def update(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request, to_write=True)
        body, event = self._conferenced(request, await request.json()), request.match_info["event"]
        return web.json_response(_presented(calendar.replace(event, body, request.headers.get("If-Match")), calendar))

    async def patch(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request, to_write=True)
        body, event = await request.json(), request.match_info["event"]
        return web.json_response(_presented(calendar.patch(event, body, request.headers.get("If-Match")), calendar))

    async def delete(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request, to_write=True)
        calendar.delete(request.match_info["event"], request.headers.get("If-Match"))
        return web.Response(status=204)

    async def instances(self, request: web.Request) -> web.Response:
        calendar, role = self._calendar(request)
        found = calendar.instances_of(request.match_info["event"])
        items = [_presented(each, calendar) for each in found if each["status"] != "cancelled"]
        head = {"kind": "calendar#events", "timeZone": calendar.timezone, "accessRole": role, "defaultReminders": []}
        return self._page(request, items, None, head)

    # channels

    async def watch(self, request: web.Request) -> web.Response:
        calendar, _ = self._calendar(request)
        if not calendar.has_push:
            raise Refusal(400, "pushNotSupportedForRequestedResource", "Push is not supported by this resource.")
        body: Json = await request.json()
        if body["id"] in self.channels:
            raise Refusal(400, "channelIdNotUnique", "Channel id not unique")
        if self.checks_channels and not body["address"].startswith("https://"):
            raise Refusal(400, "push.webhookUrlNotHttps", "WebHook callback must be HTTPS")
        ttl = min(int((body.get("params") or {}).get("ttl", WEEK)), WEEK)
        channel = Channel(
            body["id"], _stem(calendar), body["address"], body.get("token", ""), calendar.id, self.clock() + ttl
        )
        self.channels[channel.id] = channel
        answer = {"kind": "api#channel", "id": channel.id, "resourceId": channel.resource_id, "token": channel.token}
        uri = f"https://www.googleapis.com{BASE}/calendars/{calendar.id}/events?alt=json"
        return web.json_response({**answer, "resourceUri": uri, "expiration": str(channel.expires_at * 1000)})

    async def stop(self, request: web.Request) -> web.Response:
        self._grant(request, "calendar.events")
        body: Json = json.loads(await request.read())
        channel = self.channels.get(body["id"])
        if channel is None or channel.resource_id != body["resourceId"]:
            raise Refusal(404, "channelNotFound", "Channel not found")
        del self.channels[channel.id]
        return web.Response(status=204)

    # free and busy

    async def free_busy(self, request: web.Request) -> web.Response:
        grant = self._grant(request, "calendar.freebusy", "calendar.readonly")
        body: Json = await request.json()
        answers: Json = {}
        for name in [each["id"] for each in body["items"]]:
            try:
                calendar, _ = self._seen(grant, name)
            except Refusal:
                answers[name] = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}
                continue
            answers[name] = {"busy": _busy(calendar, body["timeMin"], body["timeMax"])}
        head = {"kind": "calendar#freeBusy", "timeMin": body["timeMin"], "timeMax": body["timeMax"]}
        return web.json_response({**head, "calendars": answers})


def _token(calendar: FakeCalendar) -> str:
    return f"{_stem(calendar)}:{calendar.last}"


def _stem(calendar: FakeCalendar) -> str:
    return f"C{abs(hash(calendar.id))}"


def _private(event: Json) -> Json:
    private: Json = (event.get("extendedProperties") or {}).get("private") or {}
    return private


def _presented(event: Json, calendar: FakeCalendar, most: int = 10_000) -> Json:
    """As the calendar's reader sees it: their own answer is marked, and stands alone when there are too many."""
    shown = told(event)
    attendees = shown.get("attendees")
    if not attendees:
        return shown
    marked = [{**each, "self": True} if each.get("email") == calendar.id else each for each in attendees]
    if len(marked) > most:
        own = [each for each in marked if each.get("self")]
        return {**shown, "attendees": own, "attendeesOmitted": True}
    return {**shown, "attendees": marked}


def _meet(asked: Json, status: str) -> Json:
    made = {"createRequest": {**asked, "status": {"statusCode": status}}}
    if status != "success":
        return {"conferenceData": made}
    link = f"https://meet.google.com/{asked['requestId'][:10]}"
    entry = {"entryPointType": "video", "uri": link}
    return {"conferenceData": {**made, "conferenceId": link[-10:], "entryPoints": [entry]}, "hangoutLink": link}


def _expanded(calendar: FakeCalendar, events: Sequence[Json]) -> list[Json]:
    singles = [each for each in events if not each.get("recurrence") and not each.get("recurringEventId")]
    return singles + [made for each in events for made in calendar.instances_of(each["id"])]


def _span(event: Json, calendar: FakeCalendar) -> tuple[datetime, datetime]:
    start, end = (_instant(moment(event[name], calendar.timezone)) for name in ("start", "end"))
    return start, end


def _instant(at: Any) -> datetime:
    return at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)


def _is_between(event: Json, calendar: FakeCalendar, first: str | None, last: str | None) -> bool:
    """`timeMin` bounds the end, `timeMax` the start; both want an offset."""
    start, end = _span(event, calendar)
    if event.get("recurrence"):
        end = start + timedelta(days=3650)
    return (first is None or end > datetime.fromisoformat(first)) and (
        last is None or start < datetime.fromisoformat(last)
    )


def _busy(calendar: FakeCalendar, first: str, last: str) -> list[Json]:
    found = [
        event
        for event in _expanded(calendar, calendar.living())
        if event["status"] != "cancelled"
        and _is_between(event, calendar, first, last)
        and (event.get("eventType") in _BUSY_KINDS or event.get("transparency") != "transparent")
        and not any(
            each.get("email") == calendar.id and each.get("responseStatus") == "declined"
            for each in event.get("attendees", ())
        )
    ]
    spans = sorted(_span(each, calendar) for each in found)
    return [{"start": start.isoformat(), "end": end.isoformat()} for start, end in spans]

"""Graph v1.0 of the fake Microsoft: the part of it that calendars need."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from tests.fakes.microsoft_contacts import create_contact, delete_contact, list_contacts, show_contact
from tests.fakes.microsoft_faults import Fault, Refusal, go_wrong
from tests.fakes.microsoft_json import Wishes, event_json, folder_json, take
from tests.fakes.microsoft_mailbox import Item, Json, Mailbox, Shown
from tests.fakes.microsoft_push import Push, PushRefused
from tests.fakes.watched import Watch

V1 = "/v1.0"


@dataclass(frozen=True)
class Round:
    """What a delta link stands for: a window, and what was told of it."""

    mailbox: Mailbox
    calendar: str
    since: datetime
    until: datetime
    told: dict[str, str]
    revision: int


@dataclass
class Seen:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class GraphService:
    """The service. `owner` tells whose mailbox a token opens, by the user in the path where it names one; None when it
    is not good (any more). `lets_at_contacts`: whether a token is good for contacts too."""

    owner: Callable[[str, str | None], Mailbox | None]
    lets_at_contacts: Callable[[str], bool]
    push: Push
    watch: Watch
    base: str = ""
    page_size: int = 1000
    empty_pages: bool = False
    bare_occurrences: bool = True
    shifts_days: bool = False
    answers_again: bool = False
    """A POST with a transaction id that was used is answered with the event it made, instead of a 409."""
    is_silent_about_parts: bool = False
    """A deleted series is told of by its master alone."""
    late_meetings: bool = False
    """The answer to a POST does not say yet where to join."""
    hides_from_search: int = 0
    """So many filtered listings find nothing, as while an index is behind."""
    at_once: int = 0
    most_at_once: int = 0
    faults: list[Fault] = field(default_factory=list)
    late_faults: list[Fault] = field(default_factory=list)
    """Those that come after the work was done."""
    seen: list[Seen] = field(default_factory=list)
    rounds: dict[str, Round] = field(default_factory=dict)
    pages: dict[str, tuple[list[list[Json]], Round]] = field(default_factory=dict)

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[self.watch.middleware, self._guarded])
        calendar, event = f"{V1}/me/calendars/{{calendar}}", "/events/{event}"
        routes: list[tuple[str, str, Callable[[web.Request, Mailbox], Awaitable[web.Response]]]] = [
            ("GET", f"{V1}/me", self._me),
            ("GET", f"{V1}/me/mailboxSettings", self._settings),
            ("GET", f"{V1}/me/calendars", self._calendars),
            ("GET", calendar, self._calendar),
            ("GET", f"{calendar}/events", self._list),
            ("POST", f"{calendar}/events", self._create),
            ("GET", f"{calendar}{event}", self._get),
            ("PATCH", f"{calendar}{event}", self._change),
            ("DELETE", f"{calendar}{event}", self._delete),
            ("GET", f"{calendar}/calendarView", self._view),
            ("GET", f"{calendar}/calendarView/delta", self._delta),
            ("POST", f"{calendar}/getSchedule", self._schedule),
            ("GET", f"{V1}/me{event}/instances", self._instances),
            ("GET", f"{V1}/me{event}", self._get),
            ("GET", f"{V1}/me/contacts", self._with_contacts(list_contacts)),
            ("POST", f"{V1}/me/contacts", self._with_contacts(create_contact)),
            ("GET", f"{V1}/me/contacts/{{contact}}", self._with_contacts(show_contact)),
            ("DELETE", f"{V1}/me/contacts/{{contact}}", self._with_contacts(delete_contact)),
            ("POST", f"{V1}/subscriptions", self._subscribe),
            ("PATCH", f"{V1}/subscriptions/{{subscription}}", self._renew),
            ("DELETE", f"{V1}/subscriptions/{{subscription}}", self._unsubscribe),
        ]
        for method, path, handler in routes:
            for place in {path, path.replace(f"{V1}/me", f"{V1}/users/{{user}}")}:
                application.router.add_route(method, place, self._for_owner(handler))
        return application

    # requests

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        text = await request.text()
        body = json.loads(text) if text else None
        self.seen.append(Seen(request.method, request.path_qs, dict(request.headers), body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await go_wrong(self.faults, request)
            answer: web.StreamResponse = await handler(request)
            await go_wrong(self.late_faults, request)
        except Refusal as refusal:
            error = {"error": {"code": refusal.code, "message": refusal.message}}
            return web.json_response(error, status=refusal.status, headers=refusal.headers)
        finally:
            self.at_once -= 1
        return answer

    def _for_owner(
        self, handler: Callable[[web.Request, Mailbox], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            mailbox = self.owner(token, request.match_info.get("user") or await self._subscriber(request))
            if mailbox is None:
                raise Refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
            return await handler(request, mailbox)

        return handle

    def _with_contacts(
        self, handler: Callable[[web.Request, Mailbox], Awaitable[web.Response]]
    ) -> Callable[[web.Request, Mailbox], Awaitable[web.Response]]:
        async def handle(request: web.Request, mailbox: Mailbox) -> web.Response:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not self.lets_at_contacts(token):
                raise Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
            return await handler(request, mailbox)

        return handle

    async def _subscriber(self, request: web.Request) -> str | None:
        """The user whom a request about a subscription concerns, which its path does not say."""
        if not request.path.startswith(f"{V1}/subscriptions"):
            return None
        kept = self.push.subscriptions.get(request.match_info.get("subscription", ""))
        if kept is not None:
            return kept.mailbox.email
        named = re.match(r"/?users/([^/]+)/", (await request.json())["resource"]) if request.method == "POST" else None
        return named[1] if named else None

    # accounts and calendars

    async def _me(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        user = {
            "id": mailbox.user_id,
            "mail": None if mailbox.personal else mailbox.email,
            "userPrincipalName": mailbox.email,
            "displayName": mailbox.email.split("@")[0],
        }
        return web.json_response(_selected(request, user))

    async def _settings(self, _: web.Request, mailbox: Mailbox) -> web.Response:
        if mailbox.zone is None:
            raise Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        return web.json_response({"timeZone": mailbox.zone})

    async def _calendars(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        skip, size = int(request.query.get("$skip", 0)), min(int(request.query.get("$top", 10)), self.page_size)
        listed = [folder_json(each, mailbox) for each in mailbox.folders.values()]
        answer: Json = {"value": listed[skip : skip + size]}
        if len(listed) > skip + size:
            query = urlencode({"$top": size, "$skip": skip + size})
            answer["@odata.nextLink"] = f"{self.base}{V1}/me/calendars?{query}"
        return web.json_response(answer)

    async def _calendar(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        folder = mailbox.folders[_calendar_of(request, mailbox)]
        return web.json_response(_selected(request, folder_json(folder, mailbox)))

    async def _schedule(self, _: web.Request, mailbox: Mailbox) -> web.Response:
        if mailbox.personal:
            raise Refusal(403, "ErrorAccessDenied", "Personal accounts have no schedule.")
        raise Refusal(501, "notSupported", "The fake has none either.")

    # events

    async def _list(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        calendar = _calendar_of(request, mailbox)
        matches = _condition(request.query.get("$filter", ""))
        items = [item for item in mailbox.items.values() if item.calendar == calendar and matches(item)]
        if self.hides_from_search and "$filter" in request.query:
            self.hides_from_search -= 1
            items = []
        value = [self._json(request, shown) for item in items if (shown := mailbox.look_up(item.id)) is not None]
        return web.json_response({"value": value[: int(request.query.get("$top", 10))]})

    async def _create(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        calendar = _calendar_of(request, mailbox)
        if not mailbox.folders[calendar].can_edit:
            raise Refusal(403, "ErrorAccessDenied", "Access is denied.")
        body = await request.json()
        transaction = body.get("transactionId")
        if transaction in mailbox.transactions:
            return await self._again(request, mailbox, mailbox.transactions[transaction])
        moment = datetime.now(UTC).replace(tzinfo=None)
        item = Item("", calendar, "singleInstance", moment, moment, "UTC")
        take(item, body)
        made = mailbox.add(
            calendar, item.start, item.end, zone=item.zone, all_day=item.all_day, pattern=body.get("recurrence"),
            named=item.named, **item.values, transactionId=transaction,
        )  # fmt: skip
        if transaction:
            mailbox.transactions[transaction] = made.id
        answer = self._json(request, _found(mailbox, made.id, calendar))
        if self.late_meetings:
            answer["onlineMeeting"] = None
        return web.json_response(answer, status=201)

    async def _again(self, request: web.Request, mailbox: Mailbox, key: str) -> web.Response:
        shown = mailbox.look_up(key)
        if not self.answers_again or shown is None:
            raise Refusal(
                409,
                "ErrorDuplicateTransactionId",
                "Your request can't be completed. The TransactionId specified in the request has already been used to"
                " create a different event.",
            )
        return web.json_response(self._json(request, shown), status=201)

    async def _get(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        return web.json_response(self._json(request, _event_of(request, mailbox)))

    async def _change(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        shown = _event_of(request, mailbox)
        _check_etag(request, shown)
        if not mailbox.folders[shown.item.calendar].can_edit:
            raise Refusal(403, "ErrorAccessDenied", "Access is denied.")
        body = await request.json()
        if "transactionId" in body:
            raise Refusal(400, "ErrorInvalidPropertySet", "TransactionId cannot be changed.")
        take(shown.item, body)
        mailbox.change(shown.id)
        return web.json_response(self._json(request, _event_of(request, mailbox)))

    async def _delete(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        shown = _event_of(request, mailbox)
        _check_etag(request, shown)
        mailbox.delete(shown.id)
        return web.Response(status=204)

    async def _instances(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        shown = _event_of(request, mailbox)
        since, until = _window(request)
        parts = [
            each
            for each in mailbox.view(shown.item.calendar, since, until)
            if each.id != shown.id and shown.item.id in (each.item.id, each.item.master)
        ]
        return web.json_response({"value": [self._json(request, each) for each in parts]})

    async def _view(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        view = mailbox.view(_calendar_of(request, mailbox), *_window(request))
        return web.json_response({"value": [self._json(request, each) for each in view if each.kind != "seriesMaster"]})

    def _json(self, request: web.Request, shown: Shown, *, bare: bool = False) -> Json:
        wishes = Wishes.of(request.headers.get("Prefer", ""))
        named = "singleValueExtendedProperties" in request.query.get("$expand", "")
        return _selected(request, event_json(shown, wishes, bare=bare, shifts_days=self.shifts_days, named=named))

    # changes

    async def _delta(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        calendar = _calendar_of(request, mailbox)
        if "$skiptoken" in request.query:
            waiting = self.pages.get(request.query["$skiptoken"])
            if waiting is None:
                raise Refusal(410, "syncStateNotFound", "The sync state is not there.")
            return self._page(request, *waiting)
        last = None
        if "$deltatoken" in request.query:
            last = self.rounds.get(request.query["$deltatoken"])
            if last is None:
                raise Refusal(410, "syncStateNotFound", "The sync state is not there.")
        since, until = (last.since, last.until) if last else _window(request)
        view = {each.id: each for each in mailbox.view(calendar, since, until)}
        told = {key: _state(each) for key, each in view.items()}
        changed = [each for key, each in view.items() if last is None or last.told.get(key) != told[key]]
        items = [self._json(request, each, bare=each.is_expanded and self.bare_occurrences) for each in changed]
        if last is not None:
            items += _removed(request, mailbox, last, set(view), silent=self.is_silent_about_parts)
        size = min(Wishes.of(request.headers.get("Prefer", "")).page or 10, self.page_size)
        pages = [items[first : first + size] for first in range(0, len(items), size)] or [[]]
        if self.empty_pages:
            pages = [[], *(page for each in pages for page in (each, []))]
        return self._page(request, pages, Round(mailbox, calendar, since, until, told, mailbox.revision))

    def _page(self, request: web.Request, pages: list[list[Json]], following: Round) -> web.Response:
        token = uuid4().hex
        address = f"{self.base}{request.rel_url.raw_path}"
        answer: Json = {"value": pages[0]}
        if len(pages) > 1:
            self.pages[token] = (pages[1:], following)
            answer["@odata.nextLink"] = f"{address}?{urlencode({'$skiptoken': token})}"
        else:
            self.rounds[token] = following
            answer["@odata.deltaLink"] = f"{address}?{urlencode({'$deltatoken': token})}"
        return web.json_response(answer)

    # subscriptions

    async def _subscribe(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        try:
            made = await asyncio.shield(self.push.subscribe(mailbox, await request.json()))
        except PushRefused as refused:
            raise Refusal(400, "ValidationError", str(refused)) from refused
        return web.json_response(made, status=201)

    async def _renew(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        try:
            kept = self.push.renew(mailbox, request.match_info["subscription"], await request.json())
        except PushRefused as refused:
            raise Refusal(400, "ValidationError", str(refused)) from refused
        if kept is None:
            raise Refusal(404, "ResourceNotFound", "The subscription is not there.")
        return web.json_response(kept)

    async def _unsubscribe(self, request: web.Request, mailbox: Mailbox) -> web.Response:
        if not self.push.unsubscribe(mailbox, request.match_info["subscription"]):
            raise Refusal(404, "ResourceNotFound", "The subscription is not there.")
        return web.Response(status=204)


def _selected(request: web.Request, values: Json) -> Json:
    wanted = request.query.get("$select")
    if wanted is None:
        return values
    return {name: value for name, value in values.items() if name == "id" or name in wanted.split(",")}


def _calendar_of(request: web.Request, mailbox: Mailbox) -> str:
    calendar = request.match_info["calendar"]
    if calendar not in mailbox.folders:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return calendar


def _event_of(request: web.Request, mailbox: Mailbox) -> Shown:
    calendar = _calendar_of(request, mailbox) if "calendar" in request.match_info else None
    return _found(mailbox, request.match_info["event"], calendar)


def _found(mailbox: Mailbox, key: str, calendar: str | None) -> Shown:
    shown = mailbox.look_up(key)
    if shown is None or calendar not in (None, shown.item.calendar):
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return shown


def _check_etag(request: web.Request, shown: Shown) -> None:
    wanted = request.headers.get("If-Match")
    if wanted not in (None, "*", f'W/"{shown.item.change_key}"'):
        raise Refusal(412, "ErrorIrresolvableConflict", "The change key passed in the request does not match.")


def _condition(text: str) -> Callable[[Item], bool]:
    """The two kinds of `$filter` that are asked."""
    named = re.fullmatch(
        r"singleValueExtendedProperties/Any\(ep: ep/id eq '([^']+)' and ep/value eq '(.*)'\)", text, re.DOTALL
    )
    by_uid = re.fullmatch(r"iCalUId eq '(.*)'", text, re.DOTALL)
    if named:
        value = named[2].replace("''", "'")
        return lambda item: item.named.get(named[1]) == value
    if by_uid:
        uid = by_uid[1].replace("''", "'")
        return lambda item: item.values.get("iCalUId") == uid
    if text:
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", "The query filter is not understood.")
    return lambda _: True


def _window(request: web.Request) -> tuple[datetime, datetime]:
    since, until = (datetime.fromisoformat(request.query[name]) for name in ("startDateTime", "endDateTime"))
    return since.replace(tzinfo=since.tzinfo or UTC), until.replace(tzinfo=until.tzinfo or UTC)


def _state(shown: Shown) -> str:
    """What makes a thing count as changed: of an occurrence only its times."""
    return f"{shown.start} {shown.end}" if shown.is_expanded else str(shown.item.version)


def _removed(request: web.Request, mailbox: Mailbox, last: Round, view: set[str], *, silent: bool) -> list[Json]:
    """What left the window, and what changed outside of it."""
    gone = [key for key in last.told if key not in view and not (silent and "." in key)]
    outside = [
        item.id
        for item in [*mailbox.items.values(), *mailbox.deleted]
        if item.calendar == last.calendar and item.version > last.revision and item.id not in view
    ]
    wishes = Wishes.of(request.headers.get("Prefer", ""))
    keys = [wishes.id(key, last.calendar) for key in dict.fromkeys([*gone, *outside])]
    return [{"id": key, "@removed": {"reason": "deleted"}} for key in keys]

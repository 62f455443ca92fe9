"""A Google with state, on a loopback port: sign-in, Calendar API, push messages, and the People API's search.

Every exchange is held against Google's own discovery documents and the shared contracts; `broken` lists the violations,
and tests end with it empty. People act through `FakeGoogle`'s methods, faults are ordered with `fail`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from integrations.google.sign_in import CALENDAR_SCOPES
from integrations.google.tokens import Tokens
from integrations.oauth import OAuthClient
from tests.fakes.google_api import BASE, CalendarService
from tests.fakes.google_events import Channel, FakeCalendar, Json, Refusal
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET, FakeGrant, Grants, ServiceAccount
from tests.fakes.google_people import PeopleService
from tests.fakes.watched import Watch

PERSON = "ana@example.com"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """What happens to the next requests that fit `where` (a pattern over "METHOD path"), `times` times, after `after`
    went well. `is_cut` cuts the connection, after the request was carried out when `is_late`."""

    where: str
    status: int = 0
    reason: str = ""
    retry_after: str | None = None
    delay: float = 0
    is_cut: bool = False
    is_late: bool = False
    times: int = 1
    after: int = 0
    body: bytes | None = None


_FAULT = web.RequestKey("fault", Fault)


@dataclass
class Message:
    """A push message on its way."""

    channel: Channel
    state: str
    number: int


@dataclass
class FakeGoogle:
    """The server. Its loop is that of whoever starts it."""

    clock: Callable[[], int] = lambda: int(time.time())
    url: str = ""
    seen: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    outbox: list[Message] = field(default_factory=list)
    _told: dict[str, int] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    def __post_init__(self) -> None:
        self.grants = Grants()
        self.service = CalendarService(self.grants, lambda: self.clock())
        calendar = Watch("google:calendar.v3", is_outside=lambda path: not path.startswith(BASE))
        oauth = Watch(
            "google_oauth.openapi.json", is_outside=lambda path: path not in {"/o/oauth2/v2/auth", "/token", "/revoke"}
        )
        self.people = PeopleService(self.grants)
        people = Watch("google:people.v1", is_outside=lambda path: not path.startswith("/v1/"))
        userinfo = Watch("google:oauth2.v2", is_outside=lambda path: not path.startswith("/oauth2/"))
        self.push = Watch("google_oauth.openapi.json", webhook="calendarPush")
        self.watches = [calendar, oauth, userinfo, people, self.push]

    # the server

    async def start(self) -> FakeGoogle:
        """Listen on a free port."""
        checks = [each.middleware for each in self.watches[:4]]
        application = web.Application(middlewares=[self._network, *checks, self._refusals], client_max_size=50_000_000)
        application.add_routes([*self.grants.routes(), *self.service.routes(), *self.people.routes()])
        application.add_routes([web.get("/oauth2/v2/userinfo", self._me)])
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def client(self) -> OAuthClient:
        """The program, as this Google knows it."""
        return OAuthClient(CLIENT_ID, CLIENT_SECRET, self.url, self.url)

    @property
    def broken(self) -> list[str]:
        """Everything that was said against the contracts, by the program or by this fake."""
        return [violation for each in self.watches for violation in each.violations]

    def fail(self, where: str, status: int = 0, reason: str = "", **how: Any) -> None:
        """Order a fault."""
        self.faults.append(Fault(where, status, reason, **how))

    def asked(self, where: str = "") -> list[str]:
        """The requests so far that fit a pattern, as "METHOD path"."""
        return [each for each in self.seen if re.search(where, each)]

    # people

    def person(self, email: str = PERSON, *scopes: str) -> Tokens:
        """Somebody with a primary calendar, who has granted these scopes (all for calendars) to the program."""
        if email not in self.grants.people:
            self.grants.people.append(email)
            self.calendar(email, email)
        grant = self.grants.grant(email, *(scopes or CALENDAR_SCOPES))
        return Tokens(self.grants.issue(grant), grant.refresh, self.clock() + 3599, grant.scopes)

    def calendar(self, name: str, email: str = PERSON, role: str = "owner", **fields: Any) -> FakeCalendar:
        """A calendar that a person sees in a role."""
        made = self.service.calendars.setdefault(name, FakeCalendar(name, email, **fields))
        self.service.roles[email, name] = role
        return made

    def drop_calendar(self, name: str) -> None:
        """The calendar is deleted."""
        del self.service.calendars[name]
        for each in [key for key in self.service.roles if key[1] == name]:
            del self.service.roles[each]

    def respond(self, calendar: str, event_id: str, answer: str, email: str | None = None) -> Json:
        """Somebody answers an invitation; the calendar's own person by default."""
        store = self.service.calendars[calendar]
        event = store.events[event_id]
        who = email or calendar
        others = [each for each in event.get("attendees", ()) if each["email"] != who]
        return store.patch(event_id, {"attendees": [*others, {"email": who, "responseStatus": answer}]})

    def expire_tokens(self, calendar: str) -> None:
        """Sync tokens given until now are not taken any more."""
        self.service.calendars[calendar].forget_tokens()

    def expire_access(self) -> None:
        """Access tokens given until now are not taken any more; refresh tokens are."""
        for grant in self.grants.grants:
            grant.access.clear()

    def withdraw(self, email: str = PERSON) -> None:
        """The person takes the program's access away, in their Google account."""
        for grant in self._grants_of(email):
            grant.is_revoked = True

    def service_account(self, *scopes: str) -> ServiceAccount:
        """A service account that an admin lets act for everybody, for calendars unless other scopes are named."""
        account = ServiceAccount("halfpast@tests.iam.gserviceaccount.com", scopes or CALENDAR_SCOPES)
        self.grants.service_accounts[account.email] = account
        return account

    def close_to(self, account: ServiceAccount) -> None:
        """The admin takes that back."""
        account.scopes = ()
        for grant in self.grants.acting:
            grant.is_revoked = True

    def _grants_of(self, email: str) -> list[FakeGrant]:
        return [each for each in self.grants.grants if each.email == email]

    # push

    def announce(self) -> None:
        """Put a message for every calendar that changed since the last time, and every new channel, into `outbox`."""
        for channel in self.service.channels.values():
            if channel.expires_at <= self.clock():
                continue
            last = self.service.calendars[channel.calendar].last
            if self._told.get(channel.id, -1) != last:
                state = "exists" if channel.id in self._told else "sync"
                self._told[channel.id] = last
                channel.messages += 1 if state == "sync" else 3  # numbers rise with gaps
                self.outbox.append(Message(channel, state, channel.messages))

    async def deliver(self, messages: Sequence[Message] | None = None) -> list[int]:
        """Send what is in the outbox, or these messages; the answers. Messages are lost by taking them out of it, and
        come twice or in another order by giving them so. What was answered with 500, 502, 503 or 504 stays."""
        if messages is None:
            self.announce()
            messages, self.outbox = self.outbox, []
        statuses = []
        async with ClientSession() as client:
            for message in messages:
                statuses.append(await self._send(client, message))
                if statuses[-1] in {500, 502, 503, 504}:
                    self.outbox.append(message)
        return statuses

    async def _send(self, client: ClientSession, message: Message) -> int:
        channel = message.channel
        headers = {
            "X-Goog-Channel-ID": channel.id,
            "X-Goog-Message-Number": str(message.number),
            "X-Goog-Resource-ID": channel.resource_id,
            "X-Goog-Resource-State": message.state,
            "X-Goog-Resource-URI": f"https://www.googleapis.com{BASE}/calendars/{channel.calendar}/events?alt=json",
            "X-Goog-Channel-Expiration": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(channel.expires_at)),
            **({"X-Goog-Channel-Token": channel.token} if channel.token else {}),
        }
        context = self.push.asked("POST", channel.address, headers, b"")
        async with client.post(channel.address, headers=headers) as answer:
            body = await answer.read()
            self.push.answered(context, answer.status, dict(answer.headers), body)
            return answer.status

    # on the way

    @web.middleware
    async def _network(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        self.queries.append(request.query_string)
        fault = self._fault(request)
        if fault is None:
            return await handler(request)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.body is not None:
            return web.Response(body=fault.body, content_type="application/json")
        if fault.is_cut:
            if fault.is_late:
                await handler(request)
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        request[_FAULT] = fault
        return await handler(request)

    @web.middleware
    async def _refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        fault: Fault | None = request.get(_FAULT)
        try:
            if fault is not None and fault.status:
                raise Refusal(fault.status, fault.reason, retry_after=fault.retry_after)
            return await handler(request)
        except Refusal as refusal:
            return _refused(request, refusal)
        except web.HTTPNotFound:
            return _refused(request, Refusal(404, "notFound"))

    def _fault(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.times and re.search(fault.where, f"{request.method} {request.path}"):
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    async def _me(self, request: web.Request) -> web.Response:
        grant = self.grants.of_request(request)
        if grant is None:
            raise Refusal(401, "authError", "Invalid Credentials")
        return web.json_response({"id": "1", "email": grant.email, "verified_email": True})


def _refused(request: web.Request, refusal: Refusal) -> web.Response:
    headers = {"Retry-After": refusal.retry_after} if refusal.retry_after else {}
    if not request.path.startswith(("/calendar", "/v1")):
        return web.json_response({"error": refusal.reason}, status=refusal.status, headers=headers)
    details = {"domain": "global", "reason": refusal.reason, "message": refusal.message}
    error = {"code": refusal.status, "message": refusal.message, "errors": [details]}
    text = json.dumps({"error": error})
    return web.Response(status=refusal.status, text=text, content_type="application/json", headers=headers)

"""The ASGI application under `/dav/`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from app.domain.errors import RateLimited
from app.ports.published import DavUser
from app.use_cases.calendar_objects import StoragePorts
from calendar_feeds.caldav import delete, get, mkcalendar, options, propfind, proppatch, put, report
from calendar_feeds.caldav.auth import CountFailure, authenticate
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.options import ALLOW, DAV_FEATURES
from calendar_feeds.caldav.resources import locate
from calendar_feeds.caldav.xml import error_body
from calendar_feeds.messages import Answer, Receive, Refusal, Request, Scope, Send, sentence

log = logging.getLogger(__name__)
Handler = Callable[[Exchange], Awaitable[Answer]]

READING: dict[str, Handler] = {
    "OPTIONS": options.options,
    "PROPFIND": propfind.propfind,
    "REPORT": report.report,
    "GET": get.get,
    "HEAD": get.get,
}
WRITING: dict[str, Handler] = {
    "PUT": put.put,
    "DELETE": delete.delete,
    "PROPPATCH": proppatch.proppatch,
    "MKCALENDAR": mkcalendar.mkcalendar,
    "MKCOL": mkcalendar.mkcalendar,
}
COMMON = {"dav": DAV_FEATURES, "cache-control": "private, no-cache, no-transform"}
SEEN_SECONDS = 300
"""How exactly a person is told when a device was last here."""


def caldav_app(ports: StoragePorts, count_failure: CountFailure | None = None) -> Callable[..., Awaitable[None]]:
    """The application. `count_failure` is told of every failed sign-in and may raise `RateLimited`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("CalDAV speaks HTTP only.")
        request = Request(scope, receive)
        user: DavUser | None = None
        try:
            answer, user = await _answer(ports, request, count_failure)
        except Refusal as refusal:
            answer = _refused(refusal)
        except RateLimited as limited:
            answer = sentence(429, limited.detail, {"retry-after": str(limited.retry_after)})
        except ConnectionAbortedError:
            return
        answer.headers |= COMMON
        await answer.send(send, with_body=request.method != "HEAD")
        if user is not None:
            await _note_device(ports, user)

    return app


async def _answer(ports: StoragePorts, request: Request, count_failure: CountFailure | None) -> tuple[Answer, DavUser]:
    location = locate(request.raw_path)
    async with ports.read() as work:
        store = work.calendars
        user, calendar = await authenticate(request, store, location.collection if location else "", count_failure)
        # Other people's resources and ones that never were are the same to a stranger.
        if location is None or location.handle not in {"", user.handle}:
            raise Refusal(404, detail=NOT_THERE)
        exchange = Exchange(request, location, user, calendar, store, ports)
        if handler := READING.get(request.method):
            return await handler(exchange), user
    # Out of the reading connection first: a writer waits for its turn, and would keep it from readers meanwhile.
    if writer := WRITING.get(request.method):
        return await writer(exchange), user
    raise Refusal(
        405, detail=f"{request.method[:20]} is not for this address.", headers={"allow": ALLOW[location.kind]}
    )


def _refused(refusal: Refusal) -> Answer:
    if not refusal.condition:
        return sentence(refusal.status, refusal.detail, refusal.headers)
    return Answer(refusal.status, error_body(refusal.condition, refusal.detail), headers=refusal.headers)


async def _note_device(ports: StoragePorts, user: DavUser) -> None:
    """After the answer has gone out, now and then."""
    now = ports.clock()
    is_noted = user.last_used_at is not None and now - user.last_used_at < SEEN_SECONDS
    if is_noted and user.new_lookup is None:
        return
    try:
        async with ports.unit_of_work() as work:
            await work.calendars.app_password_used(user, now)
            await work.commit()
    except Exception:
        log.exception("could not note that app password %s was used", user.password_id)

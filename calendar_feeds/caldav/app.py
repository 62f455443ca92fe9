"""The ASGI application under `/dav/`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from app.domain.errors import RateLimited
from app.ports import Ports
from app.ports.published import DavUser
from calendar_feeds.caldav import delete, get, mkcalendar, move, options, post, propfind, proppatch, put, report
from calendar_feeds.caldav.auth import CountFailure, authenticate
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange, enter
from calendar_feeds.caldav.options import DAV_FEATURES, allowed
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
WITH_QUESTION = frozenset({"PROPFIND", "REPORT"})
"""What these ask is read before anything else: no connection to the database waits for a phone with bad reception."""
WRITING: dict[str, Handler] = {
    "PUT": put.put,
    "DELETE": delete.delete,
    "PROPPATCH": proppatch.proppatch,
    "MKCALENDAR": mkcalendar.mkcalendar,
    "MKCOL": mkcalendar.mkcalendar,
    "POST": post.post,
    "COPY": move.copy,
    "MOVE": move.move,
}
COMMON = {"dav": DAV_FEATURES, "cache-control": "private, no-cache, no-transform"}
SEEN_SECONDS = 60
"""How exactly a person is told when a device was last here."""


def caldav_app(ports: Ports, count_failure: CountFailure | None = None) -> Callable[..., Awaitable[None]]:
    """The application. `count_failure` is told of every failed sign-in and may raise `RateLimited`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("CalDAV speaks HTTP only.")
        request = Request(scope, receive)
        seen: list[DavUser] = []
        try:
            answer = await _answer(ports, request, count_failure, seen)
        except Refusal as refusal:
            answer = _refused(refusal)
        except RateLimited as limited:
            answer = sentence(429, limited.detail, {"retry-after": str(limited.retry_after)})
        except ConnectionAbortedError:
            return
        answer.headers |= COMMON
        await answer.send(send, with_body=request.method != "HEAD")
        for user in seen:
            await _note_device(ports, user)

    return app


async def _answer(ports: Ports, request: Request, count_failure: CountFailure | None, seen: list[DavUser]) -> Answer:
    """`seen` is told who asks, once they are known: a device that is refused something was here, too."""
    location = locate(request.raw_path)
    if request.method in WITH_QUESTION:
        await request.xml_body()
    async with ports.read() as work:
        store = work.calendars
        user, calendar = await authenticate(request, store, location.collection if location else "", count_failure)
        seen.append(user)
        if location is None:
            raise Refusal(404, detail=NOT_THERE)
        exchange = await enter(request, location, (user, calendar), work, ports)
        if handler := READING.get(request.method):
            return await handler(exchange)
    # Out of the reading connection first: a writer waits for its turn, and would keep it from readers meanwhile.
    if writer := WRITING.get(request.method):
        return await writer(exchange)
    raise Refusal(405, detail=f"{request.method[:20]} is not for this address.", headers={"allow": allowed(exchange)})


def _refused(refusal: Refusal) -> Answer:
    if not refusal.condition:
        return sentence(refusal.status, refusal.detail, refusal.headers)
    return Answer(refusal.status, error_body(refusal.condition, refusal.detail), headers=refusal.headers)


async def _note_device(ports: Ports, user: DavUser) -> None:
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

"""Secret-address ICS feeds: `/feeds/{token}.ics`.

What a feed says follows from three things: how what it shows stands (`PublishedFeed.stamp`), the UTC date (the feed's
window, and the `CANCELLED_DAYS` for which cancelled events are kept, are counted from the date's begin) and `FORMAT`.
They are the etag, so a narrow SELECT or two tell whether a subscriber has everything, whatever is in the feed. The etag
is weak: a feed means the same gzipped and plain, and a proxy that compresses in its own way does no harm.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Protocol

from app.domain.errors import RateLimited
from app.domain.feeds import OWN_KINDS
from app.ports.feeds import FeedWindow, PublishedFeed, PublishedFeeds
from app.use_cases.calendar_objects import StoragePorts
from calendar_feeds.feed_text import busy_feed, full_feed, shared_feed
from calendar_feeds.messages import Answer, Receive, Request, Scope, Send, entity_tags, sentence

FORMAT = 2
"""Raised whenever the text of an unchanged feed changes with the program."""

CANCELLED_DAYS = 30
CACHED_BYTES = 8_000_000
GZIP_INLINE = 50_000
RENDER_INLINE = 50
"""More bookings than these are rendered in a thread, so that nobody else waits for them."""
SETTLING_SECONDS = 20
"""Changes of several people's bookings may be committed in another order than that of their instants: within so many
seconds a date of such a feed says nothing yet."""
FEED_TYPE = "text/calendar; charset=utf-8"
_DAY = 86400
_PATH = re.compile(rb"/feeds/([A-Za-z0-9_\-]{1,200})\.ics")


@dataclass(frozen=True, slots=True)
class Body:
    """A feed's text, plain and gzipped."""

    plain: bytes
    gzipped: bytes

    @property
    def size(self) -> int:
        """What keeping it costs, bytes."""
        return len(self.plain) + len(self.gzipped) + 500


class RecentBodies:
    """The latest bodies by feed and etag, in bounded memory. None is ever stale: a changed feed has another etag."""

    def __init__(self, max_bytes: int = CACHED_BYTES) -> None:
        self._bodies: OrderedDict[tuple[str, str], Body] = OrderedDict()
        self._room = max_bytes

    def get(self, key: tuple[str, str]) -> Body | None:
        """The body, which then counts as just used."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: tuple[str, str], body: Body) -> None:
        """Keep a body; those unused for longest make room."""
        if key in self._bodies:
            return
        self._bodies[key] = body
        self._room -= body.size
        while self._room < 0:
            _, oldest = self._bodies.popitem(last=False)
            self._room += oldest.size


class FeedPorts(StoragePorts, Protocol):
    """The part of `Ports` that the feeds need."""

    @property
    def base_url(self) -> str: ...


def feeds_app(
    ports: FeedPorts, count_failure: Callable[[Scope], Awaitable[None]] | None = None
) -> Callable[..., Awaitable[None]]:
    """The ASGI application. `count_failure` is told of every unknown address and may raise `RateLimited`."""
    bodies = RecentBodies()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            answer = await _answer(ports, request, bodies)
            if answer is None:
                if count_failure is not None:
                    await count_failure(scope)
                answer = sentence(404, "There is no such feed. It may have been switched off.")
        except RateLimited as limited:
            answer = sentence(429, limited.detail, {"retry-after": str(limited.retry_after)})
        await answer.send(send, with_body=request.method != "HEAD")

    return app


async def _answer(ports: FeedPorts, request: Request, bodies: RecentBodies) -> Answer | None:
    """The answer, or None when there is no such feed."""
    if request.method not in {"GET", "HEAD"}:
        return sentence(405, "Feeds are read-only.", {"allow": "GET, HEAD"})
    match = _PATH.fullmatch(request.raw_path)
    if match is None:
        return None
    today = ports.clock() // _DAY * _DAY
    async with ports.read() as work:
        feed = await work.feeds.find(match[1].decode())
        if feed is None:
            return None
        headers = _headers(feed, today, ports.clock())
        if _is_known(request, headers["etag"], max(feed.modified_at, today)):
            return Answer(304, headers=headers)
        key = (feed.id, headers["etag"])
        body = bodies.get(key)
        text = None if body else await _text(work.feeds, feed, today, ports.base_url)
    if body is None:
        body = await _body(text or "")
        bodies.put(key, body)
    return _with_body(request, headers, body)


def _headers(feed: PublishedFeed, today: int, now: int) -> dict[str, str]:
    changed = max(feed.modified_at, today)
    # A change in this very second may be followed by another: a date that says "up to now" would hide that one.
    if feed.kind not in OWN_KINDS:
        changed = min(changed, now - SETTLING_SECONDS)
    elif changed == feed.modified_at:
        changed = min(changed, now - 1)
    return {
        "etag": f'W/"{FORMAT}-{feed.stamp}-{today // _DAY}"',
        "last-modified": formatdate(changed, usegmt=True),
        "cache-control": "private, max-age=60",
        "vary": "Accept-Encoding",
    }


def _is_known(request: Request, etag: str, changed: int) -> bool:
    """Whether the subscriber has this already; a tag, when sent, decides alone (RFC 9110 §13.2.2)."""
    tags = entity_tags(request.header("if-none-match"))
    if tags is not None:
        return bool(tags & {"*", etag.removeprefix("W/")})
    since = request.header("if-modified-since")
    if since is None:
        return False
    try:
        return parsedate_to_datetime(since).timestamp() >= changed
    except (ValueError, OverflowError):
        return False


async def _text(store: PublishedFeeds, feed: PublishedFeed, today: int, base_url: str) -> str:
    options = feed.options
    until = None if options.future_days is None else today + (options.future_days + 1) * _DAY
    window = FeedWindow(today - options.past_days * _DAY, until, today - CANCELLED_DAYS * _DAY)
    if feed.kind == "busy":
        return busy_feed(feed, await store.busy(feed, window))
    if feed.kind == "schedule":
        return full_feed(feed, await store.texts(feed, window))
    bookings = await store.bookings(feed, window)
    if len(bookings) > RENDER_INLINE:
        return await asyncio.to_thread(shared_feed, feed, bookings, base_url)
    return shared_feed(feed, bookings, base_url)


async def _body(text: str) -> Body:
    plain = text.encode()
    if len(plain) > GZIP_INLINE:
        return Body(plain, await asyncio.to_thread(gzip.compress, plain, 6, mtime=0))
    return Body(plain, gzip.compress(plain, 6, mtime=0))


def _with_body(request: Request, headers: dict[str, str], body: Body) -> Answer:
    headers["content-disposition"] = 'inline; filename="calendar.ics"'
    if _takes_gzip(request.header("accept-encoding") or ""):
        headers["content-encoding"] = "gzip"
        return Answer(200, body.gzipped, FEED_TYPE, headers)
    return Answer(200, body.plain, FEED_TYPE, headers)


def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";")
        if coding in {"gzip", "x-gzip"}:
            return not re.fullmatch(r"q=0(?:\.0*)?", weight)
    return False

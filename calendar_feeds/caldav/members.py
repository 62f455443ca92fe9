"""All members of a calendar in one answer. Those whose texts are asked for go out page by page, each read when the one
before is on its way: a large calendar costs no more memory than a small one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.ports.published import FIELD, RECORD, StoredText
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.object_responses import ETAG, NAME, responder, template
from calendar_feeds.caldav.resources import are_plain, segment
from calendar_feeds.caldav.wanted import Wanted
from calendar_feeds.messages import Answer

PAGE = 1_000


async def answer_with_members(exchange: Exchange, wanted: Wanted, head: str, tail: str) -> Answer:
    """207 with a response for each member between `head` and `tail`."""
    calendar = exchange.need_calendar()
    listing = await exchange.store.listing(calendar.id)
    if not wanted.needs_text:
        return Answer(
            207, b"".join((head.encode(), *_listed(exchange, wanted, listing), tail.encode())), headers=wanted.headers
        )
    names = [record.partition(FIELD)[0] for record in listing.split(RECORD)] if listing else []
    if len(names) > PAGE:
        return Answer(207, headers=wanted.headers, parts=_paged(exchange, wanted, names, (head, tail)))
    found = await exchange.store.texts(calendar.id, names, plain=exchange.is_others) if names else []
    return Answer(207, f"{head}{_responses(exchange, wanted, found)}{tail}".encode(), headers=wanted.headers)


def _responses(exchange: Exchange, wanted: Wanted, found: Sequence[StoredText]) -> str:
    return "".join(map(responder(exchange, wanted), found))


async def _paged(
    exchange: Exchange, wanted: Wanted, names: Sequence[str], around: tuple[str, str]
) -> AsyncIterator[bytes]:
    """What is deleted meanwhile is left out: the client's next look tells. A slow client holds no connection."""
    calendar = exchange.need_calendar()
    yield around[0].encode()
    for begin in range(0, len(names), PAGE):
        async with exchange.ports.read() as work:
            found = await work.calendars.texts(calendar.id, names[begin : begin + PAGE], plain=exchange.is_others)
        yield _responses(exchange, wanted, found).encode()
    yield around[1].encode()


def _listed(exchange: Exchange, wanted: Wanted, listing: str) -> Sequence[bytes]:
    """Responses from a listing of names and etags: one is rendered, the others differ from it in just these two. As
    bytes, whose replacing is several times as quick."""
    if not listing:
        return ()
    head, _, rest = template(exchange, wanted).partition(NAME)
    middle, has_etag, tail = rest.partition(ETAG)
    data = listing.encode()
    if has_etag and are_plain(data, FIELD, RECORD, '"'):
        names = data.replace(FIELD.encode(), middle.encode()).replace(RECORD.encode(), f"{tail}{head}".encode())
        return head.encode(), names, tail.encode()
    pairs = (record.partition(FIELD) for record in listing.split(RECORD))
    return [f"{head}{segment(member)}{middle}{etag if has_etag else ''}{tail}".encode() for member, _, etag in pairs]

"""PUT of an object (RFC 4791 §5.3.2)."""

from __future__ import annotations

from app.domain.errors import CalendarUnavailable, Forbidden, NotFound, StaleVersion
from app.use_cases.calendar_objects import MAX_BYTES, EditRefused, ObjectRefused
from app.use_cases.put_calendar_object import StoredObject, put_calendar_object
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.options import allowed
from calendar_feeds.caldav.properties import OBJECT_TYPE
from calendar_feeds.caldav.resources import collection_href, segment
from calendar_feeds.caldav.xml import hrefs
from calendar_feeds.messages import Answer, Refusal

MAX_NAME = 400
RETRY_SECONDS = "60"


async def put(exchange: Exchange) -> Answer:
    """Store the object: 201 or 204. An ETag goes back only when the text is kept exactly as it was sent; without one,
    a client reads the object again."""
    where = exchange.location
    if where.kind != "object":
        raise Refusal(405, detail="Only objects in a calendar can be put.", headers={"allow": allowed(exchange)})
    if exchange.calendar is None:
        raise Refusal(409, detail="There is no such calendar.")
    exchange.need_to_write("D:bind")
    if len(where.name) > MAX_NAME:
        raise Refusal(403, detail=f"The name of an object has at most {MAX_NAME} characters.")
    text = await _text(exchange)
    try:
        stored = await put_calendar_object(
            exchange.ports,
            exchange.calendar,
            where.name,
            text,
            conditions_of(exchange.request),
            frozenset({exchange.owner.email}),
            exchange.device,
        )
    except EditRefused as refused:
        raise refused_edit(refused) from refused
    except CalendarUnavailable as unavailable:
        raise Refusal(503, detail=unavailable.detail, headers={"retry-after": RETRY_SECONDS}) from unavailable
    except ObjectRefused as refused:
        raise refused_object(exchange, refused) from refused
    except StaleVersion as stale:
        if exchange.request.wants_representation:
            return await _current(exchange, 412)
        raise Refusal(412, detail=stale.detail) from stale
    except Forbidden as forbidden:
        raise need_privilege(exchange.collection_href, "D:bind", forbidden.detail) from forbidden
    except NotFound as gone:
        raise Refusal(409, detail=gone.detail) from gone
    return await _answer(exchange, stored)


async def _answer(exchange: Exchange, stored: StoredObject) -> Answer:
    if exchange.request.wants_representation:
        return await _current(exchange, 201 if stored.created else 200)
    headers = {"etag": stored.etag} if stored.as_sent else {}
    if stored.schedule_tag is not None:
        headers["schedule-tag"] = stored.schedule_tag
    return Answer(201 if stored.created else 204, headers=headers)


async def _current(exchange: Exchange, status: int) -> Answer:
    """The object as it is kept now, for a client that prefers not to ask for it (RFC 8144 §3)."""
    async with exchange.ports.read() as work:
        found = await work.calendars.texts(
            exchange.need_calendar().id, [exchange.location.name], plain=exchange.is_others
        )
    if not found:
        return Answer(status)
    tag = {} if found[0].schedule_tag is None else {"schedule-tag": found[0].schedule_tag}
    headers = {
        **tag,
        "etag": found[0].etag,
        "content-location": exchange.href,
        "preference-applied": "return=representation",
        "vary": "Prefer",
    }
    return Answer(status, found[0].data.encode(), OBJECT_TYPE, headers)


async def _text(exchange: Exchange) -> str:
    kind = (exchange.request.header("content-type") or "text/calendar").partition(";")[0].strip().lower()
    if kind != "text/calendar":
        raise Refusal(403, "<C:supported-calendar-data/>", "Objects are text/calendar.")
    body = await exchange.request.body(MAX_BYTES)
    if body is None:
        detail = f"An object may have {MAX_BYTES} bytes."
        raise Refusal(403, "<C:max-resource-size/>", detail)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refusal(403, "<C:valid-calendar-data/>", "The data is not UTF-8.") from error


def refused_edit(refused: EditRefused) -> Refusal:
    """409: what stands against it is how the booking is, and clients then take over what is here (after a 403 some send
    it again and again). The precondition is that of RFC 6638 §3.2.4.2."""
    return Refusal(409, "<C:allowed-organizer-scheduling-object-change/>", refused.detail)


def refused_object(exchange: Exchange, refused: ObjectRefused) -> Refusal:
    """403 with the precondition that the data breaks, and where the object is that has its UID."""
    existing = ""
    if refused.existing is not None:
        there = collection_href(exchange.owner.handle, refused.collection) if refused.collection else None
        existing = hrefs((there or exchange.collection_href) + segment(refused.existing))
    inner = f">{existing}</C:{refused.precondition}>" if existing else "/>"
    return Refusal(403, f"<C:{refused.precondition}{inner}", refused.detail)

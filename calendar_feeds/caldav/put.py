"""PUT of an object (RFC 4791 §5.3.2)."""

from __future__ import annotations

from app.domain.errors import Forbidden, NotFound, StaleVersion
from app.use_cases.calendar_objects import MAX_BYTES, ObjectRefused
from app.use_cases.put_calendar_object import put_calendar_object
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.xml import hrefs
from calendar_feeds.messages import Answer, Refusal

MAX_NAME = 400


async def put(exchange: Exchange) -> Answer:
    """Store the object: 201 or 204. An ETag goes back only when the text is kept exactly as it was sent; without one,
    a client reads the object again."""
    where = exchange.location
    if where.kind != "object":
        raise Refusal(405, detail="Only objects in a calendar can be put.", headers={"allow": "OPTIONS, PROPFIND"})
    if exchange.calendar is None:
        raise Refusal(409, detail="There is no such calendar.")
    if exchange.calendar.read_only:
        raise _read_only(exchange)
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
            frozenset({exchange.user.email}),
        )
    except ObjectRefused as refused:
        raise Refusal(403, _condition(exchange, refused), refused.detail) from refused
    except StaleVersion as stale:
        raise Refusal(412, detail=stale.detail) from stale
    except Forbidden as forbidden:
        raise _read_only(exchange) from forbidden
    except NotFound as gone:
        raise Refusal(409, detail=gone.detail) from gone
    return Answer(201 if stored.created else 204, headers={"etag": stored.etag} if stored.as_sent else {})


def _read_only(exchange: Exchange) -> Refusal:
    return need_privilege(exchange.collection_href, "D:bind", "This calendar is read-only.")


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


def _condition(exchange: Exchange, refused: ObjectRefused) -> str:
    if refused.existing is None:
        return f"<C:{refused.precondition}/>"
    return f"<C:{refused.precondition}>{hrefs(exchange.object_href(refused.existing))}</C:{refused.precondition}>"

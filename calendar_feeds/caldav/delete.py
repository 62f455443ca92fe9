"""DELETE of an object, or of a calendar that a person made."""

from __future__ import annotations

from app.domain.errors import Forbidden, NotFound, StaleVersion
from app.use_cases.calendar_objects import EditRefused
from app.use_cases.delete_calendar_object import delete_calendar_object
from app.use_cases.make_collection import remove_collection
from calendar_feeds.caldav.acl import is_protected, need_privilege
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.put import refused_edit
from calendar_feeds.caldav.resources import home_href
from calendar_feeds.caldav.tokens import ctag
from calendar_feeds.messages import Answer, Refusal


async def delete(exchange: Exchange) -> Answer:
    """204. The calendars that everybody has, and what is above them, stay."""
    where = exchange.location
    if where.kind == "collection":
        return await _calendar(exchange)
    if where.kind != "object":
        raise need_privilege(exchange.href, "D:unbind", "This cannot be deleted.")
    calendar = exchange.need_calendar()
    exchange.need_to_write("D:unbind")
    try:
        answers = (exchange.request.header("schedule-reply") or "T").upper() != "F"  # RFC 6638 §8.1
        conditions = conditions_of(exchange.request)
        await delete_calendar_object(exchange.ports, calendar, where.name, conditions, exchange.device, answers=answers)
    except EditRefused as refused:
        raise refused_edit(refused) from refused
    except Forbidden as forbidden:
        raise need_privilege(exchange.collection_href, "D:unbind", forbidden.detail) from forbidden
    except StaleVersion as stale:
        raise Refusal(412, detail=stale.detail) from stale
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    return Answer(204)


async def _calendar(exchange: Exchange) -> Answer:
    calendar = exchange.need_calendar()
    exchange.need("D:unbind", "This calendar cannot be deleted.", on="home")
    if is_protected(calendar):
        raise need_privilege(home_href(exchange.owner.handle), "D:unbind", "Everybody keeps this calendar.")
    try:
        conditions_of(exchange.request).check(ctag(calendar))
        await remove_collection(exchange.ports, calendar)
    except StaleVersion as stale:
        raise Refusal(412, detail=stale.detail) from stale
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    return Answer(204)

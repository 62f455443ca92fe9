"""DELETE of an object."""

from __future__ import annotations

from app.domain.errors import Forbidden, NotFound, StaleVersion
from app.use_cases.delete_calendar_object import delete_calendar_object
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.resources import home_href
from calendar_feeds.messages import Answer, Refusal


async def delete(exchange: Exchange) -> Answer:
    """204. The built-in collections themselves, and what is above them, stay."""
    where = exchange.location
    if where.kind == "collection":
        exchange.need_calendar()
        raise need_privilege(home_href(exchange.user.handle), "D:unbind", "This calendar cannot be deleted.")
    if where.kind != "object":
        raise need_privilege(exchange.href, "D:unbind", "This cannot be deleted.")
    calendar = exchange.need_calendar()
    try:
        await delete_calendar_object(exchange.ports, calendar, where.name, conditions_of(exchange.request))
    except Forbidden as forbidden:
        raise need_privilege(exchange.collection_href, "D:unbind", forbidden.detail) from forbidden
    except StaleVersion as stale:
        raise Refusal(412, detail=stale.detail) from stale
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    return Answer(204)

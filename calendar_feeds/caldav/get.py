"""GET and HEAD of an object; elsewhere a word for people who open the address in a browser."""

from __future__ import annotations

from email.utils import formatdate

from app.domain.errors import StaleVersion
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import OBJECT_TYPE
from calendar_feeds.messages import Answer, Refusal, sentence

_HINT = "This is a CalDAV address. Enter it in a calendar program, with your e-mail address and an app password."


async def get(exchange: Exchange) -> Answer:
    """The stored text as it was put, with its strong etag; 304 when the client has it."""
    target = await exchange.target()
    item = target.item
    if item is None:
        return sentence(200, _HINT)
    conditions = conditions_of(exchange.request)
    headers = {"etag": item.etag, "last-modified": formatdate(item.modified_at, usegmt=True)}
    if item.schedule_tag is not None:
        headers["schedule-tag"] = item.schedule_tag
    try:
        conditions.check(item.etag, item.schedule_tag)
    except StaleVersion as stale:
        if conditions.if_match is not None:
            raise Refusal(412, detail=stale.detail) from stale
        return Answer(304, headers=headers)
    return Answer(200, item.data.encode(), OBJECT_TYPE, headers)

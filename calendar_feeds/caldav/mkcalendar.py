"""MKCALENDAR and MKCOL: nobody may add collections, and that is what is said."""

from __future__ import annotations

from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.options import ALLOW
from calendar_feeds.caldav.resources import home_href
from calendar_feeds.messages import Answer, Refusal


async def mkcalendar(exchange: Exchange) -> Answer:
    """405 where something is already (RFC 4918 §9.3.1), else 403 with DAV:need-privileges on the home."""
    where = exchange.location
    if where.kind not in {"collection", "object"} or (where.kind == "collection" and exchange.calendar is not None):
        raise Refusal(405, detail="There is something here already.", headers={"allow": ALLOW[where.kind]})
    raise need_privilege(home_href(exchange.user.handle), "D:bind", "Calendars cannot be added here.")

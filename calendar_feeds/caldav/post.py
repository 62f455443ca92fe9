"""POST: to a calendar a new member whose name the server chooses (RFC 5995), to the outbox a lookup."""

from __future__ import annotations

from dataclasses import replace

from app.use_cases.ids import new_id
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.options import allowed
from calendar_feeds.caldav.outbox import look_up
from calendar_feeds.caldav.put import put
from calendar_feeds.caldav.resources import ADD_MEMBER
from calendar_feeds.messages import Answer, Refusal


async def post(exchange: Exchange) -> Answer:
    """201 with the address of the new member in Location, or what the lookup found."""
    if exchange.location.kind == "outbox":
        return await look_up(exchange)
    where = exchange.location
    if where.kind != "collection" and (where.kind, where.name) != ("object", ADD_MEMBER):
        raise Refusal(405, detail="Nothing can be added here.", headers={"allow": allowed(exchange)})
    member = replace(exchange, location=replace(where, kind="object", name=f"{new_id()}.ics"))
    answer = await put(member)
    answer.headers["location"] = exchange.request.origin + member.href
    return answer

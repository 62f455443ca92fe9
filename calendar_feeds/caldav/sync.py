"""The sync-collection report (RFC 6578): what changed since a token."""

from __future__ import annotations

from app.domain.calendars import Calendar
from app.ports.calendar_store import ObjectEntry
from app.ports.published import StoredText
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.limits import cut_response, limit_in
from calendar_feeds.caldav.members import answer_with_members
from calendar_feeds.caldav.object_responses import responder
from calendar_feeds.caldav.properties import gone
from calendar_feeds.caldav.tokens import revision_of, sync_token
from calendar_feeds.caldav.wanted import Wanted, wanted_in
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element, name, text, text_of
from calendar_feeds.messages import Answer, Refusal


async def sync_collection(exchange: Exchange, root: Element) -> Answer:
    """Changed and new members with the wanted properties, deleted ones as 404, and the next token.

    The calendar was read before its members: what changes in between is reported once more next time, never missed.
    """
    calendar = exchange.need_calendar()
    if text_of(root.find(name("sync-level"))) not in {"", "1", "infinite"}:
        raise Refusal(400, detail="DAV:sync-level is 1 or infinite.")
    if root.find(name("prop")) is None:
        raise Refusal(400, detail="A sync-collection names the properties it wants in DAV:prop.")
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    since = revision_of(calendar, text_of(root.find(name("sync-token"))))
    limit = limit_in(root)
    if since == 0 and limit is None:
        return await answer_with_members(exchange, wanted, MULTISTATUS, _end(calendar, calendar.revision))
    if since == calendar.revision:
        body, upto = "", since
    else:
        body, upto = await _changes(exchange, wanted, since, limit)
    return Answer(207, f"{MULTISTATUS}{body}{_end(calendar, upto)}".encode(), headers=wanted.headers)


def _end(calendar: Calendar, upto: int) -> str:
    return f"<D:sync-token>{text(sync_token(calendar, upto))}</D:sync-token>{MULTISTATUS_END}"


async def _changes(exchange: Exchange, wanted: Wanted, since: int, limit: int | None) -> tuple[str, int]:
    """The responses for what changed after revision `since`, and the revision they lead to."""
    calendar = exchange.need_calendar()
    entries = await exchange.store.entries_since(
        calendar.id, since, None if limit is None else limit + 1, live_only=since == 0
    )
    is_cut = limit is not None and len(entries) > limit
    entries = entries[:limit]
    texts = await _texts(exchange, wanted, entries)
    parts, respond = [], responder(exchange, wanted)
    for entry in entries:
        item = texts.get(entry.name)
        if entry.deleted or item is None:
            parts.append(gone(exchange.object_href(entry.name)))
        else:
            parts.append(respond(item))
    if is_cut:
        parts.append(cut_response(exchange.href))
        return "".join(parts), entries[-1].revision
    return "".join(parts), max([calendar.revision, *(entry.revision for entry in entries)])


async def _texts(exchange: Exchange, wanted: Wanted, entries: list[ObjectEntry]) -> dict[str, StoredText]:
    """The live ones, with their texts only if these are asked for."""
    live = [entry for entry in entries if not entry.deleted]
    if not wanted.needs_text:
        return {each.name: StoredText(each.name, each.etag, each.component, "", each.modified_at) for each in live}
    found = await exchange.store.texts(
        exchange.need_calendar().id, [entry.name for entry in live], plain=exchange.is_others
    )
    return {item.name: item for item in found}

"""Subscriptions to a calendar's changes. Messages about them, and about their own end, go to one address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from app.domain.errors import ProviderFailure
from app.ports.calendars import Channel, ChannelRequest
from integrations.microsoft.changes import calendar_path
from integrations.microsoft.graph import Graph, Json

LIFETIME = timedelta(minutes=10_080) - timedelta(minutes=5)
"""Microsoft allows 10,080 minutes for calendars; a little less, for clocks that differ."""


async def watch(graph: Graph, calendar: str, request: ChannelRequest, now: int) -> Channel:
    """Subscribe. Microsoft asks the address at once whether it wants this: `POST ?validationToken=…`, to be answered
    within ten seconds with the token as plain text."""
    body = {
        "changeType": "created,updated,deleted",
        "notificationUrl": request.address,
        "lifecycleNotificationUrl": request.address,  # can be given at creation only
        "resource": graph.own(f"{calendar_path(calendar)}/events"),
        "expirationDateTime": _expiry(now),
        "clientState": request.token,
    }
    made = await graph.send("POST", graph.url("/subscriptions"), body)
    return Channel(request.id, str(made.get("id", "")), _expires_at(made))


async def renew(graph: Graph, channel: Channel, now: int) -> Channel | None:
    """Keep it for seven more days; None when it is gone."""
    try:
        kept = await graph.send("PATCH", _url(graph, channel), {"expirationDateTime": _expiry(now)})
    except ProviderFailure as failure:
        if failure.kind != "gone":
            raise
        return None
    return Channel(channel.id, channel.resource_id, _expires_at(kept))


async def unwatch(graph: Graph, channel: Channel) -> None:
    """Unsubscribe."""
    try:
        await graph.send("DELETE", _url(graph, channel))
    except ProviderFailure as failure:
        if failure.kind != "gone":
            raise


def _url(graph: Graph, channel: Channel) -> str:
    return graph.url(f"/subscriptions/{quote(channel.resource_id, safe='')}")


def _expiry(now: int) -> str:
    return f"{datetime.fromtimestamp(now, UTC) + LIFETIME:%Y-%m-%dT%H:%M:%SZ}"


def _expires_at(subscription: Json) -> int:
    """Epoch seconds."""
    try:
        text = str(subscription["expirationDateTime"])
        return int(datetime.fromisoformat(text[:19]).replace(tzinfo=UTC).timestamp())
    except (ValueError, KeyError) as error:
        raise ProviderFailure("protocol", "Microsoft does not say until when it tells of changes.") from error

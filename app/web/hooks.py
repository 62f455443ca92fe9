"""`/hooks/...`: what calendar providers send. Answered at once; the work is an outbox row.

Every message gets the same answer, whether it is believed or not: whoever forges one learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, Router, post

from app.ports import Ports
from app.use_cases.ids import is_id
from app.use_cases.take_push import take_lifecycle, take_push

MAX_NOTIFICATIONS = 1000


class _Notification(msgspec.Struct):
    subscription_id: str = msgspec.field(name="subscriptionId", default="")
    client_state: str | None = msgspec.field(name="clientState", default=None)
    lifecycle_event: str | None = msgspec.field(name="lifecycleEvent", default=None)


class _Notifications(msgspec.Struct):
    value: list[_Notification] = []


@post("/google", status_code=204)
async def google(request: Request[Any, Any, Any]) -> None:
    """A Google Calendar channel's message: headers alone. The first, `sync`, only says that the channel is open."""
    headers = request.headers
    if headers.get("x-goog-resource-state") == "sync":
        return
    ports, channel_id = _ports(request), headers.get("x-goog-channel-id", "")
    async with ports.read() as work:
        channel = await work.channels.get(channel_id) if is_id(channel_id) else None
    await take_push(ports, channel, "google", headers.get("x-goog-channel-token", ""))


@post("/microsoft", status_code=202)
async def microsoft(request: Request[Any, Any, Any]) -> Response[Any]:
    """Graph's change and lifecycle notifications; a new subscription is asked for its `validationToken` back."""
    validation = request.query_params.get("validationToken")
    if validation is not None:
        return Response(validation.encode(), status_code=200, media_type="text/plain")
    try:
        sent = msgspec.json.decode(await request.body(), type=_Notifications)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Response(None, status_code=202)
    await _take_all(_ports(request), sent.value[:MAX_NOTIFICATIONS])
    return Response(None, status_code=202)


async def _take_all(ports: Ports, items: Sequence[_Notification]) -> None:
    """Each channel's news once, however often it is told: Graph wants its answer within three seconds."""
    news = dict.fromkeys((each.subscription_id, each.client_state or "", each.lifecycle_event) for each in items)
    async with ports.read() as work:
        names = {subscription for subscription, _, _ in news}
        channels = {name: await work.channels.by_resource("microsoft", name) for name in names}
    for subscription, state, event in news:
        if event is None:
            await take_push(ports, channels[subscription], "microsoft", state)
        else:
            await take_lifecycle(ports, channels[subscription], "microsoft", state, event)


def _ports(request: Request[Any, Any, Any]) -> Ports:
    ports: Ports = request.app.state.ports
    return ports


router = Router("/hooks", route_handlers=[google, microsoft], include_in_schema=False)

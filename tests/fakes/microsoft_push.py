"""Subscriptions of the fake Microsoft and their messages, which wait until a test sends them: as they should be, twice,
out of order, or never."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.fakes.microsoft_mailbox import Item, Json, Mailbox
from tests.fakes.watched import Watch

LONGEST, SHORTEST = timedelta(minutes=10_080), timedelta(minutes=45)
HANDSHAKE_SECONDS = 10


class PushRefused(Exception):
    """A subscription that is not made, in words."""


@dataclass
class Subscription:
    """One of them; `values` are as Graph shows it."""

    mailbox: Mailbox
    values: Json

    @property
    def id(self) -> str:
        """Made by the service."""
        return str(self.values["id"])


@dataclass
class Push:
    """All subscriptions, and what is to be sent about them."""

    watch: Watch
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    waiting: list[tuple[str, Json]] = field(default_factory=list)
    tenant: str = field(default_factory=lambda: str(uuid4()))
    shakes_hands: bool = True
    """False for programs that listen at no port."""

    async def subscribe(self, mailbox: Mailbox, body: Json) -> Json:
        """Make one, after a handshake with each of its addresses."""
        for address in {body["notificationUrl"], body.get("lifecycleNotificationUrl") or body["notificationUrl"]}:
            if self.shakes_hands:
                await self._shake_hands(address)
        values = {**body, "id": str(uuid4()), "expirationDateTime": _expiry(body), "creatorId": mailbox.user_id}
        self.subscriptions[values["id"]] = Subscription(mailbox, values)
        return values

    def renew(self, mailbox: Mailbox, key: str, body: Json) -> Json | None:
        """Keep it for longer; None when it is not there (any more)."""
        found = self.subscriptions.get(key)
        if found is None or found.mailbox is not mailbox:
            return None
        found.values["expirationDateTime"] = _expiry(body)
        return found.values

    def unsubscribe(self, mailbox: Mailbox, key: str) -> bool:
        """Whether it was there."""
        found = self.subscriptions.get(key)
        return found is not None and found.mailbox is mailbox and self.subscriptions.pop(key) is found

    def note(self, mailbox: Mailbox, kind: str, item: Item) -> None:
        """Something changed."""
        for each in self.subscriptions.values():
            place = f"/calendars/{quote(item.calendar, safe='')}/events"
            if each.mailbox is mailbox and each.values["resource"].endswith(place):
                path = f"Users/{mailbox.user_id}/Events/{item.id}"
                data = {"@odata.type": "#Microsoft.Graph.Event", "@odata.id": path, "id": item.id}
                about = {"changeType": kind, "resource": path, "resourceData": data}
                self.waiting.append((each.values["notificationUrl"], self._message(each, about)))

    def expire(self, key: str) -> None:
        """Its time is over: it tells nothing any more, and nobody of its end."""
        del self.subscriptions[key]

    def lifecycle(self, key: str, event: str) -> None:
        """`reauthorizationRequired`, `missed`, or `subscriptionRemoved`, which takes it away."""
        found = self.subscriptions[key]
        address = found.values.get("lifecycleNotificationUrl") or found.values["notificationUrl"]
        self.waiting.append((address, self._message(found, {"lifecycleEvent": event})))
        if event == "subscriptionRemoved":
            del self.subscriptions[key]

    async def deliver(self, *, copies: int = 1, backwards: bool = False) -> list[int]:
        """Send what waits; the answers' states. An address that does not answer counts as 0."""
        sending, self.waiting = self.waiting, []
        if backwards:
            sending.reverse()
        return [await self._post(address, {"value": [message]}) for address, message in sending for _ in range(copies)]

    def lose(self) -> int:
        """Forget what waits; how much it was."""
        lost, self.waiting = len(self.waiting), []
        return lost

    def _message(self, subscription: Subscription, about: Json) -> Json:
        return {
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": subscription.values["expirationDateTime"],
            "clientState": subscription.values.get("clientState"),
            "tenantId": self.tenant,
            **about,
        }

    async def _post(self, address: str, message: Json) -> int:
        body = json.dumps(message).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}
        context = self.watch.asked("POST", address, headers, body)
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=HANDSHAKE_SECONDS)) as session,
                session.post(address, data=body, headers=headers) as answer,
            ):
                self.watch.answered(context, answer.status, dict(answer.headers), await answer.read())
                return answer.status
        except (ClientError, TimeoutError, asyncio.IncompleteReadError):
            return 0

    async def _shake_hands(self, address: str) -> None:
        token = f"Validation: Testing client application reachability for subscription Request-Id: {uuid4()} ä+%"
        asked = f"{address}{'&' if '?' in address else '?'}{urlencode({'validationToken': token}, quote_via=quote)}"
        context = self.watch.asked("POST", asked, {"content-type": "text/plain"}, b"")
        try:
            async with (
                ClientSession(timeout=ClientTimeout(total=HANDSHAKE_SECONDS)) as session,
                session.post(asked, headers={"Content-Type": "text/plain; charset=utf-8"}) as answer,
            ):
                text, kind, status = await answer.text(), answer.content_type, answer.status
        except (ClientError, TimeoutError) as error:
            raise PushRefused("Subscription validation request timed out.") from error
        self.watch.answered(context, status, {"content-type": kind}, text.encode())
        if (status, kind, text) != (200, "text/plain", token):
            raise PushRefused("Subscription validation request failed. Response must exactly match validationToken.")


def _expiry(body: Json) -> str:
    asked: Any = datetime.fromisoformat(body["expirationDateTime"])
    now = datetime.now(UTC)
    if asked > now + LONGEST:
        raise PushRefused("Subscription expiration can only be 10080 minutes in the future.")
    if asked <= now:
        raise PushRefused("Subscription expiration is in the past.")
    return f"{max(asked, now + SHORTEST).astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000Z"

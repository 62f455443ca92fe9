"""Subscriptions at Microsoft: the handshake, messages, renewal and end. The clock is the real one: the fake's limits
count from it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from app.domain.errors import ProviderFailure
from app.ports.calendars import Channel, ChannelRequest
from app.use_cases.ids import new_id
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.test_contract import booking_event
from tests.providers.test_microsoft import add

pytestmark = pytest.mark.anyio
WEEK = 7 * 86400


@dataclass
class Receiver:
    """Where messages go. `echoes` is whether it answers the handshake."""

    echoes: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        """As `/hooks/microsoft` does."""
        if "validationToken" in request.query:
            self.asked.append(request.query["validationToken"])
            return web.Response(text=request.query["validationToken"] if self.echoes else "no")
        self.messages += (await request.json())["value"]
        return web.Response(status=202)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """One that runs."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hooks/microsoft", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.address = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/microsoft"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def calendar(outlook: MicrosoftBackend) -> str:
    """An empty calendar, and the real time."""
    outlook.workspace.clock.now = int(time.time())
    return await outlook.make_calendar()


async def watch(outlook: MicrosoftBackend, calendar: str, receiver: Receiver) -> Channel:
    """Open a channel."""
    request = ChannelRequest(new_id(), "a secret token", receiver.address)
    return await outlook.provider.watch(outlook.credentials, calendar, request)


async def test_a_subscription_is_made_after_a_handshake_for_seven_days(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    channel = await watch(outlook, calendar, receiver)
    assert receiver.asked
    (made,) = outlook.fake.push.subscriptions.values()
    assert (channel.resource_id, made.values["clientState"]) == (made.id, "a secret token")
    assert made.values["lifecycleNotificationUrl"] == receiver.address
    assert WEEK - 900 < channel.expires_at - time.time() <= WEEK
    (posted,) = (each for each in outlook.fake.graph.seen if each.method == "POST")
    assert 'IdType="ImmutableId"' in posted.headers["Prefer"]


async def test_changes_by_others_and_by_us_are_told_with_lasting_ids(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    channel = await watch(outlook, calendar, receiver)
    event = add(outlook, calendar)
    written = await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    add(outlook, await outlook.make_calendar())
    outlook.mailbox.delete(event.id)
    assert await outlook.fake.push.deliver(copies=2, backwards=True) == [202] * 6
    told = [(each["changeType"], each["resourceData"]["id"]) for each in receiver.messages[::2]]
    assert told == [("deleted", event.id), ("created", written.key), ("created", event.id)]
    for each in receiver.messages:
        assert (each["subscriptionId"], each["clientState"]) == (channel.resource_id, "a secret token")


async def test_a_lost_message_is_made_up_for_by_the_next_reading(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    first = await outlook.provider.changes(outlook.credentials, calendar, None, {})
    await watch(outlook, calendar, receiver)
    outlook.mailbox.add(calendar, *_tomorrow())
    assert outlook.fake.push.lose() == 1
    changes = await outlook.provider.changes(outlook.credentials, calendar, first.cursor, {})
    assert len(changes.changed) == 1


async def test_an_address_that_does_not_answer_the_handshake_gets_no_subscription(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    receiver.echoes = False
    with pytest.raises(ProviderFailure, match="validationToken") as failure:
        await watch(outlook, calendar, receiver)
    assert failure.value.kind == "protocol"
    assert not outlook.fake.push.subscriptions


async def test_a_subscription_is_renewed_without_another_handshake(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    channel = await watch(outlook, calendar, receiver)
    old = replace(channel, expires_at=channel.expires_at - 86400)
    handshakes = len(receiver.asked)
    renewed = await outlook.provider.renew(outlook.credentials, calendar, old)
    assert renewed is not None
    assert (renewed.id, renewed.resource_id) == (channel.id, channel.resource_id)
    assert renewed.expires_at >= channel.expires_at
    assert len(receiver.asked) == handshakes


async def test_a_subscription_that_is_gone_must_be_made_anew(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    channel = await watch(outlook, calendar, receiver)
    outlook.fake.push.lifecycle(channel.resource_id, "subscriptionRemoved")
    assert await outlook.fake.push.deliver() == [202]
    assert receiver.messages[0]["lifecycleEvent"] == "subscriptionRemoved"
    assert await outlook.provider.renew(outlook.credentials, calendar, channel) is None
    await outlook.provider.unwatch(outlook.credentials, channel)


@pytest.mark.parametrize("event", ["reauthorizationRequired", "missed"])
async def test_lifecycle_messages_carry_the_token_too(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver, event: str
) -> None:
    channel = await watch(outlook, calendar, receiver)
    outlook.fake.push.lifecycle(channel.resource_id, event)
    await outlook.fake.push.deliver()
    (message,) = receiver.messages
    assert (message["lifecycleEvent"], message["clientState"]) == (event, "a secret token")
    assert await outlook.provider.renew(outlook.credentials, calendar, channel) is not None


async def test_an_expired_subscription_must_be_made_anew(
    outlook: MicrosoftBackend, calendar: str, receiver: Receiver
) -> None:
    channel = await watch(outlook, calendar, receiver)
    outlook.fake.push.expire(channel.resource_id)
    add(outlook, calendar)
    assert await outlook.fake.push.deliver() == []
    assert await outlook.provider.renew(outlook.credentials, calendar, channel) is None
    assert (await watch(outlook, calendar, receiver)).resource_id != channel.resource_id


async def test_a_closed_channel_tells_nothing(outlook: MicrosoftBackend, calendar: str, receiver: Receiver) -> None:
    channel = await watch(outlook, calendar, receiver)
    await outlook.provider.unwatch(outlook.credentials, channel)
    add(outlook, calendar)
    assert await outlook.fake.push.deliver() == []


def _tomorrow() -> tuple[Any, Any]:
    start = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)
    return start, start + timedelta(hours=1)

"""What calendar providers send: believed only with the channel's token, and a message alone changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.db import models as m
from app.ports import Ports
from app.ports.channels import CalendarChannel
from app.use_cases.ids import new_id
from app.use_cases.sync_calendar import sync_lane
from app.use_cases.watch_calendar import MARGIN_SECONDS, watch_lane
from tests.http.api import Api, client_of
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

TOKEN = "the-channels-own-token"
SUBSCRIPTION = "7f105c7d-2dc5-4530-97cd-4e7ae6534c07"


async def channel_of(api: Api, provider: str, resource_id: str = "resource") -> CalendarChannel:
    """An open channel of a calendar."""
    calendar, ports = api.acme.calendar, ports_of(api)
    channel = CalendarChannel(
        new_id(), calendar.org_id, calendar.id, provider, resource_id, TOKEN, ports.clock() + 86400
    )
    async with ports.unit_of_work() as work:
        await work.channels.add(channel, ports.clock())
        await work.commit()
    return channel


def ports_of(api: Api) -> Ports:
    ports: Ports = api.app.state.ports
    return ports


async def sent(api: Api, path: str, headers: Mapping[str, str] | None = None, **body: Any) -> httpx.Response:
    async with client_of(api.app) as client:
        return await client.post(path, headers=dict(headers or {}), **body)


def google(channel: CalendarChannel, **changed: str) -> dict[str, str]:
    """The headers of Google's message (Calendar API, push notifications)."""
    return {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Token": channel.token,
        "X-Goog-Message-Number": "7",
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-State": "exists",
        "X-Goog-Resource-URI": "https://www.googleapis.com/calendar/v3/calendars/x/events",
        **changed,
    }


def graph(**changed: Any) -> dict[str, Any]:
    """The body of a Graph notification (changeNotificationCollection)."""
    item = {
        "subscriptionId": SUBSCRIPTION, "clientState": TOKEN, "changeType": "updated", "tenantId": new_id(),
        "resource": "Users/x/Events/y", "subscriptionExpirationDateTime": "2027-03-08T00:00:00Z", **changed,
    }  # fmt: skip
    return {"value": [item]}


async def lanes(api: Api) -> dict[str, int]:
    async with api.database.read.connect() as connection:
        rows = await connection.execute(select(m.outbox.c.lane, m.outbox.c.run_at))
        return {row.lane: row.run_at for row in rows}


async def test_google_tells_of_a_change(api: Api) -> None:
    channel = await channel_of(api, "google")
    for _ in range(3):  # a repeated message is the same work
        answer = await sent(api, "/hooks/google", google(channel))
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await lanes(api))[sync_lane(channel.calendar_id)] == ports_of(api).clock()


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Goog-Channel-Token": "guessed"},
        {"X-Goog-Channel-Token": ""},
        {"X-Goog-Channel-ID": new_id()},
        {"X-Goog-Channel-ID": "no uuid' OR 1"},
        {"X-Goog-Resource-State": "sync"},
    ],
    ids=["wrong token", "no token", "unknown channel", "nonsense", "the first message"],
)
async def test_what_google_did_not_send_does_nothing(api: Api, changed: dict[str, str]) -> None:
    channel = await channel_of(api, "google")
    before = await snapshot(api.database)
    answer = await sent(api, "/hooks/google", google(channel, **changed))
    assert (answer.status_code, answer.content) == (204, b"")
    assert await snapshot(api.database) == before


async def test_a_token_in_other_letters_does_nothing(api: Api) -> None:
    channel = await channel_of(api, "google")
    before = await snapshot(api.database)
    headers = [(name.encode(), value.encode()) for name, value in google(channel).items()]
    headers = [(name, b"gu\xe9ssed" if name.endswith(b"Token") else value) for name, value in headers]
    async with client_of(api.app) as client:
        assert (await client.post("/hooks/google", headers=headers)).status_code == 204
    assert await snapshot(api.database) == before


async def test_a_channel_of_another_provider_does_nothing(api: Api) -> None:
    channel = await channel_of(api, "microsoft", SUBSCRIPTION)
    before = await snapshot(api.database)
    await sent(api, "/hooks/google", google(channel))
    assert await snapshot(api.database) == before


async def test_graph_proves_the_address_before_it_subscribes(api: Api) -> None:
    answer = await sent(api, "/hooks/microsoft?validationToken=Validation%3A+Testing+%26+%C3%A9%3Cb%3E")
    assert (answer.status_code, answer.text) == (200, "Validation: Testing & é<b>")
    assert answer.headers["content-type"].split(";")[0] == "text/plain"


async def test_graph_tells_of_a_change(api: Api) -> None:
    channel = await channel_of(api, "microsoft", SUBSCRIPTION)
    answer = await sent(api, "/hooks/microsoft", json=graph())
    assert answer.status_code == 202
    assert (await lanes(api))[sync_lane(channel.calendar_id)] == ports_of(api).clock()


@pytest.mark.parametrize(
    "body",
    [
        graph(clientState="guessed"),
        graph(clientState=None),
        graph(clientState="gu\u00e9ssed \U0001f600"),
        graph(subscriptionId=new_id()),
        graph(subscriptionId=None),
        {"value": "x"},
        {},
        [],
    ],
)
async def test_what_graph_did_not_send_does_nothing(api: Api, body: Any) -> None:
    await channel_of(api, "microsoft", SUBSCRIPTION)
    before = await snapshot(api.database)
    assert (await sent(api, "/hooks/microsoft", json=body)).status_code == 202
    assert (await sent(api, "/hooks/microsoft", content=b"\xff{")).status_code == 202
    assert await snapshot(api.database) == before


@pytest.mark.parametrize("forged", [True, False])
async def test_the_largest_message_is_answered_within_three_seconds(api: Api, forged: bool) -> None:
    """As Graph asks. A thousand items of one channel are one piece of work; a thousand inventions are none."""
    channel = await channel_of(api, "microsoft", SUBSCRIPTION)
    before = await snapshot(api.database)
    items = [graph(**({"subscriptionId": new_id()} if forged else {}))["value"][0] for _ in range(1000)]
    began = time.process_time()  # what else the machine does at the time does not count
    assert (await sent(api, "/hooks/microsoft", json={"value": items})).status_code == 202
    assert time.process_time() - began < 3
    assert (await snapshot(api.database) == before) == forged
    assert (sync_lane(channel.calendar_id) in await lanes(api)) != forged


@pytest.mark.parametrize("path", ["/hooks/google", "/hooks/microsoft"])
async def test_a_message_that_comes_again_does_nothing_more(api: Api, path: str) -> None:
    """It has the calendar read once more, which is all that any message does."""
    provider = path.rpartition("/")[2]
    channel = await channel_of(api, provider, SUBSCRIPTION)

    async def again() -> None:
        if provider == "google":
            await sent(api, path, google(channel))
        else:
            await sent(api, path, json=graph())

    await again()
    after_one = await lanes(api)
    for _ in range(5):
        await again()
    assert await lanes(api) == after_one
    async with ports_of(api).read() as work:
        assert await work.channels.get(channel.id) == channel


@pytest.mark.parametrize(
    ("event", "stays"), [("missed", True), ("subscriptionRemoved", False), ("reauthorizationRequired", True)]
)
async def test_graph_tells_of_the_subscription_itself(api: Api, event: str, stays: bool) -> None:
    channel = await channel_of(api, "microsoft", SUBSCRIPTION)
    answer = await sent(api, "/hooks/microsoft", json=graph(lifecycleEvent=event))
    assert answer.status_code == 202
    assert (await lanes(api))[sync_lane(channel.calendar_id)] == ports_of(api).clock()
    assert watch_lane(channel.calendar_id) not in await lanes(api)  # this calendar's provider has no channels
    async with ports_of(api).read() as work:
        kept = await work.channels.get(channel.id)
    assert (kept is not None) == stays
    if event == "reauthorizationRequired":  # renewed by the next look at it
        assert kept is not None
        assert kept.expires_at - ports_of(api).clock() <= MARGIN_SECONDS

"""The fake Google itself, as far as the program does not ask for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from aiohttp import web

from tests.capabilities import need
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_api import BASE
from tests.fakes.google_events import FakeCalendar, Json
from tests.support.calendar_servers import Box
from tests.support.clock import Clock

pytestmark = pytest.mark.anyio
ALL = ("calendar", "calendar.events", "calendar.readonly")
HOOK = "http://127.0.0.1"


@pytest.fixture
async def fake() -> AsyncIterator[FakeGoogle]:
    """A fake that keeps its own contract."""
    need("contracts")
    made = await FakeGoogle(Clock()).start()
    yield made
    await made.stop()
    assert made.broken == [], made.broken


@pytest.fixture
async def client(fake: FakeGoogle) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with every right."""
    tokens = fake.person(PERSON, *(f"https://www.googleapis.com/auth/{each}" for each in ALL))
    headers = {"Authorization": f"Bearer {tokens.access}"}
    async with httpx2.AsyncClient(base_url=f"{fake.url}{BASE}", headers=headers, trust_env=False) as made:
        yield made


@pytest.fixture
def calendar(fake: FakeGoogle, client: httpx2.AsyncClient) -> FakeCalendar:
    """The primary calendar."""
    return fake.service.calendars[PERSON]


def event(day: int, **fields: Any) -> Json:
    times = {name: {"dateTime": f"2027-03-{day:02}T{hour}:00:00Z", "timeZone": "UTC"}
             for name, hour in (("start", "09"), ("end", "10"))}  # fmt: skip
    return {**times, **fields}


async def test_free_busy_knows_what_takes_time(client: httpx2.AsyncClient, calendar: FakeCalendar) -> None:
    calendar.insert(event(2))
    calendar.insert(event(3, transparency="transparent"))
    declined = calendar.insert(event(4))
    calendar.patch(declined["id"], {"attendees": [{"email": PERSON, "responseStatus": "declined"}]})
    calendar.insert(event(5, recurrence=["RRULE:FREQ=DAILY;COUNT=2"]))
    body = {
        "timeMin": "2027-03-01T00:00:00Z",
        "timeMax": "2027-03-30T00:00:00Z",
        "items": [{"id": PERSON}, {"id": "nobody@example.com"}],
    }
    answer = (await client.post("/freeBusy", json=body)).json()["calendars"]
    assert [each["start"][8:10] for each in answer[PERSON]["busy"]] == ["02", "05", "06"]
    assert answer["nobody@example.com"]["errors"][0]["reason"] == "notFound"  # inside a 200


async def test_a_series_is_told_whole_or_by_instances(client: httpx2.AsyncClient, calendar: FakeCalendar) -> None:
    made = calendar.insert(event(2, recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    calendar.change_instance(made["id"], datetime(2027, 3, 3, 9, tzinfo=UTC), status="cancelled")
    path = f"/calendars/{PERSON}/events"
    whole = (await client.get(path)).json()["items"]
    assert [(each["id"], each["status"]) for each in whole] == [
        (made["id"], "confirmed"),
        (f"{made['id']}_20270303T090000Z", "cancelled"),
    ]
    single = (await client.get(path, params={"singleEvents": "true", "orderBy": "startTime"})).json()["items"]
    assert [each["start"]["dateTime"][8:10] for each in single if each["status"] != "cancelled"] == ["02", "04"]
    instances = (await client.get(f"{path}/{made['id']}/instances")).json()["items"]
    assert len(instances) == 2
    one = (await client.get(f"{path}/{made['id']}_20270304T090000Z")).json()
    assert one["recurringEventId"] == made["id"]


async def test_time_bounds_are_of_the_end_and_the_start(client: httpx2.AsyncClient, calendar: FakeCalendar) -> None:
    calendar.insert(event(2))
    path = f"/calendars/{PERSON}/events"
    for params, count in (
        ({"timeMin": "2027-03-02T09:30:00Z"}, 1),
        ({"timeMin": "2027-03-02T10:00:00Z"}, 0),
        ({"timeMax": "2027-03-02T09:30:00Z"}, 1),
        ({"timeMax": "2027-03-02T09:00:00Z"}, 0),
    ):
        assert len((await client.get(path, params=params)).json()["items"]) == count


async def test_a_conference_is_made_only_for_those_who_know_of_conferences(
    client: httpx2.AsyncClient, calendar: FakeCalendar
) -> None:
    asked = {"createRequest": {"requestId": "abc-defg-hij", "conferenceSolutionKey": {"type": "hangoutsMeet"}}}
    body = event(2, conferenceData=asked)
    path = f"/calendars/{PERSON}/events"
    made = (await client.post(path, json=body, params={"conferenceDataVersion": 1, "sendUpdates": "none"})).json()
    assert made["hangoutLink"].startswith("https://meet.google.com/")


async def test_patch_merges_and_answers_409_410_412(client: httpx2.AsyncClient, calendar: FakeCalendar) -> None:
    path = f"/calendars/{PERSON}/events"
    made = (await client.post(path, json=event(2, id="abcde", summary="One"))).json()
    assert (await client.post(path, json=event(2, id="abcde"))).status_code == 409
    patched = (await client.patch(f"{path}/abcde", json={"location": "Here"})).json()
    assert (patched["summary"], patched["location"]) == ("One", "Here")
    stale = {"If-Match": made["etag"]}
    assert (await client.patch(f"{path}/abcde", json={"location": "There"}, headers=stale)).status_code == 412
    assert (await client.delete(f"{path}/abcde")).status_code == 204
    gone = await client.delete(f"{path}/abcde")
    assert (gone.status_code, gone.json()["error"]["errors"][0]["reason"]) == (410, "deleted")


async def watched(fake: FakeGoogle, client: httpx2.AsyncClient, box: Box, name: str = "one") -> None:
    fake.service.checks_channels = False  # the receiver is on this machine, without TLS
    body = {"id": name, "type": "web_hook", "address": f"{box.url}hooks/google", "token": "secret"}
    (await client.post(f"/calendars/{PERSON}/events/watch", json=body)).raise_for_status()


async def test_push_messages_have_no_body_and_their_numbers_have_gaps(
    fake: FakeGoogle, client: httpx2.AsyncClient, calendar: FakeCalendar, box: Any
) -> None:
    statuses = [200, 503, 200, 200]

    async def answer(request: Any, body: str) -> Any:
        return web.Response(status=statuses.pop(0))

    receiver: Box = await box(interfere=answer)
    await watched(fake, client, receiver)
    assert await fake.deliver() == [200]
    assert await fake.deliver() == []  # nothing changed
    calendar.insert(event(2))
    assert await fake.deliver() == [503]
    assert await fake.deliver() == [200]  # again
    seen = [each.headers for each in receiver.seen]
    assert [each["X-Goog-Resource-State"] for each in seen] == ["sync", "exists", "exists"]
    assert [each["X-Goog-Message-Number"] for each in seen] == ["1", "4", "4"]
    assert {each["X-Goog-Channel-Token"] for each in seen} == {"secret"}
    assert {each.body for each in receiver.seen} == {""}


async def test_push_messages_can_be_lost_doubled_and_turned_round(
    fake: FakeGoogle, client: httpx2.AsyncClient, calendar: FakeCalendar, box: Any
) -> None:
    async def answer(request: Any, body: str) -> Any:
        return web.Response(status=200)

    receiver: Box = await box(interfere=answer)
    await watched(fake, client, receiver)
    fake.announce()
    calendar.insert(event(2))
    fake.announce()
    calendar.insert(event(3))
    fake.announce()
    sync, first, second = fake.outbox
    fake.outbox.clear()  # lost, as far as Google knows
    await fake.deliver([second, first, first])
    assert [each.headers["X-Goog-Message-Number"] for each in receiver.seen] == ["7", "4", "4"]
    assert sync.state == "sync"


async def test_a_channel_ends_without_a_word(
    fake: FakeGoogle, client: httpx2.AsyncClient, calendar: FakeCalendar, box: Any
) -> None:
    receiver: Box = await box()
    await watched(fake, client, receiver)
    clock = fake.clock
    assert isinstance(clock, Clock)
    clock.advance(8 * 86400)
    calendar.insert(event(2))
    assert await fake.deliver() == []


async def test_userinfo_names_the_account(fake: FakeGoogle, client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"{fake.url}/oauth2/v2/userinfo")).json()["email"] == PERSON


async def test_an_answer_to_an_invitation_is_the_persons(fake: FakeGoogle, calendar: FakeCalendar) -> None:
    made = calendar.insert(event(2, attendees=[{"email": PERSON}, {"email": "bob@example.com"}]))
    fake.respond(PERSON, made["id"], "declined")
    answers = {each["email"]: each.get("responseStatus") for each in calendar.events[made["id"]]["attendees"]}
    assert answers == {PERSON: "declined", "bob@example.com": None}


async def test_contacts_are_searched_and_added(fake: FakeGoogle) -> None:
    scopes = ("contacts", "contacts.other.readonly")
    tokens = fake.person("bob@example.com", *(f"https://www.googleapis.com/auth/{each}" for each in scopes))
    fake.people.add("bob@example.com", "Casey Client", "casey@example.org")
    fake.people.add("bob@example.com", "Cas Other", "cas@example.net", is_other=True)
    headers = {"Authorization": f"Bearer {tokens.access}"}
    mask = {"readMask": "names,emailAddresses"}
    async with httpx2.AsyncClient(base_url=fake.url, headers=headers, trust_env=False) as client:
        path = "/v1/people:searchContacts"
        assert (await client.get(path, params={"query": "cas", **mask})).json()["results"] == []  # not warm yet
        await client.get(path, params={"query": "", **mask})
        found = (await client.get(path, params={"query": "cas", **mask})).json()["results"]
        assert [each["person"]["emailAddresses"][0]["value"] for each in found] == ["casey@example.org"]
        others_path = "/v1/otherContacts:search"
        assert (await client.get(others_path, params={"query": "cas", **mask})).json()["results"] == []
        await client.get(others_path, params={"query": "", **mask})
        others = (await client.get(others_path, params={"query": "cas", **mask})).json()["results"]
        assert [each["person"]["emailAddresses"][0]["value"] for each in others] == ["cas@example.net"]
        new = {"names": [{"unstructuredName": "Dee New"}], "emailAddresses": [{"value": "dee@example.org"}]}
        (await client.post("/v1/people:createContact", json=new)).raise_for_status()
        assert (await client.get(path, params={"query": "dee", **mask})).json()["results"] == []
        await client.get(path, params={"query": "", **mask})
        assert len((await client.get(path, params={"query": "dee", **mask})).json()["results"]) == 1

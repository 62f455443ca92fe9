"""ETag and If-Match: optional, and enforced when sent, also between two who ask at once."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.http.api import Api, code_of
from tests.http.endpoints import ENDPOINTS, Endpoint

pytestmark = pytest.mark.anyio

READ = {"links": "link", "templates": "template", "schedules": "schedule"}
PATCHED = [each for each in ENDPOINTS if each.versioned and each.method == "PATCH"]
VERSIONED = [each for each in ENDPOINTS if each.versioned]


def thing(endpoint: Endpoint) -> str:
    """Where the thing of an endpoint is read."""
    parts = endpoint.address.split("/")
    return "/".join(parts[: 4 if parts[1] == "public" else 3])


async def send(api: Api, endpoint: Endpoint, version: str | None) -> httpx.Response:
    body = {"json": endpoint.body(api.acme)} if endpoint.body else {}
    headers = {} if version is None else {"If-Match": version}
    return await api.call(endpoint.method, endpoint.at(api.acme), endpoint.sender(api.acme), headers=headers, **body)


@pytest.mark.parametrize("endpoint", VERSIONED, ids=str)
async def test_the_version_that_was_read_is_taken_and_the_next_is_told(api: Api, endpoint: Endpoint) -> None:
    if endpoint.path.endswith(("/no-show", "/public/bookings/{token}/reschedule")):
        await api.post(f"/bookings/{api.acme.pending.id}/confirm", api.acme.owner)
    if endpoint.path.endswith(("/start", "/complete", "/no-show")):
        api.clock.now = api.acme.pending.start  # the later of the two bookings
    if endpoint.path.endswith("/reassign"):  # from now on to anybody who is qualified for the service
        await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json={"service_id": api.acme.service.id})
    if str(endpoint) == "DELETE /resources/{resource_id}":
        await api.delete(f"/services/{api.acme.service.id}", api.acme.admin)  # which needs it
    read = await api.get(thing(endpoint).format(c=api.acme), endpoint.sender(api.acme))
    assert read.status_code == 200, read.text
    etag = read.headers["etag"]
    assert etag == f'"{read.json()["version"]}"' if "version" in read.json() else etag
    answer = await send(api, endpoint, etag)
    assert answer.status_code in {200, 204}, answer.text
    if answer.status_code == 200:
        assert answer.headers["etag"] == f'"{int(etag.strip(chr(34))) + 1}"'
        again = await send(api, endpoint, etag)
        assert (again.status_code, code_of(again)) == (412, "STALE_VERSION"), "what was read is old by now"


@pytest.mark.parametrize("version", [None, "*", 'W/"1"', '"1"', ' "1" '])
async def test_if_match_is_optional_and_may_be_weak(api: Api, version: str | None) -> None:
    """Proxies that compress weaken tags."""
    headers = {} if version is None else {"If-Match": version}
    answer = await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json={"title": "T"}, headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("endpoint", PATCHED, ids=str)
async def test_of_those_who_saw_the_same_version_one_wins(api: Api, endpoint: Endpoint) -> None:
    read = await api.get(thing(endpoint).format(c=api.acme), api.acme.owner)
    answers = await asyncio.gather(*(send(api, endpoint, read.headers["etag"]) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


@pytest.mark.parametrize("endpoint", PATCHED, ids=str)
async def test_without_if_match_all_are_kept_one_after_the_other(api: Api, endpoint: Endpoint) -> None:
    read = await api.get(thing(endpoint).format(c=api.acme), api.acme.owner)
    answers = await asyncio.gather(*(send(api, endpoint, None) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    first = read.json()["version"]
    assert sorted(answer.json()["version"] for answer in answers) == list(range(first + 1, first + 7))


async def test_six_toggles_at_once_toggle_six_times(api: Api) -> None:
    path = f"/links/{api.acme.link.id}/toggle"
    answers = await asyncio.gather(*(api.post(path, api.acme.owner) for _ in range(6)))
    assert sorted(answer.json()["is_active"] for answer in answers) == [False] * 3 + [True] * 3


async def test_two_schedules_made_the_default_one_at_once(api: Api) -> None:
    """One of them is it, whoever came last; nobody is told of a broken database."""
    made = [
        (await api.post("/schedules", api.acme.owner, json={"name": name, "timezone": "UTC"})).json()["id"]
        for name in ("A", "B", "C")
    ]
    answers = await asyncio.gather(
        *(api.patch(f"/schedules/{each}", api.acme.owner, json={"is_default": True}) for each in made)
    )
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    schedules = (await api.get("/schedules", api.acme.owner)).json()["items"]
    assert len([schedule for schedule in schedules if schedule["is_default"]]) == 1


async def test_links_without_a_slug_get_one_each(api: Api) -> None:
    """Also titles that have no letters for one, also at once."""
    answers = await asyncio.gather(
        *(api.post("/links", api.acme.owner, json={"title": "Знакомство"}) for _ in range(5)),
        *(api.post("/links", api.acme.owner, json={"title": "Intro"}) for _ in range(3)),
    )
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    slugs = [answer.json()["slug"] for answer in answers]
    assert len(set(slugs)) == 8
    assert sorted(slugs[:5]) == ["link", "link-2", "link-3", "link-4", "link-5"]
    assert sorted(slugs[5:]) == ["intro-2", "intro-3", "intro-4"]


async def test_a_copy_is_off_and_the_copiers(api: Api) -> None:
    """An admin copies somebody else's link: with the admin's own hours."""
    acme = api.acme
    await api.patch(f"/links/{acme.link.id}", acme.owner, json={"schedule_id": acme.schedule.id})
    for who_copies, schedule in ((acme.owner, acme.schedule.id), (acme.admin, None)):
        answer = await api.post(f"/links/{acme.link.id}/duplicate", who_copies)
        assert answer.status_code == 201, answer.text
        copy = answer.json()
        assert (copy["is_active"], copy["owner_id"], copy["schedule_id"]) == (False, who_copies.id, schedule)
        assert copy["durations"] == [30, 60]


async def test_who_did_not_come_and_who_is_cancelled(api: Api) -> None:
    acme = api.acme
    api.clock.now = acme.booking.start
    done = await api.post(f"/bookings/{acme.booking.id}/no-show", acme.owner)
    assert done.json()["status"] == "no_show"
    late = await api.post(f"/bookings/{acme.booking.id}/confirm", acme.owner)
    assert late.json()["status"] == "confirmed", "they came after all"
    gone = await api.delete(f"/bookings/{acme.pending.id}", acme.owner)
    assert gone.json()["status"] == "cancelled"
    assert (await api.get(f"/bookings/{acme.pending.id}", acme.owner)).json()["status"] == "cancelled", (
        "nothing is erased"
    )
    history = (await api.get(f"/bookings/{acme.pending.id}/history", acme.owner)).json()["items"]
    assert [entry["action"] for entry in history] == ["booking.created", "booking.cancel"]

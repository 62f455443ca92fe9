"""Recurring sets and stays that several processes book at once: a set is whole or not there, and nothing overlaps."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.db import models as m
from app.domain.services import Need
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from tests.faults.invariants import check_all, untold
from tests.faults.journal import DAY
from tests.faults.site import Site, site
from tests.faults.storm import Offer, Storm, check_refusal
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270302
SERVERS = 3
HALF_HOUR, WEEK = 1800, 7 * DAY
SETS = 40


async def test_sets_are_whole_or_not_there(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Three hosts, a link of each and a pool of all: sets of three to five weeks on few times, half of them content
    with what is free, among single bookings, while others cancel what follows."""
    seed = int(time.time()) if soak else SEED
    print(f"seed {seed}")
    async with site(database_url, tmp_path, SERVERS) as place:
        offers = await _offers(place)
        async with Storm(place.urls, place.day, seed) as storm:
            jobs = [_set(storm, offers[turn % len(offers)]) for turn in range(SETS * (5 if soak else 1))]
            singles = [storm.book(offer, _start(storm, weeks=5)) for offer in offers for _ in range(4)]
            made = [each for each in await asyncio.gather(*jobs, *singles) if isinstance(each, dict)]
            cancelled = await asyncio.gather(*(_cancel(storm, each) for each in made[::3] for _ in range(2)))
            print(dict(sorted(storm.answers.items())))
            stored = await place.workspace.rows(m.bookings)
            await check_all(place.workspace.parts.database)
            _check_sets(made, stored, {part for parts in cancelled for part in parts})
            assert len(stored) == sum(len(each["series"]) for each in made) + len(storm.bookings)
            assert storm.answers["set", 201] >= 3
            assert storm.answers["set", 409] >= 3

        async def all_told() -> bool:
            return not await untold(place.workspace.parts.database, int(time.time()))

        await eventually(all_told, "everybody is told", 180, 0.5)


async def test_rooms_are_slept_in_once(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Two rooms, and stays of one to four nights on ten dates by many at once: no night of a room is sold twice, and
    whoever was refused finds one of their nights taken in each."""
    async with site(database_url, tmp_path, SERVERS) as place:
        nights, first = (1, 2, 4), place.day + 15 * 3600
        offer = await _rooms(place, nights)
        async with Storm(place.urls, place.day, int(time.time()) if soak else SEED) as storm:
            wishes = [(first + storm.chance.randrange(10) * DAY, storm.chance.choice(nights)) for _ in range(60)]
            stays = [replace(offer, duration=night * 1440) for _, night in wishes]
            asked = (storm.book(stay, start) for stay, (start, _) in zip(stays, wishes, strict=True))
            answers = await asyncio.gather(*asked)
            await check_all(place.workspace.parts.database)
        claims = await place.workspace.rows(m.claims)
        sold: dict[str, list[int]] = {str(claim["host_id"]): [] for claim in claims}
        for claim in claims:
            begin, length = claim["start_at"], claim["end_at"] - claim["start_at"]
            assert length % DAY == 20 * 3600, "from 15:00 to 11:00"
            sold[str(claim["host_id"])] += [begin + night * DAY for night in range(length // DAY + 1)]
        assert len(sold) == 2
        assert all(len(set(taken)) == len(taken) for taken in sold.values())
        assert len(claims) == sum(answer.status_code == 201 for answer in answers) >= 5
        for (start, night), answer in zip(wishes, answers, strict=True):
            wanted = {start + number * DAY for number in range(night)}
            full = all(wanted.intersection(taken) for taken in sold.values())
            assert answer.status_code == 201 or full, "refused for nothing"


async def _rooms(place: Site, nights: Sequence[int]) -> Offer:
    """A link of two rooms; by the clock of UTC, in which the days of these tests are."""
    ports, owner = place.workspace.ports, place.workspace.owner
    room = await create_resource(ports, owner, {"name": "Room", "quantity": 2})
    async with ports.read() as work:
        hours = (await work.hosts.schedules(owner.id))[0].id
    shape = {"name": "Room", "durations": tuple(night * 1440 for night in nights), "schedule_id": hours}
    service = await create_service(ports, owner, {**shape, "check_in": "15:00", "check_out": "11:00"}, [Need(room.id)])
    return place.offered(await place.workspace.link("room", service_id=service.id))


async def _offers(place: Site) -> list[Offer]:
    team = [place.workspace.owner, *[await place.workspace.user(name) for name in ("ana", "ben")]]
    values: dict[str, Any] = {"max_repeats": 52}
    alone = [await place.offer(f"only-{user.handle}", user, **values) for user in team[:2]]
    limited = await place.offer("limited", team[2], max_per_day=2, **values)
    return [*alone, limited, await place.shared_offer("pool", team, "pool", **values)]


def _start(storm: Storm, weeks: int = 1) -> int:
    return storm.day + storm.chance.randrange(weeks) * WEEK + storm.chance.randrange(4) * HALF_HOUR


async def _set(storm: Storm, offer: Offer) -> dict[str, Any] | httpx2.Response:
    """The answer of a set that was booked, with what was asked for."""
    start, key = _start(storm), str(uuid.UUID(int=storm.chance.getrandbits(128)))
    repeat = {"times": storm.chance.randint(3, 5), "only_free": storm.chance.random() < 0.5}
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))
    body = {
        "start": moment, "duration": offer.duration, "timezone": "UTC", "name": "Guest",
        "email": f"guest-{key}@example.org", "repeat": repeat,
    }  # fmt: skip
    path = f"/api/v1/public/{offer.token}/book"
    answer = await storm.send("set", "POST", path, json=body, headers={"Idempotency-Key": key})
    if answer.status_code != 201:
        problem = check_refusal(answer, {409})
        assert problem["taken"]
        return answer
    return {**answer.json(), "asked": repeat}


async def _cancel(storm: Storm, made: dict[str, Any]) -> list[str]:
    """Cancel the set from its first on; the ids of those that this request cancelled."""
    path = f"/api/v1/public/bookings/{made['booking_token']}/cancel"
    answer = await storm.send("cancel", "POST", path, json={"following": True})
    if answer.status_code != 200:
        check_refusal(answer, {422})
        return []
    return [part["id"] for part in answer.json()["series"]]


def _check_sets(made: list[dict[str, Any]], stored: list[Any], cancelled: set[str]) -> None:
    by_id = {str(row["id"]): row for row in stored}
    sizes = Counter(str(row["series_id"]) for row in stored if row["series_id"] is not None)
    assert sizes == {each["id"]: len(each["series"]) for each in made}, "sets that nobody was answered, or in part"
    for each in made:
        rows = [by_id[part["id"]] for part in each["series"]]
        assert {str(row["series_id"]) for row in rows} == {each["id"]}
        assert all((row["start_at"] - rows[0]["start_at"]) % WEEK == 0 for row in rows)
        assert len(rows) + len(each["left_out"]) == each["asked"]["times"]
        assert each["asked"]["only_free"] or not each["left_out"]
        states = {row["status"] for row in rows}
        assert len(states) == 1, "cancelled as a whole"
        assert states == ({"cancelled"} if each["id"] in cancelled else {"confirmed"})

"""All kinds of offers at once, over several processes that die and come again: people alone, pools, collectives, a
fixed person with one of a pool and chairs, classes with seats, rooms by the night, recurring sets and requests that
wait for approval, whose holds run out while others book."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.services import Need, ServiceHost
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from tests.faults.holds import run_out
from tests.faults.invariants import check_all, untold
from tests.faults.journal import DAY
from tests.faults.site import Site, free_leases, kill_at_random, site
from tests.faults.storm import Offer, Storm, check_refusal, moment
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270306
SERVERS = 3
HALF_HOUR, WEEK = 1800, 7 * DAY
ROUNDS, TURNS, KILLS, CLIENTS = 2, 110, 2, 16
CATCH_UP_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Kind:
    """An offer with the starts that people ask for; the most seats that one asks for at once, whether sets are booked,
    and the class that staff give."""

    offer: Offer
    starts: Sequence[int]
    seats: int = 1
    repeats: bool = False
    service: str | None = None


@dataclass
class Crowd:
    """Recipients and staff. `parts` are the bookings of sets but for the first, which the storm knows."""

    storm: Storm
    place: Site
    kinds: Sequence[Kind]
    staff: dict[str, str]
    parts: set[str] = field(default_factory=set)

    async def anything(self, turns: int) -> None:
        """So many things, many at once."""
        todo = iter(range(turns))

        async def client() -> None:
            for _ in todo:
                await self._one()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))

    async def _one(self) -> None:
        chance, there = self.storm.chance, self.storm.open_bookings
        choice = chance.random()
        if choice < 0.4 or not there:
            await self._book(chance.choice(self.kinds))
        elif choice < 0.55:
            held = chance.choice(there)
            kind = next(each for each in self.kinds if each.offer.token == held.offer.token)
            await self.storm.move(held, chance.choice(kind.starts))
        elif choice < 0.62:
            await self.storm.cancel(chance.choice(there))
        elif choice < 0.67:
            await self._cancel_set(chance.choice(there).token)
        elif choice < 0.87:
            await chance.choice((self._set_session, self._move_session, self._move_session, self._cancel_session))()
        else:
            await chance.choice((self._confirm, self._let_lapse, self._reassign))()

    # recipients

    async def _book(self, kind: Kind) -> None:
        start, offer = self.storm.chance.choice(kind.starts), kind.offer
        if kind.repeats and self.storm.chance.random() < 0.6:
            await self._book_set(kind, start)
        else:
            await self.storm.book(offer, start, seats=self.storm.chance.randint(1, kind.seats))

    async def _book_set(self, kind: Kind, start: int) -> None:
        repeat = {"times": self.storm.chance.randint(2, 4), "only_free": self.storm.chance.random() < 0.5}
        answer = await self.storm.book(kind.offer, start, repeat=repeat)
        if answer.status_code == 201:
            made = answer.json()
            self.parts |= {part["id"] for part in made["series"]} - {made["id"]}

    async def _cancel_set(self, token: str) -> None:
        """From this one on, where it is one of a set."""
        path = f"/api/v1/public/bookings/{token}/cancel"
        answer = await self.storm.send("cancel set", "POST", path, json={"following": True})
        if answer.status_code != 200:
            check_refusal(answer, {412, 422})

    # staff

    async def _ask(self, kind: str, method: str, path: str, allowed: set[int], **options: Any) -> httpx2.Response:
        headers = {**self.staff, "Idempotency-Key": self.storm.random_id()} if method == "POST" else self.staff
        answer = await self.storm.send(kind, method, f"/api/v1{path}", headers=headers, **options)
        if answer.status_code not in (200, 201):
            assert answer.status_code in allowed, (kind, answer.status_code, answer.text[:500])
        return answer

    async def _row(self, *where: Any) -> Any | None:
        rows = await self.place.workspace.rows(select(m.bookings).where(*where).order_by(m.bookings.c.id))
        return self.storm.chance.choice(rows) if rows else None

    async def _session(self) -> Any | None:
        return await self._row(m.bookings.c.capacity.is_not(None), m.bookings.c.status == "confirmed")

    async def _set_session(self) -> None:
        kind = self.storm.chance.choice([each for each in self.kinds if each.service])
        start = moment(self.storm.chance.choice(kind.starts))
        wanted = {"service_id": kind.service, "start": start, "duration": kind.offer.duration}
        await self._ask("set session", "POST", "/slots", {409}, json=wanted)

    async def _move_session(self) -> None:
        """A whole session, with all who have seats in it."""
        session = await self._session()
        if session is not None:
            kind = next(each for each in self.kinds if each.service == str(session["service_id"]))
            body = {"start": moment(self.storm.chance.choice(kind.starts))}
            await self._ask("move session", "POST", f"/bookings/{session['id']}/reschedule", {409, 412, 422}, json=body)

    async def _cancel_session(self) -> None:
        session = await self._session()
        if session is not None:
            await self._ask("cancel session", "DELETE", f"/slots/{session['id']}", {412, 422})

    async def _confirm(self) -> None:
        """In time or too late."""
        request = await self._row(m.bookings.c.status == "pending")
        if request is not None:
            await self._ask("confirm", "POST", f"/bookings/{request['id']}/confirm", {409, 412, 422})

    async def _let_lapse(self) -> None:
        request = await self._row(m.bookings.c.status == "pending", m.bookings.c.hold_expires_at > int(time.time()))
        if request is not None:
            await run_out(self.place.workspace, str(request["id"]))

    async def _reassign(self) -> None:
        (pooled,) = [kind.offer.link for kind in self.kinds if kind.offer.token.endswith(".pool")]
        booking = await self._row(m.bookings.c.link_id == pooled, m.bookings.c.status == "confirmed")
        if booking is not None:
            host = self.storm.chance.choice(self.place.workspace.users)
            await self._ask(
                "reassign", "POST", f"/bookings/{booking['id']}/reassign", {409, 412, 422}, json={"host": host.id}
            )


async def test_every_kind_of_offer_at_once(database_url: str, tmp_path: Path, soak: bool) -> None:
    """After each round, in which processes die, the rules of all bookings hold. In the end all holds run out, and
    whatever they held can be booked at once, before any worker has looked at them."""
    seed, times = (int(time.time()), 5) if soak else (SEED, 1)
    print(f"seed {seed}")
    chance = random.Random(seed)
    async with site(database_url, tmp_path, SERVERS) as place:
        database, kinds = place.workspace.parts.database, await _kinds(place)
        async with Storm(place.urls, place.day, seed, patient=True) as storm:
            crowd = Crowd(storm, place, kinds, await place.staff())
            for _ in range(ROUNDS * times):
                killer = asyncio.create_task(kill_at_random(place, chance, KILLS))
                await crowd.anything(TURNS)
                await killer
                await check_all(database)
            await _what_ran_out_blocks_nothing(crowd)
            await check_all(database)
            print(dict(sorted(storm.answers.items())), f"asked again {storm.asked_again} times")
            rows = await place.workspace.rows(select(m.bookings).where(m.bookings.c.capacity.is_(None)))
            assert {str(row["id"]) for row in rows} == set(storm.bookings) | crowd.parts, "answers and bookings differ"
            for done in ("book", "move", "cancel", "cancel set", "move session", "cancel session", "confirm"):
                assert storm.answers[done, 200] or storm.answers[done, 201], done

        async def all_told() -> bool:
            await free_leases(place)
            return not await untold(database, int(time.time()))

        await eventually(all_told, "everybody is told", CATCH_UP_SECONDS, 0.5)
        await check_all(database)


async def _what_ran_out_blocks_nothing(crowd: Crowd) -> None:
    """The requests of single hosts: each time that one held goes to whoever asks next."""
    storm, place = crowd.storm, crowd.place
    (kind,) = [each for each in crowd.kinds if each.offer.token.endswith(".asked")]
    await asyncio.gather(*(storm.book(kind.offer, start) for start in kind.starts))
    bookings = m.bookings.c
    held = select(m.bookings).where(bookings.status == "pending", bookings.link_id == kind.offer.link)
    starts = {int(row["start_at"]) for row in await place.workspace.rows(held)}
    assert starts
    for row in await place.workspace.rows(select(bookings.id).where(bookings.status == "pending")):
        await run_out(place.workspace, str(row["id"]))
    answers = await asyncio.gather(*(storm.book(kind.offer, start) for start in sorted(starts) for _ in range(3)))
    won = [answer.json()["start"] for answer in answers if answer.status_code == 201]
    assert len(won) == len(set(won)) == len(starts), "one of three, each time"


async def _kinds(place: Site) -> list[Kind]:
    ports, admin = place.workspace.ports, place.workspace.owner
    ana, ben = [await place.workspace.user(name) for name in ("ana", "ben")]
    team = [admin, ana, ben]
    slots = [place.day + day * DAY + number * HALF_HOUR for day in (0, WEEK // DAY) for number in range(18, 24)]
    nights = [place.day + day * DAY + 15 * 3600 for day in range(6)]
    chair, room = [
        await create_resource(ports, admin, {"name": name, "quantity": quantity})
        for name, quantity in (("Chair", 3), ("Room", 2))
    ]
    async with ports.read() as work:
        hours = (await work.hosts.schedules(admin.id))[0].id

    async def served(
        slug: str, needs: Sequence[Need], hosts: Sequence[ServiceHost], **values: Any
    ) -> tuple[Offer, str]:
        shape = {"name": slug, "durations": (30,), **values}
        service = await create_service(ports, admin, shape, needs, hosts)
        return place.offered(await place.workspace.link(slug, service_id=service.id)), service.id

    fixed = [ServiceHost(ana.id, is_fixed=True), ServiceHost(ben.id), ServiceHost(admin.id)]
    treatment, _ = await served("treatment", [Need(chair.id, 2)], fixed, mode="fixed_pool", buffer_after=10)
    course, course_id = await served("course", [Need(chair.id)], [ServiceHost(ana.id), ServiceHost(ben.id)], capacity=4)
    talk, talk_id = await served("talk", [], [ServiceHost(ben.id)], capacity=3, requires_approval=True)
    shape = {"durations": (1440, 2880), "schedule_id": hours, "check_in": "15:00", "check_out": "11:00"}
    stay, _ = await served("stay", [Need(room.id)], [], **shape)
    return [
        Kind(await place.offer("own", max_per_day=5), slots),
        Kind(await place.offer("asked", ben, requires_approval=True), slots),
        Kind(await place.shared_offer("pool", team, "pool", max_repeats=10), slots, repeats=True),
        Kind(await place.shared_offer("collective", team[:2], "both", requires_approval=True), slots),
        Kind(treatment, slots),
        Kind(course, slots, seats=3, service=course_id),
        Kind(talk, slots, seats=2, service=talk_id),
        Kind(replace(stay, duration=1440), nights),
        Kind(replace(stay, duration=2880), nights),
    ]

"""A storm of competing requests, and what it saw."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from tests.faults.journal import History
from tests.support.workspace import event_text

DAY = 86400
CODES = {409: "BOOKING_CONFLICT", 410: "LINK_USED", 412: "STALE_VERSION", 422: "BOOKING_NOT_MODIFIABLE"}
PATIENCE_SECONDS = 120
CONNECTIONS = 48


@dataclass(frozen=True, slots=True)
class Offer:
    """A link to book through: its token, the length and step of its times in minutes, its buffers, and for links of
    one host that host's id and the link's own."""

    token: str
    duration: int
    step: int
    before: int = 0
    after: int = 0
    host: str = ""
    link: str = ""

    def claim(self, start: int) -> tuple[int, int]:
        """What a booking at this start would occupy."""
        return start - self.before * 60, start + (self.duration + self.after) * 60


@dataclass
class Held:
    """A booking as the storm knows it; `version` is the newest that was acknowledged."""

    id: str
    token: str
    email: str
    offer: Offer
    start: int
    version: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A time that was refused as taken, and between which instants."""

    offer: Offer
    start: int
    since: float
    until: float
    alternatives: tuple[str, ...]
    booking_id: str | None = None


@dataclass
class Storm:
    """Clients over several servers. Everything random comes from `seed`. A patient storm asks again, and another
    server, when one dies on it."""

    urls: Sequence[str]
    day: int
    seed: int
    patient: bool = False
    chance: random.Random = field(init=False)
    client: httpx2.AsyncClient = field(init=False)
    bookings: dict[str, Held] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    asked_again: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        limits = httpx2.Limits(max_connections=CONNECTIONS)
        self.client = httpx2.AsyncClient(timeout=PATIENCE_SECONDS, limits=limits, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    @property
    def open_bookings(self) -> list[Held]:
        """What the storm has not seen end, in the order it was made."""
        return [held for held in self.bookings.values() if not held.ended]

    def start_for(self, offer: Offer, day: int, hours: int = 24) -> int:
        """A random start on the offer's steps, in the first hours of a day counted from the storm's first."""
        first = self.day + day * DAY
        return first + self.chance.randrange(0, hours * 3600 - offer.duration * 60, offer.step * 60)

    async def send(self, kind: str, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request to one of the servers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = await self.client.request(method, self.chance.choice(list(self.urls)) + path, **options)
            except httpx2.TransportError:
                if not self.patient or time.monotonic() > deadline:
                    raise
                self.asked_again += 1
                await asyncio.sleep(0.1)
                continue
            self.answers[kind, answer.status_code] += 1
            return answer

    async def book(
        self,
        offer: Offer,
        start: int,
        *,
        key: str | None = None,
        name: str = "Guest",
        seats: int = 1,
        email: str | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """Book; each time as somebody else unless `email` is given. Requests with the same `key` are the same request,
        which makes asking again after a lost answer harmless. `more` is sent as it is."""
        key = key or self.random_id()
        email = email or f"guest-{key}@example.org"
        body = {
            "start": moment(start),
            "duration": offer.duration,
            "timezone": "UTC",
            "name": name,
            "email": email,
            "seats": seats,
            **more,
        }
        path, headers, since = f"/api/v1/public/{offer.token}/book", {"Idempotency-Key": key}, time.time()
        answer = await self.send("book", "POST", path, json=body, headers=headers)
        if answer.status_code == 201:
            made = answer.json()
            self.bookings.setdefault(
                made["id"], Held(made["id"], made["booking_token"], email, offer, start, made["version"])
            )
        elif answer.status_code == 422:
            assert answer.json()["code"] == "IDEMPOTENCY_MISMATCH", answer.text
        else:
            self._note_refusal(answer, {409, 410}, offer, start, since)
        return answer

    async def move(self, held: Held, start: int, version: int | None = None) -> httpx2.Response:
        """Move a booking, on demand only if it still is at `version`."""
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        path, since = f"/api/v1/public/bookings/{held.token}/reschedule", time.time()
        answer = await self.send("move", "POST", path, json={"start": moment(start)}, headers=headers)
        if answer.status_code == 200:
            held.version = max(held.version, answer.json()["version"])
        else:
            allowed = {409, 422} if version is None else {409, 412, 422}
            self._note_refusal(answer, allowed, held.offer, start, since, held.id)
        return answer

    async def cancel(self, held: Held) -> httpx2.Response:
        """Cancel a booking."""
        answer = await self.send("cancel", "POST", f"/api/v1/public/bookings/{held.token}/cancel")
        if answer.status_code == 200:
            held.version = max(held.version, answer.json()["version"])
        else:
            check_refusal(answer, {422})
        held.ended = True  # a 422 too says that it is over
        return answer

    async def put_event(self, collection: str, auth: tuple[str, str], start: int, minutes: int) -> str:
        """Put an event into somebody's `personal` calendar by CalDAV; its path."""
        uid = self.random_id()
        path, body = f"{collection}{uid}.ics", event_text(uid, start, start + minutes * 60)
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        answer = await self.send("put", "PUT", path, content=body.encode(), headers=headers, auth=auth)
        assert answer.status_code in (201, 204), (answer.status_code, answer.text[:300])
        self.events.add(path)
        return path

    async def delete_event(self, path: str, auth: tuple[str, str]) -> None:
        """Delete such an event."""
        self.events.discard(path)
        answer = await self.send("delete", "DELETE", path, auth=auth)
        assert answer.status_code in (204, 404), (answer.status_code, answer.text[:300])

    def _note_refusal(
        self,
        answer: httpx2.Response,
        allowed: set[int],
        offer: Offer,
        start: int,
        since: float,
        booking_id: str | None = None,
    ) -> None:
        problem = check_refusal(answer, allowed)
        if answer.status_code == 409:
            alternatives = tuple(problem["alternatives"])
            self.refusals.append(Refusal(offer, start, since, time.time(), alternatives, booking_id))

    def random_id(self) -> str:
        """One that the seed decides."""
        return str(uuid.UUID(int=self.chance.getrandbits(128)))

    def check_refusals(self, history: History) -> None:
        """No time was refused in vain: while the loser was waiting for the answer, something stood there, or the day
        or the week was full."""
        for refusal in self.refusals:
            offer = refusal.offer
            if not offer.host:
                continue  # of several hosts: counted by the tests themselves
            taken = history.was_taken(
                offer.host, *offer.claim(refusal.start), refusal.since, refusal.until, refusal.booking_id
            )
            assert taken or history.was_full(offer.link, refusal.start), f"refused for nothing: {refusal}"


def check_refusal(answer: httpx2.Response, allowed: set[int]) -> dict[str, Any]:
    """A refusal in the contract's words; the loser of a time is told of others, in order."""
    assert answer.status_code in allowed, (answer.status_code, answer.text[:500])
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == CODES[answer.status_code], problem
    assert answer.headers["content-type"] == "application/problem+json"
    if answer.status_code == 409:
        assert problem["alternatives"], "a loser was offered nothing else"
        assert problem["alternatives"] == sorted(problem["alternatives"])
    return problem


def moment(start: int) -> str:
    """An instant as requests name it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start))

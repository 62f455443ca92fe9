"""Whatever people do here and there, and whatever goes wrong on the way: both sides end up equal.

Three hosts keep their calendars at three providers; a link of two of them gives its bookings two events each. Random
deeds of both sides meet random faults. At rest every booking has exactly one event in each of its hosts' calendars,
what the people keep there of their own is untouched and known as busy time, their titles and notes are kept, nothing
was given up, and looking again changes nothing on any side: no own write comes back as a change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, NotModifiable
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.fakes.certificates import Authority
from tests.fakes.microsoft import certificate_authority
from tests.support.calendar_servers import CalendarServer, radicale_server
from tests.support.clock import at
from tests.support.prepared import Prepared
from tests.switches import profile
from tests.use_cases.calendars.office import Office, open_office
from tests.use_cases.calendars.sides import FAULTS, HALF_HOUR, Fault, Kind, Side

__all__ = ["certificate_authority", "radicale_server"]
pytestmark = [pytest.mark.requires("contracts"), pytest.mark.timeout(7200 if profile() == "thorough" else 300)]

STARTS = [at(f"2027-03-{day} {time}") for day in (23, 24) for time in ("09:00", "09:30", "10:00", "10:30", "11:00")]
OFF_STEP = 5 * 60
REFUSED = (CalendarUnavailable, Conflict, NotModifiable)
Result = TypeVar("Result")

starts, numbers = st.sampled_from(STARTS), st.integers(0, 5)


@dataclass
class Known:
    """What the people know of a booking: `may_end` once somebody deleted an event of it, `must_end` once it was
    cancelled; `wishes` are all times that it was ever to be at, `words` title and notes that they gave its events."""

    booking: Booking
    wishes: set[int]
    may_end: bool = False
    must_end: bool = False
    words: dict[str, tuple[str, str]] = field(default_factory=dict)


class InStep(RuleBasedStateMachine):
    """`open_with` opens an office."""

    open_with: Callable[[], Any]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opening = type(self).open_with()
        self.office: Office = self.run(self.opening.__aenter__())
        self.known: list[Known] = []
        self.own: dict[str, dict[str, tuple[int, str]]] = {host: {} for host in self.office.sides}
        self.deeds: list[tuple[str, Known, int]] = []

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.run(self._settle(accept=True))
        finally:
            self.run(self.opening.__aexit__(None, None, None))
            self.runner.close()

    @initialize(chosen=st.permutations(STARTS))
    def some_bookings(self, chosen: list[int]) -> None:
        """Everybody has one, and two have one together."""
        for link in range(len(self.office.links)):
            self.book(link, chosen[link])
        self.settle(accept=True)
        assert len(self.known) == len(self.office.links)

    # here

    @rule(link=numbers, start=starts)
    def book(self, link: int, start: int) -> None:
        links = self.office.links
        with suppress(*REFUSED):
            booking = self.run(self.office.book(links[link % len(links)], start))
            self.known.append(Known(booking, {start}))
            self.deeds.append(("booked", self.known[-1], start))

    @precondition(lambda self: self.known)
    @rule(which=numbers, start=starts)
    def move_here(self, which: int, start: int) -> None:
        known = self._known(which)
        with suppress(*REFUSED):
            self.run(reschedule_booking(self.office.ports, known.booking.id, Move(start), Actor("recipient")))
            known.wishes.add(start)
            self.deeds.append(("moved", known, start))

    @precondition(lambda self: self.known)
    @rule(which=numbers)
    def cancel_here(self, which: int) -> None:
        known = self._known(which)
        with suppress(*REFUSED):
            self.run(take_step(self.office.ports, known.booking.id, "cancel", Actor("recipient")))
            known.must_end = True
            self.deeds.append(("cancelled", known, 0))

    # there, with a booking's event

    @precondition(lambda self: self.known)
    @rule(which=numbers, host=numbers, start=starts, late=st.sampled_from([0, 0, 0, OFF_STEP]))
    def move_there(self, which: int, host: int, start: int, late: int) -> None:
        known, _, side = self._event(which, host)
        event = self.run(side.ours(known.booking.uid))
        if event is not None:
            is_free = not late and self.run(self._is_free(known, start))
            self.run(side.move(event.key, start + late))
            known.wishes.add(start)
            self.deeds.append(("moved" if is_free else "refused", known, start if is_free else event.start))

    @precondition(lambda self: self.known)
    @rule(which=numbers, host=numbers)
    def delete_there(self, which: int, host: int) -> None:
        known, host_id, side = self._event(which, host)
        event = self.run(side.ours(known.booking.uid))
        if event is not None:
            self.run(side.delete(event.key))
            known.may_end = True
            known.words.pop(host_id, None)
            self.deeds.append(("cancelled", known, 0))

    @precondition(lambda self: self.known)
    @rule(which=numbers, host=numbers, words=st.sampled_from(["Bring the plans", "Room 4", "Ärger; nein, danke"]))
    def write_there(self, which: int, host: int, words: str) -> None:
        known, host_id, side = self._event(which, host)
        event = self.run(side.ours(known.booking.uid))
        if event is not None:
            self.run(side.retitle(event.key, words))
            self.run(side.annotate(event.key, f"PS: {words}"))
            known.words[host_id] = (words, f"PS: {words}")
            self.deeds.append(("stays", known, event.start))

    # there, with the person's own events

    @rule(host=numbers, which=numbers, start=starts, deed=st.sampled_from(["busy", "free", "weekly", "move", "delete"]))
    def keep_own_there(self, host: int, which: int, start: int, deed: Kind | Literal["move", "delete"]) -> None:
        host_id, side = self._side(host)
        own = sorted(self.own[host_id])
        if deed not in {"move", "delete"}:
            self.run(side.add(start, cast("Kind", deed), f"Own {start}"))
        elif own and deed == "move":
            self.run(side.move(own[which % len(own)], start))
        elif own:
            self.run(side.delete(own[which % len(own)]))
        events = self.run(side.events())
        self.own[host_id] = {event.key: (event.start, event.title) for event in events if not event.uid}

    # on the way

    @rule(host=numbers, fault=st.sampled_from(FAULTS))
    def something_fails(self, host: int, fault: Fault) -> None:
        self._side(host)[1].fail(fault)

    @rule(seconds=st.sampled_from([1, 30, 130, 400, 700]), host=numbers, pushes=st.sampled_from([0, 0, 1, 2]))
    def time_passes(self, seconds: int, host: int, pushes: int) -> None:
        """Push messages may come, and come twice."""
        self.run(self.office.push(host, pushes))
        self.run(self.office.work(seconds))

    @precondition(lambda self: self.deeds)
    @rule(accept=st.booleans())
    def settle(self, accept: bool) -> None:
        self.run(self._settle(accept))

    # what must hold

    async def _settle(self, accept: bool) -> None:
        office = self.office
        await office.settle(accept=accept)
        await office.check_at_rest([known.booking for known in self.known])
        for host_id, side in office.sides.items():
            there = {event.key: (event.start, event.title) for event in await side.events() if not event.uid}
            assert there == self.own[host_id], f"{side.calendar.provider}: an own event was touched"
        for known in self.known:
            await self._check(known)
        if len(self.deeds) == 1:  # nothing else was in its way: it must have come to just this
            [(deed, known, start)] = self.deeds
            booking = await office.stored(known.booking)
            assert (booking.status == "cancelled") == (deed == "cancelled"), deed
            assert deed == "cancelled" or booking.start == start, deed
        self.deeds.clear()

    async def _check(self, known: Known) -> None:
        booking = await self.office.stored(known.booking)
        assert not known.must_end or booking.status == "cancelled", "a cancelled booking came back"
        assert known.must_end or known.may_end or booking.status == "confirmed", "a booking was lost"
        assert booking.start in known.wishes, "nobody asked for that time"
        if booking.status == "cancelled":
            known.must_end = True
            return
        known.may_end = False
        for host_id, (title, notes) in known.words.items():
            event = await self.office.sides[host_id].ours(booking.uid)
            assert event is not None
            assert event.title == title, f"{self.office.sides[host_id].calendar.provider}: the own title is gone"
            assert notes in event.notes, f"{self.office.sides[host_id].calendar.provider}: the own notes are gone"
            assert booking.recipient.email in event.notes

    # who and what

    def _known(self, which: int) -> Known:
        return self.known[which % len(self.known)]

    def _side(self, host: int) -> tuple[str, Side]:
        sides = list(self.office.sides.items())
        return sides[host % len(sides)]

    def _event(self, which: int, host: int) -> tuple[Known, str, Side]:
        known = self._known(which)
        hosts = known.booking.hosts
        host_id = hosts[host % len(hosts)].id
        return known, host_id, self.office.sides[host_id]

    async def _is_free(self, known: Known, start: int) -> bool:
        """Whether the booking may be there, as its hosts' calendars and bookings are now."""
        hosts = {host.id for host in known.booking.hosts}
        taken = [span for host_id in hosts for span in await self.office.sides[host_id].busy()]
        for other in self.known:
            booking = await self.office.stored(other.booking)
            if other is not known and booking.is_active and hosts & {host.id for host in booking.hosts}:
                taken.append((booking.start, booking.end))
        return all(end <= start or start + HALF_HOUR <= first for first, end in taken)


def in_step(open_with: Callable[[], Any], examples: int) -> None:
    """Try random plans over offices that `open_with` opens, each over an empty database."""
    examples, steps = (examples * 10, 60) if profile() == "thorough" else (examples, 25)
    machine = type("InStep", (InStep,), {"open_with": staticmethod(open_with)})
    plan = settings(max_examples=examples, stateful_step_count=steps)
    # Left alone, most plans end after a few steps; what is looked for needs several to meet.
    run_state_machine_as_test(machine, settings=plan, _min_steps=steps * 2 // 3)


@pytest.fixture
def trusted(certificate_authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The fake Microsoft's certificates count, as those of any authority that the system trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate_authority.bundle))
    return certificate_authority


@pytest.mark.parametrize(("engine", "examples"), [("sqlite", 6), ("postgresql", 3)])
def test_both_sides_come_to_the_same(
    engine: str,
    examples: int,
    databases_with_tables: Callable[[str], Prepared],
    tmp_path_factory: pytest.TempPathFactory,
    radicale_server: CalendarServer,
    trusted: Authority,
) -> None:
    database = databases_with_tables(engine)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Office]:
        copy = database.copy()
        url = await asyncio.to_thread(copy.__enter__)
        try:
            async with open_office(url, tmp_path_factory.mktemp("office"), radicale_server, trusted) as office:
                yield office
        finally:
            await asyncio.to_thread(copy.__exit__, None, None, None)

    in_step(opened, examples)

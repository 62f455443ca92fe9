"""Whatever people do with bookings, in whatever order: the program and a small reference agree on each answer and on
what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from app.db import models as m
from app.domain.booking_state import Step
from app.domain.bookings import Booking, Recipient
from app.domain.errors import HalfpastError
from app.domain.links import Link, OneTimeLink
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_slot import BookingRequest
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import complete_when_over, expire_hold, take_step
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.databases import ENGINES
from tests.support.clock import Clock, at
from tests.support.prepared import Prepared
from tests.support.workspace import make_workspace, opened
from tests.switches import examples
from tests.use_cases.booking_model import HOUR, MINUTE, Held, Model, Offer, Refused

TUESDAY = at("2027-03-02 09:00")
STARTS = st.sampled_from([TUESDAY + half * 30 * MINUTE for half in range(6)] + [TUESDAY + 24 * HOUR])
LINKS = st.sampled_from(["pool", "solo", "both"])
STEPS = st.sampled_from([step for step in get_args(Step) if step != "reschedule"])
NUMBERS = st.integers(0, 30)
Answer = TypeVar("Answer")


class Life(RuleBasedStateMachine):
    """Recipients, staff, time and the worker over one organization."""

    prepared: Prepared
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.made = ExitStack()
        self.runner = self.made.enter_context(asyncio.Runner())
        self.clock = Clock(at("2027-03-01 08:00"))
        self.model = Model(self.clock.now)
        url = self.made.enter_context(self.prepared.copy())
        self.parts = opened(url, self.folder, self.clock, tables=False)
        self.one_time: dict[str, OneTimeLink] = {}
        self.do(self.open())

    def teardown(self) -> None:
        self.do(self.parts.__aexit__(None, None, None))
        self.made.close()

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run it to its end."""
        return self.runner.run(work)

    async def open(self) -> None:
        """Two people; one pool, one link that asks for approval, one that needs both."""
        self.workspace = await make_workspace(await self.parts.__aenter__(), self.clock)
        ana, ben = [await self.workspace.user(name) for name in ("ana", "ben")]
        pool = Offer("pool", 30, "pool", (ana.id, ben.id), after=15, max_per_day=4)
        solo = Offer("solo", 60, "collective", (ana.id,), needs_approval=True)
        both = Offer("both", 30, "collective", (ana.id, ben.id), before=30)
        self.offers = {offer.name: offer for offer in (pool, solo, both)}
        self.links: dict[str, Link] = {}
        for offer in self.offers.values():
            hosts = [user for user in (ana, ben) if user.id in offer.hosts]
            self.links[offer.name] = await self.workspace.shared_link(
                offer.mode,
                hosts,
                offer.name,
                durations=(offer.minutes,),
                buffer_before=offer.before,
                buffer_after=offer.after,
                max_per_day=offer.max_per_day,
                requires_approval=offer.needs_approval,
            )

    def picked(self, number: int) -> Held:
        """One of the bookings there are."""
        held = list(self.model.bookings.values())
        return held[number % len(held)]

    def agree(self, expect: Callable[[], Answer], work: Coroutine[Any, Any, Booking]) -> tuple[Answer, Booking] | None:
        """The two answers; None when both refuse, in the same way."""
        refusal: type[HalfpastError] | None = None
        try:
            expected = expect()
        except Refused as refused:
            refusal = refused.how
        if refusal is None:
            return expected, self.do(work)
        with pytest.raises(refusal):
            self.do(work)
        return None

    def keep(self, answers: tuple[Held, Booking] | None) -> None:
        """Remember a booking that was made."""
        if answers is None:
            return
        expected, booking = answers
        expected.id = booking.id
        self.model.bookings[booking.id] = expected
        if expected.one_time is not None:
            self.model.used[expected.one_time] = booking.id

    # what people do

    @rule(name=LINKS, start=STARTS)
    def recipient_books(self, name: str, start: int) -> None:
        offer = self.offers[name]
        work = self.workspace.book(self.links[name], start, offer.minutes)
        self.keep(self.agree(lambda: self.model.book(offer, start), work))

    @rule(name=LINKS, start=STARTS)
    def staff_book_over_the_rules(self, name: str, start: int) -> None:
        offer = self.offers[name]
        asked = BookingRequest(start, offer.minutes, "UTC", Recipient("Casey", ""))
        wanted = ClientBooking(asked, link_id=self.links[name].id, override=True)
        work = book_for_client(self.workspace.ports, self.workspace.owner, wanted)
        self.keep(self.agree(lambda: self.model.override(offer, start), work))

    @rule()
    def owner_makes_a_one_time_link(self) -> None:
        made = self.do(self.workspace.one_time(self.links["pool"]))
        self.one_time[made.id] = made
        self.model.used[made.id] = None

    @precondition(lambda self: self.one_time)
    @rule(number=NUMBERS, start=STARTS)
    def recipient_books_once(self, number: int, start: int) -> None:
        one_time = list(self.one_time.values())[number % len(self.one_time)]
        work = self.workspace.book(one_time, start)
        self.keep(self.agree(lambda: self.model.book(self.offers["pool"], start, one_time.id), work))

    @precondition(lambda self: self.model.bookings)
    @rule(number=NUMBERS, step=STEPS, is_recipient=st.booleans())
    def somebody_takes_a_step(self, number: int, step: Step, is_recipient: bool) -> None:
        booking = self.picked(number)
        actor = Actor("recipient", booking.id) if is_recipient else Actor("user", self.workspace.owner.id)
        work = take_step(self.workspace.ports, booking.id, step, actor)
        self.agree(lambda: self.model.step(booking, step, is_recipient=is_recipient), work)

    @precondition(lambda self: self.model.bookings)
    @rule(number=NUMBERS, start=STARTS)
    def recipient_moves(self, number: int, start: int) -> None:
        booking = self.picked(number)
        work = reschedule_booking(self.workspace.ports, booking.id, Move(start), Actor("recipient", booking.id))
        self.agree(lambda: self.model.move(booking, start), work)

    # what time does

    @rule(minutes=st.sampled_from([1, 20, 45, 180, 1500]))
    def time_passes(self, minutes: int) -> None:
        self.model.now = self.clock.advance(minutes * MINUTE)

    @rule()
    def worker_comes_by(self) -> None:
        for booking_id in self.model.bookings:
            self.do(expire_hold(self.workspace.ports, booking_id))
            self.do(complete_when_over(self.workspace.ports, booking_id))
        self.model.work()

    # what holds all the time

    @rule(name=LINKS)
    def recipient_looks(self, name: str) -> None:
        offer = self.offers[name]
        shown = self.do(self.workspace.free(self.links[name], TUESDAY, TUESDAY, offer.minutes))
        day = range(TUESDAY - 9 * HOUR, TUESDAY + 15 * HOUR, 30 * MINUTE)
        assert shown == [start for start in day if self.model.is_bookable(offer, start)]

    @invariant()
    def what_is_stored_is_what_was_said(self) -> None:
        stored = {row["id"]: row for row in self.do(self.workspace.rows(m.bookings))}
        hosted: dict[str, set[str]] = {}
        for row in self.do(self.workspace.rows(m.booking_hosts)):
            hosted.setdefault(row["booking_id"], set()).add(row["host_id"])
        found = {
            booking_id: (row["status"], row["start_at"], row["hold_expires_at"], row["version"], row["sequence"])
            for booking_id, row in stored.items()
        }
        assert found == {
            each.id: (each.status, each.start, each.hold, each.version, each.sequence)
            for each in self.model.bookings.values()
        }
        assert hosted == {each.id: set(each.hosts) for each in self.model.bookings.values()}

    @invariant()
    def what_is_active_holds_its_time(self) -> None:
        claims = m.claims.c
        query = select(claims.occurrence_id, claims.host_id, claims.start_at, claims.end_at)
        found = sorted(tuple(row.values()) for row in self.do(self.workspace.rows(query)))
        assert found == self.model.claims()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_program_and_the_reference_agree(
    engine: str, databases_with_tables: Callable[[str], Prepared], tmp_path: Path
) -> None:
    prepared = databases_with_tables(engine)
    here = type("LifeHere", (Life,), {"prepared": prepared, "folder": tmp_path})
    run_state_machine_as_test(here, settings=settings(max_examples=examples(12), stateful_step_count=30))

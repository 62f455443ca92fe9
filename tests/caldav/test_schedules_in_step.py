"""Whatever two devices, recipients and time do to a person's bookings: schedule, bookings and devices end up equal, and
nothing that a device sent is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Conflict, NotModifiable
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.follow_edit import answer_edit
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.dav_server import DavServer, Person
from tests.support.devices import GRACE, href, kept, mails, moved, rows, stored, with_line, work
from tests.switches import profile

pytestmark = pytest.mark.timeout(3600 if profile() == "thorough" else 300)
STARTS = [at(f"2027-04-{day} {time}") for day in ("05", "06") for time in ("09:00", "09:30", "10:00", "10:30")]
CASEY = "casey@example.org"
TIME = re.compile(r"DTSTART[^\r]*\r\nDTEND[^\r]*\r\n")
starts, numbers, device_numbers = st.sampled_from(STARTS), st.integers(0, 5), st.integers(0, 1)


@dataclass
class Device:
    """What one device knows: its mirror (href → etag and text), and where its last look ended."""

    token: str = ""
    mirror: dict[str, tuple[str, str]] = field(default_factory=dict)


class Schedules(RuleBasedStateMachine):
    """`person_of` makes somebody new."""

    person_of: Callable[[], Person]

    def __init__(self) -> None:
        super().__init__()
        self.ana = type(self).person_of()
        self.server = self.ana.server
        self.ports = self.server.workspace.ports
        self.link = self.server.run(self.server.workspace.link(f"in-step-{self.ana.user.handle}", self.ana.user))
        self.devices = [Device(), Device()]
        self.bookings: list[Booking] = []
        self.may_end: set[str] = set()
        self.notes: dict[str, str] = {}

    def teardown(self) -> None:
        self.settle(accept=True)
        self.check()

    # what devices do

    @rule(number=device_numbers)
    def look(self, number: int) -> None:
        """A device brings its mirror up to date, from where it last was."""
        device = self.devices[number]
        answer = self.ana.sync(device.token, self.ana.schedule, props="<D:getetag/><C:calendar-data/>")
        for each in answer.hrefs:
            if answer.status(each) is not None:
                device.mirror.pop(each, None)
            else:
                found = answer.text(each, "D:getetag"), answer.text(each, "C:calendar-data")
                device.mirror[each] = str(found[0]), str(found[1])
        device.token = answer.sync_token

    def known(self, number: int, which: int) -> tuple[str, str, str] | None:
        """One of the events that a device knows: address, tag and text."""
        mirror = sorted(self.devices[number].mirror.items())
        if not mirror:
            return None
        path, (etag, text) = mirror[which % len(mirror)]
        return path, etag, text

    def send(self, path: str, text: str, etag: str | None) -> int:
        headers = {"If_Match": etag} if etag else {}
        answer = self.ana.request("PUT", path, text, **{"Content_Type": "text/calendar", **headers})
        assert answer.status_code in {201, 204, 409, 412}, answer.text
        if answer.status_code in {409, 412}:
            assert self.says_nothing_new(path, text) or text in {row["data"] for row in kept(self.ana)}
        else:  # the whole object counts, as the device has it
            said = re.search(r"COMMENT:[^\r]*", text)
            self.notes[path] = said[0] if said else ""
        return answer.status_code

    def says_nothing_new(self, path: str, text: str) -> bool:
        """Whether what was refused is what is there: nothing is lost by that."""
        there = self.ana.request("GET", path)
        if there.status_code == 404:
            return False
        said, known = ((TIME.findall(each), re.findall(r"COMMENT:[^\r]*", each)) for each in (text, there.text))
        return said == known

    @rule(number=device_numbers, which=numbers, start=starts, careful=st.booleans())
    def move(self, number: int, which: int, start: int, careful: bool) -> None:
        if (event := self.known(number, which)) is not None:
            path, etag, text = event
            self.send(path, moved(text, start), etag if careful else None)

    @rule(number=device_numbers, which=numbers, note=st.integers(0, 99))
    def annotate(self, number: int, which: int, note: int) -> None:
        if (event := self.known(number, which)) is not None:
            path, etag, text = event
            line = f"COMMENT:Note {note}"
            self.send(path, with_line(re.sub(r"COMMENT:[^\r]*\r\n", "", text), line), etag)

    @rule(number=device_numbers, which=numbers, careful=st.booleans())
    def delete(self, number: int, which: int, careful: bool) -> None:
        if (event := self.known(number, which)) is not None:
            path, etag, _ = event
            headers = {"If_Match": etag} if careful else {}
            answer = self.ana.request("DELETE", path, **headers)
            assert answer.status_code in {204, 404, 412}
            if answer.status_code == 204:
                self.may_end.add(path)

    @rule(number=device_numbers, which=numbers)
    def put_back(self, number: int, which: int) -> None:
        """As a device does that undoes a deletion, or that heard of none."""
        if (event := self.known(number, which)) is not None:
            path, _, text = event
            self.send(path, re.sub(r"COMMENT:[^\r]*\r\n", "", text), None)

    # what others do

    @rule(start=starts)
    def book(self, start: int) -> None:
        with suppress(Conflict):
            self.bookings.append(self.server.run(self.server.workspace.book(self.link, start)))

    @precondition(lambda self: self.bookings)
    @rule(which=numbers, start=starts)
    def recipient_moves(self, which: int, start: int) -> None:
        booking = self.bookings[which % len(self.bookings)]
        with suppress(Conflict, NotModifiable):
            self.server.run(reschedule_booking(self.ports, booking.id, Move(start), Actor("recipient", booking.id)))

    @precondition(lambda self: self.bookings)
    @rule(which=numbers)
    def recipient_cancels(self, which: int) -> None:
        booking = self.bookings[which % len(self.bookings)]
        with suppress(NotModifiable):
            self.server.run(take_step(self.ports, booking.id, "cancel", Actor("recipient", booking.id)))
            self.may_end.add(href(self.ana, booking))

    @rule(seconds=st.sampled_from([1, 30, 90, GRACE]))
    def wait(self, seconds: int) -> None:
        work(self.ana, seconds)

    @rule(accept=st.booleans())
    def settle(self, accept: bool) -> None:
        """Time passes until nothing waits, and who is asked answers."""
        work(self.ana, GRACE)
        edits = m.calendar_edits.c
        for row in rows(self.ana, select(m.calendar_edits).where(edits.user_id == self.ana.user.id)):
            assert row["is_asked"]
            asked = answer_edit(self.ports, self.ana.user.id, row["booking_id"], row["calendar_id"], accept=accept)
            self.server.run(asked)
        work(self.ana, GRACE)

    # what must hold

    def check(self) -> None:
        found = [stored(self.ana, booking) for booking in self.bookings]
        standing = {href(self.ana, each): each for each in found if each.status == "confirmed"}
        for each in found:
            assert each.status == "confirmed" or href(self.ana, each) in self.may_end
        for number, device in enumerate(self.devices):
            self.look(number)
            assert device.mirror.keys() == standing.keys()
        for path, (etag, text) in self.devices[0].mirror.items():
            answer = self.ana.request("GET", path)
            assert (answer.headers["ETag"], answer.text) == (etag, text.replace("\n", "\r\n").replace("\r\r", "\r"))
            assert self.devices[1].mirror[path][0] == etag
            assert f"SEQUENCE:{standing[path].sequence}" in text
            assert self.notes.get(path, "") in text
        times = sorted((each.start, each.end) for each in standing.values())
        assert all(first[1] <= second[0] for first, second in pairwise(times))
        self.check_told(found)

    def check_told(self, found: list[Booking]) -> None:
        for each in found:
            status = "confirmed" if each.status == "confirmed" else "cancelled"
            told = {address: (state, sequence) for address, state, sequence in mails(self.ana, each)}
            assert told[CASEY] == (status, each.sequence)


def test_schedules_bookings_and_devices_end_up_equal(server: DavServer) -> None:
    machine: Any = type("Schedules", (Schedules,), {"person_of": staticmethod(server.person)})
    count = 60 if profile() == "thorough" else 8
    run_state_machine_as_test(machine, settings=settings(max_examples=count, stateful_step_count=25, deadline=None))

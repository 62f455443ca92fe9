"""When a device was last here, which its person is shown."""

from __future__ import annotations

import time

from app.db import models as m
from tests.support.dav_server import Person
from tests.support.devices import rows
from tests.support.ical import ics


def seen_at(person: Person) -> int | None:
    passwords = m.app_passwords
    [row] = rows(person, passwords.select().where(passwords.c.user_id == person.user.id))
    at: int | None = row["last_used_at"]
    return at


def test_a_device_that_is_refused_something_was_here(ana: Person) -> None:
    """As one that comes back with edits that are too late."""
    assert seen_at(ana) is None
    assert ana.put("a.ics", ics("a"), If_Match='"old"').status_code == 412
    deadline = time.monotonic() + 10
    while seen_at(ana) is None and time.monotonic() < deadline:  # noted after the answer has gone out
        time.sleep(0.05)
    assert seen_at(ana) == ana.server.clock.now

"""Whatever people do at Google, and however often it is asked in between: the mirror ends as a fresh reading does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.capabilities import need
from tests.fakes.google import PERSON
from tests.fakes.google_events import FakeCalendar
from tests.providers.google_backend import GoogleBackend
from tests.providers.google_mirror import Mirror, timed

pytestmark = pytest.mark.requires("contracts")

INSTANCES = ["move", "free", "exclude", "restore"]
OTHERS = ["single", "series", "daily", "rename", "rename", "stop", "delete", "expire"]
STEPS = st.tuples(
    st.sampled_from([*INSTANCES, *INSTANCES, *OTHERS, "sync", "sync", "sync"]), st.integers(0, 3), st.integers(0, 3)
)


def act(calendar: FakeCalendar, made: list[str], step: tuple[str, int, int]) -> None:
    """One thing that a person does; what is not possible is not done."""
    what, which, number = step
    if what in {"single", "series", "daily"}:
        rules = {"series": ["RRULE:FREQ=WEEKLY;COUNT=4"], "daily": ["RRULE:FREQ=DAILY;COUNT=4"]}
        fields: dict[str, Any] = {"recurrence": rules[what]} if what in rules else {}
        made.append(calendar.insert(timed(f"{which + 2:02} 09:00", f"{which + 2:02} 10:00", **fields))["id"])
        return
    if not made:
        return
    event_id = made[which % len(made)]
    event = calendar.events[event_id]
    if event["status"] == "cancelled":
        return
    if what in {"move", "free", "exclude", "restore"} and event.get("recurrence"):
        is_weekly = "WEEKLY" in event["recurrence"][0]
        first = datetime.fromisoformat(event["start"]["dateTime"])
        original = (first + number * timedelta(days=7 if is_weekly else 1)).astimezone(UTC)
        later = {name: {"dateTime": (original + timedelta(hours=hours)).isoformat(), "timeZone": "Europe/Berlin"}
                 for name, hours in (("start", 5), ("end", 6))}  # fmt: skip
        changes: dict[str, dict[str, Any]] = {
            "move": later,
            "free": {"transparency": "transparent"},
            "exclude": {"status": "cancelled"},
            "restore": {"status": "confirmed"},
        }
        calendar.change_instance(event_id, original, **changes[what])
    elif what == "rename":
        calendar.patch(event_id, {"summary": f"Name {number}"})
    elif what == "stop" and not event.get("recurrence"):
        calendar.patch(event_id, {"transparency": "transparent"})
    elif what == "delete":
        calendar.delete(event_id)


async def follow(steps: list[tuple[str, int, int]]) -> None:
    gmail = await GoogleBackend.make()
    calendar = gmail.fake.service.calendars[PERSON]
    gmail.fake.service.page_size = 2
    mirror, made = Mirror(gmail), list[str]()
    act(calendar, made, ("series", 0, 0))
    for step in steps:
        if step[0] == "sync":
            await mirror.sync()
        elif step[0] == "expire":
            calendar.forget_tokens()
        else:
            act(calendar, made, step)
    await mirror.sync()
    fresh = Mirror(gmail)
    await fresh.sync()
    assert mirror.busy() == fresh.busy()
    assert set(mirror.objects) == set(fresh.objects)
    assert {name: sorted(item.data) for name, item in mirror.objects.items()} == {
        name: sorted(item.data) for name, item in fresh.objects.items()
    }
    await gmail.close()


@settings(deadline=None, max_examples=40)
@given(st.lists(STEPS, min_size=5, max_size=30))
def test_a_mirror_that_followed_is_a_mirror_that_was_read_at_once(steps: list[tuple[str, int, int]]) -> None:
    need("contracts")
    asyncio.run(follow(steps))

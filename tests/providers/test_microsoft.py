"""What Microsoft 365 and Outlook.com do that others do not: each line of the quirks that concerns calendars."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from app.domain.recurrence import read_object
from app.ports.calendars import Credentials
from app.use_cases.ids import new_id
from app.use_cases.mirror import AHEAD, RENEW
from tests.fakes.microsoft_mailbox import Item, midnight
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.microsoft_mirror import Mirror
from tests.providers.test_contract import booking_event
from tests.support.clock import at

pytestmark = pytest.mark.anyio
NINE = datetime.fromisoformat("2027-03-02T09:00")  # wall time
HOUR = timedelta(hours=1)
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
    "range": {"type": "numbered", "numberOfOccurrences": 3, "startDate": "2027-03-02"},
}


@pytest.fixture
async def calendar(outlook: MicrosoftBackend) -> str:
    """An empty calendar."""
    return await outlook.make_calendar()


@pytest.fixture
async def mirror(outlook: MicrosoftBackend, calendar: str) -> Mirror:
    """Its mirror, not read yet."""
    return Mirror(outlook, calendar)


def add(outlook: MicrosoftBackend, calendar: str, **values: Any) -> Item:
    """An event on Tuesday, 9 to 10."""
    return outlook.mailbox.add(calendar, NINE, NINE + HOUR, **values)


def hour(day: str, zone: str = "UTC") -> tuple[int, int]:
    """An hour from 9 on a day."""
    start = at(f"{day} 09:00", zone)
    return start, start + 3600


# reading


@pytest.mark.parametrize("is_bare", [True, False])
async def test_every_occurrence_is_an_object_and_the_master_takes_no_time(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror, is_bare: bool
) -> None:
    outlook.fake.graph.bare_occurrences = is_bare
    master = add(outlook, calendar, zone="W. Europe Standard Time", pattern=WEEKLY, subject="Stand-up")
    changes = await mirror.sync()
    assert len(changes.changed) == 4
    zone = "Europe/Berlin"
    assert mirror.busy() == [hour(day, zone) for day in ("2027-03-02", "2027-03-09", "2027-03-16")]
    assert {read_object(text, timezone="UTC", window=(0, 1)).summary for text in mirror.texts.values()} == {"Stand-up"}
    assert len({read_object(text, timezone="UTC", window=(0, 1)).uid for text in mirror.texts.values()}) == 4
    assert read_object(mirror.texts[master.id], timezone="UTC", window=(0, 2**32)).busy == ()


async def test_a_series_keeps_its_wall_time_when_the_clocks_change(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    pattern = {**WEEKLY, "range": {"type": "endDate", "startDate": "2027-03-02", "endDate": "2027-04-01"}}
    add(outlook, calendar, zone="W. Europe Standard Time", pattern=pattern)
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [
        at(f"2027-03-{day} 09:00", "Europe/Berlin") for day in ("02", "09", "16", "23", "30")
    ]


async def test_exceptions_and_cancelled_occurrences_are_followed(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    master = add(outlook, calendar, pattern=WEEKLY)
    await mirror.sync()
    outlook.mailbox.change(f"{master.id}.20270309", start=NINE + timedelta(days=8), end=NINE + timedelta(days=8) + HOUR)
    outlook.mailbox.delete(f"{master.id}.20270316")
    changes = await mirror.sync()
    assert not changes.full
    assert changes.removed == (f"{master.id}.20270316",)
    assert mirror.busy() == [hour("2027-03-02"), hour("2027-03-10")]


async def test_a_change_of_the_master_reaches_occurrences_that_nobody_tells_of(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    master = add(outlook, calendar, pattern=WEEKLY)
    await mirror.sync()
    outlook.fake.graph.seen.clear()
    outlook.mailbox.change(master.id, showAs="free")
    await mirror.sync()
    assert mirror.busy() == []
    assert len(outlook.fake.graph.seen) == 2


async def test_a_changed_series_that_cannot_be_read_alone_is_read_with_everything(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    """As in calendars that somebody else shares."""
    master = add(outlook, calendar, pattern=WEEKLY)
    await mirror.sync()
    outlook.mailbox.change(master.id, showAs="free")
    outlook.fake.refuse("/instances", 404, "ErrorItemNotFound")
    assert (await mirror.sync()).full
    assert mirror.busy() == []


async def test_a_deleted_series_takes_its_occurrences_with_it(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    master, other = add(outlook, calendar, pattern=WEEKLY), add(outlook, calendar)
    await mirror.sync()
    outlook.fake.graph.is_silent_about_parts = True
    outlook.mailbox.delete(master.id)
    await mirror.sync()
    assert set(mirror.texts) == {other.id}


async def test_the_window_is_asked_for_once_and_frozen_in_the_link(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    for _ in range(2):
        await mirror.sync()
    first, second = (each.path for each in outlook.fake.graph.seen if "/delta" in each.path)
    assert "startDateTime=2027-02-27T08%3A00%3A00Z" in first
    assert "endDateTime=2029-02-28T08%3A00%3A00Z" in first
    assert "DateTime" not in second
    assert "deltatoken" in second


async def test_a_window_is_opened_anew_before_it_runs_out(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    later = add(outlook, calendar)
    outlook.mailbox.change(later.id, start=NINE + timedelta(days=735), end=NINE + timedelta(days=735) + HOUR)
    await mirror.sync()
    assert mirror.texts == {}
    outlook.workspace.clock.advance(RENEW)
    assert not (await mirror.sync()).full
    outlook.workspace.clock.advance(1)
    assert (await mirror.sync()).full
    assert set(mirror.texts) == {later.id}
    assert AHEAD == 730 * 86400


async def test_what_moves_out_of_the_window_is_removed_and_comes_back(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    event = add(outlook, calendar)
    await mirror.sync()
    far = NINE + timedelta(days=1000)
    outlook.mailbox.change(event.id, start=far, end=far + HOUR)
    assert (await mirror.sync()).removed == (event.id,)
    assert await outlook.provider.fetch(outlook.credentials, calendar, event.id) is not None
    outlook.mailbox.change(event.id, start=NINE, end=NINE + HOUR)
    await mirror.sync()
    assert mirror.busy() == [hour("2027-03-02")]


async def test_our_event_that_was_moved_years_ahead_is_moved_and_not_removed(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    """The booking follows it, or puts it back; a deletion of it would be followed as one."""
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    other = add(outlook, calendar)
    await mirror.sync()
    far = NINE + timedelta(days=1000)
    outlook.mailbox.change(written.key, start=far, end=far + HOUR)
    outlook.mailbox.delete(other.id)
    changes = await mirror.sync()
    assert [each.name for each in changes.changed] == [written.key]
    assert changes.removed == (other.id,)
    facts = read_object(mirror.texts[written.key], timezone="UTC", window=(0, 1))
    assert (facts.uid, facts.start) == (event.uid, int(far.replace(tzinfo=UTC).timestamp()))
    outlook.mailbox.delete(written.key)
    assert (await mirror.sync()).removed == (written.key,)


async def test_changes_outside_of_the_window_are_told_as_removed_and_mean_nothing(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    await mirror.sync()
    far = NINE + timedelta(days=1000)
    event = outlook.mailbox.add(calendar, far, far + HOUR)
    changes = await mirror.sync()
    assert (changes.changed, changes.removed) == ((), ())
    assert event.id not in mirror.texts


async def test_pages_are_followed_by_their_whole_links_also_when_they_are_empty(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    outlook.fake.graph.page_size, outlook.fake.graph.empty_pages = 2, True
    keys = {add(outlook, calendar).id for _ in range(5)}
    await mirror.sync()
    assert set(mirror.texts) == keys
    assert (await mirror.sync()).changed == ()


@pytest.mark.parametrize("code", ["syncStateNotFound", "resyncRequired"])
async def test_a_sync_state_that_is_gone_is_answered_with_everything(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror, code: str
) -> None:
    kept, deleted = add(outlook, calendar), add(outlook, calendar)
    await mirror.sync()
    outlook.mailbox.delete(deleted.id)
    outlook.fake.refuse("deltatoken", 410, code)
    changes = await mirror.sync()
    assert changes.full
    assert set(mirror.texts) == {kept.id}


async def test_a_sync_state_that_goes_between_two_pages_is_answered_with_everything(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    await mirror.sync()
    outlook.fake.graph.page_size = 1
    keys = {add(outlook, calendar).id for _ in range(3)}
    outlook.fake.refuse("skiptoken", 410, "syncStateNotFound")
    assert (await mirror.sync()).full
    assert set(mirror.texts) == keys


@pytest.mark.parametrize("link", ["https://graph.microsoft.us/v1.0/me?$deltatoken=1", "nonsense", ""])
async def test_a_cursor_of_another_service_is_answered_with_everything(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror, link: str
) -> None:
    await mirror.sync()
    mirror.cursor = json.dumps({**json.loads(mirror.cursor or ""), "link": link})
    assert (await mirror.sync()).full


async def test_what_we_hold_already_is_not_told_again(outlook: MicrosoftBackend, calendar: str, mirror: Mirror) -> None:
    await mirror.sync()
    written = await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    mirror.etags[written.key] = written.etag or ""
    assert (await mirror.sync()).changed == ()


@pytest.mark.parametrize(
    ("shown", "is_busy"),
    [
        ("free", False), ("workingElsewhere", False), ("busy", True), ("oof", True), ("tentative", True),
        ("unknown", True), (None, True),
    ],
)  # fmt: skip
async def test_busy_is_what_is_shown_as_such_or_not_understood(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror, shown: str | None, is_busy: bool
) -> None:
    add(outlook, calendar, showAs=shown)
    await mirror.sync()
    assert bool(mirror.busy()) is is_busy
    assert bool(mirror.busy(tentative_busy=False)) is (is_busy and shown != "tentative")


async def test_cancelled_and_declined_events_are_not_busy(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    add(outlook, calendar, isCancelled=True)
    declined, accepted, maybe = (add(outlook, calendar) for _ in range(3))
    outlook.mailbox.respond(declined.id, "declined")
    outlook.mailbox.respond(accepted.id, "accepted")
    outlook.mailbox.respond(maybe.id, "tentativelyAccepted")
    await mirror.sync()
    assert mirror.busy() == [hour("2027-03-02")] * 2
    assert mirror.busy(tentative_busy=False) == [hour("2027-03-02")]


@pytest.mark.parametrize("shifts", [False, True])
@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Pacific Standard Time", "Tokyo Standard Time", "UTC"])
async def test_all_day_events_are_days_of_the_calendars_zone(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror, zone: str, shifts: bool
) -> None:
    """Whether they are told as midnights of the zone asked for, or of the Windows zone they were made in."""
    outlook.fake.graph.shifts_days = shifts
    first, last = midnight(date(2027, 3, 28)), midnight(date(2027, 3, 30))  # with the night of the clock change
    outlook.mailbox.add(calendar, first, last, zone=zone, all_day=True, showAs="oof")
    await mirror.sync()
    assert mirror.busy("Europe/Berlin") == [
        (at("2027-03-28 00:00", "Europe/Berlin"), at("2027-03-30 00:00", "Europe/Berlin"))
    ]


# calendars and accounts


async def test_calendars_are_listed_over_several_pages_with_zone_color_and_rights(outlook: MicrosoftBackend) -> None:
    outlook.fake.graph.page_size = 2
    shared = outlook.mailbox.add_calendar("Holidays", can_edit=False, hex_color="#FF8800")
    work = outlook.mailbox.add_calendar("Work", color="lightGreen")
    listed = {each.name: each for each in await outlook.provider.list_calendars(outlook.credentials)}
    assert len(listed) == 3
    assert (listed[shared].read_only, listed[shared].color) == (True, "#ff8800")
    assert (listed[work].read_only, listed[work].color) == (False, "#87d28e")
    assert {each.timezone for each in listed.values()} == {"Europe/Berlin"}


@pytest.mark.parametrize("zone", ["Customized Time Zone", None])
async def test_a_mailbox_zone_that_is_not_known_or_not_told_is_left_open(
    outlook: MicrosoftBackend, zone: str | None
) -> None:
    outlook.mailbox.zone = zone
    assert [each.timezone for each in await outlook.provider.list_calendars(outlook.credentials)] == [None]


async def test_personal_accounts_do_without_schedules(outlook: MicrosoftBackend) -> None:
    """They have no getSchedule, and no `mail`."""
    outlook.mailbox.personal = True
    found = await outlook.provider.discover(outlook.credentials)
    assert found.username == "ana@example.com"
    mirror = Mirror(outlook, next(iter(outlook.mailbox.folders)))
    add(outlook, mirror.calendar)
    await mirror.sync()
    assert mirror.busy() == [hour("2027-03-02")]
    assert not any("getSchedule" in each.path for each in outlook.fake.graph.seen)


async def test_every_call_asks_for_lasting_ids_and_utc(
    outlook: MicrosoftBackend, calendar: str, mirror: Mirror
) -> None:
    provider, credentials = outlook.provider, outlook.credentials
    event = booking_event(new_id())
    await provider.list_calendars(credentials)
    written = await provider.write_event(credentials, calendar, event, None)
    await provider.write_event(credentials, calendar, replace(event, summary="New"), written.key)
    await mirror.sync()
    await provider.find(credentials, calendar, "unknown")
    await provider.delete_event(credentials, calendar, event.uid, written.key)
    assert len(outlook.fake.graph.seen) > 8
    for each in outlook.fake.graph.seen:
        assert 'IdType="ImmutableId"' in each.headers["Prefer"]
        assert 'outlook.timezone="UTC"' in each.headers["Prefer"]


async def test_an_event_keeps_its_key_when_it_is_moved_to_another_calendar(
    outlook: MicrosoftBackend, calendar: str
) -> None:
    elsewhere = await outlook.make_calendar()
    written = await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    outlook.mailbox.move(written.key, elsewhere)
    assert await outlook.provider.fetch(outlook.credentials, calendar, written.key) is None
    assert await outlook.provider.fetch(outlook.credentials, elsewhere, written.key) is not None


async def test_without_asking_for_lasting_ids_they_would_change(outlook: MicrosoftBackend, calendar: str) -> None:
    """The fake does as Microsoft does, so that leaving the header away is noticed."""
    event = add(outlook, calendar)
    headers = {"Authorization": f"Bearer {next(iter(outlook.fake.identity.access))}"}
    ids = []
    async with httpx2.AsyncClient(headers=headers, trust_env=False) as client:
        for place in (calendar, await outlook.make_calendar()):
            outlook.mailbox.move(event.id, place)
            answer = await client.get(f"{outlook.fake.graph.base}/v1.0/me/calendars/{quote(place)}/events")
            ids += [each["id"] for each in answer.json()["value"]]
    assert len(set(ids)) == 2
    assert event.id not in ids


async def test_ids_are_case_sensitive(outlook: MicrosoftBackend, calendar: str) -> None:
    event = add(outlook, calendar)
    assert await outlook.provider.fetch(outlook.credentials, calendar, event.id.swapcase()) is None


async def test_at_most_four_requests_at_a_time_reach_a_mailbox(outlook: MicrosoftBackend, calendar: str) -> None:
    outlook.fake.delay("/calendarView/delta", 0.05, times=12)
    await asyncio.gather(*(outlook.provider.changes(outlook.credentials, calendar, None, {}) for _ in range(12)))
    assert outlook.fake.graph.most_at_once == 4


async def test_accounts_that_are_not_kept_can_be_asked_too(outlook: MicrosoftBackend) -> None:
    loose = Credentials(outlook.credentials.url, outlook.credentials.username, outlook.credentials.secret)
    assert await outlook.provider.list_calendars(loose)

"""What Google does that naive integrations get wrong, line by line of the notes on calendars' quirks: reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.errors import ProviderFailure
from app.domain.recurrence import read_object
from app.ports.calendars import ChannelRequest
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_events import FakeCalendar, Json
from tests.providers.google_backend import GoogleBackend
from tests.providers.google_mirror import MONDAY, WEEKLY, WINDOW, Mirror, all_day, berlin, busy_of, timed
from tests.support.clock import at

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
EVENTS = r"GET .*/events$"
LIST = r"/events$"


@pytest.fixture
def calendar(google: FakeGoogle) -> FakeCalendar:
    """The person's primary calendar."""
    return google.service.calendars[PERSON]


@pytest.fixture
def mirror(gmail: GoogleBackend) -> Mirror:
    """An empty mirror of the primary calendar."""
    return Mirror(gmail)


# the busy meaning


@pytest.mark.parametrize(
    ("fields", "is_busy"),
    [
        ({}, True),
        ({"transparency": "transparent"}, False),
        ({"transparency": "opaque"}, True),
        ({"status": "tentative"}, True),
        ({"eventType": "workingLocation", "transparency": "transparent"}, False),
        ({"eventType": "workingLocation"}, False),
        ({"eventType": "birthday"}, False),
        ({"eventType": "outOfOffice"}, True),
        ({"eventType": "outOfOffice", "transparency": "transparent"}, True),
        ({"eventType": "focusTime"}, True),
        ({"eventType": "fromGmail"}, True),
        ({"attendees": [{"email": PERSON, "responseStatus": "declined"}]}, False),
        ({"attendees": [{"email": PERSON, "responseStatus": "needsAction"}]}, True),
        ({"attendees": [{"email": PERSON, "responseStatus": "tentative"}]}, True),
        ({"attendees": [{"email": "bob@example.com", "responseStatus": "declined"}]}, True),
    ],
)
async def test_what_takes_time(mirror: Mirror, calendar: FakeCalendar, fields: Json, is_busy: bool) -> None:
    calendar.insert(timed("02 09:00", "02 10:00", **fields))
    await mirror.sync()
    assert mirror.busy() == ([(berlin("02 09:00"), berlin("02 10:00"))] if is_busy else [])


async def test_the_answer_of_a_shared_calendar_is_the_one_that_counts(gmail: GoogleBackend, google: FakeGoogle) -> None:
    """Its own answer, not that of the account it is read with."""
    shared = google.calendar("team@group.calendar.google.com")
    accepted = {"email": shared.id, "responseStatus": "accepted"}
    shared.insert(timed("02 09:00", "02 10:00", attendees=[{"email": PERSON, "responseStatus": "declined"}, accepted]))
    shared.insert(timed("03 09:00", "03 10:00", attendees=[{**accepted, "responseStatus": "declined"}]))
    mirror = Mirror(gmail, shared.id)
    await mirror.sync()
    assert mirror.busy() == [(berlin("02 09:00"), berlin("02 10:00"))]


async def test_the_end_date_of_all_day_events_is_exclusive_and_their_zone_the_calendars(
    mirror: Mirror, calendar: FakeCalendar
) -> None:
    calendar.insert(all_day("02", "04"))
    await mirror.sync()
    (item,) = mirror.objects.values()
    assert busy_of(item, "Europe/Berlin") == ((berlin("02 00:00"), berlin("04 00:00")),)
    assert busy_of(item, "America/New_York") == (
        (at("2027-03-02 00:00", "America/New_York"), at("2027-03-04 00:00", "America/New_York")),
    )


async def test_large_meetings_are_read_by_the_persons_own_answer(mirror: Mirror, calendar: FakeCalendar) -> None:
    crowd = [{"email": f"p{number}@example.com", "responseStatus": "accepted"} for number in range(200)]
    calendar.insert(timed("02 09:00", "02 10:00", attendees=[*crowd, {"email": PERSON, "responseStatus": "declined"}]))
    await mirror.sync()
    (item,) = mirror.objects.values()
    assert "p7@example.com" not in item.data
    assert mirror.busy() == []


async def test_what_cannot_be_read_is_told_and_not_free(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    calendar.events[made["id"]]["start"]["timeZone"] = "Mars/Olympus"
    await mirror.sync()
    (item,) = mirror.objects.values()
    facts = read_object(item.data, timezone="Europe/Berlin", window=WINDOW)
    assert "Mars/Olympus" in facts.problems[0]
    assert len(facts.busy) == 4


# incremental sync


async def test_one_change_costs_one_request(mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle) -> None:
    for day in range(10, 20):
        calendar.insert(timed(f"{day} 09:00", f"{day} 10:00"))
    await mirror.sync()
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    await mirror.sync()
    google.seen.clear()
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), status="cancelled")
    changes = await mirror.sync()
    assert (changes.full, [each.name for each in changes.changed]) == (False, [made["id"]])
    assert len(google.seen) == 1


async def test_the_sync_token_goes_alone_with_sizes(mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle) -> None:
    """Neither time bounds nor searches, which Google refuses beside it: the contract would be broken."""
    calendar.insert(timed("02 09:00", "02 10:00"))
    await mirror.sync()
    assert not (await mirror.sync()).full
    assert len(google.asked(EVENTS)) == 2


async def test_pages_may_be_small_and_empty_and_the_token_comes_last(
    mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle
) -> None:
    google.service.page_size, google.service.has_empty_pages = 2, True
    for day in range(10, 17):
        calendar.insert(timed(f"{day} 09:00", f"{day} 10:00"))
    assert len((await mirror.sync()).changed) == 7
    calendar.insert(timed("02 09:00", "02 10:00"))
    assert len((await mirror.sync()).changed) == 1
    assert len(mirror.busy()) == 8


async def test_an_expired_sync_token_leads_to_a_full_sync(
    mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle
) -> None:
    first = calendar.insert(timed("02 09:00", "02 10:00"))
    await mirror.sync()
    calendar.delete(first["id"])
    calendar.insert(timed("03 09:00", "03 10:00"))
    google.expire_tokens(PERSON)
    changes = await mirror.sync()
    assert changes.full
    assert mirror.busy() == [(berlin("03 09:00"), berlin("03 10:00"))]
    assert not (await mirror.sync()).full


async def test_410_deleted_is_another_410(gmail: GoogleBackend, calendar: FakeCalendar, google: FakeGoogle) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00"))
    google.fail(r"GET .*/events/", 410, "deleted")
    assert await gmail.provider.fetch(gmail.credentials, PERSON, made["id"]) is None


async def test_pages_that_never_end_are_given_up(mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle) -> None:
    google.fail(EVENTS, body=b'{"kind":"calendar#events","items":[],"nextPageToken":"again"}', times=10_000)
    with pytest.raises(ProviderFailure) as failure:
        await mirror.sync()
    assert failure.value.kind == "protocol"


# series


async def test_a_series_is_one_object_with_its_exceptions(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    moved = {"start": timed("10 14:00", "10 15:00")["start"], "end": timed("10 14:00", "10 15:00")["end"]}
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), **moved)
    calendar.change_instance(made["id"], datetime(2027, 3, 16, 8, tzinfo=UTC), status="cancelled")
    await mirror.sync()
    assert list(mirror.objects) == [made["id"]]
    expected = [
        (berlin("02 09:00"), berlin("02 10:00")),
        (berlin("10 14:00"), berlin("10 15:00")),
        (berlin("23 09:00"), berlin("23 10:00")),
    ]
    assert mirror.busy() == expected


async def test_changes_of_single_instances_are_put_into_what_the_mirror_has(
    mirror: Mirror, calendar: FakeCalendar, google: FakeGoogle
) -> None:
    made = calendar.insert(
        timed("02 09:00", "02 10:00", recurrence=["RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE:20270323T080000Z"])
    )
    await mirror.sync()
    second, third = datetime(2027, 3, 9, 8, tzinfo=UTC), datetime(2027, 3, 16, 8, tzinfo=UTC)
    calendar.change_instance(made["id"], second, status="cancelled")
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00"), berlin("16 09:00")]
    calendar.change_instance(made["id"], third, transparency="transparent")
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00")]
    calendar.change_instance(made["id"], second, status="confirmed")
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00"), berlin("09 09:00")]
    assert len(google.seen) == 4


async def test_exceptions_stay_when_the_master_changes(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), status="cancelled")
    await mirror.sync()
    calendar.patch(made["id"], {"summary": "Another name"})
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00"), berlin("16 09:00"), berlin("23 09:00")]
    assert "Another name" in mirror.objects[made["id"]].data


async def test_exceptions_are_read_anew_when_their_text_was_lost_and_the_master_changes(
    mirror: Mirror, calendar: FakeCalendar
) -> None:
    """As after the text of a series was too large to be kept whole."""
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), status="cancelled")
    await mirror.sync()
    mirror.objects[made["id"]] = replace(mirror.objects[made["id"]], data="BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    calendar.patch(made["id"], {"summary": "Another name"})
    assert not (await mirror.sync()).full
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00"), berlin("16 09:00"), berlin("23 09:00")]


async def test_a_full_and_an_incremental_sync_see_the_same(
    gmail: GoogleBackend, mirror: Mirror, calendar: FakeCalendar
) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    await mirror.sync()
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), summary="Changed")
    calendar.change_instance(made["id"], datetime(2027, 3, 16, 8, tzinfo=UTC), status="cancelled")
    await mirror.sync()
    fresh = Mirror(gmail)
    await fresh.sync()
    assert fresh.objects == mirror.objects
    fetched = await gmail.provider.fetch(gmail.credentials, PERSON, made["id"])
    assert fetched == mirror.objects[made["id"]]


async def test_a_deleted_series_goes_whole(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), summary="Changed")
    await mirror.sync()
    calendar.delete(made["id"])
    changes = await mirror.sync()
    assert (changes.changed, changes.removed) == ((), (made["id"],))


async def test_a_series_that_became_single_loses_its_instances(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    await mirror.sync()
    calendar.patch(made["id"], {"recurrence": []})
    await mirror.sync()
    assert mirror.busy() == [(berlin("02 09:00"), berlin("02 10:00"))]


async def test_an_instance_one_is_invited_to_alone_has_no_master(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), summary="Alone")
    del calendar.events[made["id"]]
    alone = list(calendar.events.values())
    calendar.living = lambda: alone  # type: ignore[method-assign]
    del calendar.changed[made["id"]]
    await mirror.sync()
    assert mirror.busy() == [(berlin("09 09:00"), berlin("09 10:00"))]
    calendar.patch(alone[0]["id"], {"status": "cancelled"})
    changes = await mirror.sync()
    assert changes.removed == (made["id"],)


async def test_an_instance_of_a_series_that_is_not_known_here_brings_all_of_it(
    mirror: Mirror, calendar: FakeCalendar
) -> None:
    """A mirror that lost the text of a series reads it anew."""
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    await mirror.sync()
    del mirror.objects[made["id"]]
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), status="cancelled")
    calendar.change_instance(made["id"], datetime(2027, 3, 16, 8, tzinfo=UTC), summary="Changed")
    await mirror.sync()
    assert [start for start, _ in mirror.busy()] == [berlin("02 09:00"), berlin("16 09:00"), berlin("23 09:00")]


async def test_all_day_series_keep_their_dates(mirror: Mirror, calendar: FakeCalendar) -> None:
    made = calendar.insert(all_day("02", "03", recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    calendar.change_instance(made["id"], datetime(2027, 3, 3).date(), status="cancelled")  # noqa: DTZ001
    await mirror.sync()
    assert mirror.busy() == [
        (berlin("02 00:00"), berlin("03 00:00")),
        (berlin("04 00:00"), berlin("05 00:00")),
    ]


async def test_times_of_a_series_follow_its_zone_through_the_change_of_clocks(
    mirror: Mirror, calendar: FakeCalendar
) -> None:
    calendar.insert(timed("22 09:00", "22 10:00", recurrence=["RRULE:FREQ=WEEKLY;COUNT=3"]))
    await mirror.sync()
    (item,) = mirror.objects.values()
    facts = read_object(item.data, timezone="UTC", window=(MONDAY, MONDAY + 60 * 86400))
    starts = [start for start, _ in facts.busy]
    assert starts == [at(f"2027-{day} 09:00", "Europe/Berlin") for day in ("03-22", "03-29", "04-05")]


# calendars


async def test_other_peoples_calendars_are_listed_and_cannot_be_written(
    gmail: GoogleBackend, google: FakeGoogle
) -> None:
    google.calendar("de.german#holiday@group.v.calendar.google.com", role="reader", summary="Holidays", color="#0b8043")
    google.calendar("bob@example.com", role="freeBusyReader", timezone="America/New_York")
    google.calendar("team@group.calendar.google.com", role="writer", summary="Team")
    google.service.page_size = 1
    listed = {each.name: each for each in await gmail.provider.list_calendars(gmail.credentials)}
    assert {name for name, each in listed.items() if not each.read_only} == {PERSON, "team@group.calendar.google.com"}
    holidays = listed["de.german#holiday@group.v.calendar.google.com"]
    assert (holidays.display_name, holidays.color, holidays.timezone) == ("Holidays", "#0b8043", "Europe/Berlin")
    assert listed["bob@example.com"].timezone == "America/New_York"


# push


async def test_a_channel_is_opened_and_stopped(gmail: GoogleBackend, google: FakeGoogle) -> None:
    request = ChannelRequest("channel-1", "secret", "https://halfpast.example.com/hooks/google")
    channel = await gmail.google.watch(gmail.credentials, PERSON, request)
    assert (channel.id, channel.expires_at) == ("channel-1", google.clock() + 7 * 86400)
    assert google.service.channels["channel-1"].token == "secret"
    assert await gmail.google.renew(gmail.credentials, PERSON, channel) is None
    for _ in range(2):  # one that is gone is stopped
        await gmail.google.unwatch(gmail.credentials, channel)
    assert google.service.channels == {}


async def test_a_new_channel_stands_beside_the_old_one(gmail: GoogleBackend, google: FakeGoogle) -> None:
    for name in ("one", "two"):
        request = ChannelRequest(name, "secret", "https://halfpast.example.com/hooks/google")
        await gmail.google.watch(gmail.credentials, PERSON, request)
    assert set(google.service.channels) == {"one", "two"}


async def test_calendars_without_push_say_so(gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar) -> None:
    calendar.has_push = False
    request = ChannelRequest("channel-1", "secret", "https://halfpast.example.com/hooks/google")
    with pytest.raises(ProviderFailure) as failure:
        await gmail.google.watch(gmail.credentials, PERSON, request)
    assert failure.value.kind == "refused"


# the account


async def test_another_persons_grant_is_not_taken_for_this_one(gmail: GoogleBackend) -> None:
    with pytest.raises(ProviderFailure) as failure:
        await gmail.provider.discover(replace(gmail.credentials, username="bob@example.com"))
    assert failure.value.kind == "auth"


# the contract


async def test_what_the_fake_says_wrongly_is_noticed(gmail: GoogleBackend, google: FakeGoogle, mirror: Mirror) -> None:
    """The check itself can fail."""
    calendar = google.service.calendars[PERSON]
    made = calendar.insert(timed("02 09:00", "02 10:00"))
    calendar.events[made["id"]]["summry"] = "Misspelt"
    await mirror.sync()
    assert "summry" in google.broken[0]
    google.watches[0].violations.clear()


async def test_what_the_program_asks_wrongly_is_noticed(gmail: GoogleBackend, google: FakeGoogle) -> None:
    """The check itself can fail."""
    await gmail.google.session.call(
        gmail.credentials,
        lambda service: service.events().list(calendarId=PERSON, orderBy="startTime"),
    )
    assert "order-by" in google.broken[0]
    google.watches[0].violations.clear()

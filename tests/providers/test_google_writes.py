"""Writing to Google: ids, generations, changes of others in between, and what the person made of the event."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.domain.errors import ProviderFailure
from app.ports.calendars import WrittenEvent
from app.use_cases.ids import new_id
from integrations.google.own_ids import own_id
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_events import FakeCalendar, Json
from tests.providers.google_backend import GoogleBackend
from tests.providers.test_contract import START, booking_event

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]


@pytest.fixture
def calendar(google: FakeGoogle) -> FakeCalendar:
    """The person's primary calendar."""
    return google.service.calendars[PERSON]


async def write(gmail: GoogleBackend, event: Any, key: str | None = None) -> WrittenEvent:
    return await gmail.provider.write_event(gmail.credentials, PERSON, event, key)


def living(calendar: FakeCalendar) -> list[Json]:
    return [each for each in calendar.events.values() if each["status"] != "cancelled"]


async def test_a_new_event_costs_one_request_and_invites_nobody(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id(), attendees=(), url="https://halfpast.example.com/app/bookings/1")
    written = await write(gmail, event)
    made = calendar.events[written.key]
    assert google.asked() == [f"POST /calendar/v3/calendars/{PERSON}/events"]
    assert written.key == own_id(event.uid, 0)
    assert (written.etag, written.html_link) == (made["etag"], made["htmlLink"])
    assert "attendees" not in made
    assert made["extendedProperties"]["private"]["halfpastUid"] == event.uid
    assert made["start"] == {"dateTime": "2027-03-02T10:00:00+01:00", "timeZone": "Europe/Berlin"}
    assert made["source"]["url"] == event.url


async def test_a_change_costs_two_requests(gmail: GoogleBackend, google: FakeGoogle) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    google.seen.clear()
    await write(gmail, replace(event, summary="Moved"), written.key)
    assert [each.split()[0] for each in google.seen] == ["GET", "PUT"]


async def test_an_answer_that_was_lost_makes_no_second_event(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    google.fail("POST .*/events$", is_cut=True, is_late=True, times=10)
    with pytest.raises(ProviderFailure) as failure:
        await write(gmail, event)
    assert failure.value.kind == "unreachable"
    google.faults.clear()
    written = await write(gmail, event)
    assert [each["id"] for each in living(calendar)] == [written.key]


async def test_deleted_ids_stay_reserved_and_the_next_generation_takes_over(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    first = await write(gmail, event)
    calendar.delete(first.key)
    second = await write(gmail, event, first.key)
    calendar.delete(second.key)
    third = await write(gmail, event)  # the key was lost
    assert [each.key for each in (first, second, third)] == [own_id(event.uid, number) for number in range(3)]
    assert [each["id"] for each in living(calendar)] == [third.key]
    again = await write(gmail, replace(event, summary="Again"))
    assert again.key == third.key


async def test_writers_at_the_same_time_agree_on_the_next_generation(
    gmail: GoogleBackend, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    first = await write(gmail, event)
    calendar.delete(first.key)
    written = await asyncio.gather(write(gmail, event), write(gmail, event, first.key), write(gmail, event))
    assert {each.key for each in written} == {own_id(event.uid, 1)}


async def test_a_change_in_between_is_read_again_and_kept(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    text = calendar.events[written.key]["description"]
    original = calendar.replace

    def meddled(event_id: str, body: Json, if_match: str | None = None) -> Json:
        calendar.replace = original  # type: ignore[method-assign]
        calendar.patch(event_id, {"description": f"{text}\n\nBring cake", "colorId": "3"})
        return original(event_id, body, if_match)

    calendar.replace = meddled  # type: ignore[method-assign]
    await write(gmail, replace(event, description="New text"), written.key)
    after = calendar.events[written.key]
    assert (after["description"], after["colorId"]) == ("New text\n\nBring cake", "3")
    assert len(google.asked("PUT")) == 2


async def test_what_changes_all_the_time_is_a_conflict(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    google.fail("PUT", 412, "conditionNotMet", times=100)
    with pytest.raises(ProviderFailure) as failure:
        await write(gmail, event, written.key)
    assert failure.value.kind == "conflict"


async def test_what_the_person_made_of_it_stays(gmail: GoogleBackend, calendar: FakeCalendar) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    theirs = {
        "colorId": "5",
        "reminders": {"useDefault": False, "overrides": [{"method": "email", "minutes": 60}]},
        "attendees": [{"email": "boss@example.com", "responseStatus": "needsAction"}],
        "visibility": "private",
        "extendedProperties": {"private": {"otherApp": "1"}, "shared": {"more": "2"}},
    }
    calendar.patch(written.key, theirs)
    await write(gmail, replace(event, start=START + 3600, end=START + 5400, sequence=1), written.key)
    after = calendar.events[written.key]
    for name in ("colorId", "reminders", "attendees", "visibility"):
        assert after[name] == theirs[name]
    assert after["extendedProperties"]["private"]["otherApp"] == "1"
    assert after["extendedProperties"]["shared"] == {"more": "2"}
    assert after["sequence"] == 1


async def test_notes_survive_googles_editor_which_makes_html_of_the_description(
    gmail: GoogleBackend, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    html = (
        'Casey &lt;<a href="mailto:casey@example.org">casey@example.org</a>&gt;<br><br>What about?<br>'
        "Commas, semicolons; and more<br><b>Bring cake</b>"
    )
    calendar.patch(written.key, {"description": html})
    await write(gmail, replace(event, description="New text"), written.key)
    assert calendar.events[written.key]["description"] == "New text\nBring cake"


async def test_an_event_made_all_day_or_recurring_becomes_one_timed_event_again(
    gmail: GoogleBackend, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    made = calendar.events[written.key]
    day = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}, "recurrence": ["RRULE:FREQ=DAILY"]}
    calendar.replace(written.key, {**made, **day})
    await write(gmail, event, written.key)
    after = calendar.events[written.key]
    assert after["start"]["dateTime"] == "2027-03-02T10:00:00+01:00"
    assert "recurrence" not in after


async def test_a_raised_sequence_is_never_lowered(gmail: GoogleBackend, calendar: FakeCalendar) -> None:
    """Google refuses one below its own."""
    event = booking_event(new_id())
    written = await write(gmail, event)
    calendar.patch(written.key, {"sequence": 7})
    await write(gmail, replace(event, sequence=2), written.key)
    assert calendar.events[written.key]["sequence"] == 7


async def test_a_conference_added_by_the_person_stays_and_its_link_is_told(
    gmail: GoogleBackend, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    calendar.events[written.key]["hangoutLink"] = "https://meet.google.com/abc"
    again = await write(gmail, event, written.key)
    assert again.join_url == "https://meet.google.com/abc"


async def test_a_long_description_is_written_and_found_again(gmail: GoogleBackend, calendar: FakeCalendar) -> None:
    event = booking_event(new_id(), description="word " * 3000)
    written = await write(gmail, event)
    shown = calendar.events[written.key]["description"]
    calendar.patch(written.key, {"description": f"{shown}\n\nCake"})
    await write(gmail, replace(event, description="short"), written.key)
    assert calendar.events[written.key]["description"] == "short\n\nCake"


async def test_a_persons_copy_of_our_event_is_an_event_of_its_own(gmail: GoogleBackend, calendar: FakeCalendar) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    copied = {name: value for name, value in calendar.events[written.key].items() if name not in {"id", "iCalUID"}}
    copy = calendar.insert(copied)
    changes = await gmail.provider.changes(gmail.credentials, PERSON, None, {})
    texts = {each.name: each.data for each in changes.changed}
    assert f"UID:{event.uid}\r\n" in texts[written.key]
    assert event.uid not in texts[copy["id"]]
    await gmail.provider.delete_event(gmail.credentials, PERSON, event.uid, None)
    assert [each["id"] for each in living(calendar)] == [copy["id"]]


async def test_deleting_costs_one_request_and_is_done_when_it_was_done(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    google.seen.clear()
    await gmail.provider.delete_event(gmail.credentials, PERSON, event.uid, written.key)
    assert [each.split()[0] for each in google.seen] == ["DELETE"]
    await gmail.provider.delete_event(gmail.credentials, PERSON, event.uid, written.key)  # 410, deleted
    await gmail.provider.delete_event(gmail.credentials, PERSON, event.uid, own_id(event.uid, 9))  # 404
    assert living(calendar) == []


async def test_our_own_write_comes_back_with_the_etag_that_was_told(gmail: GoogleBackend) -> None:
    """So that it can be known for no change."""
    event = booking_event(new_id())
    first = await gmail.provider.changes(gmail.credentials, PERSON, None, {})
    written = await write(gmail, event)
    known = {written.key: written.etag or ""}
    assert (await gmail.provider.changes(gmail.credentials, PERSON, first.cursor, known)).changed == ()


async def test_calendars_that_are_not_ours_to_write_refuse(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.calendar("bob@example.com", role="reader")
    with pytest.raises(ProviderFailure) as failure:
        await gmail.provider.write_event(gmail.credentials, "bob@example.com", booking_event(new_id()), None)
    assert failure.value.kind == "refused"


async def test_a_title_of_the_persons_own_stays_and_one_of_ours_follows(
    gmail: GoogleBackend, calendar: FakeCalendar
) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    await write(gmail, replace(event, summary="Second"), written.key)
    assert calendar.events[written.key]["summary"] == "Second"
    calendar.patch(written.key, {"summary": "Mine: Second"})
    await write(gmail, replace(event, summary="Third"), written.key)
    await write(gmail, replace(event, summary="Fourth"), written.key)
    assert calendar.events[written.key]["summary"] == "Mine: Second"


async def test_time_that_the_person_shows_as_free_stays_so(gmail: GoogleBackend, calendar: FakeCalendar) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    calendar.patch(written.key, {"transparency": "transparent"})
    await write(gmail, replace(event, summary="Second"), written.key)
    assert calendar.events[written.key]["transparency"] == "transparent"


@pytest.mark.parametrize("state", ["success", "pending"])
async def test_a_meet_is_made_when_it_is_asked_for_and_only_once(
    gmail: GoogleBackend, google: FakeGoogle, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.calendars.google.LOOK_SECONDS", 0)
    google.service.conferences = state
    event = booking_event(new_id(), conference=True)
    written = await write(gmail, event)
    assert written.join_url is not None
    assert written.join_url.startswith("https://meet.google.com/")
    again = await write(gmail, replace(event, start=START + 3600, end=START + 5400), written.key)
    assert again.join_url == written.join_url


async def test_a_meet_can_be_added_later(gmail: GoogleBackend) -> None:
    event = booking_event(new_id())
    written = await write(gmail, event)
    assert written.join_url is None
    assert (await write(gmail, replace(event, conference=True), written.key)).join_url is not None


@pytest.mark.parametrize("state", ["none", "failure"])
async def test_where_there_is_no_meet_the_event_is_written_all_the_same(
    gmail: GoogleBackend, google: FakeGoogle, calendar: FakeCalendar, state: str
) -> None:
    google.service.conferences = state
    written = await write(gmail, booking_event(new_id(), conference=True))
    assert written.join_url is None
    assert [each["id"] for each in living(calendar)] == [written.key]


async def test_nobody_is_mailed_by_google(gmail: GoogleBackend, google: FakeGoogle) -> None:
    """Our mail is the one invitation. When the event goes, those hear of it whom the person invited themselves; here
    that is nobody."""
    event = booking_event(new_id())
    written = await write(gmail, event)
    await write(gmail, replace(event, summary="Second"), written.key)
    await gmail.provider.delete_event(gmail.credentials, PERSON, event.uid, written.key)
    writes = [query for line, query in zip(google.seen, google.queries, strict=True) if not line.startswith("GET")]
    assert len(writes) == 3
    assert [query.partition("sendUpdates=")[2][:4] for query in writes] == ["none", "none", "all"]

"""Our events in Microsoft's calendars: made once, changed with care, and known again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.errors import ProviderFailure
from app.domain.recurrence import read_object
from app.use_cases.ids import new_id
from tests.fakes.microsoft_mailbox import Item
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.microsoft_mirror import Mirror
from tests.providers.test_contract import booking_event

pytestmark = pytest.mark.anyio


@pytest.fixture
async def calendar(outlook: MicrosoftBackend) -> str:
    """An empty calendar."""
    return await outlook.make_calendar()


def own(outlook: MicrosoftBackend, calendar: str) -> Item:
    """The only event there."""
    (found,) = (each for each in outlook.mailbox.items.values() if each.calendar == calendar)
    return found


async def test_our_event_is_known_by_the_bookings_uid_wherever_it_is_read(
    outlook: MicrosoftBackend, calendar: str
) -> None:
    mirror, event = Mirror(outlook, calendar), booking_event(f"{new_id()}@halfpast.example.com")
    await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    await mirror.sync()
    found = await outlook.provider.find(outlook.credentials, calendar, event.uid)
    assert found is not None
    for text in (*mirror.texts.values(), found.data):
        assert read_object(text, timezone="UTC", window=(0, 1)).uid == event.uid
    assert own(outlook, calendar).values["iCalUId"] != event.uid


async def test_a_copy_that_the_person_made_is_left_alone(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    item = own(outlook, calendar)
    values = {name: value for name, value in item.values.items() if name not in ("transactionId", "iCalUId")}
    del outlook.mailbox.items[item.id]
    copy = outlook.mailbox.add(calendar, item.start, item.end, named=item.named, **values)
    outlook.mailbox.items[item.id] = item  # listed after its copy
    changed = replace(event, summary="New")
    assert (await outlook.provider.write_event(outlook.credentials, calendar, changed, None)).key == written.key
    assert copy.values["subject"] == event.summary


async def test_nobody_is_invited_by_microsoft(outlook: MicrosoftBackend, calendar: str) -> None:
    await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    (posted,) = (each for each in outlook.fake.graph.seen if each.method == "POST")
    assert "attendees" not in posted.body


@pytest.mark.parametrize("answers_again", [True, False])
async def test_a_creation_whose_answer_was_lost_is_met_again(
    outlook: MicrosoftBackend, calendar: str, answers_again: bool
) -> None:
    """By the transaction id, even when searching does not find the event yet."""

    outlook.fake.graph.answers_again = answers_again
    event = booking_event(new_id())
    outlook.fake.cut("POST", after=True)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    assert failure.value.kind in {"unreachable", "protocol"}
    outlook.fake.graph.hides_from_search = 1
    moved = replace(event, start=event.start + 7200, end=event.end + 7200)
    written = await outlook.provider.write_event(outlook.credentials, calendar, moved, None)
    assert own(outlook, calendar).id == written.key
    assert own(outlook, calendar).start == datetime.fromtimestamp(moved.start, UTC).replace(tzinfo=None)


@pytest.mark.parametrize("remembers_key", [True, False])
async def test_a_deleted_event_is_made_anew_although_its_transaction_was_used(
    outlook: MicrosoftBackend, calendar: str, remembers_key: bool
) -> None:
    event, key = booking_event(new_id()), None
    for _ in range(8):
        written = await outlook.provider.write_event(outlook.credentials, calendar, event, key)
        assert own(outlook, calendar).id == written.key
        outlook.mailbox.delete(written.key)
        key = written.key if remembers_key else None
    posts = [each.body["transactionId"] for each in outlook.fake.graph.seen if each.method == "POST"]
    assert len(set(posts)) == 8
    assert len(posts) == 8 or not remembers_key
    assert all(each.endswith(f":{event.uid}") for each in posts)


async def test_the_transaction_id_is_never_changed(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    await outlook.provider.write_event(outlook.credentials, calendar, replace(event, summary="New"), written.key)
    (patched,) = (each for each in outlook.fake.graph.seen if each.method == "PATCH")
    assert set(patched.body) == {"subject", "singleValueExtendedProperties"}
    assert patched.headers["If-Match"].startswith('W/"')


async def test_writing_what_is_there_already_sends_nothing(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.fake.graph.seen.clear()
    assert await outlook.provider.write_event(outlook.credentials, calendar, event, written.key) == written
    assert [each.method for each in outlook.fake.graph.seen] == ["GET"]


async def test_what_changed_while_we_wrote_is_read_again_and_kept(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.fake.meanwhile("PATCH", lambda: outlook.mailbox.change(written.key, categories=["Important"]))
    moved = replace(event, start=event.start + 3600, end=event.end + 3600)
    await outlook.provider.write_event(outlook.credentials, calendar, moved, written.key)
    item = own(outlook, calendar)
    assert item.values["categories"] == ["Important"]
    assert item.start == datetime.fromtimestamp(moved.start, UTC).replace(tzinfo=None)


async def test_an_event_deleted_while_we_wrote_is_made_anew(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.fake.meanwhile("PATCH", lambda: outlook.mailbox.delete(written.key))
    again = await outlook.provider.write_event(
        outlook.credentials, calendar, replace(event, summary="New"), written.key
    )
    assert own(outlook, calendar).id == again.key != written.key


async def test_the_persons_title_notes_reminder_and_free_time_survive(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    notes = f"<html><body>{event.description.replace('<', '&lt;')}<p>Bring cake</p></body></html>"
    outlook.mailbox.change(
        written.key,
        subject="Casey, finally",
        body={"contentType": "html", "content": notes},
        reminderMinutesBeforeStart=120,
        showAs="free",
    )
    changed = replace(event, summary="Another title", description="New text", start=event.start + 60)
    await outlook.provider.write_event(outlook.credentials, calendar, changed, written.key)
    values = own(outlook, calendar).values
    assert (values["subject"], values["showAs"], values["reminderMinutesBeforeStart"]) == (
        "Casey, finally",
        "free",
        120,
    )
    assert "New text" in values["body"]["content"]
    assert "Bring cake" in values["body"]["content"]
    assert "What about?" not in values["body"]["content"]


async def test_a_tentative_booking_becomes_busy_when_it_is_confirmed(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id(), status="TENTATIVE")
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    assert own(outlook, calendar).values["showAs"] == "tentative"
    await outlook.provider.write_event(outlook.credentials, calendar, replace(event, status="CONFIRMED"), written.key)
    assert own(outlook, calendar).values["showAs"] == "busy"


@pytest.mark.parametrize("is_late", [False, True])
async def test_a_meeting_is_made_where_one_is_wanted_and_kept(
    outlook: MicrosoftBackend, calendar: str, is_late: bool
) -> None:
    outlook.fake.graph.late_meetings = is_late
    event = booking_event(new_id(), conference=True)
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    assert written.join_url is not None
    moved = replace(event, start=event.start + 3600, end=event.end + 3600)
    again = await outlook.provider.write_event(outlook.credentials, calendar, moved, written.key)
    assert again.join_url == written.join_url
    plain = await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    assert plain.join_url is None


async def test_a_meeting_wanted_later_is_made_on_the_same_event(outlook: MicrosoftBackend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    again = await outlook.provider.write_event(
        outlook.credentials, calendar, replace(event, conference=True), written.key
    )
    assert (again.key, again.join_url is not None) == (written.key, True)


async def test_the_body_of_an_online_meeting_is_left_alone(outlook: MicrosoftBackend, calendar: str) -> None:
    """Microsoft keeps the way into the meeting in it."""
    event = booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.mailbox.change(written.key, isOnlineMeeting=True, onlineMeeting={"joinUrl": "https://teams.example.com/1"})
    again = await outlook.provider.write_event(
        outlook.credentials, calendar, replace(event, description="New", summary="New"), written.key
    )
    assert own(outlook, calendar).values["body"]["content"] == event.description
    assert own(outlook, calendar).values["subject"] == "New"
    assert again.join_url == "https://teams.example.com/1"

"""What every calendar provider must do, held against each of them: built-in, CalDAV on two real servers, Google and
Microsoft on fakes, and, as far as it can, a calendar published at an address."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import ProviderFailure
from app.domain.recurrence import read_object
from app.ports.calendars import Changes, Credentials, WrittenEvent
from app.use_cases.ids import new_id
from tests.capabilities import need
from tests.fakes.certificates import make_authority
from tests.fakes.microsoft import fake_microsoft
from tests.providers.backends import Backend, BuiltinBackend, CalDavBackend
from tests.providers.google_backend import GoogleBackend
from tests.providers.ics_url_backend import IcsUrlBackend
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.support.calendar_servers import Box
from tests.support.clock import Clock, at
from tests.support.workspace import event_text, make_workspace, opened

pytestmark = pytest.mark.anyio
START = at("2027-03-02 09:00")


WRITABLE = ("builtin", "radicale", "xandikos", "google", "microsoft")
writes = pytest.mark.parametrize("backend", WRITABLE, indirect=True)


@pytest.fixture(params=[*WRITABLE, "ics_url"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Each provider with an account that works."""
    if request.param == "builtin":
        clock = Clock()
        async with opened(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite3'}", tmp_path, clock) as parts:
            yield await BuiltinBackend.make(await make_workspace(parts, clock))
        return
    if request.param == "ics_url":
        published = await IcsUrlBackend().start()
        yield published
        await published.close()
        return
    if request.param == "google":
        need("contracts")
        google = await GoogleBackend.make()
        yield google
        await google.close()
        return
    if request.param == "microsoft":
        need("contracts")
        clock = Clock()
        async with (
            opened(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite3'}", tmp_path, clock) as parts,
            fake_microsoft(make_authority(tmp_path)) as fake,
        ):
            microsoft = MicrosoftBackend(fake, await make_workspace(parts, clock), clock)
            yield await microsoft.sign_in()
            await microsoft.close()
        return
    server = request.getfixturevalue(f"{request.param}_server")
    box = await Box(upstream=server.url, checks_password=request.param == "xandikos").start()
    made = CalDavBackend(server, box.url)
    yield made
    await made.close()
    await box.stop()


@pytest.fixture
async def calendar(backend: Backend) -> str:
    """An empty calendar."""
    return await backend.make_calendar()


def booking_event(uid: str, **values: object) -> CalendarEvent:
    """An event as bookings make them."""
    event = CalendarEvent(
        uid=uid,
        sequence=0,
        status="CONFIRMED",
        start=START,
        end=START + 1800,
        timezone="Europe/Berlin",
        summary="Intro: Casey; “Ünï” & <b>",
        created=START - 86400,
        updated=START - 86400,
        description="Casey <casey@example.org>\n\nWhat about?\nCommas, semicolons; and more",
        location="https://example.com/room?a=1&b=2",
        url="https://example.com/app/bookings/1",
        alarms=(15,),
    )
    return replace(event, **values)  # type: ignore[arg-type]  # names are checked by replace


async def everything(backend: Backend, calendar: str, cursor: str | None = None, **known: str) -> Changes:
    return await backend.provider.changes(backend.credentials, calendar, cursor, known)


async def test_discovery_proves_the_account_and_keeps_its_secret(backend: Backend, calendar: str) -> None:
    found = await backend.provider.discover(backend.credentials)
    assert found.secret == backend.credentials.secret
    assert await backend.provider.list_calendars(found)


@writes
async def test_a_wrong_account_is_refused(backend: Backend) -> None:
    wrong = Credentials(backend.credentials.url, f"{backend.credentials.username}x", "wrong")
    for question in (backend.provider.discover(wrong), backend.provider.list_calendars(wrong)):
        with pytest.raises(ProviderFailure) as refusal:
            await question
        assert refusal.value.kind == "auth"


async def test_calendars_are_listed_with_what_they_can_hold(backend: Backend, calendar: str) -> None:
    found = await backend.provider.discover(backend.credentials)
    listed = {each.name: each for each in await backend.provider.list_calendars(found)}
    assert calendar in listed
    assert "VEVENT" in listed[calendar].components
    assert listed[calendar].read_only is not backend.provider.capabilities.writable
    assert listed[calendar].display_name


async def test_the_first_question_answers_with_everything(backend: Backend, calendar: str) -> None:
    texts = {uid: event_text(uid, START, START + 3600) for uid in (new_id(), new_id(), new_id())}
    keys = {await backend.put(calendar, uid, text) for uid, text in texts.items()}
    changes = await everything(backend, calendar)
    assert changes.full
    assert changes.removed == ()
    assert {item.name for item in changes.changed} == keys
    facts = [read_object(item.data, timezone="UTC", window=(START, START + 86400)) for item in changes.changed]
    assert {each.uid for each in facts} == set(texts)
    assert all(each.busy == ((START, START + 3600),) for each in facts)


async def test_an_empty_calendar_answers_with_nothing_and_a_cursor(backend: Backend, calendar: str) -> None:
    changes = await everything(backend, calendar)
    assert (changes.changed, changes.removed, changes.full) == ((), (), True)
    assert changes.cursor is not None


async def test_later_questions_answer_with_what_changed(backend: Backend, calendar: str) -> None:
    stays, changes_later, goes = new_id(), new_id(), new_id()
    keys = {
        uid: await backend.put(calendar, uid, event_text(uid, START, START + 600))
        for uid in (stays, changes_later, goes)
    }
    first = await everything(backend, calendar)
    known = {item.name: item.etag for item in first.changed}
    added = new_id()
    keys[added] = await backend.put(calendar, added, event_text(added, START, START + 600))
    await backend.put(calendar, changes_later, event_text(changes_later, START + 600, START + 1200))
    await backend.remove(calendar, keys[goes])

    second = await everything(backend, calendar, first.cursor, **known)
    assert not second.full
    assert {item.name for item in second.changed} == {keys[added], keys[changes_later]}
    assert second.removed == (keys[goes],)

    known.update({item.name: item.etag for item in second.changed})
    del known[keys[goes]]
    third = await everything(backend, calendar, second.cursor, **known)
    assert (third.changed, third.removed) == ((), ())


async def test_an_unknown_cursor_is_answered_from_the_beginning(backend: Backend, calendar: str) -> None:
    uid = new_id()
    key = await backend.put(calendar, uid, event_text(uid, START, START + 600))
    first = await everything(backend, calendar)
    assert first.cursor is not None
    expired = f"{first.cursor}9999"
    changes = await everything(backend, calendar, expired, **{key: "an old etag", "/gone.ics": "x"})
    assert {item.name for item in changes.changed} == {key}
    assert changes.full or changes.removed == ("/gone.ics",)


async def test_an_event_is_fetched_and_found(backend: Backend, calendar: str) -> None:
    uid = f"{new_id()}@example.org"
    key = await backend.put(calendar, uid, event_text(uid, START, START + 600))
    fetched = await backend.provider.fetch(backend.credentials, calendar, key)
    found = await backend.provider.find(backend.credentials, calendar, uid)
    assert fetched is not None
    assert found is not None
    assert uid in fetched.data
    assert found.name == key


async def test_what_is_certainly_not_there_is_none(backend: Backend, calendar: str) -> None:
    other, deleted = new_id(), new_id()
    await backend.put(calendar, other, event_text(other, START, START + 600))
    missing = await backend.put(calendar, deleted, event_text(deleted, START, START + 600))
    await backend.remove(calendar, missing)
    assert await backend.provider.fetch(backend.credentials, calendar, missing) is None
    assert await backend.provider.find(backend.credentials, calendar, new_id()) is None


async def test_a_vanished_calendar_is_a_fault_and_not_an_empty_one(backend: Backend, calendar: str) -> None:
    uid = new_id()
    key = await backend.put(calendar, uid, event_text(uid, START, START + 600))
    cursor = (await everything(backend, calendar)).cursor
    await backend.drop_calendar(calendar)
    for question in (
        everything(backend, calendar),
        everything(backend, calendar, cursor, **{key: "x"}),
        backend.provider.fetch(backend.credentials, calendar, key),
        backend.provider.find(backend.credentials, calendar, uid),
    ):
        with pytest.raises(ProviderFailure) as failure:
            await question
        assert failure.value.kind == "gone"
    with pytest.raises(ProviderFailure) as failure:
        await backend.provider.write_event(backend.credentials, calendar, booking_event(uid), None)
    assert failure.value.kind == ("gone" if backend.provider.capabilities.writable else "refused")


@writes
async def test_a_written_event_is_there_as_it_was_meant(backend: Backend, calendar: str) -> None:
    event = booking_event(f"{new_id()}@example.org")
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    text = await backend.read(calendar, written.key)
    facts = read_object(text, timezone="UTC", window=(START - 86400, START + 86400))
    assert (facts.uid, facts.summary, facts.problems) == (event.uid, event.summary, ())
    assert facts.busy == ((event.start, event.end),)
    for line in ("BEGIN:VTIMEZONE", "TRIGGER:-PT15M"):
        assert (line in text) is (line not in backend.lacks)


@writes
async def test_writing_again_changes_the_same_event(backend: Backend, calendar: str) -> None:
    event = booking_event(new_id())
    first = await backend.provider.write_event(backend.credentials, calendar, event, None)
    moved = replace(event, start=START + 7200, end=START + 9000, sequence=1, summary="Moved")
    for key in (first.key, None):
        again = await backend.provider.write_event(backend.credentials, calendar, moved, key)
        assert again.key == first.key
    assert await backend.keys(calendar) == [first.key]
    facts = read_object(await backend.read(calendar, first.key), timezone="UTC", window=(START, START + 86400))
    assert (facts.busy, facts.summary) == (((moved.start, moved.end),), "Moved")


@writes
async def test_writing_at_the_same_time_makes_one_event(backend: Backend, calendar: str) -> None:
    """A worker that was taken for dead and the one that took over."""
    event = booking_event(new_id())

    async def write() -> WrittenEvent:
        for _ in range(10):
            try:
                return await backend.provider.write_event(backend.credentials, calendar, event, None)
            except ProviderFailure as failure:
                if failure.kind != "busy":  # the worker, too, comes back later
                    raise
        raise AssertionError("the server is always busy")

    written = await asyncio.gather(*(write() for _ in range(4)))
    assert len({each.key for each in written}) == 1
    assert len(await backend.keys(calendar)) == 1


@writes
async def test_an_event_that_was_moved_to_another_name_is_found_by_its_uid(backend: Backend, calendar: str) -> None:
    event = booking_event(new_id())
    first = await backend.provider.write_event(backend.credentials, calendar, event, None)
    text = await backend.read(calendar, first.key)
    await backend.remove(calendar, first.key)
    elsewhere = await backend.put(calendar, event.uid, text)
    again = await backend.provider.write_event(
        backend.credentials, calendar, replace(event, summary="Still one", sequence=1), first.key
    )
    assert again.key == elsewhere
    assert await backend.keys(calendar) == [elsewhere]
    await backend.provider.delete_event(backend.credentials, calendar, event.uid, first.key)
    assert await backend.keys(calendar) == []


@writes
async def test_what_the_person_made_of_the_event_is_kept(backend: Backend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    text = await backend.read(calendar, written.key)
    mine = (
        re.sub(r"\r?\n ", "", text)
        .replace("\r\n", "\n")
        .replace(
            "END:VEVENT",
            "CATEGORIES:Important\nCOLOR:tomato\nX-APPLE-TRAVEL-DURATION:PT30M\nBEGIN:VALARM\nACTION:DISPLAY\n"
            "DESCRIPTION:Mine\nTRIGGER:-PT2H\nEND:VALARM\nEND:VEVENT",
        )
    )
    head, mark, rest = mine.partition("DESCRIPTION:Casey")
    mine = f"{head}{mark}{rest.replace('more', 'more' + chr(92) + 'n' + chr(92) + 'nBring cake', 1)}"
    await backend.remove(calendar, written.key)
    key = await backend.put(calendar, event.uid, mine.replace("\n", "\r\n"))
    changed = replace(event, start=START + 3600, end=START + 5400, sequence=1, description="New text", summary="New")
    await backend.provider.write_event(backend.credentials, calendar, changed, key)
    after = re.sub(r"\r?\n ", "", await backend.read(calendar, key))
    for kept in ("CATEGORIES:Important", "COLOR:tomato", "X-APPLE-TRAVEL-DURATION", "TRIGGER:-PT2H", "Bring cake"):
        assert (kept in after) is (kept not in backend.lacks)
    for ours in ("New text", "SUMMARY:New", "SEQUENCE:1"):
        assert (ours in after) is (ours not in backend.lacks)
    assert "What about?" not in after


@writes
async def test_deleting_is_done_once_and_repeated_without_harm(backend: Backend, calendar: str) -> None:
    event = booking_event(new_id())
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    other = new_id()
    stays = await backend.put(calendar, other, event_text(other, START, START + 600))
    for key in (written.key, written.key, None):
        await backend.provider.delete_event(backend.credentials, calendar, event.uid, key)
    assert await backend.keys(calendar) == [stays]


@writes
async def test_deleting_never_takes_another_event_that_has_the_key_by_now(backend: Backend, calendar: str) -> None:
    other = new_id()
    key = await backend.put(calendar, other, event_text(other, START, START + 600))
    await backend.provider.delete_event(backend.credentials, calendar, new_id(), key)
    assert await backend.keys(calendar) == [key]


@writes
async def test_a_deleted_event_can_be_written_anew(backend: Backend, calendar: str) -> None:
    event = booking_event(new_id())
    first = await backend.provider.write_event(backend.credentials, calendar, event, None)
    await backend.provider.delete_event(backend.credentials, calendar, event.uid, first.key)
    await backend.provider.write_event(backend.credentials, calendar, replace(event, sequence=2), first.key)
    assert len(await backend.keys(calendar)) == 1


@writes
async def test_strange_names_and_uids_survive(backend: Backend, calendar: str) -> None:
    uid = "ünï codé+%41@example.org"
    event = booking_event(uid)
    written = await backend.provider.write_event(backend.credentials, calendar, event, None)
    assert await backend.provider.find(backend.credentials, calendar, uid) is not None
    listed = (await everything(backend, calendar)).changed
    assert [item.name for item in listed] == [written.key]

"""Calendars, objects and busy time on both engines."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import insert, select

from app.db import models as m
from app.db.calendar_store import SqlCalendarStore
from app.db.engine import Database
from app.db.feeds import SqlPublishedFeeds
from app.domain.calendars import Calendar, CalendarAccount, etag_of
from app.domain.errors import AlreadyExists
from app.ports.calendar_store import ObjectWrite
from app.ports.feeds import FeedWindow
from app.ports.published import FIELD, StoredText
from app.use_cases.ids import new_id
from integrations.security import KeyVault

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000
HOUR = 3600


VAULT = KeyVault(["new-key", "old-key"])


class Home:
    """One user with a built-in `schedule` and `personal`."""

    def __init__(self, database: Database, user_id: str, personal: Calendar, schedule: Calendar) -> None:
        self.database = database
        self.user_id = user_id
        self.personal = personal
        self.schedule = schedule

    async def put(self, *writes: ObjectWrite, calendar: Calendar | None = None, now: int = NOW) -> int:
        async with self.database.write.connect() as connection:
            revision = await SqlCalendarStore(connection, VAULT).put_objects(calendar or self.personal, writes, now)
            await connection.commit()
            return revision

    async def remove(self, *names: str, now: int = NOW) -> int:
        async with self.database.write.connect() as connection:
            revision = await SqlCalendarStore(connection, VAULT).remove_objects(self.personal, names, now)
            await connection.commit()
            return revision

    async def busy(self) -> list[tuple[int, int]]:
        async with self.database.read.connect() as connection:
            query = select(m.busy_intervals.c.start_at, m.busy_intervals.c.end_at).order_by(m.busy_intervals.c.start_at)
            return [(row.start_at, row.end_at) for row in await connection.execute(query)]

    async def feed(self, kind: str) -> str:
        """The token of a new feed."""
        token = new_id()
        async with self.database.write.begin() as connection:
            await connection.execute(
                insert(m.feeds).values(
                    id=new_id(),
                    org_id=self.personal.org_id,
                    user_id=self.user_id,
                    kind=kind,
                    label="Team",
                    token_lookup=VAULT.lookup(token),
                    token_sealed=VAULT.seal(token),
                    created_at=NOW,
                )
            )
        return token

    async def host_revision(self) -> int:
        async with self.database.read.connect() as connection:
            found: int = (
                await connection.execute(select(m.hosts.c.revision).where(m.hosts.c.id == self.user_id))
            ).scalar_one()
            return found


def calendar(account: CalendarAccount, name: str, **values: object) -> Calendar:
    plain = Calendar(
        id=new_id(),
        org_id=account.org_id,
        account_id=account.id,
        user_id=account.user_id,
        provider=account.provider,
        name=name,
        display_name=name.title(),
        color=None,
        position=0,
        description="",
        timezone="Europe/Berlin",
        components=("VEVENT",),
        is_conflict=False,
        is_write=False,
        read_only=False,
        revision=0,
        modified_at=NOW,
        sync_cursor=None,
        synced_at=None,
        sync_error=None,
    )
    return replace(plain, **values)  # type: ignore[arg-type]  # names are checked by replace


def an_account(org_id: str, user_id: str, provider: str = "builtin") -> CalendarAccount:
    return CalendarAccount(
        new_id(), org_id, user_id, provider, "Halfpast", "", "ana", "s3cret", "ok", None, None, NOW, NOW
    )


@pytest.fixture
async def home(database: Database) -> Home:
    org_id, user_id = new_id(), new_id()
    account = an_account(org_id, user_id)
    personal = calendar(account, "personal", is_conflict=True, position=1)
    schedule = calendar(account, "schedule", read_only=True)
    async with database.write.begin() as connection:
        await connection.execute(insert(m.organizations).values(id=org_id, slug="demo", name="Demo", created_at=NOW))
        await connection.execute(
            insert(m.users).values(
                id=user_id,
                org_id=org_id,
                email="ana@example.com",
                handle="ana",
                name="Ana",
                roles=["employee"],
                timezone="Europe/Berlin",
                created_at=NOW,
                updated_at=NOW,
            )
        )
        await connection.execute(insert(m.hosts).values(id=user_id, org_id=org_id, kind="user", name="Ana"))
        store = SqlCalendarStore(connection, VAULT)
        await store.add_account(account)
        await store.add_calendar(schedule)
        await store.add_calendar(personal)
    return Home(database, user_id, personal, schedule)


def event(
    name: str, start: int = NOW, *, busy: Sequence[tuple[int, int]] | None = None, **values: object
) -> ObjectWrite:
    data = f"BEGIN:VCALENDAR\r\nX-NAME:{name} {start}\r\nEND:VCALENDAR\r\n"
    end = start + HOUR
    plain = ObjectWrite(
        f"{name}.ics", f"{name}@example.com", "VEVENT", etag_of(data), data, start, end, busy or [(start, end)], None
    )
    return replace(plain, **values)  # type: ignore[arg-type]  # names are checked by replace


@pytest.fixture
async def store(home: Home) -> AsyncIterator[SqlCalendarStore]:
    async with home.database.read.connect() as connection:
        yield SqlCalendarStore(connection, VAULT)


async def test_an_object_is_kept_as_it_was_given(home: Home, store: SqlCalendarStore) -> None:
    text = "BEGIN:VCALENDAR\r\nX-ODD: \tÜñí ✓\r\nEND:VCALENDAR\r\n"
    await home.put(event("a", data=text))
    found = await store.object(home.personal.id, "a.ics")
    assert found is not None
    assert found.data == text
    assert (found.start, found.end, found.uid, found.deleted) == (NOW, NOW + HOUR, "a@example.com", False)
    assert await store.object_by_uid(home.personal.id, "a@example.com") == found
    assert await store.etags(home.personal.id) == {"a.ics": found.etag}
    assert await store.listing(home.personal.id) == f"a.ics{FIELD}{found.etag}"
    assert await store.listing(home.schedule.id) == ""
    assert await store.texts(home.personal.id, ["a.ics", "never.ics"]) == [
        StoredText("a.ics", found.etag, "VEVENT", text, NOW)
    ]
    [entry] = await store.entries_since(home.personal.id, 0, live_only=True)
    assert entry.size == len(text.encode())


async def test_each_object_of_a_batch_has_its_own_revision(home: Home, store: SqlCalendarStore) -> None:
    assert await home.put(*(event(f"e{number}", NOW + number * HOUR) for number in range(5))) == 5
    entries = await store.entries_since(home.personal.id, 0)
    assert [entry.revision for entry in entries] == [1, 2, 3, 4, 5]
    assert [entry.name for entry in await store.entries_since(home.personal.id, 3, limit=1)] == ["e3.ics"]
    found = await store.calendar(home.personal.id)
    assert found is not None
    assert found.revision == 5


async def test_batches_larger_than_a_statement_are_stored_whole(home: Home, store: SqlCalendarStore) -> None:
    assert await home.put(*(event(f"e{number}", NOW + number * HOUR) for number in range(950))) == 950
    assert len(await store.entries_since(home.personal.id, 0, live_only=True)) == 950
    assert len(await store.objects(home.personal.id, [f"e{number}.ics" for number in range(950)])) == 950
    assert await home.remove(*(f"e{number}.ics" for number in range(0, 950, 2))) == 950 + 475
    assert len(await store.etags(home.personal.id)) == 475


async def test_busy_time_is_merged_and_cut_into_bounded_pieces(home: Home) -> None:
    week = 7 * 86400
    await home.put(event("a", busy=[(NOW + 50, NOW + 90), (NOW, NOW + 60), (NOW + 90, NOW + 100), (NOW + 9, NOW + 9)]))
    assert await home.busy() == [(NOW, NOW + 100)]
    await home.put(event("a", busy=[(NOW, NOW + 10 * week)]))
    pieces = await home.busy()
    assert pieces[0][0] == NOW
    assert pieces[-1][1] == NOW + 10 * week
    assert all(end - start <= m.MAX_SPAN for start, end in pieces)
    assert all(one[1] == two[0] for one, two in pairwise(pieces))


async def test_the_host_revision_rises_only_when_busy_time_changes(home: Home) -> None:
    before = await home.host_revision()
    await home.put(event("a"))
    assert await home.host_revision() == before + 1
    await home.put(event("a", data="another text, the same time"))
    assert await home.host_revision() == before + 1
    await home.put(event("free", NOW, busy=[(0, 0)]))
    assert await home.host_revision() == before + 1
    await home.remove("free.ics")
    assert await home.host_revision() == before + 1
    await home.remove("a.ics")
    assert await home.host_revision() == before + 2
    assert await home.busy() == []


async def test_busy_time_of_other_calendars_does_not_touch_the_host(home: Home) -> None:
    before = await home.host_revision()
    await home.put(event("a"), calendar=home.schedule)
    assert await home.host_revision() == before
    assert await home.busy() == [(NOW, NOW + HOUR)]


async def test_a_bookings_own_object_is_never_busy(home: Home) -> None:
    before = await home.host_revision()
    await home.put(event("a", booking_id=new_id()))
    assert await home.busy() == []
    assert await home.host_revision() == before


async def test_a_deleted_object_leaves_a_tombstone_that_sync_sees(home: Home, store: SqlCalendarStore) -> None:
    await home.put(event("a"), event("b", NOW + HOUR))
    assert await home.remove("a.ics", "never.ics", now=NOW + 5) == 3
    assert await store.object(home.personal.id, "a.ics") is None
    assert await store.object_by_uid(home.personal.id, "a@example.com") is None
    [entry] = await store.entries_since(home.personal.id, 2)
    assert (entry.name, entry.deleted, entry.revision, entry.modified_at) == ("a.ics", True, 3, NOW + 5)
    assert await home.busy() == [(NOW + HOUR, NOW + 2 * HOUR)]
    assert await home.remove("a.ics") >= 0
    after = await store.calendar(home.personal.id)
    assert after is not None
    assert after.revision == 3


async def test_a_new_object_revives_the_tombstone_of_its_name(home: Home, store: SqlCalendarStore) -> None:
    await home.put(event("a"))
    await home.remove("a.ics")
    await home.put(event("a", uid="other@example.com"))
    [entry] = await store.entries_since(home.personal.id, 0)
    assert (entry.deleted, entry.revision) == (False, 3)
    found = await store.object(home.personal.id, "a.ics")
    assert found is not None
    assert found.uid == "other@example.com"


async def test_a_uid_lives_once_in_a_calendar(home: Home, store: SqlCalendarStore) -> None:
    await home.put(event("a"))
    with pytest.raises(AlreadyExists):
        await home.put(event("b", uid="a@example.com"))
    with pytest.raises(AlreadyExists):
        await home.put(event("c"), event("d", uid="c@example.com"))
    assert await store.etags(home.personal.id) == {"a.ics": event("a").etag}
    await home.put(event("b", uid="a@example.com"), calendar=home.schedule)
    await home.remove("a.ics")
    await home.put(event("b", uid="a@example.com"))
    assert set(await store.etags(home.personal.id)) == {"b.ics"}


async def test_a_cancelled_bookings_text_stays_for_the_feeds_only(home: Home, store: SqlCalendarStore) -> None:
    live = event("a", booking_id=new_id())
    cancelled = replace(live, data="BEGIN:VEVENT\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n")
    reassigned = event("b", booking_id=new_id())
    async with home.database.write.begin() as connection:
        writer = SqlCalendarStore(connection, VAULT)
        await writer.publish(home.schedule.id, live, NOW, deleted=False)
        await writer.publish(home.schedule.id, reassigned, NOW, deleted=False)
        assert set(await writer.etags(home.schedule.id)) == {"a.ics", "b.ics"}
        await writer.publish(home.schedule.id, reassigned, NOW, deleted=True)
        await writer.publish(home.schedule.id, cancelled, NOW + 9, deleted=True)
    assert await store.object(home.schedule.id, "a.ics") is None
    assert [entry.revision for entry in await store.entries_since(home.schedule.id, 0)] == [3, 4]
    token = await home.feed("schedule")
    async with home.database.read.connect() as connection:
        feeds = SqlPublishedFeeds(connection, VAULT)
        feed = await feeds.find(token)
        assert feed is not None
        assert await feeds.texts(feed, FeedWindow(NOW, None, NOW)) == [cancelled.data]
        assert await feeds.texts(feed, FeedWindow(NOW, NOW + 1, NOW)) == [cancelled.data]
        for window in (
            FeedWindow(NOW, None, NOW + 10),
            FeedWindow(NOW + HOUR, None, NOW),
            FeedWindow(NOW - HOUR, NOW, NOW),
        ):
            assert await feeds.texts(feed, window) == []
        [entry] = await feeds.busy(feed, FeedWindow(NOW, None, NOW))
    assert (entry.start, entry.end, entry.cancelled, entry.modified_at) == (NOW, NOW + HOUR, True, NOW + 9)


async def test_objects_are_found_by_the_range_they_cover(home: Home, store: SqlCalendarStore) -> None:
    day = 86400
    await home.put(
        event("one", NOW),
        event("two", NOW + day),
        event("forever", NOW - day, end=None),
        event("instant", NOW + 3 * day, end=NOW + 3 * day, busy=[(0, 0)]),
        event("task", NOW + day, component="VTODO"),
    )

    async def names(start: int | None, end: int | None, component: str | None = "VEVENT") -> set[str]:
        found = await store.objects_between(home.personal.id, start, end, component)
        texts = await store.texts_between(home.personal.id, start, end, component)
        assert {item.name for item in texts} == {item.name for item in found}
        return {item.name.removesuffix(".ics") for item in found}

    assert await names(None, None) == {"one", "two", "forever", "instant"}
    assert await names(NOW, NOW + HOUR) == {"one", "forever"}
    assert await names(NOW + HOUR, NOW + 2 * HOUR) == {"forever"}
    assert await names(NOW + HOUR, None) == {"two", "forever", "instant"}
    assert await names(None, NOW) == {"forever"}
    assert await names(NOW + 3 * day, NOW + 4 * day) == {"forever", "instant"}
    assert await names(NOW, NOW + 2 * day, None) == {"one", "two", "forever", "task"}


async def test_expansions_that_run_out_are_found(home: Home, store: SqlCalendarStore) -> None:
    await home.put(event("plain"), event("series", NOW + HOUR, end=None, expanded_until=NOW + 9 * HOUR))
    assert [item.name for item in await store.expiring_expansions(home.personal.id, NOW + 10 * HOUR)] == ["series.ics"]
    assert await store.expiring_expansions(home.personal.id, NOW + 9 * HOUR) == []


async def test_secrets_of_accounts_are_sealed(home: Home, store: SqlCalendarStore) -> None:
    async with home.database.write.begin() as connection:
        account = an_account(home.personal.org_id, home.user_id, "caldav")
        writer = SqlCalendarStore(connection, VAULT)
        await writer.add_account(account)
        await writer.update_account(account.id, secret="changed", status="error", error="Wrong password.")
    found = await store.account(account.id)
    assert found == replace(account, secret="changed", status="error", error="Wrong password.")
    async with home.database.read.connect() as connection:
        stored = await connection.scalar(
            select(m.calendar_accounts.c.secret_sealed).where(m.calendar_accounts.c.id == account.id)
        )
    assert stored is not None
    assert "changed" not in stored
    assert VAULT.open(stored) == "changed"
    assert [item.provider for item in await store.accounts_of(home.user_id)] == ["builtin", "caldav"]


async def test_deleting_an_account_frees_the_time_its_calendars_blocked(home: Home, store: SqlCalendarStore) -> None:
    before = await home.host_revision()
    async with home.database.write.begin() as connection:
        writer = SqlCalendarStore(connection, VAULT)
        account = an_account(home.personal.org_id, home.user_id, "caldav")
        mirror = calendar(account, "https://dav.example.com/ana/work/", is_conflict=True)
        await writer.add_account(account)
        await writer.add_calendar(mirror)
        await writer.put_object(mirror, event("a"), NOW)
    assert await store.conflict_calendars([home.user_id]) == [replace(mirror, revision=1)]
    assert await home.busy() != []
    async with home.database.write.begin() as connection:
        await SqlCalendarStore(connection, VAULT).delete_account(account.id)
    assert await home.busy() == []
    assert await store.calendars_in(account.id) == []
    assert await home.host_revision() > before + 1


async def test_what_clients_see_of_a_calendar_changes_its_revision(home: Home, store: SqlCalendarStore) -> None:
    async with home.database.write.begin() as connection:
        writer = SqlCalendarStore(connection, VAULT)
        await writer.update_calendar(home.personal.id, synced_at=NOW)
        assert (await writer.calendar(home.personal.id) or home.personal).revision == 0
        await writer.update_calendar(home.personal.id, color="#aabbcc", modified_at=NOW + 1)
    found = await store.builtin_calendar(home.user_id, "personal")
    assert found is not None
    assert (found.revision, found.color, found.modified_at) == (1, "#aabbcc", NOW + 1)
    assert [item.name for item in await store.builtin_calendars(home.user_id)] == ["schedule", "personal"]


async def test_a_calendar_name_is_unique_in_its_account(home: Home) -> None:
    async with home.database.write.connect() as connection:
        with pytest.raises(AlreadyExists):
            await SqlCalendarStore(connection, VAULT).add_calendar(replace(home.personal, id=new_id()))


async def test_a_device_is_known_by_address_or_handle_and_app_password(home: Home, store: SqlCalendarStore) -> None:
    password_id = new_id()
    async with home.database.write.begin() as connection:
        await connection.execute(
            insert(m.app_passwords).values(
                id=password_id,
                org_id=home.personal.org_id,
                user_id=home.user_id,
                label="Phone",
                lookup=VAULT.lookups("device")[1],
                created_at=NOW,
            )
        )
    for login in ("ana@example.com", "ana", "ANA@Example.com"):
        access = await store.dav_access(login, "device", "personal")
        assert access is not None
        user, collection = access
        assert (user.id, user.handle, user.password_id, user.last_used_at) == (home.user_id, "ana", password_id, None)
        assert collection == home.personal
    assert (await store.dav_access("ana", "device", "nothing") or ())[1:] == (None,)
    assert (await store.dav_access("ana", "device", None) or ())[1:] == (None,)
    assert await store.dav_access("ben", "device", None) is None
    assert await store.dav_access("ana", "another", None) is None
    assert user.new_lookup == VAULT.lookup("device"), "an older key's hash found it"
    async with home.database.write.begin() as connection:
        await SqlCalendarStore(connection, VAULT).app_password_used(user, NOW)
    access = await store.dav_access("ana", "device", None)
    assert access is not None
    assert (access[0].last_used_at, access[0].new_lookup) == (NOW, None)


async def test_a_feed_is_found_by_its_token_alone(home: Home, store: SqlCalendarStore) -> None:
    token = await home.feed("busy")
    async with home.database.read.connect() as connection:
        feeds = SqlPublishedFeeds(connection, VAULT)
        feed = await feeds.find(token)
        assert feed is not None
        assert (feed.kind, feed.calendar_id, feed.label) == ("busy", home.schedule.id, "Team")
        assert await feeds.find("other") is None


async def test_writers_at_once_never_share_a_revision(home: Home, store: SqlCalendarStore) -> None:
    await asyncio.gather(*(home.put(event(f"e{number}", NOW + number * HOUR)) for number in range(20)))
    entries = await store.entries_since(home.personal.id, 0)
    assert [entry.revision for entry in entries] == list(range(1, 21))
    assert await home.host_revision() >= 20

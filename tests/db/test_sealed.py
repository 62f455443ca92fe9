"""Changing keys over a filled database: what rests on which key, sealing anew, and who writes meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.config import load_settings
from app.db import models as m
from app.db import sealed
from app.db.quick import QuickStatement
from app.db.sealed import HASHED, SEALED, damaged, hashed_stock, require_keys, reseal, sealed_stock
from app.doctor import _keys
from app.domain.errors import NotFound, SecretUnreadable
from app.ports.channels import CalendarChannel
from app.ports.organization_grants import OrganizationGrant
from app.use_cases.account_mail import password_address
from app.use_cases.ids import new_id
from app.use_cases.manage_people import set_password, user_of_password_address
from app.use_cases.manage_tokens import create_api_token, create_app_password, create_feed
from app.use_cases.set_up_phone import offer_set_up
from app.use_cases.unsubscribe import is_unsubscribed
from app.wiring import Parts, wire
from calendar_feeds.caldav.app import _note_device
from integrations.security import KeyVault
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, environment, make_workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
OLD, NEW, FOREIGN = "the-old-key-0123456", "the-new-key-0123456", "a-foreign-key-0123456"
BOTH, ONLY_NEW = KeyVault([NEW, OLD]), KeyVault([NEW])


def parts_of(url: str, folder: Path, clock: Clock, *keys: str) -> Parts:
    """The program with these keys."""
    return wire(load_settings({**environment(url, folder), "HALFPAST_SECRET_KEYS": ",".join(keys)}), clock=clock)


@pytest.fixture
async def filled(tables_url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    """One of everything that is sealed or hashed, under the old key."""
    clock = Clock()
    parts = parts_of(tables_url, tmp_path, clock, OLD)
    workspace = await make_workspace(parts, clock)
    link = await workspace.link()
    await workspace.one_time(link)
    await workspace.book(link, NINE)
    async with parts.ports.unit_of_work() as work:
        assert await work.idempotency.put("scope", "hash", "answer", clock.now, clock.now - 86400)
        await work.commit()
    await create_feed(parts.ports, workspace.owner)
    await create_api_token(parts.ports, workspace.owner, "script")
    await offer_set_up(parts.ports, workspace.owner, "Phone")
    async with parts.ports.unit_of_work() as work:
        lookup = parts.ports.vault.lookup("casey@example.org")
        await work.telling.unsubscribe(workspace.organization.id, lookup, clock.now)
        await work.commit()
    calendar = await workspace.connected_calendar(workspace.owner, synced_at=None)
    channel = CalendarChannel(new_id(), calendar.org_id, calendar.id, "google", "resource", "token", clock.now)
    org_id = calendar.org_id
    async with parts.ports.unit_of_work() as work:
        await work.channels.add(channel, clock.now)
        for provider in ("google", "microsoft"):
            await work.organization_grants.put(OrganizationGrant(org_id, provider, "label", "secret", clock.now))
        await work.commit()
    yield workspace
    await parts.close()


EVERYTHING = {
    "bookings": 1,
    "one time links": 1,
    "feeds": 1,
    "phone profiles": 1,
    "calendar accounts": 2,
    "calendar channels": 1,
    "organization grants": 2,
    "idempotency keys": 1,
}


async def resting(workspace: Workspace, vault: KeyVault) -> dict[str, int]:
    """How much of each kind rests on the vault's first key."""
    found = await sealed_stock(workspace.parts.database)
    return {stock.words: stock.count for stock in found if stock.mark == vault.marks[0]}


def test_what_is_found_by_a_hash_is_hashed_anew() -> None:
    with_hash = {each.words for each in SEALED if each.lookup is not None}
    assert with_hash >= {"bookings", "one time links", "feeds"}
    named = {table.name for table in m.metadata.tables.values() if "token_lookup" in table.columns}
    assert {words.replace(" ", "_") for words in with_hash} == named


async def test_what_rests_on_which_key_is_counted(filled: Workspace) -> None:
    assert await resting(filled, KeyVault([OLD])) == EVERYTHING
    assert await resting(filled, ONLY_NEW) == {}
    mark = KeyVault([OLD]).marks[0]
    found = {(each.words, each.mark, each.count) for each in await hashed_stock(filled.parts.database)}
    assert found == {("api tokens", mark, 1), ("phone profiles", mark, 1), ("unsubscribed", mark, 1)}


def test_every_keyed_hash_is_counted() -> None:
    """Beside a sealed text, or by itself; or it would be lost with its key, and nobody told."""
    named = {column for table in m.metadata.tables.values() for column in table.columns if "lookup" in column.name}
    assert named == {*HASHED, *(each.lookup for each in SEALED if each.lookup is not None)}


async def test_who_wants_no_more_mail_is_told_of_before_a_key_goes(
    filled: Workspace, tables_url: str, tmp_path: Path
) -> None:
    org = filled.organization.id
    for keys, name in (((NEW, OLD), "keys"), ((NEW,), "unsubscribed")):
        parts = parts_of(tables_url, tmp_path, filled.clock, *keys)
        (finding,) = [each for each in await _keys(parts) if each.name == name]
        assert "1 unsubscribed" in finding.words
        assert finding.ok == (name == "keys")
        assert not any("unsubscribed" in each.words for each in await _keys(parts) if each.name == "tokens")
        await parts.close()
    parts = parts_of(tables_url, tmp_path, filled.clock, NEW, OLD)
    async with parts.ports.read() as work:
        assert await is_unsubscribed(parts.ports, work, org, "casey@example.org")
    marks = {stock.mark for stock in await hashed_stock(parts.database) if stock.words == "unsubscribed"}
    assert marks == {parts.ports.vault.marks[0]}
    await parts.close()


async def test_everything_is_sealed_anew_and_found_again(filled: Workspace, tables_url: str, tmp_path: Path) -> None:
    """Afterwards the old key is not needed for any of it."""
    (booking,) = await filled.rows(m.bookings)
    assert await reseal(filled.parts.database, BOTH) == sum(EVERYTHING.values())
    assert await resting(filled, ONLY_NEW) == EVERYTHING
    assert await reseal(filled.parts.database, BOTH) == 0
    old = KeyVault([OLD])
    parts = parts_of(tables_url, tmp_path, filled.clock, NEW)
    async with parts.ports.read() as work:
        found = await work.bookings.by_token(old.open(booking["token_sealed"]))
        assert found is not None and found.id == booking["id"]
        (feed,) = await work.tokens.feeds(filled.owner.id)
        assert await work.feeds.find(feed.token) is not None
        secrets = {account.secret for account in await work.calendars.accounts_of(filled.owner.id)}
        assert secrets == {"", "secret"}
        (once,) = await filled.rows(m.one_time_links)
        assert await work.links.context(ONLY_NEW.open(once["token_sealed"])) is not None
    await parts.close()


async def test_many_are_sealed_anew_in_bounded_steps(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "CHUNK", 3)
    (feed,) = await filled.rows(m.feeds)
    old = KeyVault([OLD])
    copies = [
        {**feed, "id": new_id(), "token_lookup": old.lookup(str(number)), "token_sealed": old.seal(str(number))}
        for number in range(7)
    ]
    async with filled.parts.database.write.begin() as connection:
        await connection.execute(m.feeds.insert(), copies)
    assert await reseal(filled.parts.database, BOTH) == sum(EVERYTHING.values()) + len(copies)
    for row in await filled.rows(m.feeds):
        assert row["token_lookup"] == ONLY_NEW.lookup(ONLY_NEW.open(row["token_sealed"]))


async def test_what_is_written_meanwhile_stays(filled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody gives their calendar account a new secret between the reading and the writing."""
    calendars = m.calendar_accounts.c
    plain = sealed._renew

    async def late(database: Any, vault: Any, each: Any, rows: Any) -> int:
        if each.sealed.table is m.calendar_accounts:
            await filled.set(m.calendar_accounts, calendars.url != "", secret_sealed=ONLY_NEW.seal("changed"))
        return await plain(database, vault, each, rows)

    monkeypatch.setattr(sealed, "_renew", late)
    assert await reseal(filled.parts.database, BOTH) < sum(EVERYTHING.values())
    rows = await filled.rows(select(calendars.secret_sealed).where(calendars.url != ""))
    assert {ONLY_NEW.open(row["secret_sealed"]) for row in rows} == {"changed"}


async def test_two_at_once_are_one(filled: Workspace) -> None:
    database = filled.parts.database
    assert sum(await asyncio.gather(reseal(database, BOTH), reseal(database, BOTH))) == sum(EVERYTHING.values())
    assert await resting(filled, ONLY_NEW) == EVERYTHING


@pytest.mark.parametrize("words", EVERYTHING)
async def test_a_missing_key_is_noticed_in_every_table(filled: Workspace, words: str) -> None:
    (each,) = (each for each in SEALED if each.words == words)
    foreign = KeyVault([FOREIGN])
    values = {each.sealed: foreign.seal("x"), **({} if each.lookup is None else {each.lookup: foreign.lookup("x")})}
    async with filled.parts.database.write.begin() as connection:
        (key, *_) = (await connection.execute(select(*each.key))).all()
        one = [column == value for column, value in zip(each.key, key, strict=True)]
        await connection.execute(update(each.sealed.table).where(*one).values(values))
    await require_keys(filled.parts.database, KeyVault([OLD, FOREIGN]))
    for refused in (require_keys, reseal):
        with pytest.raises(SecretUnreadable, match=f"^1 {each.words} were sealed with the key {foreign.marks[0]}, "):
            await refused(filled.parts.database, KeyVault([NEW, OLD]))


async def test_a_damaged_text_is_noticed(filled: Workspace) -> None:
    assert await damaged(filled.parts.database, BOTH) == []
    await filled.set(m.feeds, m.feeds.c.label != "", token_sealed=KeyVault([OLD]).marks[0] + "gAAAAA")
    (problem,) = await damaged(filled.parts.database, BOTH)
    assert problem.startswith("feeds: ")
    assert "backup" in problem


@pytest.mark.parametrize("kind", ["feed", "one-time link"])
async def test_what_moves_while_it_is_looked_for_is_found(
    filled: Workspace, tables_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It is not under the new key yet at the first look, and not under the old one any more at the second."""
    (row,) = await filled.rows(m.feeds if kind == "feed" else m.one_time_links)
    token = KeyVault([OLD]).open(row["token_sealed"])
    plain = QuickStatement.rows
    found: list[Sequence[Any]] = []

    async def rows(self: QuickStatement, connection: Any, **values: Any) -> list[Sequence[Any]]:
        answer = await plain(self, connection, **values)
        if not found:
            await reseal(filled.parts.database, BOTH)
        found.append(answer)
        return answer

    monkeypatch.setattr(QuickStatement, "rows", rows)
    parts = parts_of(tables_url, tmp_path, filled.clock, NEW, OLD)
    async with parts.ports.read() as work:
        look: Any = work.feeds.find if kind == "feed" else work.links.context
        assert await look(token) is not None
    assert [bool(answer) for answer in found] == [False, False, True]
    await parts.close()


async def test_an_app_password_moves_when_it_is_used(filled: Workspace, tables_url: str, tmp_path: Path) -> None:
    """Also when its use was noted a moment ago; the old key then is not needed for it."""
    password, secret = await create_app_password(filled.ports, filled.owner, "Phone")
    async with filled.ports.unit_of_work() as work:
        user, _ = await work.calendars.dav_access("owner", secret, None) or (None, None)
        assert user is not None
        await work.calendars.app_password_used(user, filled.clock.now)
        await work.commit()
    for keys, is_moved in (([NEW, OLD], False), ([NEW, OLD], True), ([NEW], True)):
        parts = parts_of(tables_url, tmp_path, filled.clock, *keys)
        async with parts.ports.read() as work:
            user, _ = await work.calendars.dav_access("owner", secret, None) or (None, None)
        assert user is not None
        assert user.password_id == password.id
        assert (user.new_lookup is None) == is_moved
        await _note_device(parts.ports, user)
        await parts.close()


async def test_a_mailed_address_sets_a_password_while_keys_change(
    filled: Workspace, tables_url: str, tmp_path: Path
) -> None:
    """Still once, and not without the key it was signed with."""
    signed = password_address(filled.ports, filled.owner, 7 * 86400).rpartition("/")[2]
    parts, without = (parts_of(tables_url, tmp_path, filled.clock, *keys) for keys in ((NEW, OLD), (NEW,)))
    with pytest.raises(NotFound):
        await user_of_password_address(without.ports, signed)
    await set_password(parts.ports, signed, "correct-horse-battery")
    with pytest.raises(NotFound):
        await user_of_password_address(parts.ports, signed)
    await parts.close()
    await without.close()

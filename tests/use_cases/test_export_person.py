"""The export: all that erasing would take away, page by page, and nothing of anybody else."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import insert, select

from app.db import models as m
from app.db.person_export import SECTIONS
from app.domain.bookings import Recipient
from app.use_cases import export_person as exporting
from app.use_cases.export_person import SCHEMA_VERSION, export_person, export_text
from app.use_cases.ids import new_id
from tests.support.clock import at
from tests.support.statements import statements_of
from tests.support.workspace import Workspace
from tests.use_cases.calendars.marked import EMAIL, MARKS, SECOND, mark, places_in_tables
from tests.use_cases.test_erase_member import MARKS as MEMBER_MARKS
from tests.use_cases.test_erase_member import member

pytestmark = pytest.mark.anyio

NINE = at("2027-03-04 09:00")


async def test_every_word_that_erasing_takes_away_is_told(workspace: Workspace) -> None:
    """In each of the columns that hold one."""
    made = await mark(workspace)
    found = await export_person(workspace.ports, workspace.organization.id, EMAIL)
    told = json.dumps(found).lower()
    assert {each for each in MARKS if each not in told} == set()
    assert found["schema_version"] == SCHEMA_VERSION
    assert found["addresses"] == [EMAIL.lower(), SECOND]
    assert {each["id"] for each in found["bookings"]} == {each.id for each in made.bookings.values()}
    assert {each["id"] for each in found["guest_of"]} == {each.id for each in made.guest_of.values()}
    filled = {name for name in SECTIONS if found[name]}
    assert filled >= {
        "bookings", "previous_times", "guest_of", "clients", "identities", "blocked", "one_time_links", "mails",
        "invitations", "waiting", "address_books", "event_notes", "kept_edits", "actions",
    }  # fmt: skip
    tables = {place.partition(".")[0] for place in await places_in_tables(workspace)}
    assert tables <= {
        "bookings", "clients", "client_identities", "blocked_recipients", "one_time_links", "mail_deliveries",
        "scheduling_mails", "outbox", "added_contacts", "event_notes", "kept_edits",
        "calendar_objects", "calendar_events",  # copies of the bookings
    }, "what is kept elsewhere has to be told too"  # fmt: skip


async def test_nobody_else_is_told_of(workspace: Workspace) -> None:
    await mark(workspace)
    for other in ("robin@example.org", "q@marked-domain.example.org"):
        told = json.dumps(await export_person(workspace.ports, workspace.organization.id, other)).lower()
        assert not {each for each in MARKS if each in told} - {"marked-domain", "xavierona"}, other
    assert "robin" not in json.dumps(await export_person(workspace.ports, workspace.organization.id, EMAIL)).lower()


async def test_who_signs_in_is_told_all_of_their_own(workspace: Workspace) -> None:
    user = await member(workspace)
    found = await export_person(workspace.ports, workspace.organization.id, user.email)
    told = json.dumps(found).lower()
    assert {each for each in MEMBER_MARKS if each not in told} == set()
    assert found["user"]["id"] == user.id
    for name in (
        "settings",
        "schedules",
        "time_off",
        "calendar_accounts",
        "devices",
        "api_tokens",
        "feeds",
        "own_events",
    ):
        assert found[name], name
    assert not {"password", "hash", "lookup", "sealed", "secret"} & set(told.replace('"', " ").split())


async def test_however_much_it_is_no_more_than_a_page_is_read_at_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 7)
    booking = await workspace.book(await workspace.link(), NINE, recipient=Recipient("Rae", "rae@example.org"))
    (row,) = await workspace.rows(select(m.bookings))
    ids = [new_id() for _ in range(20)]
    copies = [
        {**row, "id": each, "occurrence_id": each, "uid": each, "token_lookup": each.replace("-", "").ljust(64, "1")}
        for each in ids
    ]
    async with workspace.parts.database.write.begin() as connection:
        await connection.execute(insert(m.bookings), copies)
    async with statements_of(workspace.parts.database) as statements:
        pieces = [piece async for piece in export_text(workspace.ports, workspace.organization.id, "rae@example.org")]
    found = json.loads("".join(pieces))
    assert [each["id"] for each in found["bookings"]] == sorted([booking.id, *ids])
    assert max(piece.count('"recipient_name"') for piece in pieces) == 7
    assert len(statements) <= len(SECTIONS) + 3 + 8

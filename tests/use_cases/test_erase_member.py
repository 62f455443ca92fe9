"""Somebody who signs in is forgotten: after they were switched off and relieved, and then all of them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import JSON, String, Text, cast, func, insert, select

from app.db import models as m
from app.db.erased_members import NAME, THEIRS
from app.domain.bookings import Recipient
from app.domain.errors import NotFound, StillMember, Unauthenticated
from app.domain.feeds import FeedOptions
from app.ports.people import User
from app.use_cases.change_person import change_person
from app.use_cases.erase_person import Erasure, erase_as_admin, erase_everywhere
from app.use_cases.hand_over_bookings import BookingPlan, hand_over_bookings
from app.use_cases.hand_over_links import hand_over_links
from app.use_cases.ids import new_id
from app.use_cases.manage_people import NewUser, create_user, sign_in
from app.use_cases.manage_tokens import create_api_token, create_app_password, create_feed
from app.use_cases.set_up_phone import offer_set_up
from app.worker import Worker
from tests.support.clock import at
from tests.support.workspace import ALL_DAY, Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR, DAY = 3600, 86_400
EMAIL, PASSWORD = "marla.mortimer@example.net", "a long enough password"
MARKS = ("marla", "mortimer", "4930777", "gallbladder")


async def member(workspace: Workspace) -> User:
    """Somebody with one of everything."""
    ports, org = workspace.ports, workspace.organization.id
    new = NewUser(org, EMAIL, "Marla Mortimer", ("owner", "employee"), password=PASSWORD)
    user = await create_user(ports, new)
    workspace.users.append(user)
    excluded = [{"from": "2027-05-01", "to": "2027-05-02", "reason": "Gallbladder"}]
    await workspace.hours(user, ALL_DAY, exclusions=excluded, name="Marla's hours")
    async with ports.unit_of_work() as work:
        await work.tokens.add_session("session", user, workspace.clock.now, workspace.clock.now + DAY)
        await work.commit()
    await create_api_token(ports, user, "Marla's script")
    await create_app_password(ports, user, "Marla's phone")
    await create_feed(ports, user, "schedule", options=FeedOptions())
    await offer_set_up(ports, user, "Marla's phone")
    await workspace.connected_calendar(user, synced_at=workspace.clock.now)
    await workspace.busy(user, NINE + 5 * DAY, NINE + 5 * DAY + HOUR, "marla-and-friends")
    async with workspace.parts.database.write.begin() as connection:
        row: dict[str, Any] = {"user_id": user.id, "org_id": org, "phone": "+4930777123", "channels": {}}
        row |= {"digest": "off", "digest_at": "08:00", "version": 1, "updated_at": workspace.clock.now}
        await connection.execute(insert(m.notification_settings).values(**row))
        away: dict[str, Any] = {"id": new_id(), "org_id": org, "host_id": user.id, "start_at": NINE + 40 * DAY}
        away |= {"end_at": NINE + 41 * DAY, "reason": "Gallbladder", "created_at": workspace.clock.now}
        await connection.execute(insert(m.time_off).values(**away))
    return user


async def switch_off(workspace: Workspace, user: User) -> None:
    await change_person(workspace.ports, workspace.owner, user.id, {"is_active": False})


async def erase(workspace: Workspace) -> Erasure:
    return await erase_as_admin(workspace.ports, workspace.owner, EMAIL)


async def marks(workspace: Workspace) -> dict[str, int]:
    """Where something tells of them."""
    found = {}
    async with workspace.parts.database.read.connect() as connection:
        for table in m.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, String | Text | JSON):
                    plain = func.lower(cast(column, Text))
                    for mark in MARKS:
                        query = select(func.count()).select_from(table).where(plain.contains(mark, autoescape=True))
                        if count := await connection.scalar(query):
                            found[f"{table.name}.{column.name} {mark}"] = count
    return found


async def test_who_is_still_needed_is_not_erased(workspace: Workspace) -> None:
    """Each refusal says what to do first; nothing at all is erased by it, not even what they booked themselves."""
    user = await member(workspace)
    link = await workspace.link("marla", user)
    booking = await workspace.book(link, NINE)
    own = await workspace.book(await workspace.link("own"), NINE, recipient=Recipient("Marla Mortimer", EMAIL))
    steps: list[tuple[str, Any]] = [
        ("Switch them off", lambda: switch_off(workspace, user)),
        ("still has links", lambda: hand_over_links(workspace.ports, workspace.owner, user.id, workspace.owner.id)),
        (
            "still has bookings to come",
            lambda: hand_over_bookings(workspace.ports, workspace.owner, user.id, BookingPlan("cancel")),
        ),
    ]
    for words, mend in steps:
        with pytest.raises(StillMember, match=words):
            await erase(workspace)
        with pytest.raises(StillMember, match=words):
            await erase_everywhere(workspace.ports, EMAIL)
        assert (await workspace.stored(own)).recipient.email == EMAIL
        await mend()
    assert (await erase(workspace)).is_user
    assert (await workspace.stored(own)).recipient.email == ""
    assert (await workspace.stored(booking)).status == "cancelled"


async def test_the_last_who_runs_the_organization_is_not_erased(workspace: Workspace) -> None:
    with pytest.raises(StillMember, match="make somebody else an admin first"):
        await erase_as_admin(workspace.ports, workspace.owner, workspace.owner.email)


async def test_all_of_an_account_goes_and_past_bookings_name_nobody(workspace: Workspace) -> None:
    user = await member(workspace)
    link = await workspace.shared_link("collective", [workspace.owner, user])
    booking = await workspace.book(link, NINE)
    await Worker(workspace.ports, workspace.parts.handlers).drain()
    workspace.clock.now = NINE + 10 * DAY
    await Worker(workspace.ports, workspace.parts.handlers).drain()
    await switch_off(workspace, user)
    before = await marks(workspace)
    places = {name.split()[0] for name in before}
    assert places >= {
        "users.email", "users.name", "users.handle", "hosts.name", "api_tokens.label", "app_passwords.label",
        "schedules.name", "schedules.exclusions", "time_off.reason", "notification_settings.phone",
        "calendar_accounts.username", "calendars.display_name", "calendar_objects.name", "mail_deliveries.address",
        "phone_profiles.label",
    }  # fmt: skip
    erased = await erase(workspace)
    assert erased.is_user
    await Worker(workspace.ports, workspace.parts.handlers).drain()
    assert await marks(workspace) == {}
    for column in THEIRS:
        async with workspace.parts.database.read.connect() as connection:
            left = await connection.scalar(select(func.count()).select_from(column.table).where(column == user.id))
        assert left == 0, column
    stored = await workspace.stored(booking)
    assert {host.name for host in stored.hosts if host.id == user.id} == {NAME}
    assert {host.id for host in stored.hosts} == {workspace.owner.id, user.id}
    assert stored.recipient.email, "the booking is somebody else's"
    with pytest.raises(Unauthenticated):
        await sign_in(workspace.ports, EMAIL, PASSWORD)
    async with workspace.ports.read() as work:
        assert await work.tokens.session_user("session", workspace.clock.now) is None
        entries = await work.audit.of_entity(user.org_id, user.org_id)
    assert [each["changes"]["accounts"] for each in entries if each["action"] == "person.erased"] == [1]
    kinds = {row["kind"] for row in await workspace.rows(m.outbox)}
    assert not kinds & {"sync_calendar", "watch_calendar", "digest"}


async def test_who_was_erased_is_not_switched_on_again_and_may_come_back_as_somebody_new(
    workspace: Workspace,
) -> None:
    user = await member(workspace)
    await switch_off(workspace, user)
    await erase(workspace)
    with pytest.raises(NotFound):
        await change_person(workspace.ports, workspace.owner, user.id, {"is_active": True})
    async with workspace.ports.read() as work:
        people = await work.employees.page(user.org_id, 100, None)
    assert user.id not in {each.id for each in people.items}
    again = await create_user(workspace.ports, NewUser(user.org_id, EMAIL, "Marla Mortimer", ("employee",)))
    assert (again.id != user.id, again.handle) == (True, user.handle)


async def test_what_colleagues_know_stays(workspace: Workspace) -> None:
    """Their sessions, calendars and schedules."""
    user = await member(workspace)
    other = await workspace.user("other")
    token = await create_api_token(workspace.ports, other, "script")
    await workspace.busy(other, NINE, NINE + HOUR)
    await switch_off(workspace, user)
    before = {table: len(await workspace.rows(m.metadata.tables[table])) for table in ("calendar_objects", "schedules")}
    await erase(workspace)
    async with workspace.ports.read() as work:
        assert await work.tokens.api_token_user(token) is not None
        assert await work.calendars.builtin_calendar(other.id, "personal") is not None
    assert len(await workspace.rows(m.schedules)) == before["schedules"]
    assert len(await workspace.rows(m.calendar_objects)) == before["calendar_objects"] - 1

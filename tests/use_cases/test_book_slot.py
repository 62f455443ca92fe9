"""Booking a free start: what is offered, what is taken, and what a booking brings along."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Recipient
from app.domain.errors import ClaimOverlap, Conflict, Invalid, LinkExpired, LinkInactive, LinkUsed, NotFound
from app.domain.locations import Location as Place
from app.domain.templates import Followup, Question
from app.use_cases.book_slot import book_slot
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_links import change_link, create_template, delete_link, revoke_one_time
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, broken_table, free_whatever_the_store_says, request

pytestmark = pytest.mark.anyio

OFFICE = {day: [("09:00", "12:00"), ("13:00", "17:00")] for day in ("mon", "tue", "wed", "thu", "fri")}
NINE = at("2027-03-02 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400


async def test_a_booking_is_stored_as_asked_for(workspace: Workspace, clock: Clock) -> None:
    link = await workspace.link(buffer_before=5, buffer_after=10, location=Place("link", "https://meet.example.com/x"))
    wanted: dict[str, Any] = {
        "timezone": "Asia/Kolkata",
        "recipient": Recipient("Robin Recipient", "robin@example.org", "+49 30 1234"),
        "guests": ("guest@example.org",),
        "notes": "Bring coffee",
    }
    made = await workspace.book(link, NINE, **wanted)
    stored = await workspace.stored(made)
    assert stored == made
    assert (stored.status, stored.start, stored.end, stored.duration) == ("confirmed", NINE, NINE + 1800, 30)
    assert (stored.timezone, stored.recipient, stored.guests, stored.notes) == tuple(wanted.values())
    assert (stored.version, stored.sequence, stored.seats) == (1, 0, 1)
    assert [host.id for host in stored.hosts] == [workspace.owner.id]
    assert stored.uid.startswith(stored.id + "@")
    assert stored.location == link.location
    assert (stored.created_at, stored.updated_at) == (clock.now, clock.now)


async def test_the_claim_holds_the_buffers(workspace: Workspace) -> None:
    link = await workspace.link(buffer_before=5, buffer_after=10)
    made = await workspace.book(link, NINE)
    (claim,) = await workspace.rows(m.claims)
    assert (claim["start_at"], claim["end_at"]) == (NINE - 5 * MINUTE, NINE + 40 * MINUTE)
    assert (claim["occurrence_id"], claim["host_id"]) == (made.occurrence_id, workspace.owner.id)
    assert (claim["capacity"], claim["seats_taken"], claim["hold_expires_at"]) == (1, 1, None)


# What the rules never offer is malformed (400), and leaves nothing behind.


@pytest.mark.parametrize(
    ("start", "why"),
    [
        ("2027-03-01 07:30", "past"),
        ("2027-03-02 09:10", "steps"),
        ("2027-03-02 08:30", "hours"),
        ("2027-03-02 12:30", "hours"),
        ("2027-03-02 16:45", "hours"),
        ("2027-03-06 09:00", "hours"),
        ("2027-03-01 09:00", "soon"),
        ("2027-03-30 09:00", "far"),
    ],
    ids=["past", "off step", "before opening", "in a break", "beyond closing", "Saturday", "notice", "horizon"],
)
async def test_a_start_that_the_rules_never_offer_is_malformed(workspace: Workspace, start: str, why: str) -> None:
    await workspace.hours(workspace.owner, OFFICE)
    link = await workspace.link(minimum_notice=120, horizon_days=28)
    before = await workspace.counts()
    with pytest.raises(Invalid) as refused:
        await workspace.book(link, at(start))
    assert refused.value.errors[0].field == "start"
    assert why in refused.value.detail
    assert await workspace.counts() == before


async def test_a_start_outside_the_fixed_dates_is_malformed(workspace: Workspace) -> None:
    link = await workspace.link(horizon_days=None, date_range=(date(2027, 3, 2), date(2027, 3, 3)))
    for start in ("2027-03-01 23:30", "2027-03-04 00:00"):
        with pytest.raises(Invalid, match="dates"):
            await workspace.book(link, at(start))
    await workspace.book(link, at("2027-03-02 00:00"))
    await workspace.book(link, at("2027-03-03 23:30"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"minutes": 45}, "duration"),
        ({"start": NINE + 1}, "start"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"answers": {"unasked": "x"}}, "answers.unasked"),
    ],
)
async def test_a_malformed_request_writes_nothing(workspace: Workspace, values: dict[str, Any], field: str) -> None:
    link = await workspace.link()
    before = await workspace.counts()
    with pytest.raises(Invalid) as refused:
        await workspace.book(link, **{"start": NINE, **values})
    assert field in [error.field for error in refused.value.errors]
    assert await workspace.counts() == before


async def test_required_questions_must_be_answered(workspace: Workspace) -> None:
    template = await create_template(
        workspace.ports,
        workspace.owner,
        {
            "name": "Default",
            "questions": (Question("topic", "What about?", "short", required=True),),
            "email_followup_enabled": False,
            "followup": Followup(),
        },
    )
    link = await workspace.link(template_id=template.id)
    with pytest.raises(Invalid) as refused:
        await workspace.book(link, NINE)
    assert refused.value.errors[0].field == "answers.topic"
    made = await workspace.book(link, NINE, answers={"topic": "Prices"})
    assert made.answered.values == {"topic": "Prices"}
    assert made.answered.labels == {"topic": "What about?"}


async def test_an_old_name_of_a_zone_becomes_the_present_one(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(), NINE, timezone="Asia/Calcutta")
    assert made.timezone == "Asia/Kolkata"


async def test_answers_keep_the_order_of_their_questions(workspace: Workspace) -> None:
    """Whatever the order they came in, and also as they are read back."""
    asked = ("zeal", "b", "about", "a")
    template = await create_template(
        workspace.ports,
        workspace.owner,
        {
            "name": "Default",
            "questions": tuple(Question(name, name.title(), "short") for name in asked),
            "email_followup_enabled": False,
            "followup": Followup(),
        },
    )
    link = await workspace.link(template_id=template.id)
    made = await workspace.book(link, NINE, answers=dict.fromkeys(sorted(asked), "yes"))
    async with workspace.ports.read() as work:
        read = await work.bookings.get(made.id)
    assert read is not None
    assert tuple(made.answered.values) == tuple(read.answered.values) == tuple(read.answered.labels) == asked


# What they offer, but is taken, is a conflict (409) with the nearest free starts.


async def test_a_taken_start_is_a_conflict_with_the_nearest_alternatives(workspace: Workspace) -> None:
    link = await workspace.link()
    await workspace.book(link, NINE)
    before = await workspace.counts()
    with pytest.raises(Conflict) as refused:
        await workspace.book(link, NINE, timezone="Europe/Berlin")
    assert refused.value.alternatives == tuple(NINE + step * 30 * MINUTE for step in (-3, -2, -1, 1, 2))
    assert refused.value.timezone == "Europe/Berlin"
    assert await workspace.counts() == before
    await workspace.book(link, refused.value.alternatives[0])


@pytest.mark.parametrize("what", ["booking", "event", "time off", "another link"])
async def test_whatever_occupies_the_host_takes_the_start(workspace: Workspace, what: str) -> None:
    link = await workspace.link()
    match what:
        case "booking":
            await workspace.book(link, NINE)
        case "event":
            await workspace.busy(workspace.owner, NINE + 10 * MINUTE, NINE + 20 * MINUTE)
        case "time off":
            await workspace.time_off(workspace.owner, NINE - DAY, NINE + 1)
        case _:
            await workspace.book(await workspace.link("other", durations=(60,), step=15), NINE - 45 * MINUTE, 60)
    assert NINE not in await workspace.free(link, NINE, NINE)
    with pytest.raises(Conflict):
        await workspace.book(link, NINE)


@pytest.mark.parametrize(("gap", "is_free"), [(24, False), (25, True)])
async def test_buffers_are_kept_on_both_sides(workspace: Workspace, gap: int, is_free: bool) -> None:
    """Two bookings share no buffer: fifteen minutes after one and ten before the next need twenty-five between."""
    first = await workspace.link("first", buffer_after=15)
    second = await workspace.link("second", buffer_before=10, step=1)
    await workspace.book(first, NINE)
    wanted = NINE + (30 + gap) * MINUTE
    if is_free:
        await workspace.book(second, wanted)
    else:
        with pytest.raises(Conflict):
            await workspace.book(second, wanted)


async def test_a_buffer_may_reach_outside_the_hours(workspace: Workspace) -> None:
    await workspace.hours(workspace.owner, OFFICE)
    link = await workspace.link(buffer_before=60, buffer_after=60)
    await workspace.book(link, NINE)


@pytest.mark.parametrize("limit", [{"max_per_day": 2}, {"max_per_week": 2}], ids=["day", "week"])
@pytest.mark.parametrize("whose", ["link", "host"])
async def test_a_limit_is_a_conflict_and_others_days_are_offered(
    workspace: Workspace, whose: str, limit: dict[str, Any]
) -> None:
    link = await workspace.link(**(limit if whose == "link" else {}))
    if whose == "host":
        await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, **limit)
    later = NINE + (DAY if "max_per_day" in limit else 6 * DAY)  # tomorrow, or Monday
    kept = await workspace.book(link, NINE)
    await workspace.book(link, NINE + HOUR)
    with pytest.raises(Conflict) as refused:
        await workspace.book(link, NINE + 2 * HOUR)
    assert refused.value.alternatives
    assert min(refused.value.alternatives) < NINE - 9 * HOUR or min(refused.value.alternatives) >= NINE + 15 * HOUR
    await workspace.book(link, later)
    await take_step(workspace.ports, kept.id, "cancel", Actor("system"))  # cancelled ones do not count
    await workspace.book(link, NINE + 2 * HOUR)


async def test_days_of_limits_are_those_of_the_hosts_zone(workspace: Workspace) -> None:
    await workspace.set(
        m.schedules, m.schedules.c.user_id == workspace.owner.id, timezone="Pacific/Auckland", version=2
    )
    link = await workspace.link(max_per_day=1)
    await workspace.book(link, at("2027-03-03 23:30", "Pacific/Auckland"))
    await workspace.book(link, at("2027-03-04 00:00", "Pacific/Auckland"))  # the same day in UTC
    with pytest.raises(Conflict):
        await workspace.book(link, at("2027-03-04 23:30", "Pacific/Auckland"))


async def test_a_limit_on_a_link_leaves_the_hosts_other_links_alone(workspace: Workspace) -> None:
    limited, other = await workspace.link("limited", max_per_day=1), await workspace.link("other")
    await workspace.book(limited, NINE)
    await workspace.book(other, NINE + HOUR)
    with pytest.raises(Conflict):
        await workspace.book(limited, NINE + 2 * HOUR)


# Links


async def test_links_that_are_not_there_off_or_gone(workspace: Workspace) -> None:
    link = await workspace.link()
    for token in ("acme.unknown", "unknown.intro", "no-such-token"):
        with pytest.raises(NotFound):
            await book_slot(workspace.ports, token, request(NINE))
    await change_link(workspace.ports, workspace.owner, link.id, {"is_active": False})
    with pytest.raises(LinkInactive):
        await workspace.book(link, NINE)
    await delete_link(workspace.ports, workspace.owner, link.id)
    with pytest.raises(NotFound):
        await workspace.book(link, NINE)


async def test_a_one_time_link_is_used_once(workspace: Workspace) -> None:
    one_time = await workspace.one_time(await workspace.link())
    made = await workspace.book(one_time, NINE)
    assert made.one_time_link_id == one_time.id
    (row,) = await workspace.rows(m.one_time_links)
    assert (row["status"], row["booking_id"]) == ("used", made.id)
    with pytest.raises(LinkUsed):
        await workspace.book(one_time, NINE + HOUR)
    with pytest.raises(LinkUsed):
        await workspace.free(one_time, NINE, NINE)


async def test_a_one_time_link_ends_with_its_expiry(workspace: Workspace, clock: Clock) -> None:
    one_time = await workspace.one_time(await workspace.link(), expires_at=clock.now + HOUR)
    clock.advance(HOUR - 1)
    assert await workspace.free(one_time, NINE, NINE)
    clock.advance(1)
    with pytest.raises(LinkExpired):
        await workspace.book(one_time, NINE)


async def test_a_revoked_one_time_link_is_off(workspace: Workspace) -> None:
    one_time = await workspace.one_time(await workspace.link())
    await revoke_one_time(workspace.ports, workspace.owner, one_time.id)
    with pytest.raises(LinkInactive):
        await workspace.book(one_time, NINE)


async def test_a_failed_booking_leaves_the_one_time_link_open(workspace: Workspace) -> None:
    link = await workspace.link()
    one_time = await workspace.one_time(link)
    await workspace.book(link, NINE)
    with pytest.raises(Conflict) as refused:
        await workspace.book(one_time, NINE)
    await workspace.book(one_time, refused.value.alternatives[0])


@pytest.mark.parametrize("actor", ["recipient", "user"])
async def test_only_the_recipients_cancellation_revives_a_one_time_link(
    workspace: Workspace, clock: Clock, actor: str
) -> None:
    one_time = await workspace.one_time(await workspace.link(), expires_at=clock.now + HOUR)
    made = await workspace.book(one_time, NINE)
    await take_step(workspace.ports, made.id, "cancel", Actor(actor, made.id))
    if actor == "user":
        with pytest.raises(LinkUsed):
            await workspace.book(one_time, NINE)
        return
    again = await workspace.book(one_time, NINE)
    assert again.id != made.id
    await take_step(workspace.ports, again.id, "cancel", Actor(actor, again.id))
    clock.advance(HOUR)
    with pytest.raises(LinkExpired):
        await workspace.book(one_time, NINE)


async def test_cancelling_an_old_booking_does_not_revive_a_link_used_anew(workspace: Workspace) -> None:
    one_time = await workspace.one_time(await workspace.link())
    first = await workspace.book(one_time, NINE)
    await take_step(workspace.ports, first.id, "cancel", Actor("recipient", first.id))
    second = await workspace.book(one_time, NINE)
    (row,) = await workspace.rows(m.one_time_links)
    assert (row["status"], row["booking_id"]) == ("used", second.id)


async def test_picked_slots_are_offered_exactly(workspace: Workspace, clock: Clock) -> None:
    """Hours, step, notice and horizon do not apply to hand-picked times; busy time and limits do."""
    await workspace.hours(workspace.owner, OFFICE)
    link = await workspace.link(minimum_notice=24 * 60, horizon_days=1, max_per_day=1)
    soon, night, far = clock.now + 7 * MINUTE - clock.now % 60, at("2027-03-02 03:11"), at("2027-05-09 22:00")
    one_time = await workspace.one_time(link, (soon, 30), (night, 25), (far, 30))
    assert await workspace.free(one_time, soon, far - 10 * DAY) == [soon]
    assert await workspace.free(one_time, far, far) == [far]
    assert await workspace.free(one_time, night, night, 25) == [night]
    with pytest.raises(Invalid):
        await workspace.book(one_time, at("2027-03-02 09:00"))
    with pytest.raises(Invalid):
        await workspace.book(one_time, night, 30)
    await workspace.busy(workspace.owner, far, far + 1)
    with pytest.raises(Conflict):
        await workspace.book(one_time, far)
    made = await workspace.book(one_time, night, 25)
    assert (made.start, made.duration) == (night, 25)


async def test_a_picked_slot_that_has_passed_is_not_offered(workspace: Workspace, clock: Clock) -> None:
    one_time = await workspace.one_time(await workspace.link(), (clock.now + HOUR, 30), (clock.now + 2 * HOUR, 30))
    clock.advance(HOUR)
    assert await workspace.free(one_time, clock.now, clock.now) == [clock.now + HOUR]
    with pytest.raises(Invalid):
        await workspace.book(one_time, clock.now)


# What a booking brings along


async def test_a_booking_writes_one_audit_entry_without_personal_data(workspace: Workspace, clock: Clock) -> None:
    made = await workspace.book(await workspace.link(), NINE, notes="Secret notes", timezone="Europe/Berlin")
    entries = await workspace.rows(select(m.audit_entries).where(m.audit_entries.c.entity_id == made.id))
    (entry,) = entries
    assert (entry["action"], entry["entity"], entry["at"]) == ("booking.created", "booking", clock.now)
    assert (entry["actor_kind"], entry["actor_id"]) == ("recipient", made.id)
    assert entry["changes"] == {"status": "confirmed", "start": NINE, "end": NINE + 1800}
    for personal in ("casey", "Casey", "Secret", "example.org"):
        assert personal not in str(entry)


async def test_a_booking_asks_for_all_that_must_follow(workspace: Workspace, clock: Clock) -> None:
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now, is_conflict=False)
    await workspace.set(m.calendars, m.calendars.c.is_write, is_write=False)
    await workspace.set(m.calendars, m.calendars.c.provider == "caldav", is_write=True)
    made = await workspace.book(await workspace.link(), NINE, guests=("guest@example.org",))
    rows = {row["lane"]: row for row in await workspace.rows(m.outbox)}
    owner, lane = workspace.owner.id, f"booking:{made.id}:"
    (guest_lane,) = (name.removeprefix(lane) for name in rows if "mail:guest:" in name)
    assert {name.removeprefix(lane): row["kind"] for name, row in rows.items()} == {
        "mail:recipient": "booking_mail",
        guest_lane: "booking_mail",
        f"mail:host:{owner}": "booking_mail",
        f"event:{owner}": "calendar_event",
        "complete": "complete_booking",
        "followup": "followup",
        "client": "client",
    }
    assert rows[f"{lane}mail:recipient"]["run_at"] == clock.now
    assert rows[lane + guest_lane]["payload"]["address"] == "guest@example.org"
    assert rows[f"{lane}complete"]["run_at"] == made.end + 60 * MINUTE
    assert rows[f"{lane}followup"]["run_at"] == made.end
    assert {row["org_id"] for row in rows.values()} == {workspace.organization.id}


async def test_a_booking_is_in_the_hosts_schedule_at_once(workspace: Workspace) -> None:
    made = await workspace.book(await workspace.link(), NINE)
    query = select(m.calendar_objects, m.calendars.c.name.label("collection"), m.calendars.c.revision.label("ctag"))
    (row,) = await workspace.rows(query.join(m.calendars, m.calendars.c.id == m.calendar_objects.c.calendar_id))
    assert (row["collection"], row["name"], row["uid"]) == ("schedule", f"{made.id}.ics", made.uid)
    assert (row["start_at"], row["end_at"], row["deleted"], row["booking_id"]) == (NINE, NINE + 1800, False, made.id)
    assert row["revision"] == row["ctag"] == 1
    assert f"UID:{made.uid}" in row["data"].replace("\r\n ", "")
    assert await workspace.rows(m.busy_intervals) == []  # the claim is what blocks


async def test_a_booking_raises_the_revision_of_its_host(workspace: Workspace) -> None:
    link = await workspace.link()
    before = (await workspace.context(link)).hosts[0].revision
    await workspace.book(link, NINE)
    assert (await workspace.context(link)).hosts[0].revision > before


@pytest.mark.parametrize("table", ["booking_hosts", "claims", "audit_entries", "outbox", "calendar_objects"])
async def test_all_of_a_booking_is_written_or_nothing(workspace: Workspace, table: str) -> None:
    """Wherever the transaction breaks off, nothing of it stays, and the one-time link is still open."""
    one_time = await workspace.one_time(await workspace.link())
    before = await workspace.counts()
    async with broken_table(workspace.parts, table):
        with pytest.raises(Exception, match="broken"):
            await workspace.book(one_time, NINE)
    assert await workspace.counts() == before
    assert (await workspace.rows(m.one_time_links))[0]["status"] == "open"
    assert NINE in await workspace.free(one_time, NINE, NINE)


async def test_the_guard_has_the_last_word(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a program that believes everything free cannot book twice: the database refuses, and that is a conflict."""
    link = await workspace.link()
    await workspace.book(link, NINE)
    free_whatever_the_store_says(monkeypatch)
    before = await workspace.counts()
    with pytest.raises(Conflict) as refused:
        await workspace.book(link, NINE)
    assert isinstance(refused.value.__cause__, ClaimOverlap)
    assert await workspace.counts() == before


# Races


async def test_of_many_at_once_one_wins(workspace: Workspace) -> None:
    links = [await workspace.link(f"link-{number}", durations=(30 * number,), step=30) for number in (1, 2, 3)]
    attempts = [workspace.book(link, NINE, link.durations[0]) for link in links for _ in range(6)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert len(refused) == len(attempts) - 1
    assert all(isinstance(error, Conflict) and error.alternatives for error in refused), refused
    assert len(await workspace.rows(m.claims)) == len(await workspace.rows(m.bookings)) == 1


async def test_a_one_time_link_used_by_many_at_once_books_once(workspace: Workspace) -> None:
    """The others hear that it was used (410), also those who wanted the very same time."""
    one_time = await workspace.one_time(await workspace.link())
    attempts = [workspace.book(one_time, NINE + (number % 4) * HOUR) for number in range(16)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Booking"] + ["LinkUsed"] * 15
    assert len(await workspace.rows(m.bookings)) == 1


async def test_limits_hold_when_many_book_at_once(workspace: Workspace) -> None:
    link = await workspace.link(max_per_day=3, max_per_week=5)
    attempts = [workspace.book(link, NINE + day * DAY + hour * HOUR) for hour in range(6) for day in range(3)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Booking"] * 5 + ["Conflict"] * 13
    days = [row["start_at"] // DAY for row in await workspace.rows(m.bookings)]
    assert max(map(days.count, days)) <= 3

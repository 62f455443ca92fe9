"""Somebody leaves: they are offered no more, their links answer that they are off, and no booking is lost by it."""

from dataclasses import replace

import pytest

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import AlreadyExists, Conflict, Forbidden, Invalid, LinkInactive, NotFound, Unauthenticated
from app.domain.services import Need, ServiceHost
from app.ports.people import User
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.booking_changes import Actor
from app.use_cases.change_person import change_person
from app.use_cases.hand_over_bookings import BookingPlan, Outcomes, hand_over_bookings
from app.use_cases.hand_over_links import hand_over_link, hand_over_links
from app.use_cases.ids import new_id
from app.use_cases.manage_people import sign_in
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.workspace import Workspace, request

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR, DAY = 3600, 86400
STAFF = Actor("user", "staff")


async def switch(workspace: Workspace, user: User, *, on: bool = False) -> None:
    await change_person(workspace.ports, workspace.owner, user.id, {"is_active": on})


async def hand(workspace: Workspace, user: User, plan: BookingPlan) -> Outcomes:
    return await hand_over_bookings(workspace.ports, workspace.owner, user.id, plan)


def told(outcomes: Outcomes) -> list[tuple[str, str]]:
    return [(each.booking.id, each.kind) for each in outcomes.items]


def hosts_of(booking: Booking) -> set[str]:
    return {host.id for host in booking.hosts}


async def test_nobody_who_is_switched_off_is_offered_or_chosen(workspace: Workspace) -> None:
    """By a pool: the other one takes all, and its free times count one seat less."""
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    pool = await workspace.shared_link("pool", [ben, ana], priorities=[0, 5])
    await switch(workspace, ana)
    context = await workspace.context(pool)
    assert [host.host_id for host in context.hosts] == [ben.id]
    assert hosts_of(await workspace.book(pool, NINE)) == {ben.id}
    assert NINE not in await workspace.free(pool, NINE, NINE)
    with pytest.raises(Conflict):
        await workspace.book(pool, NINE)


async def test_free_times_that_are_kept_know_of_it(workspace: Workspace) -> None:
    """The stamp that answers rest on is another one, and again the same as that of what is read anew."""
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    pool = await workspace.shared_link("pool", [ben, ana])
    single = await workspace.link("single", ana)

    async def stamps() -> list[object]:
        async with workspace.ports.read() as work:
            return [await work.links.stamp(workspace.token(link), workspace.clock.now) for link in (pool, single)]

    before = await stamps()
    assert before[0] == (await workspace.context(pool)).stamp(workspace.clock.now)
    await switch(workspace, ana)
    off = await stamps()
    assert off[0] == (await workspace.context(pool)).stamp(workspace.clock.now)
    assert not {before[0], before[1]} & {off[0], off[1]}
    await switch(workspace, ana, on=True)
    on = await stamps()
    assert not {before[0], before[1], off[0], off[1]} & {on[0], on[1]}


async def test_their_links_answer_that_they_are_off_until_they_are_handed_over(workspace: Workspace) -> None:
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    link = await workspace.link("ana", ana)
    once = await workspace.one_time(link)
    booked = await workspace.book(link, NINE)
    await switch(workspace, ana)
    for each in (link, once):
        with pytest.raises(LinkInactive):
            await workspace.book(each, NINE + HOUR)
        with pytest.raises(LinkInactive):
            await workspace.free(each, NINE, NINE)
    handed = await hand_over_link(workspace.ports, workspace.owner, link.id, ben.id)
    assert (handed.owner_id, handed.slug, handed.schedule_id) == (ben.id, link.slug, None)
    assert hosts_of(await workspace.book(link, NINE)) == {ben.id}, "his own calendar decides, not hers"
    assert hosts_of(await workspace.book(once, NINE + HOUR)) == {ben.id}
    assert hosts_of(await workspace.stored(booked)) == {ana.id}, "what was booked stays"
    assert told(await hand(workspace, ana, BookingPlan("person", ben.id))) == [(booked.id, "left")]
    await reschedule_booking(workspace.ports, booked.id, Move(NINE + 3 * HOUR), STAFF)
    assert hosts_of(await workspace.stored(booked)) == {ben.id}


async def test_to_switch_on_again_gives_all_back(workspace: Workspace) -> None:
    ana = await workspace.user("ana")
    link = await workspace.link("ana", ana)
    await switch(workspace, ana)
    await switch(workspace, ana, on=True)
    assert hosts_of(await workspace.book(link, NINE)) == {ana.id}


@pytest.mark.parametrize("mode", ["pool", "fixed_pool", "collective", "chosen"])
async def test_a_service_nobody_is_left_for_is_not_offered(workspace: Workspace, mode: str) -> None:
    """Nor is its room alone; whoever is needed besides others must be there, or it is off."""
    ports, owner = workspace.ports, workspace.owner
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    room = await create_resource(ports, owner, {"name": "Room", "quantity": 2})
    people = [ServiceHost(ana.id, is_fixed=mode == "fixed_pool")]
    people += [ServiceHost(ben.id)] if mode == "fixed_pool" else []
    values = {"name": "Cut", "durations": (30,), "mode": mode}
    service = await create_service(ports, owner, values, [Need(room.id)], people)
    link = await workspace.link("cut", service_id=service.id)
    await switch(workspace, ana)
    with pytest.raises(LinkInactive):
        await workspace.book(link, NINE)
    with pytest.raises(NotFound):
        await book_for_client(ports, owner, ClientBooking(request(NINE), service_id=service.id))
    async with ports.read() as work:
        assert await work.links.context_of_service(owner.org_id, service.id) is None
    await switch(workspace, ana, on=True)
    assert ana.id in hosts_of(await workspace.book(link, NINE))


async def test_the_others_of_a_collective_go_on(workspace: Workspace) -> None:
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    team = await workspace.shared_link("collective", [ben, ana])
    await switch(workspace, ana)
    assert hosts_of(await workspace.book(team, NINE)) == {ben.id}


async def test_they_cannot_come_back_in(workspace: Workspace) -> None:
    """By what they signed in with before: their sessions are gone, and are not given back."""
    ports, ana = workspace.ports, await workspace.user("ana")
    secret = ports.vault.new_token()
    async with ports.unit_of_work() as work:
        await work.tokens.add_session(secret, ana, workspace.clock.now, workspace.clock.now + DAY)
        await work.tokens.add_api_token(new_id(), secret, ana, "x", NINE)
        password_hash = await ports.passwords.hash("correct-horse-battery")
        await work.people.update_user(ana.id, NINE, password_hash=password_hash)
        await work.commit()
    assert (await sign_in(ports, ana.email, "correct-horse-battery")).id == ana.id
    await switch(workspace, ana)
    with pytest.raises(Unauthenticated):
        await sign_in(ports, ana.email, "correct-horse-battery")
    async with ports.read() as work:
        assert await work.tokens.session_user(secret, workspace.clock.now) is None
        assert await work.tokens.api_token_user(secret) is None
    await switch(workspace, ana, on=True)
    async with ports.read() as work:
        assert await work.tokens.session_user(secret, workspace.clock.now) is None
        assert await work.tokens.api_token_user(secret) is not None


async def test_somebody_always_runs_the_organization(workspace: Workspace) -> None:
    ports, owner, ana = workspace.ports, workspace.owner, await workspace.user("ana")
    for values in ({"is_active": False}, {"roles": ["owner"]}):
        with pytest.raises(AlreadyExists):
            await change_person(ports, owner, owner.id, values)
    await change_person(ports, owner, ana.id, {"roles": ["admin"]})
    await change_person(ports, owner, owner.id, {"is_active": False})
    admin = replace(ana, roles=("admin",))
    with pytest.raises(AlreadyExists):
        await change_person(ports, admin, ana.id, {"is_active": False})
    await change_person(ports, admin, owner.id, {"is_active": True})
    await change_person(ports, admin, ana.id, {"is_active": False})


async def test_only_admins_change_others(workspace: Workspace) -> None:
    ports, ana, ben = workspace.ports, await workspace.user("ana"), await workspace.user("ben")
    counts = await workspace.counts()
    for values in ({"is_active": False}, {"roles": ["admin"]}, {"name": "X"}):
        for who in (ana, ben):
            with pytest.raises(Forbidden):
                await change_person(ports, ana, who.id, values)
    with pytest.raises(NotFound):
        await change_person(ports, ana, ben.id, {"max_per_day": 1})
    with pytest.raises(Forbidden):
        await hand_over_bookings(ports, ana, ben.id, BookingPlan("others"))
    with pytest.raises(NotFound):
        await hand_over_links(ports, ana, ben.id, ana.id)
    assert await workspace.counts() == counts


async def test_their_bookings_go_to_others_of_the_pool_and_none_is_dropped(workspace: Workspace) -> None:
    ana, ben, cleo = [await workspace.user(name) for name in ("ana", "ben", "cleo")]
    pool = await workspace.shared_link("pool", [ana, ben, cleo], priorities=[9, 5, 0])
    own = await workspace.link("own", ana)
    first, second = await workspace.book(pool, NINE), await workspace.book(pool, NINE + HOUR)
    alone = await workspace.book(own, NINE + 2 * HOUR)
    for user in (ben, cleo):
        await workspace.busy(user, NINE + HOUR, NINE + 2 * HOUR)
    await switch(workspace, ana)
    outcomes = await hand(workspace, ana, BookingPlan("others"))
    assert told(outcomes) == [(first.id, "reassigned"), (second.id, "left"), (alone.id, "left")]
    assert [bool(each.detail) for each in outcomes.items] == [False, True, True]
    assert hosts_of(await workspace.stored(first)) == {ben.id}
    for booking in (second, alone):
        assert await workspace.stored(booking) == booking
    (entry,) = await workspace.rows(m.audit_entries.select().where(m.audit_entries.c.action == "booking.reassigned"))
    assert entry["entity_id"] == first.id
    assert told(await hand(workspace, ana, BookingPlan("leave"))) == [(second.id, "left"), (alone.id, "left")]


async def test_their_bookings_go_to_somebody_who_takes_such(workspace: Workspace) -> None:
    ana, ben, cleo = [await workspace.user(name) for name in ("ana", "ben", "cleo")]
    pool = await workspace.shared_link("pool", [ana, ben, cleo], priorities=[9, 5, 0])
    booked = await workspace.book(pool, NINE)
    stranger = await workspace.user("dora")
    assert told(await hand(workspace, ana, BookingPlan("person", stranger.id))) == [(booked.id, "left")]
    assert told(await hand(workspace, ana, BookingPlan("person", cleo.id))) == [(booked.id, "reassigned")]
    assert hosts_of(await workspace.stored(booked)) == {cleo.id}
    await switch(workspace, ben)
    for person in (None, cleo.id, ben.id, "019539a0-0000-7000-8000-000000000000"):
        with pytest.raises(Invalid):
            await hand(workspace, cleo, BookingPlan("person", person))


async def test_their_bookings_are_cancelled_with_a_reason(workspace: Workspace) -> None:
    ana = await workspace.user("ana")
    link, other = await workspace.link("ana", ana), await workspace.link("other")
    booked, kept = await workspace.book(link, NINE), await workspace.book(other, NINE)
    assert told(await hand(workspace, ana, BookingPlan("cancel", reason="She has left."))) == [(booked.id, "cancelled")]
    assert (await workspace.stored(booked)).cancel_reason == "She has left."
    assert await workspace.stored(kept) == kept


async def test_what_has_begun_or_is_over_stays(workspace: Workspace) -> None:
    ana = await workspace.user("ana")
    await workspace.book(await workspace.link("ana", ana), NINE)
    workspace.clock.now = NINE + 60
    assert not (await hand(workspace, ana, BookingPlan("cancel"))).items


async def test_links_change_hands_all_at_once_and_both_are_told(workspace: Workspace) -> None:
    ports, ana, ben = workspace.ports, await workspace.user("ana"), await workspace.user("ben")
    links = [await workspace.link(slug, ana) for slug in ("one", "two")]
    team = await workspace.shared_link("pool", [ana, ben], "both")
    theirs = await workspace.link("theirs", ben)
    handed = await hand_over_links(ports, workspace.owner, ana.id, ben.id)
    assert [link.id for link in handed] == [*[link.id for link in links], team.id]
    assert [host.host_id for host in (await workspace.context(team)).hosts] == [ben.id], "he was in it already"
    jobs = [row for row in await workspace.rows(m.outbox) if row["kind"] == "links_mail"]
    assert {(job["subject_id"], job["payload"]["mail"]) for job in jobs} == {
        (ben.id, "links_received"),
        (ana.id, "links_given"),
    }
    entries = await workspace.rows(m.audit_entries.select().where(m.audit_entries.c.action == "link.handed_over"))
    assert {entry["entity_id"] for entry in entries} == {link.id for link in handed}
    assert theirs.id not in {entry["entity_id"] for entry in entries}


async def test_a_link_goes_to_somebody_who_may_have_one_with_hours_of_theirs(workspace: Workspace) -> None:
    ports, ana, ben = workspace.ports, await workspace.user("ana"), await workspace.user("ben")
    link = await workspace.link("ana", ana)
    async with ports.read() as work:
        hers, his = [(await work.hosts.schedules(user.id))[0].id for user in (ana, ben)]
    with pytest.raises(Invalid):
        await hand_over_link(ports, ana, link.id, ben.id, hers)
    assert (await hand_over_link(ports, ana, link.id, ben.id, his)).schedule_id == his
    with pytest.raises(NotFound):
        await hand_over_link(ports, ana, link.id, ana.id)  # it is not hers any more
    await change_person(ports, workspace.owner, ana.id, {"roles": ["employee"]})
    with pytest.raises(Invalid):
        await hand_over_link(ports, ben, link.id, ana.id)
    await switch(workspace, ana)
    with pytest.raises(Invalid):
        await hand_over_link(ports, ben, link.id, ana.id)

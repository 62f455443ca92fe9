"""Why a start is offered or not, in words."""

from __future__ import annotations

import pytest

from app.domain.errors import Invalid, NotFound
from app.domain.services import Need, ServiceHost
from app.use_cases.explain_start import Explanation, explain_start
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR = 3600
DAYS = {"tue": [("09:00", "12:00"), ("13:00", "17:00")]}


def against(found: Explanation) -> list[str]:
    """What stands against the start."""
    return [finding.text for host in found.hosts for finding in host.findings if not finding.ok]


async def test_each_rule_says_what_it_says(workspace: Workspace, clock: Clock) -> None:
    owner = workspace.owner
    await workspace.hours(owner, DAYS)
    link = await workspace.link("call", minimum_notice=120, horizon_days=8, buffer_before=15, max_per_day=1)
    await workspace.busy(owner, NINE + HOUR, NINE + 2 * HOUR)

    async def said(start: int) -> list[str]:
        found = await explain_start(workspace.ports, owner, link.id, start, 30)
        assert found.is_offered == (not against(found))
        return against(found)

    assert await said(NINE) == []
    assert await said(NINE + HOUR) == ["Blocked by “Dentist” in Personal, 10:00-11:00."]
    assert await said(NINE + 2 * HOUR) == ["Blocked by “Dentist” in Personal, 10:00-11:00."], "15 minutes before it"
    assert await said(NINE + 3 * HOUR) == [
        "12:00-12:30 lies outside Tuesday, 2 March 2027 (UTC): 09:00-12:00, 13:00-17:00."
    ]
    assert "no working hours" in (await said(NINE + 24 * HOUR))[0]
    assert await said(NINE + 600) == ["Starts come every 30 minutes from 09:00 on; this is not one of them."]
    assert await said(NINE + 14 * 24 * HOUR) == ["The last day is Tuesday, 9 March 2027 (8 days ahead)."]
    booking = await workspace.book(link, NINE, 30)
    assert await said(NINE) == [
        f"Blocked by the booking “{booking.title}”, 08:45-09:30 with its buffers.",
        "At most 1 of the link on Tuesday, 2 March 2027: reached.",
    ]
    clock.now = NINE + 4 * HOUR
    assert "2 hours of notice" in (await said(NINE + 5 * HOUR))[0]
    await workspace.time_off(owner, NINE + 6 * HOUR, NINE + 8 * HOUR)
    assert "time off, 15:00-17:00" in (await said(NINE + 7 * HOUR))[0]


async def test_how_old_a_reading_is_is_said(workspace: Workspace, clock: Clock) -> None:
    link = await workspace.link("call")
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now - 25 * HOUR)
    found = await explain_start(workspace.ports, workspace.owner, link.id, NINE, 30)
    assert not found.is_offered
    assert against(found) == ["The calendars of Owner were last read 1 day ago: too long ago to know what is free."]
    assert "cannot be read" in found.reasons[0]


async def test_of_several_hosts_it_says_who_is_free_and_who_is_missing(workspace: Workspace) -> None:
    ana, ben = await workspace.user("ana"), await workspace.user("ben")
    room = await create_resource(workspace.ports, workspace.owner, {"name": "Room"})
    shape = {"name": "Cut", "durations": (60,)}
    people = [ServiceHost(ana.id), ServiceHost(ben.id)]
    first = await create_service(workspace.ports, workspace.owner, shape, [Need(room.id)], people)
    link = await workspace.link("cut", service_id=first.id)
    await workspace.busy(ana, NINE, NINE + HOUR)
    found = await explain_start(workspace.ports, workspace.owner, link.id, NINE, 60)
    assert found.is_offered
    assert {host.host.name: host.is_free for host in found.hosts} == {"Ana": False, "Ben": True, "Room": True}
    other = await create_service(workspace.ports, workspace.owner, shape, [Need(room.id)], people)
    await workspace.book(await workspace.link("other", service_id=other.id), NINE, 60)
    found = await explain_start(workspace.ports, workspace.owner, link.id, NINE, 60)
    assert not found.is_offered
    assert found.reasons == ["1 of Ana, Ben must be free; 0 are.", "1 of Room must be free; 0 are."]


async def test_the_explanation_agrees_with_what_is_offered(workspace: Workspace, clock: Clock) -> None:
    await workspace.hours(workspace.owner, DAYS)
    link = await workspace.link("call", buffer_after=15)
    await workspace.busy(workspace.owner, NINE + HOUR, NINE + 2 * HOUR)
    free = await workspace.free(link, NINE, NINE)
    for start in range(NINE - 2 * HOUR, NINE + 9 * HOUR, 900):
        found = await explain_start(workspace.ports, workspace.owner, link.id, start, 30)
        assert found.is_offered == (start in free), start
        assert found.is_offered == (not against(found)), start


async def test_it_is_for_those_whose_link_it_is(workspace: Workspace) -> None:
    ana = await workspace.user("ana")
    link = await workspace.link("call")
    with pytest.raises(NotFound):
        await explain_start(workspace.ports, ana, link.id, NINE, 30)
    with pytest.raises(Invalid):
        await explain_start(workspace.ports, workspace.owner, link.id, NINE, 35)

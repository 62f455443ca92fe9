"""Leafing through free times: months, days, the ways onward. Monday 2027-03-01 08:00 UTC is now."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.errors import Invalid, LinkInactive, LinkUsed, NotFound
from app.use_cases.browse_times import Wish, browse_link, browse_moves
from app.use_cases.manage_links import change_link
from tests.support.clock import at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

MORNINGS = {"mon": [("09:00", "10:00")], "thu": [("09:00", "10:00")]}


async def mornings(workspace: Workspace, **values: object) -> str:
    """The token of a link that offers 09:00 and 09:30 on Mondays and Thursdays."""
    host = await workspace.user("host", weekly=MORNINGS)
    return workspace.token(await workspace.link("mornings", host, **values))


async def test_the_first_day_with_a_free_time_is_shown(workspace: Workspace) -> None:
    free = await browse_link(workspace.ports, await mornings(workspace), Wish())
    assert (free.timezone, free.duration, free.month, free.day) == ("UTC", 30, date(2027, 3, 1), date(2027, 3, 1))
    assert free.starts_on(date(2027, 3, 4)) == [at("2027-03-04 09:00"), at("2027-03-04 09:30")]
    assert (free.is_first, free.day_before, free.day_after) == (True, None, date(2027, 3, 4))
    assert free.last_month == date(2027, 4, 1)


async def test_days_are_those_of_the_zone_asked_for(workspace: Workspace) -> None:
    free = await browse_link(workspace.ports, await mornings(workspace), Wish("Pacific/Auckland"))
    assert free.day == date(2027, 3, 1)
    assert free.starts_on(date(2027, 3, 1)) == [at("2027-03-01 09:00"), at("2027-03-01 09:30")]
    far = await browse_link(workspace.ports, "acme.mornings", Wish("Pacific/Kiritimati"))
    assert far.today == date(2027, 3, 1)
    assert far.starts_on(date(2027, 3, 4)) == [at("2027-03-04 09:00"), at("2027-03-04 09:30")]


async def test_a_month_without_times_gives_way_to_the_first_that_has_some(workspace: Workspace) -> None:
    token = await mornings(workspace, minimum_notice=40 * 1440)
    free = await browse_link(workspace.ports, token, Wish())
    assert (free.month, free.day, free.is_first) == (date(2027, 4, 1), date(2027, 4, 12), True)


async def test_a_month_asked_for_is_shown_even_when_empty(workspace: Workspace) -> None:
    token = await mornings(workspace, minimum_notice=40 * 1440)
    free = await browse_link(workspace.ports, token, Wish(month=date(2027, 3, 15)))
    assert (free.month, free.day, free.starts) == (date(2027, 3, 1), None, [])
    assert free.day_after == date(2027, 4, 12)


async def test_the_next_and_previous_free_days_may_lie_in_other_months(workspace: Workspace) -> None:
    token = await mornings(workspace)
    free = await browse_link(workspace.ports, token, Wish(day=date(2027, 3, 29)))
    assert (free.day_before, free.day_after) == (date(2027, 3, 25), date(2027, 4, 1))
    free = await browse_link(workspace.ports, token, Wish(day=date(2027, 4, 1)))
    assert (free.day_before, free.day_after) == (date(2027, 3, 29), date(2027, 4, 5))


async def test_a_start_brings_its_local_day(workspace: Workspace) -> None:
    start = at("2027-03-29 09:00")
    free = await browse_link(workspace.ports, await mornings(workspace), Wish("Asia/Tokyo", start=start))
    assert free.day == date(2027, 3, 29)
    assert start in free.starts


async def test_a_far_date_range_is_found(workspace: Workspace) -> None:
    """Six months ahead, beyond what one question may span."""
    token = await mornings(workspace, horizon_days=None, date_range=(date(2027, 9, 6), date(2027, 9, 6)))
    free = await browse_link(workspace.ports, token, Wish())
    assert (free.day, free.last_month) == (date(2027, 9, 6), date(2027, 9, 1))


async def test_nothing_left_anywhere(workspace: Workspace) -> None:
    host = await workspace.user("host", weekly={})
    token = workspace.token(await workspace.link("never", host))
    free = await browse_link(workspace.ports, token, Wish())
    assert (free.starts, free.day, free.day_before, free.day_after) == ([], None, None, None)


async def test_a_link_without_an_end_can_be_leafed_through(workspace: Workspace) -> None:
    free = await browse_link(workspace.ports, await mornings(workspace, horizon_days=None), Wish(day=date(2060, 1, 1)))
    assert free.last_month is None
    assert free.day_after == date(2060, 1, 5)


@pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
async def test_a_day_outside_the_calendar_is_refused(workspace: Workspace, day: date) -> None:
    with pytest.raises(Invalid):
        await browse_link(workspace.ports, await mornings(workspace), Wish(day=day))


async def test_a_length_or_zone_that_is_not_offered_is_refused(workspace: Workspace) -> None:
    token = await mornings(workspace)
    with pytest.raises(Invalid):
        await browse_link(workspace.ports, token, Wish(duration=45))
    with pytest.raises(Invalid):
        await browse_link(workspace.ports, token, Wish(timezone="Mars/Olympus"))


async def test_hand_picked_times_are_offered_in_their_own_lengths(workspace: Workspace) -> None:
    link = await workspace.link()
    picks = (at("2027-08-02 10:00"), 45), (at("2027-08-01 11:00"), 20), (at("2027-08-03 11:00"), 45)
    one_time = await workspace.one_time(link, *picks)
    free = await browse_link(workspace.ports, one_time.token, Wish())
    assert free.durations == (20, 45)
    assert (free.day, list(free.starts)) == (date(2027, 8, 1), [at("2027-08-01 11:00")])
    longer = await browse_link(workspace.ports, one_time.token, Wish(duration=45))
    assert (longer.day, longer.day_after) == (date(2027, 8, 2), date(2027, 8, 3))


async def test_links_that_end_say_so(workspace: Workspace) -> None:
    link = await workspace.link()
    one_time = await workspace.one_time(link)
    await workspace.book(one_time, at("2027-03-02 10:00"))
    with pytest.raises(LinkUsed):
        await browse_link(workspace.ports, one_time.token, Wish())
    await change_link(workspace.ports, workspace.owner, link.id, {"is_active": False})
    with pytest.raises(LinkInactive):
        await browse_link(workspace.ports, workspace.token(link), Wish())
    with pytest.raises(NotFound):
        await browse_link(workspace.ports, "acme.unknown", Wish())


async def test_a_booking_to_move_is_looked_through_but_not_offered_its_own_time(workspace: Workspace) -> None:
    link = await workspace.link(buffer_after=30)
    start = at("2027-03-02 10:00")
    booking = await workspace.book(link, start, timezone="Asia/Tokyo")
    free = await browse_moves(workspace.ports, booking, Wish(start=start))
    assert (free.timezone, free.duration) == ("Asia/Tokyo", 30)
    assert start not in free.starts
    assert {start - 1800, start + 1800} <= set(free.starts)
    others = await browse_link(workspace.ports, workspace.token(link), Wish(start=start))
    assert not {start - 1800, start, start + 1800} & set(others.starts)


async def test_a_booking_of_a_length_no_longer_offered_moves_to_one_that_is(workspace: Workspace) -> None:
    link = await workspace.link()
    booking = await workspace.book(link, at("2027-03-02 10:00"))
    await change_link(workspace.ports, workspace.owner, link.id, {"durations": (20, 50)})
    free = await browse_moves(workspace.ports, booking, Wish())
    assert (free.durations, free.duration) == ((20, 50), 20)


async def test_a_booking_of_a_picked_time_moves_among_the_picks(workspace: Workspace) -> None:
    """Also after the one-time link was used, by this very booking, and has expired."""
    start, evening = at("2027-03-02 10:00"), at("2027-03-02 22:00")
    await workspace.hours(workspace.owner, {"tue": [("09:00", "17:00")]})
    picks = ((start, 30), (evening, 30), (evening + 3600, 45))
    one_time = await workspace.one_time(await workspace.link(), *picks, expires_at=start - 3600)
    booking = await workspace.book(one_time, start)
    workspace.clock.now = start - 60
    free = await browse_moves(workspace.ports, booking, Wish())
    assert (free.durations, free.duration, list(free.starts)) == ((30, 45), 30, [evening])
    longer = await browse_moves(workspace.ports, booking, Wish(duration=45))
    assert list(longer.starts) == [evening + 3600]


async def test_the_first_length_to_move_to_is_one_that_is_left(workspace: Workspace) -> None:
    start = at("2027-03-02 10:00")
    one_time = await workspace.one_time(await workspace.link(), (start, 30), (start + 3600, 45))
    booking = await workspace.book(one_time, start)
    free = await browse_moves(workspace.ports, booking, Wish())
    assert (free.durations, free.duration, list(free.starts)) == ((45,), 45, [start + 3600])

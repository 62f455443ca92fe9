"""Write-back: a booking's event in a host's connected write calendar follows the booking's state.

The handler converges: it looks at the booking as it is now and makes the calendar agree, so a late, repeated or
interrupted run does no harm. The provider finds the event by its UID, so there is never a second one.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

from app.domain.booking_event import host_event
from app.domain.bookings import ERASED, Booking, Recipient
from app.domain.calendars import Calendar, CalendarAccount
from app.domain.errors import ProviderFailure
from app.ports import Ports
from app.ports.calendars import CalendarProvider
from app.ports.event_states import EventState
from app.ports.hosts import HostPerson
from app.ports.outbox import Job
from app.ports.people import Organization
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_trouble import write_trouble_job, write_trouble_lane
from app.use_cases.meeting_place import LOOK_SECONDS, is_waited_for, set_meeting
from app.use_cases.provider_roles import awaits_meeting, inviting_host, meeting_maker
from app.use_cases.publish_booking import PUBLISHED
from app.use_cases.sync_calendar import credentials_of


@dataclass(frozen=True, slots=True)
class _Place:
    """A calendar, the account it belongs to, and what is known of the booking's event there."""

    calendar: Calendar
    account: CalendarAccount
    state: EventState | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What must be so: the event in `target`, and in none of `elsewhere`. `makes_meeting` and `invites`: what the
    target's provider does for the booking."""

    booking: Booking
    person: HostPerson
    organization: Organization
    target: _Place | None
    elsewhere: tuple[_Place, ...]
    makes_meeting: bool
    invites: bool

    @property
    def awaits_meeting(self) -> bool:
        """Whether this calendar still owes the booking the address of its meeting."""
        return self.makes_meeting and awaits_meeting(self.booking)


async def write_calendar_event(ports: Ports, job: Job) -> int | None:
    """Outbox handler for one booking and one host (`payload["host_id"]`). Raises the provider's failure after
    recording it, so that the worker tries again."""
    async with ports.read() as work:
        plan = await _plan(ports, work, job.subject_id, job.payload["host_id"])
    if plan is None:
        return None
    failures: list[ProviderFailure] = []
    if plan.target is not None:
        await _try(failures, _write(ports, plan, plan.target))
    for place in plan.elsewhere:
        await _try(failures, _remove(ports, plan, place))
    if failures:
        raise failures[0]
    async with ports.read() as work:
        booking = await work.bookings.get(plan.booking.id)
    is_open = plan.makes_meeting and booking is not None and is_waited_for(booking, ports.clock())
    return ports.clock() + LOOK_SECONDS if is_open else None


async def _try(failures: list[ProviderFailure], step: Awaitable[None]) -> None:
    """One calendar that fails does not keep the others from being brought up to date."""
    try:
        await step
    except ProviderFailure as failure:
        failures.append(failure)


async def _plan(ports: Ports, work: UnitOfWork, booking_id: str, host_id: str) -> _Plan | None:
    booking = await work.bookings.get(booking_id)
    organization = await work.people.organization(booking.org_id) if booking else None
    if booking is None or organization is None:
        return None
    host_ids = {host.id for host in booking.hosts}
    people = await work.hosts.people(sorted({*host_ids, host_id}))
    person = next((each for each in people if each.host_id == host_id), None)
    if person is None:
        return None
    states = {state.calendar_id: state for state in await work.event_states.of_host(booking_id, host_id)}
    is_left = not person.is_active and booking.recipient == Recipient(ERASED, "")
    # Nothing is written for who is switched off: what is there, and tells of somebody erased, has to go.
    wanted = booking.status in PUBLISHED and host_id in host_ids and not is_left
    target = await _place(work, person.write_calendar_id, states) if wanted else None
    target_id = target.calendar.id if target else None
    elsewhere = [await _place(work, calendar_id, states) for calendar_id in states if calendar_id != target_id]
    if not person.is_active:  # nothing is written for them any more
        target = None
    hosts = [each for each in people if each.host_id in host_ids]
    return _Plan(
        booking,
        person,
        organization,
        target,
        tuple(place for place in elsewhere if place is not None),
        makes_meeting=meeting_maker(ports, booking, hosts) == person,
        invites=inviting_host(ports, booking, hosts) == person,
    )


async def _place(work: UnitOfWork, calendar_id: str | None, states: dict[str, EventState]) -> _Place | None:
    calendar = await work.calendars.calendar(calendar_id) if calendar_id else None
    account = await work.calendars.account(calendar.account_id) if calendar else None
    if calendar is None or account is None:
        return None
    return _Place(calendar, account, states.get(calendar.id))


def _provider(ports: Ports, place: _Place) -> CalendarProvider:
    provider = ports.providers.get(place.calendar.provider)
    if provider is None:
        raise ProviderFailure("protocol", f"Calendars of the kind {place.calendar.provider} are not supported here.")
    return provider


async def _write(ports: Ports, plan: _Plan, place: _Place) -> None:
    booking = plan.booking
    known = place.state
    is_written = known is not None and known.state == "written" and known.written_version == booking.version
    if is_written and not plan.awaits_meeting:
        return
    async with ports.unit_of_work() as work:  # known before it is there, so that it can be removed again
        if await _put(work, _noted(plan, place, "pending", None), ports.clock()):
            await work.commit()
    event = host_event(
        booking,
        plan.person,
        plan.organization.name,
        f"{ports.base_url}/app/bookings/{booking.id}",
        invites=plan.invites,
        conference=plan.makes_meeting,
    )
    try:
        written = await _provider(ports, place).write_event(
            credentials_of(place.account), place.calendar.name, event, place.state.event_key if place.state else None
        )
    except ProviderFailure as failure:
        await _record_failure(ports, plan, place, failure)
        raise
    state = EventState(
        booking_id=booking.id,
        calendar_id=place.calendar.id,
        org_id=booking.org_id,
        account_id=place.account.id,
        event_key=written.key,
        etag=written.etag,
        html_link=written.html_link,
        state="written",
        written_version=booking.version,
        error=None,
    )
    async with ports.unit_of_work() as work:
        if await _put(work, state, ports.clock()):
            await _trouble_is_over(work, plan, place)
            await work.commit()
    if plan.makes_meeting and written.join_url:
        await set_meeting(ports, booking.id, written.join_url)


async def _remove(ports: Ports, plan: _Plan, place: _Place) -> None:
    """The event must not be there (any more): cancelled, another host's by now, or in the calendar written before."""
    key = place.state.event_key if place.state else None
    try:
        await _provider(ports, place).delete_event(
            credentials_of(place.account), place.calendar.name, plan.booking.uid, key
        )
    except ProviderFailure as failure:
        if failure.kind != "gone":  # a calendar that vanished holds no event either
            await _record_failure(ports, plan, place, failure)
            raise
    async with ports.unit_of_work() as work:
        await work.event_states.remove(plan.booking.id, place.calendar.id)
        await _trouble_is_over(work, plan, place)
        await work.commit()


async def _record_failure(ports: Ports, plan: _Plan, place: _Place, failure: ProviderFailure) -> None:
    """Tell: on the booking, and in time by mail; once for what goes wrong again and again."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        if not await _put(work, _noted(plan, place, "failed", failure.detail), now):
            return
        if not _has_failed(place):
            await work.outbox.enqueue([write_trouble_job(plan.booking, plan.person.host_id, failure.kind, now)], now)
        await work.commit()


async def _trouble_is_over(work: UnitOfWork, plan: _Plan, place: _Place) -> None:
    if _has_failed(place):
        await work.outbox.drop([write_trouble_lane(plan.booking.id, plan.person.host_id)])


def _has_failed(place: _Place) -> bool:
    return place.state is not None and place.state.state == "failed"


def _noted(plan: _Plan, place: _Place, state: Literal["pending", "failed"], error: str | None) -> EventState:
    known = place.state
    return EventState(
        booking_id=plan.booking.id,
        calendar_id=place.calendar.id,
        org_id=plan.booking.org_id,
        account_id=place.account.id,
        event_key=known.event_key if known else None,
        etag=known.etag if known else None,
        html_link=known.html_link if known else None,
        state=state,
        written_version=known.written_version if known else None,
        error=error[:2000] if error else None,
    )


async def _put(work: UnitOfWork, state: EventState, now: int) -> bool:
    """False when the calendar was disconnected meanwhile: there is nothing left to remember."""
    if await work.calendars.calendar(state.calendar_id) is None:
        return False
    await work.event_states.put(state, now)
    return True

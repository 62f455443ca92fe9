"""A booking's event was deleted in its host's own `schedule`: after a grace time the booking is cancelled or handed on.

The deletion is void when the event is there again or in another calendar of the person. It waits for the person's word
when several came at once, and when they want to be asked.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.bookings import EVENT_REMOVED, Booking
from app.domain.calendars import BUILTIN, Calendar
from app.domain.errors import CalendarUnavailable, Conflict, HalfpastError, Invalid, NotFound, NotModifiable
from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ask_about_edits import ask, is_one_of_several
from app.use_cases.booking_changes import Actor
from app.use_cases.booking_in_schedule import schedule_event, write_anew
from app.use_cases.calendar_accounts import sync_now
from app.use_cases.change_booking import locked_booking, take_step
from app.use_cases.offered_hosts import hands_back
from app.use_cases.reschedule_booking import Move, reschedule_booking

_REFUSALS = (CalendarUnavailable, Conflict, Invalid, NotModifiable)


@dataclass(frozen=True, slots=True)
class Removal:
    """A booking whose event is not in this schedule of one of its hosts any more."""

    booking: Booking
    calendar: Calendar


async def follow_removal(ports: Ports, calendar: Calendar, job: Job) -> None:
    """What `follow_edit` does for a schedule."""
    async with ports.read() as work:
        removal = await removal_of(work, job.subject_id, calendar)
        account = await work.calendars.account(calendar.account_id)
        user = await work.people.user(calendar.user_id)
    is_active = user is not None and user.is_active
    asks = account is not None and account.edits == "ask"
    if removal is None or removal.booking.end <= ports.clock():
        await _forget(ports, job.subject_id, calendar.id)
        return
    if not is_active:  # whoever is switched off decides nothing any more
        await put_back_removed(ports, removal, None)
    elif (elsewhere := await _elsewhere(ports, removal)) is not None:
        reason = f"It is in your calendar “{elsewhere.display_name}” now; its event stays in your schedule, too."
        await put_back_removed(ports, removal, reason)
    elif asks or await is_one_of_several(ports, calendar.user_id, removal.booking.id):
        await ask(ports, removal.booking, calendar, "deleted")
    else:
        payload = job.payload
        await accept_removal(ports, removal, Actor("device", payload["device"], payload["label"], payload["by"]))


async def removal_of(work: UnitOfWork, booking_id: str, calendar: Calendar) -> Removal | None:
    """None when there is nothing to follow: the booking is off or handed on, or its event is there (again)."""
    booking = await work.bookings.get(booking_id)
    if booking is None or booking.status != "confirmed" or calendar.user_id not in {host.id for host in booking.hosts}:
        return None
    if any(each.calendar_id == calendar.id for each in await work.calendars.objects_of_booking(booking_id)):
        return None
    return Removal(booking, calendar)


async def _elsewhere(ports: Ports, removal: Removal) -> Calendar | None:
    """The other calendar of the person that the event is in by now; where the program wrote it itself does not
    count."""
    user_id = removal.calendar.user_id
    async with ports.read() as work:
        calendars = {each.id: each for each in await work.calendars.calendars_of(user_id)}
        written = {state.calendar_id for state in await work.event_states.of_host(removal.booking.id, user_id)}
    others = {key: each for key, each in calendars.items() if key not in written and not each.is_write}
    await sync_now(ports, [each for each in others.values() if each.provider != BUILTIN and each.is_conflict])
    async with ports.read() as work:
        found = {each.calendar_id for each in await work.calendars.objects_of_booking(removal.booking.id)}
        # On this server also at another time, where it is no more the booking's own but blocks like any event.
        found |= {each.id for each, _ in await work.scheduling.events_with([user_id], removal.booking.uid)}
    return next((each for key, each in others.items() if key in found), None)


async def accept_removal(ports: Ports, removal: Removal, actor: Actor) -> None:
    """Cancel the booking whose event was deleted; where its link says so, hand it back to the pool instead."""
    booking = removal.booking
    try:
        async with ports.read() as work:
            to_pool = await hands_back(work, booking)
        if to_pool:
            move = Move(booking.start, leaving=removal.calendar.user_id)
            await reschedule_booking(ports, booking.id, move, actor, version=booking.version)
        else:
            await take_step(ports, booking.id, "cancel", actor, version=booking.version, reason=EVENT_REMOVED)
    except _REFUSALS as refusal:
        await put_back_removed(ports, removal, _why(refusal))
        return
    await _forget(ports, booking.id, removal.calendar.id)


def _why(refusal: HalfpastError) -> str:
    if isinstance(refusal, NotModifiable):
        return refusal.detail
    return "Nobody else can take it at its time. If it cannot take place, please cancel it."


async def put_back_removed(ports: Ports, removal: Removal, reason: str | None) -> None:
    """Write the event into the schedule again; with a `reason`, its host and the link's owner are told why."""
    now, booking, host_id = ports.clock(), removal.booking, removal.calendar.user_id
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking.id)
        await work.calendar_edits.remove(booking.id, removal.calendar.id)
        await write_anew(ports, work, await schedule_event(work, booking, removal.calendar), now)
        if reason is not None:
            told = {host_id, await _owner(work, booking) or host_id}
            await work.outbox.enqueue([_mail(booking, each, reason, now) for each in sorted(told)], now)
        await work.commit()


async def _owner(work: UnitOfWork, booking: Booking) -> str | None:
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    return link.owner_id if link else None


def _mail(booking: Booking, user_id: str, reason: str, now: int) -> NewJob:
    lane, payload = f"booking:{booking.id}:event-kept:{user_id}", {"host_id": user_id, "reason": reason[:300]}
    return NewJob(booking.org_id, lane, "event_kept", booking.id, now, payload)


async def _forget(ports: Ports, booking_id: str, calendar_id: str) -> None:
    async with ports.unit_of_work() as work:
        if await work.calendar_edits.remove(booking_id, calendar_id):
            await work.commit()


async def answer_removal(ports: Ports, calendar: Calendar, booking_id: str, *, accept: bool) -> None:
    """What the person says of a deletion that they were asked about. `NotFound` when there is nothing to decide."""
    async with ports.read() as work:
        removal = await removal_of(work, booking_id, calendar)
    if removal is None:
        await _forget(ports, booking_id, calendar.id)
        raise NotFound("The booking was changed meanwhile, so there is nothing to decide any more.")
    if accept:
        await accept_removal(ports, removal, Actor("user", calendar.user_id))
    else:
        await put_back_removed(ports, removal, None)

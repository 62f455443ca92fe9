"""A booking's event was moved or deleted in its host's own calendar: the booking follows, as far as it may.

A phone or an account can misbehave. So a deletion counts only after a grace time, when the event is certainly not there
and nowhere else; several at once wait for the person's word; what the rules or the guard refuse is put back and told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from app.domain.bookings import EVENT_REMOVED, Booking
from app.domain.calendars import BUILTIN, Calendar, CalendarAccount, CalendarObject
from app.domain.errors import (
    CalendarUnavailable,
    Conflict,
    HalfpastError,
    Invalid,
    NotFound,
    NotModifiable,
    StaleVersion,
)
from app.domain.replies import reply_in
from app.ports import Ports
from app.ports.event_states import EventState
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ask_about_edits import SOON_SECONDS, ask, is_one_of_several
from app.use_cases.ask_before_moving import answer_move
from app.use_cases.booking_changes import Actor
from app.use_cases.booking_jobs import event_job
from app.use_cases.calendar_accounts import sync_now
from app.use_cases.change_booking import take_step
from app.use_cases.follow_removal import answer_removal, follow_removal
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.stay_edits import says_nothing_new
from app.use_cases.sync_calendar import credentials_of
from app.use_cases.take_reply import take_reply

_CANCELLED = "\nSTATUS:CANCELLED"
_REFUSALS = (CalendarUnavailable, Conflict, Invalid, NotModifiable)


@dataclass(frozen=True, slots=True)
class Scene:
    """A booking, the calendar its event was written into, and the event as it is there now (None: gone)."""

    booking: Booking
    calendar: Calendar
    account: CalendarAccount
    state: EventState
    event: CalendarObject | None

    @property
    def actor(self) -> Actor:
        """Whose hand it was."""
        return Actor("device", self.calendar.user_id)


async def follow_edit_job(ports: Ports, job: Job) -> int | None:
    """Outbox handler for one booking and one calendar (`payload["calendar_id"]`)."""
    calendar_id = job.payload["calendar_id"]
    async with ports.read() as work:
        calendar = await work.calendars.calendar(calendar_id)
    if calendar is not None and calendar.is_schedule:
        return await _follow_in_schedule(ports, calendar, job)
    async with ports.read() as work:
        scene = await scene_of(work, job.subject_id, calendar_id)
    if scene is None or scene.booking.end <= ports.clock():  # tidying up what is over means nothing
        await _forget(ports, job.subject_id, calendar_id)
        return None
    if not await _is_active(ports, calendar):
        await _leave(ports, scene)
        return None
    try:
        if scene.event is None or _CANCELLED in scene.event.data:
            await _follow_deletion(ports, scene)
        else:
            await _follow_move(ports, scene, scene.event)
    except StaleVersion:
        return ports.clock() + SOON_SECONDS  # somebody else changed the booking at this moment
    return None


async def _is_active(ports: Ports, calendar: Calendar | None) -> bool:
    async with ports.read() as work:
        user = await work.people.user(calendar.user_id) if calendar else None
    return user is not None and user.is_active


async def _leave(ports: Ports, scene: Scene) -> None:
    """Whoever is switched off decides nothing any more, and nothing is written for them: the booking stays, and its
    event is written anew once they are switched on again."""
    async with ports.unit_of_work() as work:
        await work.calendar_edits.remove(scene.booking.id, scene.calendar.id)
        await work.event_states.put(replace(scene.state, state="pending", written_version=None), ports.clock())
        await work.commit()


async def _follow_in_schedule(ports: Ports, calendar: Calendar, job: Job) -> int | None:
    try:
        await follow_removal(ports, calendar, job)
    except StaleVersion:
        return ports.clock() + SOON_SECONDS  # somebody else changed the booking at this moment
    return None


async def scene_of(work: UnitOfWork, booking_id: str, calendar_id: str) -> Scene | None:
    """None when there is nothing to follow: the booking is over or changed meanwhile (then its event is written anew,
    which wins), or the calendar is not where it was written."""
    booking = await work.bookings.get(booking_id)
    calendar = await work.calendars.calendar(calendar_id)
    account = await work.calendars.account(calendar.account_id) if calendar else None
    states = await work.event_states.in_calendar(calendar_id, [booking_id])
    if booking is None or calendar is None or account is None or not states:
        return None
    if booking.status != "confirmed" or states[0].state != "written" or states[0].written_version != booking.version:
        return None
    objects = await work.calendars.objects_of_booking(booking_id)
    event = next((each for each in objects if each.calendar_id == calendar_id), None)
    return Scene(booking, calendar, account, states[0], event)


# moved


async def _follow_move(ports: Ports, scene: Scene, event: CalendarObject) -> None:
    booking = scene.booking
    if (event.start, event.end) == (booking.start, booking.end):
        await _forget(ports, booking.id, scene.calendar.id)
        reply = reply_in(event.data, booking.recipient.email) if booking.provider_invites else None
        if reply is not None:
            await take_reply(ports, booking.id, reply)
        return
    policy = scene.account.edits
    async with ports.read() as work:
        end = event.start if event.end is None else event.end
        is_same_stay = await says_nothing_new(work, booking, event.start, end, anywhere=policy != "rules")
    if is_same_stay:
        await put_back(ports, scene, None)
        return
    if event.end is not None and policy == "ask":
        await ask(ports, booking, scene.calendar, "moved", event.start, event.end)
        return
    await accept_move(ports, scene, event.start, event.end, anywhere=policy == "outside")


async def accept_move(ports: Ports, scene: Scene, start: int, end: int | None, *, anywhere: bool) -> None:
    """Move the booking to where its event is; what is refused is put back, and told."""
    try:
        moved = await reschedule_booking(
            ports, scene.booking.id, _move(start, end, anywhere=anywhere), scene.actor, version=scene.booking.version
        )
    except _REFUSALS as refusal:
        await put_back(ports, scene, refusal)
        return
    if moved.version == scene.booking.version:  # it is there already
        await put_back(ports, scene, None)
        return
    await _forget(ports, scene.booking.id, scene.calendar.id)


def _move(start: int, end: int | None, *, anywhere: bool) -> Move:
    if end is None or (end - start) % 60:
        raise Invalid.field("start", "A booking is a single event of whole minutes.")
    return Move(start, (end - start) // 60, anywhere=anywhere, elapsed=True)


# deleted


async def _follow_deletion(ports: Ports, scene: Scene) -> None:
    async with ports.read() as work:
        calendars = await work.calendars.calendars_of(scene.calendar.user_id)
    others = [each for each in calendars if each.provider != BUILTIN and each.id != scene.calendar.id]
    await sync_now(ports, [each for each in others if each.is_conflict])  # the event may be in one of them by now
    if await _is_elsewhere(ports, scene):
        return
    if await _is_there(ports, scene):
        await _forget(ports, scene.booking.id, scene.calendar.id)
    elif scene.account.edits == "ask" or await is_one_of_several(ports, scene.calendar.user_id, scene.booking.id):
        await ask(ports, scene.booking, scene.calendar, "deleted")
    else:
        await accept_deletion(ports, scene)


async def accept_deletion(ports: Ports, scene: Scene) -> None:
    """Cancel the booking whose event was deleted."""
    await take_step(
        ports,
        scene.booking.id,
        "cancel",
        scene.actor,
        version=scene.booking.version,
        reason=EVENT_REMOVED,
    )
    await _forget(ports, scene.booking.id, scene.calendar.id)


async def _is_elsewhere(ports: Ports, scene: Scene) -> bool:
    """Whether the person moved the event to another of their calendars; a connected one is where it is from now on."""
    is_copied = False
    async with ports.unit_of_work() as work:
        for each in await work.calendars.objects_of_booking(scene.booking.id):
            other = await work.calendars.calendar(each.calendar_id)
            if other is None or other.user_id != scene.calendar.user_id or other.id == scene.calendar.id:
                continue
            if other.provider == BUILTIN:
                is_copied |= not other.is_schedule
                continue
            await work.event_states.remove(scene.booking.id, scene.calendar.id)
            moved = replace(
                scene.state, calendar_id=other.id, account_id=other.account_id, event_key=each.name, etag=each.etag
            )
            await work.event_states.put(moved, ports.clock())
            await work.calendar_edits.remove(scene.booking.id, scene.calendar.id)
            await work.commit()
            return True
    if is_copied:  # bookings are not written into people's own calendars here
        await put_back(ports, scene, None)
    return is_copied


async def _is_there(ports: Ports, scene: Scene) -> bool:
    """Asked by id and by UID. A calendar that vanished, or cannot be asked, is a fault and no deletion."""
    provider = ports.providers[scene.calendar.provider]
    credentials, name = credentials_of(scene.account), scene.calendar.name
    found = await provider.find(credentials, name, scene.booking.uid)
    if found is None and scene.state.event_key is not None:
        found = await provider.fetch(credentials, name, scene.state.event_key)
    return found is not None and _CANCELLED not in found.data


# putting back


async def put_back(ports: Ports, scene: Scene, refusal: HalfpastError | None) -> None:
    """Write the event as the booking is; with a `refusal` whoever moved it is told why."""
    now, booking, host_id = ports.clock(), scene.booking, scene.calendar.user_id
    jobs = [event_job(booking.org_id, booking.id, host_id, now)]
    if refusal is not None:
        payload = {"host_id": host_id, "reason": refusal.detail[:300]}
        lane = f"booking:{booking.id}:edit-refused:{host_id}"
        jobs.append(NewJob(booking.org_id, lane, "edit_refused", booking.id, now, payload))
    async with ports.unit_of_work() as work:
        await work.calendar_edits.remove(booking.id, scene.calendar.id)
        await work.event_states.put(replace(scene.state, state="pending", written_version=None), now)
        await work.outbox.enqueue(jobs, now)
        await work.commit()


async def _forget(ports: Ports, booking_id: str, calendar_id: str) -> None:
    async with ports.unit_of_work() as work:
        if await work.calendar_edits.remove(booking_id, calendar_id):
            await work.commit()


# the person's answer


async def answer_edit(ports: Ports, user_id: str, booking_id: str, calendar_id: str, *, accept: bool) -> None:
    """What the person says of an edit they were asked about: the booking follows, or its event is put back.

    `NotFound` when they were not asked (any more); refusals as of a move or a cancellation, after putting back.
    """
    async with ports.read() as work:
        edits = await work.calendar_edits.of_user(user_id)
        edit = next((each for each in edits if (each.booking_id, each.calendar_id) == (booking_id, calendar_id)), None)
        calendar = await work.calendars.calendar(calendar_id)
        scene = await scene_of(work, booking_id, calendar_id)
    if edit is None or not edit.is_asked:
        raise NotFound("There is nothing to decide any more.")
    if calendar is not None and calendar.is_schedule:
        if edit.kind == "moved":
            await answer_move(ports, calendar, edit, accept=accept)
        else:
            await answer_removal(ports, calendar, booking_id, accept=accept)
        return
    if scene is None:
        await _forget(ports, booking_id, calendar_id)
        raise NotFound("The booking was changed meanwhile, so there is nothing to decide any more.")
    if not accept:
        await put_back(ports, scene, None)
    elif edit.kind == "deleted":
        await accept_deletion(ports, scene)
    else:
        await accept_move(ports, scene, cast("int", edit.start), edit.end, anywhere=True)

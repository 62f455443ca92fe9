"""An answer to one of a person's own events that came by mail: the event shows it, as if it had been given here."""

from __future__ import annotations

from app.domain.scheduling.addresses import MAILTO, email_in
from app.domain.scheduling.attendee import mailed_answer
from app.domain.scheduling.objects import SchedulingObject, sequence_of
from app.ports import Ports
from app.ports.reply_box import Letter
from app.ports.scheduling import CalendarUser
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import storable
from app.use_cases.deliver_invitations import PeopleNeeded, Post
from app.use_cases.schedule_event import in_locked_order


async def take_mailed_answer(ports: Ports, letter: Letter) -> None:
    """It counts when it comes from an address that was invited by mail, speaks for that address, and is about the event
    as it is now. Anything else is passed over."""
    now = ports.clock()
    address = MAILTO + letter.sender
    answer = mailed_answer(storable(letter.calendar), address, now) if email_in(address) else None
    if answer is None:
        return
    sent = SchedulingObject.read(answer.text)
    async with ports.read() as work:
        user_ids = await work.scheduling.mailed_by(sent.uid, letter.sender)
    for user_id in user_ids:

        async def take(work: UnitOfWork, hosts: frozenset[str], user_id: str = user_id) -> None:
            if user_id not in hosts:
                raise PeopleNeeded(frozenset({user_id}))
            user = await work.people.user(user_id)
            found = await work.scheduling.events_with([user_id], sent.uid)
            if user is None or not found:
                return
            known = SchedulingObject.read(found[0][1].data)
            if sequence_of(sent.entries[0]) < sequence_of(known.series or known.entries[0]):
                return
            outsider = CalendarUser("", user.org_id, letter.sender, "", "", user.timezone)
            recipient = MAILTO + user.email.lower()
            post = await Post.about(work, outsider, sent.uid, {recipient, *known.attendees()}, hosts, now)
            await post.answered_by_mail(recipient, answer)
            await work.commit()

        await in_locked_order(ports, take)

"""The recipient's answer to the invitation, given in their own calendar program: shown on the booking, and where its
link says so, a refusal cancels it."""

from __future__ import annotations

from dataclasses import replace

from app.domain.bookings import Booking, Reply
from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import mail_user
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import after_step, locked_booking
from app.use_cases.offered_hosts import policy_of

DECLINED = "The invitation was declined."


async def take_reply(ports: Ports, booking_id: str, reply: Reply) -> None:
    """Keep the answer; the same one again changes nothing. Where a refusal does not cancel, the hosts are told."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        if booking.recipient_reply == reply or booking.status not in {"pending", "confirmed"} or booking.start <= now:
            return
        cancels = reply == "declined" and await _cancels(work, booking, now)
        after = after_step(booking, "cancel", now, DECLINED) if cancels else booking.changed(now)
        after = replace(after, recipient_reply=reply)
        action = "booking.cancel" if cancels else f"booking.{reply}"
        await record_change(ports, work, booking, after, Actor("recipient", booking.id), action, now)
        if cancels and booking.one_time_link_id is not None:
            await work.links.revive_one_time(booking.one_time_link_id, booking.id)
        if reply == "declined" and not cancels:
            await work.outbox.enqueue(_host_mails(booking, now), now)
        await work.commit()


async def _cancels(work: UnitOfWork, booking: Booking, now: int) -> bool:
    """Whether a refusal is a cancellation: when its link says so, it is not too late for one, and it costs nothing. A
    calendar's "No" agrees to no fee."""
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    if link is None or not link.cancel_on_decline:
        return False
    policy = await policy_of(work, booking)
    return policy.can_cancel(booking, now) and policy.fee_of(booking) is None


def _host_mails(booking: Booking, now: int) -> list[NewJob]:
    return [
        NewJob(
            booking.org_id, f"booking:{booking.id}:declined:{host.id}", "recipient_declined", booking.id, now,
            {"host_id": host.id},
        )
        for host in booking.hosts
    ]  # fmt: skip


async def tell_refusal(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail to a host, unless the recipient has changed their mind."""
    async with ports.read() as work:
        booking = await work.bookings.get(job.subject_id)
    if booking is not None and booking.is_active and booking.recipient_reply == "declined":
        address = f"{ports.base_url}/app/bookings/{booking.id}"
        await mail_user(ports, "recipient_declined", job.payload["host_id"], address)
    return None

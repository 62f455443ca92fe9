"""Tell the owner by mail that a calendar account does not work, or that a booking did not get into its calendar."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.calendars import CalendarAccount
from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import mail_user
from app.use_cases.booking_jobs import event_job

PATIENCE_SECONDS = 4 * 3600
"""How long trouble that may pass by itself lasts before a mail; well within the age limit of a calendar's copy."""

_LASTING = frozenset({"auth", "gone", "refused", "rejected"})


def trouble_lane(account_id: str) -> str:
    """The outbox lane of an account's trouble."""
    return f"account:{account_id}:trouble"


def write_trouble_lane(booking_id: str, host_id: str) -> str:
    """The outbox lane of the trouble with a booking's event in a host's calendars."""
    return f"booking:{booking_id}:write-trouble:{host_id}"


def trouble_job(account: CalendarAccount, kind: str, now: int) -> NewJob:
    """Ask for the mail: at once when only the owner can mend it."""
    return NewJob(account.org_id, trouble_lane(account.id), "calendar_trouble", account.id, _mail_at(kind, now))


def write_trouble_job(booking: Booking, host_id: str, kind: str, now: int) -> NewJob:
    """The same for an event that could not be written or removed."""
    lane = write_trouble_lane(booking.id, host_id)
    return NewJob(booking.org_id, lane, "write_trouble", booking.id, _mail_at(kind, now), {"host_id": host_id})


def _mail_at(kind: str, now: int) -> int:
    return now if kind in _LASTING else now + PATIENCE_SECONDS


async def trouble_is_over(work: UnitOfWork, account: CalendarAccount, now: int) -> None:
    """The account works again: nobody is told of its trouble any more, and what could not be written there is tried at
    once, also what was given up."""
    await work.outbox.drop([trouble_lane(account.id)])
    failed = await work.event_states.failed(account.id)
    await work.outbox.enqueue([event_job(each.org_id, each.booking_id, account.user_id, now) for each in failed], now)


async def mail_calendar_trouble(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail, unless the account works again."""
    async with ports.read() as work:
        account = await work.calendars.account(job.subject_id)
    if account is not None and account.status != "ok":
        await mail_user(ports, "calendar_trouble", account.user_id, f"{ports.base_url}/app/connections")
    return None


async def mail_write_trouble(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail, unless the calendar has caught up, or its account is known and told to be broken."""
    host_id = job.payload["host_id"]
    async with ports.read() as work:
        is_trouble = await _is_write_trouble(work, job.subject_id, host_id)
    if is_trouble:
        await mail_user(ports, "write_trouble", host_id, f"{ports.base_url}/app/bookings/{job.subject_id}")
    return None


async def _is_write_trouble(work: UnitOfWork, booking_id: str, host_id: str) -> bool:
    failed = [state for state in await work.event_states.of_host(booking_id, host_id) if state.state != "written"]
    accounts = [await work.calendars.account(state.account_id) for state in failed]
    return any(account is not None and account.status == "ok" for account in accounts)

"""A user's schedule by mail: every evening that of the next day, or every Sunday that of the week. Outbox handler.

One row a user, which finds its next time by the wall clock of their zone when it has run; so a change of the clock, a
restart or a long night without a worker moves nothing.
"""

from __future__ import annotations

from app.domain.bookings import BookingStatus
from app.ports import Ports
from app.ports.bookings import BookingFilter
from app.ports.mail import DigestContext, MailPerson
from app.ports.outbox import Job, NewJob
from app.use_cases.unsubscribe import members_way_out

ACTIVE: tuple[BookingStatus, ...] = ("confirmed", "in_progress")
MOST = 100
LATE_SECONDS = 6 * 3600


def digest_lane(user_id: str) -> str:
    """The lane of a user's digests."""
    return f"user:{user_id}:digest"


def digest_job(org_id: str, user_id: str, due: int) -> NewJob:
    """The next one."""
    return NewJob(org_id, digest_lane(user_id), "digest", user_id, due)


async def send_digest(ports: Ports, job: Job) -> int | None:
    """Nothing is sent where there is nothing to tell, nor six hours too late. The instant of the next one."""
    now = ports.clock()
    async with ports.read() as work:
        user = await work.people.user(job.subject_id)
        if user is None or not user.is_active:
            return None
        settings = await work.telling.settings(user.id, user.org_id)
        following = settings.next_digest(user.timezone, now)
        organization = await work.people.organization(user.org_id)
        if following is None or organization is None:
            return None
        due = settings.last_digest(user.timezone, now)
        start, end = settings.digest_window(user.timezone, due)
        where = BookingFilter(user.org_id, host_id=user.id, status=ACTIVE, start=start, end=end, view="schedule")
        page = await work.bookings.page(where, MOST, None)
    if page.items and "mail" in settings.ways_for("digest") and now <= due + LATE_SECONDS:
        person = MailPerson(user.email, user.name, user.timezone, "host")
        key = f"{user.id}.{due}"
        is_weekly, out = settings.digest == "weekly", members_way_out(ports, user.id)
        context = DigestContext(key, person, organization.name, is_weekly, page.items, ports.base_url, out)
        await ports.mailer.send(ports.composer.digest(context))
    return following

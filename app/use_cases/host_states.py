"""What the slot engine needs to know about a link's hosts, read from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.domain.errors import LinkExpired, LinkInactive, LinkUsed, NotFound
from app.domain.rules import HostState, lowered
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.schedule_rules import no_hours, schedule_rules

DAY = 86400


def open_context(context: LinkContext | None, now: int) -> LinkContext:
    """The context of a link that may be booked now; the refusal a stranger is told otherwise."""
    if context is None:
        raise NotFound("There is no such link.")
    one_time = context.one_time
    if one_time is not None:
        status = one_time.status_at(now)
        if status == "used":
            raise LinkUsed("This link was used already.")
        if status == "expired":
            raise LinkExpired("This link has expired.")
        if status == "revoked":
            raise LinkInactive("This link was withdrawn.")
    if not context.link.is_active:
        raise LinkInactive("This link is switched off at the moment.")
    return context


async def host_states(
    work: UnitOfWork,
    context: LinkContext,
    hosts: Sequence[LinkHost],
    window: tuple[int, int],
    duration: int,
    now: int,
    without: str | None = None,
) -> tuple[list[HostState], int | None]:
    """The engine's view of `hosts` for starts in `window` of what lasts `duration` minutes, and when the first hold
    counted in it runs out. The length need not be one that the link offers. A session that is moved counts as
    all the bookings in it.

    `without` is a booking to look through, one that is being moved, and so is the context's session `through`. Bounded
    statements: one for the times, one more for each kind of limit that is set, one for a pool's fairness, one for
    each limited link of a session that is moved.
    """
    ids = [host.host_id for host in hosts]
    link = context.link
    link_limited = link.max_per_day is not None or link.max_per_week is not None
    along = [each for each in context.along or () if each.is_limited]
    host_limited = any(host.max_per_day is not None or host.max_per_week is not None for host in hosts)
    first, last = _weeks_around(window)
    begin = window[0] - link.buffer_before * 60
    end = window[1] + max(duration, *link.durations) * 60 + link.buffer_after * 60 + DAY
    if link.stay is not None:  # which checks out up to a day later than so many times 24 hours
        end += DAY
    if link_limited or host_limited or along:  # a hold that runs out anywhere in the weeks may make room under a limit
        begin, end = min(begin, first), max(end, last)
    times = await work.hosts.times(ids, begin, end, now, context.through or without)
    link_starts: Sequence[int] = ()
    if link_limited:
        link_starts = await work.hosts.link_starts(link.id, first, last, now, without)
    others = [each.limit(await work.hosts.link_starts(each.link_id or "", first, last, now, without)) for each in along]
    more = 0 if context.along is None else sum(each.bookings for each in context.along) - 1
    host_starts: Mapping[str, Sequence[int]] = {}
    has_pool = any(host.role == "pool" for host in hosts)
    if host_limited or has_pool:
        host_starts = await work.hosts.host_starts(ids, first, last, now, without)
    last_booked = await work.hosts.last_booked(ids) if has_pool else {}
    states = [
        HostState(
            host_id=host.host_id,
            schedule=schedule_rules(host.schedule, now) if host.schedule else no_hours(),
            busy=times[host.host_id].busy if host.host_id in times else (),
            link_starts=link_starts,
            host_starts=host_starts.get(host.host_id, ()),
            max_per_day=lowered(host.max_per_day, more),
            max_per_week=lowered(host.max_per_week, more),
            other_limits=others,
            priority=host.priority,
            last_booked_at=last_booked.get(host.host_id),
        )
        for host in hosts
    ]
    expiries = [found.next_expiry for found in times.values() if found.next_expiry is not None]
    return states, min(expiries, default=None)


def _weeks_around(window: tuple[int, int]) -> tuple[int, int]:
    """Whole ISO weeks around a window in every zone."""
    monday = datetime.fromtimestamp(window[0], UTC) - timedelta(days=8)
    return int(monday.timestamp()), window[1] + 9 * DAY

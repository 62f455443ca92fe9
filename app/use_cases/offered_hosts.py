"""Who of an offer, a link or a service, can take a booking."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Invalid
from app.domain.hours import MINUTES_A_DAY
from app.domain.policies import Policy
from app.domain.rules import HostState
from app.domain.services import bare_link
from app.domain.teams import Group
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork


async def offer_context(work: UnitOfWork, booking: Booking) -> LinkContext | None:
    """The link a booking was made through, or the service it was booked as; None when that is gone."""
    if booking.link_id is not None:
        return await work.links.context_of(booking.link_id)
    if booking.service_id is not None:
        return await work.links.context_of_service(booking.org_id, booking.service_id)
    return None


async def policy_of(work: UnitOfWork, booking: Booking) -> Policy:
    """What its link or service asks of a recipient who cancels or moves it, as it is now; one that is gone asks
    nothing."""
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    service_id = booking.service_id if link is None else link.service_id
    service = await work.services.get(booking.org_id, service_id) if service_id else None
    if service is not None:
        link = service.offered_by(bare_link(service) if link is None else link)
    return Policy() if link is None else Policy.of(link)


async def is_by_night(work: UnitOfWork, booking: Booking) -> bool:
    """Whether its length is told in nights. A day of 24 hours may be a night of a house whose guests leave at the hour
    at which others come: its offer knows."""
    if booking.is_stay or booking.duration != MINUTES_A_DAY:
        return booking.is_stay
    context = await offer_context(work, booking)
    return context is not None and context.link.stay is not None


async def hands_back(work: UnitOfWork, booking: Booking) -> bool:
    """Whether a host who deletes the booking's event gives it to another one of the pool."""
    context = await offer_context(work, booking)
    return context is not None and context.link.hand_back and any(host.role == "pool" for host in context.hosts)


def only(context: LinkContext, host_ids: Collection[str]) -> LinkContext:
    """The link with these of its hosts alone."""
    return replace(context, hosts=tuple(host for host in context.hosts if host.host_id in host_ids))


def without_host(context: LinkContext, host_id: str) -> LinkContext:
    """The link as if this host were none of its hosts."""
    return only(context, {host.host_id for host in context.hosts} - {host_id})


def with_chosen(context: LinkContext, host_id: str) -> LinkContext:
    """The link with this one of its pool and nobody else of it; `Invalid` when nobody is to be chosen, or not this
    one."""
    pool = {host.host_id for host in context.hosts if host.role == "pool"}
    if host_id not in (pool or {host.host_id for host in context.hosts if host.role == "fixed"}):
        raise Invalid.field("host", "This host does not belong to the link.")
    return only(context, {host.host_id for host in context.hosts} - pool | {host_id})


def judgeable(context: LinkContext, duration: int, now: int) -> list[LinkHost]:
    """The hosts whose calendars were read within the age limit, and who take this length.

    `CalendarUnavailable` when they are too few in one of the groups of which some are needed.
    """
    hosts = [host for host in takers(context, duration) if host.judged_until is None or host.judged_until > now]
    left = {key: len(members) for key, (members, _) in grouped(hosts).items()}
    for key, (_, needed) in grouped(takers(context, duration)).items():
        if left.get(key, 0) < needed:
            raise CalendarUnavailable("The host's calendar cannot be read at the moment. Please try again later.")
    return hosts


def people_of(context: LinkContext) -> Sequence[LinkHost]:
    """Whom a recipient meets; where nobody is needed, what they reserve."""
    return [host for host in context.hosts if host.role != "unit"] or context.hosts


def offer_zone(context: LinkContext) -> str:
    """The zone in which the offer's wall times are meant: that of the hours of the first person, or else of what is
    reserved."""
    hours = (host.schedule for host in (*people_of(context), *context.hosts))
    return next((schedule.timezone for schedule in hours if schedule is not None), "UTC")


def choices(context: LinkContext) -> list[LinkHost]:
    """The people among whom a recipient may choose."""
    return [host for host in context.hosts if host.role == "pool"] if context.link.mode == "chosen" else []


def pool_of(context: LinkContext) -> tuple[tuple[str, str], ...]:
    """Id and name of those among whom staff may choose, where there is a choice."""
    pool = tuple((host.host_id, host.name) for host in context.hosts if host.role == "pool")
    return pool if len(pool) > 1 else ()


def choose_person(context: LinkContext, host_id: str | None) -> LinkContext:
    """The link as a recipient asks for it: with the person they chose (None: anybody). `Invalid` where there is no
    choice."""
    if host_id is None:
        return context
    if context.link.mode != "chosen":
        raise Invalid.field("host", "This link does not let you choose a person.")
    return with_chosen(context, host_id)


def takers(context: LinkContext, duration: int) -> list[LinkHost]:
    """The hosts who take this length."""
    return [host for host in context.hosts if host.durations is None or duration in host.durations]


def grouped(hosts: Iterable[LinkHost]) -> dict[str, tuple[list[LinkHost], int]]:
    """The groups of a team, each with the number that is needed of it: all fixed hosts, one of the pool, and of every
    resource as many units as a booking takes."""
    groups: dict[str, tuple[list[LinkHost], int]] = {}
    for host in hosts:
        key = host.resource_id or host.role
        members, _ = groups.get(key, ([], 0))
        members = [*members, host]
        groups[key] = members, len(members) if host.role == "fixed" else host.needed
    return groups


def team(hosts: Sequence[LinkHost], states: Sequence[HostState]) -> list[Group]:
    """The engine's view of the groups. Resources go by the hours of the people; without any by their own."""
    by_id = {state.host_id: state for state in states}
    has_people = any(host.role != "unit" for host in hosts)
    return [
        Group(
            tuple(by_id[host.host_id] for host in members),
            needed,
            keeps_hours=not has_people or members[0].role != "unit",
        )
        for members, needed in grouped(hosts).values()
    ]

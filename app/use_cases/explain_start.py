"""Why a start of a link is offered or not, host by host and rule by rule; for the one whose link it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import CalendarUnavailable, NotFound
from app.domain.explain import Finding, explain, unread
from app.domain.seats import judge_session
from app.domain.teams import judge_team, team_verdict
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.find_slots import check_duration, sessions_of
from app.use_cases.host_states import host_states
from app.use_cases.manage_links import owned_link
from app.use_cases.offered_hosts import judgeable, takers, team


@dataclass(frozen=True, slots=True)
class HostFindings:
    """What the rules say of one host; `is_free` when none stands against them."""

    host: LinkHost
    is_free: bool
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Explanation:
    """`is_offered`: a recipient could book this start now. `reasons` are about the link as a whole."""

    is_offered: bool
    reasons: Sequence[str]
    hosts: Sequence[HostFindings]


async def explain_start(ports: Ports, user: User, link_id: str, start: int, duration: int) -> Explanation:
    """For a link the user manages; `NotFound` otherwise, `Invalid` for a length that the link does not offer."""
    now = ports.clock()
    async with ports.read() as work:
        link = await owned_link(work, user, link_id)
        context = await work.links.context_of(link.id)
        if context is None:
            raise NotFound("This link has no hosts.")
        check_duration(context, duration)
        hosts = await _findings(work, context, start, duration, now)
        offered, reasons = await _whole(work, context, start, duration, now)
        if context.has_sessions:
            offered, reasons = await _with_sessions(work, context, start, duration, now, (offered, reasons))
    if not context.link.is_active:
        reasons.append("The link, or its service, is switched off.")
    return Explanation(offered and context.link.is_active, reasons, hosts)


async def _with_sessions(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    otherwise: tuple[bool, list[str]],
) -> tuple[bool, list[str]]:
    """Of a class: a seat in a session that is there, or else (unless sessions are set by staff) a new one."""
    sessions = await sessions_of(work, context, duration, (start, start + 1), now, None)
    able = [host for host in takers(context, duration) if host.judged_until is None or host.judged_until > now]
    states, _ = await host_states(work, context, able, (start, start + 1), duration, now)
    groups, rules = team(able, states), context.link.rules()
    left = sum(each.seats_left for each in sessions if judge_session(each, rules, groups, now).is_free)
    if left:
        return True, [f"A session takes place then, with {left} {'seat' if left == 1 else 'seats'} left."]
    if context.is_scheduled and not sessions:
        return False, ["Nothing but the sessions that were set is offered, and there is none then."]
    if sessions:
        otherwise[1].append("A session takes place then, of which no seat can be had.")
    return otherwise[0] and not context.is_scheduled, otherwise[1]


async def _findings(work: UnitOfWork, context: LinkContext, start: int, duration: int, now: int) -> list[HostFindings]:
    rules = context.link.rules()
    able = takers(context, duration)
    states, _ = await host_states(work, context, able, (start, start + 1), duration, now)
    by_id = {state.host_id: state for state in states}
    before, after = rules.buffer_before * 60, rules.buffer_after * 60
    ids = [host.host_id for host in able]
    blockers = await work.hosts.blockers(ids, start - before, rules.end(start, duration) + after, now)
    has_people = any(host.role != "unit" for host in able)
    found = []
    for host in able:
        own = [each for each in blockers if each.host_id == host.host_id]
        said = explain(rules, duration, by_id[host.host_id], start, now, own)
        if host.role == "unit" and has_people:
            said = [each for each in said if each.rule == "busy"]
        if host.judged_until is not None and host.judged_until <= now:
            said = [unread(host.name, host.read_at or 0, now), *said]
        found.append(HostFindings(host, all(each.ok for each in said), said))
    return found


async def _whole(work: UnitOfWork, context: LinkContext, start: int, duration: int, now: int) -> tuple[bool, list[str]]:
    """Whether enough hosts are free together."""
    try:
        able = judgeable(context, duration, now)
    except CalendarUnavailable as refusal:
        return False, [refusal.detail]
    states, _ = await host_states(work, context, able, (start, start + 1), duration, now)
    judged = judge_team(context.link.rules(), duration, team(able, states), start, now)
    is_free = team_verdict(judged).is_free
    if is_free or len(context.hosts) == 1:
        return is_free, []
    reasons = []
    for each in judged:
        if not each.verdict.is_free:
            names = ", ".join(
                host.name for host in able if host.host_id in {state.host_id for state in each.group.hosts}
            )
            reasons.append(f"{each.group.needed} of {names} must be free; {len(each.free)} are.")
    return False, reasons

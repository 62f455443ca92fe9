"""Parts of a calendar object (RFC 4791 §9.6): chosen components and properties, and no more of a series or of busy
times than a range asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.ical_matching import overlaps
from app.domain.ical_series import Vcomponent
from app.domain.ical_tasks import free_busy_periods
from app.domain.ical_times import ObjectTimes
from app.domain.ical_tree import Branch, Line


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of a component: properties by name, True for those of which only name and parameters are, and
    components by name; None stands for all."""

    properties: Mapping[str, bool] | None = None
    components: Mapping[str, Part] | None = None


def trimmed(branch: Branch, part: Part) -> Branch:
    """The component with nothing but the wanted part."""
    lines = branch.lines
    if part.properties is not None:
        chosen = [(line, part.properties.get(line.name)) for line in lines]
        lines = [Line(line.name, f"{line.head}:") if bare else line for line, bare in chosen if bare is not None]
    branches = branch.branches
    if part.components is not None:
        wanted = [(each, part.components.get(each.name)) for each in branches]
        branches = [trimmed(each, inner) for each, inner in wanted if inner is not None]
    return Branch(branch.name, lines, branches)


def limited_series(calendar: Branch, times: ObjectTimes, span: tuple[int, int]) -> Branch:
    """The master, and of its overrides those that matter in the range (§9.6.6): the ones that take place in it or
    replace an instance that would, and those that change all that follow."""
    length = _length(times)

    def matters(branch: Branch, component: Vcomponent | None) -> bool:
        recurrence = branch.first("RECURRENCE-ID")
        if component is None or recurrence is None or "RANGE" in recurrence.parameters:
            return True
        replaced = times.at(component, "RECURRENCE-ID")
        is_replaced_here = replaced is not None and replaced < span[1] and replaced + length > span[0]
        return is_replaced_here or overlaps(times, component, *span)

    kept = [branch for branch, component in times.paired(calendar) if matters(branch, component)]
    return Branch(calendar.name, calendar.lines, kept)


def _length(times: ObjectTimes) -> int:
    """How long the instances of the master are, at least a second."""
    master = next((each for each in times.main if "RECURRENCE-ID" not in each), None)
    if master is None:
        return 1
    begin = times.at(master, "DTSTART") or 0
    near = times.near((begin, begin + 1))
    return max([1, *(each.until - each.begin for each in near if each.source is master)])


def limited_busy(calendar: Branch, times: ObjectTimes, span: tuple[int, int]) -> Branch:
    """The FREEBUSY values that meet the range (§9.6.7); everything else as it is."""
    branches = [
        branch if component is None or branch.name != "VFREEBUSY" else _limited_periods(branch, component, span)
        for branch, component in times.paired(calendar)
    ]
    return Branch(calendar.name, calendar.lines, branches)


def _limited_periods(branch: Branch, component: Vcomponent, span: tuple[int, int]) -> Branch:
    inside = [begin < span[1] and until > span[0] for begin, until, _ in free_busy_periods(component)]
    flags = iter(inside)
    lines = []
    for line in branch.lines:
        if line.name != "FREEBUSY":
            lines.append(line)
            continue
        periods = [each for each in line.value.split(",") if next(flags, False)]
        if periods:
            lines.append(Line(line.name, f"{line.head}:{','.join(periods)}"))
    return Branch(branch.name, lines, branch.branches)

"""What an organizer's change means for everybody invited (RFC 6638 §3.2.1, RFC 5546 §3.2.2 and §3.2.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from app.domain.content_lines import Component, Line
from app.domain.scheduling.addresses import address_key
from app.domain.scheduling.messages import Message, message
from app.domain.scheduling.objects import (
    SERIES,
    SERVER,
    Key,
    SchedulingObject,
    agent_of,
    attendee_line,
    change_attendee,
    instance_of,
    is_cancelled,
    partstat,
    sequence_of,
)
from app.domain.scheduling.times import times_of

View = dict[Key, Component]
"""What one attendee is invited to, by instance. Instances of a series that leave them out are EXDATEs in it."""

_UNTOLD = frozenset(
    {"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "REQUEST-STATUS", "EXDATE", "ORGANIZER", "ATTENDEE",
     "DTSTART", "DTEND", "DURATION", "DUE", "RRULE", "RDATE", "RECURRENCE-ID"}
)  # fmt: skip
_IN_CANCEL = frozenset(
    {"UID", "DTSTART", "DTEND", "DURATION", "DUE", "RRULE", "RECURRENCE-ID", "SUMMARY", "LOCATION", "ORGANIZER",
     "SEQUENCE"}
)  # fmt: skip


def settle(
    before: SchedulingObject | None,
    after: SchedulingObject,
    own: frozenset[str],
    *,
    keeps_answers: bool,
    members: Collection[str] = (),
) -> None:
    """Make the organizer's new text what it has to be: a new time has a higher SEQUENCE and asks everybody again, what
    is called off has a higher one too, none is lower than it was; delivery states stay. With `keeps_answers` (the
    client did not look at the answers that came since, RFC 6638 §3.2.10) what was answered meanwhile stays too. For
    `members` nobody else answers: an organizer can ask them again, and no more."""
    there = before.by_key if before else {}
    for key, entry in after.by_key.items():
        known = there.get(key) or _counterpart(before, key)
        _keep_answers(known, entry, own, members)
        if known is not None:
            _settle_entry((before or after, known), (after, entry), own, keeps_answers=keeps_answers)


def _keep_answers(known: Component | None, entry: Component, own: frozenset[str], members: Collection[str]) -> None:
    for line in entry.every("ATTENDEE"):
        address = address_key(line.value)
        who = frozenset({address})
        is_theirs = address in members and address not in own and agent_of(line) == SERVER
        if is_theirs and partstat(line) != "NEEDS-ACTION":
            change_attendee(entry, who, PARTSTAT=partstat(attendee_line(known, who) if known else None))


def forget_wishes(after: SchedulingObject) -> None:
    """SCHEDULE-FORCE-SEND is a wish for this one time, and is not kept (§7.2)."""
    for entry in after.entries:
        for line in entry.every("ATTENDEE"):
            change_attendee(entry, frozenset({address_key(line.value)}), SCHEDULE_FORCE_SEND=None)


def _settle_entry(
    was: tuple[SchedulingObject, Component],
    now: tuple[SchedulingObject, Component],
    own: frozenset[str],
    *,
    keeps_answers: bool,
) -> None:
    known, entry = was[1], now[1]
    moved = times_of(*was) != times_of(*now)
    cut = was[0].left_out(known).keys() != now[0].left_out(entry).keys()
    called_off = is_cancelled(entry) and not is_cancelled(known)
    least = sequence_of(known) + (1 if moved or cut or called_off else 0)
    if sequence_of(entry) < least:  # attendees pass over what is older than what they have (RFC 5546 §2.1.5)
        entry.set("SEQUENCE", str(least))
    # That a series ends sooner or later asks nobody again.
    asks_again = times_of(*was, how_long=False) != times_of(*now, how_long=False)
    for line in entry.every("ATTENDEE"):
        who = frozenset({address_key(line.value)})
        if who & own or agent_of(line) != SERVER:
            continue
        old = attendee_line(known, who)
        if asks_again:
            change_attendee(entry, who, PARTSTAT="NEEDS-ACTION", RSVP=line.param("RSVP") or "TRUE")
        elif keeps_answers and old is not None and partstat(old) != partstat(line) and not _forces_request(line):
            change_attendee(entry, who, PARTSTAT=partstat(old), RSVP=old.param("RSVP"))
        elif old is not None and partstat(line) == "NEEDS-ACTION" and line.param("RSVP") is None:
            change_attendee(entry, who, RSVP=old.param("RSVP"))  # the question is still open
        if old is not None and line.param("SCHEDULE-STATUS") is None:
            change_attendee(entry, who, SCHEDULE_STATUS=old.param("SCHEDULE-STATUS"))


def _counterpart(before: SchedulingObject | None, key: Key) -> Component | None:
    if before is None:
        return None
    return before.by_key.get(key) or instance_of(before, key)


def messages(
    before: SchedulingObject | None, after: SchedulingObject | None, own: frozenset[str], now: int
) -> list[Message]:
    """What everybody else has to be told: a REQUEST to whom is invited to something new or changed, a CANCEL to whom
    is invited no more (to the series, or to some instances). `own` are the organizer's addresses."""
    people = {**(before.attendees() if before else {}), **(after.attendees() if after else {})}
    told: list[Message] = []
    for address, line in people.items():
        if address not in own and agent_of(line) == SERVER:
            told += _for_one(before, after, address, now)
    return told


def _for_one(before: SchedulingObject | None, after: SchedulingObject | None, address: str, now: int) -> list[Message]:
    who = frozenset({address})
    old, new = view(before, who), view(after, who)
    source = after or before
    if source is None or not (old or new):
        return []
    if before is not None and (not new or (SERIES in old and SERIES not in new)):
        cancel = [_cancelled(entry, who, before, after) for entry in ([old[SERIES]] if SERIES in old else old.values())]
        told = [message("CANCEL", address, cancel, before, now)]
        return [*told, message("REQUEST", address, new.values(), source, now)] if new else told
    gone = _gone(old, new, source) if before is not None and after is not None else {}
    told = []
    if before is not None and after is not None and gone:
        cancel = [_cancelled(_instance(before, old, key, line), who, before, after) for key, line in gone.items()]
        told.append(message("CANCEL", address, cancel, before, now))
    if SERIES in new and told:  # the series says itself what was taken out; devices show both
        return [replace(told[0], is_told_again=True), message("REQUEST", address, new.values(), source, now)]
    was, becomes = _signature(old, before or source, gone), _signature(new, source, gone)
    if was != becomes or _is_forced(after, who):
        news = new if _is_forced(after, who) else _news(old, new, {key for key, *_ in becomes - was})
        told.append(message("REQUEST", address, news.values(), source, now))
    return told


def _news(old: View, new: View, changed: set[Key]) -> View:
    """What a REQUEST has to say: where single instances changed and no more, just those (RFC 5546 §3.2.2.1), so that
    people read of the day that is meant."""
    if not changed or SERIES in changed or not old or old.keys() - new.keys():
        return new
    return {key: new[key] for key in changed}


def view(item: SchedulingObject | None, who: frozenset[str]) -> View:
    """What somebody is invited to by this object."""
    if item is None:
        return {}
    series = item.series
    in_series = series is not None and _invites(series, who)
    found: View = {SERIES: series.copy()} if series is not None and in_series else {}
    for key, entry in item.by_key.items():
        if key == SERIES:
            continue
        if _invites(entry, who):
            found[key] = entry.copy()
        elif in_series and (line := entry.first("RECURRENCE-ID")):
            found[SERIES].lines.append(Line("EXDATE", line.without("RANGE").params, line.value))
    return found


def _invites(entry: Component, who: frozenset[str]) -> bool:
    return attendee_line(entry, who) is not None and not is_cancelled(entry)


def _gone(old: View, new: View, item: SchedulingObject) -> dict[Key, Line | None]:
    """Instances that somebody was invited to and is no more."""
    if SERIES in old and SERIES in new:
        before, after = item.left_out(old[SERIES]), item.left_out(new[SERIES])
        return {key: line for key, line in after.items() if key not in before}
    return {} if SERIES in new else {key: None for key in old if key not in new}


def _instance(before: SchedulingObject, old: View, key: Key, line: Line | None) -> Component:
    """The instance as it was known."""
    found = old.get(key) or instance_of(before, key)
    if found is not None:
        return found
    entry = old[SERIES].copy()  # a date that the series never had: nothing but its name is known
    entry.drop("RRULE", "RDATE", "EXDATE", "DTSTART", "DTEND", "DURATION")
    if line is not None:
        entry.lines.append(Line("RECURRENCE-ID", line.params, line.value))
    return entry


def _cancelled(
    entry: Component, who: frozenset[str], before: SchedulingObject, after: SchedulingObject | None
) -> Component:
    line = attendee_line(entry, who)
    kept = Component(entry.name, [each for each in entry.lines if each.name in _IN_CANCEL])
    if line is not None:
        kept.lines.append(line)
    was = sequence_of(before.series or entry)
    sequence = was + 1 if after is None else max(was, sequence_of(after.series), sequence_of(entry))
    kept.set("SEQUENCE", str(sequence))
    kept.set("STATUS", "CANCELLED")
    return kept


def _signature(shown: View, item: SchedulingObject, without: dict[Key, Line | None]) -> frozenset[tuple[str, ...]]:
    """All that an attendee is told, so that equal signatures mean no news."""
    said = set()
    for key, entry in shown.items():
        if key and key in without:
            continue
        lines = {line.text() for line in entry.lines if line.name not in _UNTOLD and not line.name.startswith("X-")}
        lines |= times_of(item, entry)
        lines |= {f"EXDATE:{out}" for out in item.left_out(entry) if out not in without}
        lines |= {f"ATTENDEE:{address_key(line.value)};{line.param('ROLE')}" for line in entry.every("ATTENDEE")}
        said.add((key, *sorted(lines)))
    return frozenset(said)


def _is_forced(item: SchedulingObject | None, who: frozenset[str]) -> bool:
    """SCHEDULE-FORCE-SEND=REQUEST (§7.2)."""
    lines = [line for entry in (item.entries if item else []) if (line := attendee_line(entry, who))]
    return any(map(_forces_request, lines))


def _forces_request(line: Line) -> bool:
    return (line.param("SCHEDULE-FORCE-SEND") or "").upper() == "REQUEST"

"""What an attendee may do to their copy, and what they answer by it (RFC 6638 §3.2.2, RFC 5546 §3.2.3)."""

from __future__ import annotations

from app.domain.content_lines import Component, Line
from app.domain.errors import Invalid
from app.domain.ical_parse import parse_calendar
from app.domain.scheduling.addresses import address_key
from app.domain.scheduling.likeness import is_like_series, when_and_whom
from app.domain.scheduling.messages import Message, message
from app.domain.scheduling.objects import (
    SERIES,
    SERVER,
    Key,
    SchedulingObject,
    attendee_line,
    change_attendee,
    instance_of,
    is_cancelled,
    keep_status,
    partstat,
    zones_for,
)

_GIVEN = frozenset({"ACCEPTED", "DECLINED", "TENTATIVE"})
_IN_REPLY = frozenset(
    {"UID", "SEQUENCE", "ORGANIZER", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION", "DUE", "SUMMARY", "RRULE",
     "COMMENT", "PERCENT-COMPLETE", "COMPLETED"}
)  # fmt: skip


def is_allowed(before: SchedulingObject, after: SchedulingObject) -> bool:
    """Whether the change is the attendee's own business (§3.2.2.1): when it happens, who organizes it and who else is
    invited is not."""
    if before.organizer != after.organizer:
        return False
    for key, entry in after.by_key.items():
        known = before.by_key.get(key) or instance_of(before, key)
        if known is None or when_and_whom(before, known) != when_and_whom(after, entry):
            return False
    return bool(after.entries) and (before.series is not None or after.series is None)


def restore(before: SchedulingObject, after: SchedulingObject) -> None:
    """Put back what the attendee's client lost: the series, and instances that the organizer changed. Who wants to be
    rid of an instance takes it out by EXDATE, or, invited to single instances alone, drops it: both decline it."""
    if before.series is None:
        return
    kept = after.by_key
    out = after.left_out(kept[SERIES]) if SERIES in kept else {}
    lost = [
        entry
        for key, entry in before.by_key.items()
        if key not in kept and key not in out and (key == SERIES or not is_like_series(before, key, entry))
    ]
    made = [each.copy() for each in lost]
    after.calendar.children += [*zones_for(made, before.calendar, missing_in=after.calendar), *made]


def reply(
    before: SchedulingObject | None, after: SchedulingObject | None, own: frozenset[str], now: int
) -> Message | None:
    """The answer that a change (or, with `after` None, a deletion: all is declined) gives to the organizer; None when
    nothing was answered anew, or when it is not for the server to send it."""
    source = after or before
    if source is None or source.organizer is None or source.organizer_agent != SERVER:
        return None
    answers = _changed(before, after, own) if after is not None else _declined(source, own)
    entries = [made for entry, answer in answers if (made := _answer(entry, own, answer)) is not None]
    return message("REPLY", source.organizer, entries, source, now) if entries else None


def _changed(
    before: SchedulingObject | None, after: SchedulingObject, own: frozenset[str]
) -> list[tuple[Component, str]]:
    is_forced = ((after.organizer_line and after.organizer_line.param("SCHEDULE-FORCE-SEND")) or "").upper() == "REPLY"
    found = []
    for key, entry in after.by_key.items():
        line = attendee_line(entry, own)
        if line is not None and (is_forced or partstat(line) != _known(before, key, own)):
            found.append((entry, partstat(line)))
    return [*found, *_taken_out(before, after, own), *_dropped(before, after, own)]


def _known(before: SchedulingObject | None, key: Key, own: frozenset[str]) -> str:
    """What the organizer has been told about an instance."""
    entry = (before.by_key.get(key) or before.series) if before else None
    return partstat(attendee_line(entry, own)) if entry else "NEEDS-ACTION"


def _taken_out(
    before: SchedulingObject | None, after: SchedulingObject, own: frozenset[str]
) -> list[tuple[Component, str]]:
    """Instances that the attendee deleted by EXDATE."""
    if before is None or before.series is None or after.series is None:
        return []
    keys = after.left_out(after.series).keys() - before.left_out(before.series).keys()
    instances = [before.by_key.get(key) or instance_of(before, key) for key in sorted(keys)]
    standing = [each for each in instances if each and not is_cancelled(each)]
    return [(each, "DECLINED") for each in standing if partstat(attendee_line(each, own)) != "DECLINED"]


def _dropped(
    before: SchedulingObject | None, after: SchedulingObject, own: frozenset[str]
) -> list[tuple[Component, str]]:
    """Instances that are there no more (`restore`): they are as the series is, or declined where there is none."""
    if before is None:
        return []
    out = after.left_out(after.series) if after.series else {}
    gone = {key: entry for key, entry in before.by_key.items() if key not in after.by_key and key not in out}
    answer = partstat(attendee_line(after.series, own)) if after.series else "DECLINED"
    return [
        (entry, answer)
        for entry in gone.values()
        if not is_cancelled(entry) and partstat(attendee_line(entry, own)) != answer
    ]


def _declined(item: SchedulingObject, own: frozenset[str]) -> list[tuple[Component, str]]:
    """The whole, and the instances that were answered by themselves."""
    standing = [each for each in item.entries if not is_cancelled(each)]
    return [(each, "DECLINED") for each in standing if partstat(attendee_line(each, own)) != "DECLINED"]


def _answer(entry: Component, own: frozenset[str], answer: str) -> Component | None:
    line = attendee_line(entry, own)
    if line is None:
        return None
    kept = Component(entry.name, [each for each in entry.lines if each.name in _IN_REPLY])
    kept.lines.append(line.with_param("PARTSTAT", answer).without("RSVP"))
    kept.lines.append(Line("REQUEST-STATUS", (), "2.0;Success"))
    return kept


def mailed_answer(text: str, address: str, now: int) -> Message | None:
    """A REPLY that came by mail, cut down to what one address answers; None for anything else. Whoever wrote it may
    have written anything."""
    try:
        parse_calendar(text)  # within bounds?
        sent = SchedulingObject.read(text)
    except Invalid:
        return None
    if sent.calendar.value("METHOD").upper() != "REPLY" or not sent.uid:
        return None
    who = frozenset({address})
    given = [(each, partstat(attendee_line(each, who))) for each in sent.entries if each.value("UID") == sent.uid]
    entries = [_answer(each, who, answer) for each, answer in given if answer in _GIVEN]
    found = [each for each in entries if each is not None]
    return message("REPLY", "", found, sent, now) if found else None


def _keep_others(known: Component, entry: Component, own: frozenset[str]) -> None:
    """What is known of the others, their answers too, is not the attendee's to change."""
    there = {address_key(line.value): line for line in known.every("ATTENDEE")}
    for at, line in enumerate(entry.lines):
        who = address_key(line.value) if line.name == "ATTENDEE" else ""
        if who in there and who not in own:
            entry.lines[at] = there[who]


def settle(before: SchedulingObject | None, after: SchedulingObject, own: frozenset[str], status: str | None) -> None:
    """Make the attendee's new text what it has to be: without wishes to the server, with what became of the answer, and
    with what the others have answered since the client last looked."""
    known = before.by_key if before else {}
    for key, entry in after.by_key.items():
        if key in known:
            _keep_others(known[key], entry, own)
        if line := entry.first("ORGANIZER"):
            entry.put(line.without("SCHEDULE-FORCE-SEND"))
        keep_status(known.get(key, entry), entry, status)
        if status and partstat(attendee_line(entry, own)) != "NEEDS-ACTION":
            change_attendee(entry, own, RSVP=None)


def participates(item: SchedulingObject, own: frozenset[str]) -> bool:
    """Whether one of these addresses is invited to any of it."""
    return any(attendee_line(entry, own) for entry in item.entries)

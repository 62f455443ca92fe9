"""What a message does to the calendar of whom it reaches (RFC 6638 §4, RFC 5546 §3.2)."""

from __future__ import annotations

from app.domain.content_lines import Component, Line
from app.domain.scheduling.likeness import is_like_series
from app.domain.scheduling.objects import (
    SERIES,
    Key,
    SchedulingObject,
    answer_of,
    attendee_line,
    change_attendee,
    instance_of,
    is_cancelled,
    keep_status,
    partstat,
    sequence_of,
    zones_for,
)
from app.domain.scheduling.times import times_of

_OWN = ("TRANSP", "CATEGORIES", "CLASS", "COMPLETED", "PERCENT-COMPLETE")
"""What an attendee says of their own copy; it outlives the organizer's changes, as alarms do."""


def invited(copy: SchedulingObject | None, sent: SchedulingObject, own: frozenset[str]) -> SchedulingObject | None:
    """The attendee's copy after a REQUEST; None when the message is older than the copy (RFC 5546 §2.1.5), or when all
    it is about was declined and thrown away."""
    known = {} if copy is None or _is_cancelled(copy) else copy.by_key
    if sent.series is not None and sequence_of(sent.series) < sequence_of(known.get(SERIES)):
        return None
    entries = {}
    for key, entry in _unrefused(known, sent, own).items():
        had = known.get(key) or (instance_of(copy, key) if copy is not None and known else None)
        entries[key] = _merged(entry, had)
    if not entries:
        return None
    if copy is not None and known:
        entries = _kept(copy, sent, entries, own)
    head = [line for line in sent.calendar.lines if line.name != "METHOD"]
    zones = zones_for(entries.values(), sent.calendar, *([copy.calendar] if copy else []))
    return SchedulingObject(Component("VCALENDAR", head, [*zones, *entries.values()]))


def _unrefused(known: dict[Key, Component], sent: SchedulingObject, own: frozenset[str]) -> dict[Key, Component]:
    """What is sent but for what the attendee declined and threw away: the whole, or instances they had alone."""
    refused = {key for key, entry in sent.by_key.items() if key not in known and _is_declined(entry, own)}
    if len(refused) < len(sent.by_key) and (SERIES in known or SERIES in sent.by_key):
        return sent.by_key
    return {key: entry for key, entry in sent.by_key.items() if key not in refused}


def _merged(entry: Component, known: Component | None) -> Component:
    """An entry as sent, with what the attendee had made of their own. Their answer is what the organizer has of it, who
    may ask again."""
    made = entry.copy()
    made.drop("REQUEST-STATUS")
    if known is None:
        return made
    made.children += [child.copy() for child in known.children if child.name == "VALARM"]
    sent = {line.name for line in made.lines}
    for name in _OWN:
        if line := known.first(name):
            made.put(line)
    made.lines += [line for line in known.lines if line.name.startswith("X-") and line.name not in sent]
    keep_status(known, made)
    return made


def _kept(
    copy: SchedulingObject, sent: SchedulingObject, entries: dict[Key, Component], own: frozenset[str]
) -> dict[Key, Component]:
    """Beside what was sent: the attendee's own instances, and those they took out; for a message about single
    instances the rest of the series."""
    series = copy.series
    if sent.series is None:
        kept = {key: entry.copy() for key, entry in copy.by_key.items()}
        if series is not None:
            _put_back(kept[SERIES], copy, entries)
        return kept | entries
    if series is None or times_of(copy, series) != times_of(sent, sent.series):
        return entries
    out = copy.left_out(series)
    still_out = sent.left_out(sent.series)
    entries[SERIES].lines += [line for key, line in out.items() if key not in still_out and key not in entries]
    for key in [key for key, entry in entries.items() if key in out and _is_declined(entry, own)]:
        entries[SERIES].lines.append(out[key])
        del entries[key]
    alone = {
        key: entry
        for key, entry in copy.by_key.items()
        if key not in entries and key not in still_out and is_like_series(copy, key, entry)
    }  # an instance that the organizer had changed, and changes no more, is as the series is
    return entries | {key: _of_new_series(sent, key, entry, own) for key, entry in alone.items()}


def _of_new_series(sent: SchedulingObject, key: Key, known: Component, own: frozenset[str]) -> Component:
    """An instance that only the attendee has as an entry, for an alarm or an answer: it says what the series says."""
    made = instance_of(sent, key)
    if made is None:
        return known.copy()
    made = _merged(made, known)
    change_attendee(made, own, PARTSTAT=partstat(attendee_line(known, own)))
    return made


def _is_declined(entry: Component, own: frozenset[str]) -> bool:
    return partstat(attendee_line(entry, own)) == "DECLINED"


def _put_back(series: Component, copy: SchedulingObject, entries: dict[Key, Component]) -> None:
    """Instances that the organizer invites to (again) are no longer taken out."""
    kept = [line for key, line in copy.left_out(series).items() if key not in entries]
    series.drop("EXDATE")
    series.lines += kept


def _is_cancelled(item: SchedulingObject) -> bool:
    return all(map(is_cancelled, item.entries))


def cancelled(copy: SchedulingObject, sent: SchedulingObject) -> SchedulingObject | None:
    """The attendee's copy after a CANCEL: what is cancelled as a whole stays and says so, single instances go; None
    when the message is older than the copy, or changes nothing."""
    made = copy.copy()
    if sent.series is not None:
        if sequence_of(sent.series) < sequence_of(copy.series):
            return None
        for entry in made.entries:
            _call_off(entry, sequence_of(sent.series))
        return made
    for key, entry in sent.by_key.items():
        _cancel_instance(made, key, entry)
    return made if made.calendar != copy.calendar else None


def _cancel_instance(made: SchedulingObject, key: Key, sent: Component) -> None:
    series, own = made.series, made.by_key.get(key)
    if series is None:
        if own is not None:
            _call_off(own, sequence_of(sent))
        return
    line = sent.first("RECURRENCE-ID")
    if own is not None:
        made.calendar.children = [each for each in made.calendar.children if each is not own]
    if line is not None and key not in made.left_out(series):
        series.lines.append(Line("EXDATE", line.without("RANGE").params, line.value))
        series.set("SEQUENCE", str(max(sequence_of(series), sequence_of(sent))))


def _call_off(entry: Component, sequence: int) -> None:
    entry.set("STATUS", "CANCELLED")
    entry.set("SEQUENCE", str(max(sequence, sequence_of(entry))))


def answered(item: SchedulingObject, sent: SchedulingObject) -> SchedulingObject | None:
    """The organizer's object after a REPLY: the answers to the whole or to instances, which become entries of their
    own; None when it changes nothing. Who is not invited cannot answer."""
    made = item.copy()
    for key, entry in sent.by_key.items():
        status = entry.value("REQUEST-STATUS").partition(";")[0] or "2.0"
        for address, line in SchedulingObject(Component("VCALENDAR", [], [entry])).attendees().items():
            who = frozenset({address})
            target = _entry_for(made, key, who)
            if target is None:
                continue
            covered = _covered(item, sent, who) if key == SERIES else []
            for each in [target, *(made.by_key[one] for one in covered)]:
                change_attendee(each, who, **answer_of(line))
            for each in made.entries if key == SERIES else [target]:
                change_attendee(each, who, SCHEDULE_STATUS=status)
    return made if made.calendar != item.calendar else None


def _covered(item: SchedulingObject, sent: SchedulingObject, who: frozenset[str]) -> list[Key]:
    """The instances for which somebody's answer to the series holds too: those that stand by themselves because others
    answered them, and which they have not answered otherwise."""
    was = partstat(attendee_line(item.series, who)) if item.series else ""
    return [
        key
        for key, entry in item.by_key.items()
        if key not in sent.by_key and partstat(attendee_line(entry, who)) == was and is_like_series(item, key, entry)
    ]


def _entry_for(made: SchedulingObject, key: Key, who: frozenset[str]) -> Component | None:
    """The entry that an answer is about; a further one for an instance that has none yet."""
    found = made.by_key.get(key)
    if found is None and made.series is not None and key not in made.left_out(made.series):
        made_up = instance_of(made, key)
        if made_up is not None and attendee_line(made_up, who) is not None:
            made.calendar.children.append(made_up)
            return made_up
    return found if found is not None and attendee_line(found, who) is not None else None


def with_answers(copy: SchedulingObject, item: SchedulingObject, own: frozenset[str]) -> SchedulingObject | None:
    """An attendee's copy that shows what the others answered; None when it does already. Their own answer is theirs."""
    made = copy.copy()
    for key, entry in item.by_key.items():
        target = made.by_key.get(key)
        if target is None:
            continue
        for address, line in SchedulingObject(Component("VCALENDAR", [], [entry])).attendees().items():
            if address not in own:
                change_attendee(target, frozenset({address}), **answer_of(line))
    return made if made.calendar != copy.calendar else None

"""What a change of an event means for those invited, and what a message does to their calendars."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.scheduling import attendee, organizer
from app.domain.scheduling.addresses import address_key, email_in, keys_of
from app.domain.scheduling.delivery import answered, cancelled, invited
from app.domain.scheduling.messages import Message
from app.domain.scheduling.objects import (
    SchedulingObject,
    attendee_line,
    change_attendee,
    instance_of,
    partstat,
    tidy_people,
)
from tests.support.ical import calendar

NOW = 1_800_000_000
ANA, BEN, CEM = (frozenset({f"mailto:{name}@example.com"}) for name in ("ana", "ben", "cem"))
ZONE = (
    "BEGIN:VTIMEZONE", "TZID:Berlin-ish", "BEGIN:STANDARD", "DTSTART:19701025T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD",
    "BEGIN:DAYLIGHT", "DTSTART:19700329T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200", "END:DAYLIGHT", "END:VTIMEZONE",
)  # fmt: skip
START = "DTSTART;TZID=Berlin-ish:20270302T090000"
END = "DTEND;TZID=Berlin-ish:20270302T100000"


def people(*names: str, answers: str = "NEEDS-ACTION") -> list[str]:
    return [
        "ORGANIZER:mailto:ana@example.com",
        *(f"ATTENDEE;PARTSTAT={answers}:mailto:{each}@example.com" for each in names),
    ]


def item(*entries: list[str]) -> SchedulingObject:
    return SchedulingObject.read(calendar(*entries, extra=ZONE))


def series(*more: str, guests: tuple[str, ...] = ("ben",)) -> list[str]:
    return ["UID:u", START, END, "RRULE:FREQ=DAILY;COUNT=9", "SUMMARY:Stand-up", *people(*guests), *more]


def instance(day: str, *more: str, guests: tuple[str, ...] = ("ben",)) -> list[str]:
    when = f"TZID=Berlin-ish:202703{day}T090000"
    return ["UID:u", f"RECURRENCE-ID;{when}", f"DTSTART;{when}", f"DTEND;TZID=Berlin-ish:202703{day}T100000",
            "SUMMARY:Stand-up", *people(*guests), *more]  # fmt: skip


def told(before: SchedulingObject | None, after: SchedulingObject | None) -> list[tuple[str, str]]:
    return [
        (each.method, each.recipient.removeprefix("mailto:")[:3])
        for each in organizer.messages(before, after, ANA, NOW)
    ]


def read(message: Message | None) -> SchedulingObject:
    assert message is not None
    return SchedulingObject.read(message.text)


def test_addresses_of_one_person_are_one() -> None:
    assert address_key("MAILTO:Ana@Example.com") == "mailto:ana@example.com"
    assert address_key("https://calendar.example.com/dav/principals/ana/") == address_key("/dav/principals/ana")
    assert address_key("urn:uuid:1") in keys_of("1", "ana@example.com", "ana")
    assert email_in("mailto:ana@example.com") == "ana@example.com"
    assert email_in("mailto:a b@example.com") is None
    assert email_in("/dav/principals/ana") is None


def test_an_instance_has_the_time_of_its_date_in_the_events_own_zone() -> None:
    made = instance_of(item(series()), "20270330T070000Z")  # after the clocks changed
    assert made is not None
    assert made.value("DTSTART") == "20270330T090000"
    assert made.value("DTEND") == "20270330T100000"
    assert made.first("RRULE") is None
    assert instance_of(item(series()), "20270330") is None


def test_who_is_invited_to_one_instance_alone_hears_of_that_alone() -> None:
    before = item(series())
    after = item(series(), instance("04", guests=("ben", "cem")))
    assert told(before, after) == [("REQUEST", "ben"), ("REQUEST", "cem")]
    [_, sent] = organizer.messages(before, after, ANA, NOW)
    assert [each.value("RECURRENCE-ID") for each in read(sent).entries] == ["20270304T090000"]
    assert "BEGIN:VTIMEZONE" in sent.text
    assert told(after, before) == [("REQUEST", "ben"), ("CANCEL", "cem")]


def test_who_is_left_out_of_one_instance_has_it_cancelled() -> None:
    before, after = item(series()), item(series(), instance("04", guests=()))
    [sent, request] = organizer.messages(before, after, ANA, NOW)
    assert (sent.method, request.method) == ("CANCEL", "REQUEST")
    assert sent.is_told_again
    assert read(sent).entries[0].value("RECURRENCE-ID") == "20270304T090000"
    copy = cancelled(before, read(sent))
    assert copy is not None
    assert copy.series is not None
    assert "20270304T080000Z" in copy.left_out(copy.series)
    assert cancelled(copy, read(sent)) is None  # a second time it changes nothing


def test_who_is_moved_from_the_series_to_one_instance_hears_both() -> None:
    before = item(series(guests=("ben", "cem")))
    after = item(series(guests=("ben",)), instance("04", guests=("ben", "cem")))
    assert ("CANCEL", "cem") in told(before, after)
    assert ("REQUEST", "cem") in told(before, after)
    cancel, request = [each for each in organizer.messages(before, after, ANA, NOW) if "cem" in each.recipient]
    called_off = cancelled(before, read(cancel))
    assert called_off is not None
    copy = invited(called_off, read(request), CEM)
    assert copy is not None
    assert copy.series is None
    assert [each.value("STATUS") for each in copy.entries] == [""]


def test_a_change_of_one_instance_tells_of_that_alone() -> None:
    before = item(series(), instance("04"), instance("05"))
    after = item(series(), instance("04"), [*instance("05"), "LOCATION:Upstairs"])
    [sent] = organizer.messages(before, after, ANA, NOW)
    assert [each.value("LOCATION") for each in read(sent).entries] == ["Upstairs"]
    assert read(sent).series is None
    made = invited(before, read(sent), BEN)
    assert made is not None
    assert [each.value("LOCATION") for each in made.entries] == ["", "", "Upstairs"]
    # An instance that is as the series again can only be told by the series.
    [sent] = organizer.messages(after, item(series(), instance("04")), ANA, NOW)
    assert len(read(sent).entries) == 2


def test_calling_an_event_off_by_its_status_cancels_it() -> None:
    assert told(item(series()), item(series("STATUS:CANCELLED"))) == [("CANCEL", "ben")]


def test_a_series_that_ends_sooner_asks_nobody_again() -> None:
    before = item([line.replace("NEEDS-ACTION", "ACCEPTED") for line in series()])
    after = item([line.replace("NEEDS-ACTION", "ACCEPTED").replace("COUNT=9", "COUNT=3") for line in series()])
    organizer.settle(before, after, ANA, keeps_answers=False)
    assert after.series is not None
    assert after.series.value("SEQUENCE") == "1"
    assert partstat(attendee_line(after.series, BEN)) == "ACCEPTED"
    assert told(before, after) == [("REQUEST", "ben")]


def test_an_older_message_does_not_undo_a_newer_one() -> None:
    copy = item(series("SEQUENCE:3"))
    assert invited(copy, item(series("SEQUENCE:2")), BEN) is None
    assert cancelled(copy, item(series("SEQUENCE:2", "STATUS:CANCELLED"))) is None


def test_instances_an_attendee_took_out_stay_out_until_the_time_changes() -> None:
    copy = item(series("EXDATE;TZID=Berlin-ish:20270304T090000"))
    renamed = invited(copy, item(series("LOCATION:Room 1")), BEN)
    assert renamed is not None
    assert renamed.series is not None
    assert renamed.left_out(renamed.series)
    moved = invited(copy, item([line.replace("T090000", "T080000") for line in series("SEQUENCE:1")]), BEN)
    assert moved is not None
    assert moved.series is not None
    assert not moved.left_out(moved.series)


def test_an_instance_of_the_attendees_own_follows_the_series() -> None:
    alarm = ("BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM")
    copy = item(series(), [*instance("04", *alarm), "X-MINE:yes"])
    change_attendee(copy.entries[1], BEN, PARTSTAT="TENTATIVE")
    news = item([*series(), "SEQUENCE:1", "LOCATION:Upstairs"])
    made = invited(copy, news, BEN)
    assert made is not None
    [own] = [each for each in made.entries if each.first("RECURRENCE-ID")]
    assert own.value("LOCATION") == "Upstairs"
    assert own.value("RECURRENCE-ID") == own.value("DTSTART") == "20270304T090000"
    assert own.value("X-MINE") == "yes"
    assert own.children[0].value("TRIGGER") == "-PT5M"
    assert partstat(attendee_line(own, BEN)) == "TENTATIVE"


def test_an_instance_that_the_organizer_changes_no_more_is_as_the_series_again() -> None:
    copy = item(series(), instance("04", "LOCATION:Elsewhere"), instance("05"))
    for entry in copy.entries[1:]:
        change_attendee(entry, BEN, PARTSTAT="DECLINED")
    made = invited(copy, item(series("SEQUENCE:1")), BEN)
    assert made is not None
    assert [each.value("RECURRENCE-ID") for each in made.entries] == ["", "20270305T090000"]


def test_an_instance_taken_out_is_an_answer() -> None:
    sent = attendee.reply(item(series()), item(series("EXDATE;TZID=Berlin-ish:20270304T090000")), BEN, NOW)
    [entry] = read(sent).entries
    assert entry.value("RECURRENCE-ID") == "20270304T090000"
    assert partstat(attendee_line(entry, BEN)) == "DECLINED"
    shown = answered(item(series()), read(sent))
    assert shown is not None
    assert [partstat(attendee_line(each, BEN)) for each in shown.entries] == ["NEEDS-ACTION", "DECLINED"]


def test_what_the_organizer_changed_is_put_back_when_a_client_loses_it() -> None:
    before = item(series(), instance("04", "LOCATION:Upstairs"))
    for lost in (item(series()), item(instance("04", "LOCATION:Upstairs"))):
        assert attendee.is_allowed(before, lost)
        attendee.restore(before, lost)
        assert lost.by_key == before.by_key
        assert attendee.reply(before, lost, BEN, NOW) is None
    taken_out = item(series("EXDATE;TZID=Berlin-ish:20270304T090000"))
    attendee.restore(before, taken_out)
    assert len(taken_out.entries) == 1
    assert not attendee.is_allowed(item(instance("04")), before)  # and nobody makes a series of what is none


def test_an_instance_of_ones_own_that_is_dropped_is_as_the_series_again() -> None:
    before, after = item(series(), instance("04")), item(series())
    change_attendee(before.entries[1], BEN, PARTSTAT="DECLINED")
    attendee.restore(before, after)
    assert len(after.entries) == 1
    [entry] = read(attendee.reply(before, after, BEN, NOW)).entries
    assert entry.value("RECURRENCE-ID") == "20270304T090000"
    assert partstat(attendee_line(entry, BEN)) == "NEEDS-ACTION"


def test_who_is_invited_to_single_instances_declines_those_they_drop() -> None:
    before, after = item(instance("04"), instance("05")), item(instance("05"))
    assert attendee.is_allowed(before, after)
    attendee.restore(before, after)
    [entry] = read(attendee.reply(before, after, BEN, NOW)).entries
    assert entry.value("RECURRENCE-ID") == "20270304T090000"
    assert partstat(attendee_line(entry, BEN)) == "DECLINED"


def test_an_instance_that_was_declined_and_thrown_away_does_not_come_back() -> None:
    sent = item(instance("04", "SUMMARY:New words"), instance("05", "SUMMARY:New words"))
    change_attendee(sent.entries[0], BEN, PARTSTAT="DECLINED")
    made = invited(item(instance("05")), sent, BEN)
    assert made is not None
    assert [each.value("RECURRENCE-ID") for each in made.entries] == ["20270305T090000"]
    change_attendee(sent.entries[1], BEN, PARTSTAT="DECLINED")
    assert invited(None, sent, BEN) is None


def test_what_is_called_off_has_a_higher_sequence() -> None:
    before, after = item(series(), instance("04")), item(series(), instance("04", "STATUS:CANCELLED"))
    organizer.settle(before, after, ANA, keeps_answers=False)
    assert [each.value("SEQUENCE") for each in after.entries] == ["", "1"]


def test_who_deletes_a_series_declines_the_instances_they_had_accepted_too() -> None:
    copy = item(series(), instance("04"))
    change_attendee(copy.entries[1], BEN, PARTSTAT="ACCEPTED")
    shown = answered(copy, read(attendee.reply(copy, None, BEN, NOW)))
    assert shown is not None
    assert [partstat(attendee_line(each, BEN)) for each in shown.entries] == ["DECLINED", "DECLINED"]


def test_everybody_is_written_once_and_in_one_way() -> None:
    made = item(series("ATTENDEE;CN=Ben;PARTSTAT=ACCEPTED:MAILTO:ben@example.com", "ATTENDEE:Mailto:Cem@example.com"))
    tidy_people(made)
    lines = [line.text() for line in made.entries[0].every("ATTENDEE")]
    assert lines == ["ATTENDEE;PARTSTAT=ACCEPTED:mailto:ben@example.com", "ATTENDEE:mailto:Cem@example.com"]


def test_an_answer_to_the_series_holds_for_what_others_answered_by_itself() -> None:
    both, moved = ("ben", "cem"), ("LOCATION:Elsewhere",)
    known = item(series(guests=both), instance("04", guests=both), instance("05", *moved, guests=both))
    change_attendee(known.entries[1], CEM, PARTSTAT="DECLINED")
    shown = answered(known, item([each.replace("NEEDS-ACTION", "ACCEPTED") for each in series()]))
    assert shown is not None
    answers = [partstat(attendee_line(each, BEN)) for each in shown.entries]
    assert answers == ["ACCEPTED", "ACCEPTED", "NEEDS-ACTION"]  # the last they have, and answer, by itself


def test_what_is_known_of_the_others_is_not_the_attendees_to_change() -> None:
    before = item(series(guests=("ben", "cem")))
    after = item(series("ATTENDEE;RSVP=TRUE;CN=Cem:mailto:cem@example.com"))
    change_attendee(before.entries[0], CEM, PARTSTAT="DECLINED")
    attendee.settle(before, after, BEN, None)
    assert attendee_line(after.entries[0], CEM) == attendee_line(before.entries[0], CEM)


def test_a_new_time_expects_an_answer_unless_the_organizer_wants_none() -> None:
    before = item(series(guests=("ben", "cem")))
    after = item([each.replace("T090000", "T080000") for each in series(guests=("ben", "cem"))])
    change_attendee(after.entries[0], CEM, RSVP="FALSE")
    organizer.settle(before, after, ANA, keeps_answers=False)
    lines = [attendee_line(after.entries[0], who) for who in (BEN, CEM)]
    assert [line.param("RSVP") for line in lines if line] == ["TRUE", "FALSE"]


def test_a_question_stays_open_when_a_client_forgets_that_it_was_asked() -> None:
    before, after = item(series()), item([*series(), "LOCATION:Upstairs"])
    change_attendee(before.entries[0], BEN, RSVP="TRUE")
    organizer.settle(before, after, ANA, keeps_answers=False)
    assert [line.param("RSVP") for line in after.entries[0].every("ATTENDEE")] == ["TRUE"]


def test_who_is_asked_again_sees_that_they_are() -> None:
    copy = item(series())
    change_attendee(copy.entries[0], BEN, PARTSTAT="ACCEPTED")
    made = invited(copy, item(series()), BEN)
    assert made is not None
    assert partstat(attendee_line(made.entries[0], BEN)) == "NEEDS-ACTION"


def test_nobody_answers_for_a_member() -> None:
    before, after = item(series(guests=("ben", "cem"))), item(series(guests=("ben", "cem")))
    change_attendee(before.entries[0], BEN, PARTSTAT="DECLINED")
    for who in (BEN, CEM):
        change_attendee(after.entries[0], who, PARTSTAT="ACCEPTED")
    organizer.settle(before, after, ANA, keeps_answers=False, members={"mailto:ben@example.com"})
    assert [partstat(attendee_line(after.entries[0], who)) for who in (BEN, CEM)] == ["DECLINED", "ACCEPTED"]
    change_attendee(after.entries[0], BEN, PARTSTAT="ACCEPTED")
    organizer.settle(None, after, ANA, keeps_answers=False, members={"mailto:ben@example.com"})
    assert partstat(attendee_line(after.entries[0], BEN)) == "NEEDS-ACTION"


def test_taking_out_what_is_cancelled_is_no_answer() -> None:
    called_off = series("STATUS:CANCELLED")
    after = item([*called_off, "EXDATE;TZID=Berlin-ish:20270304T090000"])
    assert attendee.reply(item(called_off), after, BEN, NOW) is None


def test_whom_the_organizer_asks_again_has_not_answered() -> None:
    before, after = item(series()), item(series())
    change_attendee(before.entries[0], BEN, PARTSTAT="ACCEPTED")
    organizer.settle(before, after, ANA, keeps_answers=True)
    assert partstat(attendee_line(after.entries[0], BEN)) == "ACCEPTED"
    after = item(series())
    change_attendee(after.entries[0], BEN, SCHEDULE_FORCE_SEND="REQUEST")
    organizer.settle(before, after, ANA, keeps_answers=True)
    assert partstat(attendee_line(after.entries[0], BEN)) == "NEEDS-ACTION"


def test_who_is_not_invited_cannot_answer() -> None:
    theirs = item([line.replace("ben", "cem").replace("NEEDS-ACTION", "ACCEPTED") for line in series()])
    assert answered(item(series()), theirs) is None


def test_answers_are_sent_only_by_the_server_that_is_asked_to() -> None:
    by_client = [line.replace("ORGANIZER:", "ORGANIZER;SCHEDULE-AGENT=CLIENT:") for line in series()]
    assert attendee.reply(item(by_client), None, BEN, NOW) is None
    forced = [line.replace("ORGANIZER:", "ORGANIZER;SCHEDULE-FORCE-SEND=REPLY:") for line in series()]
    assert attendee.reply(item(forced), item(forced), BEN, NOW) is not None


days = st.lists(st.integers(2, 10).map(lambda day: f"{day:02}"), max_size=4, unique=True)


@given(days, days, days, st.booleans())
def test_whatever_the_organizer_does_the_copy_shows_what_one_is_invited_to(
    out: list[str], changed: list[str], without: list[str], starts_invited: bool
) -> None:
    def exdates(listed: list[str]) -> list[str]:
        return [f"EXDATE;TZID=Berlin-ish:202703{day}T090000" for day in listed]

    before = item(series(guests=("ben",) if starts_invited else ("cem",)))
    kept = [day for day in changed if day not in out]
    entries = [instance(day, "LOCATION:Elsewhere", guests=() if day in without else ("ben",)) for day in kept]
    after = item(series(*exdates(out)), *entries)
    copy = SchedulingObject.read(before.text()) if starts_invited else None
    for sent in organizer.messages(before, after, ANA, NOW):
        if "ben" in sent.recipient:
            made = cancelled(copy, read(sent)) if sent.method == "CANCEL" and copy else invited(copy, read(sent), BEN)
            copy = made or copy
    assert copy is not None
    assert copy.series is not None
    expected = {f"202703{day}T080000Z" for day in [*out, *(day for day in kept if day in without)]}
    assert copy.left_out(copy.series).keys() == expected
    assert copy.by_key.keys() - {""} == {f"202703{day}T080000Z" for day in kept if day not in without}

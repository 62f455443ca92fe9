"""What devices do to bookings in `schedule/`, as iOS, DAVx5 and Thunderbird send it, and what follows."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.ports.published import DavPerson
from app.use_cases import follow_removal
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.follow_edit import answer_edit
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.dav_server import Person, condition
from tests.support.devices import (
    GRACE,
    NINE,
    TEN,
    audit,
    href,
    kept,
    mails,
    moved,
    posted,
    put,
    read,
    rows,
    stamp,
    stored,
    with_line,
    work,
)
from tests.switches import examples


def test_moving_the_event_moves_the_booking_and_says_who_did(ana: Person) -> None:
    booking = ana.book(NINE)
    before = read(ana, booking)
    answer = put(ana, booking, moved(before.text, TEN), If_Match=before.headers["ETag"])
    assert answer.status_code == 204
    assert "ETag" not in answer.headers  # the text is the program's own: the client reads it back
    after = stored(ana, booking)
    assert (after.start, after.end, after.sequence) == (TEN, TEN + 1800, 1)
    assert audit(ana, booking)[-1] == ("booking.rescheduled", "device", "Phone")
    assert f"DTSTART:{stamp(TEN)}" in read(ana, booking).text
    assert read(ana, booking).headers["ETag"] != before.headers["ETag"]


def test_recipient_and_host_hear_of_a_move_exactly_once(ana: Person) -> None:
    booking = ana.book(NINE)
    work(ana)
    text = moved(read(ana, booking).text, TEN)
    assert put(ana, booking, text).status_code == 204
    assert put(ana, booking, text).status_code == 204  # a client that did not hear the answer
    work(ana)
    work(ana, 600)
    assert stored(ana, booking).sequence == 1
    casey, host = "casey@example.org", ana.user.email
    assert posted(ana, booking) == [
        (casey, "Confirmed"), (casey, "New time"), (host, "New booking"), (host, "New time"),
    ]  # fmt: skip
    assert mails(ana, booking) == [
        ("casey@example.org", "confirmed", 1),
        (ana.user.email, "confirmed", 1),
    ]
    assert [action for action, _, _ in audit(ana, booking)].count("booking.rescheduled") == 1


def test_wall_times_of_the_owners_zone_move_right_over_a_change_of_clocks(ana: Person) -> None:
    berlin = ana.server.person(timezone="Europe/Berlin")
    booking = berlin.book(at("2027-03-27 09:00", "Europe/Berlin"))
    text = read(berlin, booking).text
    assert "DTSTART;TZID=Europe/Berlin:20270327T090000" in text
    assert put(berlin, booking, text.replace(":20270327T09", ":20270329T09")).status_code == 204
    assert stored(berlin, booking).start == at("2027-03-29 09:00", "Europe/Berlin") == booking.start + 47 * 3600
    floating = re.sub(r"(DTSTART|DTEND);TZID=[^:]*", r"\1", read(berlin, booking).text).replace("T09", "T14")
    assert put(berlin, booking, floating).status_code == 204
    assert stored(berlin, booking).start == at("2027-03-29 14:00", "Europe/Berlin")


def test_what_the_rules_refuse_stands_and_is_read_again(ana: Person) -> None:
    """Here: a length that the link does not offer."""
    booking = ana.book(NINE)
    before, token = read(ana, booking), ana.sync(collection=ana.schedule).sync_token
    refused = put(ana, booking, moved(before.text, TEN, 45), If_Match=before.headers["ETag"])
    assert (refused.status_code, condition(refused)) == (409, "C:allowed-organizer-scheduling-object-change")
    assert "does not offer this length" in refused.text
    assert stored(ana, booking) == booking
    after = read(ana, booking)
    assert after.headers["ETag"] != before.headers["ETag"]
    assert ana.sync(token, ana.schedule).hrefs == [href(ana, booking)]
    again = put(ana, booking, moved(after.text, TEN, 45), If_Match=after.headers["ETag"])
    assert again.status_code == 409
    assert len({before.headers["ETag"], after.headers["ETag"], read(ana, booking).headers["ETag"]}) == 3
    assert [(row["device"], row["reason"]) for row in kept(ana)][:1] == [
        ("Phone", "The link does not offer this length.")
    ]


def test_the_guard_refuses_what_is_taken(ana: Person) -> None:
    first, second = ana.book(NINE), ana.book(TEN)
    refused = put(ana, second, moved(read(ana, second).text, NINE + 900))
    assert refused.status_code == 409
    assert (stored(ana, first).start, stored(ana, second).start) == (NINE, TEN)
    work(ana)
    assert all(sequence == 0 for _, _, sequence in mails(ana, second))  # nobody heard of what did not happen


def test_two_devices_that_move_at_once_do_not_both_win(ana: Person) -> None:
    booking = ana.book(NINE)
    before = read(ana, booking)

    async def race() -> list[int]:
        starts = [TEN + number * 3600 for number in range(5)]
        tries = [
            asyncio.to_thread(put, ana, booking, moved(before.text, start), If_Match=before.headers["ETag"])
            for start in starts
        ]
        return sorted(response.status_code for response in await asyncio.gather(*tries))

    assert asyncio.run(race()) == [204] + [412] * 4
    assert stored(ana, booking).sequence == 1
    assert len(kept(ana)) == 4


def repeated(text: str) -> str:
    return with_line(text, "RRULE:FREQ=WEEKLY")


def overridden(text: str) -> str:
    begin, end = text.index("BEGIN:VEVENT"), text.index("END:VCALENDAR")
    other = text[begin:end].replace("SEQUENCE", f"RECURRENCE-ID:{stamp(NINE)}\r\nSEQUENCE")
    return text[:end] + other + text[end:]


def all_day(text: str) -> str:
    text = re.sub(r"DTSTART[^\r]*", "DTSTART;VALUE=DATE:20270302", text)
    return re.sub(r"DTEND[^\r]*", "DTEND;VALUE=DATE:20270303", text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (repeated, "does not repeat"),
        (overridden, "does not repeat"),
        (all_day, "time of day"),
        (lambda text: with_line(text, "ATTENDEE:mailto:someone@example.net"), "Nobody can be invited"),
        (lambda text: text.replace("STATUS:CONFIRMED", "STATUS:CANCELLED"), "delete its event"),
        (lambda text: with_line(text, "LOCATION:Elsewhere"), "place of a booking"),
        (lambda text: moved(text, NINE, 0), "begin and an end"),
        (lambda text: moved(text, NINE + 30), "whole minute"),
        (lambda text: moved(text, at("2027-02-01 09:00")), "not offered"),
        (lambda text: with_line(text, "X-LARGE:" + "x" * 200_000), "may have"),
    ],
)
def test_what_no_booking_can_be_is_refused_in_clear_words(
    ana: Person, change: Callable[[str], str], words: str
) -> None:
    booking = ana.book(NINE)
    refused = put(ana, booking, change(read(ana, booking).text))
    assert (refused.status_code, words in refused.text) == (409, True), refused.text
    assert stored(ana, booking) == booking
    assert len(kept(ana)) == 1


def test_a_changed_uid_is_refused_by_its_precondition(ana: Person) -> None:
    booking = ana.book(NINE)
    text = read(ana, booking).text
    refused = put(ana, booking, text.replace(f"UID:{booking.uid}", "UID:other"))
    assert (refused.status_code, condition(refused)) == (403, "C:no-uid-conflict")
    elsewhere = ana.request("PUT", ana.schedule + "other.ics", text, Content_Type="text/calendar")
    assert (elsewhere.status_code, condition(elsewhere)) == (403, "C:no-uid-conflict")


def test_words_and_alarms_are_kept_for_the_person_alone_and_outlive_changes(ana: Person) -> None:
    booking = ana.book(NINE)
    before = read(ana, booking)
    mine = with_line(
        before.text.replace("TRANSP:OPAQUE", "TRANSP:TRANSPARENT").replace("TRIGGER:-PT15M", "TRIGGER:-PT1H"),
        "CATEGORIES:Important",
        "COLOR:red",
        "X-MOZ-LASTACK:20270301T080000Z",
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR;ACKNOWLEDGED=20270301T080000Z:AUTOMATIC",
    )
    mine = re.sub(
        r"(DESCRIPTION:Casey[^\r]*(?:\r\n [^\r]*)*)", r"\1\\n\\nBring the red folder\\, please", mine, count=1
    )
    mine = mine.replace("SUMMARY:Intro", "SUMMARY:VIP: Intro", 1)
    assert put(ana, booking, mine, If_Match=before.headers["ETag"]).status_code == 204
    assert stored(ana, booking) == booking  # no version, no sequence, nobody told
    assert audit(ana, booking)[-1] == ("booking.annotated", "device", "Phone")
    assert put(ana, booking, moved(read(ana, booking).text, TEN)).status_code == 204
    text = re.sub(r"\r\n ", "", read(ana, booking).text)
    for line in (
        "TRANSP:TRANSPARENT", "TRIGGER:-PT1H", "CATEGORIES:Important", "COLOR:red", "X-MOZ-LASTACK:20270301T080000Z",
        "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR;ACKNOWLEDGED=20270301T080000Z:AUTOMATIC", "SUMMARY:VIP: Intro",
    ):  # fmt: skip
        assert line in text, line
    assert "TRIGGER:-PT15M" not in text
    assert text.count("Bring the red folder\\, please") == 1
    assert text.count("Open this booking") == 1
    assert f"DTSTART:{stamp(TEN)}" in text
    plain = read(ana, booking).text.replace("CATEGORIES:Important\r\n", "")
    assert put(ana, booking, plain).status_code == 204
    assert "CATEGORIES" not in read(ana, booking).text


def test_a_whole_object_put_back_unchanged_changes_nothing(ana: Person) -> None:
    booking = ana.book(NINE)
    before = read(ana, booking)
    assert put(ana, booking, before.text, If_Match=before.headers["ETag"]).status_code == 204
    assert read(ana, booking).headers["ETag"] == before.headers["ETag"]
    assert len(audit(ana, booking)) == 1
    assert not kept(ana)


def test_a_schedule_tag_lets_words_change_under_a_device_but_not_the_booking(ana: Person) -> None:
    booking = ana.book(NINE)
    before = read(ana, booking)
    tag = before.headers["Schedule-Tag"]
    assert put(ana, booking, with_line(before.text, "COLOR:red"), If_Schedule_Tag_Match=tag).status_code == 204
    noted = read(ana, booking)
    assert (noted.headers["Schedule-Tag"], noted.headers["ETag"] == before.headers["ETag"]) == (tag, False)
    assert put(ana, booking, moved(before.text, TEN), If_Schedule_Tag_Match=tag).status_code == 204
    stale = put(ana, booking, moved(before.text, TEN + 3600), If_Schedule_Tag_Match=tag)
    assert stale.status_code == 412
    assert stored(ana, booking).start == TEN


# deleting


def test_a_deleted_event_cancels_after_a_grace_time(ana: Person) -> None:
    booking = ana.book(NINE)
    work(ana)
    token = ana.sync(collection=ana.schedule).sync_token
    assert ana.request("DELETE", href(ana, booking)).status_code == 204  # without If-Match, as iOS does
    assert ana.request("GET", href(ana, booking)).status_code == 404
    assert "404" in str(ana.sync(token, ana.schedule).status(href(ana, booking)))
    work(ana, 60)
    assert stored(ana, booking).status == "confirmed"
    work(ana, GRACE)
    found = stored(ana, booking)
    assert (found.status, found.cancel_reason) == ("cancelled", "It was removed from the host's calendar.")
    assert [entry for entry in audit(ana, booking) if entry[1] == "device"] == [
        ("booking.event_deleted", "device", "Phone"),
        ("booking.cancel", "device", "Phone"),
    ]
    work(ana, 600)
    assert mails(ana, booking) == [("casey@example.org", "cancelled", 1), (ana.user.email, "cancelled", 1)]


def test_an_event_that_comes_back_was_not_meant_to_go(ana: Person) -> None:
    booking = ana.book(NINE)
    text = read(ana, booking).text
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    assert put(ana, booking, with_line(text, "COLOR:red"), If_None_Match="*").status_code == 201
    work(ana, GRACE)
    assert stored(ana, booking).status == "confirmed"
    assert "COLOR:red" in read(ana, booking).text
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    named = ana.request("PUT", ana.schedule + "own-name.ics", text, Content_Type="text/calendar")
    assert named.status_code == 201
    work(ana, GRACE)
    assert stored(ana, booking).status == "confirmed"
    assert put(ana, booking, text).status_code == 403  # it has one name at a time
    assert f"UID:{booking.uid}" in ana.request("GET", ana.schedule + "own-name.ics").text


@pytest.mark.parametrize("first", ["PUT", "DELETE"])
def test_an_event_that_moves_to_another_calendar_cancels_nothing(ana: Person, first: str) -> None:
    """As iOS does it, by PUT there and DELETE here."""
    booking = ana.book(NINE)
    text = read(ana, booking).text
    if first == "PUT":
        assert ana.put("moved.ics", text).status_code == 201
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    if first == "DELETE":
        assert ana.put("moved.ics", text).status_code == 201
    work(ana, GRACE)
    assert stored(ana, booking).status == "confirmed"
    assert read(ana, booking).status_code == 200  # and it stays in the schedule
    busy = m.busy_intervals.c
    blocked = rows(ana, select(m.busy_intervals).where(busy.calendar_id == ana.calendar().id))
    assert blocked == []  # the booking blocks by itself


def test_a_device_that_deletes_everything_cancels_nothing_unasked(ana: Person) -> None:
    bookings = [ana.book(NINE + number * 3600) for number in range(4)]
    for booking in bookings:
        assert ana.request("DELETE", href(ana, booking)).status_code == 204
    work(ana, GRACE)
    work(ana, 600)
    assert {stored(ana, booking).status for booking in bookings} == {"confirmed"}
    edits = m.calendar_edits.c
    asked = rows(ana, select(m.calendar_edits).where(edits.user_id == ana.user.id, edits.is_asked))
    assert {row["booking_id"] for row in asked} == {booking.id for booking in bookings}
    calendar_id = ana.calendar("schedule").id
    ports, user_id = ana.server.workspace.ports, ana.user.id
    ana.server.run(answer_edit(ports, user_id, bookings[0].id, calendar_id, accept=True))
    ana.server.run(answer_edit(ports, user_id, bookings[1].id, calendar_id, accept=False))
    assert [stored(ana, booking).status for booking in bookings[:2]] == ["cancelled", "confirmed"]
    assert read(ana, bookings[1]).status_code == 200
    assert ana.request("GET", href(ana, bookings[0])).status_code == 404


def test_a_booking_that_changes_meanwhile_is_not_cancelled(ana: Person) -> None:
    booking = ana.book(NINE)
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    ports = ana.server.workspace.ports
    ana.server.run(reschedule_booking(ports, booking.id, Move(TEN), Actor("recipient", booking.id)))
    work(ana, GRACE)
    assert stored(ana, booking).status == "confirmed"
    assert read(ana, booking).status_code == 200


def test_what_is_under_way_is_not_deleted_and_what_is_over_is_tidied_up(ana: Person) -> None:
    booking = ana.book(NINE)
    ana.server.run(ana.server.workspace.set(m.bookings, m.bookings.c.id == booking.id, status="in_progress"))
    before = read(ana, booking).headers["ETag"]
    assert ana.request("DELETE", href(ana, booking)).status_code == 409
    assert read(ana, booking).headers["ETag"] != before
    ana.server.run(ana.server.workspace.set(m.bookings, m.bookings.c.id == booking.id, status="completed"))
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    work(ana, GRACE)
    assert stored(ana, booking).status == "completed"


def test_conditions_guard_deletions(ana: Person) -> None:
    booking = ana.book(NINE)
    assert ana.request("DELETE", href(ana, booking), If_Match='"old"').status_code == 412
    assert ana.request("DELETE", ana.schedule + "nothing.ics").status_code == 404
    assert ana.request("DELETE", ana.schedule + "nothing.ics", If_Match='"old"').status_code == 412
    assert [(row["name"], row["data"]) for row in kept(ana)] == [(f"{booking.id}.ics", "")]


def test_an_event_of_a_booking_that_is_off_cannot_be_put_back(ana: Person) -> None:
    booking = ana.book(NINE)
    text = moved(read(ana, booking).text, TEN)
    ana.server.run(take_step(ana.server.workspace.ports, booking.id, "cancel", Actor("recipient", booking.id)))
    assert put(ana, booking, text, If_Match='"old"').status_code == 412
    refused = put(ana, booking, text)
    assert (refused.status_code, "cancelled" in refused.text) == (409, True)
    assert stored(ana, booking).status == "cancelled"
    assert len(kept(ana)) == 1  # the same text, asked for twice


# other people


def noted(ana: Person) -> Booking:
    """A booking on which its host noted something."""
    booking = ana.book(NINE)
    text = with_line(read(ana, booking).text.replace("TRANSP:OPAQUE", "TRANSP:TRANSPARENT"), "COMMENT:Bad temper")
    assert put(ana, booking, text).status_code == 204
    return booking


def helped_by(ana: Person, access: Literal["read", "write"]) -> Person:
    """Somebody whom Ana lets into her calendars."""
    helper, user = ana.server.person(), ana.user
    person = DavPerson(user.id, user.org_id, user.handle, user.email, user.name, user.timezone)

    async def let_in() -> None:
        async with ana.server.workspace.ports.unit_of_work() as work:
            await work.calendars.delegate(person, access, [helper.user.handle])
            await work.commit()

    ana.server.run(let_in())
    return helper


@pytest.mark.parametrize("access", ["read", "write"])
def test_others_never_see_what_a_person_noted(ana: Person, access: Literal["read", "write"]) -> None:
    booking, helper = noted(ana), helped_by(ana, access)
    at_path = href(ana, booking)
    multiget = (
        "<C:calendar-multiget><D:prop><D:getetag/><C:calendar-data/></D:prop>"
        f"<D:href>{at_path}</D:href></C:calendar-multiget>"
    )
    query = (
        "<C:calendar-query><D:prop><C:calendar-data/></D:prop><C:filter><C:comp-filter name='VCALENDAR'>"
        "<C:comp-filter name='VEVENT'/></C:comp-filter></C:filter></C:calendar-query>"
    )

    def seen_by(person: Person) -> list[str]:
        return [
            person.request("GET", at_path).text,
            person.dav("REPORT", ana.schedule, multiget).response.text,
            person.dav("REPORT", ana.schedule, query, depth="1").response.text,
            person.sync(collection=ana.schedule, props="<C:calendar-data/>").response.text,
        ]

    for mine, theirs in zip(seen_by(ana), seen_by(helper), strict=True):
        assert "Bad temper" in mine
        assert "Bad temper" not in theirs
        assert booking.uid in theirs
        assert "TRANSP:OPAQUE" in theirs
    ana.server.run(reschedule_booking(ana.server.workspace.ports, booking.id, Move(TEN), Actor("user", ana.user.id)))
    assert f"DTSTART:{stamp(TEN)}" in helper.request("GET", at_path).text
    assert "Bad temper" not in helper.request("GET", at_path).text
    plain = with_line(read(ana, booking).text.replace("COMMENT:Bad temper\r\n", ""), "COLOR:red")
    assert put(ana, booking, plain).status_code == 204
    assert "COLOR:red" not in helper.request("GET", at_path).text


def test_an_assistant_moves_bookings_and_leaves_the_notes_alone(ana: Person) -> None:
    booking, helper = noted(ana), helped_by(ana, "write")
    text = helper.request("GET", href(ana, booking)).text
    answer = helper.request("PUT", href(ana, booking), moved(text, TEN), Content_Type="text/calendar")
    assert answer.status_code == 204
    assert stored(ana, booking).start == TEN
    assert "COMMENT:Bad temper" in read(ana, booking).text
    entries = m.audit_entries.c
    where = (entries.action == "booking.rescheduled", entries.entity_id == booking.id)
    (entry,) = rows(ana, select(m.audit_entries).where(*where))
    assert entry["changes"]["by"] == helper.user.id


def test_a_reader_changes_nothing(ana: Person) -> None:
    booking, helper = ana.book(NINE), helped_by(ana, "read")
    text = helper.request("GET", href(ana, booking)).text
    refused = helper.request("PUT", href(ana, booking), moved(text, TEN), Content_Type="text/calendar")
    assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    assert helper.request("DELETE", href(ana, booking)).status_code == 403
    assert stored(ana, booking) == booking
    assert not kept(helper)


def test_while_a_calendar_cannot_be_read_the_device_is_to_come_back_later(ana: Person) -> None:
    """What cannot be judged is not taken as free, and is no loss either: devices send it again."""
    booking = ana.book(NINE)
    ana.server.run(ana.server.workspace.connected_calendar(ana.user, synced_at=None))
    answer = put(ana, booking, moved(read(ana, booking).text, TEN))
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert stored(ana, booking) == booking
    assert not kept(ana)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cut=st.integers(0, 40),
    times=st.integers(0, 3),
    line=st.sampled_from(
        ["", "DTSTART:99999999T999999Z", "RRULE:FREQ=SECONDLY", "DTEND:00010101T000000", "BEGIN:VALARM", "ATTENDEE:",
         "DURATION:P9999999W", "SUMMARY;X=\"", "X-HALFPAST-NO-ALARMS:TRUE", "LOCATION:\\\\\\", "UID:", "\u2028:é"]
    ),
)  # fmt: skip
def test_hostile_events_are_refused_or_taken_but_never_break_anything(
    lite: Person, cut: int, times: int, line: str
) -> None:
    booking = lite.book(NINE)
    lines = read(lite, booking).text.split("\r\n")
    at_line = cut % len(lines)
    text = "\r\n".join([*lines[:at_line], *[line] * times, *lines[at_line + 1 :]])
    assert put(lite, booking, text).status_code in {204, 403, 409}
    ports = lite.server.workspace.ports
    lite.server.run(take_step(ports, booking.id, "cancel", Actor("recipient", booking.id)))


def test_an_event_that_is_put_back_at_the_last_moment_keeps_its_booking(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here: while it is looked for in the person's other calendars, just before the booking is cancelled."""
    booking = ana.book(NINE)
    text = read(ana, booking).text
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    look_elsewhere = follow_removal._elsewhere

    async def meanwhile(ports: Any, removal: Any) -> Any:
        assert (await asyncio.to_thread(put, ana, booking, text)).status_code == 201
        return await look_elsewhere(ports, removal)

    monkeypatch.setattr(follow_removal, "_elsewhere", meanwhile)
    work(ana, GRACE)
    monkeypatch.undo()
    work(ana, 600)
    assert stored(ana, booking).status == "confirmed"
    assert read(ana, booking).status_code == 200
    assert ("booking.event_restored", "device", "Phone") in audit(ana, booking)
    assert "cancelled" not in {status for _, status, _ in mails(ana, booking)}

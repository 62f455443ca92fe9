"""Inviting people from a calendar app: implicit scheduling (RFC 6638) among members of the organization."""

import re

from tests.caldav.invitations import (
    EVENT,
    TUESDAY,
    Table,
    address,
    answer,
    attendee,
    event,
    free,
    invitation,
    members,
    methods,
    only,
    organizer,
    people_lines,
)
from tests.support.clock import at
from tests.support.dav_server import DavServer, condition
from tests.support.ical import calendar, ics


def test_who_is_invited_has_the_event_and_a_message_and_is_busy(table: Table) -> None:
    ana, ben = table.ana, table.ben
    assert at("2027-03-02 09:00") in free(ben)
    created = ana.put("a.ics", invitation("plan", ana, ben, lines=("BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM")))
    assert created.status_code == 201
    assert "ETag" not in created.headers  # the server wrote into the text
    assert created.headers["Schedule-Tag"]
    _, copy = only(ben)
    assert event(copy).value("SUMMARY") == "Planning"
    assert "METHOD" not in copy
    assert "VALARM" not in copy  # alarms are everybody's own
    assert "SCHEDULE-STATUS" not in copy
    assert methods(ben) == ["REQUEST"]
    assert at("2027-03-02 09:00") not in free(ben)
    mine = ana.request("GET", ana.personal + "a.ics")
    assert attendee(mine.text, ben).param("SCHEDULE-STATUS") == "1.2"
    assert mine.headers["Schedule-Tag"] == created.headers["Schedule-Tag"]


def test_an_answer_reaches_the_organizer_and_the_others(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    tag = ana.put("a.ics", invitation("plan", ana, ben, cem)).headers["Schedule-Tag"]
    bens = ben.request("GET", only(ben)[0]).headers["Schedule-Tag"]
    answered = answer(ben, "ACCEPTED", If_Schedule_Tag_Match=bens)
    assert answered.status_code == 204
    assert answered.headers["Schedule-Tag"] == bens
    mine = ana.request("GET", ana.personal + "a.ics")
    assert attendee(mine.text, ben).param("PARTSTAT") == "ACCEPTED"
    assert attendee(mine.text, ben).param("SCHEDULE-STATUS") == "2.0"
    assert mine.headers["Schedule-Tag"] == tag  # an answer is no change to the event (§3.2.10)
    assert methods(ana) == ["REPLY"]
    assert attendee(only(cem)[1], ben).param("PARTSTAT") == "ACCEPTED"
    assert methods(cem) == ["REQUEST"]
    assert organizer(only(ben)[1]).param("SCHEDULE-STATUS") == "1.2"  # delivered (§3.2.9)
    assert attendee(mine.text, ben).param("RSVP") is None  # nobody waits for it any more
    assert attendee(only(cem)[1], ben).param("RSVP") is None
    # What became of the answer is still known after further news, and when a client forgets it.
    assert ana.put("a.ics", mine.text.replace("Planning", "Budget")).status_code == 204
    href, text = only(ben)
    assert organizer(text).param("SCHEDULE-STATUS") == "1.2"
    assert ben.request("PUT", href, text.replace("SCHEDULE-STATUS=1.2", "X-A=b")).status_code == 204
    assert organizer(only(ben)[1]).param("SCHEDULE-STATUS") == "1.2"


def test_declining_and_deleting_free_the_time_and_tell_the_organizer(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben, cem))
    answer(ben, "DECLINED")
    assert at("2027-03-02 09:00") in free(ben)
    assert cem.request("DELETE", only(cem)[0]).status_code == 204
    text = ana.request("GET", ana.personal + "a.ics").text
    assert [attendee(text, each).param("PARTSTAT") for each in (ben, cem)] == ["DECLINED", "DECLINED"]


def test_a_deletion_without_reply_tells_nobody(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    ben.request("DELETE", only(ben)[0], Schedule_Reply="F")
    assert methods(ana) == []
    assert attendee(ana.request("GET", ana.personal + "a.ics").text, ben).param("PARTSTAT") == "NEEDS-ACTION"


def test_a_new_time_asks_again_and_keeps_what_is_the_attendees_own(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    href, text = only(ben)
    alarm = "X-MINE:yes\r\nBEGIN:VALARM\r\nTRIGGER:-PT7M\r\nACTION:AUDIO\r\nEND:VALARM\r\nEND:VEVENT"
    ben.request("PUT", href, text.replace("NEEDS-ACTION", "ACCEPTED").replace("END:VEVENT", alarm))
    later = invitation("plan", ana, ben, start="DTSTART:20270302T140000Z")
    assert ana.put("a.ics", later).status_code == 204
    mine, copy = ana.request("GET", ana.personal + "a.ics").text, only(ben)[1]
    assert event(mine).value("SEQUENCE") == "1"
    assert attendee(mine, ben).param("PARTSTAT") == attendee(copy, ben).param("PARTSTAT") == "NEEDS-ACTION"
    assert attendee(mine, ben).param("RSVP") == attendee(copy, ben).param("RSVP") == "TRUE"
    assert event(copy).value("DTSTART") == "20270302T140000Z"
    assert event(copy).children[0].value("TRIGGER") == "-PT7M"
    assert event(copy).value("X-MINE") == "yes"
    assert only(ben)[0] == href
    assert at("2027-03-02 09:00") in free(ben)
    assert at("2027-03-02 14:00") not in free(ben)


def test_the_same_time_in_other_words_is_the_same_time(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben, lines=("RRULE:FREQ=DAILY;COUNT=3;WKST=MO",)))
    href, text = only(ben)
    rewritten = text.replace(
        "DURATION:PT1H", "DTEND;TZID=Africa/Abidjan:20270302T100000"
    )  # as iOS does; on UTC all year
    assert ben.request("PUT", href, rewritten.replace("NEEDS-ACTION", "ACCEPTED")).status_code == 204
    mine = ana.request("GET", ana.personal + "a.ics").text
    assert attendee(mine, ben).param("PARTSTAT") == "ACCEPTED"
    assert ana.put("a.ics", mine.replace("DURATION:PT1H", "DTEND:20270302T100000Z")).status_code == 204
    mine = ana.request("GET", ana.personal + "a.ics").text
    assert attendee(mine, ben).param("PARTSTAT") == "ACCEPTED"
    assert not event(mine).value("SEQUENCE")
    assert methods(ben) == ["REQUEST"]


def test_new_words_ask_nobody_again(table: Table) -> None:
    ana, ben = table.ana, table.ben
    first = ana.put("a.ics", invitation("plan", ana, ben)).headers["Schedule-Tag"]
    answer(ben, "TENTATIVE")
    stale = invitation("plan", ana, ben).replace("Planning", "Budget")
    assert ana.put("a.ics", stale, If_Schedule_Tag_Match=first).status_code == 204
    assert event(only(ben)[1]).value("SUMMARY") == "Budget"
    assert attendee(only(ben)[1], ben).param("PARTSTAT") == "TENTATIVE"
    mine = ana.request("GET", ana.personal + "a.ics").text
    assert attendee(mine, ben).param("PARTSTAT") == "TENTATIVE"  # the client had not seen it, and took nothing back
    assert ana.put("a.ics", stale, If_Schedule_Tag_Match=first).status_code == 412


def test_news_from_a_program_that_counts_anew_arrive(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben, lines=("SEQUENCE:7",)))
    assert ana.put("a.ics", invitation("plan", ana, ben).replace("Planning", "Budget")).status_code == 204
    assert event(only(ben)[1]).value("SUMMARY") == "Budget"
    assert event(ana.request("GET", ana.personal + "a.ics").text).value("SEQUENCE") == "7"


def test_who_is_taken_off_and_whose_event_goes_see_it_cancelled(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben, cem))
    ana.put("a.ics", invitation("plan", ana, ben))
    assert event(only(cem)[1]).value("STATUS") == "CANCELLED"
    assert methods(cem) == ["REQUEST", "CANCEL"]
    assert at("2027-03-02 09:00") in free(cem)
    ana.request("DELETE", ana.personal + "a.ics")
    assert event(only(ben)[1]).value("STATUS") == "CANCELLED"
    assert ben.request("DELETE", only(ben)[0]).status_code == 204
    assert methods(ana) == []  # there is nobody to answer to


def test_who_has_an_event_no_more_hears_nothing_of_its_end(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben))
    cem.put("forged.ics", invitation("plan", cem, ben))
    ben.request("DELETE", only(ben)[0])
    mine = ana.request("GET", ana.personal + "a.ics").text
    assert ana.put("a.ics", mine.replace("Planning", "Budget")).status_code == 204  # Ben has refused it
    cem.request("DELETE", cem.personal + "forged.ics")
    ana.request("DELETE", ana.personal + "a.ics")
    assert methods(ben) == ["REQUEST"]


SERIES = ("RRULE:FREQ=DAILY;COUNT=5", "X-SERIES:1")


def test_one_instance_can_be_cancelled_refused_and_given_to_one_person_alone(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben, lines=SERIES))
    # Ben refuses the second instance: an entry of its own shows it.
    href, text = only(ben)
    refused = [*people_lines(ana), f"ATTENDEE;CN={ben.user.name};PARTSTAT=DECLINED:{address(ben)}"]
    instance = calendar(["UID:plan", "RECURRENCE-ID:20270303T090000Z", "DTSTART:20270303T090000Z", *EVENT, *refused])
    second = re.findall(r"BEGIN:VEVENT.*END:VEVENT\r\n", instance, re.DOTALL)[0]
    put = ben.request("PUT", href, text.replace("END:VCALENDAR", f"{second}END:VCALENDAR"))
    assert put.status_code == 204, put.text
    mine = ana.request("GET", ana.personal + "a.ics").text
    assert attendee(mine, ben).param("PARTSTAT") == "NEEDS-ACTION"
    assert event(mine, 1).value("RECURRENCE-ID") == "20270303T090000Z"
    assert attendee(mine, ben, 1).param("PARTSTAT") == "DECLINED"
    # Ana takes out the third, and invites Cem to the fourth alone.
    fourth = [*people_lines(ana, ben, cem)]
    extra = calendar(["UID:plan", "RECURRENCE-ID:20270305T090000Z", "DTSTART:20270305T090000Z", *EVENT, *fourth])
    extra = re.findall(r"BEGIN:VEVENT.*END:VEVENT\r\n", extra, re.DOTALL)[0]
    changed = mine.replace("RRULE:", "EXDATE:20270304T090000Z\r\nRRULE:").replace(
        "END:VCALENDAR", f"{extra}END:VCALENDAR"
    )
    assert ana.put("a.ics", changed).status_code == 204
    cems = only(cem)[1]
    assert event(cems).value("RECURRENCE-ID") == "20270305T090000Z"
    assert "RRULE" not in cems
    bens = only(ben)[1]
    assert "EXDATE:20270304T090000Z" in bens
    assert methods(ben) == ["REQUEST", "CANCEL", "REQUEST"]
    # Taking out one more is a cancellation of just that.
    mine = ana.request("GET", ana.personal + "a.ics").text
    ana.put("a.ics", mine.replace("EXDATE:20270304T090000Z", "EXDATE:20270304T090000Z,20270306T090000Z"))
    assert methods(ben) == ["REQUEST", "CANCEL", "REQUEST", "CANCEL", "REQUEST"]
    assert "20270306T090000Z" in only(ben)[1]


def test_an_instance_that_a_client_loses_is_put_back(table: Table) -> None:
    """§3.2.2.1: what the organizer changed is not the attendee's to change, and nobody refused it."""
    ana, ben = table.ana, table.ben
    upstairs = [
        "UID:plan",
        "RECURRENCE-ID:20270303T090000Z",
        "DTSTART:20270303T090000Z",
        "SUMMARY:Upstairs",
        *EVENT[:1],
    ]
    people = people_lines(ana, ben)
    ana.put("a.ics", calendar(["UID:plan", TUESDAY, *EVENT, *SERIES, *people], [*upstairs, *people]))
    href, _ = only(ben)
    accepted = calendar(
        ["UID:plan", TUESDAY, *EVENT, *SERIES, *(line.replace("NEEDS-ACTION", "ACCEPTED") for line in people)]
    )
    put = ben.request("PUT", href, accepted, Content_Type="text/calendar")
    assert put.status_code == 204
    assert "ETag" not in put.headers
    for kept in (only(ben)[1], ana.request("GET", ana.personal + "a.ics").text):
        assert [event(kept, at).value("SUMMARY") for at in (0, 1)] == ["Planning", "Upstairs"]
        answers = [attendee(kept, ben, at).param("PARTSTAT") for at in (0, 1)]
        assert answers == ["ACCEPTED", "NEEDS-ACTION"]


def test_an_attendee_cannot_move_the_event_or_invite(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben))
    href, text = only(ben)
    moved = ben.request("PUT", href, text.replace("20270302T090000Z", "20270302T110000Z"))
    assert moved.status_code == 403
    assert condition(moved) == "C:allowed-attendee-scheduling-object-change"
    more = ben.request("PUT", href, text.replace("END:VEVENT", f"ATTENDEE:{address(cem)}\r\nEND:VEVENT"))
    assert condition(more) == "C:allowed-attendee-scheduling-object-change"
    assert members(cem) == {}


def test_nobody_crashes_anothers_event(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.put("a.ics", invitation("plan", ana, ben))
    crashed = cem.put("mine.ics", invitation("plan", ana, ben, cem).replace("NEEDS-ACTION", "ACCEPTED"))
    assert crashed.status_code == 403
    assert condition(crashed) == "C:attendee-allowed"
    forged = cem.put("mine.ics", invitation("plan", cem, ben).replace("Planning", "Mine"))
    assert forged.status_code == 201
    assert attendee(cem.request("GET", cem.personal + "mine.ics").text, ben).param("SCHEDULE-STATUS") == "3.8"
    assert event(only(ben)[1]).value("SUMMARY") == "Planning"
    assert methods(ben) == ["REQUEST"]


def test_events_brought_along_from_elsewhere_are_taken(table: Table) -> None:
    ana, ben = table.ana, table.ben
    assert ben.put("old.ics", invitation("of-old", ana, ben)).status_code == 201
    assert members(ana) == {}


def test_organizers_stay_and_are_the_same_throughout(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    taken = ana.put("a.ics", invitation("plan", ben, ana))
    assert condition(taken) == "C:allowed-organizer-scheduling-object-change"
    two = calendar(
        ["UID:two", TUESDAY, "RRULE:FREQ=DAILY", *people_lines(ana, ben)],
        ["UID:two", "RECURRENCE-ID:20270303T090000Z", "DTSTART:20270303T100000Z", *people_lines(ben, ana)],
    )
    assert condition(ana.put("two.ics", two)) == "C:same-organizer-in-all-components"


def test_people_are_invited_to_one_instance_of_an_event_that_is_nobody_elses(table: Table) -> None:
    """All entries have the same ORGANIZER "when present" (§3.2.4.2)."""
    ana, ben = table.ana, table.ben
    series = ["UID:own", TUESDAY, "RRULE:FREQ=DAILY;COUNT=3", *EVENT]
    when = ["UID:own", "RECURRENCE-ID:20270303T090000Z", "DTSTART:20270303T100000Z", *EVENT]
    assert ana.put("own.ics", calendar(series, [*when, *people_lines(ana, ben)])).status_code == 201
    _, copy = only(ben)
    assert "RRULE" not in copy
    assert event(copy).value("RECURRENCE-ID") == "20270303T090000Z"
    assert answer(ben, "ACCEPTED").status_code == 204
    mine = ana.request("GET", ana.personal + "own.ics").text
    assert attendee(mine, ben, 1).param("PARTSTAT") == "ACCEPTED"
    # An invitation names its organizer, also where a program wrote that once only.
    [sent] = [line for line in people_lines(ana, ben) if line.startswith("ORGANIZER")]
    nameless = [each for each in people_lines(ana, ben) if each != sent]
    ana.put("b.ics", calendar(["UID:two", TUESDAY, *EVENT, *people_lines(ana)], ["UID:two", *when[1:], *nameless]))
    twos = next(text for text in members(ben).values() if "UID:two" in text)
    assert organizer(twos).value == address(ana)


def test_an_event_of_several_people_is_in_one_calendar_only(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    ana.request("MKCALENDAR", f"{ana.home}other/")
    again = ana.request("PUT", f"{ana.home}other/b.ics", invitation("plan", ana, ben), Content_Type="text/calendar")
    assert again.status_code == 403
    assert condition(again) == "C:unique-scheduling-object-resource"
    assert f"{ana.personal}a.ics" in again.text


def test_who_sends_by_themselves_is_left_alone(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    text = invitation("plan", ana, ben, cem)
    text = text.replace(f"CN={ben.user.name}", f"CN={ben.user.name};SCHEDULE-AGENT=CLIENT")
    text = text.replace(f"CN={cem.user.name}", f"CN={cem.user.name};SCHEDULE-AGENT=NONE")
    assert ana.put("a.ics", text).headers["ETag"]
    assert members(ben) == members(cem) == members(ben, "inbox") == {}


def test_nothing_new_is_told_to_nobody_unless_forced(table: Table) -> None:
    ana, ben = table.ana, table.ben
    ana.put("a.ics", invitation("plan", ana, ben))
    mine = ana.request("GET", ana.personal + "a.ics").text
    ana.put("a.ics", mine.replace("END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"))
    assert methods(ben) == ["REQUEST"]
    forced = mine.replace("RSVP=TRUE", "RSVP=TRUE;SCHEDULE-FORCE-SEND=REQUEST")
    ana.put("a.ics", forced)
    assert methods(ben) == ["REQUEST", "REQUEST"]
    assert "FORCE-SEND" not in ana.request("GET", ana.personal + "a.ics").text


def test_a_person_is_found_by_every_address_they_have(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    text = invitation("plan", ana)
    text = text.replace("END:VEVENT", f"ATTENDEE:{ben.principal}\r\nATTENDEE:urn:uuid:{cem.user.id}\r\nEND:VEVENT")
    ana.put("a.ics", text)
    assert members(ben)
    assert members(cem)


def test_an_address_nobody_can_be_reached_at_is_told(table: Table) -> None:
    ana = table.ana
    text = invitation("plan", ana).replace("END:VEVENT", "ATTENDEE:urn:x-nowhere:1\r\nEND:VEVENT")
    ana.put("a.ics", text)
    [_, lost] = event(ana.request("GET", ana.personal + "a.ics").text).every("ATTENDEE")
    assert lost.param("SCHEDULE-STATUS") == "3.7"


def test_other_organizations_get_mail_and_nothing_else(table: Table, server: DavServer) -> None:
    stranger = server.stranger()
    table.ana.put("a.ics", invitation("plan", table.ana, stranger))
    assert members(stranger) == {}
    text = table.ana.request("GET", table.ana.personal + "a.ics").text
    assert attendee(text, stranger).param("SCHEDULE-STATUS") == "1.1"


def test_events_without_people_have_no_tag(table: Table) -> None:
    created = table.ana.put("a.ics", ics("alone"))
    assert "Schedule-Tag" not in created.headers
    assert created.headers["ETag"]


def test_an_event_moves_with_its_people_and_is_not_copied(table: Table) -> None:
    ana, ben = table.ana, table.ben
    tag = ana.put("a.ics", invitation("plan", ana, ben)).headers["Schedule-Tag"]
    ana.request("MKCALENDAR", f"{ana.home}other/")
    copied = ana.request("COPY", ana.personal + "a.ics", Destination=f"{ana.home}other/b.ics")
    assert condition(copied) == "C:unique-scheduling-object-resource"
    assert ana.request("MOVE", ana.personal + "a.ics", Destination=f"{ana.home}other/b.ics").status_code == 201
    assert ana.request("GET", f"{ana.home}other/b.ics").headers["Schedule-Tag"] == tag
    answer(ben, "ACCEPTED")
    assert attendee(ana.request("GET", f"{ana.home}other/b.ics").text, ben).param("PARTSTAT") == "ACCEPTED"
    assert methods(ben) == ["REQUEST"]


def test_a_deleted_calendar_cancels_what_was_in_it(table: Table) -> None:
    ana, ben, cem = table.ana, table.ben, table.cem
    ana.request("MKCALENDAR", f"{ana.home}other/")
    for uid, guest in (("one", ben), ("two", cem)):
        text = invitation(uid, ana, guest)
        ana.request("PUT", f"{ana.home}other/{uid}.ics", text, Content_Type="text/calendar")
    assert ana.request("DELETE", f"{ana.home}other/").status_code == 204
    assert [event(only(each)[1]).value("STATUS") for each in (ben, cem)] == ["CANCELLED", "CANCELLED"]

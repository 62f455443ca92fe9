"""Invitations and answers that meet."""

from concurrent.futures import ThreadPoolExecutor

from tests.caldav.invitations import Table, answer, attendee, invitation, members, methods, only
from tests.support.dav_server import DavServer


def test_people_who_invite_each_other_at_once_do_not_wait_for_each_other_for_ever(table: Table) -> None:
    people = [table.ana, table.ben, table.cem]

    def invite(number: int) -> int:
        organizer = people[number % 3]
        others = [each for each in people if each is not organizer]
        text = invitation(f"round-{number}", organizer, *others, start=f"DTSTART:2027030{number % 9 + 1}T090000Z")
        return organizer.put(f"{number}.ics", text).status_code

    with ThreadPoolExecutor(9) as pool:
        assert set(pool.map(invite, range(9))) == {201}
    for person in people:
        assert len(members(person)) == 9
        assert methods(person) == ["REQUEST"] * 6


def test_answers_given_at_once_are_all_kept(table: Table, server: DavServer) -> None:
    ana, guests = table.ana, [table.ben, table.cem, server.person(), server.person()]
    ana.put("a.ics", invitation("plan", ana, *guests))
    with ThreadPoolExecutor(4) as pool:
        assert {each.status_code for each in pool.map(lambda each: answer(each, "ACCEPTED"), guests)} == {204}
    text = ana.request("GET", ana.personal + "a.ics").text
    assert [attendee(text, each).param("PARTSTAT") for each in guests] == ["ACCEPTED"] * 4
    for guest in guests:  # and everybody sees everybody's
        assert [attendee(only(guest)[1], each).param("PARTSTAT") for each in guests] == ["ACCEPTED"] * 4

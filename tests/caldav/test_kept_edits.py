"""What devices send and the server cannot take: nothing of it is lost, nothing piles up, and one mail tells of all."""

from __future__ import annotations

from email.utils import parseaddr

import pytest

from app.db import models as m
from app.domain.errors import NotFound
from app.use_cases import keep_edits
from app.use_cases.copy_kept_edit import copy_kept_edit
from app.use_cases.keep_edits import dismiss_edit
from tests.caldav.test_other_people import let_in
from tests.support.dav_server import Person, condition
from tests.support.devices import NINE, TEN, href, kept, mailed, moved, put, read, rows, stamp, stored, with_line, work
from tests.support.ical import ics


def told(person: Person) -> list[str]:
    """The subjects of mails about what was kept."""
    mine = [each.subject for each in mailed(person) if parseaddr(each.to)[1] == person.user.email]
    return [subject for subject in mine if "devices" in subject]


def test_a_phone_that_was_offline_for_two_weeks_loses_none_of_its_twenty_edits(ana: Person) -> None:
    """Ten of them on events that another device changed meanwhile, five moves of bookings that cannot be, five new."""
    names = [f"e{number}.ics" for number in range(10)]
    old = {name: ana.put(name, ics(name, start=stamp(NINE + 86400))).headers["ETag"] for name in names}
    bookings = [ana.book(NINE + number * 1800) for number in range(5)]
    texts = {booking.id: read(ana, booking) for booking in bookings}
    for name in names:
        ana.put(name, ics(name, "SUMMARY:From the desk", start=stamp(NINE + 86400)))
    statuses = [
        ana.put(name, ics(name, f"SUMMARY:Phone {name}", start=stamp(NINE + 86400)), If_Match=old[name]).status_code
        for name in names
    ]
    for booking in bookings:
        before = texts[booking.id]
        statuses.append(put(ana, booking, moved(before.text, TEN, 50), If_Match=before.headers["ETag"]).status_code)
    for number in range(5):
        text = ics(f"new{number}-{ana.user.handle}", f"SUMMARY:New {number}", start=stamp(TEN))
        statuses.append(ana.request("PUT", f"{ana.schedule}n{number}.ics", text).status_code)
    assert statuses == [412] * 10 + [409] * 5 + [403] * 5
    assert len(kept(ana)) == 20
    assert all(row["device"] == "Phone" and row["data"] and row["reason"] for row in kept(ana))
    for name in names:
        assert "From the desk" in ana.request("GET", ana.personal + name).text
    work(ana, 30)
    assert told(ana) == []  # it may not be the last one
    work(ana, 61)
    work(ana, 600)
    assert len(told(ana)) == 1


def test_the_same_request_again_is_kept_once_and_told_once(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    for _ in range(3):
        assert ana.put("a.ics", ics("a", "SUMMARY:Mine"), If_Match='"old"').status_code == 412
    later = ics("a", "SUMMARY:Mine").replace("DTSTAMP:20270101", "DTSTAMP:20270102")
    assert ana.put("a.ics", later, If_Match='"old"').status_code == 412  # tried again, as some devices do it
    assert len(kept(ana)) == 1


def test_what_is_there_as_it_was_sent_is_no_loss(ana: Person) -> None:
    text = ics("a", "SUMMARY:Mine")
    ana.put("a.ics", text)
    assert ana.put("a.ics", text, If_None_Match="*").status_code == 412
    assert ana.put("a.ics", text, If_Match='"old"').status_code == 412
    assert ana.put("b.ics", text).status_code == 403  # the UID is that of the very same event
    booking = ana.book(NINE)
    before = read(ana, booking)
    edit = with_line(moved(before.text, TEN), "COLOR:red")
    assert put(ana, booking, edit, If_Match=before.headers["ETag"]).status_code == 204
    assert put(ana, booking, edit, If_Match=before.headers["ETag"]).status_code == 412
    assert ana.request("DELETE", ana.personal + "gone.ics", If_Match='"old"').status_code == 412
    assert ana.put("c.ics", "no calendar at all").status_code == 403
    assert not kept(ana)


def test_a_read_only_calendar_refuses_and_keeps(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    calendar_id = ana.calendar().id
    ana.server.run(ana.server.workspace.set(m.calendars, m.calendars.c.id == calendar_id, read_only=True))
    refused = ana.put("b.ics", ics("b"))
    assert (refused.status_code, condition(refused)) == (403, "D:need-privileges")
    deleted = ana.request("DELETE", ana.personal + "a.ics")
    assert (deleted.status_code, condition(deleted)) == (403, "D:need-privileges")
    assert [(row["name"], bool(row["data"])) for row in sorted(kept(ana), key=lambda row: row["id"])] == [
        ("b.ics", True),
        ("a.ics", False),
    ]


def test_what_is_kept_becomes_an_event_of_its_own_or_is_dismissed(ana: Person) -> None:
    booking, ports = ana.book(NINE), ana.server.workspace.ports
    assert put(ana, booking, moved(read(ana, booking).text, TEN, 45)).status_code == 409
    (edit,) = kept(ana)
    ana.server.run(copy_kept_edit(ports, ana.user, edit["id"]))
    (copy,) = [each for each in ana.sync().hrefs if each != ana.personal]
    text = ana.request("GET", copy).text
    assert f"DTSTART:{stamp(TEN)}" in text
    assert booking.uid not in text
    assert stored(ana, booking).start == NINE
    assert not kept(ana)
    for decide in (copy_kept_edit, dismiss_edit):
        with pytest.raises(NotFound):
            ana.server.run(decide(ports, ana.user, edit["id"]))
    ana.put("a.ics", ics("a"), If_Match='"old"')
    (other,) = kept(ana)
    with pytest.raises(NotFound):
        ana.server.run(dismiss_edit(ports, ana.server.person().user, other["id"]))
    ana.server.run(dismiss_edit(ports, ana.user, other["id"]))
    assert not kept(ana)


def test_what_the_device_stores_after_all_is_not_shown_as_lost(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    mine = ics("a", "SUMMARY:Mine")
    assert ana.put("a.ics", mine, If_Match='"old"').status_code == 412
    assert ana.put("a.ics", mine).status_code == 204

    async def shown() -> int:
        async with ana.server.workspace.ports.read() as work:
            return len(await work.kept_edits.of_user(ana.user.id, 10))

    assert ana.server.run(shown()) == 0


def test_of_too_many_the_oldest_go(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_edits, "MOST", 3)
    for number in range(5):
        ana.put(f"{number}.ics", ics(str(number)), If_Match='"old"')
    assert sorted(row["name"] for row in kept(ana)) == ["2.ics", "3.ics", "4.ics"]


def test_an_event_over_a_booking_is_told_to_its_host(ana: Person) -> None:
    booking = ana.book(NINE)
    ana.put("over.ics", ics("over", start=stamp(NINE)))
    lanes = rows(ana, m.outbox)
    assert f"user:{ana.user.id}:conflicts" in {row["lane"] for row in lanes}
    assert href(ana, booking)


def test_a_calendar_that_is_switched_off_for_it_blocks_nothing_and_tells_of_no_conflict(ana: Person) -> None:
    ana.book(NINE)
    ana.server.run(ana.server.workspace.set(m.calendars, m.calendars.c.id == ana.calendar().id, is_conflict=False))
    ana.put("over.ics", ics("over", start=stamp(NINE)))
    ana.put("later.ics", ics("later", start=stamp(TEN)))
    assert f"user:{ana.user.id}:conflicts" not in {row["lane"] for row in rows(ana, m.outbox)}
    assert ana.book(TEN).start == TEN


def test_an_assistants_edit_whose_answer_got_lost_is_not_kept_when_it_comes_again(ana: Person) -> None:
    ben, booking = ana.server.person(), ana.book(NINE)
    put(ana, booking, with_line(read(ana, booking).text, "COMMENT:For me alone"))
    let_in(ana, "write", ben)
    before = ben.request("GET", href(ana, booking))
    sent = {"Content_Type": "text/calendar", "If_Match": before.headers["ETag"]}
    text = moved(before.text, TEN)
    assert [ben.request("PUT", href(ana, booking), text, **sent).status_code for _ in range(2)] == [204, 412]
    assert not kept(ben)
    assert "For me alone" in read(ana, booking).text

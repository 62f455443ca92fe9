"""MOVE and COPY between a person's calendars, POST of a new member, and what PUT answers on demand."""

import pytest
from sqlalchemy import select

from app.db import models as m
from tests.caldav.test_other_people import let_in
from tests.caldav.test_own_calendars import make
from tests.support.clock import MONDAY
from tests.support.dav_server import Person, condition
from tests.support.devices import GRACE, NINE, TEN, href, put, read, rows, stored, with_line, work
from tests.support.devices import moved as at_time
from tests.support.ical import ics


@pytest.fixture
def errands(ana: Person) -> str:
    """A second calendar of ana's."""
    return make(ana)


def moved(person: Person, source: str, target: str, method: str = "MOVE", **headers: str) -> tuple[int, str]:
    """The status, and the precondition of a refusal."""
    response = person.request(method, source, Destination=person.server.url + target, **headers)
    is_told = response.content.startswith(b"<?xml")
    return response.status_code, condition(response) if is_told else ""


def test_an_event_moves_as_it_is_and_both_calendars_tell(ana: Person, errands: str) -> None:
    ana.put("a.ics", ics("a", "X-OWN:kept"))
    here, there = ana.sync().sync_token, ana.sync(collection=errands).sync_token
    etag = ana.request("GET", f"{ana.personal}a.ics").headers["ETag"]
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}b%20c.ics") == (201, "")
    found = ana.request("GET", f"{errands}b%20c.ics")
    assert (found.text, found.headers["ETag"]) == (ics("a", "X-OWN:kept"), etag)
    assert "404" in (ana.sync(here).status(f"{ana.personal}a.ics") or "")
    assert ana.sync(there, errands).hrefs == [f"{errands}b%20c.ics"]


def test_an_event_is_renamed_within_its_calendar(ana: Person) -> None:
    ana.put("a.ics", ics("a"))
    assert moved(ana, f"{ana.personal}a.ics", f"{ana.personal}b.ics") == (201, "")
    assert ana.request("GET", f"{ana.personal}a.ics").status_code == 404
    assert ana.request("GET", f"{ana.personal}b.ics").text == ics("a")


def test_a_copy_leaves_the_original_and_both_block(ana: Person, errands: str) -> None:
    ana.put("a.ics", ics("a"))
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}a.ics", "COPY") == (201, "")
    assert ana.request("GET", f"{ana.personal}a.ics").text == ana.request("GET", f"{errands}a.ics").text
    assert moved(ana, f"{ana.personal}a.ics", f"{ana.personal}b.ics", "COPY") == (403, "C:no-uid-conflict")


def test_what_is_at_the_destination_is_replaced_unless_the_client_says_no(ana: Person, errands: str) -> None:
    ana.put("a.ics", ics("a"))
    ana.request("PUT", f"{errands}b.ics", ics("a", "SUMMARY:old"), Content_Type="text/calendar")
    ana.request("PUT", f"{errands}c.ics", ics("c"), Content_Type="text/calendar")
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}c.ics") == (403, "C:no-uid-conflict")
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}b.ics", Overwrite="F") == (412, "")
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}b.ics") == (204, "")
    assert ana.request("GET", f"{errands}b.ics").text == ics("a")


def test_a_move_keeps_to_the_conditions_and_the_rules_of_the_destination(ana: Person, errands: str) -> None:
    ana.put("a.ics", ics("a"))
    source = f"{ana.personal}a.ics"
    assert moved(ana, source, f"{errands}a.ics", If_Match='"other"')[0] == 412
    ana.request("PUT", f"{errands}twin.ics", ics("a"), Content_Type="text/calendar")
    assert moved(ana, source, f"{errands}a.ics") == (403, "C:no-uid-conflict")
    tasks = make(
        ana,
        "tasks",
        '<C:mkcalendar><D:set><D:prop><C:supported-calendar-component-set><C:comp name="VTODO"/>'
        "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>",
    )
    assert moved(ana, source, f"{tasks}a.ics") == (403, "C:supported-calendar-component")
    assert ana.request("GET", source).status_code == 200


def test_addresses_that_are_no_place_for_an_object_are_refused(ana: Person, errands: str) -> None:
    ana.put("a.ics", ics("a"))
    source, other = f"{ana.personal}a.ics", ana.server.person()
    assert moved(ana, source, f"{ana.home}nowhere/a.ics")[0] == 409
    assert moved(ana, source, errands)[0] == 400
    assert moved(ana, source, f"{other.personal}a.ics")[0] == 403
    assert moved(ana, source, source)[0] == 403
    assert moved(ana, f"{ana.personal}none.ics", f"{errands}a.ics")[0] == 404
    assert moved(ana, errands, f"{ana.home}renamed/")[0] == 403
    assert ana.request("MOVE", source).status_code == 400
    assert ana.request("GET", source).status_code == 200


def test_bookings_stay_in_the_schedule_and_can_be_copied_out_of_it(ana: Person, errands: str) -> None:
    booking = ana.book(MONDAY + 3 * 86400)
    ana.put("a.ics", ics("a"))
    assert moved(ana, f"{ana.schedule}{booking.id}.ics", f"{errands}a.ics")[0] == 403
    assert moved(ana, f"{ana.personal}a.ics", f"{ana.schedule}a.ics")[0] == 403
    assert moved(ana, f"{ana.schedule}{booking.id}.ics", f"{errands}a.ics", "COPY") == (201, "")


def test_a_posted_event_gets_a_name_and_the_answer_tells_it(ana: Person) -> None:
    told = ana.dav("PROPFIND", ana.personal, "<D:propfind><D:prop><D:add-member/></D:prop></D:propfind>")
    address = told.text(ana.personal, "D:add-member/D:href")
    assert address
    response = ana.request("POST", address, ics("a"), Content_Type="text/calendar")
    assert response.status_code == 201
    assert ana.request("GET", response.headers["Location"].removeprefix(ana.server.url)).text == ics("a")
    assert ana.request("POST", ana.personal, ics("c"), Content_Type="text/calendar").status_code == 201
    assert ana.request("POST", ana.home, ics("b"), Content_Type="text/calendar").status_code == 405


def test_a_put_answers_with_what_is_kept_when_the_client_prefers_so(ana: Person) -> None:
    first = ana.put("a.ics", ics("a"), Prefer="return=representation")
    assert (first.status_code, first.text) == (201, ics("a"))
    assert first.headers["Content-Location"] == f"{ana.personal}a.ics"
    stale = ana.put("a.ics", ics("a", "SUMMARY:other"), Prefer="return=representation", If_Match='"old"')
    assert (stale.status_code, stale.text, stale.headers["ETag"]) == (412, ics("a"), first.headers["ETag"])


def test_what_an_assistant_copies_is_without_the_notes_that_they_may_not_see(ana: Person) -> None:
    ben, booking = ana.server.person(), ana.book(NINE)
    put(ana, booking, with_line(read(ana, booking).text, "COMMENT:For me alone"))
    let_in(ana, "write", ben)
    seen = ben.request("GET", href(ana, booking)).text
    assert moved(ben, href(ana, booking), f"{ana.personal}c.ics", "COPY") == (201, "")
    assert ben.request("GET", f"{ana.personal}c.ics").text == seen
    assert "For me alone" not in seen


def test_the_event_of_a_booking_blocks_nothing_wherever_it_is_copied_or_moved(ana: Person, errands: str) -> None:
    booking, busy = ana.book(NINE), m.busy_intervals.c
    assert moved(ana, href(ana, booking), f"{ana.personal}c.ics", "COPY") == (201, "")
    assert moved(ana, f"{ana.personal}c.ics", f"{errands}c.ics") == (201, "")
    ids = [ana.calendar(each).id for each in ("personal", errands.split("/")[-2])]
    assert not rows(ana, select(busy.start_at).where(busy.calendar_id.in_(ids)))


def test_a_booking_whose_event_wanders_through_calendars_is_not_cancelled(ana: Person, errands: str) -> None:
    booking = ana.book(NINE)
    assert ana.put("a.ics", read(ana, booking).text).status_code == 201
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    assert moved(ana, f"{ana.personal}a.ics", f"{errands}a.ics") == (201, "")
    work(ana, GRACE)
    assert stored(ana, booking).status == "confirmed"


def test_a_move_holds_to_the_schedule_tag(ana: Person, errands: str) -> None:
    people = (f"ORGANIZER:mailto:{ana.user.email}", "ATTENDEE:mailto:robin@example.org")
    tag = ana.put("a.ics", ics("a", *people)).headers["Schedule-Tag"]
    source, target = f"{ana.personal}a.ics", f"{errands}a.ics"
    assert moved(ana, source, target, If_Schedule_Tag_Match='"other"')[0] == 412
    assert moved(ana, source, target, If_Schedule_Tag_Match=tag) == (201, "")


def test_a_bookings_event_that_is_elsewhere_at_another_time_blocks_that_and_cancels_nothing(ana: Person) -> None:
    """A phone can change both in one form."""
    booking, busy = ana.book(NINE), m.busy_intervals.c
    assert ana.put("a.ics", at_time(read(ana, booking).text, TEN)).status_code == 201
    assert ana.request("DELETE", href(ana, booking)).status_code == 204
    found = rows(ana, select(busy.start_at).where(busy.calendar_id == ana.calendar().id))
    assert [row["start_at"] for row in found] == [TEN]
    work(ana, GRACE)
    assert (stored(ana, booking).status, stored(ana, booking).start) == ("confirmed", NINE)
    assert read(ana, booking).status_code == 200

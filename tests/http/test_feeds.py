"""ICS feeds as subscribers read them."""

import re
from email.utils import parsedate_to_datetime
from typing import Any

import icalendar
import pytest
import requests

from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from app.use_cases.manage_tokens import create_feed, delete_feed
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import MONDAY
from tests.support.dav_server import DavServer, Person, dav_servers, server
from tests.support.ical import ics

__all__ = ["dav_servers", "server"]
DAY = 86400


@pytest.fixture
def ana(server: DavServer) -> Person:
    """A new person in New York, on a Monday morning; on each engine."""
    return server.person(timezone="America/New_York")


def get(ana: Person, path: str, method: str = "GET", **headers: str) -> requests.Response:
    """Ask as a subscriber does: without credentials."""
    return ana.server.request(method, path, **{"Accept_Encoding": "identity", **headers})


def events(response: requests.Response) -> list[Any]:
    """The events of a feed."""
    calendar = icalendar.Calendar.from_ical(response.text)
    assert isinstance(calendar, icalendar.Calendar)
    assert not [problem for part in calendar.walk() for problem in part.errors]
    return list(calendar.events)


def cancel(ana: Person, booking_id: str) -> None:
    """Cancel a booking."""
    ana.server.run(take_step(ana.server.workspace.ports, booking_id, "cancel", SYSTEM))


def test_a_feed_holds_the_bookings_and_what_programs_make_use_of(ana: Person) -> None:
    booking = ana.book(MONDAY + DAY)
    response = get(ana, ana.feed())
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert re.search(r'inline; filename="[^"]+\.ics"', response.headers["Content-Disposition"])
    assert "private" in response.headers["Cache-Control"]
    [event] = events(response)
    assert (str(event["UID"]), event["STATUS"], event["SEQUENCE"]) == (booking.uid, "CONFIRMED", 0)
    assert event.start.timestamp() == booking.start
    lines = response.text.replace("\r\n ", "").split("\r\n")
    title = f"Schedule of {ana.user.name}"
    for line in (
        "VERSION:2.0", "CALSCALE:GREGORIAN", f"NAME:{title}", f"X-WR-CALNAME:{title}", "COLOR:royalblue",
        "X-WR-TIMEZONE:America/New_York", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H",
        "X-APPLE-CALENDAR-COLOR:#2563eb", "X-WR-CALDESC:Confirmed bookings", "TZID:America/New_York",
    ):  # fmt: skip
        assert lines.count(line) == 1, line
    assert not any(line.startswith("METHOD") for line in lines)
    assert response.text.count("BEGIN:VTIMEZONE") == response.text.count("BEGIN:VCALENDAR") == 1
    assert "\n" not in response.text.replace("\r\n", "")
    assert max(len(line) for line in response.content.split(b"\r\n")) <= 75


def test_a_busy_only_feed_says_when_and_nothing_else(ana: Person) -> None:
    booking = ana.book(MONDAY + DAY)
    response = get(ana, ana.feed("busy"))
    [event] = events(response)
    assert event["SUMMARY"] == "Busy"
    assert (event.start.timestamp(), event.end.timestamp()) == (booking.start, booking.end)
    for secret in (
        "Casey",
        "casey@example.org",
        ana.user.name,
        ana.user.email,
        booking.uid,
        booking.id,
        "Intro",
        "http",
    ):
        assert secret not in response.text


def test_events_of_personal_are_in_no_feed(ana: Person) -> None:
    ana.put("a.ics", ics("private-one"))
    assert events(get(ana, ana.feed())) == events(get(ana, ana.feed("busy"))) == []


def test_an_empty_feed_is_a_calendar_all_the_same(ana: Person) -> None:
    response = get(ana, ana.feed())
    assert events(response) == []
    assert "BEGIN:VTIMEZONE" in response.text


@pytest.mark.parametrize("kind", ["schedule", "busy"])
def test_an_unchanged_feed_is_304_by_tag_and_by_date(ana: Person, kind: str) -> None:
    ana.book(MONDAY + DAY)
    ana.server.clock.advance(5)
    path = ana.feed(kind)
    first = get(ana, path)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert parsedate_to_datetime(modified).timestamp() == MONDAY
    for headers in ({"If_None_Match": etag}, {"If_Modified_Since": modified}, {"If_None_Match": "*"},
                    {"If_None_Match": f'"x", {etag}'}, {"If_None_Match": etag.removeprefix("W/")}):  # fmt: skip
        for method in ("GET", "HEAD"):
            unchanged = get(ana, path, method, **headers)
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert unchanged.headers["ETag"] == etag
    assert get(ana, path, If_None_Match='"x"', If_Modified_Since=modified).status_code == 200
    assert get(ana, path, If_Modified_Since="nonsense").status_code == 200
    ana.book(MONDAY + 2 * DAY)
    for headers in ({"If_None_Match": etag}, {"If_Modified_Since": modified}):
        changed = get(ana, path, **headers)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != etag
        assert len(events(changed)) == 2


def test_two_changes_in_one_second_are_both_seen_by_date(ana: Person) -> None:
    path = ana.feed()
    ana.book(MONDAY + DAY)
    modified = get(ana, path).headers["Last-Modified"]
    ana.book(MONDAY + 2 * DAY)
    assert get(ana, path, If_Modified_Since=modified).status_code == 200


def test_head_says_what_get_would(ana: Person) -> None:
    ana.book(MONDAY + DAY)
    path = ana.feed()
    full, head = get(ana, path), get(ana, path, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Content-Disposition"):
        assert head.headers[name] == full.headers[name]


def test_a_compressed_feed_means_the_same(ana: Person) -> None:
    ana.book(MONDAY + DAY)
    path = ana.feed()
    plain = get(ana, path)
    packed = get(ana, path, Accept_Encoding="br, gzip;q=0.8")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert get(ana, path, If_None_Match=packed.headers["ETag"]).status_code == 304
    altered = packed.headers["ETag"].removesuffix('"') + '-gzip"'  # as Apache writes it
    assert get(ana, path, If_None_Match=altered, Accept_Encoding="gzip").status_code == 304
    for refused in ("gzip;q=0", "identity", "", "deflate"):
        assert "Content-Encoding" not in get(ana, path, Accept_Encoding=refused).headers


def test_a_cancelled_booking_stays_as_cancelled_for_thirty_days(ana: Person) -> None:
    booking = ana.book(MONDAY + 40 * DAY)
    other = ana.book(MONDAY + 41 * DAY)
    cancel(ana, booking.id)
    for kind in ("schedule", "busy"):
        path = ana.feed(kind)
        shown = {event.start.timestamp(): event for event in events(get(ana, path))}
        assert shown[booking.start]["STATUS"] == "CANCELLED"
        assert shown[booking.start]["TRANSP"] == "TRANSPARENT"
        assert shown[other.start]["STATUS"] == "CONFIRMED"
    uid = {event["UID"]: event["SEQUENCE"] for event in events(get(ana, ana.feed()))}
    assert uid[booking.uid] > 0
    etag = get(ana, path).headers["ETag"]
    ana.server.clock.advance(29 * DAY)
    assert len(events(get(ana, path))) == 2
    ana.server.clock.advance(2 * DAY)
    later = get(ana, path, If_None_Match=etag)
    assert [event.start.timestamp() for event in events(later)] == [other.start]


def test_a_moved_booking_keeps_its_uid_and_its_sequence_rises(ana: Person) -> None:
    booking = ana.book(MONDAY + DAY)
    [before] = events(get(ana, ana.feed()))
    ana.server.clock.advance(60)
    ana.server.run(reschedule_booking(ana.server.workspace.ports, booking.id, Move(MONDAY + 2 * DAY), SYSTEM))
    [after] = events(get(ana, ana.feed()))
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] == before["SEQUENCE"] + 1
    assert after["DTSTAMP"].dt > before["DTSTAMP"].dt
    assert after.start.timestamp() == MONDAY + 2 * DAY


def test_the_past_leaves_the_feed_as_days_go_by(ana: Person) -> None:
    ana.book(MONDAY + DAY)
    path = ana.feed()
    first = get(ana, path)
    ana.server.clock.advance(DAY)
    assert get(ana, path).headers["ETag"] != first.headers["ETag"]  # a new date, a new window
    ana.server.clock.advance(88 * DAY)
    assert len(events(get(ana, path))) == 1
    ana.server.clock.advance(4 * DAY)
    assert events(get(ana, path, If_None_Match=first.headers["ETag"])) == []


@pytest.mark.parametrize(("color", "hexadecimal"), [("#ff0000", "#ff0000"), ("red", "#ff0000")])
def test_another_name_or_colour_is_a_change(ana: Person, color: str, hexadecimal: str) -> None:
    path, schedule = ana.feed(), ana.calendar("schedule")
    etag = get(ana, path).headers["ETag"]

    async def recolour() -> None:
        async with ana.server.workspace.ports.unit_of_work() as work:
            await work.calendars.update_calendar(schedule.id, color=color, modified_at=MONDAY)
            await work.commit()

    ana.server.run(recolour())
    changed = get(ana, path, If_None_Match=etag)
    assert "COLOR:red\r\n" in changed.text
    assert f"X-APPLE-CALENDAR-COLOR:{hexadecimal}\r\n" in changed.text


def test_an_address_that_is_unknown_or_was_revoked_is_404(ana: Person) -> None:
    async def make() -> tuple[str, str]:
        feed = await create_feed(ana.server.workspace.ports, ana.user)
        return feed.id, f"/feeds/{feed.token}.ics"

    feed_id, path = ana.server.run(make())
    assert get(ana, path).status_code == 200
    assert get(ana, path, Authorization="Basic bm9ib2R5Om5vdGhpbmc=").status_code == 200  # Outlook sends some
    ana.server.run(delete_feed(ana.server.workspace.ports, ana.user, feed_id))
    gone = get(ana, path)
    for other in ("/feeds/nothing.ics", "/feeds/.ics", "/feeds/", "/feeds/a/b.ics", path[:-4], "/feeds/%00.ics"):
        unknown = get(ana, other)
        assert (unknown.status_code, unknown.text) == (gone.status_code, gone.text) == (404, gone.text)


def test_guessing_addresses_is_limited(ana: Person) -> None:
    ana.server.failures.limit = len(ana.server.failures.seen) + 1
    assert get(ana, "/feeds/guess.ics").status_code == 404
    limited = get(ana, "/feeds/guess.ics")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "30")
    assert get(ana, ana.feed()).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PROPFIND"])
def test_a_feed_cannot_be_written(ana: Person, method: str) -> None:
    response = get(ana, ana.feed(), method)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


def test_people_see_their_own_bookings_alone(ana: Person) -> None:
    ben = ana.server.person()
    mine, theirs = ana.book(MONDAY + DAY), ben.book(MONDAY + DAY)
    assert [event["UID"] for event in events(get(ana, ana.feed()))] == [mine.uid]
    assert [event["UID"] for event in events(get(ana, ben.feed()))] == [theirs.uid]

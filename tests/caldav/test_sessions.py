"""A session of a class is one event in its host's schedule; those who attend it never see each other."""

from __future__ import annotations

from email import message_from_bytes
from typing import Any

import pytest

from app.domain.bookings import Booking, Recipient
from app.domain.services import ServiceHost
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.ids import new_id
from app.use_cases.manage_services import create_service
from app.use_cases.manage_tokens import create_feed
from tests.support.dav_server import Person
from tests.support.devices import GRACE, NINE, TEN, audit, href, mailed, moved, posted, put, read, stored, work

CASEY = Recipient("Casey Client", "casey@example.org", "+49 30 111")
ROBIN = Recipient("Robin Recipient", "robin@example.org", "+49 30 222")


class Lesson:
    """A class of a person, and two who attend the session at nine."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.casey, self.robin = person.server.run(self._booked())
        self.session = stored(person, self.casey.occurrence_id)  # type: ignore[arg-type]  # by its id

    async def _booked(self) -> tuple[Booking, Booking]:
        workspace, slug = self.person.server.workspace, f"lesson-{new_id()[-12:]}"
        values = {"name": "Lesson", "durations": (30,), "capacity": 4}
        hosts = [ServiceHost(self.person.user.id)]
        service = await create_service(workspace.ports, workspace.owner, values, [], hosts)
        self.link = await workspace.link(slug, self.person.user, service_id=service.id, title="Lesson")
        first = await workspace.book(self.link, NINE, recipient=CASEY, notes="I am allergic to cats.")
        second = await workspace.book(self.link, NINE, recipient=ROBIN, seats=2, guests=("guest@example.org",))
        return first, second

    @property
    def attendees(self) -> tuple[Booking, Booking]:
        """As they are now."""
        return stored(self.person, self.casey), stored(self.person, self.robin)


@pytest.fixture
def lesson(ana: Person) -> Lesson:
    return Lesson(ana)


def events(person: Person) -> list[str]:
    return [each for each in person.sync(collection=person.schedule).hrefs if each.endswith(".ics")]


def test_a_session_is_one_event_with_its_seats(ana: Person, lesson: Lesson) -> None:
    assert events(ana) == [href(ana, lesson.session)]
    text = read(ana, lesson.session).text.replace("\r\n ", "")
    assert "SUMMARY:Lesson (3 of 4)" in text
    assert "Casey Client <casey@example.org>" in text and "Robin Recipient <robin@example.org>\\, 2 seats" in text
    assert "ATTENDEE" not in text and "ORGANIZER" not in text and "allergic" not in text
    assert f"/app/bookings/{lesson.session.id}" in text


def test_the_event_follows_who_comes_and_goes(ana: Person, lesson: Lesson) -> None:
    token = ana.sync(collection=ana.schedule).sync_token
    workspace = ana.server.workspace
    ana.server.run(take_step(workspace.ports, lesson.robin.id, "cancel", Actor("system")))
    assert ana.sync(token, ana.schedule).hrefs == [href(ana, lesson.session)]
    text = read(ana, lesson.session).text
    assert "SUMMARY:Lesson (1 of 4)" in text and "Robin" not in text
    ana.server.run(take_step(workspace.ports, lesson.casey.id, "cancel", Actor("system")))
    assert events(ana) == []


def test_moving_the_event_moves_all_who_attend(ana: Person, lesson: Lesson) -> None:
    work(ana)
    before = read(ana, lesson.session)
    answer = put(ana, lesson.session, moved(before.text, TEN), If_Match=before.headers["ETag"])
    assert answer.status_code == 204, answer.text
    for was, now in zip((lesson.casey, lesson.robin), lesson.attendees, strict=True):
        assert (now.start, now.sequence, now.status) == (TEN, was.sequence + 1, "confirmed")
        assert audit(ana, now)[-1] == ("booking.rescheduled", "device", "Phone")
    work(ana)
    assert (CASEY.email, "New time") in posted(ana, lesson.casey)
    assert (ROBIN.email, "New time") in posted(ana, lesson.robin)
    assert ("guest@example.org", "New time") in posted(ana, lesson.robin)


def test_a_move_onto_another_booking_is_refused_for_all(ana: Person, lesson: Lesson) -> None:
    other = ana.book(TEN)
    before = read(ana, lesson.session)
    refused = put(ana, lesson.session, moved(before.text, TEN), If_Match=before.headers["ETag"])
    assert refused.status_code == 409
    assert {each.start for each in lesson.attendees} == {NINE}
    assert stored(ana, other).status == "confirmed"


def test_deleting_the_event_cancels_all_who_attend(ana: Person, lesson: Lesson) -> None:
    work(ana)
    assert ana.request("DELETE", href(ana, lesson.session)).status_code == 204
    assert {each.status for each in lesson.attendees} == {"confirmed"}, "until the grace time is over"
    work(ana, GRACE)
    assert {each.status for each in lesson.attendees} == {"cancelled"}
    assert stored(ana, lesson.session).status == "cancelled"
    assert (CASEY.email, "Cancelled") in posted(ana, lesson.casey)
    assert (ROBIN.email, "Cancelled") in posted(ana, lesson.robin)


def test_those_who_attend_never_see_each_other(ana: Person, lesson: Lesson) -> None:
    """Through all that can happen: every mail and every calendar part of one of them, searched for the other."""
    work(ana)
    before = read(ana, lesson.session)
    put(ana, lesson.session, moved(before.text, TEN), If_Match=before.headers["ETag"])
    work(ana)
    session = stored(ana, lesson.session)
    workspace = ana.server.workspace
    reason = "The hall is closed."
    ana.server.run(take_step(workspace.ports, session.id, "cancel", Actor("system"), reason=reason))
    work(ana)
    mine = {lesson.casey.id: ("casey", "robin"), lesson.robin.id: ("robin", "casey")}
    searched = 0
    for mail in mailed(ana):
        own = next((booking_id for booking_id in mine if booking_id in mail.message_id), None)
        if own is None or ana.user.email in mail.to:
            continue
        text = _whole(ana, mail)
        assert mine[own][0] in text and mine[own][1] not in text, mail.subject
        assert "allergic" not in text or own == lesson.casey.id
        assert lesson.session.id not in text, "what is the staff's"
        searched += 1
    assert searched == 3 * 3  # two recipients and a guest; confirmed, moved and cancelled


def _whole(person: Person, mail: Any) -> str:
    """A mail with all its parts decoded, and its headers."""
    folder = person.server.workspace.parts.mail_folder
    assert folder is not None
    raw = person.server.run(folder.raw_mail(mail.name))
    assert raw is not None
    message = message_from_bytes(raw)
    parts: list[Any] = [each.get_payload(decode=True) or b"" for each in message.walk() if not each.is_multipart()]
    headers = " ".join(f"{name}: {value}" for name, value in message.items())
    return (headers + " " + b" ".join(parts).decode(errors="replace").replace("\r\n ", "")).lower()


def test_feeds_show_the_session_alone(ana: Person, lesson: Lesson) -> None:
    ports = ana.server.workspace.ports
    for kind, subject in (("schedule", None), ("link", lesson.link.id), ("service", lesson.link.service_id)):
        feed = ana.server.run(create_feed(ports, ana.user, kind, "Phone", subject_id=subject))
        text = ana.server.request("GET", f"/feeds/{feed.token}.ics").text.replace("\r\n ", "")
        assert text.count("BEGIN:VEVENT") == 1, kind
        assert "SUMMARY:Lesson (3 of 4)" in text and "ATTENDEE" not in text

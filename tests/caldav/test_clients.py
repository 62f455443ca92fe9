"""Real clients against the running server: python-caldav and vdirsyncer."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from caldav.davclient import DAVClient
from caldav.lib import error

from app.domain.bookings import Booking
from tests.support.clock import MONDAY
from tests.support.dav_server import Person
from tests.support.ical import ics

Client = Any  # every call of the library is typed as synchronous or asynchronous, whichever it may be
DAY = 86400
MARCH = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)


@pytest.fixture
def client(ana: Person) -> Iterator[Client]:
    """python-caldav, given nothing but the server's address and the credentials."""
    with DAVClient(url=ana.server.url, username=ana.user.email, password=ana.password) as client:
        yield client


def personal_of(client: Client) -> Client:
    """The calendar `personal`, found from the principal on."""
    [found] = [each for each in client.principal().calendars() if str(each.url).endswith("/personal/")]
    return found


def test_python_caldav_discovers_both_calendars(ana: Person, client: Client) -> None:
    names = {str(each.url).rsplit("/", 2)[1]: each.get_display_name() for each in client.principal().calendars()}
    assert names == {"schedule": f"Schedule of {ana.user.name}", "personal": "Personal"}


def test_python_caldav_writes_reads_changes_and_deletes_an_event(ana: Person, client: Client) -> None:
    calendar = personal_of(client)
    event = calendar.save_event(ics("one@example.com", "SUMMARY:Lunch", start="20270302T120000Z"))
    [found] = calendar.search(event=True, start=MARCH[0], end=MARCH[1])
    assert found.icalendar_component["SUMMARY"] == "Lunch"
    found.icalendar_component["SUMMARY"] = "Dinner"
    found.save()
    assert calendar.event_by_uid("one@example.com").icalendar_component["SUMMARY"] == "Dinner"
    event.load()
    assert event.icalendar_component["SUMMARY"] == "Dinner"
    event.delete()
    assert calendar.events() == []
    with pytest.raises(error.NotFoundError):
        calendar.event_by_uid("one@example.com")


def test_python_caldav_finds_instances_of_a_series(ana: Person, client: Client) -> None:
    calendar = personal_of(client)
    calendar.save_event(ics("w@example.com", "RRULE:FREQ=WEEKLY;COUNT=20", start="20270105T120000Z"))
    found = calendar.search(event=True, start=MARCH[0], end=MARCH[1], expand=True)
    starts = sorted(each.icalendar_component["DTSTART"].dt for each in found)
    assert [start.day for start in starts] == [2, 9, 16, 23, 30]


def test_python_caldav_syncs_increments_with_deletions(ana: Person, client: Client) -> None:
    calendar = personal_of(client)
    first = calendar.save_event(ics("one@example.com"))
    mirror = calendar.objects(load_objects=True)
    assert len(list(mirror)) == 1
    first.delete()
    calendar.save_event(ics("two@example.com", start="20270302T120000Z"))
    updated, deleted = mirror.sync()
    assert [each.id for each in updated] == ["two@example.com"]
    assert len(list(deleted)) == 1
    assert len(list(mirror)) == 1


def test_python_caldav_moves_a_booking_and_may_not_add_one(ana: Person, client: Client) -> None:
    booking = ana.book(MONDAY + DAY)
    [schedule] = [each for each in client.principal().calendars() if str(each.url).endswith("/schedule/")]
    [event] = schedule.search(event=True, start=MARCH[0], end=MARCH[1])
    component = event.icalendar_component
    assert component["UID"] == booking.uid
    later = [component[side].dt + timedelta(hours=2) for side in ("DTSTART", "DTEND")]
    component["DTSTART"].dt, component["DTEND"].dt = later
    event.save()
    event.load()
    assert event.icalendar_component["DTSTART"].dt == later[0]
    assert booking_now(ana, booking.id).start == booking.start + 7200
    with pytest.raises(error.AuthorizationError):
        schedule.save_event(ics("walk-in@example.com"))


def booking_now(person: Person, booking_id: str) -> Booking:
    """A booking as the database has it."""

    async def read() -> Booking:
        async with person.server.workspace.ports.read() as work:
            found = await work.bookings.get(booking_id)
        assert found is not None
        return found

    return person.server.run(read())


class Device:
    """A vdirsyncer pair: a folder of .ics files and a collection."""

    def __init__(self, ana: Person, folder: Path, collection: str) -> None:
        self.files = folder / "files" / collection
        self.files.mkdir(parents=True)
        self._folder = folder
        self._config = folder / "config"
        self._config.write_text(
            f"""[general]
status_path = "{folder / "status"}"
[pair sync]
a = "here"
b = "there"
collections = ["{collection}"]
conflict_resolution = "a wins"
[storage here]
type = "filesystem"
path = "{folder / "files"}"
fileext = ".ics"
[storage there]
type = "caldav"
url = "{ana.server.url}/"
username = "{ana.user.handle}"
password = "{ana.password}"
"""
        )

    def __call__(self, command: str, *, ok: bool = True) -> str:
        """Run vdirsyncer; what it said."""
        done = subprocess.run(
            [Path(sys.executable).parent / "vdirsyncer", "-c", self._config, command],
            input="y\n" * 5,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, said
        return said

    def texts(self) -> dict[str, str]:
        """The files by UID."""
        found = {}
        for path in self.files.glob("*.ics"):
            text = path.read_text()
            found[next(line for line in text.splitlines() if line.startswith("UID:"))[4:]] = text
        return found

    def path(self, uid: str) -> Path:
        """The file of an event."""
        return next(path for path in self.files.glob("*.ics") if f"UID:{uid}" in path.read_text())


def test_vdirsyncer_keeps_two_devices_equal(ana: Person, tmp_path: Path) -> None:
    phone, laptop = (Device(ana, tmp_path / name, "personal") for name in ("phone", "laptop"))
    for device in (phone, laptop):
        device("discover")
    (phone.files / "a.ics").write_text(ics("a@example.com", "SUMMARY:First"))
    (laptop.files / "b@b.ics").write_text(ics("b@example.com", start="20270303T090000Z"))
    for device in (phone, laptop, phone):
        device("sync")
    assert phone.texts().keys() == laptop.texts().keys() == {"a@example.com", "b@example.com"}
    path = laptop.path("a@example.com")
    path.write_text(path.read_text().replace("First", "Second"))
    phone.path("b@example.com").unlink()
    for device in (laptop, phone, laptop):
        device("sync")
    assert phone.texts().keys() == laptop.texts().keys() == {"a@example.com"}
    assert "Second" in phone.texts()["a@example.com"]
    assert "opying" not in phone("sync")


def test_vdirsyncer_settles_a_conflict(ana: Person, tmp_path: Path) -> None:
    phone, laptop = (Device(ana, tmp_path / name, "personal") for name in ("phone", "laptop"))
    (phone.files / "a.ics").write_text(ics("a@example.com", "SUMMARY:First"))
    for device in (phone, laptop):
        device("discover")
        device("sync")
    for device, words in ((phone, "Phone"), (laptop, "Laptop")):
        path = device.path("a@example.com")
        path.write_text(path.read_text().replace("First", words))
        device("sync")
    phone("sync")
    assert "Laptop" in phone.texts()["a@example.com"]
    assert "Laptop" in ana.request("GET", ana.sync().hrefs[0]).text


def test_vdirsyncer_mirrors_the_schedule(ana: Person, tmp_path: Path) -> None:
    booking = ana.book(MONDAY + DAY)
    phone = Device(ana, tmp_path / "phone", "schedule")
    phone("discover")
    phone("sync")
    assert phone.texts().keys() == {booking.uid}
    (phone.files / "mine.ics").write_text(ics("mine@example.com"))
    assert "403" in phone("sync", ok=False)

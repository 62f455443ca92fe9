"""Two devices over one account by vdirsyncer, with khal and todoman on the second."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.use_cases.ids import new_id
from tests.conformance.conftest import Trial
from tests.conformance.devices import Device
from tests.conformance.packages import python_tool
from tests.conformance.processes import run
from tests.support.ical import ics

MOVED = re.compile("Copying|Deleting")
BULK = 200
BERLIN = """BEGIN:VTIMEZONE\r
TZID:Europe/Berlin\r
BEGIN:STANDARD\r
DTSTART:19701025T030000\r
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r
TZOFFSETFROM:+0200\r
TZOFFSETTO:+0100\r
END:STANDARD\r
BEGIN:DAYLIGHT\r
DTSTART:19700329T020000\r
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r
TZOFFSETFROM:+0100\r
TZOFFSETTO:+0200\r
END:DAYLIGHT\r
END:VTIMEZONE\r
"""
SERIES = (
    "DTSTART;TZID=Europe/Berlin:20270105T090000", "DTEND;TZID=Europe/Berlin:20270105T100000",
    "RRULE:FREQ=DAILY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20270106T090000", "SUMMARY:Standup",
    "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Soon", "TRIGGER:-PT15M", "END:VALARM",
)  # fmt: skip
ALL_DAY = ("DTSTART;VALUE=DATE:20270110", "DTEND;VALUE=DATE:20270112", "SUMMARY:Away", "X-CUSTOM;X-P=1:kept")
TASK = ("DUE:20270110T120000Z", "SUMMARY:Pay", "STATUS:NEEDS-ACTION")
ODD_UID = "ümlaut-ß/+ &"
KHAL = """[calendars]
[[work]]
path = {path}
[default]
default_calendar = work
[locale]
local_timezone = Europe/Berlin
default_timezone = Europe/Berlin
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
"""
TODOMAN = 'path = "{path}/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\n'


def component(uid: str, lines: tuple[str, ...], kind: str = "VEVENT", before: str = "") -> str:
    """An object of one component."""
    inner = [f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, f"END:{kind}", "END:VCALENDAR", ""]
    return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Device//EN\r\n" + before + "\r\n".join(inner)


@pytest.fixture
def collection(trial: Trial) -> Iterator[str]:
    """A new calendar of events and tasks; DELETE takes it away again."""
    account = trial.site.account(1)
    url = f"{trial.site.home(account)}two-{new_id()[-12:]}/"
    body = (
        '<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop><D:displayname>Two'
        '</D:displayname><C:supported-calendar-component-set><C:comp name="VEVENT"/><C:comp name="VTODO"/>'
        "</C:supported-calendar-component-set></D:prop></D:set></C:mkcalendar>"
    )
    signed_in = (account.name, account.password)
    assert requests.request("MKCALENDAR", url, data=body, auth=signed_in, timeout=30).status_code == 201
    yield url.rsplit("/", 2)[1]
    assert requests.delete(url, auth=signed_in, timeout=30).status_code == 204


@pytest.fixture
def devices(trial: Trial, collection: str, tmp_path: Path) -> tuple[Device, Device]:
    """A phone whose changes win over the server's, and a laptop that gives way."""
    account = trial.site.account(1)
    phone, laptop = (
        Device(trial.site, account, collection, tmp_path / name, winner)
        for name, winner in (("phone", "a"), ("laptop", "b"))
    )
    for device in (phone, laptop):
        device.sync()
    return phone, laptop


def upload(phone: Device, laptop: Device) -> None:
    """One object of each kind, made on the phone, brought to the laptop."""
    phone.write("plain", ics("plain", "SUMMARY:Plain", start="20270101T100000Z"))
    phone.write("odd", ics(ODD_UID, "SUMMARY:Täglich 会议 🎉", start="20270102T100000Z"))
    phone.write("series", component("series", SERIES, before=BERLIN))
    phone.write("all-day", component("all-day", ALL_DAY))
    phone.write("task", component("task", TASK, "VTODO"))
    phone.sync()
    laptop.sync()


def test_what_is_made_on_one_device_arrives_unharmed_on_the_other(devices: tuple[Device, Device]) -> None:
    phone, laptop = devices
    upload(phone, laptop)
    texts = laptop.texts()
    assert texts.keys() == {"plain", ODD_UID, "series", "all-day", "task"}
    assert "SUMMARY:Täglich 会议 🎉" in texts[ODD_UID]
    assert all(line in texts["series"] for line in ("BEGIN:VTIMEZONE", *SERIES))
    assert all(line in texts["all-day"] for line in ALL_DAY)
    assert not MOVED.search(phone.sync() + laptop.sync())


def test_edits_deletions_and_conflicts_end_equal_on_both(devices: tuple[Device, Device]) -> None:
    phone, laptop = devices
    upload(phone, laptop)
    laptop.edit("plain", "Plain", "From the laptop")
    phone.path("all-day").unlink()
    for device in (laptop, phone, laptop):
        device.sync()
    assert "From the laptop" in phone.texts()["plain"]
    assert "all-day" not in laptop.texts()
    for device, words in ((phone, "The phone was first"), (laptop, "The laptop gives way")):
        device.edit("plain", "From the laptop", words)
        device.sync()
    assert "The phone was first" in laptop.texts()["plain"]
    for device, words in ((laptop, "The laptop was first"), (phone, "The phone insists")):
        device.edit("plain", "The phone was first", words)
        device.sync()
    laptop.sync()
    assert "The phone insists" in laptop.texts()["plain"]
    assert not MOVED.search(phone.sync() + laptop.sync())


def test_hundreds_of_events_arrive_at_once(devices: tuple[Device, Device]) -> None:
    phone, laptop = devices
    for number in range(BULK):
        phone.write(str(number), ics(f"bulk-{number}", f"SUMMARY:{number}", start="20270103T100000Z"))
    phone.sync()
    laptop.sync()
    assert laptop.texts().keys() == phone.texts().keys() == {f"bulk-{number}" for number in range(BULK)}
    assert not MOVED.search(phone.sync())


def test_names_colours_descriptions_and_orders_of_calendars_arrive(devices: tuple[Device, Device]) -> None:
    phone, laptop = devices
    given = {"displayname": "Team Süd", "color": "#ff0088", "description": "About us", "order": "7"}
    for name, value in given.items():
        (phone.files / name).write_text(value)
    phone("metasync")
    laptop("metasync")
    assert {name: (laptop.files / name).read_text().strip().lower() for name in given} == {
        name: value.lower() for name, value in given.items()
    }


def test_khal_and_todoman_read_and_change_what_was_synced(devices: tuple[Device, Device]) -> None:
    phone, laptop = devices
    upload(phone, laptop)
    config = laptop.folder / "khal.conf"
    config.write_text(KHAL.format(path=laptop.files))
    khal = [python_tool("khal"), "-c", config]
    listed = run([*khal, "list", "2027-01-05", "7d"], laptop.folder)
    assert listed.stdout.count("Standup") == 4, listed.stdout + listed.stderr  # five but for one that was taken out
    made = run([*khal, "new", "2027-01-20", "10:00", "11:00", "From khal"], laptop.folder)
    assert made.returncode == 0, made.stderr
    config = laptop.folder / "todoman.py"
    config.write_text(TODOMAN.format(path=laptop.calendars))
    done = run(
        [python_tool("todo"), "-c", config, "done", "1"], laptop.folder, {"LANG": os.environ.get("LANG", "C.UTF-8")}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    laptop.sync()
    phone.sync()
    assert any("SUMMARY:From khal" in text for text in phone.texts().values())
    assert "STATUS:COMPLETED" in phone.texts()["task"]

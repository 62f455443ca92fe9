"""Programs that read a feed: vdirsyncer, vobject and ical.js (our own tests read it with icalendar)."""

import json
from pathlib import Path

import requests

from tests.conformance.conftest import Trial
from tests.conformance.packages import javascript, python_tool
from tests.conformance.processes import run
from tests.conformance.site import BOOKINGS

_CONFIG = """[general]
status_path = "{folder}/status"
[pair both]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"
[storage there]
type = "http"
url = "{url}"
"""
_VOBJECT = "import vobject; print(len(vobject.readOne(open('feed.ics', newline='').read()).vevent_list))"
_ICAL_JS = """import ICAL from 'ical.js';
import { readFileSync } from 'node:fs';
const calendar = new ICAL.Component(ICAL.parse(readFileSync('feed.ics', 'utf8')));
for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
const starts = calendar.getAllSubcomponents('vevent').map((each) => new ICAL.Event(each).startDate.toJSDate());
console.log(JSON.stringify(starts));
"""


def test_vdirsyncer_pulls_every_booking_once(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    config = tmp_path / "config"
    config.write_text(_CONFIG.format(folder=tmp_path, url=trial.site.feed))
    for command in ("discover", "sync"):
        done = run([python_tool("vdirsyncer"), "-c", config, command], tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "files").iterdir())) == BOOKINGS
    again = run([python_tool("vdirsyncer"), "-c", config, "sync"], tmp_path)
    assert "Copying" not in again.stdout + again.stderr


def test_vobject_reads_every_booking(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "feed.ics").write_bytes(requests.get(trial.site.feed, timeout=30).content)
    done = run([python_tool("python"), "-c", _VOBJECT], tmp_path)
    assert done.stdout.strip() == str(BOOKINGS), done.stderr


def test_ical_js_reads_every_booking_at_its_time(trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "feed.ics").write_bytes(requests.get(trial.site.feed, timeout=30).content)
    (tmp_path / "read.mjs").write_text(_ICAL_JS)
    (tmp_path / "node_modules").symlink_to(javascript() / "node_modules")
    done = run(["node", "read.mjs"], tmp_path)
    starts = json.loads(done.stdout or "null")
    assert len(starts) == BOOKINGS, done.stderr
    assert all(start.endswith("T10:00:00.000Z") for start in starts)

"""The pages of weekly hours, other days and time off, and what bad input gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


WEEK = {"name": "Hours", "timezone": "Europe/Berlin", "action": "save"}

WRONG_WEEKS: Sequence[tuple[Mapping[str, Any], str]] = [
    ({"mon.begin": "09:00"}, "needs a begin and an end"),
    ({"mon.begin": "25:00", "mon.end": "26:00"}, "Times are written like 09:00"),
    ({"mon.begin": ["09:00"] * 30, "mon.end": ["17:00"] * 30}, "At most 24 ranges a day"),
    ({"timezone": "Mars/Olympus"}, "is not a time zone"),
    ({"holiday_country": "XX"}, "public holidays of this country are not known"),
    ({"name": ""}, "Please enter a name"),
]


async def test_hours_may_go_round_the_clock(api: Api, owner: Visitor) -> None:
    """A range that ends when it begins runs until then the next day."""
    path = f"/app/availability/{api.acme.schedule.id}"
    assert (await owner.post(path, **WEEK, **{"mon.begin": "09:00", "mon.end": "09:00"})).status_code == 303
    override = {"override.date": "2027-12-31", "override.begin": "18:00", "override.end": "18:00"}
    assert (await owner.post(f"{path}/overrides", **override)).status_code == 303
    shown = (await api.get(f"/schedules/{api.acme.schedule.id}", api.acme.owner)).json()
    assert shown["weekly"]["mon"] == [["09:00", "09:00"]]
    assert shown["overrides"] == [{"date": "2027-12-31", "ranges": [["18:00", "18:00"]]}]
    page = await owner.get(path)
    assert "18:00 – 18:00 the next day" in words(page) or "6:00 pm – 6:00 pm the next day" in words(page).lower()
    assert page.text.count('value="09:00"') >= 2


async def test_hours_that_make_no_sense_are_refused_and_nothing_is_written(api: Api, owner: Visitor) -> None:
    path = f"/app/availability/{api.acme.schedule.id}"
    before = await snapshot(api.database)
    for changed, message in WRONG_WEEKS:
        answer = await owner.post(path, **{**WEEK, **changed})
        assert (changed, answer.status_code, message in words(answer)) == (changed, 400, True)
    for part, fields, message in (
        ("overrides", {"override.date": "31.12.2027"}, "enter the date"),
        ("overrides", {"override.date": "2027-12-31", "override.begin": "9"}, "needs a begin and an end"),
        ("exclusions", {"exclusion.first": ""}, "enter the first day"),
        ("exclusions", {"exclusion.first": "2027-05-02", "exclusion.last": "2027-05-01"}, "lies before the first"),
        ("exclusions", {"exclusion.first": "2027-05-02", "exclusion.reason": "x" * 501}, "below 500 characters"),
        ("time-off", {"away.first": "2027-05-02", "away.last": "2027-05-01"}, "ends after it begins"),
        ("time-off", {"away.first": "2027-05-02", "away.from": "noon"}, "written like 09:00"),
        ("time-off", {"away.first": "9990-01-01", "away.last": "1971-01-01"}, "ends after it begins"),
        ("copy", {"new.name": "x\x00"}, "enter a name"),
    ):
        answer = await owner.post(f"{path}/{part}", **fields)
        assert (part, fields, answer.status_code, message in words(answer)) == (part, fields, 400, True)
    assert await snapshot(api.database) == before


async def test_midnight_and_copied_days_mean_what_the_form_shows(api: Api, owner: Visitor) -> None:
    path = f"/app/availability/{api.acme.schedule.id}"
    late = {"mon.begin": "18:00", "mon.end": "00:00", "tue.begin": ["10:00", ""], "tue.end": ["12:00", ""]}
    copied = await owner.post(path, **{**WEEK, **late, "action": "copy-mon"})
    assert (copied.status_code, copied.text.count('value="18:00"')) == (200, 5)
    more = await owner.post(path, **{**WEEK, **late, "action": "add-sun"})
    assert (more.status_code, "Sunday, range 1: from" in more.text) == (200, True)
    assert (await owner.post(path, **{**WEEK, **late})).status_code == 303
    kept = (await api.get(f"/schedules/{api.acme.schedule.id}", api.acme.owner)).json()["weekly"]
    assert (kept["mon"], kept["tue"], kept["wed"]) == ([["18:00", "24:00"]], [["10:00", "12:00"]], [])
    assert 'value="00:00"' in (await owner.get(path)).text

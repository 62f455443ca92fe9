"""The pages of links and one-time links, and what bad input gets.

It is Monday 2027-03-01, 07:00 in Berlin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, value_of, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


GOOD_LINK: Mapping[str, Any] = {
    "title": "Review", "durations": ["30", "60"], "period": "days", "horizon_days": "30", "notice": "2",
    "notice_unit": "hours", "buffer_before": "0", "buffer_after": "15", "location": "none",
}  # fmt: skip


async def test_a_link_is_made_from_its_form(api: Api, owner: Visitor) -> None:
    answer = await owner.post("/app/links/new", **GOOD_LINK, custom="45; 90", description="Hello\r\nthere")
    assert answer.status_code == 303
    shown = await api.get(answer.headers["location"].removeprefix("/app").partition("?")[0], api.acme.owner)
    link = shown.json()
    assert (link["slug"], link["durations"], link["minimum_notice"]) == ("review", [30, 45, 60, 90], 120)
    assert (link["horizon_days"], link["buffer_after"], link["description"]) == (30, 15, "Hello\nthere")


WRONG_LINKS: Sequence[tuple[Mapping[str, Any], str]] = [
    ({"title": ""}, "Please enter a title"),
    ({"title": "x" * 201}, "Please enter a title"),
    ({"title": "x\x07"}, "Please enter a title"),
    ({"description": "x" * 1_000_000}, "below 5000 characters"),
    ({"slug": "Über uns"}, "lower-case letters"),
    ({"slug": "intro"}, "Another link of your organization has this address"),
    ({"durations": []}, "choose at least one length"),
    ({"custom": "0"}, "lengths of 1 to 1440 minutes"),
    ({"custom": "1441"}, "lengths of 1 to 1440 minutes"),
    ({"custom": "soon"}, "lengths of 1 to 1440 minutes"),
    ({"custom": ",".join(str(n) for n in range(1, 40))}, "At most 20 lengths"),
    ({"step": "-5"}, "1 to 1440 minutes, or nothing"),
    ({"buffer_before": ""}, "0 to 1440 minutes"),
    ({"buffer_after": "1e3"}, "0 to 1440 minutes"),
    ({"notice": "400", "notice_unit": "days"}, "A year at most"),
    ({"notice_unit": "weeks"}, "minutes, hours or days"),
    ({"horizon_days": "99999999999999999999"}, "0 to 3650 days"),
    ({"period": "range", "range_first": "2027-03-05", "range_last": "2027-03-01"}, "last day lies before the first"),
    ({"period": "range", "range_first": "soon"}, "Please enter the first day"),
    ({"period": "whenever"}, "until when times are offered"),
    ({"max_per_day": "0"}, "1 to 1000, or nothing"),
    ({"location": "link", "location_value": "javascript:alert(1)"}, "beginning with https://"),
    ({"location": "moon"}, "choose where it happens"),
    ({"schedule_id": "0190b0a0-0000-7000-8000-000000000000"}, "There is no such schedule"),
    ({"template_id": "0190b0a0-0000-7000-8000-000000000000"}, "There is no such template"),
    ({"schedule_id": "' OR 1=1"}, "There is no such schedule"),
]


async def test_a_link_form_that_is_wrong_says_so_at_the_field_and_keeps_the_rest(api: Api, owner: Visitor) -> None:
    before = await snapshot(api.database)
    for changed, message in WRONG_LINKS:
        answer = await owner.post("/app/links/new", **{**GOOD_LINK, "description": "Kept", **changed})
        told = words(answer)
        assert (message, answer.status_code) == (message, 409 if "Another link" in message else 400)
        assert (message, message in told) == (message, True)
        assert 'role="alert"' in answer.text
        if "description" not in changed:
            assert "Kept" in told
    assert await snapshot(api.database) == before


async def test_what_somebody_else_saved_first_is_not_overwritten_unasked(api: Api, owner: Visitor) -> None:
    path = f"/app/links/{api.acme.link.id}"
    seen = value_of(await owner.get(path), "version")
    form = {**GOOD_LINK, "slug": "intro"}
    assert (await owner.post(path, **{**form, "title": "First"}, version=seen)).status_code == 303
    late = await owner.post(path, **{**form, "title": "Second"}, version=seen)
    assert (late.status_code, "This was changed meanwhile" in words(late)) == (412, True)
    assert value_of(late, "title") == "Second"
    assert (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()["title"] == "First"
    again = await owner.post(path, **{**form, "title": "Second"}, version=value_of(late, "version"))
    assert again.status_code == 303
    assert (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()["title"] == "Second"


async def test_one_time_links_that_make_no_sense_are_refused(api: Api, owner: Visitor) -> None:
    path = f"/app/links/{api.acme.link.id}/one-time/new"
    before = await snapshot(api.database)
    good = {"choice": "free", "expires": "never", "action": "make"}
    for changed, message in (
        ({"recipient": "nobody"}, "e-mail address"),
        ({"expires": "until"}, "day and time it expires"),
        ({"expires": "until", "expires_at": "2020-01-01T10:00"}, "expiry lies in the past"),
        ({"expires": "until", "expires_at": "2027-04-01T10:00+02:00"}, "day and time it expires"),
        ({"choice": "picked"}, "pick at least one time"),
        ({"choice": "picked", "slots": "soon/30"}, "makes no sense"),
        ({"choice": "picked", "slots": "2020-01-01T10:00:00Z/30"}, "in the future"),
        ({"choice": "all"}, "choose what is offered"),
    ):
        answer = await owner.post(path, **{**good, **changed})
        assert (changed, answer.status_code, message in words(answer)) == (changed, 400, True)
    assert await snapshot(api.database) == before


async def test_what_people_wrote_is_shown_as_text(api: Api, owner: Visitor) -> None:
    evil = "<script>alert(1)</script>\"'>"
    await owner.post("/app/links/new", **{**GOOD_LINK, "title": evil, "slug": "evil", "description": evil})
    await owner.post("/app/phone/feeds", kind="busy", label=evil)
    for path in ("/app/links", "/app/phone"):
        answer = await owner.get(path)
        assert "<script>alert" not in answer.text
        assert "alert(1)" in words(answer)


async def test_a_link_says_why_a_time_is_not_offered(api: Api, owner: Visitor) -> None:
    path = f"/app/links/{api.acme.link.id}/why"
    assert f'href="{path}"' in (await owner.get(f"/app/links/{api.acme.link.id}")).text
    assert value_of(await owner.get(path), "start") == "2027-03-01T08:00"
    taken = words(await owner.get(f"{path}?start=2027-03-02T10:00&duration=30"))
    assert "not offered" in taken
    assert "Blocked by the booking “Intro call”, 10:00-10:45 with its buffers." in taken
    assert ": offered" in words(await owner.get(f"{path}?start=2027-03-03T10:30&duration=30"))
    for wrong in ("start=x&duration=30", "start=2027-03-02T10:00&duration=7", "start=2027-03-02T10:00"):
        answer = await owner.get(f"{path}?{wrong}")
        assert (wrong, answer.status_code) == (wrong, 400)

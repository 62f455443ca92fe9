"""The public pages over HTTP, on both engines: status, headers, refusals, and that nothing is written by halves.

It is Monday 2027-03-01, 07:00 in Berlin; hosts work from 09:00 to 17:00.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

import httpx
import pytest
from sqlalchemy import func, select, update

from app.config import Settings
from app.db import models as m
from tests.http.api import Api, client_of, running
from tests.http.workspace import Workspace, at, moment, settings_for

pytestmark = pytest.mark.anyio

INTRO = "/acme/intro"
FREE = at(3, 10)
GOOD: Mapping[str, str] = {
    "key": "a-key-of-this-form-alone",
    "start": moment(FREE),
    "duration": "30",
    "tz": "Europe/Berlin",
    "name": "Robin Recipient",
    "email": "Robin@Example.org",
    "answers.topic": "Plans",
}


@pytest.fixture
async def client(api: Api) -> httpx.AsyncClient:
    return client_of(api.app)


async def bookings(api: Api) -> int:
    async with api.database.read.connect() as connection:
        found: int = (await connection.execute(select(func.count()).select_from(m.bookings))).scalar_one()
        return found


def words(answer: httpx.Response) -> str:
    """The text a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


async def test_a_page_may_do_little_in_a_browser(client: httpx.AsyncClient) -> None:
    answer = await client.get(INTRO)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", answer.text)
    assert not re.search(r'(src|href)="(https?:)?//(?!127\.0\.0\.1)', answer.text)


async def test_free_times_are_told_in_the_zone_and_manner_asked_for(client: httpx.AsyncClient) -> None:
    british = await client.get(INTRO, headers={"Accept-Language": "en-GB"})
    assert "Berlin GMT+1, now 07:00" in words(british)
    assert "Monday, 1 March" in words(british)
    american = await client.get(INTRO, headers={"Accept-Language": "en-US", "Cookie": "timezone=America/New_York"})
    assert "New York GMT-5, now 1:00 AM" in words(american)
    assert "Monday, March 1" in words(american)
    chosen = await client.get(INTRO + "?tz=Asia/Calcutta", headers={"Cookie": "timezone=America/New_York"})
    assert "Kolkata GMT+5:30" in words(chosen)


async def test_a_strange_cookie_is_ignored(client: httpx.AsyncClient) -> None:
    for cookie in ("timezone=Mars/Olympus", "timezone=../../etc/passwd", 'timezone="', "timezone=%00"):
        answer = await client.get(INTRO, headers={"Cookie": cookie})
        assert answer.status_code == 200
        assert "Berlin" in words(answer)


SENSELESS = [
    "day=tomorrow", "day=0000-01-01", "day=9999-12-31", "month=2027-13", "month=x", "duration=-30", "duration=7",
    "duration=1e3", "tz=Mars/Olympus", "start=soon", "start=2027-03-03T09:00:00", f"tz={'x' * 5000}", "day=%00",
]  # fmt: skip


async def test_a_query_that_makes_no_sense_is_a_friendly_400(client: httpx.AsyncClient) -> None:
    for query in SENSELESS:
        answer = await client.get(f"{INTRO}?{query}")
        assert (query, answer.status_code) == (query, 400)
        assert "This address makes no sense to us" in words(answer)
        assert f'href="{INTRO}"' in answer.text


async def test_booking_leads_to_the_bookings_own_page(api: Api, client: httpx.AsyncClient) -> None:
    answer = await client.post(INTRO, data=GOOD)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert re.fullmatch(r"/booking/[A-Za-z0-9_-]+\?did=booked", address)
    assert answer.headers["referrer-policy"] == "no-referrer"
    shown = await client.get(address)
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert "You are booked" in words(shown)
    assert "robin@example.org" in words(shown)


WRONG: Sequence[tuple[Mapping[str, str], int, str]] = [
    ({"name": ""}, 400, "Please tell us your name"),
    ({"name": "x" * 1_000_000}, 400, "Please tell us your name"),
    ({"name": "Robin\x07"}, 400, "Please tell us your name"),
    ({"email": "robin"}, 400, "e-mail address"),
    ({"email": "a@example.org\r\nBcc: b@example.org"}, 400, "e-mail address"),
    ({"answers.topic": ""}, 400, "needs an answer"),
    ({"answers.topic": "x\x00y"}, 400, "Control characters"),
    ({"answers.size": "enormous"}, 400, "Choose among the options"),
    ({"answers.count": "1e999"}, 400, "A number is needed"),
    ({"guests": "nobody"}, 400, "not an e-mail address"),
    ({"notes": "x" * 5001}, 400, "below 5000 characters"),
    ({"start": ""}, 400, "choose a time"),
    ({"start": "2027-03-03T09:00:00"}, 400, "choose a time"),
    ({"start": moment(at(3, 10, 7))}, 400, "not offered"),
    ({"start": moment(at(3, 3))}, 400, "not offered"),
    ({"start": "2020-01-01T09:00:00Z"}, 400, "not offered"),
    ({"duration": "45"}, 400, "offers 30, 60 minutes"),
    ({"tz": "Mars/Olympus"}, 400, "is not a time zone"),
    ({"start": moment(at(2, 10))}, 409, "just taken"),
]
"""What is changed in a good form, and the status and words it is refused with."""


async def test_what_is_wrong_is_told_the_form_kept_and_nothing_written(api: Api, client: httpx.AsyncClient) -> None:
    before = await bookings(api)
    for changes, status, told in WRONG:
        answer = await client.post(INTRO, data={**GOOD, "notes": "Keep me", **changes})
        assert (told, answer.status_code) == (told, status)
        assert told in words(answer)
        assert answer.headers["cache-control"] == "no-store"
        assert "notes" in changes or "Keep me</textarea>" in answer.text
    assert await bookings(api) == before


async def test_a_taken_time_comes_with_near_free_ones(client: httpx.AsyncClient) -> None:
    answer = await client.post(INTRO, data={**GOOD, "start": moment(at(2, 10))})
    offered = re.findall(r'type="radio" name="start" value="([^"]+)"', answer.text)
    assert len(offered) == 5
    taken = await client.post(INTRO, data={**GOOD, "start": offered[0]})
    assert taken.status_code == 303


async def test_text_is_shown_as_text(client: httpx.AsyncClient) -> None:
    script = "<script>alert('x')</script>\"'&"
    answer = await client.post(INTRO, data={**GOOD, "name": script, "answers.topic": script})
    shown = await client.get(answer.headers["location"])
    assert script not in shown.text
    assert html.escape(script, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in shown.text


async def test_the_same_form_books_once_and_another_body_is_refused(api: Api, client: httpx.AsyncClient) -> None:
    before = await bookings(api)
    first, second = [await client.post(INTRO, data=GOOD) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    other = await client.post(INTRO, data={**GOOD, "name": "Somebody else"})
    assert other.status_code == 422
    assert await bookings(api) == before + 1


async def test_a_one_time_link_answers_its_own_form_again_but_nobody_elses(api: Api, client: httpx.AsyncClient) -> None:
    path = f"/b/{api.acme.one_time.token}"
    assert (await client.get(path)).headers["x-robots-tag"].startswith("noindex")
    first, again = [await client.post(path, data=GOOD) for _ in range(2)]
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    other = await client.post(path, data={**GOOD, "key": "another-key-entirely", "start": moment(at(4, 10))})
    assert other.status_code == 410
    assert "used already" in words(other)


async def test_an_evergreen_link_has_no_second_address(api: Api, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/b/{api.acme.token}")).status_code == 404
    assert (await client.get("/acme.intro/x")).status_code == 404


async def test_an_ended_link_is_said_to_be_so_before_a_form_is_judged(api: Api, client: httpx.AsyncClient) -> None:
    api.clock.now += 8 * 86400
    answer = await client.post(f"/b/{api.acme.one_time.token}", data={**GOOD, "name": ""})
    assert answer.status_code == 410
    assert "This link has expired" in words(answer)


async def test_a_calendar_that_cannot_be_read_is_told_and_the_form_kept(api: Api, client: httpx.AsyncClient) -> None:
    async with api.database.write.begin() as connection:
        await connection.execute(
            update(m.calendars).where(m.calendars.c.provider == "caldav").values(is_conflict=True, synced_at=None)
        )
    shown = await client.get(INTRO)
    assert shown.status_code == 503
    assert "The calendar cannot be reached" in words(shown)
    assert shown.headers["retry-after"]
    sent = await client.post(INTRO, data=GOOD)
    assert sent.status_code == 503
    assert 'value="Robin Recipient"' in sent.text


async def test_too_many_bookings_keep_the_form(settings: Settings, workspace: Workspace) -> None:
    limited = settings_for(
        settings.database_url, settings.data_dir, RATE_LIMIT_BOOKING="1/minute", RATE_LIMIT_PUBLIC="2/minute"
    )
    async with running(limited, workspace) as api:
        client = client_of(api.app)
        assert (await client.post(INTRO, data={**GOOD, "name": ""})).status_code == 400
        answer = await client.post(INTRO, data=GOOD)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert 'value="Robin Recipient"' in answer.text
        statuses = [(await client.get(INTRO)).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await client_of(api.app, "203.0.113.8").get(INTRO)).status_code == 200


async def test_a_booking_is_moved_and_cancelled_by_its_token_alone(api: Api, client: httpx.AsyncClient) -> None:
    path = f"/booking/{api.acme.booking.token}"
    page = await client.get(f"{path}/move")
    assert "Choose a new time" in words(page)
    moved = await client.post(
        f"{path}/move", data={"start": moment(at(4, 11)), "duration": "30", "tz": "Europe/Berlin", "version": "1"}
    )
    assert (moved.status_code, moved.headers["location"]) == (303, f"{path}?did=moved")
    again = await client.post(f"{path}/move", data={"start": moment(at(4, 11)), "duration": "30", "version": "1"})
    assert again.status_code == 303  # a second click
    stale = await client.post(f"{path}/cancel", data={"version": "1"})
    assert stale.status_code == 412
    assert "The booking was changed meanwhile" in words(stale)
    cancelled = await client.post(f"{path}/cancel", data={"version": "2", "reason": "Ill"})
    assert cancelled.headers["location"] == f"{path}?did=cancelled"
    assert "This booking was cancelled" in words(await client.get(path))


IMPOSSIBLE: Sequence[tuple[Mapping[str, str], int]] = [
    ({}, 400),
    ({"start": "soon", "duration": "30"}, 400),
    ({"start": moment(at(4, 11)), "duration": "x"}, 400),
    ({"start": moment(at(4, 11)), "duration": "30", "tz": "Mars/Olympus"}, 400),
    ({"start": moment(at(4, 3)), "duration": "30"}, 400),
    ({"start": moment(at(4, 11)), "duration": "45"}, 400),
    ({"start": moment(at(2, 14)), "duration": "30"}, 409),
]
"""Moves and the status they are refused with."""


async def test_a_move_that_cannot_be_is_refused(api: Api, client: httpx.AsyncClient) -> None:
    path = f"/booking/{api.acme.booking.token}"
    for form, status in IMPOSSIBLE:
        answer = await client.post(f"{path}/move", data=form)
        assert (form, answer.status_code) == (form, status)
    assert "Tuesday, March 2, 2027" in words(await client.get(path))


async def test_a_long_reason_is_refused_and_kept(api: Api, client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/booking/{api.acme.booking.token}/cancel", data={"reason": "x" * 501})
    assert answer.status_code == 400
    assert "x" * 501 in answer.text
    assert "below 500 characters" in words(answer)


async def test_what_is_over_is_not_changed(api: Api, client: httpx.AsyncClient) -> None:
    api.clock.now = at(2, 11)
    path = f"/booking/{api.acme.booking.token}"
    for form in ({"reason": "Late"}, {"start": moment(at(4, 11)), "duration": "30"}):
        answer = await client.post(f"{path}/{'cancel' if 'reason' in form else 'move'}", data=form)
        assert answer.status_code == 422
    assert "This booking is over" in words(await client.get(path))


async def test_addresses_that_are_nobodys(client: httpx.AsyncClient) -> None:
    for path in ("/acme", "/acme/x", "/b/x", "/booking/x", "/booking/x/move", "/a/b/c", "/%00/x"):
        answer = await client.get(path)
        assert (path, answer.status_code) == (path, 404)
        assert "We cannot find this page" in words(answer)


async def test_links_on_error_pages_stay_on_this_host(client: httpx.AsyncClient) -> None:
    answer = await client.get("//evil.example/x?day=nonsense")
    assert answer.status_code in {400, 404}
    assert not re.search(r'(href|action)="(//|/\\|[a-z]+:)', answer.text)


async def test_programs_get_problems_instead_of_pages(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/nothing", "/api/nothing", "/dav/nothing-here", "/feeds/unknown.ics"):
        answer = await client.get(path)
        assert "text/html" not in answer.headers.get("content-type", ""), path


async def test_other_methods_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.put(INTRO)).status_code == 405
    assert (await client.post(INTRO, content=b"[1]", headers={"Content-Type": "application/json"})).status_code == 400


async def test_static_files_are_kept_for_good_under_their_own_address(client: httpx.AsyncClient) -> None:
    page = await client.get(INTRO)
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    assert len(addresses) >= 3
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    style = next(address for address in addresses if address.endswith(".css"))
    name = style.rpartition("/")[2]
    old = await client.get(f"/static/0123456789ab/{name}")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    plain = await client.get(style, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in plain.headers
    for missing in ("nothing.css", "../main.py", "..%2fmain.py", "%2e%2e/main.py", "halfpast.css/x"):
        assert (await client.get(f"/static/0123456789ab/{missing}")).status_code == 404


async def test_those_who_ask_for_an_icon_or_rules_get_them(client: httpx.AsyncClient) -> None:
    assert (await client.get("/favicon.ico")).headers["content-type"] == "image/svg+xml"
    assert "Disallow: /booking/" in (await client.get("/robots.txt")).text


async def test_pages_travel_compressed(api: Api, client: httpx.AsyncClient) -> None:
    """All but those of signed-in people, whose length must not tell of the token in their forms."""
    zipped = {"Accept-Encoding": "gzip"}
    for path in (INTRO, f"/b/{api.acme.one_time.token}", f"/booking/{api.acme.booking.token}/move"):
        assert (await client.get(path, headers=zipped)).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in (await client.get("/", headers=zipped)).headers

"""Setting up a phone: the link it scans, the profile, the devices and when they were seen, calendars, feeds."""

from __future__ import annotations

import html
import plistlib
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.calendars import PERSONAL
from app.ports.outbox import Job
from app.wiring import HANDLERS
from tests.http.api import Api, client_of
from tests.http.signed_in import Visitor, enter, ports_of, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

ADDRESS = re.compile(r"http://127\.0\.0\.1:8000(/app/phone/set-up/[A-Za-z0-9_-]+)")
PASSWORD = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){4}")


@pytest.fixture
async def phone(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A phone on which nobody is signed in."""
    async with client_of(api.app, address="203.0.113.99") as made:
        yield made


async def offered(owner: Visitor, label: str = "My phone") -> str:
    """The path of a new link."""
    answer = await owner.post("/app/phone/set-up", phone=label)
    assert answer.status_code == 200
    assert "<svg" in answer.text
    found = ADDRESS.search(answer.text)
    assert found
    return found[1]


async def signs_in(api: Api, password: str, handle: str) -> bool:
    async with ports_of(api).read() as work:
        return await work.calendars.dav_access(handle, password, None) is not None


async def labels(api: Api) -> list[str]:
    async with ports_of(api).read() as work:
        return [each.label for each in await work.tokens.app_passwords(api.acme.owner.user.id)]


async def test_looking_at_a_link_changes_nothing(api: Api, owner: Visitor, phone: httpx.AsyncClient) -> None:
    path = await offered(owner)
    before = await snapshot(api.database)
    for method in ("GET", "HEAD", "GET"):
        answer = await phone.request(method, path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert not PASSWORD.search(answer.text)
    assert await snapshot(api.database) == before
    assert "My phone" not in await labels(api)


async def test_an_iphone_downloads_a_profile_with_the_account(
    api: Api, owner: Visitor, phone: httpx.AsyncClient
) -> None:
    user, path = api.acme.owner.user, await offered(owner)
    taken = await phone.post(path, data={"device": "apple"})
    assert taken.status_code == 303
    for _ in range(2):  # Safari may ask twice
        answer = await phone.get(taken.headers["location"])
        assert answer.headers["content-type"] == "application/x-apple-aspen-config"
        assert answer.headers["cache-control"] == "no-store"
    profile = plistlib.loads(answer.content)
    [account] = profile["PayloadContent"]
    assert (profile["PayloadType"], account["PayloadType"]) == ("Configuration", "com.apple.caldav.account")
    assert (account["CalDAVHostName"], account["CalDAVPort"], account["CalDAVUseSSL"]) == ("127.0.0.1", 8000, False)
    assert account["CalDAVUsername"] == user.handle
    assert account["CalDAVPrincipalURL"] == f"http://127.0.0.1:8000/dav/principals/{user.handle}/"
    assert await signs_in(api, account["CalDAVPassword"], user.handle)
    assert "My phone" in await labels(api)
    api.clock.advance(61)
    assert (await phone.get(taken.headers["location"])).status_code == 404


async def test_other_devices_are_shown_what_they_need_this_once(
    api: Api, owner: Visitor, phone: httpx.AsyncClient
) -> None:
    path = await offered(owner, "Tablet")
    answer = await phone.post(path, data={"device": "other"})
    found = PASSWORD.search(answer.text)
    assert found
    assert "http://127.0.0.1:8000/dav/" in words(answer)
    assert await signs_in(api, found[0], api.acme.owner.user.handle)
    for again in (await phone.get(path), await phone.post(path, data={"device": "other"})):
        assert (again.status_code, "not good any more" in words(again)) == (404, True)
    assert (await labels(api)).count("Tablet") == 1


async def test_a_link_is_over_after_a_quarter_of_an_hour(api: Api, owner: Visitor, phone: httpx.AsyncClient) -> None:
    path = await offered(owner)
    api.clock.advance(15 * 60)
    assert (await phone.get(path)).status_code == (await phone.post(path)).status_code == 404
    assert "My phone" not in await labels(api)
    await offered(owner)
    async with api.database.read.connect() as connection:
        assert len((await connection.execute(select(m.phone_profiles))).all()) == 1  # the old one is forgotten


async def test_nothing_is_kept_of_a_link_that_was_taken(api: Api, owner: Visitor, phone: httpx.AsyncClient) -> None:
    """By a job of the outbox, when the minute is over."""
    await phone.post(await offered(owner), data={"device": "apple"})
    async with api.database.read.connect() as connection:
        [job] = (await connection.execute(select(m.outbox).where(m.outbox.c.kind == "forget_set_up"))).all()
    assert job.run_at == api.clock.now + 60
    api.clock.advance(60)
    work = Job(job.id, job.org_id, job.lane, job.kind, job.subject_id, {}, 1, 0)
    await HANDLERS["forget_set_up"](ports_of(api), work)
    async with api.database.read.connect() as connection:
        assert (await connection.execute(select(m.phone_profiles))).all() == []


async def test_neither_a_forged_link_nor_the_way_to_a_profile_opens_anything(
    api: Api, owner: Visitor, phone: httpx.AsyncClient
) -> None:
    path = await offered(owner)
    token = path.rpartition("/")[2]
    for wrong in (f"{path}x", "/app/phone/set-up/x", f"/app/phone/profile/{token}/halfpast.mobileconfig"):
        assert (await phone.get(wrong)).status_code == 404
    crossed = await phone.post(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert (await phone.get(path)).status_code == 200


async def test_a_link_of_somebody_who_left_is_over(api: Api, owner: Visitor, phone: httpx.AsyncClient) -> None:
    path = await offered(owner)
    async with api.database.write.begin() as connection:
        users = m.users.c
        await connection.execute(m.users.update().where(users.id == api.acme.owner.user.id).values(is_active=False))
    assert (await phone.post(path)).status_code == 404


async def test_the_page_tells_when_a_device_was_here(api: Api, owner: Visitor) -> None:
    async def seen() -> tuple[str, bool]:
        [device] = [each for each in (await owner.get("/app/phone/devices")).json() if each["label"] == "Watch"]
        assert device["seen"] in words(await owner.get("/app/phone"))
        return device["seen"], device["is_fresh"]

    made = await owner.post("/app/phone/passwords", device="Watch")
    found = PASSWORD.search(made.text)
    assert found
    assert await seen() == ("never seen", False)
    async with ports_of(api).unit_of_work() as work:
        access = await work.calendars.dav_access(api.acme.owner.user.handle, found[0], None)
        assert access
        await work.calendars.app_password_used(access[0], api.clock.now)
        await work.commit()
    for seconds, told in ((0, "seen just now"), (130, "last seen 2 minutes ago"), (3000, "last seen 52 minutes ago")):
        api.clock.advance(seconds)
        assert await seen() == (told, seconds < 900)


async def test_the_devices_of_others_are_not_told(api: Api) -> None:
    employee = await enter(api, api.acme.employee)
    assert (await employee.get("/app/phone/devices")).json() == []
    await employee.client.aclose()


async def test_a_calendar_of_ones_own_stops_blocking_and_blocks_again(api: Api, owner: Visitor) -> None:
    async def personal() -> Any:
        async with ports_of(api).read() as work:
            return await work.calendars.builtin_calendar(api.acme.owner.user.id, PERSONAL)

    calendar = await personal()
    assert calendar.is_conflict
    for blocks in ([], [calendar.id]):
        answer = await owner.post("/app/phone/calendars", shown=[calendar.id], blocks=blocks)
        assert answer.headers["location"] == "/app/phone?did=saved#calendars"
        assert (await personal()).is_conflict == bool(blocks)
    await owner.post("/app/phone/calendars")  # nothing was shown, so nothing was chosen
    assert (await personal()).is_conflict
    other = api.acme.calendar.id
    assert (await owner.post("/app/phone/calendars", shown=[other], blocks=[other])).status_code == 404


async def test_a_feed_of_a_link_is_made_with_its_options(api: Api, owner: Visitor) -> None:
    page = words(await owner.get("/app/phone"))
    assert "All bookings of the link “Intro call”" in page
    assert "whole organization" not in page
    kind = f"link:{api.acme.link.id}"
    chosen = {"kind": kind, "label": "Team", "past_days": "30", "future_days": "365", "alarms": "none"}
    made = await owner.post("/app/phone/feeds", **chosen)
    assert made.headers["location"] == "/app/phone?did=made#feeds"
    shown = await owner.get("/app/phone")
    assert "30 days back · 365 days ahead · no reminders" in words(shown)
    for wrong in ({"kind": "organization"}, {"kind": f"link:{api.umbrella.link.id}"}, {"kind": "link"}, {"kind": ""},
                  {"alarms": "x"}, {"past_days": "9999"}, {"future_days": "0"}):  # fmt: skip
        refused = await owner.post("/app/phone/feeds", **{**chosen, **wrong})
        assert (refused.status_code, "Please look at this field again" in words(refused)) == (400, True), wrong


async def test_a_feed_is_changed_on_a_page_of_its_own(api: Api, owner: Visitor) -> None:
    """What a program chose, and the form does not offer, is kept unless something else is chosen."""
    path = f"/app/phone/feeds/{api.acme.feed.id}"
    chosen = {"past_days": 12, "future_days": 45, "alarms": [10, 25]}
    await api.call("PATCH", f"/me/feeds/{api.acme.feed.id}", api.acme.owner, json=chosen)
    page = words(await owner.get(path))
    for offered in ("12 days", "45 days", "10, 25 minutes before"):
        assert offered in page
    form = {"label": "Tablet", "past_days": "12", "future_days": "45", "alarms": "10,25"}
    assert (await owner.post(path, **form)).headers["location"] == "/app/phone?did=saved#feeds"
    shown = words(await owner.get("/app/phone"))
    assert "Tablet" in shown
    assert "12 days back · 45 days ahead · reminders 10, 25 minutes before" in shown
    usual = {"label": "Tablet", "past_days": "90", "future_days": "", "alarms": ""}
    assert (await owner.post(path, **usual)).status_code == 303
    feed = (await api.get(f"/me/feeds/{api.acme.feed.id}", api.acme.owner)).json()
    assert (feed["past_days"], feed["future_days"], feed["alarms"], feed["label"]) == (90, None, None, "Tablet")
    assert feed["url"].endswith(f"/feeds/{api.acme.feed.token}.ics")
    for wrong in ({"label": ""}, {"label": "a\nb"}, {"alarms": "10,25"}, {"past_days": "9999"}, {"future_days": "0"}):
        refused = await owner.post(path, **{**usual, **wrong})
        assert (refused.status_code, "Please look at this field again" in words(refused)) == (400, True), wrong


async def test_a_feed_gets_into_every_calendar_by_a_link(owner: Visitor) -> None:
    text = (await owner.get("/app/phone")).text
    [webcal] = {html.unescape(each) for each in re.findall(r'href="(webcal:[^"]+)"', text)}
    links = [html.unescape(each) for each in re.findall(r'href="(https://[^"]+)"', text)]
    asked = {urlsplit(each).hostname: parse_qs(urlsplit(each).query) for each in links}
    assert asked["calendar.google.com"]["cid"] == [webcal]
    for host in ("outlook.live.com", "outlook.office.com"):
        assert asked[host]["url"] == [webcal.replace("webcal", "http", 1)]
        assert asked[host]["name"] == ["Phone"]


async def test_an_app_password_is_shown_once(owner: Visitor) -> None:
    made = await owner.post("/app/phone/passwords", device="Tablet")
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    shown = PASSWORD.search(words(made))
    assert shown
    later = words(await owner.get("/app/phone"))
    assert "Tablet" in later
    assert shown[0] not in later

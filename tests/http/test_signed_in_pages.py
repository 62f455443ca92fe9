"""The signed-in pages over HTTP, on both engines: who gets in, what a form must carry, and what bad input gets.

It is Monday 2027-03-01, 07:00 in Berlin.
"""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy import select, update

from app.config import Settings
from app.db import models as m
from app.domain.bookings import Recipient
from app.ports import Ports
from app.ports.calendar_edits import CalendarEdit
from app.use_cases.account_mail import password_address
from app.use_cases.book_slot import book_slot
from app.web.sessions import csrf_token
from tests.http.api import Api, client_of, running
from tests.http.databases import snapshot
from tests.http.workspace import NOW, PASSWORD, Company, Member, Workspace, at, request_at, settings_for

pytestmark = pytest.mark.anyio

EMAIL = "owner@acme.example.com"
PUBLIC_POSTS = {"/app/set-up", "/app/password/forgot", "/app/password/{signed:str}", "/app/connect/{signed:str}"}


@dataclass
class Visitor:
    """Somebody who is signed in: their client and what goes into their forms."""

    client: httpx.AsyncClient
    csrf: str

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        return await self.client.post(path, data={"csrf": self.csrf, **fields})


def ports_of(api: Api) -> Ports:
    ports: Ports = api.app.state.ports
    return ports


async def enter(api: Api, member: Member) -> Visitor:
    """A session without the sign-in form."""
    ports = ports_of(api)
    token = ports.vault.new_token()
    async with ports.unit_of_work() as work:
        await work.tokens.add_session(token, member.user, ports.clock(), ports.clock() + 3600)
        await work.commit()
    client = client_of(api.app)
    client.cookies.set("halfpast", token, domain="127.0.0.1")
    return Visitor(client, csrf_token(ports, token))


def words(answer: httpx.Response) -> str:
    """The text a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


def value_of(answer: httpx.Response, name: str) -> str:
    """The value of an input of the page."""
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', answer.text)
    assert tag, name
    value = re.search(r'value="([^"]*)"', tag[0])
    return html.unescape(value[1]) if value else ""


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(api.app) as made:
        yield made


@pytest.fixture
async def owner(api: Api) -> AsyncIterator[Visitor]:
    visitor = await enter(api, api.acme.owner)
    yield visitor
    await visitor.client.aclose()


async def test_signing_in_starts_a_session_in_a_cookie_that_scripts_cannot_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/", data={"email": EMAIL.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/bookings")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/app/links")).status_code == 200


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: httpx.AsyncClient) -> None:
    wrong = await client.post("/", data={"email": EMAIL, "password": "not-the-password"})
    unknown = await client.post("/", data={"email": "nobody@acme.example.com", "password": "not-the-password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(EMAIL, "x") == unknown.text.replace("nobody@acme.example.com", "x")
    assert value_of(wrong, "email") == EMAIL
    assert "not-the-password" not in wrong.text
    assert "set-cookie" not in wrong.headers


async def test_signing_in_never_goes_on_with_a_session_that_was_there_before(
    api: Api, client: httpx.AsyncClient
) -> None:
    client.cookies.set("halfpast", "planted-by-somebody", domain="127.0.0.1")
    await client.post("/", data={"email": EMAIL, "password": PASSWORD})
    first = client.cookies["halfpast"]
    assert first != "planted-by-somebody"
    await client.post("/", data={"email": EMAIL, "password": PASSWORD})
    second = client.cookies["halfpast"]
    assert second != first
    async with ports_of(api).read() as work:
        assert await work.tokens.session_user(first, NOW) is None
        assert await work.tokens.session_user(second, NOW) is not None


async def test_signing_out_ends_the_session_and_not_just_the_cookie(api: Api, owner: Visitor) -> None:
    token = owner.client.cookies["halfpast"]
    answer = await owner.post("/app/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?did=out")
    async with ports_of(api).read() as work:
        assert await work.tokens.session_user(token, NOW) is None


async def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_and_back_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/bookings?view=past")
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address == "/?next=/app/bookings%3Fview%3Dpast"
    form = await client.get(address)
    assert value_of(form, "next") == "/app/bookings?view=past"
    entered = await client.post("/", data={"email": EMAIL, "password": PASSWORD, "next": "/app/bookings?view=past"})
    assert entered.headers["location"] == "/app/bookings?view=past"


ELSEWHERE = [
    "https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "/app\\..//evil.example.com",
    "javascript:alert(1)", "/app/x\r\nSet-Cookie: a=b", "/demo/intro", "/application", "http:/app/",
    "/app/@evil.example.com",
]  # fmt: skip


async def test_after_signing_in_nobody_is_sent_elsewhere(client: httpx.AsyncClient) -> None:
    for address in ELSEWHERE:
        answer = await client.post("/", data={"email": EMAIL, "password": PASSWORD, "next": address})
        assert (address, answer.headers["location"]) == (address, "/app/bookings")
        signed_in = await client.get("/", params={"next": address})
        assert (address, signed_in.headers["location"]) == (address, "/app/bookings")


async def test_a_bearer_token_opens_no_pages(api: Api, client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/bookings", headers={"Authorization": f"Bearer {api.acme.owner.token}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?next=/app/bookings")


async def test_a_sign_in_form_of_another_site_is_refused(client: httpx.AsyncClient) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://e.example"}):
        for path in ("/", "/app/password/forgot", "/app/set-up"):
            answer = await client.post(path, data={"email": EMAIL, "password": PASSWORD}, headers=headers)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


async def test_attempts_are_limited_by_address_and_by_account(settings: Settings, workspace: Workspace) -> None:
    strict = settings_for(settings.database_url, settings.data_dir, RATE_LIMIT_LOGIN="3/minute")
    async with running(strict, workspace) as api:
        for number in range(3):
            answer = await client_of(api.app, f"203.0.113.{number}").post("/", data={"email": EMAIL, "password": "x"})
            assert answer.status_code == 401
        by_account = await client_of(api.app, "203.0.113.9").post("/", data={"email": EMAIL, "password": PASSWORD})
        assert by_account.status_code == 429
        assert int(by_account.headers["retry-after"]) > 0
        for number in range(4):
            by_address = await client_of(api.app, "198.51.100.1").post(
                "/app/password/forgot", data={"email": f"user{number}@acme.example.com"}
            )
        assert by_address.status_code == 429


def addresses(api: Api, method: str, company: Company) -> list[tuple[str, str]]:
    """(route, path with the ids of a company's things) of all signed-in routes of a method."""
    ids: Sequence[tuple[str, str]] = [
        ("/bookings/{booking_id:uuid}", f"/bookings/{company.booking.id}"),
        ("/links/{link_id:uuid}", f"/links/{company.link.id}"),
        ("/edits/{booking_id:uuid}", f"/edits/{company.booking.id}"),
        ("{calendar_id:uuid}", company.calendar.id),
        ("{one_time_id:uuid}", company.one_time.id),
        ("{schedule_id:uuid}", company.schedule.id),
        ("{template_id:uuid}", company.template.id),
        ("{account_id:uuid}", company.account.id),
        ("{password_id:uuid}", company.app_password.id),
        ("{feed_id:uuid}", company.feed.id),
        ("{time_off_id:uuid}", company.time_off.id),
        ("{job_id:uuid}", company.dead_letter_id),
        ("{user_id:uuid}", company.employee.id),
        ("{step_name:str}", "complete"),
    ]
    found = []
    for route in api.app.routes:
        raw = route.path if isinstance(route, HTTPRoute) else ""
        if not isinstance(route, HTTPRoute) or not raw.startswith("/app") or method not in route.methods:
            continue
        if raw in PUBLIC_POSTS:
            continue
        path = raw
        for pattern, value in ids:
            path = path.replace(pattern, value)
        found.append((raw, path))
    return found


async def test_no_form_works_without_its_token_or_with_anothers(api: Api, owner: Visitor) -> None:
    """Every route that changes something, found in the application itself."""
    before = await snapshot(api.database)
    other = await enter(api, api.acme.admin)
    before |= {"sessions": (await snapshot(api.database))["sessions"]}
    routes = addresses(api, "POST", api.acme)
    assert len(routes) > 35
    for _, path in routes:
        for sent in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": other.csrf}):
            answer = await owner.client.post(path, data=sent)
            assert (path, sent, answer.status_code) == (path, sent, 403)
    assert await snapshot(api.database) == before


async def test_nothing_of_another_organization_can_be_seen_or_changed(api: Api, owner: Visitor) -> None:
    """Every route with an id in it, with the ids of somebody else's things: the answer for what does not exist."""
    visitor = await enter(api, api.acme.admin)
    before = await snapshot(api.database)
    for method in ("GET", "POST"):
        for route, path in addresses(api, method, api.umbrella):
            if "{" not in route or "{name:str}" in route:
                continue
            for who in (owner, visitor):
                answer = await (who.get(path) if method == "GET" else who.post(path, version="1"))
                assert (method, path, answer.status_code) in {(method, path, 404), (method, path, 403)}
                if answer.status_code == 403:  # the role is asked before the id, so that it tells nothing either
                    assert who is owner and "/people/" in path
                assert "umbrella" not in answer.text.lower()
    assert await snapshot(api.database) == before


CLOSED_TO_EMPLOYEES = (
    "/app/links",
    "/app/links/new",
    "/app/templates",
    "/app/templates/new",
    "/app/people",
    "/app/mail",
)
OPEN_TO_EMPLOYEES = ("/app/bookings", "/app/availability", "/app/connections", "/app/phone", "/app/settings")


async def test_employees_see_what_is_theirs(api: Api) -> None:
    employee = await enter(api, api.acme.employee)
    for path in OPEN_TO_EMPLOYEES:
        answer = await employee.get(path)
        assert (path, answer.status_code) == (path, 200)
        for closed in ("/app/links", "/app/templates", "/app/people", "/app/mail"):
            assert f'href="{closed}"' not in answer.text
    for path in CLOSED_TO_EMPLOYEES:
        assert (path, (await employee.get(path)).status_code) == (path, 403)
    assert "Rae Recipient" not in (await employee.get("/app/bookings")).text
    assert (await employee.get(f"/app/bookings/{api.acme.booking.id}")).status_code == 404
    before = await snapshot(api.database)
    for path in ("/app/links/new", "/app/templates/new", "/app/people", f"/app/links/{api.acme.link.id}/switch"):
        assert (path, (await employee.post(path, title="x", name="x")).status_code) == (path, 403)
    retried = await employee.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry")
    assert retried.status_code == 404
    assert await snapshot(api.database) == before


async def test_owners_reach_their_own_links_and_admins_all(api: Api, owner: Visitor) -> None:
    colleague = await enter(api, api.acme.colleague)
    admin = await enter(api, api.acme.admin)
    path = f"/app/links/{api.acme.link.id}"
    assert [(await who.get(path)).status_code for who in (owner, admin, colleague)] == [200, 200, 404]
    assert "Intro call" not in (await colleague.get("/app/links")).text
    assert [(await who.get("/app/people")).status_code for who in (owner, admin)] == [403, 200]


async def test_the_mail_folder_of_a_shared_server_is_nobodys_to_read(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    folder = api.app.state.mail_folder
    assert folder is not None
    for path in ("/app/mail", "/app/mail/x", "/app/mail/x/html", "/app/mail/x/raw"):
        answer = await admin.get(path)
        assert (path, answer.status_code, "share this server" in words(answer)) == (path, 403, True)
        assert 'href="/app/bookings"' in answer.text


async def test_pages_are_kept_by_nobody_and_do_little(owner: Visitor) -> None:
    answer = await owner.get("/app/phone")
    assert answer.headers["cache-control"] == "no-store"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "content-encoding" not in answer.headers  # secrets and what strangers wrote are never compressed together
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", answer.text)


async def test_a_reset_is_answered_alike_for_known_and_unknown_addresses(api: Api, client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/app/password/forgot", data={"email": email}) for email in (EMAIL, "nobody@acme.example.com")
    ]
    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, "/app/password/forgot?sent")}
    assert answers[0].content == answers[1].content
    async with api.database.read.connect() as connection:
        lanes = await connection.scalars(select(m.outbox.c.lane).where(m.outbox.c.kind == "account_mail"))
        assert list(lanes) == [f"user:{api.acme.owner.id}:password_reset"]


async def test_a_mailed_address_sets_the_password_once_and_ends_all_sessions(
    api: Api, owner: Visitor, client: httpx.AsyncClient
) -> None:
    address = password_address(ports_of(api), api.acme.owner.user, 3600).removeprefix("http://127.0.0.1:8000")
    assert EMAIL in words(await client.get(address))
    short = await client.post(address, data={"password": "short"})
    assert (short.status_code, "at least 10" in words(short)) == (400, True)
    done = await client.post(address, data={"password": "a brand new password"})
    assert (done.status_code, done.headers["location"]) == (303, "/?did=password")
    assert (await owner.get("/app/bookings")).headers["location"].startswith("/?next=")
    again = await client.post(address, data={"password": "another password"})
    assert (again.status_code, "not good any more" in words(again)) == (404, True)
    entered = await client.post("/", data={"email": EMAIL, "password": "a brand new password"})
    assert entered.headers["location"] == "/app/bookings"


async def test_forged_and_old_addresses_set_nothing(api: Api, client: httpx.AsyncClient) -> None:
    address = password_address(ports_of(api), api.acme.owner.user, 3600).removeprefix("http://127.0.0.1:8000")
    before = await snapshot(api.database)
    for forged in (address[:-2] + "xx", "/app/password/x", "/app/password/" + "y" * 4000):
        for answer in (await client.get(forged), await client.post(forged, data={"password": "a brand new password"})):
            assert (answer.status_code, "not good any more" in words(answer)) == (404, True)
    assert await snapshot(api.database) == before


async def test_changing_ones_password_needs_the_old_one_and_keeps_only_this_browser(api: Api, owner: Visitor) -> None:
    elsewhere = await enter(api, api.acme.owner)
    path, new = "/app/settings/password", "a brand new password"
    refused = await owner.post(path, old_password="wrong", new_password=new)
    assert (refused.status_code, "not your present password" in words(refused)) == (400, True)
    short = await owner.post(path, old_password=PASSWORD, new_password="short")
    assert (short.status_code, "at least 10" in words(short)) == (400, True)
    before = owner.client.cookies["halfpast"]
    done = await owner.post(path, old_password=PASSWORD, new_password=new)
    assert done.headers["location"] == "/app/settings?did=password-changed"
    assert owner.client.cookies["halfpast"] != before
    assert (await owner.get("/app/settings")).status_code == 200
    assert (await elsewhere.get("/app/settings")).status_code == 303


async def test_what_was_done_in_ones_own_calendar_is_asked_about(api: Api, owner: Visitor) -> None:
    booking, calendar, ports = api.acme.booking, api.acme.calendar, ports_of(api)
    edit = CalendarEdit(
        booking.id, calendar.id, booking.org_id, calendar.user_id, "moved", at(4, 15), at(4, 15, 30), True, NOW
    )
    async with ports.unit_of_work() as work:
        await work.calendar_edits.put(edit)
        await work.commit()
    shown = words(await owner.get("/app/bookings"))
    assert "Changed in your calendar" in shown
    assert "Moved in your calendar to Thursday, March 4" in shown
    path = f"/app/edits/{booking.id}/{calendar.id}"
    admin = await enter(api, api.acme.admin)
    assert "Changed in your calendar" not in words(await admin.get("/app/bookings"))
    assert (await admin.post(path, answer="accept")).status_code == 404
    assert (await owner.post(path, answer="nonsense")).status_code == 404
    # The event was never written there, so there is nothing to follow any more.
    assert (await owner.post(path, answer="put-back")).status_code == 404
    assert "Changed in your calendar" not in words(await owner.get("/app/bookings"))


async def test_an_admin_decides_for_the_organization(api: Api) -> None:
    ports, org_id, admin = ports_of(api), api.acme.organization.id, await enter(api, api.acme.admin)
    kept = {"organization_name": "Acme & Daughters", "complete_after_minutes": "0", "hold_minutes": "120"}
    done = await admin.post("/app/settings/organization", **kept)
    assert done.headers["location"] == "/app/settings?did=saved"
    async with ports.read() as work:
        found = await work.people.organization(org_id)
    assert found is not None
    assert (found.name, found.complete_after_minutes, found.hold_minutes) == ("Acme & Daughters", 0, 120)
    page = await admin.get("/app/settings")
    assert {name: value_of(page, name) for name in kept} == kept

    employee = await enter(api, api.acme.employee)
    before = await snapshot(api.database)
    wrong = {"organization_name": " ", "hold_minutes": "4", "complete_after_minutes": "soon"}
    for field, value in wrong.items():
        refused = await admin.post("/app/settings/organization", **{**kept, field: value})
        assert refused.status_code == 400, (field, value)
        assert value_of(refused, field) == value.strip()
    assert (await employee.post("/app/settings/organization", **kept)).status_code == 403
    assert "Your organization" not in words(await employee.get("/app/settings"))
    assert await snapshot(api.database) == before


async def test_signing_out_everywhere_else(api: Api, owner: Visitor) -> None:
    elsewhere = await enter(api, api.acme.owner)
    await owner.post("/app/settings/sign-out-everywhere")
    assert (await owner.get("/app/settings")).status_code == 200
    assert (await elsewhere.get("/app/settings")).status_code == 303


async def test_set_up_is_done_once(api: Api, client: httpx.AsyncClient) -> None:
    before = await snapshot(api.database)
    answer = await client.post(
        "/app/set-up",
        data={
            "organization": "Second",
            "name": "Eve",
            "email": "eve@example.com",
            "password": "a long password",
            "timezone": "UTC",
        },
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await snapshot(api.database) == before


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


GOOD_TEMPLATE: Mapping[str, Any] = {
    "name": "Asked", "count": "2", "q0.label": "Topic", "q0.kind": "short", "q1.id": "size", "q1.label": "How big?",
    "q1.kind": "choice", "q1.options": "small\r\nlarge\r\n\r\nsmall", "q1.required": "yes", "followup_delay": "1",
    "followup_unit": "hours", "action": "save",
}  # fmt: skip


async def test_questions_are_kept_in_order_and_keep_their_ids(api: Api, owner: Visitor) -> None:
    assert (await owner.post("/app/templates/new", **GOOD_TEMPLATE)).status_code == 303
    made = next(
        each for each in (await api.get("/templates", api.acme.owner)).json()["items"] if each["name"] == "Asked"
    )
    assert [question["id"] for question in made["questions"]] == ["topic", "size"]
    assert made["questions"][1]["options"] == ["small", "large"]
    moved = await owner.post(f"/app/templates/{made['id']}", **{**GOOD_TEMPLATE, "action": "up-1"})
    assert (moved.status_code, value_of(moved, "q0.id"), value_of(moved, "q1.label")) == (200, "size", "Topic")
    fewer = await owner.post(f"/app/templates/{made['id']}", **{**GOOD_TEMPLATE, "action": "drop-0"})
    assert (value_of(fewer, "count"), value_of(fewer, "q0.label")) == ("1", "How big?")
    assert (await api.get(f"/templates/{made['id']}", api.acme.owner)).json() == made


WRONG_TEMPLATES: Sequence[tuple[Mapping[str, Any], str]] = [
    ({"name": ""}, "Please enter a name"),
    ({"q0.label": ""}, "Please enter the question"),
    ({"q0.kind": "essay"}, "choose the kind of answer"),
    ({"q1.options": " \n"}, "options to choose from"),
    ({"q1.options": "\n".join(str(n) for n in range(200))}, "At most 100 options"),
    ({"followup": "yes"}, "enter a subject"),
    ({"followup": "yes", "followup_subject": "x", "followup_body": "y", "followup_delay": "50000"}, "At most 30 days"),
    ({"count": "60"}, "Please enter the question"),
]  # fmt: skip


async def test_questions_that_make_no_sense_are_refused(api: Api, owner: Visitor) -> None:
    before = await snapshot(api.database)
    for changed, message in WRONG_TEMPLATES:
        answer = await owner.post("/app/templates/new", **{**GOOD_TEMPLATE, **changed})
        assert (changed, answer.status_code, message in words(answer)) == (changed, 400, True)
    assert await snapshot(api.database) == before


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


async def test_inviting_mails_an_address_and_refuses_who_is_here_already(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    new = {"name": "Nora New", "email": "nora@example.com", "roles": ["owner", "employee"]}
    answer = await admin.post("/app/people", **new)
    assert answer.headers["location"] == "/app/people?did=invited"
    assert "Nora New" in words(await admin.get("/app/people?did=invited"))
    before = await snapshot(api.database)
    for changed, status, message in (
        ({"email": "NORA@example.com"}, 409, "here already"),
        ({"email": "owner@umbrella.example.com"}, 409, "here already"),
        ({"email": "x", "name": "x"}, 400, "e-mail address"),
        ({"email": "x@example.com", "name": ""}, 400, "enter the name"),
        ({"email": "x@example.com", "roles": []}, 400, "at least one role"),
        ({"email": "x@example.com", "roles": ["root"]}, 400, "at least one role"),
    ):
        refused = await admin.post("/app/people", **{**new, **changed})
        assert (changed, refused.status_code, message in words(refused)) == (changed, status, True)
    assert await snapshot(api.database) == before


async def test_an_app_password_is_shown_once(owner: Visitor) -> None:
    made = await owner.post("/app/phone/passwords", device="Tablet")
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    shown = re.search(r"[a-z2-9]{5}(-[a-z2-9]{5}){4}", words(made))
    assert shown
    later = words(await owner.get("/app/phone"))
    assert "Tablet" in later
    assert shown[0] not in later


async def test_a_booking_takes_only_steps_its_state_allows(api: Api, owner: Visitor) -> None:
    path = f"/app/bookings/{api.acme.booking.id}"
    version = str(api.acme.booking.version)
    refused = await owner.post(f"{path}/confirm", version=version)
    assert (refused.status_code, "cannot be changed that way" in words(refused)) == (422, True)
    assert (await owner.post(f"{path}/explode", version=version)).status_code == 404
    late = await owner.post(f"{path}/complete", version="99")
    assert (late.status_code, "changed meanwhile" in words(late)) == (412, True)
    early = await owner.post(f"{path}/complete", version=version)
    assert (early.status_code, "has not begun yet" in words(early)) == (422, True)
    assert f'action="{path}/complete"' not in early.text
    async with api.database.write.begin() as connection:
        await connection.execute(update(m.bookings).values(start_at=api.clock.now))
    done = await owner.post(f"{path}/complete", version=version)
    assert done.headers["location"] == f"{path}?did=completed"
    assert "Set back to confirmed" in words(await owner.get(path))


async def test_a_request_is_approved_by_one_click(api: Api, owner: Visitor) -> None:
    assert "Rae Recipient" in words(await owner.get("/app/bookings?view=pending"))
    path = f"/app/bookings/{api.acme.pending.id}"
    answer = await owner.post(f"{path}/confirm", version=str(api.acme.pending.version))
    assert answer.headers["location"] == f"{path}?did=confirmed"
    assert "Nothing to approve" in words(await owner.get("/app/bookings?view=pending"))


async def test_a_booking_tells_what_is_still_to_be_sent_and_what_was_given_up(api: Api, owner: Visitor) -> None:
    path = f"/app/bookings/{api.acme.booking.id}"
    told = words(await owner.get(path))
    assert "Mail to Rae Recipient On its way" in told
    assert "Mail to Owner On its way" in told
    async with api.database.write.begin() as connection:
        lane = f"booking:{api.acme.booking.id}:mail:recipient"
        values = {"state": "dead", "attempts": 12, "last_error": "ProviderFailure: The mail server is away."}
        await connection.execute(update(m.outbox).where(m.outbox.c.lane == lane).values(**values))
    shown = await owner.get(path)
    assert "Given up after 12 tries: The mail server is away." in words(shown)
    retry = re.search(r'action="(/app/undelivered/[^"]+/retry)"', shown.text)
    assert retry
    answer = await owner.post(retry[1], back=path)
    assert answer.headers["location"] == f"{path}?did=retried"
    assert "Given up" not in words(await owner.get(path))


async def test_past_bookings_and_one_time_links_stand_newest_first(api: Api, owner: Visitor) -> None:
    later = replace(request_at(at(3, 10)), recipient=Recipient("Later Guest", "later@example.org"))
    await book_slot(ports_of(api), "acme.intro", later)
    upcoming = words(await owner.get("/app/bookings"))
    assert upcoming.index("Rae Recipient") < upcoming.index("Later Guest")
    api.clock.now = at(10, 9)
    owner = await enter(api, api.acme.owner)
    past = words(await owner.get("/app/bookings?view=past"))
    assert past.index("Later Guest") < past.index("Rae Recipient")
    new = {"choice": "free", "expires": "never", "action": "make", "recipient": "newest@example.org"}
    await owner.post(f"/app/links/{api.acme.link.id}/one-time/new", **new)
    listed = words(await owner.get(f"/app/links/{api.acme.link.id}/one-time"))
    assert listed.index("newest@example.org") < listed.index("r@example.org", listed.index("newest@example.org") + 20)


async def test_what_could_not_be_delivered_is_told_and_tried_again(api: Api, owner: Visitor) -> None:
    assert "Mail about a booking" in words(await owner.get("/app/connections"))
    answer = await owner.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry", back="//evil.example.com")
    assert answer.headers["location"] == "/app/bookings?did=retried"
    assert "Everything arrived" in words(await owner.get("/app/connections"))
    again = await owner.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry")
    assert again.status_code == 404


async def test_a_broken_account_says_so_with_the_one_thing_to_do(api: Api, owner: Visitor) -> None:
    async with api.database.write.begin() as connection:
        await connection.execute(
            update(m.calendar_accounts)
            .where(m.calendar_accounts.c.id == api.acme.account.id)
            .values(status="error", error="calendar.example.com does not accept the user name or password.")
        )
    told = words(await owner.get("/app/connections"))
    assert "Needs you" in told
    assert "does not accept the user name or password" in told
    assert "type the new one here" in told
    assert told.count("New password") == 1
    assert "Try again" not in told.split("Not delivered")[0]
    assert "Read now" not in told


async def test_only_writable_calendars_of_ones_own_can_be_chosen(api: Api, owner: Visitor) -> None:
    before = await snapshot(api.database)
    for chosen in (api.umbrella.calendar.id, "x", ""):
        assert (await owner.post("/app/connections/write", calendar=chosen)).status_code == 404
    assert await snapshot(api.database) == before
    assert (await owner.post("/app/connections/write", calendar=api.acme.calendar.id)).status_code == 303
    assert "gets bookings" in words(await owner.get("/app/connections"))


async def test_what_people_wrote_is_shown_as_text(api: Api, owner: Visitor) -> None:
    evil = "<script>alert(1)</script>\"'>"
    await owner.post("/app/links/new", **{**GOOD_LINK, "title": evil, "slug": "evil", "description": evil})
    await owner.post("/app/phone/feeds", kind="busy", label=evil)
    for path in ("/app/links", "/app/phone"):
        answer = await owner.get(path)
        assert "<script>alert" not in answer.text
        assert "alert(1)" in words(answer)


async def test_a_senseless_query_is_a_friendly_400(owner: Visitor) -> None:
    for path in ("/app/bookings?cursor=x", "/app/links?cursor=%00", "/app/templates?cursor=" + "y" * 3000):
        assert (path, (await owner.get(path)).status_code) == (path, 400)
    assert (await owner.get("/app/bookings?view=nonsense")).status_code == 200
    assert (await owner.get("/app/bookings/not-an-id")).status_code == 404
    assert (await owner.get("/app/nowhere")).status_code == 404

"""An admin asks somebody to connect a calendar: a link by which they do, without a password here."""

from __future__ import annotations

import html
import re
import time
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from sqlalchemy import update

from app.config import Settings
from app.db import models as m
from app.use_cases.invite_to_connect import INVITATION_SECONDS
from tests.fakes.google import FakeGoogle
from tests.fakes.microsoft import FakeMicrosoft
from tests.http.api import Api, client_of
from tests.http.providers import (
    SITE,
    Browser,
    api,
    browser,
    certificate_authority,
    google,
    microsoft,
    ports_of,
    rows,
    work,
)
from tests.http.workspace import Member
from tests.support.prepared import snapshot

__all__ = ["api", "certificate_authority", "google", "microsoft"]  # fixtures
pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

THEIRS = "employee.at.home@example.com"


@pytest.fixture
async def admin(api: Api, google: FakeGoogle, microsoft: FakeMicrosoft) -> AsyncIterator[Browser]:
    """The admin's browser."""
    async with browser(api, google, microsoft, api.acme.admin) as made:
        yield made


@pytest.fixture
async def invited(api: Api, google: FakeGoogle, microsoft: FakeMicrosoft) -> AsyncIterator[Browser]:
    """A browser in which nobody is signed in; its person has an account at both providers."""
    google.person(THEIRS)
    microsoft.account(THEIRS)
    async with browser(api, google, microsoft) as made:
        yield made


async def ask(admin: Browser, member: Member) -> str:
    """Ask somebody; the link that the admin is shown."""
    answer = await admin.post(f"/app/people/{member.id}/ask")
    assert answer.status_code == 200, answer.text
    return link_in(html.unescape(answer.text))


def link_in(text: str) -> str:
    found = re.search(rf"{re.escape(SITE)}/app/connect/[\w.-]+", text)
    assert found, text
    return found[0]


def words(text: str) -> str:
    """What a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def onward(answer: Any) -> str:
    """Where the page between here and the provider leads."""
    assert answer.status_code == 200, answer.text
    address = str(answer.headers["refresh"]).removeprefix("0; url=")
    assert html.escape(address) in answer.text  # for browsers that do not follow it by themselves
    return address


async def connected(browser: Browser, link: str, provider: str, **chosen: str) -> str:
    """Go through all of it; where the browser ends."""
    address = onward(await browser.post(link, provider=provider))
    back = await browser.answer(address, **chosen)
    finished = await browser.get(back)
    assert finished.status_code == 303, finished.text
    return str(finished.headers["location"])


GOOGLE = {"provider": "google", "email": THEIRS, "answer": "allow"}
MICROSOFT = {"provider": "microsoft", "account": THEIRS, "decision": "accept"}


@pytest.mark.parametrize("how", [GOOGLE, MICROSOFT], ids=["google", "microsoft"])
async def test_somebody_who_was_asked_connects_without_a_password(
    api: Api, admin: Browser, invited: Browser, how: dict[str, str]
) -> None:
    link = await ask(admin, api.acme.employee)
    ended = await connected(invited, link, **how)
    assert ended == f"{link.removeprefix(SITE)}?did=connected"
    assert "Thank you" in words((await invited.get(ended)).text)
    (account,) = await rows(api, m.calendar_accounts, provider=how["provider"])
    assert (account["user_id"], account["username"], account["status"]) == (api.acme.employee.id, THEIRS, "ok")
    calendars = await rows(api, m.calendars, account_id=account["id"])
    assert [(each["is_conflict"], each["is_write"]) for each in calendars] == [(True, False)]


async def test_the_mail_brings_the_same_kind_of_link(
    api: Api, admin: Browser, invited: Browser, settings: Settings
) -> None:
    await ask(admin, api.acme.employee)
    await work(api)
    found = []
    for path in (settings.data_dir / "mail").glob("**/*.eml"):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        if api.acme.employee.user.email in str(mail["to"]) and "connect your calendar" in str(mail["subject"]):
            found.append(mail)
    (mail,) = found
    body = mail.get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert "Admin asks you" in text.replace("\n", " ")
    assert (await connected(invited, link_in(text), **GOOGLE)).endswith("?did=connected")


async def test_the_page_tells_who_asks_and_changes_nothing(api: Api, admin: Browser, invited: Browser) -> None:
    """Nor does it tell anything of the person: the link may have gone astray."""
    link = await ask(admin, api.acme.employee)
    before = await snapshot(api.database)
    answer = await invited.get(link)
    assert answer.status_code == 200
    text = words(answer.text)
    for told in ("Admin asks you to", "Acme", "Google", "Microsoft", "Sign in to Halfpast"):
        assert told in text
    employee = api.acme.employee.user
    for kept in (employee.name, employee.email, employee.id, employee.handle):
        assert kept not in answer.text.replace(link, "")
    assert "set-cookie" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert await snapshot(api.database) == before


async def test_the_link_signs_nobody_in(api: Api, admin: Browser, invited: Browser) -> None:
    link = await ask(admin, api.acme.employee)
    await connected(invited, link, **GOOGLE)
    for path in ("/app/bookings", "/app/connections"):
        assert (await invited.get(path)).headers["location"].startswith("/?next=")
    assert (await invited.get("/api/v1/me")).status_code == 401
    assert await rows(api, m.sessions, user_id=api.acme.employee.id) == []


async def test_it_is_connected_for_who_was_asked_not_for_who_is_signed_in(
    api: Api, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    google.person(THEIRS)
    link = await ask(admin, api.acme.employee)
    async with browser(api, google, microsoft, api.acme.owner) as shared:
        await connected(shared, link, **GOOGLE)
    (account,) = await rows(api, m.calendar_accounts, provider="google")
    assert account["user_id"] == api.acme.employee.id


async def test_an_answer_counts_only_in_the_browser_that_went(
    api: Api, admin: Browser, invited: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    """Else somebody could send a stranger their own answer, and have their calendar connected for the stranger."""
    link = await ask(admin, api.acme.employee)
    address = onward(await invited.post(link, provider="google"))
    back = await invited.answer(address, email=THEIRS, answer="allow")
    async with (
        browser(api, google, microsoft) as other,
        browser(api, google, microsoft, api.acme.employee) as signed_in,
    ):
        before = await snapshot(api.database)
        await other.post(link, provider="google")  # has a cookie, but of another trip
        for elsewhere in (other, signed_in):
            answer = await elsewhere.get(back)
            assert answer.headers["location"] == f"{link.removeprefix(SITE)}?did=sign-in-stale"
            assert "another browser" in words((await elsewhere.get(answer.headers["location"])).text)
    assert await snapshot(api.database) == before
    assert (await invited.get(back)).headers["location"].endswith("?did=connected")


async def test_the_cookie_is_for_this_site_alone(api: Api, admin: Browser, invited: Browser) -> None:
    link = await ask(admin, api.acme.employee)
    answer = await invited.post(link, provider="google")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-halfpast-trip=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=900"):
        assert part in cookie
    back = await invited.answer(onward(answer), email=THEIRS, answer="allow")
    assert "Max-Age=0" in (await invited.get(back)).headers["set-cookie"]


@pytest.mark.parametrize(
    "how", [{**GOOGLE, "answer": "refuse"}, {**MICROSOFT, "decision": "cancel"}], ids=["google", "microsoft"]
)
async def test_who_refuses_connects_nothing_and_may_try_again(
    api: Api, admin: Browser, invited: Browser, how: dict[str, str]
) -> None:
    link = await ask(admin, api.acme.employee)
    before = await snapshot(api.database)
    ended = await connected(invited, link, **how)
    page = words((await invited.get(ended)).text)
    assert "Nothing was connected" in page
    assert "Continue with Google" in page
    assert await snapshot(api.database) == before


async def test_a_link_lasts_a_week(api: Api, admin: Browser, invited: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    link, made = await ask(admin, api.acme.employee), int(time.time())
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: made + INVITATION_SECONDS - 60)
    assert (await invited.get(link)).status_code == 200
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: made + INVITATION_SECONDS + 60)
    await is_gone(api, invited, link)


async def is_gone(api: Api, browser: Browser, link: str) -> None:
    """Neither shown nor followed."""
    before = await snapshot(api.database)
    for answer in (await browser.get(link), await browser.post(link, provider="google")):
        assert answer.status_code == 404
        assert "not good any more" in words(answer.text)
        assert "set-cookie" not in answer.headers
        assert "refresh" not in answer.headers
    assert await snapshot(api.database) == before


async def test_a_forged_link_is_none(api: Api, admin: Browser, invited: Browser) -> None:
    """Nor is what was signed for something else."""
    link = await ask(admin, api.acme.employee)
    vault = ports_of(api).vault
    payload = {"user": api.acme.employee.id, "asker": api.acme.admin.id}
    for signed in (link[:-2] + ("AA" if not link.endswith("AA") else "BB"), f"{SITE}/app/connect/nonsense"):
        await is_gone(api, invited, signed)
    await is_gone(api, invited, f"{SITE}/app/connect/{vault.sign('password', payload)}")
    await is_gone(
        api,
        invited,
        f"{SITE}/app/connect/{vault.sign('calendar invitation', {**payload, 'asker': api.umbrella.admin.id})}",
    )
    password = await invited.get(f"/app/password/{link.rpartition('/')[2]}")
    assert password.status_code == 404


@pytest.mark.parametrize("who", ["employee", "admin"])
async def test_a_link_ends_with_who_was_asked_and_with_who_asked(
    api: Api, admin: Browser, invited: Browser, who: str
) -> None:
    """Also when they are on their way to the provider already."""
    link = await ask(admin, api.acme.employee)
    back = await invited.answer(onward(await invited.post(link, provider="google")), email=THEIRS, answer="allow")
    async with api.database.write.begin() as connection:
        switched_off = update(m.users).where(m.users.c.id == getattr(api.acme, who).id).values(is_active=False)
        await connection.execute(switched_off)
    await is_gone(api, invited, link)
    assert (await invited.get(back)).headers["location"] == "/app/connect/gone"
    assert (await invited.get("/app/connect/gone")).status_code == 404
    assert await rows(api, m.calendar_accounts, provider="google") == []


async def test_only_admins_ask_and_only_their_own_people(
    api: Api, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    before = await snapshot(api.database)
    for member in (api.acme.owner, api.acme.employee):
        async with browser(api, google, microsoft, member) as theirs:
            assert (await theirs.post(f"/app/people/{api.acme.employee.id}/ask")).status_code == 403
    assert (await admin.post(f"/app/people/{api.umbrella.employee.id}/ask")).status_code == 404
    assert (await client_post(api, f"/app/people/{api.acme.employee.id}/ask")) == 303
    after = await snapshot(api.database)
    assert {name: after[name] for name in after if name != "sessions"} == {
        name: before[name] for name in before if name != "sessions"
    }


async def client_post(api: Api, path: str) -> int:
    async with client_of(api.app, base_url=SITE) as nobody:
        return (await nobody.post(path)).status_code


async def test_nobody_is_sent_to_a_provider_that_is_none(api: Api, admin: Browser, invited: Browser) -> None:
    link = await ask(admin, api.acme.employee)
    for provider in ("caldav", "builtin", "", "https://evil.example"):
        answer = await invited.post(link, provider=provider)
        assert answer.status_code == 404
        assert "refresh" not in answer.headers


async def test_another_sites_form_starts_nothing(api: Api, admin: Browser, invited: Browser) -> None:
    link = await ask(admin, api.acme.employee)
    invited.client.headers["Sec-Fetch-Site"] = "cross-site"
    answer = await invited.post(link, provider="google")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers

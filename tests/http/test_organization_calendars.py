"""Calendars for a whole organization: what an admin of Google Workspace or Microsoft 365 grants, whom it connects, and
what is left when it, or one account of it, is taken back."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from app.db import models as m
from app.use_cases.book_slot import book_slot
from integrations.google.sign_in import CALENDAR_SCOPES
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grants import ServiceAccount
from tests.fakes.microsoft import FakeMicrosoft
from tests.http.api import Api
from tests.http.providers import (
    Browser,
    api,
    browser,
    certificate_authority,
    google,
    microsoft,
    ports_of,
    rows,
    work,
    workday,
)
from tests.http.workspace import Member, request_at
from tests.support.prepared import snapshot
from tests.support.waiting import eventually

__all__ = ["api", "certificate_authority", "google", "microsoft"]  # fixtures
pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

PAGE = "/app/people/calendars"


@pytest.fixture
async def admin(api: Api, google: FakeGoogle, microsoft: FakeMicrosoft) -> AsyncIterator[Browser]:
    """The browser of an admin; the owner and the employee have a calendar at both providers, the colleague at none."""
    for member in (api.acme.owner, api.acme.employee):
        google.person(member.user.email)
        microsoft.account(member.user.email)
    google.grants.grants.clear()  # nobody has granted anything for themselves
    microsoft.account(ADMIN_THERE)
    async with browser(api, google, microsoft, api.acme.admin) as made:
        yield made


ADMIN_THERE = "it@acme.example.com"


def words(text: str) -> str:
    """What a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


async def paste(admin: Browser, key: str) -> Any:
    return await admin.post(f"{PAGE}/google/key", key=key)


async def agree(admin: Browser, *, who: str = ADMIN_THERE, decision: str = "accept") -> str:
    """Both steps at Microsoft: sign in, and agree for the organization; where the browser ends."""
    begun = await admin.get(f"{PAGE}/microsoft/consent")
    assert begun.status_code == 303
    signed_in = await admin.get(await admin.answer(begun.headers["location"], account=who, decision="accept"))
    if not signed_in.headers["location"].startswith("https"):
        return str(signed_in.headers["location"])
    finished = await admin.get(await admin.answer(signed_in.headers["location"], decision=decision))
    return str(finished.headers["location"])


async def choose(admin: Browser, provider: str, *members: Member) -> Any:
    return await admin.post(f"{PAGE}/{provider}/connect", people=[member.id for member in members])


@dataclass
class Side:
    """One provider, for tests of both: let in, take back there, and look at what is there."""

    name: str
    let_in: Callable[[], Awaitable[None]]
    close: Callable[[], None]
    events: Callable[[str], list[Any]]
    channels: Callable[[], int]
    revoked: Callable[[], bool]


@pytest.fixture(params=["google", "microsoft"])
def side(request: pytest.FixtureRequest, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft) -> Side:
    if request.param == "google":
        account = google.service_account()

        async def with_key() -> None:
            assert (await paste(admin, account.new_key())).headers["location"] == f"{PAGE}?did=grant-given"

        return Side(
            "google",
            with_key,
            lambda: google.close_to(account),
            lambda email: list(google.service.calendars[email].living()),
            lambda: len(google.service.channels),
            lambda: bool(google.asked("POST /revoke")),
        )

    async def with_consent() -> None:
        assert await agree(admin) == f"{PAGE}?did=grant-given"

    def withdraw() -> None:
        microsoft.identity.is_let_in = False
        microsoft.identity.expire_access()

    return Side(
        "microsoft",
        with_consent,
        withdraw,
        lambda email: list(microsoft.mailboxes[email].items.values()),
        lambda: len(microsoft.push.subscriptions),
        lambda: False,  # Microsoft has no such thing
    )


# both providers


async def test_calendars_are_connected_for_those_who_are_chosen(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    answer = await choose(admin, side.name, api.acme.owner, api.acme.employee)
    assert answer.headers["location"] == f"{PAGE}?did=colleagues-connected"
    accounts = await rows(api, m.calendar_accounts, provider=side.name)
    emails = {api.acme.owner.id: api.acme.owner.user.email, api.acme.employee.id: api.acme.employee.user.email}
    assert {each["user_id"]: each["username"] for each in accounts} == emails
    for account in accounts:
        assert account["status"] == "ok"
        (calendar,) = await rows(api, m.calendars, account_id=account["id"])
        assert (calendar["is_conflict"], calendar["is_write"]) == (True, False)
        assert calendar["synced_at"] == api.clock.now
    page = words((await admin.get(PAGE)).text)
    assert page.count("Connected by this") == 2


async def test_who_has_no_calendar_there_is_told_and_the_others_go_on(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    answer = await choose(admin, side.name, api.acme.colleague, api.acme.employee)
    assert answer.status_code == 200
    page = words(answer.text)
    assert "1 connected, 1 not" in page
    assert f"There is no calendar of {api.acme.colleague.user.email} in your organization there." in page
    (account,) = await rows(api, m.calendar_accounts, provider=side.name)
    assert account["user_id"] == api.acme.employee.id


async def test_who_is_connected_already_stays_as_they_are(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    await choose(admin, side.name, api.acme.employee)
    before = await rows(api, m.calendar_accounts, provider=side.name)
    answer = await choose(admin, side.name, api.acme.employee)
    assert "connected already" in words(answer.text)
    assert await rows(api, m.calendar_accounts, provider=side.name) == before


async def give_write_calendar(api: Api, provider: str, member: Member) -> str:
    """Have a member's bookings written into the calendar that was connected for them; its account's id."""
    (account,) = await rows(api, m.calendar_accounts, provider=provider, user_id=member.id)
    (calendar,) = await rows(api, m.calendars, account_id=account["id"])
    chosen = {"calendars": [{"id": calendar["id"], "is_write": True}]}
    path = f"/calendar-accounts/{account['id']}/calendars"
    assert (await api.patch(path, member, json=chosen)).status_code == 200
    return str(account["id"])


@pytest.mark.parametrize("by", ["removing the grant", "the person"])
async def test_disconnecting_stops_channels_forgets_tokens_and_leaves_bookings(
    api: Api, admin: Browser, side: Side, google: FakeGoogle, microsoft: FakeMicrosoft, by: str
) -> None:
    """For one person nothing is given back at the provider: what was granted there is the organization's."""
    await side.let_in()
    await choose(admin, side.name, api.acme.owner)
    account_id = await give_write_calendar(api, side.name, api.acme.owner)
    start = workday(api, 10)
    booking = await book_slot(ports_of(api), api.acme.token, request_at(start))
    await work(api, 60)
    assert side.channels() == 1
    written = side.events(api.acme.owner.user.email)
    assert written
    if by == "the person":
        async with browser(api, google, microsoft, api.acme.owner) as theirs:
            asked = words((await theirs.get(f"/app/connections/{account_id}/disconnect")).text)
        assert "Nothing is taken back at the provider: an admin of your organization let Halfpast in" in asked
        assert "remove Halfpast there yourself" not in asked
        assert (await api.delete(f"/calendar-accounts/{account_id}", api.acme.owner)).status_code == 204
    else:
        before = words((await admin.get(f"{PAGE}/{side.name}/remove")).text)
        assert "calendars of 1 person that were connected by it are disconnected" in before
        assert "Bookings stay" in before
        removed = await admin.post(f"{PAGE}/{side.name}/remove")
        assert removed.headers["location"] == f"{PAGE}?did=grant-removed"
        assert await rows(api, m.organization_grants) == []
    assert await rows(api, m.calendar_accounts, provider=side.name) == []
    assert await rows(api, m.calendar_channels) == []
    await work(api)
    assert side.channels() == 0
    assert not side.revoked()
    assert await rows(api, m.outbox, kind="release_account") == []  # the last place that held a secret
    (kept,) = await rows(api, m.bookings, id=booking.id)
    assert (kept["status"], kept["start_at"]) == ("confirmed", start)
    assert side.events(api.acme.owner.user.email) == written
    await work(api, 3600)
    assert side.events(api.acme.owner.user.email) == written


async def test_a_grant_taken_back_at_the_provider_is_told_with_the_mend(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    await choose(admin, side.name, api.acme.owner)
    await work(api, 60)
    side.close()
    await work(api, 4000)
    (account,) = await rows(api, m.calendar_accounts, provider=side.name)
    assert account["status"] == "error"
    assert "an admin must renew the grant under People" in account["error"]
    assert "an admin must renew the grant" in words((await admin.get(PAGE)).text)
    health = (await api.get(f"/calendar-accounts/{account['id']}/status", api.acme.owner)).json()
    assert "an admin must renew the grant" in json.dumps(health)


async def test_a_renewed_grant_mends_the_accounts_that_rest_on_it(
    api: Api, admin: Browser, side: Side, google: FakeGoogle
) -> None:
    await side.let_in()
    await choose(admin, side.name, api.acme.owner)
    await work(api, 60)
    side.close()
    await work(api, 4000)
    for account in google.grants.service_accounts.values():
        account.scopes = CALENDAR_SCOPES
    await side.let_in()
    await work(api)
    (mended,) = await rows(api, m.calendar_accounts, provider=side.name)
    assert (mended["status"], mended["error"]) == ("ok", None)


async def test_nothing_is_reached_for_others(
    api: Api, admin: Browser, side: Side, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    """Neither by employees, nor for people of another organization, nor by its admins."""
    await side.let_in()
    outsiders = (api.acme.owner, api.acme.employee)
    for member in outsiders:
        async with browser(api, google, microsoft, member) as theirs:
            before = await snapshot(api.database)
            gets = (PAGE, f"{PAGE}/{side.name}/remove", f"{PAGE}/microsoft/consent")
            assert [(await theirs.get(path)).status_code for path in gets] == [403, 403, 403]
            posts = [
                await theirs.post(f"{PAGE}/google/key", key="{}"),
                await theirs.post(f"{PAGE}/{side.name}/connect", people=member.id),
                await theirs.post(f"{PAGE}/{side.name}/remove"),
            ]
            assert [answer.status_code for answer in posts] == [403, 403, 403]
            assert await snapshot(api.database) == before
    async with browser(api, google, microsoft, api.umbrella.admin) as theirs:
        before = await snapshot(api.database)
        page = (await theirs.get(PAGE)).text
        assert "Not let in" in page
        assert api.acme.owner.user.email not in page
        assert (await choose(theirs, side.name, api.acme.owner)).status_code == 404
        assert (await theirs.post(f"{PAGE}/{side.name}/remove")).status_code == 404
        assert await snapshot(api.database) == before
    before = await snapshot(api.database)
    assert (await choose(admin, side.name, api.umbrella.owner)).status_code == 400
    assert await snapshot(api.database) == before


async def test_who_is_switched_off_cannot_be_chosen(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    async with api.database.write.begin() as connection:
        where = m.users.c.id == api.acme.employee.id
        await connection.execute(update(m.users).where(where).values(is_active=False))
    assert api.acme.employee.user.email not in (await admin.get(PAGE)).text
    assert (await choose(admin, side.name, api.acme.employee)).status_code == 400
    assert (await choose(admin, side.name)).status_code == 400
    assert await rows(api, m.calendar_accounts, provider=side.name) == []


async def test_nothing_secret_is_readable_anywhere(api: Api, admin: Browser, side: Side) -> None:
    await side.let_in()
    await choose(admin, side.name, api.acme.owner)
    (grant,) = await rows(api, m.organization_grants)
    (account,) = await rows(api, m.calendar_accounts, provider=side.name)
    pages = [(await admin.get(path)).text for path in (PAGE, f"{PAGE}/{side.name}/remove")]
    shown = json.dumps((await api.get("/calendar-accounts", api.acme.owner)).json())
    for text in (grant["secret_sealed"], account["secret_sealed"], *pages, shown):
        assert "PRIVATE KEY" not in text
        assert '"tenant"' not in text


# Google


async def test_the_steps_for_google_name_the_scopes_and_then_the_client(
    api: Api, admin: Browser, google: FakeGoogle
) -> None:
    before = words((await admin.get(PAGE)).text)
    assert ",".join(CALENDAR_SCOPES) in before
    assert "domain-wide delegation" in before
    await paste(admin, google.service_account().new_key())
    after = words((await admin.get(PAGE)).text)
    for told in ("104242424242424242424", "halfpast@tests.iam.gserviceaccount.com", ",".join(CALENDAR_SCOPES)):
        assert told in after


async def test_google_is_asked_as_the_person_and_for_calendars_alone(
    api: Api, admin: Browser, google: FakeGoogle
) -> None:
    """The fake checks the signature."""
    await paste(admin, google.service_account().new_key())
    await choose(admin, "google", api.acme.owner, api.acme.employee)
    emails = {each.email for each in google.grants.acting}
    assert emails == {api.acme.owner.user.email, api.acme.employee.user.email}
    assert {each.scopes for each in google.grants.acting} == {CALENDAR_SCOPES}
    fetched = len(google.grants.acting)
    await work(api, 600)
    assert len(google.grants.acting) == fetched  # a token lasts an hour
    await work(api, 3600)
    assert len(google.grants.acting) > fetched


def changed(key: str, **fields: Any) -> str:
    """A key with other fields; None takes one away."""
    found = {**json.loads(key), **fields}
    return json.dumps({name: value for name, value in found.items() if value is not None})


BAD_KEYS: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "no json": lambda _: "not a key",
    "no object": lambda _: "[]",
    "an OAuth client": lambda key: changed(key, type="authorized_user"),
    "no address": lambda key: changed(key, client_email=None),
    "no private key": lambda key: changed(key, private_key=None),
    "a broken private key": lambda key: changed(key, private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n"),
    "tokens from elsewhere": lambda key: changed(key, token_uri="https://evil.example/token"),
    "no token address": lambda key: changed(key, token_uri=None),
    "fields of another kind": lambda key: changed(key, client_email={"a": 1}, client_id=[1]),
    "too long": lambda key: changed(key, padding="x" * 10_000),
}


@pytest.mark.parametrize("bad", BAD_KEYS)
async def test_what_is_no_key_is_refused_and_not_shown_again(
    api: Api, admin: Browser, google: FakeGoogle, bad: str
) -> None:
    key = google.service_account().new_key()
    before = await snapshot(api.database)
    answer = await paste(admin, BAD_KEYS[bad](key))
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "PRIVATE KEY" not in answer.text
    assert "evil.example" not in answer.text
    assert await snapshot(api.database) == before
    assert google.seen == []


async def test_a_new_key_takes_the_place_of_the_old_one_for_everybody(
    api: Api, admin: Browser, google: FakeGoogle
) -> None:
    account: ServiceAccount = google.service_account()
    await paste(admin, account.new_key())
    await choose(admin, "google", api.acme.owner)
    account.keys.clear()  # the old one was deleted at Google
    google.expire_access()
    await paste(admin, account.new_key())
    await work(api, 4000)
    (row,) = await rows(api, m.calendar_accounts, provider="google")
    assert (row["status"], row["last_ok_at"]) == ("ok", api.clock.now)


async def test_an_account_that_signed_in_is_not_the_grants(api: Api, admin: Browser, google: FakeGoogle) -> None:
    """What people connected themselves stays theirs when the grant goes."""
    await paste(admin, google.service_account().new_key())
    async with browser(api, google, admin.microsoft, api.acme.employee) as theirs:
        begun = await theirs.get("/api/v1/calendar-accounts/google/connect")
        email = api.acme.employee.user.email
        back = await theirs.answer(begun.headers["location"], email=email, answer="allow")
        assert (await theirs.get(back)).headers["location"] == "/app/connections?did=connected"
    assert "Connected by themselves" in words((await admin.get(PAGE)).text)
    await admin.post(f"{PAGE}/google/remove")
    (kept,) = await rows(api, m.calendar_accounts, provider="google")
    assert kept["user_id"] == api.acme.employee.id


async def test_what_is_connected_while_the_grant_goes_does_not_outlive_it(
    api: Api, admin: Browser, google: FakeGoogle
) -> None:
    await paste(admin, google.service_account().new_key())
    google.fail("GET .*/calendarList", delay=1.5)
    connecting = asyncio.create_task(choose(admin, "google", api.acme.owner))

    async def is_asked() -> bool:
        return bool(google.asked("GET .*/calendarList"))

    await eventually(is_asked, "Google was asked")
    await admin.post(f"{PAGE}/google/remove")
    assert "was taken back or replaced meanwhile" in html.unescape((await connecting).text)
    assert await rows(api, m.calendar_accounts, provider="google") == []
    await work(api)
    assert await rows(api, m.outbox, kind="release_account") == []


# Microsoft


async def test_an_admin_who_does_not_agree_grants_nothing(api: Api, admin: Browser) -> None:
    before = await snapshot(api.database)
    ended = await agree(admin, decision="cancel")
    assert ended == f"{PAGE}?did=sign-in-refused"
    assert await snapshot(api.database) == before


async def test_the_tenant_is_the_one_that_microsoft_proved(api: Api, admin: Browser, microsoft: FakeMicrosoft) -> None:
    """An address can be typed by anybody: else one could have the mailboxes of a stranger's organization, which let the
    program in before, connected to one's own."""
    begun = await admin.get(f"{PAGE}/microsoft/consent")
    signed_in = await admin.get(await admin.answer(begun.headers["location"], account=ADMIN_THERE, decision="accept"))
    back = await admin.answer(signed_in.headers["location"], decision="accept")
    before = await snapshot(api.database)
    victim = "0a0b0c0d-1111-4222-8333-444444444444"
    forged = back.replace(microsoft.identity.tenant, victim)
    assert forged != back
    assert (await admin.get(forged)).headers["location"] == f"{PAGE}?did=sign-in-stale"
    assert await snapshot(api.database) == before
    assert (await admin.get(back)).headers["location"] == f"{PAGE}?did=grant-given"
    (grant,) = await rows(api, m.organization_grants)
    assert grant["label"] == microsoft.identity.tenant


async def test_an_organization_that_is_another_customers_is_not_given_twice(
    api: Api, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    await agree(admin)
    async with browser(api, google, microsoft, api.umbrella.admin) as theirs:
        assert await agree(theirs) == f"{PAGE}?did=grant-taken"
        assert "another organization on this server" in words((await theirs.get(f"{PAGE}?did=grant-taken")).text)
    (grant,) = await rows(api, m.organization_grants)
    assert grant["org_id"] == api.acme.organization.id


async def test_an_answer_of_microsoft_counts_only_in_the_session_that_asked(
    api: Api, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    begun = await admin.get(f"{PAGE}/microsoft/consent")
    first = await admin.answer(begun.headers["location"], account=ADMIN_THERE, decision="accept")
    async with (
        browser(api, google, microsoft, api.acme.admin) as again,
        browser(api, google, microsoft, api.umbrella.admin) as theirs,
        browser(api, google, microsoft) as nobody,
        browser(api, google, microsoft, api.acme.employee) as employee,
    ):
        before = await snapshot(api.database)
        for other in (again, theirs):
            assert (await other.get(first)).headers["location"] == f"{PAGE}?did=sign-in-stale"
        assert (await nobody.get(first)).status_code == 401
        assert (await employee.get(first)).status_code == 403
        second = await admin.answer((await admin.get(first)).headers["location"], decision="accept")
        for other in (again, theirs):
            assert (await other.get(second)).headers["location"] == f"{PAGE}?did=sign-in-stale"
        assert await snapshot(api.database) == before
    assert (await admin.get(second)).headers["location"] == f"{PAGE}?did=grant-given"


async def test_microsoft_is_asked_with_the_programs_own_token(
    api: Api, admin: Browser, microsoft: FakeMicrosoft
) -> None:
    await agree(admin)
    microsoft.graph.seen.clear()
    await choose(admin, "microsoft", api.acme.owner)
    assert microsoft.graph.seen
    assert all(each.path.startswith(f"/v1.0/users/{api.acme.owner.user.email}") for each in microsoft.graph.seen)


# disconnecting what people connected themselves


async def test_disconnecting_an_own_account_revokes_stops_channels_and_leaves_bookings(
    api: Api, admin: Browser, google: FakeGoogle, microsoft: FakeMicrosoft
) -> None:
    """At Google the grant is given back; Microsoft has no way for a program to do that, which the page says."""
    email = api.acme.owner.user.email
    for provider in ("google", "microsoft"):
        async with browser(api, google, microsoft, api.acme.owner) as theirs:
            begun = await theirs.get(f"/api/v1/calendar-accounts/{provider}/connect")
            how = {"email": email, "answer": "allow"} if provider == "google" else {"account": email}
            back = await theirs.answer(begun.headers["location"], **{"decision": "accept", **how})
            assert (await theirs.get(back)).headers["location"] == "/app/connections?did=connected"
        account_id = await give_write_calendar(api, provider, api.acme.owner)
        start = workday(api, 10 if provider == "google" else 13)
        booking = await book_slot(ports_of(api), api.acme.token, request_at(start))
        await work(api, 60)
        open_there = google.service.channels if provider == "google" else microsoft.push.subscriptions
        assert len(open_there) == 1
        there = events_of(provider, email, google, microsoft)
        assert there
        assert (await api.delete(f"/calendar-accounts/{account_id}", api.acme.owner)).status_code == 204
        await work(api)
        assert len(open_there) == 0
        assert await rows(api, m.calendar_accounts, provider=provider) == []
        assert await rows(api, m.calendar_channels) == []
        assert await rows(api, m.outbox, kind="release_account") == []
        (kept,) = await rows(api, m.bookings, id=booking.id)
        assert kept["status"] == "confirmed"
        assert events_of(provider, email, google, microsoft) == there
    assert google.asked("POST /revoke")
    assert all(grant.is_revoked for grant in google.grants.grants)


def events_of(provider: str, email: str, google: FakeGoogle, microsoft: FakeMicrosoft) -> list[Any]:
    if provider == "google":
        return list(google.service.calendars[email].living())
    return list(microsoft.mailboxes[email].items.values())

"""Google's sign-in, as a person goes through it on the fake's consent page."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials, SignInRequest
from integrations.google.sign_in import CALENDAR_SCOPES, CONTACT_SCOPES
from integrations.google.tokens import Tokens
from tests.fakes.google import PERSON, FakeGoogle
from tests.providers.google_backend import GoogleBackend

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
REQUEST = SignInRequest(
    redirect_uri="https://halfpast.example.com/api/v1/calendar-accounts/google/callback",
    state="a-state.with-a-signature",
    verifier="v" * 64,
)


async def consent(
    gmail: GoogleBackend, request: SignInRequest = REQUEST, untick: str = "", **chosen: str
) -> dict[str, str]:
    """Go to the consent page, fill its form, and bring back what the browser is sent back with."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        page = await browser.get(gmail.google.authorization_url(request), follow_redirects=True)
        assert page.status_code == 200
        inputs = re.findall(r'<input type="(\w+)" name="([^"]*)" value="([^"]*)"', page.text)
        form: dict[str, Any] = {name: unescape(value) for kind, name, value in inputs if kind == "hidden"}
        boxes = [unescape(value) for kind, _, value in inputs if kind == "checkbox"]
        form["granted"] = [each for each in boxes if not untick or untick not in each]
        selected = re.search(r"<option selected>([^<]*)", page.text) or re.search(r"<option>([^<]*)", page.text)
        assert selected is not None
        form |= {"email": selected[1], "answer": "allow", **chosen}
        answer = await browser.post(f"{gmail.fake.url}/consent", data=form)
    location = answer.headers["location"]
    assert location.startswith(request.redirect_uri + "?")
    return dict(parse_qsl(urlsplit(location).query))


async def refusal(gmail: GoogleBackend, answer: dict[str, str], request: SignInRequest = REQUEST) -> str:
    with pytest.raises(ProviderFailure) as failure:
        await gmail.google.redeem(request, answer)
    assert failure.value.kind == "auth"
    return failure.value.detail


async def test_a_person_comes_back_with_a_grant(gmail: GoogleBackend) -> None:
    grant = await gmail.google.redeem(REQUEST, await consent(gmail))
    assert grant.username == PERSON
    assert set(grant.scopes) == set(CALENDAR_SCOPES)
    credentials = Credentials("", grant.username, grant.secret)
    assert (await gmail.provider.discover(credentials)).username == PERSON
    assert [each.name for each in await gmail.provider.list_calendars(credentials)] == [PERSON]


async def test_the_page_is_asked_for_lasting_access_with_pkce(gmail: GoogleBackend) -> None:
    asked = parse_qs(urlsplit(gmail.google.authorization_url(REQUEST)).query)
    assert asked["access_type"] == ["offline"]
    assert asked["prompt"] == ["consent"]
    assert asked["code_challenge_method"] == ["S256"]
    assert REQUEST.verifier not in str(asked)
    assert asked["include_granted_scopes"] == ["true"]
    assert asked["scope"] == [" ".join(CALENDAR_SCOPES)]


async def test_contacts_are_asked_for_only_when_they_are_wanted(gmail: GoogleBackend) -> None:
    wanting = SignInRequest(REQUEST.redirect_uri, REQUEST.state, REQUEST.verifier, with_contacts=True)
    grant = await gmail.google.redeem(wanting, await consent(gmail, wanting))
    assert set(grant.scopes) == {*CALENDAR_SCOPES, *CONTACT_SCOPES}


async def test_contacts_may_be_unticked(gmail: GoogleBackend) -> None:
    wanting = SignInRequest(REQUEST.redirect_uri, REQUEST.state, REQUEST.verifier, with_contacts=True)
    grant = await gmail.google.redeem(wanting, await consent(gmail, wanting, untick="contacts"))
    assert set(grant.scopes) == set(CALENDAR_SCOPES)


async def test_a_calendar_scope_that_was_unticked_is_told(gmail: GoogleBackend) -> None:
    assert "box" in await refusal(gmail, await consent(gmail, untick="calendar.events"))


async def test_a_person_may_refuse(gmail: GoogleBackend, google: FakeGoogle) -> None:
    answer = await consent(gmail, answer="refuse")
    assert answer["error"] == "access_denied"
    await refusal(gmail, answer)


async def test_another_account_comes_back_under_its_own_name(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.person("bob@example.com")
    hinted = SignInRequest(REQUEST.redirect_uri, REQUEST.state, REQUEST.verifier, login_hint=PERSON)
    grant = await gmail.google.redeem(hinted, await consent(gmail, hinted, email="bob@example.com"))
    assert grant.username == "bob@example.com"


async def test_the_hint_chooses_the_account(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.person("bob@example.com")
    hinted = SignInRequest(REQUEST.redirect_uri, REQUEST.state, REQUEST.verifier, login_hint="bob@example.com")
    grant = await gmail.google.redeem(hinted, await consent(gmail, hinted))
    assert grant.username == "bob@example.com"


async def test_an_answer_to_another_sign_in_is_refused(gmail: GoogleBackend) -> None:
    answer = await consent(gmail)
    await refusal(gmail, {**answer, "state": "another"})
    await refusal(gmail, {"code": answer["code"]})


async def test_a_code_is_worth_nothing_without_the_verifier_and_only_once(gmail: GoogleBackend) -> None:
    thief = SignInRequest(REQUEST.redirect_uri, REQUEST.state, "w" * 64)
    await refusal(gmail, await consent(gmail), thief)
    answer = await consent(gmail)
    await gmail.google.redeem(REQUEST, answer)
    await refusal(gmail, answer)


async def test_access_that_does_not_last_is_not_enough(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.grants.gives_refresh = False
    assert "lasting" in await refusal(gmail, await consent(gmail))


async def test_a_sign_in_service_that_fails_is_not_the_persons_fault(gmail: GoogleBackend, google: FakeGoogle) -> None:
    answer = await consent(gmail)
    google.fail("POST /token", is_cut=True, times=5)
    with pytest.raises(ProviderFailure) as failure:
        await gmail.google.redeem(REQUEST, answer)
    assert failure.value.kind == "unreachable"


async def test_revoking_ends_the_grant_and_again_does_no_harm(gmail: GoogleBackend, google: FakeGoogle) -> None:
    for _ in range(2):
        await gmail.google.revoke(gmail.credentials)
    assert all(each.is_revoked for each in google.grants.grants)
    with pytest.raises(ProviderFailure) as failure:
        await gmail.provider.list_calendars(gmail.credentials)
    assert failure.value.kind == "auth"


async def test_revoking_fails_loudly_when_google_does(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("POST /revoke", 429, "rate_limit_exceeded")
    with pytest.raises(ProviderFailure) as failure:
        await gmail.google.revoke(gmail.credentials)
    assert failure.value.kind == "busy"


def test_tokens_are_read_from_their_own_text_alone() -> None:
    tokens = Tokens("access", "refresh", 7, ("a", "b"))
    assert Tokens.from_text(tokens.to_text()) == tokens
    for text in ("", "wrong", "{}", "[]", "null", '{"access": 1}'):
        with pytest.raises(ProviderFailure) as failure:
            Tokens.from_text(text)
        assert failure.value.kind == "auth"

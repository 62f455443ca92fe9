"""Signing in at Microsoft: consent, tokens that change, and grants that end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import ssl
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials, SignInRequest
from integrations.calendars.microsoft import MicrosoftProvider
from integrations.http import OutwardHttp
from integrations.oauth import OAuthClient
from tests.fakes.microsoft import FakeMicrosoft
from tests.providers.backends import LOOPBACK
from tests.providers.microsoft_backend import REQUEST, MicrosoftBackend, query_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


async def consent(outlook: MicrosoftBackend, request: SignInRequest, email: str, decision: str) -> dict[str, str]:
    """Go through the page as a browser does; the query of the way back."""
    context = ssl.create_default_context(cafile=outlook.fake.authority.bundle)
    async with httpx2.AsyncClient(verify=context, trust_env=False) as browser:
        url = outlook.provider.authorization_url(request)
        page = await browser.get(url, follow_redirects=True)
        assert page.status_code == 200
        assert 'name="decision" value="accept"' in page.text
        form = {**query_of(url), "account": email, "decision": decision}
        answer = await browser.post(f"{outlook.fake.identity.base}/consent", data=form)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{request.redirect_uri}?")
    return query_of(answer.headers["location"])


async def test_consent_gives_an_account_with_its_tokens(outlook: MicrosoftBackend) -> None:
    answer = await consent(outlook, REQUEST, "ana@example.com", "accept")
    grant = await outlook.provider.redeem(REQUEST, answer)
    assert grant.username == "ana@example.com"
    assert {"Calendars.ReadWrite", "User.Read", "MailboxSettings.Read"} <= set(grant.scopes)
    assert "Contacts.ReadWrite" not in grant.scopes
    found = await outlook.provider.discover(Credentials("", grant.username, grant.secret))
    assert await outlook.provider.list_calendars(found)


async def test_the_way_there_carries_pkce_state_and_the_wish_for_lasting_access(outlook: MicrosoftBackend) -> None:
    request = replace(REQUEST, login_hint="ana@example.com", with_contacts=True)
    query = query_of(outlook.provider.authorization_url(request))
    digest = hashlib.sha256(request.verifier.encode()).digest()
    assert query["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert (query["code_challenge_method"], query["response_type"], query["state"]) == ("S256", "code", "a state")
    assert {"offline_access", "Contacts.ReadWrite", "Calendars.ReadWrite"} <= set(query["scope"].split())
    assert query["login_hint"] == "ana@example.com"
    assert "prompt" not in query
    assert request.verifier not in str(query)


async def test_another_account_that_comes_back_is_told_by_its_name(outlook: MicrosoftBackend) -> None:
    outlook.fake.account("bob@example.com")
    request = replace(REQUEST, login_hint="ana@example.com")
    grant = await outlook.provider.redeem(request, await consent(outlook, request, "bob@example.com", "accept"))
    assert grant.username == "bob@example.com"


async def test_a_refusal_is_told_as_such(outlook: MicrosoftBackend) -> None:
    answer = await consent(outlook, REQUEST, "ana@example.com", "cancel")
    with pytest.raises(ProviderFailure, match="permission was not given") as failure:
        await outlook.provider.redeem(REQUEST, answer)
    assert failure.value.kind == "auth"


async def test_a_grant_without_calendars_is_not_enough(outlook: MicrosoftBackend) -> None:
    outlook.fake.identity.withheld = frozenset({"Calendars.ReadWrite"})
    answer = await consent(outlook, REQUEST, "ana@example.com", "accept")
    with pytest.raises(ProviderFailure, match="read and write your calendars") as failure:
        await outlook.provider.redeem(REQUEST, answer)
    assert failure.value.kind == "auth"


@pytest.mark.parametrize(
    "request_", [replace(REQUEST, state="another"), replace(REQUEST, verifier="w" * 64)], ids=["state", "verifier"]
)
async def test_an_answer_to_somebody_elses_sign_in_is_refused(
    outlook: MicrosoftBackend, request_: SignInRequest
) -> None:
    answer = await consent(outlook, REQUEST, "ana@example.com", "accept")
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.redeem(request_, answer)
    assert failure.value.kind == "auth"


async def test_a_code_works_once(outlook: MicrosoftBackend) -> None:
    answer = await consent(outlook, REQUEST, "ana@example.com", "accept")
    await outlook.provider.redeem(REQUEST, answer)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.redeem(REQUEST, answer)
    assert failure.value.kind == "auth"


async def test_a_renewed_token_is_stored_at_once(outlook: MicrosoftBackend) -> None:
    """Refresh tokens rotate: the one in hand has stopped working."""
    before = outlook.credentials.secret
    for _ in range(3):
        outlook.fake.identity.expire_access()
        assert await outlook.provider.list_calendars(outlook.credentials)
        kept = await outlook.kept_secret()
        assert kept != before
        before = kept
    assert outlook.fake.identity.grants.count("refresh_token") == 3
    assert len(outlook.fake.identity.refresh) == 1


async def test_a_token_is_renewed_when_its_time_is_over(outlook: MicrosoftBackend) -> None:
    outlook.fake.identity.expire_access()
    outlook.fake.identity.token_seconds = 0
    for _ in range(2):
        with pytest.raises(ProviderFailure):
            await outlook.provider.discover(outlook.credentials)
    assert outlook.fake.identity.grants.count("refresh_token") == 3  # refused; over and refused


async def test_a_renewal_outlives_the_request_that_needed_it(outlook: MicrosoftBackend) -> None:
    outlook.fake.identity.expire_access()
    before = await outlook.kept_secret()
    asked = asyncio.create_task(outlook.provider.list_calendars(outlook.credentials))
    await eventually(outlook.fake.identity.has_renewed, "a renewal begins", pause=0.001)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await outlook.provider._tokens.aclose()
    assert await outlook.kept_secret() != before


async def test_many_requests_at_once_renew_once(outlook: MicrosoftBackend) -> None:
    outlook.fake.identity.expire_access()
    await asyncio.gather(*(outlook.provider.discover(outlook.credentials) for _ in range(6)))
    assert outlook.fake.identity.grants.count("refresh_token") == 1


async def test_a_renewal_by_another_process_is_used(outlook: MicrosoftBackend) -> None:
    ports = outlook.workspace.ports
    other = MicrosoftProvider(
        outlook.fake.client,
        OutwardHttp(LOOPBACK),
        ports.unit_of_work,
        ports.read,
        ports.clock,
        verify=str(outlook.fake.authority.bundle),
    )
    for provider in (other, outlook.provider, other):
        outlook.fake.identity.expire_access()
        assert await provider.list_calendars(outlook.credentials)
    await other.aclose()


async def test_a_token_refused_in_the_middle_of_a_sync_is_renewed_once(outlook: MicrosoftBackend) -> None:
    calendar = await outlook.make_calendar()
    outlook.fake.meanwhile("/delta", outlook.fake.identity.expire_access)
    assert (await outlook.provider.changes(outlook.credentials, calendar, None, {})).full
    outlook.fake.refuse("/delta", 401, "InvalidAuthenticationToken", times=2)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.changes(outlook.credentials, calendar, None, {})
    assert failure.value.kind == "auth"


async def test_a_revoked_grant_asks_to_connect_again(outlook: MicrosoftBackend) -> None:
    outlook.fake.identity.revoke("ana@example.com")
    for _ in range(2):
        with pytest.raises(ProviderFailure, match="Connect it again") as failure:
            await outlook.provider.list_calendars(outlook.credentials)
        assert failure.value.kind == "auth"
    await outlook.provider.revoke(outlook.credentials)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "interaction_required", "error_description": "AADSTS50076: MFA."}, "auth"),
        ({"error": "invalid_grant", "suberror": "consent_required"}, "auth"),
        ({"error": "temporarily_unavailable"}, "busy"),
        ({"error": "invalid_client", "error_description": "AADSTS7000222: expired secret."}, "refused"),
        (503, "busy"),
    ],
)  # fmt: skip
async def test_who_can_mend_a_refused_renewal(
    outlook: MicrosoftBackend, answer: dict[str, str] | int, kind: str
) -> None:
    outlook.fake.identity.expire_access()
    outlook.fake.identity.failing = [answer] * 4
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.list_calendars(outlook.credentials)
    assert failure.value.kind == kind


async def test_a_sign_in_service_that_is_not_there_is_unreachable(microsoft: FakeMicrosoft) -> None:
    client = OAuthClient("id", "secret", "https://127.0.0.1:9/common", microsoft.graph.base)
    provider = MicrosoftProvider(client, OutwardHttp(LOOPBACK), _never, _never, lambda: 0)
    microsoft.account()
    secret = json.dumps({"RefreshToken": {}, "Account": {}})
    with pytest.raises(ProviderFailure) as failure:
        await provider.list_calendars(Credentials("", "ana@example.com", secret))
    assert failure.value.kind == "unreachable"
    await provider.aclose()


@pytest.mark.parametrize("secret", ["", "{}", "[]", "null", "no json", '{"Account": 3}'])
async def test_a_secret_that_is_none_asks_to_connect_again(outlook: MicrosoftBackend, secret: str) -> None:
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.list_calendars(Credentials("", "ana@example.com", secret))
    assert failure.value.kind == "auth"


async def test_sign_in_without_tls_is_refused(microsoft: FakeMicrosoft) -> None:
    """By msal itself."""
    client = OAuthClient("id", "secret", "http://127.0.0.1:9/common", microsoft.graph.base)
    provider = MicrosoftProvider(client, OutwardHttp(LOOPBACK), _never, _never, lambda: 0)
    with pytest.raises(ProviderFailure) as failure:
        await provider.list_calendars(Credentials("", "ana@example.com", "{}"))
    assert failure.value.kind == "protocol"
    await provider.aclose()


def _never() -> Any:
    raise AssertionError("nothing is stored here")

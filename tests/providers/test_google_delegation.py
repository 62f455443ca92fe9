"""Google calendars by domain-wide delegation: a service account acts for people who never signed in."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.use_cases.ids import new_id
from integrations.google.delegation import Delegation
from integrations.google.sign_in import CALENDAR_SCOPES
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grants import ServiceAccount
from tests.providers.google_backend import GoogleBackend
from tests.providers.test_contract import booking_event

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

BOB = "bob@example.com"


@pytest.fixture
def account(google: FakeGoogle) -> ServiceAccount:
    """A service account that may act for everybody, and Bob, who granted nothing himself."""
    google.person(BOB)
    google.grants.grants.clear()
    return google.service_account()


@pytest.fixture
def bob(gmail: GoogleBackend, account: ServiceAccount) -> Credentials:
    """An employee who never signed in."""
    return Credentials("", BOB, gmail.google.read_key(account.new_key()).secret)


async def test_a_calendar_is_reached_without_a_sign_in(gmail: GoogleBackend, bob: Credentials) -> None:
    provider, event = gmail.google, booking_event(new_id())
    found = await provider.discover(bob)
    assert (found.username, found.secret) == (BOB, bob.secret)
    (calendar,) = await provider.list_calendars(found)
    written = await provider.write_event(found, calendar.name, event, None)
    changes = await provider.changes(found, calendar.name, None, {})
    assert [each.name for each in changes.changed] == [written.key]
    await provider.delete_event(found, calendar.name, event.uid, None)
    (grant,) = gmail.fake.grants.acting
    assert (grant.email, grant.scopes) == (BOB, CALENDAR_SCOPES)


async def test_everybody_has_tokens_of_their_own(gmail: GoogleBackend, bob: Credentials) -> None:
    gmail.fake.person("carol@example.com")
    carol = Credentials("", "carol@example.com", bob.secret)
    for person in (bob, carol, bob):
        (calendar,) = await gmail.google.list_calendars(person)
        assert calendar.name == person.username
    assert [each.email for each in gmail.fake.grants.acting] == [BOB, "carol@example.com"]


async def test_a_token_that_is_refused_is_fetched_anew(gmail: GoogleBackend, bob: Credentials) -> None:
    await gmail.google.list_calendars(bob)
    gmail.fake.expire_access()
    await gmail.google.list_calendars(bob)
    assert len(gmail.fake.grants.acting) == 2


async def test_nothing_is_revoked_at_google_for_one_person(gmail: GoogleBackend, bob: Credentials) -> None:
    """But its tokens are forgotten here."""
    await gmail.google.list_calendars(bob)
    await gmail.google.revoke(bob)
    assert gmail.fake.asked("POST /revoke") == []
    await gmail.google.list_calendars(bob)
    assert len(gmail.fake.grants.acting) == 2


async def test_who_is_not_there_is_told(gmail: GoogleBackend, bob: Credentials) -> None:
    nobody = Credentials("", "nobody@example.com", bob.secret)
    with pytest.raises(ProviderFailure, match="no such account in your organization") as failure:
        await gmail.google.list_calendars(nobody)
    assert failure.value.kind == "gone"


@pytest.mark.parametrize("lost", ["the scopes", "the key", "the service account"])
async def test_what_the_admin_has_to_mend_is_told(
    gmail: GoogleBackend, bob: Credentials, account: ServiceAccount, lost: str
) -> None:
    await gmail.google.list_calendars(bob)
    match lost:
        case "the scopes":
            account.scopes = CALENDAR_SCOPES[:1]
        case "the key":
            account.keys.clear()
        case _:
            gmail.fake.grants.service_accounts.clear()
    gmail.fake.expire_access()
    with pytest.raises(ProviderFailure, match="an admin must renew the grant under People") as failure:
        await gmail.google.list_calendars(bob)
    assert failure.value.kind == "auth"


async def test_a_google_that_fails_to_give_a_token_is_busy(gmail: GoogleBackend, bob: Credentials) -> None:
    gmail.fake.fail("POST /token", 503, "backendError", times=9)
    with pytest.raises(ProviderFailure) as failure:
        await gmail.google.list_calendars(bob)
    assert failure.value.kind == "busy"


async def test_tokens_are_fetched_where_the_program_is_told_not_where_the_key_says(
    gmail: GoogleBackend, account: ServiceAccount
) -> None:
    secret = gmail.google.read_key(account.new_key()).secret
    assert "token_uri" not in secret
    tampered = json.loads(secret)
    tampered["service_account"]["token_uri"] = "https://evil.example/token"
    assert Delegation.of_secret(json.dumps(tampered)) is None


async def test_tokens_of_a_sign_in_are_no_key(gmail: GoogleBackend) -> None:
    assert gmail.google.kept_key(gmail.credentials.secret) is None
    assert gmail.google.kept_key("") is None

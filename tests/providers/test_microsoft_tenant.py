"""Mailboxes of an organization whose administrator let Halfpast in (application permissions)."""

from __future__ import annotations

import time

import pytest

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.use_cases.ids import new_id
from integrations.microsoft.tokens import tenant_secret
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.test_contract import booking_event

pytestmark = pytest.mark.anyio


@pytest.fixture
def bob(outlook: MicrosoftBackend) -> Credentials:
    """An employee who never signed in."""
    outlook.fake.account("bob@example.com")
    outlook.fake.identity.is_let_in = True
    outlook.fake.graph.seen.clear()
    return Credentials("", "bob@example.com", tenant_secret("example.com"))


async def test_a_mailbox_is_reached_without_a_sign_in(outlook: MicrosoftBackend, bob: Credentials) -> None:
    provider, event = outlook.provider, booking_event(new_id())
    found = await provider.discover(bob)
    assert (found.username, found.secret) == ("bob@example.com", bob.secret)
    (calendar,) = await provider.list_calendars(found)
    written = await provider.write_event(found, calendar.name, event, None)
    changes = await provider.changes(found, calendar.name, None, {})
    assert [each.name for each in changes.changed] == [written.key]
    again = await provider.changes(found, calendar.name, changes.cursor, {})
    assert again.changed == ()
    await provider.delete_event(found, calendar.name, event.uid, None)
    assert all(each.path.startswith("/v1.0/users/bob@example.com") for each in outlook.fake.graph.seen)
    assert outlook.fake.identity.grants.count("client_credentials") == 1


async def test_the_programs_own_token_is_fetched_anew_when_it_is_refused(
    outlook: MicrosoftBackend, bob: Credentials
) -> None:
    await outlook.provider.discover(bob)
    outlook.fake.identity.expire_access()
    await outlook.provider.discover(bob)
    assert outlook.fake.identity.grants.count("client_credentials") == 2
    assert time.time() < min(each.until for each in outlook.fake.identity.access.values())


async def test_an_organization_that_did_not_let_us_in_is_told(outlook: MicrosoftBackend, bob: Credentials) -> None:
    outlook.fake.identity.is_let_in = False
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.discover(bob)
    assert failure.value.kind == "refused"


async def test_a_mailbox_that_is_not_there_is_an_account_that_cannot_be_read(
    outlook: MicrosoftBackend, bob: Credentials
) -> None:
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.list_calendars(Credentials("", "nobody@example.com", bob.secret))
    assert failure.value.kind in {"auth", "gone"}

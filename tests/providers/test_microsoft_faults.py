"""Microsoft failing: who can mend it is told, and nothing is guessed."""

from __future__ import annotations

import pytest

from app.domain.errors import ProviderFailure
from app.use_cases.ids import new_id
from integrations.calendars.microsoft import TRIES, MicrosoftProvider
from integrations.http import OutwardHttp, OutwardPolicy
from tests.fakes.microsoft import FakeMicrosoft
from tests.fakes.watched import Watch
from tests.providers.backends import LOOPBACK
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.providers.test_contract import booking_event
from tests.providers.test_microsoft import add

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("status", "code", "retry_after", "kind"),
    [
        (429, "ApplicationThrottled", 17, "busy"),
        (429, "activityLimitReached", None, "busy"),
        (503, "serviceNotAvailable", 5, "busy"),
        (504, "timeout", None, "busy"),
        (500, "ErrorInternalServerError", None, "busy"),
        (403, "ErrorAccessDenied", None, "auth"),
        (403, "MailboxNotEnabledForRESTAPI", None, "refused"),
        (404, "ErrorItemNotFound", None, "gone"),
        (400, "ErrorInvalidRequest", None, "protocol"),
    ],
)
async def test_who_can_mend_a_refused_reading(
    outlook: MicrosoftBackend, status: int, code: str, retry_after: int | None, kind: str
) -> None:
    calendar = await outlook.make_calendar()
    outlook.fake.refuse("/delta", status, code, retry_after=retry_after)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.changes(outlook.credentials, calendar, None, {})
    assert (failure.value.kind, failure.value.retry_after) == (kind, retry_after)


async def test_a_calendar_that_may_not_be_changed_is_not_the_grants_fault(outlook: MicrosoftBackend) -> None:
    calendar = outlook.mailbox.add_calendar("Shared", can_edit=False)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.write_event(outlook.credentials, calendar, booking_event(new_id()), None)
    assert failure.value.kind == "refused"


@pytest.mark.parametrize("after", [False, True])
async def test_a_cut_connection_makes_no_second_event(outlook: MicrosoftBackend, after: bool) -> None:
    calendar, event = await outlook.make_calendar(), booking_event(new_id())
    outlook.fake.cut("POST", after=after)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    assert failure.value.kind in {"unreachable", "protocol"}
    await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    assert len(await outlook.keys(calendar)) == 1


async def test_a_page_that_fails_loses_nothing(outlook: MicrosoftBackend) -> None:
    calendar = await outlook.make_calendar()
    outlook.fake.graph.page_size = 1
    keys = {add(outlook, calendar).id for _ in range(3)}
    outlook.fake.refuse("skiptoken", 500)
    with pytest.raises(ProviderFailure):
        await outlook.provider.changes(outlook.credentials, calendar, None, {})
    changes = await outlook.provider.changes(outlook.credentials, calendar, None, {})
    assert {each.name for each in changes.changed} == keys


async def test_an_answer_that_does_not_come_is_unreachable(outlook: MicrosoftBackend) -> None:
    ports = outlook.workspace.ports
    http = OutwardHttp(OutwardPolicy(LOOPBACK.allowed_private_hosts, read_seconds=0.1))
    hasty = MicrosoftProvider(
        outlook.fake.client, http, ports.unit_of_work, ports.read, ports.clock, str(outlook.fake.authority.bundle)
    )
    outlook.fake.delay("/me/calendars", 1)
    with pytest.raises(ProviderFailure) as failure:
        await hasty.list_calendars(outlook.credentials)
    assert failure.value.kind == "unreachable"
    await hasty.aclose()


async def test_tokens_never_follow_a_link_to_another_place(outlook: MicrosoftBackend) -> None:
    calendar = await outlook.make_calendar()
    outlook.fake.graph.page_size = 1
    for _ in range(2):
        add(outlook, calendar)
    base, outlook.fake.graph.base = outlook.fake.graph.base, "https://elsewhere.example.com"
    with pytest.raises(ProviderFailure, match="another service") as failure:
        await outlook.provider.changes(outlook.credentials, calendar, None, {})
    outlook.fake.graph.base = base
    assert failure.value.kind == "protocol"


async def test_deleting_where_the_event_vanishes_meanwhile_is_done(outlook: MicrosoftBackend) -> None:
    calendar, event = await outlook.make_calendar(), booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.fake.meanwhile("DELETE", lambda: outlook.mailbox.delete(written.key))
    await outlook.provider.delete_event(outlook.credentials, calendar, event.uid, written.key)


async def test_an_event_that_always_changes_is_given_up(outlook: MicrosoftBackend) -> None:
    calendar, event = await outlook.make_calendar(), booking_event(new_id())
    written = await outlook.provider.write_event(outlook.credentials, calendar, event, None)
    outlook.mailbox.change(written.key, location={"displayName": "Elsewhere"})
    outlook.fake.meanwhile("PATCH", lambda: outlook.mailbox.change(written.key), times=50)
    with pytest.raises(ProviderFailure) as failure:
        await outlook.provider.write_event(outlook.credentials, calendar, event, written.key)
    assert failure.value.kind == "conflict"
    assert sum(each.method == "PATCH" for each in outlook.fake.graph.seen) == TRIES


# the check itself


async def test_requests_outside_of_the_contract_are_found(microsoft: FakeMicrosoft) -> None:
    watch = Watch("graph_v1_subset.openapi.json")
    watch.asked("GET", "/v1.0/me/calendars?$serach=x", {"Authorization": "Bearer x"}, b"")
    watch.asked("GET", "/v1.0/me/calenders", {"Authorization": "Bearer x"}, b"")
    watch.asked("GET", "/v1.0/me", {}, b"")
    watch.asked("GET", "/v1.0/me", {"Authorization": "Bearer x", "Prefer": "nonsense"}, b"")
    found = " ".join(watch.violations)
    for rule in ("unknown-query-parameter", "unknown-operation", "no-credentials", "header/Prefer"):
        assert rule in found


async def test_answers_outside_of_the_contract_fail_the_test(outlook: MicrosoftBackend) -> None:
    calendar = await outlook.make_calendar()
    add(outlook, calendar, showAs="sleeping", made_up=1)
    await outlook.provider.changes(outlook.credentials, calendar, None, {})
    found = outlook.fake.violations
    assert any("made_up" in each for each in found)
    assert any("showAs" in each for each in found)
    assert outlook.fake.exchanges > 3
    for watch in outlook.fake._watches:
        watch.violations.clear()

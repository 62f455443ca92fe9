"""A calendar at an address: read by conditional GET, never written, never taken for empty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.calendars.ics_url import CALENDAR, IcsUrlProvider
from integrations.http import OutwardHttp, OutwardPolicy
from tests.unit.test_ics_split import PLAIN, event, file

pytestmark = pytest.mark.anyio


@dataclass
class Publisher:
    """A server with one file. `asked` are the conditions of each request."""

    text: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    validators: bool = True
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match", ""))
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        tag = f'"{hash(self.text)}"'
        if self.validators and request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        headers = {"ETag": tag} if self.validators else {}
        return web.Response(text=self.text, content_type="text/calendar", headers=headers)


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    made = Publisher(file(event("a", *PLAIN), event("b", *PLAIN), head="X-WR-CALNAME:Team\r\n"))
    application = web.Application()
    application.router.add_get("/secret/team.ics", made.answer)
    application.router.add_get("/moved.ics", _elsewhere)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/secret/team.ics"
    yield made
    await runner.cleanup()


async def _elsewhere(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "https://10.0.0.1/internal"})


@pytest.fixture
async def provider() -> AsyncIterator[IcsUrlProvider]:
    made = IcsUrlProvider(OutwardHttp(OutwardPolicy(frozenset({"127.0.0.1"}), max_bytes=200_000)))
    yield made
    await made.aclose()


async def test_the_address_is_the_secret(provider: IcsUrlProvider, publisher: Publisher) -> None:
    found = await provider.discover(Credentials(publisher.url, "", ""))
    assert (found.secret, found.username) == (publisher.url, "Team")
    assert "secret" not in found.url
    (calendar,) = await provider.list_calendars(found)
    assert (calendar.name, calendar.display_name, calendar.read_only) == (CALENDAR, "Team", True)


async def test_what_has_not_changed_is_not_sent_again(provider: IcsUrlProvider, publisher: Publisher) -> None:
    credentials = await provider.discover(Credentials(publisher.url, "", ""))
    first = await provider.changes(credentials, CALENDAR, None, {})
    known = {item.name: item.etag for item in first.changed}
    assert len(known) == 2
    second = await provider.changes(credentials, CALENDAR, first.cursor, known)
    assert publisher.asked[-1]
    assert (second.changed, second.removed, second.full) == ((), (), False)
    # A mirror that lost everything must not be told that nothing has changed.
    assert len((await provider.changes(credentials, CALENDAR, first.cursor, {})).changed) == 2


@pytest.mark.parametrize("validators", [True, False])
async def test_only_what_changed_is_read_anew(provider: IcsUrlProvider, publisher: Publisher, validators: bool) -> None:
    publisher.validators = validators
    credentials = await provider.discover(Credentials(publisher.url, "", ""))
    first = await provider.changes(credentials, CALENDAR, None, {})
    known = {item.name: item.etag for item in first.changed}
    publisher.text = file(event("a", *PLAIN, stamp="20280101T000000Z"), event("c", *PLAIN))
    second = await provider.changes(credentials, CALENDAR, first.cursor, known)
    (new,) = second.changed
    assert "UID:c" in new.data
    assert len(second.removed) == 1
    assert await provider.find(credentials, CALENDAR, "c") == new
    assert await provider.find(credentials, CALENDAR, "b") is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (403, "auth"), (404, "gone"), (410, "gone"), (429, "busy"), (503, "busy"), (418, "protocol")],
)
async def test_an_error_is_never_an_empty_calendar(
    provider: IcsUrlProvider, publisher: Publisher, status: int, kind: str
) -> None:
    credentials = await provider.discover(Credentials(publisher.url, "", ""))
    publisher.status, publisher.headers = status, {"Retry-After": "120"}
    with pytest.raises(ProviderFailure) as failure:
        await provider.changes(credentials, CALENDAR, None, {"x": "y"})
    assert failure.value.kind == kind
    assert failure.value.retry_after == (120 if kind == "busy" else None)
    assert "secret" not in failure.value.detail


@pytest.mark.parametrize("text", ["", "<html>Sign in</html>", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "x" * 300_000])
async def test_what_is_no_whole_calendar_is_a_fault(provider: IcsUrlProvider, publisher: Publisher, text: str) -> None:
    credentials = await provider.discover(Credentials(publisher.url, "", ""))
    publisher.text = text
    with pytest.raises(ProviderFailure) as failure:
        await provider.changes(credentials, CALENDAR, None, {"x": "y"})
    assert failure.value.kind == "protocol"


async def test_private_addresses_are_refused_also_on_the_way(provider: IcsUrlProvider, publisher: Publisher) -> None:
    for address in (
        publisher.url.replace("/secret/team.ics", "/moved.ics"),
        "webcal://10.0.0.1/x.ics",
        "file:///etc/passwd",
    ):
        with pytest.raises(ProviderFailure) as failure:
            await provider.discover(Credentials(address, "", ""))
        assert failure.value.kind == "refused"

"""Finding a server from what a person types, and where the password goes on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.calendars.caldav import CalDavProvider
from integrations.dav import shares_credentials
from integrations.dav_discovery import DnsLookup, _by_dns, _is_trusted, _Place, _places
from integrations.http import OutwardHttp, OutwardPolicy
from tests.providers.backends import LOOPBACK, no_dns
from tests.support.calendar_servers import PASSWORD, USER, Box, CalendarServer

pytestmark = pytest.mark.anyio
MakeBox = Callable[..., Awaitable[Box]]


@pytest.fixture
async def provider() -> AsyncIterator[CalDavProvider]:
    """May reach the loopback addresses."""
    made = CalDavProvider(OutwardHttp(LOOPBACK), no_dns)
    yield made
    await made.aclose()


def records(**found: list[str]) -> DnsLookup:
    """A DNS with these records, by type."""

    async def lookup(name: str, kind: str) -> list[str]:
        return found.get(kind, []) if name == "_caldavs._tcp.example.com" else []

    return lookup


async def kind_of(question: Awaitable[object]) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failure:
        await question
    return failure.value


@pytest.mark.parametrize("kind", ["radicale", "xandikos"])
async def test_the_bare_host_is_enough(
    provider: CalDavProvider, box: MakeBox, kind: str, request: pytest.FixtureRequest
) -> None:
    server: CalendarServer = request.getfixturevalue(f"{kind}_server")
    guarded = await box(upstream=server.url, checks_password=kind == "xandikos")
    typed = urlsplit(guarded.url).netloc
    for address in (typed, f"http://{typed}", f"http://{typed}/", f"http://{typed}/{USER}/"):
        found = await provider.discover(Credentials(address, USER, PASSWORD))
        assert found == Credentials(f"http://{typed}/{USER}/", USER, PASSWORD)


async def test_a_well_known_address_that_redirects_is_followed(
    provider: CalDavProvider, box: MakeBox, radicale_server: CalendarServer
) -> None:
    async def interfere(request: web.Request, _: str) -> web.Response | None:
        if request.path == "/.well-known/caldav":
            return web.Response(status=301, headers={"Location": "/remote.php/dav/"})
        if request.path == "/remote.php/dav/":
            return web.Response(status=302, headers={"Location": "/"})
        return None

    nextcloud = await box(upstream=radicale_server.url, interfere=interfere)
    found = await provider.discover(Credentials(nextcloud.url, USER, PASSWORD))
    assert found.url == f"{nextcloud.url}{USER}/"


async def test_the_password_is_not_sent_before_the_place_is_known(
    provider: CalDavProvider, box: MakeBox, radicale_server: CalendarServer
) -> None:
    server = await box(upstream=radicale_server.url)
    await provider.discover(Credentials(server.url, USER, PASSWORD))
    assert "Authorization" not in server.seen[0].headers


async def test_a_redirect_to_another_origin_gets_no_password_and_is_told(
    provider: CalDavProvider, box: MakeBox, radicale_server: CalendarServer
) -> None:
    other = await box(upstream=radicale_server.url)

    async def interfere(request: web.Request, _: str) -> web.Response:
        return web.Response(status=301, headers={"Location": other.url})

    typed = await box(interfere=interfere)
    failure = await kind_of(provider.discover(Credentials(typed.url, USER, PASSWORD)))
    assert failure.kind == "refused"
    assert other.url in failure.detail
    assert other.seen
    assert all("Authorization" not in seen.headers for seen in other.seen)


async def test_a_principal_at_another_origin_gets_no_password_and_is_told(
    provider: CalDavProvider, box: MakeBox
) -> None:
    other = await box()

    async def interfere(request: web.Request, _: str) -> web.Response:
        principal = f"<D:current-user-principal><D:href>{other.url}ana/</D:href></D:current-user-principal>"
        text = (
            '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat><D:prop>'
            f"{principal}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
        )
        return web.Response(status=207, content_type="application/xml", text=text)

    typed = await box(interfere=interfere)
    failure = await kind_of(provider.discover(Credentials(typed.url, USER, PASSWORD)))
    assert failure.kind == "refused"
    assert other.seen == []


async def test_a_wrong_password_is_told_and_not_hidden_by_other_places(
    provider: CalDavProvider, box: MakeBox, radicale_server: CalendarServer
) -> None:
    server = await box(upstream=radicale_server.url)
    assert (await kind_of(provider.discover(Credentials(server.url, USER, "wrong")))).kind == "auth"


async def test_a_web_server_is_no_calendar_server(provider: CalDavProvider, box: MakeBox) -> None:
    async def interfere(request: web.Request, _: str) -> web.Response:
        return web.Response(text="<html>It works!</html>", content_type="text/html")

    server = await box(interfere=interfere)
    assert (await kind_of(provider.discover(Credentials(server.url, USER, PASSWORD)))).kind == "protocol"


async def test_an_email_address_leads_by_dns_then_well_known() -> None:
    http = OutwardHttp(OutwardPolicy())
    lookup = records(
        SRV=["10 5 8443 second.example.com.", "5 1 443 calendar.example.com.", "nonsense"], TXT=['"path=/dav/"']
    )
    places = [place.url for place in await _places(http, lookup, "Ana@Example.com")]
    assert places == [
        "https://calendar.example.com/dav/",
        "https://second.example.com:8443/dav/",
        "https://example.com/.well-known/caldav",
    ]
    assert await _by_dns(records(SRV=["0 0 0 ."]), "example.com") == []
    await http.aclose()


async def test_an_email_address_is_the_user_name_when_none_was_typed(
    box: MakeBox, radicale_server: CalendarServer
) -> None:
    server = await box(upstream=radicale_server.url)
    provider = CalDavProvider(OutwardHttp(LOOPBACK), no_dns)
    typed = f"{USER}@{urlsplit(server.url).netloc}"
    assert (await kind_of(provider.discover(Credentials(typed, "", PASSWORD)))).kind == "auth"
    found = await provider.discover(Credentials(typed, USER, PASSWORD))
    assert found.url == f"{server.url}{USER}/"
    await provider.aclose()


@pytest.mark.parametrize(
    ("typed", "asked", "found", "trusted"),
    [
        ("example.com", "https://example.com/", "https://example.com/dav/", True),
        ("example.com", "https://caldav.example.com/", "https://caldav.example.com/", True),
        ("example.com", "https://example.com/", "https://example.com:8443/", False),
        ("example.com", "https://example.com/", "http://example.com/", False),
        ("example.com", "https://example.com/", "https://example.org/", False),
        ("example.com", "https://example.com/", "https://evilexample.com/", False),
        ("com", "https://com/", "https://example.com/", False),
        ("nas", "http://nas:5000/", "http://nas:5000/caldav/", True),
    ],
)
def test_the_password_goes_to_what_was_typed_and_below(typed: str, asked: str, found: str, trusted: bool) -> None:
    assert _is_trusted(_Place(asked, typed), found) is trusted


def test_hosts_of_one_operator_share_an_account() -> None:
    """iCloud keeps an account's calendars on a host of its own."""
    assert shares_credentials("https://caldav.icloud.com/", "https://p34-caldav.icloud.com:443/123/")
    assert not shares_credentials("https://caldav.icloud.com/", "http://p34-caldav.icloud.com/")
    assert not shares_credentials("https://caldav.icloud.com/", "https://p34-caldav.icloud.com.example.com/")
    assert not shares_credentials("https://a.example.com/", "https://b.example.com/")

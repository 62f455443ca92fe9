"""What the doctor says of an address that phones are to reach, asked of real servers."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app import doctor
from app.config import load_settings
from app.wiring import wire
from integrations.reachability import Reached, Unreachable, reach
from tests.fakes.certificates import Authority, make_authority
from tests.support.workspace import environment

pytestmark = pytest.mark.anyio

CALDAV = b"HTTP/1.1 401 Unauthorized\r\nDAV: 1, 3, calendar-access\r\nContent-Length: 0\r\n\r\n"
OTHER = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusting(authority: Authority) -> ssl.SSLContext:
    """What a device that knows the authority takes."""
    return ssl.create_default_context(cafile=str(authority.bundle))


@asynccontextmanager
async def answering(answer: bytes, context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """A server that says this to everything; its port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(2000):
            writer.write(answer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    async with server:
        yield str(server.sockets[0].getsockname()[1])


async def test_a_caldav_server_with_a_good_certificate_is_reached(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    async with answering(CALDAV, authority.context) as port:
        assert await reach(f"https://localhost:{port}", trusting) == Reached(is_private=True)


async def test_a_certificate_that_phones_refuse_is_told(authority: Authority) -> None:
    async with answering(CALDAV, authority.context) as port:
        with pytest.raises(Unreachable, match=r"certificate of localhost:[0-9]+ is not accepted"):
            await reach(f"https://localhost:{port}")


@pytest.mark.parametrize(
    ("answer", "words"), [(OTHER, "is no CalDAV server: the proxy must pass"), (b"", "does not answer OPTIONS")]
)
async def test_a_proxy_that_keeps_methods_to_itself_is_told(
    authority: Authority, trusting: ssl.SSLContext, answer: bytes, words: str
) -> None:
    async with answering(answer, authority.context) as port:
        with pytest.raises(Unreachable, match=words):
            await reach(f"https://localhost:{port}", trusting)


async def test_a_server_without_tls_and_none_at_all_are_told(trusting: ssl.SSLContext) -> None:
    async with answering(OTHER, None) as port:
        with pytest.raises(Unreachable, match=r"TLS|does not answer"):
            await reach(f"https://localhost:{port}", trusting)
    with pytest.raises(Unreachable, match="nothing answers at localhost"):
        await reach(f"https://localhost:{port}", trusting)


async def test_a_name_that_is_not_in_dns_is_told() -> None:
    with pytest.raises(Unreachable, match=r"nowhere\.invalid is not in DNS"):
        await reach("https://nowhere.invalid")


@pytest.mark.parametrize(
    ("base_url", "answer", "ok", "words"),
    [
        ("http://127.0.0.1:8000", None, True, "this machine only"),
        ("http://book.example.com", None, False, "is not https: phones refuse it"),
        ("https://book.example.com", Unreachable("its certificate is not accepted"), False, "not accepted"),
        ("https://book.example.com", TimeoutError(), False, "does not answer in time"),
        ("https://book.example.com", Reached(is_private=True), True, "in the same network or by VPN alone"),
        ("https://book.example.com", Reached(is_private=False), True, "https://book.example.com"),
    ],
)
async def test_the_doctor_says_whether_a_phone_can_use_the_address(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    base_url: str,
    answer: Reached | Exception | None,
    ok: bool,
    words: str,
) -> None:
    async def asked(url: str) -> Reached:
        assert url == base_url
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return answer

    monkeypatch.setattr(doctor, "reach", asked)
    environ = environment(f"sqlite+aiosqlite:///{tmp_path / 'x.sqlite3'}", tmp_path)
    parts = wire(load_settings(environ | {"HALFPAST_BASE_URL": base_url}))
    found = {each.name: each for each in await doctor.examine(parts)}
    await parts.close()
    assert found["address"].ok == ok
    assert words in found["address"].words

"""The one way to addresses that users give, against real local servers."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.domain.errors import ProviderFailure
from integrations.http import BasicOrDigest, OutwardHttp, OutwardPolicy, Resolver, is_public, same_origin
from tests.support.calendar_servers import Box

pytestmark = pytest.mark.anyio
MakeBox = Callable[..., Awaitable[Box]]
POLICY = OutwardPolicy(frozenset({"127.0.0.1", "inside.example.com"}), 1, 1, 3)


def answers(*rounds: list[str]) -> Resolver:
    """A resolver that gives the next list each time it is asked, and the last one from then on."""
    left = list(rounds)

    async def resolve(host: str, port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve


@pytest.fixture
async def http() -> AsyncIterator[Callable[..., OutwardHttp]]:
    """Makes clients, closed afterwards."""
    made: list[OutwardHttp] = []

    def make(policy: OutwardPolicy = POLICY, **settings: object) -> OutwardHttp:
        made.append(OutwardHttp(policy, **settings))  # type: ignore[arg-type]  # the constructor checks
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


async def refusal(question: Awaitable[object]) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failure:
        await question
    return failure.value


def text(body: str, **headers: str) -> Callable[[web.Request, str], Awaitable[web.Response]]:
    """Always this answer."""

    async def interfere(request: web.Request, _: str) -> web.Response:
        return web.Response(text=body, headers=headers)

    return interfere


def redirect(target: str, status: int = 302) -> Callable[[web.Request, str], Awaitable[web.Response]]:
    """Always to there."""

    async def interfere(request: web.Request, _: str) -> web.Response:
        return web.Response(status=status, headers={"Location": target})

    return interfere


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_of_the_open_internet(address: str) -> None:
    assert is_public(address)


def test_what_is_the_same_origin() -> None:
    assert same_origin("https://example.com/a", "https://EXAMPLE.com:443/b")
    assert not same_origin("https://example.com/", "http://example.com/")
    assert not same_origin("https://example.com/", "https://example.com:8443/")
    assert not same_origin("https://example.com/", "https://example.com.evil.example/")


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.1"]
)
async def test_private_hosts_are_refused_unless_they_are_allowed(
    http: Callable[..., OutwardHttp], box: MakeBox, host: str
) -> None:
    private = await box(interfere=text("secret"))
    port = private.url.rsplit(":", 1)[1]
    failure = await refusal(http(OutwardPolicy()).request("GET", f"https://{host}:{port}"))
    assert failure.kind in {"refused", "unreachable"}
    assert private.seen == []


async def test_allowed_private_hosts_are_reached(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    private = await box(interfere=text("hello"))
    assert (await http().request("GET", private.url)).content == b"hello"
    everything = http(OutwardPolicy(frozenset({"*"})))
    assert (await everything.request("GET", private.url)).content == b"hello"


async def test_a_name_with_one_private_address_among_public_ones_is_refused(
    http: Callable[..., OutwardHttp], box: MakeBox
) -> None:
    private = await box(interfere=text("secret"))
    port = private.url.rsplit(":", 1)[1]
    client = http(OutwardPolicy(), resolver=answers(["8.8.8.8", "127.0.0.1"]))
    assert (await refusal(client.request("GET", f"https://calendar.example.com:{port}"))).kind == "refused"
    assert private.seen == []


async def test_dns_that_changes_between_check_and_use_changes_nothing(
    http: Callable[..., OutwardHttp], box: MakeBox
) -> None:
    """The name is asked once a connection, and the judged address is the one connected to."""
    private = await box(interfere=text("secret"))
    asked: list[str] = []
    rounds = answers(["203.0.113.7"], ["127.0.0.1"])

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return await rounds(host, port)

    client = http(replace(POLICY, connect_seconds=0.3), resolver=resolver)
    port = private.url.rsplit(":", 1)[1]
    failure = await refusal(client.request("GET", f"https://rebinding.example.com:{port}"))
    assert failure.kind in {"refused", "unreachable"}
    failure = await refusal(client.request("GET", f"https://rebinding.example.com:{port}"))
    assert failure.kind == "refused"
    assert asked == ["rebinding.example.com"] * 2
    assert private.seen == []


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "file:///etc/passwd", "https:///nothing", "https://a:b@example.com/",
     "example.com", "", "https://exa mple.com/", "https://\u0000/", "gopher://127.0.0.1:25/"],
)  # fmt: skip
async def test_addresses_of_the_wrong_kind_are_refused(http: Callable[..., OutwardHttp], url: str) -> None:
    assert (await refusal(http().request("GET", url))).kind in {"refused", "unreachable"}


async def test_no_tls_is_for_private_hosts_only(http: Callable[..., OutwardHttp]) -> None:
    client = http(OutwardPolicy(frozenset({"*"})), resolver=answers(["8.8.8.8"]))
    assert (await refusal(client.request("GET", "http://calendar.example.com/"))).kind == "refused"


async def test_a_redirect_to_a_private_address_is_refused(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    hidden = await box(interfere=text("secret"))
    port = hidden.url.rsplit(":", 1)[1]
    for target in (f"http://localhost:{port}", f"https://localhost:{port}", f"http://[::ffff:127.0.0.1]:{port}"):
        public = await box(interfere=redirect(target))
        assert (await refusal(http().request("GET", public.url))).kind in {"refused", "unreachable"}
    assert hidden.seen == []


async def test_a_redirect_to_a_name_that_turned_private_is_refused(
    http: Callable[..., OutwardHttp], box: MakeBox
) -> None:
    hidden = await box(interfere=text("secret"))
    port = hidden.url.rsplit(":", 1)[1]
    public = await box(interfere=redirect(f"https://other.example.com:{port}"))

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    assert (await refusal(http(resolver=resolver).request("GET", public.url))).kind == "refused"
    assert hidden.seen == []


async def test_redirects_of_the_same_origin_keep_the_credentials(
    http: Callable[..., OutwardHttp], box: MakeBox
) -> None:
    async def interfere(request: web.Request, _: str) -> web.Response:
        if request.path == "/":
            return web.Response(status=307, headers={"Location": "/there?x=1"})
        return web.Response(text=request.headers.get("Authorization", "none"))

    server = await box(interfere=interfere)
    answer = await http().request("PROPFIND", server.url, content=b"<a/>", auth=BasicOrDigest("ana", "secret"))
    assert answer.content.startswith(b"Basic ")
    assert answer.url.endswith("/there?x=1")
    assert [(seen.method, seen.body) for seen in server.seen] == [("PROPFIND", "<a/>")] * 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_never_follow_to_another_origin(
    http: Callable[..., OutwardHttp], box: MakeBox, status: int
) -> None:
    other = await box(interfere=text("hello"))
    server = await box(interfere=redirect(other.url, status))
    answer = await http().request("GET", server.url, auth=BasicOrDigest("ana", "secret"))
    assert answer.content == b"hello"
    assert "Authorization" in server.seen[0].headers
    assert "Authorization" not in other.seen[0].headers
    assert "Cookie" not in other.seen[0].headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
async def test_writing_follows_nowhere_else(http: Callable[..., OutwardHttp], box: MakeBox, method: str) -> None:
    other = await box(interfere=text("hello"))
    server = await box(interfere=redirect(other.url, 307))
    assert (await refusal(http().request(method, server.url, content=b"data"))).kind == "refused"
    assert other.seen == []


async def test_redirects_in_circles_end(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    server = await box(interfere=redirect("/again"))
    assert (await refusal(http().request("GET", server.url))).kind == "protocol"
    assert len(server.seen) == POLICY.max_redirects + 1


async def test_cookies_are_not_kept(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    """One client serves all accounts; a session of one must not become another's."""
    server = await box(interfere=text("hello", **{"Set-Cookie": "session=anas; Path=/"}))
    client = http()
    for _ in range(2):
        await client.request("GET", server.url)
    assert all("Cookie" not in seen.headers for seen in server.seen)


async def test_digest_is_spoken_to_servers_that_want_only_that(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    async def interfere(request: web.Request, _: str) -> web.Response:
        if request.headers.get("Authorization", "").startswith("Digest "):
            return web.Response(text="welcome")
        challenge = 'Digest realm="calendars", nonce="abc", qop="auth", algorithm=SHA-256'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    server = await box(interfere=interfere)
    auth = BasicOrDigest("ana", "secret")
    client = http()
    for _ in range(2):
        assert (await client.request("GET", server.url, auth=auth)).content == b"welcome"
    assert len([seen for seen in server.seen if seen.headers.get("Authorization", "").startswith("Basic")]) == 1


async def test_a_wrong_password_is_tried_once(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    server = await box(checks_password=True)
    assert (await http().request("GET", server.url, auth=BasicOrDigest("ana", "wrong"))).status == 401
    assert len(server.seen) == 1


async def test_large_answers_are_cut_off(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    server = await box(interfere=text("x" * 50_000))
    assert (await refusal(http(replace(POLICY, max_bytes=10_000)).request("GET", server.url))).kind == "protocol"


async def test_a_compressed_bomb_is_cut_off(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)

    async def interfere(request: web.Request, _: str) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    server = await box(interfere=interfere)
    assert (await refusal(http(replace(POLICY, max_bytes=1_000_000)).request("GET", server.url))).kind == "protocol"


async def test_slow_servers_end_in_time(http: Callable[..., OutwardHttp], box: MakeBox) -> None:
    async def drip(request: web.Request, _: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            for _second in range(100):
                await response.write(b"x")
                await asyncio.sleep(0.2)
        except ConnectionError:
            pass
        return response

    server = await box(interfere=drip)
    began = asyncio.get_running_loop().time()
    failure = await refusal(http(replace(POLICY, total_seconds=0.8)).request("GET", server.url))
    assert failure.kind == "unreachable"
    assert asyncio.get_running_loop().time() - began < 2


async def test_what_is_no_http_is_told(http: Callable[..., OutwardHttp]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await refusal(http().request("GET", f"http://127.0.0.1:{port}/"))).kind == "protocol"


def certificate(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a trusting client's context for a certificate of this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = folder / "certificate.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / "key.pem"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, private)
    return server, ssl.create_default_context(cafile=str(public))


@pytest.mark.parametrize(("host", "kind"), [("inside.example.com", None), ("127.0.0.1", "unreachable")])
async def test_tls_proves_the_name_and_not_the_address(
    http: Callable[..., OutwardHttp], tmp_path: Path, host: str, kind: str | None
) -> None:
    server_context, client_context = certificate("inside.example.com", tmp_path)

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        client = http(resolver=answers(["127.0.0.1"]), ssl_context=client_context)
        question = client.request("GET", f"https://{host}:{port}/")
        if kind is None:
            assert (await question).content == b"hello"
        else:
            failure = await refusal(question)
            assert failure.kind == kind
            assert "certificate" in failure.detail

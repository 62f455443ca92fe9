"""`serve` with a certificate of its own, and what it signs."""

from __future__ import annotations

import os
import plistlib
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.config import PREFIX
from integrations.profile_signing import ProfileSigner
from tests.fakes.certificates import Authority, make_authority

ROOT = Path(__file__).parents[2]
HALFPAST = [sys.executable, "-m", "app.cli"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


def environ() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**inherited, "PYTHONPATH": str(ROOT)}


def halfpast(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HALFPAST, *arguments], cwd=folder, env=environ(), capture_output=True, text=True, timeout=60, check=False
    )


def test_serve_speaks_https_with_a_certificate(authority: Authority, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    chain = str(authority.bundle.with_name("server.pem"))
    for command in (["migrate"], ["demo", "--port", port]):
        assert halfpast(tmp_path, *command).returncode == 0
    serve = [*HALFPAST, "serve", "--port", port, "--certfile", chain, "--keyfile", chain]
    with subprocess.Popen(serve, cwd=tmp_path, env=environ(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            printed = "".join(process.stdout.readline() for _ in range(5))
            assert f"https://127.0.0.1:{port}/demo/intro" in printed
            trusting = ssl.create_default_context(cafile=str(authority.bundle))
            with httpx.Client(verify=trusting, base_url=f"https://127.0.0.1:{port}") as client:
                assert client.get("/health/live").status_code == 200
                assert "calendar-access" in client.request("OPTIONS", "/dav/").headers["dav"]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [("server.pem", None, "are set together"), ("server.pem", "authority.pem", "are not a certificate and its key"),
     ("nothing.pem", "nothing.pem", "No such file")],
)  # fmt: skip
def test_files_that_are_none_are_told_in_one_line(
    authority: Authority, tmp_path: Path, certificate: str, key: str | None, words: str
) -> None:
    folder = authority.bundle.parent
    given = ["--certfile", str(folder / certificate), *(["--keyfile", str(folder / key)] if key else [])]
    done = halfpast(tmp_path, "serve", "--port", "1", *given)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.requires("openssl")
def test_a_signed_profile_holds_what_was_signed_and_verifies(authority: Authority, tmp_path: Path) -> None:
    chain = authority.bundle.with_name("server.pem")
    text = plistlib.dumps({"PayloadDisplayName": "Halfpast"})
    signed = tmp_path / "signed"
    signed.write_bytes(ProfileSigner(chain, chain)(text))
    command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", str(signed), "-CAfile", str(authority.bundle)]
    done = subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert plistlib.loads(done.stdout) == {"PayloadDisplayName": "Halfpast"}
    signed.write_bytes(signed.read_bytes().replace(b"Halfpast", b"Halfpest"))
    assert subprocess.run([*command, "-purpose", "any"], capture_output=True, check=False).returncode != 0

"""A Dovecot of one account, on a free port."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.capabilities import dovecot_path

USER, PASSWORD = "bookings@studio.example.com", "mailbox/pass:wörd"
START_SECONDS = 20

_CONFIG = """
base_dir = {folder}/run
log_path = {folder}/log
state_dir = {folder}/state
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class ImapMailbox:
    """Where it is. `url` is as the settings want it."""

    port: int

    @property
    def url(self) -> str:
        return f"imap://{quote(USER)}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}"

    def client(self) -> imaplib.IMAP4:
        """As the people's own mail programs reach it."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return client

    def deliver(self, message: bytes) -> None:
        """A mail arrives."""
        with self.client() as client:
            client.append("INBOX", None, None, message)

    def flags(self) -> list[str]:
        """Of every mail, in order of arrival."""
        with self.client() as client:
            client.select("INBOX", readonly=True)
            _, found = client.fetch("1:*", "(FLAGS)")
            return [line.decode() for line in found if isinstance(line, bytes)]


@contextmanager
def imap_server() -> Iterator[ImapMailbox]:
    """Running until left. Its folder is short: its sockets have names of some 100 characters at most."""
    program = dovecot_path()
    assert program is not None
    folder = Path(tempfile.mkdtemp(prefix="imap"))
    config = folder / "dovecot.conf"
    port = _free_port()
    people = _people()
    config.write_text(_CONFIG.format(folder=folder, port=port, password=PASSWORD, **people))
    (folder / "mail").mkdir()
    for each in (folder, folder / "mail"):
        os.chown(each, people["uid"], people["gid"])
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([program, "-F", "-c", str(config)], stdout=said, stderr=said)
    try:
        _wait_for(port, process, folder)
        yield ImapMailbox(port)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _people() -> dict[str, Any]:
    """Who its processes are. As root it wants the accounts of its package; else all are whoever runs the tests."""
    is_root = os.getuid() == 0
    someone = pwd.getpwnam("dovecot") if is_root else pwd.getpwuid(os.getuid())
    return {
        "internal": someone.pw_name,
        "group": grp.getgrgid(someone.pw_gid).gr_name,
        "login": "dovenull" if is_root else someone.pw_name,
        "uid": someone.pw_uid,
        "gid": someone.pw_gid,
    }


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"dovecot did not start: {(folder / 'said').read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"dovecot does not answer: {(folder / 'log').read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

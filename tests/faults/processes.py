"""The program as several real processes over one database."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.support.waiting import eventually
from tests.support.workspace import environment

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
SIGNS_OF_TROUBLE = ("Traceback", "request failed", "database is locked", "deadlock", "too many clients")
LIFTED = {f"HALFPAST_RATE_LIMIT_{name}": "1000000/second" for name in ("PUBLIC", "BOOKING", "LOGIN")}


@dataclass
class Program:
    """One `halfpast` process that can be killed and started again. `killed` are the ids of those that were."""

    environ: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    killed: set[int] = field(default_factory=set)

    @property
    def arguments(self) -> list[str]:
        """What is run."""
        return ["worker"]

    def start(self) -> None:
        """Start the process; `ready` waits for it."""
        command = [sys.executable, "-m", "app.cli", *self.arguments]
        with self.log.open("ab") as output:
            self._said_before = output.tell()
            self.process = subprocess.Popen(command, env=self.environ, cwd=ROOT, stdout=output, stderr=output)

    async def ready(self) -> None:
        """Until it does its work."""

        async def is_ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"it did not start:\n{self._said()[-3000:]}"
            return await self._is_ready()

        await eventually(is_ready, f"{self.log.stem} is ready", START_SECONDS, 0.05)

    async def _is_ready(self) -> bool:
        return "worker is ready" in self._said()

    def _said(self) -> str:
        return self.log.read_bytes()[self._said_before :].decode(errors="replace")

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is told."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)
            self.killed.add(self.process.pid)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def check_log(self) -> None:
        """No request failed for a reason of ours, and no lock error or deadlock happened behind the scenes."""
        text = self.log.read_text(errors="replace")
        for sign in SIGNS_OF_TROUBLE:
            assert sign not in text, f"{sign!r} in the log:\n{text[max(0, text.find(sign) - 2000) :][:5000]}"


@dataclass
class Server(Program):
    """One `halfpast serve`, with its worker, on a port that stays its own over restarts."""

    port: int = field(default_factory=lambda: _free_port())

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def arguments(self) -> list[str]:
        return ["serve", "--port", str(self.port)]

    async def _is_ready(self) -> bool:
        async with httpx2.AsyncClient(trust_env=False) as client:
            with contextlib.suppress(httpx2.TransportError):
                return (await client.get(f"{self.url}/health/ready")).status_code == 200
        return False


def make_programs(servers: int, workers: int, url: str, folder: Path, more: Mapping[str, str]) -> list[Program]:
    """Servers, and workers apart, over one database and one data folder, not started, with `more` in their
    environment."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HALFPAST_")}
    environ = {**inherited, **environment(url, folder), **LIFTED, **more}
    return [
        *(Server(environ, folder / f"server{number}.log") for number in range(servers)),
        *(Program(environ, folder / f"worker{number}.log") for number in range(workers)),
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

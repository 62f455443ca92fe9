"""Servers under load: start them, drive them with wrk, read their CPU time from /proc."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
RUNS = int(os.environ.get("BENCH_RUNS", "3"))
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


class NotMeasurable(Exception):
    """What this machine lacks for a figure, in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a load did: requests a second, median ms, CPU microseconds a request, answers that were not 2xx or 3xx."""

    rate: float
    p50_ms: float
    cpu_us: float
    bad: int


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, database_url: str, port: int) -> dict[str, str]:
    """For a server of the program, with limits out of the way."""
    lifted = {f"HALFPAST_RATE_LIMIT_{name}": "1000000/second" for name in ("PUBLIC", "BOOKING", "LOGIN")}
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("HALFPAST_")},
        **lifted,
        "HALFPAST_DATA_DIR": str(folder),
        "HALFPAST_DATABASE_URL": database_url,
        "HALFPAST_BASE_URL": f"http://127.0.0.1:{port}",
    }


@contextmanager
def serving(command: list[str], environ: Mapping[str, str], port: int, path: str) -> Iterator[Server]:
    """Run a server until the block ends; it is ready when `path` answers."""
    process = subprocess.Popen(
        command, env=dict(environ), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}{path}", process)
        yield Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(20)


def wait_until_ready(url: str, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    """Until the address answers; an error when the process ended instead."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.01)
    raise RuntimeError(f"{url} does not answer")


def halfpast_server(folder: Path, database_url: str) -> AbstractContextManager[Server]:
    """The program, one process, without the worker."""
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--no-worker"]
    return serving(command, environment(folder, database_url, port), port, "/health/ready")


def floor_server(database_url: str) -> AbstractContextManager[Server]:
    """The floor over the same engine."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.bench.floor:application", "--factory", "--port", str(port)]
    command += ["--no-access-log", "--log-level", "warning"]
    environ = {**os.environ, "BENCH_FLOOR_DATABASE_URL": database_url}
    return serving(command, environ, port, "/bytes/1")


def drive(server: Server, path: str, clients: int, *, script: str | None = None, header: str | None = None) -> Load:
    """wrk for a while, the median of some runs."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NotMeasurable("needs wrk (Debian package wrk)")
    command = [wrk, "-t1", f"-c{clients}", f"-d{SECONDS}s", "--latency"]
    if script is not None:
        command += ["-s", script]
    if header is not None:
        command += ["-H", header]
    runs = [_once([*command, server.url + path], server.pid) for _ in range(RUNS)]
    return Load(
        rate=median(run.rate for run in runs),
        p50_ms=median(run.p50_ms for run in runs),
        cpu_us=median(run.cpu_us for run in runs),
        bad=sum(run.bad for run in runs),
    )


def _once(command: list[str], pid: int) -> Load:
    before = cpu_seconds(pid)
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    requests = re.search(r"(\d+) requests in", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    p50 = re.search(r"\s50%\s+([\d.]+)(us|ms|s|m)", text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if requests is None or rate is None or p50 is None or int(requests[1]) == 0:
        raise RuntimeError(f"wrk measured nothing:\n{text}")
    return Load(
        float(rate[1]), float(p50[1]) * _UNITS[p50[2]], used / int(requests[1]) * 1e6, int(bad[1]) if bad else 0
    )


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid: int) -> float:
    """Resident memory."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0

"""Installs the suites into `.venv-suites/`, once: exactly the versions and hashes of `locks/`.

Several test processes may ask at once; the first installs, the others wait. A changed lock is another folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.capabilities import MISSING, need
from tests.switches import in_ci

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv-suites"
LOCKS = Path(__file__).parent / "locks"
_SECONDS = 900


@cache
def python_tool(name: str) -> Path:
    """A command of the Python packages, such as `khal`."""
    return _installed("python", ("python.lock",), _install_python) / "bin" / name


@cache
def source(package: str) -> Path:
    """The unpacked sources of `caldav` or `vdirsyncer`, whose tests are not in their wheels."""
    python_tool("pip")
    [found] = _installed("sources", ("sources.lock",), _install_sources).glob(f"{package}-*/")
    return found


@cache
def javascript() -> Path:
    """A folder with `node_modules`."""
    need("node")
    return _installed("javascript", ("package.json", "package-lock.json"), _install_javascript)


def _installed(kind: str, locks: tuple[str, ...], install: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"".join((LOCKS / name).read_bytes() for name in locks)).hexdigest()[:12]
    folder = FOLDER / f"{kind}-{digest}"
    done = folder / ".complete"
    with _alone():
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            try:
                install(folder)
            except subprocess.CalledProcessError as error:
                _cannot_install(error)
            done.touch()
    return folder


@contextmanager
def _alone() -> Iterator[None]:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cannot_install(error: subprocess.CalledProcessError) -> None:
    said = (error.stderr.strip() or "it said nothing").splitlines()[-1]
    missing = f"{MISSING}the suites' packages ({Path(error.cmd[0]).name}: {said})"
    if in_ci():
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)


def _run(*command: object, within: Path | None = None) -> None:
    words = [str(word) for word in command]
    subprocess.run(words, check=True, capture_output=True, text=True, timeout=_SECONDS, cwd=within)


def _install_python(folder: Path) -> None:
    _run(sys.executable, "-m", "venv", folder)
    _run(folder / "bin/pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", LOCKS / "python.lock")


def _install_sources(folder: Path) -> None:
    wanted = ("--no-deps", "--require-hashes", "--no-binary", "caldav,vdirsyncer", "-r", LOCKS / "sources.lock")
    _run(python_tool("pip"), "download", "--quiet", "--dest", folder, *wanted)
    for archive in folder.glob("*.tar.gz"):
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")


def _install_javascript(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCKS / name, folder)
    _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", within=folder)

"""The lock files: complete, pinned by hash, and bound to no index."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def _pins(name: str) -> set[str]:
    """`name==version` of each entry."""
    return set(re.findall(r"^([a-z0-9-]+==[^ ]+)", (ROOT / name).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_index_and_no_path(name: str) -> None:
    assert not re.search(r"://|^\s*-(i|f|-index|-extra|-find|-trusted)|file:", (ROOT / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_hashes(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text().strip())
    assert len(entries) > 40
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_tools_are_locked_beside_the_very_versions_that_run() -> None:
    assert _pins("requirements.lock") <= _pins("requirements-dev.lock")


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = {pin.split("==")[0] for pin in _pins("requirements.lock")}
    declared = {re.split(r"[^a-z0-9-]", dependency, maxsplit=1)[0] for dependency in project["project"]["dependencies"]}
    assert declared <= locked

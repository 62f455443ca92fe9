"""What every test may use: the event loop, empty databases on both engines, and what the machine must have."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import switches
from tests.capabilities import MISSING, need
from tests.databases import temporary_postgresql

switches.load_profiles()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run the long forms of tests too (or HALFPAST_SOAK=1)")


def _soaking(config: pytest.Config) -> bool:
    return bool(config.getoption("--soak")) or os.environ.get("HALFPAST_SOAK") == "1"


def _check_groups(items: list[pytest.Item]) -> None:
    """Two storms at once would take more connections than PostgreSQL has: xdist's groups have to work."""
    alone = [item.nodeid for item in items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid]
    if alone:
        raise pytest.UsageError(f"pytest-xdist did not take {alone[0]} into its group")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long forms unless they are asked for."""
    if config.getoption("loadgroup", False):
        _check_groups(items)
    if _soaking(config):
        return
    long_forms = [item for item in items if item.get_closest_marker("soak")]
    if long_forms:
        config.hook.pytest_deselected(items=long_forms)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Hold `@pytest.mark.requires(...)`."""
    for marker in item.iter_markers("requires"):
        need(*marker.args)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each thing that this machine lacks."""
    counts: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        _, found, missing = str(report.longrepr[-1] if report.longrepr else "").partition(MISSING)
        if found:
            counts[missing] = counts.get(missing, 0) + 1
    for missing, count in sorted(counts.items()):
        terminalreporter.write_line(f"{count} skipped, missing here: {missing}")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether a test should run its long form."""
    return _soaking(request.config)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite file that does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'halfpast.sqlite3'}"


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards."""
    need("postgresql")
    with temporary_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; the test runs once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url

"""What every test may use: the event loop, empty databases on both engines, and what the machine must have."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import switches
from tests.capabilities import MISSING, need
from tests.databases import ENGINES, empty_database, over_engines
from tests.support.prepared import Prepared, prepared, with_tables

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
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """The address of a SQLite file that does not exist yet."""
    with empty_database("sqlite", tmp_path) as url:
        yield url


@pytest.fixture
def postgresql_url(tmp_path: Path) -> Iterator[str]:
    """The address of an empty PostgreSQL database, dropped afterwards."""
    with empty_database("postgresql", tmp_path) as url:
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database, for what makes the tables itself; the test runs once on each engine."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@contextmanager
def _with_tables(url: str, folder: Path) -> Iterator[Prepared]:
    asyncio.run(with_tables(url))
    with prepared(url, folder) as database:
        yield database


@pytest.fixture(scope="session")
def databases_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Prepared]]:
    """By engine, a database with empty tables to be copied."""
    with over_engines(_with_tables, tmp_path_factory) as databases:
        yield databases


@pytest.fixture(params=ENGINES)
def tables_url(request: pytest.FixtureRequest, databases_with_tables: Callable[[str], Prepared]) -> Iterator[str]:
    """The address of a database with empty tables; the test runs once on each engine."""
    with databases_with_tables(request.param).copy() as url:
        yield url

"""A site on each engine, and the scores at the end of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.scores import SCORE, RecordProperty, Result, hold
from tests.conformance.site import Site, site
from tests.databases import ENGINES, over_engines

FOLDER = Path(__file__).parent
# The site of an engine is served by one test process, and its suites run there one after the other.
GROUPED = [pytest.param(name, marks=pytest.mark.xdist_group(f"suites-{name}")) for name in ENGINES]


@dataclass(frozen=True, slots=True)
class Trial:
    """A running site and the engine under it."""

    engine: str
    site: Site
    record: RecordProperty

    def hold(self, suite: str, result: Result) -> None:
        """Hold what the suite found to its score."""
        hold(suite, self.engine, result, self.record)


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """By engine, a site over its database."""
    with over_engines(site, tmp_path_factory) as running:
        yield running


@pytest.fixture(params=GROUPED)
def trial(request: pytest.FixtureRequest, sites: Callable[[str], Site], record_property: RecordProperty) -> Trial:
    """The suite runs once on each engine."""
    return Trial(request.param, sites(request.param), record_property)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Suites take minutes, and the first of them installs all."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.timeout(1800))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The scores, a line each."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == SCORE and report.when == "call":
                    terminalreporter.write_line(str(value))

"""A workspace in a database of its own, on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened


@pytest.fixture
def clock() -> Clock:
    """A Monday morning."""
    return Clock()


@pytest.fixture
async def workspace(tables_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Workspace]:
    """One organization with one user."""
    async with opened(tables_url, tmp_path, clock, tables=False) as parts:
        yield await make_workspace(parts, clock)

"""A CalDAV server on each database, and for each test somebody with calendars of their own."""

from collections.abc import Callable

import pytest

from tests.caldav.invitations import Table
from tests.support.clock import MONDAY
from tests.support.dav_server import DavServer, Person, dav_servers, server

__all__ = ["dav_servers", "server"]


@pytest.fixture
def ana(server: DavServer) -> Person:
    """A person nobody has used before, on each engine."""
    return server.person()


@pytest.fixture
def lite(dav_servers: Callable[[str], DavServer]) -> Person:
    """The same on SQLite alone, for what does not hang on the engine."""
    found = dav_servers("sqlite")
    found.clock.now = MONDAY
    return found.person()


@pytest.fixture
def table(server: DavServer) -> Table:
    """Three people of one organization."""
    return Table(server.person(), server.person(), server.person())

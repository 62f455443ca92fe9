"""Real clients' requests, replayed, and our answers held to golden files (see `tests/caldav/clients`)."""

import importlib
from pathlib import Path

import pytest

from tests.caldav.clients.device import Device, Replay
from tests.support.clock import MONDAY
from tests.support.dav_server import Person
from tests.switches import rewrites_golden

CLIENTS = ("apple_calendar", "apple_phone", "davx5", "thunderbird", "evolution", "outlook_synchronizer")
GOLDEN = Path(__file__).parent / "clients/golden"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_answered_as_ever_when_replayed(ana: Person, client: str) -> None:
    ana.book(MONDAY + 86400)
    device = Device(ana)
    replay: Replay = importlib.import_module(f"tests.caldav.clients.{client}").replay
    replay(device)
    golden = GOLDEN / f"{client}.txt"
    if rewrites_golden():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(device.transcript())
    assert device.transcript().splitlines() == golden.read_text().splitlines()

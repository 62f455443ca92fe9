"""Whoever books in the very moment in which they are forgotten is forgotten with that booking, too."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.use_cases import erase_person
from app.use_cases.booking_changes import SYSTEM
from app.worker import Worker
from tests.support.clock import at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-04 09:00")
EMAIL = "quill@example.org"


@pytest.mark.parametrize("as_guest", [False, True])
async def test_what_is_booked_meanwhile_is_not_left_half_done(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, as_guest: bool
) -> None:
    link = await workspace.link()
    first = await workspace.book(link, NINE, recipient=Recipient("Quill", EMAIL))
    meanwhile: list[Booking] = []
    leave_all = erase_person._leave_all

    async def leave_and_book(*args: Any) -> int:
        """Bookings are erased by now, what else is known of the person is not."""
        count = await leave_all(*args)
        if not meanwhile:
            who = Recipient("Robin", "robin@example.net") if as_guest else Recipient("Quill", EMAIL)
            guests = (EMAIL,) if as_guest else ()
            meanwhile.append(await workspace.book(link, NINE + 3600, recipient=who, guests=guests))
        return count

    monkeypatch.setattr(erase_person, "_leave_all", leave_and_book)
    erased = await erase_person.erase_person(workspace.ports, workspace.organization.id, EMAIL, SYSTEM)
    assert (erased.bookings, erased.guest_of) == ((1, 1) if as_guest else (2, 0))
    await Worker(workspace.ports, workspace.parts.handlers).drain()
    stored = {str(row["id"]): row for row in await workspace.rows(m.bookings)}
    assert stored[first.id]["status"] == "cancelled"
    assert stored[meanwhile[0].id]["status"] == ("confirmed" if as_guest else "cancelled")
    assert EMAIL not in str([await workspace.rows(table) for table in m.metadata.sorted_tables])

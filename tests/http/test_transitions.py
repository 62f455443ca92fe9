"""Each step that a state does not allow is 422 `BOOKING_NOT_MODIFIABLE`, whoever asks, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.api import Api, code_of
from tests.http.workspace import at, moment
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86400
START = at(2, 10)
STAFF = ("confirm", "start", "complete", "no-show", "cancel", "delete", "reschedule", "reassign")
RECIPIENT = ("cancel", "reschedule")

WAY: dict[str, tuple[str, ...]] = {
    "pending": (),
    "confirmed": (),
    "in_progress": ("start",),
    "completed": ("complete",),
    "no_show": ("no-show",),
    "cancelled": ("cancel",),
}
"""How a confirmed booking comes to a state; the one that waits for approval is pending from the beginning."""

SITUATIONS: dict[str, tuple[str, int, set[str], set[str]]] = {
    # state, when, and what staff and the recipient may do then
    "pending": ("pending", -DAY, {"confirm", "cancel", "delete", "reschedule", "reassign"}, {"cancel", "reschedule"}),
    "confirmed, a day before": (
        "confirmed", -DAY, {"cancel", "delete", "reschedule", "reassign"}, {"cancel", "reschedule"},
    ),
    "confirmed, a quarter of an hour before": (
        "confirmed", -900, {"start", "cancel", "delete", "reschedule", "reassign"}, {"cancel", "reschedule"},
    ),
    "confirmed, since it began": (
        "confirmed", 60, {"start", "complete", "no-show", "cancel", "delete", "reschedule", "reassign"},
        {"cancel", "reschedule"},
    ),
    "confirmed, after its end": (
        "confirmed", HOUR, {"start", "complete", "no-show", "cancel", "delete", "reschedule", "reassign"}, set(),
    ),
    "in progress": ("in_progress", 60, {"complete"}, set()),
    "completed": ("completed", HOUR, {"confirm"}, set()),
    "completed, more than a day ago": ("completed", 2 * DAY, set(), set()),
    "no show": ("no_show", HOUR, {"confirm"}, set()),
    "no show, more than a day ago": ("no_show", 2 * DAY, set(), set()),
    "cancelled": ("cancelled", -HOUR, set(), set()),
    "cancelled, after its end": ("cancelled", HOUR, set(), set()),
}  # fmt: skip


def refused(situation: str) -> Iterator[tuple[str, str]]:
    """(actor, step) of all that is not allowed."""
    _, _, staff, recipient = SITUATIONS[situation]
    yield from (("staff", step) for step in STAFF if step not in staff)
    yield from (("recipient", step) for step in RECIPIENT if step not in recipient)


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_what_a_state_does_not_allow_is_422(api: Api, situation: str) -> None:
    status, later, _, _ = SITUATIONS[situation]
    acme = api.acme
    booking = acme.pending if status == "pending" else acme.booking
    for step in WAY[status]:
        api.clock.now = START - DAY if step == "cancel" else START
        brought = await api.post(f"/bookings/{booking.id}/{step}", acme.owner)
        assert brought.status_code == 200, brought.text
    api.clock.now = booking.start + later
    before = await snapshot(api.database)
    bodies = {"reschedule": {"start": moment(at(5, 10))}, "reassign": {"host": acme.colleague.id}}
    for actor, step in refused(situation):
        path = f"/bookings/{booking.id}" if actor == "staff" else f"/public/bookings/{booking.token}"
        who = acme.owner if actor == "staff" else None
        method, path = ("DELETE", path) if step == "delete" else ("POST", f"{path}/{step}")
        answer = await api.call(method, path, who, **({"json": bodies[step]} if step in bodies else {}))
        found = (actor, step, answer.status_code, code_of(answer) if answer.status_code > 399 else "")
        assert found == (actor, step, 422, "BOOKING_NOT_MODIFIABLE")
    assert await snapshot(api.database) == before


async def test_a_request_whose_hold_ran_out_is_over_for_its_recipient(api: Api) -> None:
    pending = api.acme.pending
    assert pending.hold_expires_at is not None
    api.clock.now = pending.hold_expires_at
    for step, body in (("cancel", None), ("reschedule", {"start": moment(at(5, 10))})):
        answer = await api.post(f"/public/bookings/{pending.token}/{step}", json=body)
        assert (answer.status_code, code_of(answer)) == (422, "BOOKING_NOT_MODIFIABLE")

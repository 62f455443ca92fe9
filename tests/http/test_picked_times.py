"""A one-time link with hand-picked times: it offers those and nothing else, before booking and afterwards."""

from __future__ import annotations

import pytest

from tests.http.api import Api, client_of, code_of
from tests.http.workspace import Member, at, moment

pytestmark = pytest.mark.anyio

EARLY, LATE = at(4, 5), at(4, 23)
"""Both outside the hours."""


async def booked_pick(api: Api) -> tuple[str, str]:
    """Id and token of a booking of the early one of two picked times."""
    slots = [{"start": moment(start), "duration": 30} for start in (EARLY, LATE)]
    made = await api.post(f"/links/{api.acme.link.id}/one-time", api.acme.owner, json={"slots": slots})
    body = {
        "start": moment(EARLY), "duration": 30, "timezone": "UTC", "name": "Pia", "email": "pia@example.org",
        "answers": {"topic": "Picks"},
    }  # fmt: skip
    booked = await api.post(f"/public/{made.json()['token']}/book", json=body)
    assert booked.status_code == 201, booked.text
    return booked.json()["id"], booked.json()["booking_token"]


@pytest.mark.parametrize("by", ["recipient", "staff"])
async def test_a_booking_moves_among_the_picks_alone(api: Api, by: str) -> None:
    booking_id, token = await booked_pick(api)
    path = f"/public/bookings/{token}" if by == "recipient" else f"/bookings/{booking_id}"
    who: Member | None = None if by == "recipient" else api.acme.owner
    never = await api.post(f"{path}/reschedule", who, json={"start": moment(at(4, 10))})
    assert (never.status_code, code_of(never)) == (400, "VALIDATION_ERROR")
    moved = await api.post(f"{path}/reschedule", who, json={"start": moment(LATE)})
    assert (moved.status_code, moved.json()["status"]) == (200, "confirmed"), moved.text


async def test_the_page_to_move_it_shows_the_other_picks(api: Api) -> None:
    _, token = await booked_pick(api)
    async with client_of(api.app) as client:
        page = await client.get(f"/booking/{token}/move?tz=UTC")
        assert (page.status_code, "22:00" in page.text or "10:00 pm" in page.text.lower()) == (200, True)
        sent = await client.post(f"/booking/{token}/move", data={"start": moment(LATE), "duration": "30", "tz": "UTC"})
    assert sent.headers["location"] == f"/booking/{token}?did=moved"

"""The longest and largest that is allowed is kept, on PostgreSQL too, where columns have a length."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import Api
from tests.http.workspace import Company, at, moment

pytestmark = pytest.mark.anyio

WIDE = "ẞ𝕏é\u202e"  # capital sharp s, astral, composed, right-to-left
LINE = (WIDE * 50)[:200]
TEXT = ("Line one\r\n\tline two " + WIDE) * 200


def email(length: int = 254, name: str = "r") -> str:
    """An address of this length, in capitals."""
    return f"{name.upper()}@{'x' * (length - len(name) - 5)}.ORG"


WEEK = {day: [[f"{hour:02}:00", f"{hour:02}:59"] for hour in range(24)] for day in ("mon", "tue", "wed", "thu", "fri")}
DATES = [f"20{year}-{month:02}-{day:02}" for year in range(27, 30) for month in range(1, 13) for day in range(1, 29)]


def question(number: int) -> dict[str, Any]:
    return {
        "id": f"{number:064}",
        "label": LINE,
        "kind": "multi",
        "required": True,
        "options": [f"{option:03}{LINE[:197]}" for option in range(100)],
        "help": LINE,
    }


def requests(c: Company) -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        (
            "a link",
            "POST",
            "/links",
            {
                "title": LINE,
                "slug": "a" * 63,
                "description": TEXT[:5000],
                "durations": [1440 - number for number in range(20)],
                "step": 1440,
                "buffer_before": 1440,
                "buffer_after": 1440,
                "minimum_notice": 525600,
                "horizon_days": 3650,
                "date_range": {"from": "1971-01-01", "to": "9990-12-31"},
                "max_per_day": 1000,
                "max_per_week": 1000,
                "location": {"kind": "address", "value": LINE},
            },
        ),
        ("a copy", "POST", f"/links/{c.link.id}/duplicate", {}),
        (
            "a one-time link",
            "POST",
            f"/links/{c.link.id}/one-time",
            {
                "recipient_email": email(),
                "slots": [{"start": moment(at(3, 10) + 60 * number), "duration": 1440} for number in range(200)],
                "expires_at": "9998-01-01T00:00:00Z",
            },
        ),
        (
            "a template",
            "POST",
            "/templates",
            {
                "name": LINE,
                "questions": [question(number) for number in range(5)],
                "email_followup_enabled": True,
                "followup": {"subject": LINE, "body": TEXT[:5000], "delay_minutes": 43200},
            },
        ),
        (
            "a schedule",
            "POST",
            "/schedules",
            {
                "name": LINE,
                "timezone": "America/Argentina/ComodRivadavia",
                "is_default": True,
                "weekly": WEEK,
                "overrides": [{"date": date, "ranges": [["00:00", "24:00"]] * 24} for date in DATES[:1000]],
                "exclusions": [{"from": date, "to": date, "reason": LINE} for date in DATES[:1000]],
                "holiday_country": "US",
            },
        ),
        (
            "time off",
            "POST",
            f"/employees/{c.owner.id}/time-off",
            {"start": "2030-01-01T00:00:00Z", "end": "2034-12-31T00:00:00Z", "reason": TEXT[:500]},
        ),
        ("a feed", "POST", "/me/feeds", {"label": LINE}),
        ("an app password", "POST", "/me/app-passwords", {"label": LINE}),
        ("notes", "PATCH", f"/bookings/{c.booking.id}", {"notes": TEXT[:5000]}),
        ("a reason", "POST", f"/bookings/{c.pending.id}/cancel", {"reason": TEXT[:500]}),
    ]


async def test_the_longest_of_everything_is_kept(api: Api) -> None:
    for name, method, path, body in requests(api.acme):
        answer = await api.call(method, path, api.acme.owner, json=body)
        assert answer.status_code in {200, 201}, f"{name}: {answer.text[:500]}"


async def test_the_longest_booking_is_kept_moved_and_cancelled(api: Api) -> None:
    """Twenty guests with the longest addresses; every text at its bound."""
    questions = [{"id": "topic", "label": LINE, "kind": "long"}, {"id": "n", "label": LINE, "kind": "number"}]
    template = {"questions": questions}
    await api.patch(f"/templates/{api.acme.template.id}", api.acme.owner, json=template)
    body = {
        "start": moment(at(3, 10)),
        "duration": 30,
        "timezone": "America/Argentina/ComodRivadavia",
        "name": LINE,
        "email": email(),
        "phone": "+" + "1" * 39,
        "answers": {"topic": TEXT[:5000], "n": 2**53},
        "guests": [email(name=f"guest{number}") for number in range(20)],
        "notes": TEXT[:5000],
    }
    key = {"Idempotency-Key": "k" * 255}
    made = await api.post("/public/acme.intro/book", json=body, headers=key)
    assert made.status_code == 201, made.text[:500]
    booking = made.json()
    assert booking["recipient"]["email"] == email().lower()
    assert len(booking["guests"]) == 20
    path = f"/public/bookings/{booking['booking_token']}"
    assert (await api.get(f"{path}/calendar.ics")).status_code == 200
    assert (await api.post(f"{path}/reschedule", json={"start": moment(at(3, 13))})).status_code == 200
    assert (await api.post(f"{path}/cancel", json={"reason": TEXT[:500]})).status_code == 200

"""A booking for tests of what is made of one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.answers import Answered
from app.domain.bookings import Booking, HostRef, Recipient
from app.domain.locations import Location

START = 1_804_154_400  # Thursday 2027-03-04 10:00 UTC: 11:00 in Berlin, 05:00 in New York


def make_booking(**changes: Any) -> Booking:
    """A confirmed half hour of Rita (Berlin) with Ana; `changes` replace fields."""
    booking = Booking(
        id="019a0000-0000-7000-8000-000000000001",
        org_id="019a0000-0000-7000-8000-000000000002",
        link_id="019a0000-0000-7000-8000-000000000003",
        one_time_link_id=None,
        service_id=None,
        occurrence_id="019a0000-0000-7000-8000-000000000001",
        status="confirmed",
        title="Intro call",
        start=START,
        end=START + 1800,
        duration=30,
        buffer_before=0,
        buffer_after=15,
        timezone="Europe/Berlin",
        recipient=Recipient("Rita Recipient", "rita@example.org", "+49 30 123456"),
        guests=("gus@example.net",),
        answered=Answered(
            {"topic": "The plan", "days": ["Mon", "Tue"], "ok": True},
            {"topic": "What about?", "days": "Days", "ok": "Agreed"},
        ),
        notes="Please ring twice",
        seats=1,
        location=Location("link", "https://meet.example.com/abc"),
        uid="019a0000-0000-7000-8000-000000000001@halfpast.example.com",
        sequence=0,
        version=1,
        hold_expires_at=None,
        cancel_reason=None,
        actual_start=None,
        actual_end=None,
        token="recipients-own-token",
        hosts=(HostRef("019a0000-0000-7000-8000-000000000004", "user", "Ana"),),
        created_at=START - 90_000,
        updated_at=START - 80_000,
    )
    return replace(booking, **changes)

"""Every route of the API with a request that is right: what the tests bend, and who may send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.http.workspace import Company, at, moment

Kind = Literal["line", "text", "count", "moment", "id", "flag", "email", "word", "zone", "list", "object", "date"]
Body = dict[str, Any]
Audience = Literal["all", "public", "members", "link owner", "owner", "links role", "self or admin", "self", "host"]
"""Who is let in, of the company a thing belongs to:

`public`: anybody, by a token. `members`: everybody of the company. `links role`: owners and admins, whoever made it.
`owner` and `host`: whom the thing belongs to, and admins. `self`: whom it belongs to alone.
"""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path (below `/api/v1`, as the OpenAPI document writes it)."""

    method: str
    path: str
    audience: Audience
    address: str  # to be formatted with a company `c`
    body: Callable[[Company], Body] | None = None
    fields: Mapping[str, Kind] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    listed: bool = False
    versioned: bool = False

    def at(self, company: Company) -> str:
        """Its path for the thing of a company."""
        return self.address.format(c=company)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def free(company: Company) -> str:
    """A time that is free on the intro link."""
    return moment(at(3, 10))


LINK: Mapping[str, Kind] = {
    "title": "line",
    "slug": "line",
    "description": "text",
    "is_active": "flag",
    "schedule_id": "id",
    "template_id": "id",
    "durations": "list",
    "step": "count",
    "buffer_before": "count",
    "buffer_after": "count",
    "minimum_notice": "count",
    "horizon_days": "count",
    "date_range": "object",
    "max_per_day": "count",
    "max_per_week": "count",
    "requires_approval": "flag",
    "cancel_on_decline": "flag",
    "location": "object",
}
TEMPLATE: Mapping[str, Kind] = {
    "name": "line",
    "questions": "list",
    "email_followup_enabled": "flag",
    "followup": "object",
}
SCHEDULE: Mapping[str, Kind] = {
    "name": "line",
    "timezone": "zone",
    "is_default": "flag",
    "weekly": "object",
    "overrides": "list",
    "exclusions": "list",
    "holiday_country": "word",
}
BOOK: Mapping[str, Kind] = {
    "start": "moment",
    "duration": "count",
    "timezone": "zone",
    "name": "line",
    "email": "email",
    "phone": "line",
    "answers": "object",
    "guests": "list",
    "notes": "text",
    "challenge": "line",
}
MOVE: Mapping[str, Kind] = {"start": "moment", "duration": "count", "host": "id"}


def link_body(_: Company) -> Body:
    return {"title": "Another call"}


def booking_body(company: Company) -> Body:
    return {
        "start": free(company),
        "duration": 30,
        "timezone": "Europe/Berlin",
        "name": "Robin",
        "email": "robin@example.org",
        "answers": {"topic": "Plans"},
    }


ENDPOINTS = (
    Endpoint("GET", "/links", "all", "/links", listed=True),
    Endpoint("POST", "/links", "links role", "/links", link_body, LINK, ("title",)),
    Endpoint("GET", "/links/{link_id}", "owner", "/links/{c.link.id}"),
    Endpoint(
        "PATCH",
        "/links/{link_id}",
        "owner",
        "/links/{c.link.id}",
        lambda _: {"title": "New title"},
        LINK,
        versioned=True,
    ),
    Endpoint("POST", "/links/{link_id}/duplicate", "owner", "/links/{c.link.id}/duplicate"),
    Endpoint("GET", "/links/{link_id}/one-time", "owner", "/links/{c.link.id}/one-time", listed=True),
    Endpoint(
        "POST",
        "/links/{link_id}/one-time",
        "owner",
        "/links/{c.link.id}/one-time",
        lambda c: {"slots": [{"start": free(c), "duration": 30}], "expires_at": moment(at(9, 10))},
        {"recipient_email": "email", "slots": "list", "expires_at": "moment"},
    ),
    Endpoint("GET", "/one-time-links/{one_time_id}", "owner", "/one-time-links/{c.one_time.id}"),
    Endpoint("GET", "/templates", "all", "/templates", listed=True),
    Endpoint("POST", "/templates", "links role", "/templates", lambda _: {"name": "T"}, TEMPLATE, ("name",)),
    Endpoint("GET", "/templates/{template_id}", "members", "/templates/{c.template.id}"),
    Endpoint(
        "PATCH",
        "/templates/{template_id}",
        "links role",
        "/templates/{c.template.id}",
        lambda _: {"name": "T"},
        TEMPLATE,
        versioned=True,
    ),
    Endpoint("GET", "/schedules", "all", "/schedules", listed=True),
    Endpoint(
        "POST",
        "/schedules",
        "all",
        "/schedules",
        lambda _: {"name": "S", "timezone": "Europe/Berlin"},
        SCHEDULE,
        ("name", "timezone"),
    ),
    Endpoint("GET", "/schedules/{schedule_id}", "owner", "/schedules/{c.schedule.id}"),
    Endpoint(
        "PATCH",
        "/schedules/{schedule_id}",
        "owner",
        "/schedules/{c.schedule.id}",
        lambda _: {"name": "S"},
        SCHEDULE,
        versioned=True,
    ),
    Endpoint("GET", "/employees/{host_id}/time-off", "host", "/employees/{c.owner.id}/time-off", listed=True),
    Endpoint(
        "POST",
        "/employees/{host_id}/time-off",
        "host",
        "/employees/{c.owner.id}/time-off",
        lambda _: {"start": moment(at(20, 9)), "end": moment(at(20, 12))},
        {"start": "moment", "end": "moment", "reason": "text"},
        ("start", "end"),
    ),
    Endpoint("GET", "/bookings", "all", "/bookings", listed=True),
    Endpoint("GET", "/bookings/{booking_id}", "owner", "/bookings/{c.booking.id}"),
    Endpoint("GET", "/bookings/{booking_id}/history", "owner", "/bookings/{c.booking.id}/history"),
    Endpoint(
        "PATCH",
        "/bookings/{booking_id}",
        "owner",
        "/bookings/{c.booking.id}",
        lambda _: {"notes": "Bring the plans"},
        {"notes": "text"},
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/reschedule",
        "owner",
        "/bookings/{c.booking.id}/reschedule",
        lambda _: {"start": moment(at(3, 13))},
        MOVE,
        ("start",),
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/confirm",
        "owner",
        "/bookings/{c.pending.id}/confirm",
        versioned=True,
    ),
    Endpoint("POST", "/bookings/{booking_id}/start", "owner", "/bookings/{c.booking.id}/start", versioned=True),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/complete",
        "owner",
        "/bookings/{c.booking.id}/complete",
        versioned=True,
    ),
    Endpoint("GET", "/me", "all", "/me"),
    Endpoint("GET", "/me/schedule", "all", "/me/schedule", listed=True),
    Endpoint("GET", "/me/feeds", "all", "/me/feeds", listed=True),
    Endpoint(
        "POST",
        "/me/feeds",
        "all",
        "/me/feeds",
        lambda _: {"kind": "busy", "label": "Laptop"},
        {"kind": "word", "label": "line"},
    ),
    Endpoint("GET", "/me/feeds/{feed_id}", "self", "/me/feeds/{c.feed.id}"),
    Endpoint("GET", "/me/app-passwords", "all", "/me/app-passwords", listed=True),
    Endpoint(
        "POST",
        "/me/app-passwords",
        "all",
        "/me/app-passwords",
        lambda _: {"label": "Laptop"},
        {"label": "line"},
    ),
    Endpoint("GET", "/me/app-passwords/{password_id}", "self", "/me/app-passwords/{c.app_password.id}"),
    Endpoint("GET", "/dead-letters", "links role", "/dead-letters", listed=True),
    Endpoint("POST", "/dead-letters/{job_id}/retry", "links role", "/dead-letters/{c.dead_letter_id}/retry"),
    Endpoint("GET", "/public/{token}", "public", "/public/{c.token}"),
    Endpoint(
        "GET",
        "/public/{token}/availability",
        "public",
        "/public/{c.token}/availability",
        query={"from": "2027-03-02", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin"},
    ),
    Endpoint(
        "POST",
        "/public/{token}/book",
        "public",
        "/public/{c.token}/book",
        booking_body,
        BOOK,
        ("start", "duration", "timezone", "name", "email"),
    ),
    Endpoint("GET", "/public/bookings/{token}", "public", "/public/bookings/{c.booking.token}"),
    Endpoint(
        "GET",
        "/public/bookings/{token}/calendar.ics",
        "public",
        "/public/bookings/{c.booking.token}/calendar.ics",
    ),
    Endpoint(
        "POST",
        "/public/bookings/{token}/reschedule",
        "public",
        "/public/bookings/{c.pending.token}/reschedule",
        lambda _: {"start": moment(at(4, 13))},
        MOVE,
        ("start",),
        versioned=True,
    ),
    Endpoint("GET", "/calendar-accounts", "all", "/calendar-accounts", listed=True),
    Endpoint(
        "POST",
        "/calendar-accounts",
        "all",
        "/calendar-accounts",
        lambda _: {"url": "https://calendar.invalid/", "username": "me", "password": "secret"},
        {"username": "line", "password": "line", "provider": "word", "url": "line", "label": "line"},
    ),
    Endpoint("GET", "/calendar-accounts/{account_id}", "self", "/calendar-accounts/{c.account.id}"),
    Endpoint(
        "PATCH",
        "/calendar-accounts/{account_id}",
        "self",
        "/calendar-accounts/{c.account.id}",
        lambda _: {"label": "Work", "edits": "ask"},
        {"password": "line", "label": "line", "edits": "word", "provider_invites": "flag", "contacts": "word"},
    ),
    Endpoint(
        "GET",
        "/calendar-accounts/{account_id}/calendars",
        "self",
        "/calendar-accounts/{c.account.id}/calendars",
        listed=True,
    ),
    Endpoint(
        "PATCH",
        "/calendar-accounts/{account_id}/calendars",
        "self",
        "/calendar-accounts/{c.account.id}/calendars",
        lambda c: {"calendars": [{"id": c.calendar.id, "is_conflict": False}]},
        {"calendars": "list"},
        ("calendars",),
    ),
    Endpoint("GET", "/contacts", "all", "/contacts", query={"q": "rae"}),
    Endpoint("GET", "/calendar-accounts/{account_id}/status", "self", "/calendar-accounts/{c.account.id}/status"),
    Endpoint("POST", "/calendar-accounts/{account_id}/sync", "self", "/calendar-accounts/{c.account.id}/sync"),
    # What ends things comes last, so that all can be sent in this order.
    Endpoint("POST", "/links/{link_id}/toggle", "owner", "/links/{c.link.id}/toggle", versioned=True),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/cancel",
        "owner",
        "/bookings/{c.pending.id}/cancel",
        lambda _: {"reason": "Ill"},
        {"reason": "text"},
        versioned=True,
    ),
    Endpoint("DELETE", "/bookings/{booking_id}", "owner", "/bookings/{c.pending.id}", versioned=True),
    Endpoint(
        "POST",
        "/public/bookings/{token}/cancel",
        "public",
        "/public/bookings/{c.pending.token}/cancel",
        lambda _: {"reason": "Ill"},
        {"reason": "text"},
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/no-show",
        "owner",
        "/bookings/{c.pending.id}/no-show",
        versioned=True,
    ),
    Endpoint(
        "DELETE",
        "/employees/{host_id}/time-off/{time_off_id}",
        "host",
        "/employees/{c.owner.id}/time-off/{c.time_off.id}",
    ),
    Endpoint("DELETE", "/me/feeds/{feed_id}", "self", "/me/feeds/{c.feed.id}"),
    Endpoint("DELETE", "/me/app-passwords/{password_id}", "self", "/me/app-passwords/{c.app_password.id}"),
    Endpoint("DELETE", "/calendar-accounts/{account_id}", "self", "/calendar-accounts/{c.account.id}"),
    Endpoint("DELETE", "/schedules/{schedule_id}", "owner", "/schedules/{c.schedule.id}", versioned=True),
    Endpoint("DELETE", "/one-time-links/{one_time_id}", "owner", "/one-time-links/{c.one_time.id}"),
    Endpoint("DELETE", "/links/{link_id}", "owner", "/links/{c.link.id}", versioned=True),
    Endpoint("DELETE", "/templates/{template_id}", "links role", "/templates/{c.template.id}", versioned=True),
)

FOR_BROWSERS = {
    ("GET", f"/calendar-accounts/{provider}/{step}")
    for provider in ("google", "microsoft")
    for step in ("connect", "callback")
}
"""Opened on the way to a provider's sign-in page and back, with a session: see `test_calendar_sign_in.py`."""

"""Every route of the API with a request that is right: what the tests bend, and who may send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.http.workspace import Company, Member, at, moment

Kind = Literal[
    "line", "text", "count", "money", "moment", "id", "flag", "email", "word", "zone", "list", "object", "date"
]  # fmt: skip
Body = dict[str, Any]
Audience = Literal[
    "all", "public", "members", "link owner", "owner", "links role", "clients", "self or admin", "self", "host",
    "admins",
]  # fmt: skip
"""Who is let in, of the company a thing belongs to:

`public`: anybody, by a token. `members`: everybody of the company. `links role`: owners and admins, whoever made it.
`clients`: owners, for those of their bookings, and admins. `admins`: nobody else. `owner` and `host`: whom the thing
belongs to, and admins. `self`: whom it belongs to alone.
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

    def sender(self, company: Company) -> Member | None:
        """Somebody of the company who is let in."""
        return None if self.audience == "public" else company.admin if self.audience == "admins" else company.owner

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
    "service_id": "id",
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
    "cancel_until": "count",
    "reschedule_until": "count",
    "max_reschedules": "count",
    "cancel_fee": "money",
    "fee_currency": "word",
    "hand_back": "flag",
    "max_repeats": "count",
    "reminders": "list",
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
SERVICE: Mapping[str, Kind] = {
    "name": "line",
    "description": "text",
    "category": "line",
    "color": "word",
    "image_url": "word",
    "durations": "list",
    "step": "count",
    "buffer_before": "count",
    "buffer_after": "count",
    "mode": "word",
    "price": "money",
    "deposit": "money",
    "currency": "word",
    "location": "object",
    "template_id": "id",
    "schedule_id": "id",
    "is_active": "flag",
    "hand_back": "flag",
    "capacity": "count",
    "is_scheduled": "flag",
    "check_in": "word",
    "check_out": "word",
    "max_repeats": "count",
    "requires_approval": "flag",
    "cancel_until": "count",
    "reschedule_until": "count",
    "max_reschedules": "count",
    "cancel_fee": "money",
    "reminders": "list",
    "resources": "list",
}
RESOURCE: Mapping[str, Kind] = {
    "name": "line",
    "kind": "word",
    "description": "text",
    "color": "word",
    "quantity": "count",
}
CLIENT: Mapping[str, Kind] = {
    "start": "moment",
    "duration": "count",
    "recipient": "object",
    "link": "id",
    "service": "id",
    "host": "id",
    "timezone": "zone",
    "answers": "object",
    "guests": "list",
    "notes": "text",
    "override": "flag",
    "seats": "count",
    "repeat": "object",
    "language": "word",
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
    "host": "id",
    "seats": "count",
    "repeat": "object",
    "language": "word",
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
    Endpoint(
        "GET",
        "/links/{link_id}/explain",
        "owner",
        "/links/{c.link.id}/explain",
        query={"start": "2027-03-03T09:00:00Z", "duration": "30"},
    ),
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
    Endpoint("GET", "/template-library", "all", "/template-library"),
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
    Endpoint("GET", "/employees", "all", "/employees", listed=True),
    Endpoint("GET", "/employees/{employee_id}", "members", "/employees/{c.owner.id}"),
    Endpoint(
        "PATCH",
        "/employees/{employee_id}",
        "host",
        "/employees/{c.owner.id}",
        lambda _: {"max_per_day": 40},
        {"max_per_day": "count", "max_per_week": "count", "name": "line", "roles": "list", "is_active": "flag"},
    ),
    Endpoint(
        "POST",
        "/employees",
        "admins",
        "/employees",
        lambda c: {"name": "Nora New", "email": f"nora@{c.organization.slug}.example.com"},
        {"name": "line", "email": "email", "roles": "list", "timezone": "zone"},
        ("name", "email"),
    ),
    Endpoint(
        "GET",
        "/employees/{employee_id}/availability",
        "members",
        "/employees/{c.owner.id}/availability",
        query={"from": "2027-03-02", "to": "2027-03-05", "duration": "30", "timezone": "UTC"},
    ),
    Endpoint("GET", "/employees/{employee_id}/schedule", "host", "/employees/{c.owner.id}/schedule", listed=True),
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
    Endpoint("GET", "/services", "all", "/services", listed=True),
    Endpoint("POST", "/services", "admins", "/services", lambda _: {"name": "S"}, SERVICE, ("name",)),
    Endpoint("GET", "/services/search", "all", "/services/search", query={"q": "consult"}, listed=True),
    Endpoint("GET", "/services/{service_id}/wait-time", "members", "/services/{c.service.id}/wait-time"),
    Endpoint("GET", "/services/{service_id}", "members", "/services/{c.service.id}"),
    Endpoint(
        "PATCH",
        "/services/{service_id}",
        "admins",
        "/services/{c.service.id}",
        lambda _: {"name": "S"},
        SERVICE,
        versioned=True,
    ),
    Endpoint("GET", "/services/{service_id}/employees", "members", "/services/{c.service.id}/employees"),
    Endpoint(
        "PUT",
        "/services/{service_id}/employees",
        "admins",
        "/services/{c.service.id}/employees",
        lambda c: {"items": [{"employee_id": c.owner.id}]},
        {"items": "list"},
        ("items",),
        versioned=True,
    ),
    Endpoint(
        "GET",
        "/services/{service_id}/availability",
        "members",
        "/services/{c.service.id}/availability",
        query={"from": "2027-03-02", "to": "2027-03-05", "duration": "30", "timezone": "UTC"},
    ),
    Endpoint("GET", "/resources", "all", "/resources", listed=True),
    Endpoint("POST", "/resources", "admins", "/resources", lambda _: {"name": "R"}, RESOURCE, ("name",)),
    Endpoint("GET", "/resources/{resource_id}", "members", "/resources/{c.resource.id}"),
    Endpoint(
        "PATCH",
        "/resources/{resource_id}",
        "admins",
        "/resources/{c.resource.id}",
        lambda _: {"name": "R"},
        RESOURCE,
        versioned=True,
    ),
    Endpoint("GET", "/slots", "all", "/slots", listed=True),
    Endpoint(
        "POST",
        "/slots",
        "admins",
        "/slots",
        lambda c: {"service_id": c.lesson.id, "start": moment(at(4, 14)), "duration": 60},
        {
            "service_id": "id",
            "start": "moment",
            "duration": "count",
            "capacity": "count",
            "host_ids": "list",
            "title": "line",
        },
        ("service_id", "start", "duration"),
    ),
    Endpoint("GET", "/slots/{slot_id}", "host", "/slots/{c.slot.id}"),
    Endpoint("GET", "/bookings", "all", "/bookings", listed=True),
    Endpoint(
        "POST",
        "/bookings",
        "owner",
        "/bookings",
        lambda c: {"link": c.link.id, "start": moment(at(4, 10)), "duration": 30, "recipient": {"name": "Robin"}},
        CLIENT,
        ("start", "duration", "recipient"),
    ),
    Endpoint(
        "POST",
        "/bookings/confirm",
        "all",
        "/bookings/confirm",
        lambda c: {"ids": [c.booking.id]},
        {"ids": "list"},
        ("ids",),
    ),
    Endpoint("GET", "/bookings/{booking_id}", "owner", "/bookings/{c.booking.id}"),
    Endpoint("GET", "/bookings/{booking_id}/history", "owner", "/bookings/{c.booking.id}/history"),
    Endpoint(
        "PATCH",
        "/bookings/{booking_id}",
        "owner",
        "/bookings/{c.booking.id}",
        lambda _: {"notes": "Bring the plans"},
        {"notes": "text", "internal_notes": "text", "guests": "list"},
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/reschedule",
        "owner",
        "/bookings/{c.booking.id}/reschedule",
        lambda _: {"start": moment(at(3, 13))},
        {**MOVE, "override": "flag"},
        ("start",),
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/bookings/{booking_id}/reassign",
        "owner",
        "/bookings/{c.booking.id}/reassign",
        lambda c: {"host": c.colleague.id},
        {"host": "id"},
        ("host",),
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
    Endpoint("GET", "/clients", "links role", "/clients", listed=True),
    Endpoint("GET", "/clients/{client_id}", "clients", "/clients/{c.client.id}"),
    Endpoint(
        "PATCH",
        "/clients/{client_id}",
        "clients",
        "/clients/{c.client.id}",
        lambda _: {"notes": "Prefers mornings"},
        {"name": "line", "phone": "line", "notes": "text"},
        versioned=True,
    ),
    Endpoint(
        "POST",
        "/clients/{client_id}/merge",
        "admins",
        "/clients/{c.client.id}/merge",
        lambda c: {"client": c.other_client.id},
        {"client": "id"},
        ("client",),
        versioned=True,
    ),
    Endpoint("GET", "/blocked-recipients", "links role", "/blocked-recipients", listed=True),
    Endpoint(
        "POST",
        "/blocked-recipients",
        "links role",
        "/blocked-recipients",
        lambda _: {"kind": "domain", "value": "spam.example"},
        {"kind": "word", "value": "line", "reason": "text"},
        ("kind", "value"),
    ),
    Endpoint("DELETE", "/blocked-recipients/{block_id}", "links role", "/blocked-recipients/{c.block.id}"),
    Endpoint("GET", "/me", "all", "/me"),
    Endpoint("GET", "/me/schedule", "all", "/me/schedule", listed=True),
    Endpoint("GET", "/me/feeds", "all", "/me/feeds", listed=True),
    Endpoint(
        "POST",
        "/me/feeds",
        "all",
        "/me/feeds",
        lambda _: {"kind": "busy", "label": "Laptop"},
        {
            "kind": "word",
            "label": "line",
            "subject_id": "id",
            "past_days": "count",
            "future_days": "count",
            "alarms": "list",
        },
    ),
    Endpoint("GET", "/me/feeds/{feed_id}", "self", "/me/feeds/{c.feed.id}"),
    Endpoint(
        "PATCH",
        "/me/feeds/{feed_id}",
        "self",
        "/me/feeds/{c.feed.id}",
        lambda _: {"label": "Tablet", "alarms": [10]},
        {"label": "line", "past_days": "count", "future_days": "count", "alarms": "list"},
    ),
    Endpoint("GET", "/me/kept-edits", "all", "/me/kept-edits", listed=True),
    Endpoint("GET", "/me/kept-edits/{edit_id}", "self", "/me/kept-edits/{c.kept_id}"),
    Endpoint("GET", "/me/notification-settings", "all", "/me/notification-settings"),
    Endpoint(
        "PUT",
        "/me/notification-settings",
        "all",
        "/me/notification-settings",
        lambda _: {"phone": "+49 30 123456", "quiet_from": "22:00", "quiet_to": "07:00", "digest": "daily"},
        {
            "phone": "word",
            "channels": "object",
            "quiet_from": "word",
            "quiet_to": "word",
            "digest": "word",
            "digest_at": "word",
        },
        versioned=True,
    ),
    Endpoint("GET", "/me/notifications", "all", "/me/notifications", listed=True),
    Endpoint("POST", "/me/notifications", "all", "/me/notifications", lambda _: {}, {"ids": "list"}),
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
    Endpoint("GET", "/organization", "all", "/organization"),
    Endpoint(
        "PATCH",
        "/organization",
        "admins",
        "/organization",
        lambda _: {"walk_ins": False},
        {"name": "line", "complete_after_minutes": "count", "hold_minutes": "count", "walk_ins": "flag"},
    ),
    Endpoint("GET", "/links/{link_id}/analytics", "owner", "/links/{c.link.id}/analytics"),
    Endpoint("GET", "/analytics", "all", "/analytics"),
    Endpoint("GET", "/analytics.csv", "all", "/analytics.csv"),
    Endpoint("GET", "/export", "admins", "/export", query={"email": "rae@example.org"}),
    Endpoint(
        "POST",
        "/erase",
        "admins",
        "/erase",
        lambda _: {"email": "nobody@example.org"},
        {"email": "email"},
        ("email",),
    ),
    Endpoint("GET", "/retention", "admins", "/retention"),
    Endpoint(
        "PATCH",
        "/retention",
        "admins",
        "/retention",
        lambda _: {"retention_days": 365},
        {"retention_days": "count", "audit_days": "count"},
    ),
    Endpoint("GET", "/audit", "admins", "/audit", listed=True),
    Endpoint("GET", "/audit.csv", "admins", "/audit.csv"),
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
        {"reason": "text", "following": "flag"},
        versioned=True,
    ),
    Endpoint("DELETE", "/slots/{slot_id}", "host", "/slots/{c.slot.id}", versioned=True),
    Endpoint("DELETE", "/bookings/{booking_id}", "owner", "/bookings/{c.pending.id}", versioned=True),
    Endpoint(
        "POST",
        "/public/bookings/{token}/cancel",
        "public",
        "/public/bookings/{c.pending.token}/cancel",
        lambda _: {"reason": "Ill"},
        {"reason": "text", "following": "flag"},
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
    Endpoint(
        "POST",
        "/employees/{employee_id}/hand-over",
        "admins",
        "/employees/{c.colleague.id}/hand-over",
        lambda _: {"to": "others", "reason": "Ill"},
        {"to": "word", "host": "id", "reason": "text"},
        ("to",),
    ),
    Endpoint("DELETE", "/employees/{employee_id}", "admins", "/employees/{c.employee.id}"),
    Endpoint("DELETE", "/me/feeds/{feed_id}", "self", "/me/feeds/{c.feed.id}"),
    Endpoint("POST", "/me/kept-edits/{edit_id}/copy", "self", "/me/kept-edits/{c.kept_id}/copy"),
    Endpoint("DELETE", "/me/kept-edits/{edit_id}", "self", "/me/kept-edits/{c.other_kept_id}"),
    Endpoint("DELETE", "/me/app-passwords/{password_id}", "self", "/me/app-passwords/{c.app_password.id}"),
    Endpoint("DELETE", "/calendar-accounts/{account_id}", "self", "/calendar-accounts/{c.account.id}"),
    Endpoint("DELETE", "/schedules/{schedule_id}", "owner", "/schedules/{c.schedule.id}", versioned=True),
    Endpoint("DELETE", "/one-time-links/{one_time_id}", "owner", "/one-time-links/{c.one_time.id}"),
    Endpoint(
        "POST",
        "/links/{link_id}/hand-over",
        "owner",
        "/links/{c.link.id}/hand-over",
        lambda c: {"owner_id": c.owner.id},
        {"owner_id": "id", "schedule_id": "id"},
        ("owner_id",),
        versioned=True,
    ),
    Endpoint("DELETE", "/links/{link_id}", "owner", "/links/{c.link.id}", versioned=True),
    Endpoint("DELETE", "/services/{service_id}", "admins", "/services/{c.service.id}", versioned=True),
    Endpoint("DELETE", "/resources/{resource_id}", "admins", "/resources/{c.resource.id}", versioned=True),
    Endpoint("DELETE", "/templates/{template_id}", "links role", "/templates/{c.template.id}", versioned=True),
)

FOR_BROWSERS = {
    ("GET", f"/calendar-accounts/{provider}/{step}")
    for provider in ("google", "microsoft")
    for step in ("connect", "callback")
}
"""Opened on the way to a provider's sign-in page and back, with a session: see `test_calendar_sign_in.py`."""

"""The tables, for SQLite and PostgreSQL alike.

Core tables, no ORM: hot paths read just the columns they need. Instants are integer epoch seconds (UTC), ids UUIDv7
text (native `uuid` on PostgreSQL). Every row carries its organization. Tokens that must be shown again are kept
sealed (`*_sealed`) beside a keyed hash to find them by (`*_lookup`); others as the hash alone.
"""

from app.db.models.bookings import audit_entries, booking_hosts, bookings, claims, idempotency_keys, previous_times
from app.db.models.calendars import (
    added_contacts,
    busy_intervals,
    calendar_accounts,
    calendar_channels,
    calendar_delegates,
    calendar_edits,
    calendar_events,
    calendar_objects,
    calendars,
    event_notes,
    feeds,
    kept_edits,
)
from app.db.models.clients import blocked_recipients, client_identities, clients
from app.db.models.columns import MAX_SPAN, metadata
from app.db.models.offers import (
    hosts,
    links,
    offer_hosts,
    one_time_links,
    resources,
    schedules,
    services,
    templates,
    time_off,
)
from app.db.models.people import (
    api_tokens,
    app_passwords,
    organization_grants,
    organizations,
    phone_profiles,
    sessions,
    users,
)
from app.db.models.records import view_events
from app.db.models.telling import (
    mail_deliveries,
    notification_settings,
    notifications,
    outbox,
    reminders_sent,
    scheduling_mails,
    unsubscribed,
)

__all__ = [
    "MAX_SPAN",
    "added_contacts",
    "api_tokens",
    "app_passwords",
    "audit_entries",
    "blocked_recipients",
    "booking_hosts",
    "bookings",
    "busy_intervals",
    "calendar_accounts",
    "calendar_channels",
    "calendar_delegates",
    "calendar_edits",
    "calendar_events",
    "calendar_objects",
    "calendars",
    "claims",
    "client_identities",
    "clients",
    "event_notes",
    "feeds",
    "hosts",
    "idempotency_keys",
    "kept_edits",
    "links",
    "mail_deliveries",
    "metadata",
    "notification_settings",
    "notifications",
    "offer_hosts",
    "one_time_links",
    "organization_grants",
    "organizations",
    "outbox",
    "phone_profiles",
    "previous_times",
    "reminders_sent",
    "resources",
    "schedules",
    "scheduling_mails",
    "services",
    "sessions",
    "templates",
    "time_off",
    "unsubscribed",
    "users",
    "view_events",
]

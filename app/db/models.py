"""The tables, for SQLite and PostgreSQL alike.

Core tables, no ORM: hot paths read just the columns they need. Instants are integer epoch seconds (UTC), ids UUIDv7
text (native `uuid` on PostgreSQL). Every row carries its organization. Tokens that must be shown again are kept
sealed (`*_sealed`) beside a keyed hash to find them by (`*_lookup`); others as the hash alone.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = Uuid(as_uuid=False).with_variant(String(36), "sqlite")
Json = JSON()  # not JSONB, which forgets the order of keys: answers are shown in the order of their questions
Instant = BigInteger

MAX_SPAN = 31 * 86400
"""Longest claim or stored busy interval, seconds. Overlap queries look back this far, so an index on the start
bounds them whatever the past holds; longer busy time is stored in pieces."""


def _id() -> Column[str]:
    return Column("id", Id, primary_key=True)


def _org() -> Column[str]:
    return Column("org_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False)


def _ref(name: str, target: str, *, nullable: bool = False, ondelete: str = "CASCADE") -> Column[str]:
    return Column(name, Id, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Instant, nullable=nullable)


organizations = Table(
    "organizations",
    metadata,
    _id(),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("complete_after_minutes", Integer, nullable=False, server_default="60"),
    Column("hold_minutes", Integer, nullable=False, server_default="1440"),
    _instant("created_at"),
)

users = Table(
    "users",
    metadata,
    _id(),
    _org(),
    Column("email", String(254), nullable=False, unique=True),
    Column("handle", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("roles", Json, nullable=False),
    Column("password_hash", String(200)),
    Column("timezone", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    _instant("created_at"),
    _instant("updated_at"),
    Index("ix_users_org_id", "org_id", "id"),
)

hosts = Table(
    "hosts",
    metadata,
    _id(),  # equal to the user's id for a host of kind `user`
    _org(),
    Column("kind", String(16), nullable=False),
    _ref("user_id", "users", nullable=True),
    Column("name", String(200), nullable=False),
    Column("max_per_day", Integer),
    Column("max_per_week", Integer),
    Column("revision", BigInteger, nullable=False, server_default="0"),  # rises with whatever may change free times
    Index("ix_hosts_org_id", "org_id"),
)

schedules = Table(
    "schedules",
    metadata,
    _id(),
    _org(),
    _ref("user_id", "users"),
    Column("name", String(200), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("weekly", Json, nullable=False),
    Column("overrides", Json, nullable=False),
    Column("exclusions", Json, nullable=False),
    Column("holiday_country", String(16)),
    Column("version", Integer, nullable=False),
    _instant("created_at"),
    _instant("updated_at"),
    Index("ix_schedules_user_id", "user_id"),
    Index(
        "uq_schedules_default",
        "user_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
)

time_off = Table(
    "time_off",
    metadata,
    _id(),
    _org(),
    _ref("host_id", "hosts"),
    _instant("start_at"),
    _instant("end_at"),
    Column("reason", String(500), nullable=False),
    _instant("created_at"),
    Index("ix_time_off_host_id_end_at", "host_id", "end_at"),
)

templates = Table(
    "templates",
    metadata,
    _id(),
    _org(),
    Column("name", String(200), nullable=False),
    Column("questions", Json, nullable=False),
    Column("email_followup_enabled", Boolean, nullable=False),
    Column("followup", Json, nullable=False),
    Column("version", Integer, nullable=False),
    _instant("created_at"),
    _instant("updated_at"),
    Index("ix_templates_org_id", "org_id"),
)

links = Table(
    "links",
    metadata,
    _id(),
    _org(),
    _ref("owner_id", "users"),
    Column("slug", String(100), nullable=False),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("mode", String(16), nullable=False),
    _ref("schedule_id", "schedules", nullable=True, ondelete="SET NULL"),
    _ref("template_id", "templates", nullable=True, ondelete="SET NULL"),
    Column("service_id", Id),
    Column("durations", Json, nullable=False),
    Column("step", Integer),
    Column("buffer_before", Integer, nullable=False),
    Column("buffer_after", Integer, nullable=False),
    Column("minimum_notice", Integer, nullable=False),
    Column("horizon_days", Integer),
    Column("date_from", String(10)),
    Column("date_to", String(10)),
    Column("max_per_day", Integer),
    Column("max_per_week", Integer),
    Column("requires_approval", Boolean, nullable=False),
    Column("location", Json, nullable=False),
    Column("version", Integer, nullable=False),
    _instant("deleted_at", nullable=True),
    Column("cancel_on_decline", Boolean, nullable=False, server_default=text("false")),
    _instant("created_at"),
    _instant("updated_at"),
    Index(
        "uq_links_org_id_slug",
        "org_id",
        "slug",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_links_owner_id", "owner_id", "id"),
)

link_hosts = Table(
    "link_hosts",
    metadata,
    Column("link_id", Id, ForeignKey("links.id", ondelete="CASCADE"), primary_key=True),
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    Column("priority", Integer, nullable=False, server_default="0"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    _id(),
    _org(),
    _ref("link_id", "links"),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    Column("recipient_email", String(254)),
    Column("slots", Json, nullable=False),
    _instant("expires_at", nullable=True),
    Column("status", String(16), nullable=False),
    Column("booking_id", Id),
    _instant("created_at"),
    Index("ix_one_time_links_link_id", "link_id", "id"),
)

bookings = Table(
    "bookings",
    metadata,
    _id(),
    _org(),
    _ref("link_id", "links", nullable=True, ondelete="SET NULL"),
    _ref("one_time_link_id", "one_time_links", nullable=True, ondelete="SET NULL"),
    Column("service_id", Id),
    Column("occurrence_id", Id, nullable=False),
    Column("status", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    _instant("start_at"),
    _instant("end_at"),
    Column("duration", Integer, nullable=False),
    Column("buffer_before", Integer, nullable=False),
    Column("buffer_after", Integer, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("recipient_name", String(200), nullable=False),
    Column("recipient_email", String(254), nullable=False),
    Column("recipient_phone", String(40)),
    Column("guests", Json, nullable=False),
    Column("answers", Json, nullable=False),
    Column("answer_labels", Json, nullable=False),
    Column("notes", Text),
    Column("seats", Integer, nullable=False),
    Column("location", Json, nullable=False),
    Column("uid", String(255), nullable=False, unique=True),
    Column("sequence", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    _instant("hold_expires_at", nullable=True),
    Column("cancel_reason", String(500)),
    _instant("actual_start", nullable=True),
    _instant("actual_end", nullable=True),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    Column("recipient_reply", String(16)),  # accepted | declined | tentative
    Column("provider_invites", Boolean, nullable=False, server_default=text("false")),
    _instant("created_at"),
    _instant("updated_at"),
    CheckConstraint("end_at > start_at", name="times"),
    Index("ix_bookings_org_id_start_at", "org_id", "start_at", "id"),
    Index("ix_bookings_link_id_start_at", "link_id", "start_at"),
    Index("ix_bookings_occurrence_id", "occurrence_id"),
    Index("ix_bookings_recipient", "org_id", "recipient_email", "start_at"),
)

booking_hosts = Table(
    "booking_hosts",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    _instant("start_at"),  # the booking's, repeated for one index over host and time
    _instant("booked_at"),
    Index("ix_booking_hosts_host_id_start_at", "host_id", "start_at"),
    Index("ix_booking_hosts_host_id_booked_at", "host_id", "booked_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("occurrence_id", Id, primary_key=True),
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    _org(),
    _instant("start_at"),  # buffers included
    _instant("end_at"),
    Column("capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    _instant("hold_expires_at", nullable=True),
    CheckConstraint("seats_taken >= 1 AND seats_taken <= capacity", name="seats"),
    CheckConstraint(f"end_at > start_at AND end_at - start_at <= {MAX_SPAN}", name="span"),
    Index("ix_claims_host_id_start_at", "host_id", "start_at", "end_at"),
)

previous_times = Table(
    "previous_times",
    metadata,
    _id(),
    _org(),
    _ref("booking_id", "bookings"),
    Column("status", String(16), nullable=False),  # always `rescheduled`
    _instant("start_at"),
    _instant("end_at"),
    Column("host_ids", Json, nullable=False),
    _instant("replaced_at"),
    Index("ix_previous_times_booking_id", "booking_id", "id"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    _id(),
    _org(),
    _instant("at"),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64)),
    Column("action", String(64), nullable=False),
    Column("entity", String(32), nullable=False),
    Column("entity_id", Id, nullable=False),
    Column("changes", Json, nullable=False),
    Index("ix_audit_entries_entity_id", "entity_id", "id"),
    Index("ix_audit_entries_org_id", "org_id", "id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(64), primary_key=True),  # keyed hash of caller, route and key
    Column("body_hash", String(64), nullable=False),
    Column("answer_sealed", Text, nullable=False),
    _instant("created_at"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _org(),
    Column("lane", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(8), nullable=False),  # pending | dead
    Column("requested", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    _instant("run_at"),
    Column("lease_owner", String(64)),
    _instant("lease_until", nullable=True),
    Column("last_error", Text),
    _instant("created_at"),
    _instant("updated_at"),
    Index("ix_outbox_due", "state", "run_at"),
    Index("ix_outbox_subject_id", "subject_id"),
    Index("ix_outbox_org_id", "org_id", "state"),
)

calendar_accounts = Table(
    "calendar_accounts",
    metadata,
    _id(),
    _org(),
    _ref("user_id", "users"),
    Column("provider", String(16), nullable=False),
    Column("label", String(200), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("username", String(254), nullable=False),
    Column("secret_sealed", Text, nullable=False),
    Column("status", String(8), nullable=False),
    Column("error", Text),
    _instant("last_ok_at", nullable=True),
    _instant("created_at"),
    _instant("updated_at"),
    Column("edits", String(8), nullable=False, server_default=text("'rules'")),  # rules | outside | ask
    Column("scopes", Text),  # what was granted at the provider, space between
    Column("provider_invites", Boolean, nullable=False, server_default=text("false")),
    Column("contacts", String(8), nullable=False, server_default=text("'off'")),  # off | suggest | add
    Index("ix_calendar_accounts_user_id", "user_id"),
)

calendars = Table(
    "calendars",
    metadata,
    _id(),
    _org(),
    _ref("account_id", "calendar_accounts"),
    _ref("user_id", "users"),
    Column("provider", String(16), nullable=False),
    Column("name", String(1000), nullable=False),
    Column("display_name", String(255), nullable=False),
    Column("color", String(32)),
    Column("position", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("components", Json, nullable=False),
    Column("is_conflict", Boolean, nullable=False),
    Column("is_write", Boolean, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    _instant("modified_at"),
    Column("sync_cursor", Text),
    _instant("synced_at", nullable=True),
    Column("sync_error", Text),
    Column("tentative_busy", Boolean, nullable=False, server_default=text("true")),
    UniqueConstraint("account_id", "name"),
    Index("ix_calendars_user_id", "user_id"),
    Index(
        "uq_calendars_write",
        "user_id",
        unique=True,
        sqlite_where=text("is_write"),
        postgresql_where=text("is_write"),
    ),
)

calendar_channels = Table(
    "calendar_channels",
    metadata,
    _id(),
    _org(),
    _ref("calendar_id", "calendars"),
    Column("provider", String(16), nullable=False),
    Column("resource_id", String(255), nullable=False),
    Column("token_sealed", Text, nullable=False),
    _instant("expires_at"),
    _instant("created_at"),
    Index("ix_calendar_channels_calendar_id", "calendar_id"),
    Index("ix_calendar_channels_resource_id", "resource_id"),
)

calendar_objects = Table(
    "calendar_objects",
    metadata,
    _id(),
    _ref("calendar_id", "calendars"),
    Column("name", String(1000), nullable=False),
    Column("uid", String(1000), nullable=False),
    Column("component", String(16), nullable=False),
    Column("etag", String(200), nullable=False),
    Column("data", Text, nullable=False),
    _instant("start_at"),
    _instant("end_at", nullable=True),  # NULL: a recurrence without end
    Column("booking_id", Id),
    Column("revision", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    _instant("expanded_until", nullable=True),  # busy intervals are stored up to here; NULL: all of them
    _instant("modified_at"),
    UniqueConstraint("calendar_id", "name"),
    Index("ix_calendar_objects_calendar_id_revision", "calendar_id", "revision"),
    Index("ix_calendar_objects_calendar_id_start_at", "calendar_id", "start_at", "end_at"),
    Index("ix_calendar_objects_booking_id", "booking_id"),
    Index(  # a listing of names and etags without a look at the rows, which hold the texts
        "ix_calendar_objects_listing",
        "calendar_id",
        "name",
        "etag",
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
    Index(
        "uq_calendar_objects_uid",
        "calendar_id",
        "uid",
        unique=True,
        sqlite_where=text("NOT deleted"),
        postgresql_where=text("NOT deleted"),
    ),
)

busy_intervals = Table(
    "busy_intervals",
    metadata,
    Column("object_id", Id, ForeignKey("calendar_objects.id", ondelete="CASCADE"), primary_key=True),
    Column("start_at", Instant, primary_key=True),
    _instant("end_at"),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), nullable=False),
    CheckConstraint(f"end_at > start_at AND end_at - start_at <= {MAX_SPAN}", name="span"),
    Index("ix_busy_intervals_calendar_id_start_at", "calendar_id", "start_at", "end_at"),
)

calendar_events = Table(
    "calendar_events",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    _org(),
    Column("account_id", Id, nullable=False),
    Column("event_key", String(2000)),
    Column("etag", String(200)),
    Column("html_link", String(2000)),
    Column("state", String(8), nullable=False),  # written | pending | failed
    Column("written_version", Integer),
    Column("error", Text),
    _instant("updated_at"),
    Index("ix_calendar_events_calendar_id", "calendar_id"),
)

calendar_edits = Table(
    "calendar_edits",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    _org(),
    _ref("user_id", "users"),
    Column("kind", String(8), nullable=False),  # moved | deleted
    _instant("start_at", nullable=True),
    _instant("end_at", nullable=True),
    Column("is_asked", Boolean, nullable=False),
    _instant("seen_at"),
    Index("ix_calendar_edits_user_id", "user_id"),
)

added_contacts = Table(
    "added_contacts",
    metadata,
    Column("account_id", Id, ForeignKey("calendar_accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(254), primary_key=True),
    _org(),
    _instant("added_at"),
)

organization_grants = Table(
    "organization_grants",
    metadata,
    Column("org_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", String(16), primary_key=True),
    Column("label", String(255), nullable=False),  # what the grant is for: the tenant, the service account
    Column("secret_sealed", Text, nullable=False),
    _instant("created_at"),
)

mail_deliveries = Table(
    "mail_deliveries",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(254), primary_key=True),
    Column("kind", String(16), primary_key=True),  # state | followup | conflict
    _org(),
    Column("status", String(16), nullable=False),  # the booking's status that was told
    Column("sequence", Integer, nullable=False),
    Column("message_id", String(255), nullable=False),
    _instant("sent_at"),
)

feeds = Table(
    "feeds",
    metadata,
    _id(),
    _org(),
    _ref("user_id", "users"),
    Column("kind", String(16), nullable=False),  # schedule | busy
    Column("label", String(200), nullable=False),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    _instant("created_at"),
    Index("ix_feeds_user_id", "user_id"),
)

app_passwords = Table(
    "app_passwords",
    metadata,
    _id(),
    _org(),
    _ref("user_id", "users"),
    Column("label", String(200), nullable=False),
    Column("lookup", String(64), nullable=False),
    _instant("created_at"),
    _instant("last_used_at", nullable=True),
    Index("ix_app_passwords_user_id", "user_id"),
    UniqueConstraint("user_id", "lookup"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    _id(),
    _org(),
    _ref("user_id", "users"),
    Column("label", String(200), nullable=False),
    Column("lookup", String(64), nullable=False, unique=True),
    _instant("created_at"),
    _instant("last_used_at", nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("lookup", String(64), primary_key=True),
    _org(),
    _ref("user_id", "users"),
    _instant("created_at"),
    _instant("expires_at"),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

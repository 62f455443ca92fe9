"""Calendars, connected and our own, what is in them and what is published."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.db.models.columns import MAX_SPAN, Id, Instant, Json, identity, instant, metadata, org, ref

calendar_accounts = Table(
    "calendar_accounts",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("provider", String(16), nullable=False),
    Column("label", String(200), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("username", String(254), nullable=False),
    Column("secret_sealed", Text, nullable=False),
    Column("status", String(8), nullable=False),
    Column("error", Text),
    instant("last_ok_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("edits", String(8), nullable=False, server_default=text("'rules'")),  # rules | outside | ask
    Column("scopes", Text),  # what was granted at the provider, space between
    Column("provider_invites", Boolean, nullable=False, server_default=text("false")),
    Column("contacts", String(8), nullable=False, server_default=text("'off'")),  # off | suggest | add
    Column("properties", Json),  # of the built-in account: WebDAV properties kept for clients on the person's home
    Index("ix_calendar_accounts_user_id", "user_id"),
)

calendars = Table(
    "calendars",
    metadata,
    identity(),
    org(),
    ref("account_id", "calendar_accounts"),
    ref("user_id", "users"),
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
    instant("modified_at"),
    Column("sync_cursor", Text),
    instant("synced_at", nullable=True),
    Column("sync_error", Text),
    Column("tentative_busy", Boolean, nullable=False, server_default=text("true")),
    Column("properties", Json),  # WebDAV properties kept for clients
    Column("takes_new", Boolean, nullable=False, server_default=text("true")),
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
    identity(),
    org(),
    ref("calendar_id", "calendars"),
    Column("provider", String(16), nullable=False),
    Column("resource_id", String(255), nullable=False),
    Column("token_sealed", Text, nullable=False),
    instant("expires_at"),
    instant("created_at"),
    Index("ix_calendar_channels_calendar_id", "calendar_id"),
    Index("ix_calendar_channels_resource_id", "resource_id"),
)

calendar_objects = Table(
    "calendar_objects",
    metadata,
    identity(),
    ref("calendar_id", "calendars"),
    Column("name", String(1000), nullable=False),
    Column("uid", String(1000), nullable=False),
    Column("component", String(16), nullable=False),
    Column("etag", String(200), nullable=False),
    Column("data", Text, nullable=False),
    instant("start_at"),
    instant("end_at", nullable=True),  # NULL: a recurrence without end
    Column("booking_id", Id),
    Column("revision", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    instant("expanded_until", nullable=True),  # busy intervals are stored up to here; NULL: all of them
    instant("modified_at"),
    Column("schedule_tag", String(64)),  # RFC 6638 §3.2.10; NULL: no scheduling object
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
    instant("end_at"),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), nullable=False),
    CheckConstraint(f"end_at > start_at AND end_at - start_at <= {MAX_SPAN}", name="span"),
    Index("ix_busy_intervals_calendar_id_start_at", "calendar_id", "start_at", "end_at"),
)

calendar_events = Table(
    "calendar_events",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    org(),
    Column("account_id", Id, nullable=False),
    Column("event_key", String(2000)),
    Column("etag", String(200)),
    Column("html_link", String(2000)),
    Column("state", String(8), nullable=False),  # written | pending | failed
    Column("written_version", Integer),
    Column("error", Text),
    instant("updated_at"),
    Index("ix_calendar_events_calendar_id", "calendar_id"),
)

calendar_edits = Table(
    "calendar_edits",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("calendar_id", Id, ForeignKey("calendars.id", ondelete="CASCADE"), primary_key=True),
    org(),
    ref("user_id", "users"),
    Column("kind", String(8), nullable=False),  # moved | deleted
    instant("start_at", nullable=True),
    instant("end_at", nullable=True),
    Column("is_asked", Boolean, nullable=False),
    instant("seen_at"),
    Index("ix_calendar_edits_user_id", "user_id"),
)

calendar_delegates = Table(
    "calendar_delegates",
    metadata,
    Column("owner_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("delegate_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    org(),
    Column("access", String(8), nullable=False),  # read | write
    Index("ix_calendar_delegates_delegate_id", "delegate_id"),
)

event_notes = Table(
    "event_notes",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    org(),
    Column("name", String(1000)),  # of the event in the person's schedule; NULL: that of the booking
    Column("data", Text, nullable=False),  # what the person added to the event, as lines of iCalendar
    Column("plain", Text, nullable=False),  # the event without it, for everybody else
    instant("updated_at"),
)

kept_edits = Table(
    "kept_edits",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    ref("calendar_id", "calendars"),
    Column("name", String(1000), nullable=False),
    Column("data", Text, nullable=False),  # what the device sent; empty for a deletion
    Column("reason", Text, nullable=False),
    Column("device", String(200), nullable=False),
    instant("kept_at"),
    Index("ix_kept_edits_user_id", "user_id", "id"),
)

added_contacts = Table(
    "added_contacts",
    metadata,
    Column("account_id", Id, ForeignKey("calendar_accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("email", String(254), primary_key=True),
    org(),
    instant("added_at"),
    Column("key", String(255)),  # the provider's, of the contact we made; NULL: it was there, or is older than this
)

feeds = Table(
    "feeds",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("kind", String(16), nullable=False),  # schedule | busy | link | service | resource | organization
    Column("label", String(200), nullable=False),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    instant("created_at"),
    Column("subject_id", Id),  # the link, service or resource
    Column("options", Json),  # window and alarms
    Column("changed_at", BigInteger, nullable=False, server_default="0"),  # of the label and the options; 0: never
    Index("ix_feeds_user_id", "user_id"),
)

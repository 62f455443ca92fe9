"""Bookings, what they occupy and what was done to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from app.db.models.columns import MAX_SPAN, Id, Json, identity, instant, metadata, org, ref

_SESSIONS: Any = {name: text("capacity IS NOT NULL") for name in ("sqlite_where", "postgresql_where")}

bookings = Table(
    "bookings",
    metadata,
    identity(),
    org(),
    ref("link_id", "links", nullable=True, ondelete="SET NULL"),
    ref("one_time_link_id", "one_time_links", nullable=True, ondelete="SET NULL"),
    Column("service_id", Id),
    Column("occurrence_id", Id, nullable=False),
    Column("status", String(16), nullable=False),
    Column("title", String(200), nullable=False),
    instant("start_at"),
    instant("end_at"),
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
    instant("hold_expires_at", nullable=True),
    Column("cancel_reason", String(500)),
    instant("actual_start", nullable=True),
    instant("actual_end", nullable=True),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("recipient_reply", String(16)),  # accepted | declined | tentative
    Column("provider_invites", Boolean, nullable=False, server_default=text("false")),
    Column("capacity", Integer),  # of a session, which its attendees' bookings refer to as occurrence
    Column("series_id", Id),  # the first booking of a recurring set
    Column("client_id", Id),
    Column("internal_notes", Text),
    Column("moves", Integer, nullable=False, server_default="0"),  # by the recipient
    Column("is_explicit", Boolean, nullable=False, server_default=text("false")),  # a session that staff made
    Column("language", String(35)),  # the recipient's, a BCP 47 tag
    instant("erased_at", nullable=True),  # when what was known of its recipient was erased
    CheckConstraint("end_at > start_at", name="times"),
    Index("ix_bookings_org_id_start_at", "org_id", "start_at", "id"),
    Index("ix_bookings_link_id_start_at", "link_id", "start_at"),
    Index("ix_bookings_service_id_start_at", "service_id", "start_at"),
    Index("ix_bookings_occurrence_id", "occurrence_id"),
    Index("ix_bookings_recipient", "org_id", "recipient_email", "start_at"),
    Index("ix_bookings_series_id", "series_id", "start_at"),
    Index("ix_bookings_sessions_of_service", "service_id", "start_at", "id", **_SESSIONS),
    Index("ix_bookings_sessions_of_org", "org_id", "start_at", "id", **_SESSIONS),
    Index("ix_bookings_client_id", "client_id", "start_at"),
    Index("ix_bookings_created_at", "org_id", "created_at"),
)

booking_hosts = Table(
    "booking_hosts",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    instant("start_at"),  # the booking's, repeated for one index over host and time
    instant("booked_at"),
    Index("ix_booking_hosts_host_id_start_at", "host_id", "start_at"),
    Index("ix_booking_hosts_host_id_booked_at", "host_id", "booked_at"),
)

claims = Table(
    "claims",
    metadata,
    Column("occurrence_id", Id, primary_key=True),
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    org(),
    instant("start_at"),  # buffers included
    instant("end_at"),
    Column("capacity", Integer, nullable=False),
    Column("seats_taken", Integer, nullable=False),
    instant("hold_expires_at", nullable=True),
    CheckConstraint("seats_taken >= 0 AND seats_taken <= capacity", name="seats"),
    CheckConstraint(f"end_at > start_at AND end_at - start_at <= {MAX_SPAN}", name="span"),
    Index("ix_claims_host_id_start_at", "host_id", "start_at", "end_at"),
)

previous_times = Table(
    "previous_times",
    metadata,
    identity(),
    org(),
    ref("booking_id", "bookings"),
    Column("status", String(16), nullable=False),  # always `rescheduled`
    instant("start_at"),
    instant("end_at"),
    Column("host_ids", Json, nullable=False),
    instant("replaced_at"),
    Index("ix_previous_times_booking_id", "booking_id", "id"),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    identity(),
    org(),
    instant("at"),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(64)),
    Column("action", String(64), nullable=False),
    Column("entity", String(32), nullable=False),
    Column("entity_id", Id, nullable=False),
    Column("changes", Json, nullable=False),
    Column("via", String(16)),  # api | page | caldav | calendar | mail | command | system | hook
    Column("address", String(64)),  # the network it came from, never a whole address
    Column("agent", String(64)),
    Index("ix_audit_entries_entity_id", "entity_id", "id"),
    Index("ix_audit_entries_org_id", "org_id", "at", "id"),
    Index("ix_audit_entries_actor_id", "org_id", "actor_id", "at", "id"),
    Index("ix_audit_entries_action", "org_id", "action", "at", "id"),
    Index("ix_audit_entries_entity", "org_id", "entity", "at", "id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(64), primary_key=True),  # keyed hash of caller, route and key
    Column("body_hash", String(64), nullable=False),
    Column("answer_sealed", Text, nullable=False),
    instant("created_at"),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

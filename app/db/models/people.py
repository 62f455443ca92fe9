"""Organizations, people and what they sign in with."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint, text

from app.db.models.columns import Id, Json, identity, instant, metadata, org, ref

organizations = Table(
    "organizations",
    metadata,
    identity(),
    Column("slug", String(63), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("complete_after_minutes", Integer, nullable=False, server_default="60"),
    Column("hold_minutes", Integer, nullable=False, server_default="1440"),
    instant("created_at"),
    Column("walk_ins", Boolean, nullable=False, server_default=text("false")),
    Column("retention_days", Integer),  # how long recipients are known after their bookings; NULL: for good
    Column("audit_days", Integer),  # how long the audit log is kept; NULL: for good
)

users = Table(
    "users",
    metadata,
    identity(),
    org(),
    Column("email", String(254), nullable=False, unique=True),
    Column("handle", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("roles", Json, nullable=False),
    Column("password_hash", String(200)),
    Column("timezone", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_users_org_id", "org_id", "id"),
)

app_passwords = Table(
    "app_passwords",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("label", String(200), nullable=False),
    Column("lookup", String(64), nullable=False),
    instant("created_at"),
    instant("last_used_at", nullable=True),
    Index("ix_app_passwords_user_id", "user_id"),
    UniqueConstraint("user_id", "lookup"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("label", String(200), nullable=False),
    Column("lookup", String(64), nullable=False, unique=True),
    instant("created_at"),
    instant("last_used_at", nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("lookup", String(64), primary_key=True),
    org(),
    ref("user_id", "users"),
    instant("created_at"),
    instant("expires_at"),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

phone_profiles = Table(
    "phone_profiles",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("label", String(200), nullable=False),
    Column("lookup", String(64), nullable=False, unique=True),
    Column("password_sealed", Text, nullable=False),  # seals nothing until the profile is taken
    instant("expires_at"),
    instant("created_at"),
    Index("ix_phone_profiles_expires_at", "expires_at"),
)

organization_grants = Table(
    "organization_grants",
    metadata,
    Column("org_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", String(16), primary_key=True),
    Column("label", String(255), nullable=False),  # what the grant is for: the tenant, the service account
    Column("secret_sealed", Text, nullable=False),
    instant("created_at"),
)

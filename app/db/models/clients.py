"""Clients, what they are known by, and who is not to book."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from app.db.models.columns import Id, identity, instant, metadata, org, ref

clients = Table(
    "clients",
    metadata,
    identity(),
    org(),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),  # as shown; what they are found by is in client_identities
    Column("phone", String(40)),
    Column("notes", Text),
    Column("version", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_clients_org_id", "org_id", "id"),
)

client_identities = Table(
    "client_identities",
    metadata,
    org(),
    Column("kind", String(8), nullable=False),  # email | phone
    Column("value", String(254), nullable=False),  # normalized
    Column("client_id", Id, ForeignKey("clients.id", ondelete="CASCADE"), nullable=False),
    UniqueConstraint("org_id", "kind", "value"),
    Index("ix_client_identities_client_id", "client_id"),
)

blocked_recipients = Table(
    "blocked_recipients",
    metadata,
    identity(),
    org(),
    Column("kind", String(8), nullable=False),  # email | domain | phone
    Column("value", String(254), nullable=False),  # normalized
    Column("reason", String(500)),
    ref("created_by", "users", nullable=True, ondelete="SET NULL"),
    instant("created_at"),
    UniqueConstraint("org_id", "kind", "value"),
    Index("ix_blocked_recipients_org_id", "org_id", "id"),
)

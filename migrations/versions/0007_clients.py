"""Clients and those who are not to book

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")


def upgrade() -> None:
    op.create_table(
        "clients",
        sa.Column("id", ID, nullable=False),
        _organization(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _organizations("clients"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clients")),
    )
    op.create_index("ix_clients_org_id", "clients", ["org_id", "id"])
    op.create_table(
        "client_identities",
        _organization(),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("client_id", ID, nullable=False),
        _organizations("client_identities"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name=op.f("fk_client_identities_client_id_clients"), ondelete="CASCADE"
        ),
        sa.UniqueConstraint("org_id", "kind", "value", name=op.f("uq_client_identities_org_id_kind_value")),
    )
    op.create_index("ix_client_identities_client_id", "client_identities", ["client_id"])
    op.create_table(
        "blocked_recipients",
        sa.Column("id", ID, nullable=False),
        _organization(),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("created_by", ID, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _organizations("blocked_recipients"),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_blocked_recipients_created_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocked_recipients")),
        sa.UniqueConstraint("org_id", "kind", "value", name=op.f("uq_blocked_recipients_org_id_kind_value")),
    )
    op.create_index("ix_blocked_recipients_org_id", "blocked_recipients", ["org_id", "id"])
    _ask_to_file_bookings()


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind IN ('client', 'clients')")
    op.execute("UPDATE bookings SET client_id = NULL")
    for table in ("blocked_recipients", "client_identities", "clients"):
        op.drop_table(table)


def _organization() -> sa.Column[str]:
    return sa.Column("org_id", ID, nullable=False)


def _organizations(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_org_id_organizations")
    return sa.ForeignKeyConstraint(["org_id"], ["organizations.id"], name=name, ondelete="CASCADE")


def _ask_to_file_bookings() -> None:
    """One job an organization: the worker files the bookings that are there already under their clients."""
    organizations, outbox = _table("organizations", "id"), _table("outbox", "id", "org_id", "subject_id")
    now, connection = int(time.time()), op.get_bind()
    rows = [
        {
            "id": str(uuid.uuid4()),
            "org_id": org_id,
            "lane": f"organization:{org_id}:clients",
            "kind": "clients",
            "subject_id": org_id,
            "payload": {},
            "state": "pending",
            "requested": 1,
            "attempts": 0,
            "run_at": now,
            "created_at": now,
            "updated_at": now,
        }
        for org_id in connection.execute(sa.select(organizations.c.id)).scalars()
    ]
    if rows:
        op.bulk_insert(outbox, rows)


def _table(name: str, *ids: str) -> sa.TableClause:
    instants = ("run_at", "created_at", "updated_at")
    return sa.table(
        name,
        *(sa.column(each, ID) for each in ids),
        *(sa.column(each, sa.String()) for each in ("lane", "kind", "state")),
        *(sa.column(each, sa.BigInteger()) for each in instants),
        *(sa.column(each, sa.Integer()) for each in ("requested", "attempts")),
        sa.column("payload", sa.JSON()),
    )

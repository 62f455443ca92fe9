"""What was looked at and done, and how long it is kept

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import time
import uuid

import sqlalchemy as sa
from alembic import op

from app.db import append_only

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")
FILTERS = {
    "ix_audit_entries_actor_id": "actor_id",
    "ix_audit_entries_action": "action",
    "ix_audit_entries_entity": "entity",
}


def _columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]  # of several types
    return {
        "audit_entries": [
            sa.Column("via", sa.String(length=16), nullable=True),
            sa.Column("address", sa.String(length=64), nullable=True),
            sa.Column("agent", sa.String(length=64), nullable=True),
        ],
        "bookings": [sa.Column("erased_at", sa.BigInteger(), nullable=True)],
        "organizations": [
            sa.Column("retention_days", sa.Integer(), nullable=True),
            sa.Column("audit_days", sa.Integer(), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.drop_index("ix_audit_entries_org_id", "audit_entries")
    op.create_index("ix_audit_entries_org_id", "audit_entries", ["org_id", "at", "id"])
    for name, column_name in FILTERS.items():
        op.create_index(name, "audit_entries", ["org_id", column_name, "at", "id"])
    op.create_index("ix_bookings_created_at", "bookings", ["org_id", "created_at"])
    _view_events()
    _withhold_reasons()
    _ask_to_forget()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in append_only.SQLITE_CREATE if is_sqlite else append_only.POSTGRESQL_CREATE:
        op.execute(statement)


def _withhold_reasons() -> None:
    """What recipients wrote as the reason for a cancellation is read at the booking from now on, where it can be
    erased."""
    log = sa.table("audit_entries", sa.column("id", ID), sa.column("changes", sa.JSON()))
    connection = op.get_bind()
    noted = sa.cast(log.c.changes, sa.Text()).contains("cancel_reason")
    for row in connection.execute(sa.select(log.c.id, log.c.changes).where(noted)).all():
        reasons = row.changes.get("cancel_reason")
        if isinstance(reasons, list):
            told = [reason if reason in (None, "expired") else "…" for reason in reasons]
            changes = {**row.changes, "cancel_reason": told}
            connection.execute(sa.update(log).where(log.c.id == row.id).values(changes=changes))


def _ask_to_forget() -> None:
    """One job an organization, which comes again every day: what is too old is forgotten."""
    connection, now = op.get_bind(), int(time.time())
    names = ("id", "org_id", "subject_id")
    numbers = ("requested", "attempts", "run_at", "created_at", "updated_at")
    outbox = sa.table(
        "outbox",
        *(sa.column(name, ID) for name in names),
        *(sa.column(name, sa.String()) for name in ("lane", "kind", "state")),
        *(sa.column(name, sa.BigInteger()) for name in numbers),
        sa.column("payload", sa.JSON()),
    )
    organizations = sa.table("organizations", sa.column("id", ID))
    rows = [
        {
            "id": str(uuid.uuid4()),
            "org_id": org_id,
            "subject_id": org_id,
            "lane": f"org:{org_id}:retention",
            "kind": "retention",
            "state": "pending",
            "payload": {},
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


def _view_events() -> None:
    op.create_table(
        "view_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("link_id", ID, nullable=False),
        sa.Column("service_id", ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("referrer", sa.String(length=253), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organizations.id"], name=op.f("fk_view_events_org_id_organizations"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["links.id"], name=op.f("fk_view_events_link_id_links"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_events")),
    )
    for name in ("org_id", "link_id", "service_id"):
        op.create_index(f"ix_view_events_{name}", "view_events", [name, "at"])


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind = 'retention'")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in append_only.SQLITE_DROP if is_sqlite else append_only.POSTGRESQL_DROP:
        op.execute(statement)
    op.drop_table("view_events")
    op.drop_index("ix_bookings_created_at", "bookings")
    for name in ("ix_audit_entries_org_id", *FILTERS):
        op.drop_index(name, "audit_entries")
    op.create_index("ix_audit_entries_org_id", "audit_entries", ["org_id", "id"])
    for table, columns in _columns().items():
        for column in reversed(columns):
            op.drop_column(table, column.name)

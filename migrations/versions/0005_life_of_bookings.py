"""The life of bookings: sessions, recurring sets, clients, rules for cancelling and moving

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.db import booking_guard

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")
FALSE = sa.text("false")


def _rules() -> list[sa.Column[int]]:
    names = ("cancel_until", "reschedule_until", "max_reschedules", "cancel_fee")
    return [sa.Column(name, sa.Integer(), nullable=True) for name in names]


def _columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]  # of several types
    return {
        "bookings": [
            sa.Column("capacity", sa.Integer(), nullable=True),
            sa.Column("series_id", ID, nullable=True),
            sa.Column("client_id", ID, nullable=True),
            sa.Column("internal_notes", sa.Text(), nullable=True),
            sa.Column("moves", sa.Integer(), server_default="0", nullable=False),
        ],
        "links": [
            *_rules(),
            sa.Column("fee_currency", sa.String(length=3), nullable=True),
            sa.Column("reminders", sa.JSON(), nullable=True),
        ],
        "services": [
            sa.Column("capacity", sa.Integer(), server_default="1", nullable=False),
            sa.Column("is_scheduled", sa.Boolean(), server_default=FALSE, nullable=False),
            sa.Column("check_in", sa.String(length=5), nullable=True),
            sa.Column("check_out", sa.String(length=5), nullable=True),
            sa.Column("requires_approval", sa.Boolean(), server_default=FALSE, nullable=False),
            *_rules(),
            sa.Column("reminders", sa.JSON(), nullable=True),
        ],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    _seats(0)
    op.create_index("ix_bookings_series_id", "bookings", ["series_id", "start_at"])
    op.create_index("ix_bookings_client_id", "bookings", ["client_id", "start_at"])


def downgrade() -> None:
    op.drop_index("ix_bookings_client_id", "bookings")
    op.drop_index("ix_bookings_series_id", "bookings")
    op.execute("DELETE FROM claims WHERE seats_taken = 0")
    _seats(1)
    for table, columns in _columns().items():
        for column in reversed(columns):
            op.drop_column(table, column.name)


def _seats(least: int) -> None:
    """A session holds its hosts' time with no seat taken. SQLite makes the table anew, and loses its triggers by it."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in booking_guard.SQLITE_DROP if is_sqlite else ():
        op.execute(statement)
    with op.batch_alter_table("claims") as claims:
        claims.drop_constraint(op.f("ck_claims_seats"), type_="check")
        claims.create_check_constraint(op.f("ck_claims_seats"), f"seats_taken >= {least} AND seats_taken <= capacity")
    for statement in booking_guard.SQLITE_CREATE if is_sqlite else ():
        op.execute(statement)

"""Who is told what, and when

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")
UNREAD = sa.text("read_at IS NULL")


def _ref(name: str, target: str, table: str) -> list[sa.Column[str] | sa.ForeignKeyConstraint]:
    return [
        sa.Column(name, ID, nullable=False),
        sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}_{target}"), ondelete="CASCADE"),
    ]


def upgrade() -> None:
    op.create_table(
        "reminders_sent",
        *_ref("booking_id", "bookings", "reminders_sent"),
        sa.Column("reminder", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        *_ref("org_id", "organizations", "reminders_sent"),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("booking_id", "reminder", "target", "start_at", name=op.f("pk_reminders_sent")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", ID, nullable=False),
        *_ref("org_id", "organizations", "notifications"),
        *_ref("user_id", "users", "notifications"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        *_ref("booking_id", "bookings", "notifications"),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index("ix_notifications_user_id", "notifications", ["user_id", "id"])
    op.create_index(
        "ix_notifications_unread", "notifications", ["user_id", "id"], sqlite_where=UNREAD, postgresql_where=UNREAD
    )
    op.create_index("ix_notifications_booking_id", "notifications", ["booking_id"])
    op.create_table(
        "notification_settings",
        *_ref("user_id", "users", "notification_settings"),
        *_ref("org_id", "organizations", "notification_settings"),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("quiet_from", sa.String(length=5), nullable=True),
        sa.Column("quiet_to", sa.String(length=5), nullable=True),
        sa.Column("digest", sa.String(length=8), nullable=False),
        sa.Column("digest_at", sa.String(length=5), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_settings")),
    )
    op.create_table(
        "unsubscribed",
        *_ref("org_id", "organizations", "unsubscribed"),
        sa.Column("address_lookup", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "address_lookup", name=op.f("pk_unsubscribed")),
    )


def downgrade() -> None:
    for table in ("unsubscribed", "notification_settings", "notifications", "reminders_sent"):
        op.drop_table(table)

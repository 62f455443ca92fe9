"""Accounts with a sign-in of their own, push channels, and what people do to events in their own calendars

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")


def upgrade() -> None:
    op.add_column("calendar_accounts", sa.Column("scopes", sa.Text(), nullable=True))
    op.add_column(
        "calendar_accounts", sa.Column("edits", sa.String(length=8), server_default=sa.text("'rules'"), nullable=False)
    )
    op.add_column(
        "calendar_accounts",
        sa.Column("provider_invites", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "calendar_accounts",
        sa.Column("contacts", sa.String(length=8), server_default=sa.text("'off'"), nullable=False),
    )
    op.add_column(
        "links", sa.Column("cancel_on_decline", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("bookings", sa.Column("recipient_reply", sa.String(length=16), nullable=True))
    op.add_column(
        "bookings", sa.Column("provider_invites", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "added_contacts",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        _reference("added_contacts", "account_id", "calendar_accounts"),
        _reference("added_contacts", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("account_id", "email", name=op.f("pk_added_contacts")),
    )
    op.create_table(
        "organization_grants",
        sa.Column("org_id", ID, nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("secret_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _reference("organization_grants", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("org_id", "provider", name=op.f("pk_organization_grants")),
    )
    op.create_table(
        "calendar_edits",
        sa.Column("booking_id", ID, nullable=False),
        sa.Column("calendar_id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=True),
        sa.Column("end_at", sa.BigInteger(), nullable=True),
        sa.Column("is_asked", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        _reference("calendar_edits", "booking_id", "bookings"),
        _reference("calendar_edits", "calendar_id", "calendars"),
        _reference("calendar_edits", "org_id", "organizations"),
        _reference("calendar_edits", "user_id", "users"),
        sa.PrimaryKeyConstraint("booking_id", "calendar_id", name=op.f("pk_calendar_edits")),
    )
    op.create_index("ix_calendar_edits_user_id", "calendar_edits", ["user_id"])
    op.create_table(
        "calendar_channels",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("calendar_id", ID, nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("resource_id", sa.String(length=255), nullable=False),
        sa.Column("token_sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _reference("calendar_channels", "calendar_id", "calendars"),
        _reference("calendar_channels", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_channels")),
    )
    op.create_index("ix_calendar_channels_calendar_id", "calendar_channels", ["calendar_id"])
    op.create_index("ix_calendar_channels_resource_id", "calendar_channels", ["resource_id"])


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.drop_table("calendar_edits")
    op.drop_table("calendar_channels")
    op.drop_table("organization_grants")
    op.drop_table("added_contacts")
    op.drop_column("bookings", "provider_invites")
    op.drop_column("bookings", "recipient_reply")
    op.drop_column("links", "cancel_on_decline")
    op.drop_column("calendar_accounts", "contacts")
    op.drop_column("calendar_accounts", "provider_invites")
    op.drop_column("calendar_accounts", "edits")
    op.drop_column("calendar_accounts", "scopes")

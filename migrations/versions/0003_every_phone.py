"""Calendars of people's own making, feeds of more than a person, and what devices do to bookings

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.use_cases.ids import new_id

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")


def upgrade() -> None:
    op.add_column("organizations", sa.Column("walk_ins", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("links", sa.Column("hand_back", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("calendars", sa.Column("properties", sa.JSON(), nullable=True))
    op.add_column("calendar_accounts", sa.Column("properties", sa.JSON(), nullable=True))
    op.add_column("calendars", sa.Column("takes_new", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.execute(
        "UPDATE calendars SET read_only = false, takes_new = false WHERE provider = 'builtin' AND name = 'schedule'"
    )
    op.add_column("calendar_objects", sa.Column("schedule_tag", sa.String(length=64), nullable=True))
    for name in ("bookings_revision", "bookings_changed_at"):
        op.add_column("hosts", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("feeds", sa.Column("subject_id", ID, nullable=True))
    op.add_column("feeds", sa.Column("options", sa.JSON(), nullable=True))
    op.add_column("feeds", sa.Column("changed_at", sa.BigInteger(), server_default="0", nullable=False))
    op.create_table(
        "calendar_delegates",
        sa.Column("owner_id", ID, nullable=False),
        sa.Column("delegate_id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("access", sa.String(length=8), nullable=False),
        _reference("calendar_delegates", "owner_id", "users"),
        _reference("calendar_delegates", "delegate_id", "users"),
        _reference("calendar_delegates", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("owner_id", "delegate_id", name=op.f("pk_calendar_delegates")),
    )
    op.create_index("ix_calendar_delegates_delegate_id", "calendar_delegates", ["delegate_id"])
    op.create_table(
        "event_notes",
        sa.Column("booking_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("name", sa.String(length=1000), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _reference("event_notes", "booking_id", "bookings"),
        _reference("event_notes", "user_id", "users"),
        _reference("event_notes", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("booking_id", "user_id", name=op.f("pk_event_notes")),
    )
    op.create_table(
        "kept_edits",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("calendar_id", ID, nullable=False),
        sa.Column("name", sa.String(length=1000), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        _reference("kept_edits", "org_id", "organizations"),
        _reference("kept_edits", "user_id", "users"),
        _reference("kept_edits", "calendar_id", "calendars"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_edits")),
    )
    op.create_index("ix_kept_edits_user_id", "kept_edits", ["user_id", "id"])
    op.create_table(
        "scheduling_mails",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("uid", sa.String(length=1000), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        _reference("scheduling_mails", "user_id", "users"),
        _reference("scheduling_mails", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("user_id", "uid", "address", name=op.f("pk_scheduling_mails")),
    )
    op.create_index("ix_scheduling_mails_sent_at", "scheduling_mails", ["user_id", "sent_at"])
    op.create_index("ix_scheduling_mails_uid", "scheduling_mails", ["uid", "address"])
    op.create_table(
        "phone_profiles",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("lookup", sa.String(length=64), nullable=False),
        sa.Column("password_sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _reference("phone_profiles", "org_id", "organizations"),
        _reference("phone_profiles", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_profiles")),
        sa.UniqueConstraint("lookup", name=op.f("uq_phone_profiles_lookup")),
    )
    op.create_index("ix_phone_profiles_expires_at", "phone_profiles", ["expires_at"])
    _add_inboxes()
    _widen_tasks()


def _widen_tasks() -> None:
    """The ranges of tasks bound what is looked at from now on; those kept before it were not made for that."""
    op.execute(
        "UPDATE calendar_objects SET start_at = -4611686018427387904, end_at = NULL "
        "WHERE component IN ('VTODO', 'VJOURNAL')"
    )


def _add_inboxes() -> None:
    """The collection of scheduling messages, for everybody who was there before it."""
    calendars = sa.table(
        "calendars",
        *(sa.column(name, ID) for name in ("id", "org_id", "account_id", "user_id")),
        *(sa.column(name) for name in ("provider", "name", "display_name", "position", "description", "timezone")),
        sa.column("components", sa.JSON()),
        *(sa.column(name) for name in ("is_conflict", "is_write", "read_only", "revision", "modified_at", "synced_at")),
    )
    connection = op.get_bind()
    schedules = connection.execute(
        sa.select(calendars).where(calendars.c.provider == "builtin", calendars.c.name == "schedule")
    ).mappings()
    inbox = {
        "name": "inbox", "display_name": "Inbox", "position": 2, "description": "", "is_write": False, "revision": 0,
        "components": ["VEVENT", "VTODO", "VFREEBUSY"], "is_conflict": False, "read_only": False,
    }  # fmt: skip
    rows = [{**schedule, **inbox, "id": new_id()} for schedule in schedules]
    if rows:
        connection.execute(sa.insert(calendars), rows)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    op.execute("DELETE FROM calendars WHERE provider = 'builtin' AND name = 'inbox'")
    op.drop_table("phone_profiles")
    op.drop_table("scheduling_mails")
    op.drop_table("kept_edits")
    op.drop_table("event_notes")
    op.drop_table("calendar_delegates")
    op.drop_column("feeds", "changed_at")
    op.drop_column("feeds", "options")
    op.drop_column("feeds", "subject_id")
    op.drop_column("hosts", "bookings_changed_at")
    op.drop_column("hosts", "bookings_revision")
    op.drop_column("calendar_objects", "schedule_tag")
    op.execute("UPDATE calendars SET read_only = true WHERE provider = 'builtin' AND name = 'schedule'")
    op.drop_column("calendars", "takes_new")
    op.drop_column("calendar_accounts", "properties")
    op.drop_column("calendars", "properties")
    op.drop_column("links", "hand_back")
    op.drop_column("organizations", "walk_ins")

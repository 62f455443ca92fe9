"""Services, the people qualified for them, and the resources they need

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.Uuid(as_uuid=False).with_variant(sa.String(length=36), "sqlite")


def upgrade() -> None:
    op.create_table(
        "resources",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("name", sa.String(length=180), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _reference("resources", "org_id", "organizations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
    )
    op.create_index("ix_resources_org_id", "resources", ["org_id", "id"])
    op.create_table(
        "services",
        sa.Column("id", ID, nullable=False),
        sa.Column("org_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=True),
        sa.Column("image_url", sa.String(length=2000), nullable=True),
        sa.Column("durations", sa.JSON(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("buffer_before", sa.Integer(), nullable=False),
        sa.Column("buffer_after", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=16), nullable=False),
        sa.Column("price", sa.Integer(), nullable=True),
        sa.Column("deposit", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("location", sa.JSON(), nullable=False),
        sa.Column("template_id", ID, nullable=True),
        sa.Column("schedule_id", ID, nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("hand_back", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _reference("services", "org_id", "organizations"),
        _reference("services", "template_id", "templates", ondelete="SET NULL"),
        _reference("services", "schedule_id", "schedules", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
    )
    op.create_index("ix_services_org_id", "services", ["org_id", "id"])
    op.create_index("ix_bookings_service_id_start_at", "bookings", ["service_id", "start_at"])
    op.add_column("hosts", sa.Column("resource_id", ID, nullable=True))
    op.add_column("hosts", sa.Column("unit", sa.Integer(), nullable=True))
    op.create_index("ix_hosts_resource_id", "hosts", ["resource_id"])
    op.create_table(
        "offer_hosts",
        sa.Column("offer_id", ID, nullable=False),
        sa.Column("host_id", ID, nullable=False),
        sa.Column("role", sa.String(length=8), server_default="pool", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("needed", sa.Integer(), server_default="1", nullable=False),
        sa.Column("schedule_id", ID, nullable=True),
        sa.Column("durations", sa.JSON(), nullable=True),
        _reference("offer_hosts", "host_id", "hosts"),
        _reference("offer_hosts", "schedule_id", "schedules", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("offer_id", "host_id", name=op.f("pk_offer_hosts")),
    )
    op.create_index("ix_offer_hosts_host_id", "offer_hosts", ["host_id"])
    op.execute(
        "INSERT INTO offer_hosts (offer_id, host_id, priority, role) "
        "SELECT link_id, host_id, priority, CASE WHEN mode = 'pool' THEN 'pool' ELSE 'fixed' END "
        "FROM link_hosts JOIN links ON links.id = link_hosts.link_id"
    )
    op.drop_table("link_hosts")


def downgrade() -> None:
    op.create_table(
        "link_hosts",
        sa.Column("link_id", ID, nullable=False),
        sa.Column("host_id", ID, nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        _reference("link_hosts", "link_id", "links"),
        _reference("link_hosts", "host_id", "hosts"),
        sa.PrimaryKeyConstraint("link_id", "host_id", name=op.f("pk_link_hosts")),
    )
    op.execute(
        "INSERT INTO link_hosts (link_id, host_id, priority) "
        "SELECT offer_id, host_id, priority FROM offer_hosts JOIN links ON links.id = offer_id"
    )
    op.drop_table("offer_hosts")
    op.drop_index("ix_hosts_resource_id", "hosts")
    op.drop_index("ix_bookings_service_id_start_at", "bookings")
    op.drop_column("hosts", "unit")
    op.drop_column("hosts", "resource_id")
    op.drop_table("services")
    op.drop_table("resources")


def _reference(table: str, column: str, target: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"), ondelete=ondelete
    )

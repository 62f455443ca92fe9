"""Sessions with seats

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SESSIONS = sa.text("capacity IS NOT NULL")
_INDEXES = {
    "ix_bookings_sessions_of_service": ["service_id", "start_at", "id"],
    "ix_bookings_sessions_of_org": ["org_id", "start_at", "id"],
}


def upgrade() -> None:
    explicit: sa.Column[bool] = sa.Column("is_explicit", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("bookings", explicit)
    for name, columns in _INDEXES.items():
        op.create_index(name, "bookings", columns, sqlite_where=_SESSIONS, postgresql_where=_SESSIONS)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "bookings")
    op.drop_column("bookings", "is_explicit")

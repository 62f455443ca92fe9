"""The language of a booking's recipient

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("bookings", sa.Column("language", sa.String(35), nullable=True))


def downgrade() -> None:
    op.drop_column("bookings", "language")

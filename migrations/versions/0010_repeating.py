"""Whether recipients may repeat a booking weekly

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = ("links", "services")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("max_repeats", sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "max_repeats")

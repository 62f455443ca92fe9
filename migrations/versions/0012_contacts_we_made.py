"""What the contacts are called at their provider that we added, so that they can be taken out again

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("added_contacts", sa.Column("key", sa.String(length=255), nullable=True))


def downgrade() -> None:
    op.drop_column("added_contacts", "key")

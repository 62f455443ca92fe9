"""Alembic's environment: migrations run over the connection that `app.db.migrate` hands in."""

from __future__ import annotations

from alembic import context

from app.db import append_only, booking_guard  # noqa: F401  # their DDL belongs to the metadata
from app.db.models import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

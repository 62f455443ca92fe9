"""THE double-booking constraint.

Whatever processes do at once, no two claims of a host overlap (their ranges hold the buffers already), and none holds
more seats than it has. The seats are a CHECK of the table; the overlap is an exclusion constraint on PostgreSQL and a
pair of triggers on SQLite, where a writing transaction holds the only write lock, so that the triggers see every
committed claim. Both look only `MAX_SPAN` back, which the table's `span` CHECK makes sound.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, event

from app.db.models import MAX_SPAN, claims

CONSTRAINT = "no_double_booking"

POSTGRESQL_CREATE = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    f"""ALTER TABLE claims ADD CONSTRAINT {CONSTRAINT}
EXCLUDE USING gist (host_id WITH =, int8range(start_at, end_at) WITH &&)""",
)
POSTGRESQL_DROP = (f"ALTER TABLE claims DROP CONSTRAINT IF EXISTS {CONSTRAINT}",)

_TRIGGER = f"""CREATE TRIGGER {CONSTRAINT}_on_{{event}} BEFORE {{event}} ON claims
WHEN EXISTS (
  SELECT 1 FROM claims
  WHERE host_id = NEW.host_id AND occurrence_id <> NEW.occurrence_id
    AND start_at > NEW.start_at - {MAX_SPAN} AND start_at < NEW.end_at AND end_at > NEW.start_at
)
BEGIN SELECT RAISE(ABORT, '{CONSTRAINT}'); END"""  # noqa: S608  # constants alone

SQLITE_CREATE = (_TRIGGER.format(event="INSERT"), _TRIGGER.format(event="UPDATE"))
SQLITE_DROP = tuple(f"DROP TRIGGER IF EXISTS {CONSTRAINT}_on_{verb}" for verb in ("INSERT", "UPDATE"))


def _guard_table(_table: Table, connection: Connection, **_: Any) -> None:
    """Where tables are made without migrations (tests), they are guarded all the same."""
    for statement in POSTGRESQL_CREATE if connection.dialect.name == "postgresql" else SQLITE_CREATE:
        connection.exec_driver_sql(statement)


event.listen(claims, "after_create", _guard_table)


def is_overlap(error: Exception) -> bool:
    """Whether this driver's error is the guard's refusal, and not another constraint's."""
    return CONSTRAINT in str(error)

"""The audit log can be added to, and nothing else: the database refuses the rest, whoever asks.

Rows go with their organization, and when they are older than the organization keeps them (`audit_days`, and never
younger than `LEAST_DAYS` by the database's own clock). SQLite's REPLACE deletes without asking triggers, so that a row
whose id is there already is refused too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, event

from app.db.models import audit_entries

LEAST_DAYS = 90
RULE = "audit_is_append_only"

_KEPT = """EXISTS (
  SELECT 1 FROM organizations
  WHERE id = OLD.org_id AND (audit_days IS NULL OR OLD.at >= {now} - {most}(audit_days, {least}) * 86400)
)"""

POSTGRESQL_CREATE = (
    f"""CREATE OR REPLACE FUNCTION {RULE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'DELETE' THEN
    IF NOT {_KEPT.format(now="extract(epoch FROM now())::bigint", most="greatest", least=LEAST_DAYS)} THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '{RULE}';
END $$""",
    f"""CREATE TRIGGER {RULE} BEFORE UPDATE OR DELETE ON audit_entries
FOR EACH ROW EXECUTE FUNCTION {RULE}()""",
    f"""CREATE TRIGGER {RULE}_at_all BEFORE TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION {RULE}()""",
)
POSTGRESQL_DROP = (
    f"DROP TRIGGER IF EXISTS {RULE}_at_all ON audit_entries",
    f"DROP TRIGGER IF EXISTS {RULE} ON audit_entries",
    f"DROP FUNCTION IF EXISTS {RULE}()",
)

_NOW = "CAST(strftime('%s', 'now') AS INTEGER)"
_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{RULE}'); END"
SQLITE_CREATE = (
    f"CREATE TRIGGER {RULE}_on_UPDATE BEFORE UPDATE ON audit_entries {_REFUSE}",
    f"""CREATE TRIGGER {RULE}_on_INSERT BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE id = NEW.id) {_REFUSE}""",  # noqa: S608  # constants alone
    f"""CREATE TRIGGER {RULE}_on_DELETE BEFORE DELETE ON audit_entries
WHEN {_KEPT.format(now=_NOW, most="max", least=LEAST_DAYS)} {_REFUSE}""",
)
SQLITE_DROP = tuple(f"DROP TRIGGER IF EXISTS {RULE}_on_{verb}" for verb in ("UPDATE", "INSERT", "DELETE"))


def _keep_table(_table: Table, connection: Connection, **_: Any) -> None:
    """Where tables are made without migrations (tests), the log is kept all the same."""
    for statement in POSTGRESQL_CREATE if connection.dialect.name == "postgresql" else SQLITE_CREATE:
        connection.exec_driver_sql(statement)


event.listen(audit_entries, "after_create", _keep_table)

"""What an entry of the audit log says of a change: the fields that differ, before and after."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from app.domain.locations import Location

UNTOLD = frozenset({"id", "org_id", "version", "created_at", "updated_at", "deleted_at"})
LONGEST = 200
WITHHELD = "…"
"""In the place of what is long, or may say something of a person."""


def difference(before: Any | None, after: Any, withheld: Collection[str] = ()) -> dict[str, list[Any]]:
    """`{field: [before, after]}` of two records of one dataclass; for a new one what is set. Of the fields `withheld`,
    which may hold personal data, it tells that they changed."""
    found: dict[str, list[Any]] = {}
    for name in (each.name for each in fields(after) if each.name not in UNTOLD):
        old, new = getattr(before, name) if before is not None else None, getattr(after, name)
        if old != new and (before is not None or new not in (None, "", (), [])):
            found[name] = [told(old), told(new)] if name not in withheld else [WITHHELD, WITHHELD]
    return found


def told(value: Any) -> Any:
    """As JSON, long texts and lists cut off, without the number of whoever is to be called."""
    if isinstance(value, Location) and value.kind == "phone" and value.value:
        return {"kind": value.kind, "value": WITHHELD}
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: told(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + WITHHELD
    if isinstance(value, Mapping):
        return {str(key): told(each) for key, each in value.items()}
    if isinstance(value, Sequence | frozenset | set):
        listed = list(value)
        return [told(each) for each in listed[:LONGEST]]
    return value

"""Time zones by name: one name a place, whatever old name a browser sends."""

from __future__ import annotations

from babel.core import get_global

from app.domain.errors import Invalid
from app.use_cases.schedule_rules import check_timezone

UTC_NAME = "UTC"
_UTC_NAMES = frozenset({"Etc/UTC", "Etc/GMT"})
_ALIASES = get_global("zone_aliases")


def canonical_zone(name: str, field: str = "timezone") -> str:
    """The present name of a zone (`Asia/Calcutta` is `Asia/Kolkata`); `Invalid` when this server has no such zone."""
    found: str = _ALIASES.get(check_timezone(name, field), name)
    return UTC_NAME if found in _UTC_NAMES else found


def known_zone(name: str | None) -> str | None:
    """The same for a name nobody typed (a cookie): None when it means nothing."""
    if not name:
        return None
    try:
        return canonical_zone(name)
    except Invalid:
        return None

"""Which zone a TZID names (RFC 5545 §3.2.19): by IANA name, by Windows name, else by the object's own VTIMEZONE.

Each object's definitions stay its own: the parser's process-wide cache would let one calendar's "Customized Time
Zone" decide about another's.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Sequence
from datetime import tzinfo
from functools import cache

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

MAX_OBSERVANCES = 100
MAX_RULES = 20
_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT", "WKST"})
_EARLY = re.compile(r"^(DTSTART[^:\n]*:)1[0-8][0-9]{2}(?=[0-9]{4})", re.MULTILINE | re.IGNORECASE)
_UTC_NAMES = frozenset({"utc", "gmt", "z", "etc/utc", "etc/gmt", "tzone://microsoft/utc"})


@cache
def _available() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in sorted(_available())}


def known_zone(tzid: str) -> zoneinfo.ZoneInfo | None:
    """The zone of an IANA name, a vendor's global id that ends in one (`/vendor/Europe/Berlin`) or a Windows name."""
    name = tzid.strip().strip("/")
    if name in _available():
        return zoneinfo.ZoneInfo(name)
    if name.lower() in _UTC_NAMES:
        return zoneinfo.ZoneInfo("UTC")
    if name in WINDOWS_TO_OLSON:
        return zoneinfo.ZoneInfo(WINDOWS_TO_OLSON[name])
    parts = name.split("/")
    tails = ("/".join(parts[first:]) for first in range(max(len(parts) - 3, 0), len(parts)))
    for tail in tails:
        found = _by_lower_case().get(tail.lower())
        if found is not None:
            return zoneinfo.ZoneInfo(found)
    return None


def zone_of_definition(lines: Sequence[str]) -> tzinfo | None:
    """The zone a VTIMEZONE defines; None when it cannot be understood. `lines` are its unfolded content lines."""
    try:
        definition = Timezone.from_ical("\r\n".join((*_anonymous(lines), "")))
        if not isinstance(definition, Timezone) or not _is_modest(definition):
            return None
        zone = definition.to_tz(lookup_tzid=False)
    except Exception:  # a stranger's text: whatever the libraries raise, the zone is not understood
        return None
    return zone if isinstance(zone, tzinfo) else None


def _anonymous(lines: Sequence[str]) -> list[str]:
    """The definition under an IANA name, which the parser does not put into its process-wide cache."""
    kept = [line for line in lines if not line.upper().startswith(("TZID", "X-"))]
    return [kept[0], "TZID:Etc/UTC", *_recent(kept[1:])]


def _recent(lines: Sequence[str]) -> list[str]:
    """Yearly rules without end begin in 1970 rather than in 1601, as Windows writes them: every look at such a zone
    passes over all years since."""
    blocks = "\n".join(lines).split("\nBEGIN:")
    return "\nBEGIN:".join(
        _EARLY.sub(r"\g<1>1970", each, count=1) if _is_endless(each) else each for each in blocks
    ).split("\n")


def _is_endless(observance: str) -> bool:
    text = observance.upper()
    return "\nRRULE" in text and not any(f"{part}=" in text for part in ("COUNT", "UNTIL", "INTERVAL"))


def _is_modest(definition: Timezone) -> bool:
    """Whether working it out is cheap: few observances, plain yearly rules that surely match."""
    observances = [*definition.standard, *definition.daylight]
    if not observances or len(observances) > MAX_OBSERVANCES:
        return False
    rules = []
    for observance in observances:
        rule = observance.get("RRULE")
        if rule is not None:
            rules.append(rule)
    return len(rules) <= MAX_RULES and all(_is_plain(rule) for rule in rules)


def _is_plain(rule: object) -> bool:
    if not isinstance(rule, dict):
        return False
    days = rule.get("BYMONTHDAY") or [1]
    return (
        set(rule) <= _RULE_PARTS
        and [str(frequency).upper() for frequency in rule.get("FREQ", [])] == ["YEARLY"]
        and any(abs(int(day)) <= 28 for day in days)
        and len(str(rule)) <= 1000
    )


_DEFINITION = re.compile(r"^BEGIN:VTIMEZONE\r?\n.*?^END:VTIMEZONE\r?\n", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_TZID = re.compile(r"^TZID:(.*?)\r?$", re.MULTILINE | re.IGNORECASE)


def without_known_definitions(text: str) -> str:
    """The object without the VTIMEZONEs of zones that everybody has by their IANA names (RFC 7809 §3.1.1); those of a
    sender's own making stay."""
    return _DEFINITION.sub(_unless_known, text) if "VTIMEZONE" in text else text


def _unless_known(definition: re.Match[str]) -> str:
    named = _TZID.search(definition[0])
    return "" if named is not None and named[1].strip() in _available() else definition[0]

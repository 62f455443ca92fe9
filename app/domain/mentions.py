"""Whether a text speaks of a person: addresses count as a whole, `na@example.com` is not in `anna@example.com`."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEFORE = r"(?:(?<![\w.+%&~#$!*?^-])(?<!\w')|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))"
"""No part of another address; an escape of JSON or iCalendar is none."""
_AFTER = r"(?![\w-])(?!\.\w)"


def mentions(words: Sequence[str]) -> re.Pattern[str]:
    """Finds any of these in a text, in any case: addresses and phone numbers (`+49…`) as a whole, ids anywhere."""
    return re.compile("|".join(_pattern(word) for word in words if word) or r"(?!)", re.IGNORECASE)


def _pattern(word: str) -> str:
    if "@" in word:
        return f"{_BEFORE}{re.escape(word)}{_AFTER}"
    return re.escape(word) + (r"(?!\d)" if word.startswith("+") else "")

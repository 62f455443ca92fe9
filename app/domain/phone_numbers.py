"""Telephone numbers as people write them, and as texts are sent to them."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN = re.compile(r"[\s().\-/]")


def e164(written: str | None) -> str | None:
    """The number with its country code (`+49 (0)30 123-456` is `+4930123456`); None where none is written: a number
    without one is somebody else's in another country."""
    if written is None:
        return None
    digits = _WRITTEN.sub("", written.replace("(0)", ""))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    return digits if _E164.fullmatch(digits) else None

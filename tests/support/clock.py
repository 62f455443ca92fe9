"""A clock that stands still until a test moves it."""

from datetime import datetime
from zoneinfo import ZoneInfo

MONDAY = int(datetime(2027, 3, 1, 8, 0, tzinfo=ZoneInfo("UTC")).timestamp())
"""A Monday morning, and four weeks before clocks change in Europe."""


class Clock:
    """Epoch seconds, settable."""

    def __init__(self, now: int = MONDAY) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> int:
        """Let time pass; the new instant."""
        self.now += seconds
        return self.now


def at(text: str, timezone: str = "UTC") -> int:
    """Epoch seconds of a wall time, as `at("2027-03-01 09:00")`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone)).timestamp())

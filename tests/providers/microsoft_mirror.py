"""A mirror of a calendar at the fake Microsoft, as syncing keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.recurrence import read_object
from app.ports.calendars import Changes
from tests.providers.microsoft_backend import MicrosoftBackend
from tests.support.clock import MONDAY


class Mirror:
    """What a calendar's mirror holds, kept up to date the way syncing does."""

    def __init__(self, outlook: MicrosoftBackend, calendar: str) -> None:
        self.outlook, self.calendar = outlook, calendar
        self.cursor: str | None = None
        self.texts: dict[str, str] = {}
        self.etags: dict[str, str] = {}

    async def sync(self) -> Changes:
        """Ask, and store."""
        provider = self.outlook.provider
        changes = await provider.changes(
            self.outlook.credentials, self.calendar, self.cursor, dict(self.etags), self._texts
        )
        if changes.full:
            self.texts, self.etags = {}, {}
        for key in changes.removed:
            del self.texts[key], self.etags[key]
        for item in changes.changed:
            self.texts[item.name], self.etags[item.name] = item.data, item.etag
        self.cursor = changes.cursor
        return changes

    async def _texts(self, names: Sequence[str]) -> Mapping[str, str]:
        return {name: self.texts[name] for name in names if name in self.texts}

    def busy(self, timezone: str = "UTC", **values: Any) -> list[tuple[int, int]]:
        """All busy times, in order."""
        window = (MONDAY - 86400, MONDAY + 90 * 86400)
        found: list[tuple[int, int]] = []
        for text in self.texts.values():
            facts = read_object(
                text, timezone=timezone, window=window, self_addresses=frozenset({"ana@example.com"}), **values
            )
            assert facts.problems == ()
            found += facts.busy
        return sorted(found)

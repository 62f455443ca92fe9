"""What a user is told, by which ways, and when they are to be left alone. Instants are epoch seconds UTC; quiet hours
and digests go by wall time of the user's zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from app.domain.hours import wall_instant

NoticeKind = Literal["new", "confirmed", "changed", "cancelled", "reminder", "digest"]
Way = Literal["mail", "text", "whatsapp", "push", "in_app"]
Digest = Literal["off", "daily", "weekly"]
KINDS: tuple[NoticeKind, ...] = ("new", "confirmed", "changed", "cancelled", "reminder", "digest")
WAYS: tuple[Way, ...] = ("mail", "text", "whatsapp", "push", "in_app")
BY_MAIL_ALONE: frozenset[NoticeKind] = frozenset({"digest"})
TEXTED: frozenset[Way] = frozenset({"text", "whatsapp"})
DEFAULT_WAYS: Mapping[NoticeKind, tuple[Way, ...]] = MappingProxyType(
    {kind: ("mail",) if kind in BY_MAIL_ALONE else ("mail", "in_app") for kind in KINDS}
)
SUNDAY = 6


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """A user's choices; `version` 0 is nobody's: nothing was chosen yet. `phone` is in E.164."""

    user_id: str
    org_id: str
    phone: str | None = None
    ways: Mapping[NoticeKind, tuple[Way, ...]] = field(default_factory=lambda: DEFAULT_WAYS)
    quiet_from: str | None = None
    quiet_to: str | None = None
    digest: Digest = "off"
    digest_at: str = "07:00"
    version: int = 0

    def ways_for(self, kind: NoticeKind) -> tuple[Way, ...]:
        """By which ways they are told of it."""
        return self.ways.get(kind, DEFAULT_WAYS[kind])

    def quiet_until(self, timezone: str, now: int) -> int | None:
        """When the quiet hours end that `now` lies in; None when it lies in none."""
        if self.quiet_from is None or self.quiet_to is None:
            return None
        today = datetime.fromtimestamp(now, ZoneInfo(timezone)).date()
        for day in (today - timedelta(days=1), today):
            begin, end = _at(timezone, day, self.quiet_from), _at(timezone, day, self.quiet_to)
            if self.quiet_to <= self.quiet_from:
                end = _at(timezone, day + timedelta(days=1), self.quiet_to)
            if begin <= now < end:
                return end
        return None

    def next_digest(self, timezone: str, now: int) -> int | None:
        """When the next one is due, later than `now`: every day, or every Sunday."""
        if self.digest == "off":
            return None
        day = datetime.fromtimestamp(now, ZoneInfo(timezone)).date()
        while True:
            due = _at(timezone, day, self.digest_at)
            if due > now and (self.digest == "daily" or day.weekday() == SUNDAY):
                return due
            day += timedelta(days=1)

    def last_digest(self, timezone: str, now: int) -> int:
        """When the last one was due, at `now` or before."""
        day = datetime.fromtimestamp(now, ZoneInfo(timezone)).date()
        while True:
            due = _at(timezone, day, self.digest_at)
            if due <= now and (self.digest != "weekly" or day.weekday() == SUNDAY):
                return due
            day -= timedelta(days=1)

    def digest_window(self, timezone: str, due: int) -> tuple[int, int]:
        """What a digest tells of: the day after it, or the seven days after it."""
        first = datetime.fromtimestamp(due, ZoneInfo(timezone)).date() + timedelta(days=1)
        days = 1 if self.digest == "daily" else 7
        return _at(timezone, first, "00:00"), _at(timezone, first + timedelta(days=days), "00:00")


def _at(timezone: str, day: date, clock: str) -> int:
    return wall_instant(timezone, day, int(clock[:2]) * 60 + int(clock[3:]))


def settings_problems(settings: NotificationSettings) -> list[tuple[str, str]]:
    """(field, sentence) of all that cannot be kept."""
    problems = []
    if (settings.quiet_from is None) != (settings.quiet_to is None):
        problems.append(("quiet_to", "Quiet hours have a begin and an end."))
    elif settings.quiet_from is not None and settings.quiet_from == settings.quiet_to:
        problems.append(("quiet_to", "Quiet hours end at another time than they begin."))
    if settings.phone is None and any(TEXTED & set(ways) for ways in settings.ways.values()):
        problems.append(("phone", "Texts need your phone number, with its country code."))
    if set(settings.ways_for("digest")) - {"mail"}:
        problems.append(("channels.digest", "A digest is a mail."))
    return problems

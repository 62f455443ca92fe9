"""What `/app/phone` shows: devices and when they were last seen, feeds, calendars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import segno

from app.domain.calendars import BUILTIN, SCHEDULE, Calendar
from app.domain.feeds import PAST_DAYS, FeedOptions
from app.domain.hours import local_date
from app.domain.set_up_links import FeedLinks, feed_links
from app.ports.feeds import FeedSubject
from app.ports.people import User
from app.ports.tokens import AppPassword, Feed
from app.web.pages.wording import Wording

FRESH_SECONDS = 15 * 60
"""So long after its last visit a device counts as synced."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
KINDS = {
    "schedule": "Everything",
    "busy": "Busy times alone",
    "link": "Bookings of a link",
    "service": "Bookings of a service",
    "resource": "Bookings of a resource",
    "organization": "Bookings of the whole organization",
}


@dataclass(frozen=True, slots=True)
class Device:
    """One device's password, without the password. `seen` says when it was last here; `is_fresh`: just now."""

    id: str
    label: str
    made: str
    seen: str
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One feed and the ways to subscribe to it."""

    id: str
    label: str
    kind: str
    chosen: str
    address: str
    links: FeedLinks
    made: str


@dataclass(frozen=True, slots=True)
class OwnCalendar:
    """A calendar on this server that the person's devices show."""

    id: str
    name: str
    blocks: bool


def device(password: AppPassword, user: User, wording: Wording, now: int) -> Device:
    """How a device is shown at `now`."""
    last = password.last_used_at
    made = wording.full_day(local_date(user.timezone, password.created_at))
    is_fresh = last is not None and now - last < FRESH_SECONDS
    return Device(password.id, password.label, made, seen_words(last, user.timezone, wording, now), is_fresh)


def seen_words(last: int | None, zone: str, wording: Wording, now: int) -> str:
    """When a device was last here, as people say it."""
    if last is None:
        return "never seen"
    ago = max(now - last, 0)
    if ago < 2 * _MINUTE:
        return "seen just now"
    if ago < 2 * _HOUR:
        return f"last seen {ago // _MINUTE} minutes ago"
    if ago < 2 * _DAY:
        return f"last seen {ago // _HOUR} hours ago"
    return f"last seen on {wording.full_day(local_date(zone, last))}"


def feed_row(feed: Feed, address: str, zone: str, wording: Wording) -> FeedRow:
    """How a feed is shown."""
    made = wording.full_day(local_date(zone, feed.created_at))
    links = feed_links(address, feed.label)
    return FeedRow(feed.id, feed.label, KINDS[feed.kind], _chosen(feed.options), address, links, made)


def _chosen(options: FeedOptions) -> str:
    """What differs from the usual."""
    words = []
    if options.past_days != PAST_DAYS:
        words.append(f"{options.past_days} days back")
    if options.future_days is not None:
        words.append(f"{options.future_days} days ahead")
    if options.alarms is not None:
        minutes = ", ".join(map(str, options.alarms))
        words.append(f"reminders {minutes} minutes before" if minutes else "no reminders")
    return " · ".join(words)


def kind_choices(subjects: Sequence[FeedSubject], *, for_admin: bool) -> list[tuple[str, str]]:
    """What a new feed can show: (value of the form, words)."""
    own = [
        ("schedule", "Everything of mine: titles, names, places"),
        ("busy", "Busy times alone, to share with others"),
    ]
    shared = [(f"{each.kind}:{each.id}", f"All bookings of the {each.kind} “{each.name}”") for each in subjects]
    everything = [("organization", "All bookings of the whole organization")] if for_admin else []
    return [*own, *shared, *everything]


def chosen_kind(value: str) -> tuple[str, str | None]:
    """Kind and subject of a form's value."""
    kind, _, subject_id = value.partition(":")
    return kind, subject_id or None


def own_calendars(calendars: Sequence[Calendar]) -> list[OwnCalendar]:
    """Those of this server that can hold what takes time; bookings block it by themselves."""
    return [
        OwnCalendar(each.id, each.display_name, each.is_conflict)
        for each in calendars
        if each.provider == BUILTIN and each.name != SCHEDULE and "VEVENT" in each.components
    ]


def qr_code(address: str) -> str:
    """The address as a picture for cameras: an SVG element, dark on light whatever the page's colours are."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True)

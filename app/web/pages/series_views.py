"""A recurring set as the pages of one of its bookings show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.domain.bookings import Booking
from app.domain.hours import END_OF_TIME, local_date
from app.domain.repeats import MOST_TIMES
from app.use_cases.book_series import Series
from app.use_cases.cancel_series import OPEN
from app.web.pages.wording import Wording


@dataclass(frozen=True, slots=True)
class SeriesTime:
    """One of the set: the address of its page and its time in words; `is_later`: it would be cancelled with the one
    that is shown."""

    path: str
    words: str
    is_this: bool
    is_off: bool
    is_later: bool


def series_times(booking: Booking, series: Sequence[Booking], wording: Wording) -> tuple[SeriesTime, ...]:
    """All of them by start, as their recipient sees them."""
    return tuple(
        _time(each, booking, f"/booking/{quote(each.token, safe='')}", each.timezone, wording) for each in series
    )


def staff_series(booking: Booking, series: Sequence[Booking], wording: Wording, zone: str) -> tuple[SeriesTime, ...]:
    """The same as staff see them, in a zone of theirs."""
    return tuple(_time(each, booking, f"/app/bookings/{each.id}", zone, wording) for each in series)


def _time(each: Booking, booking: Booking, path: str, zone: str, wording: Wording) -> SeriesTime:
    return SeriesTime(
        path=path,
        words=f"{wording.full_day(local_date(zone, each.start))}, {wording.span(each.start, each.end, zone)}",
        is_this=each.id == booking.id,
        is_off=each.status == "cancelled",
        is_later=each.id != booking.id and each.start >= booking.start and each.status in OPEN,
    )


def left_part(series: Series) -> str:
    """What `left_out` reads from the address of the first one's page."""
    return ".".join(str(start) for start in series.left_out)


def left_out(text: str, booking: Booking, wording: Wording, zone: str | None = None) -> tuple[str, ...]:
    """The days that were not free when a set was booked, as the address of its first booking's page tells them; of the
    recipient's zone unless another one is given."""
    parts = text.split(".")[:MOST_TIMES] if booking.series_id is not None else []
    starts = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) < 13]
    return tuple(
        wording.full_day(local_date(zone or booking.timezone, start)) for start in starts if start < END_OF_TIME
    )

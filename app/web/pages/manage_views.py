"""A booking as its recipient's pages show it: its state in words, its times, its place."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from app.domain.booking_state import is_held_out
from app.domain.bookings import Booking
from app.ports import Ports
from app.use_cases.offered_hosts import is_by_night, policy_of
from app.web.pages.add_to_calendar import CalendarAddress, calendar_addresses
from app.web.pages.faces import Answer, Place, When, answers_of, join_names, place_of_location, when_of
from app.web.pages.picker import length_words
from app.web.pages.series_views import SeriesTime, series_times
from app.web.pages.terms import booking_terms, fee_words
from app.web.pages.wording import Wording

LAPSED = "expired"  # the reason the program gives when a hold runs out


@dataclass(frozen=True, slots=True)
class Standing:
    """What a booking's state means to its recipient. `mark` and `tone` choose the sign beside the title."""

    title: str
    text: str
    mark: str
    tone: str


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as its page shows it. `host_when` is None where host and recipient share the wall clock."""

    path: str
    title: str
    organization: str
    hosts: str
    standing: Standing
    when: When
    host_when: When | None
    duration: str
    place: Place | None
    recipient: str
    email: str
    guests: tuple[str, ...]
    answers: tuple[Answer, ...]
    notes: str
    reason: str
    calendars: tuple[CalendarAddress, ...]
    can_change: bool
    can_cancel: bool
    can_move: bool
    terms: tuple[str, ...]
    fee: str
    is_off: bool
    book_again: str | None
    version: int
    series: tuple[SeriesTime, ...]

    @property
    def later(self) -> int:
        """How many open ones of its recurring set follow."""
        return sum(each.is_later for each in self.series)


async def booking_view(ports: Ports, booking: Booking, wording: Wording, *, is_new: bool = False) -> BookingView:
    """The view of a booking, with what else there is to know about it."""
    now = ports.clock()
    async with ports.read() as work:
        organization = await work.people.organization(booking.org_id)
        people = await work.hosts.people([host.id for host in booking.hosts])
        link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
        policy = await policy_of(work, booking)
        by_night = await is_by_night(work, booking)
        series = await work.bookings.series(booking.series_id) if booking.series_id else []
    is_open = booking.status in {"pending", "confirmed"} and booking.end > now and not is_held_out(booking, now)
    again = f"/{organization.slug}/{link.slug}" if organization and link and link.is_active else None
    host_zones = [person.timezone for person in people]
    organization_name = organization.name if organization else ""
    is_coming = is_open and booking.status == "confirmed"
    return BookingView(
        path=booking_path(booking),
        title=booking.title,
        organization=organization_name,
        hosts=join_names(host.name for host in booking.people),
        standing=standing_of(booking, now, is_new=is_new),
        when=when_of(booking.start, booking.end, booking.timezone, wording),
        host_when=_host_when(booking, host_zones, wording),
        duration=length_words(booking.duration, by_night=by_night),
        place=place_of_location(booking.location, revealed=booking.status != "cancelled"),
        recipient=booking.recipient.name,
        email=booking.recipient.email,
        guests=booking.guests,
        answers=answers_of(booking),
        notes=booking.notes or "",
        reason="" if booking.cancel_reason in (None, LAPSED) else str(booking.cancel_reason),
        calendars=calendar_addresses(booking, organization_name) if is_coming else (),
        can_change=is_open,
        can_cancel=is_open and policy.can_cancel(booking, now),
        can_move=is_open and policy.can_reschedule(booking, now),
        terms=booking_terms(policy, booking, now, wording) if is_open else (),
        fee=fee_words(policy, booking, wording),
        is_off=booking.status == "cancelled",
        book_again=again if booking.one_time_link_id is None and not is_open else None,
        version=booking.version,
        series=series_times(booking, series, wording),
    )


def standing_of(booking: Booking, now: int, *, is_new: bool = False) -> Standing:
    """The state in words for the one who booked."""
    if (booking.status == "cancelled" and booking.cancel_reason == LAPSED) or is_held_out(booking, now):
        text = "It was not approved in time, so the time was given back."
        return Standing("This request has lapsed", text, "clock", "off")
    match booking.status:
        case "pending":
            text = "Your time is held. You will get an e-mail as soon as it is approved."
            return Standing("Waiting for approval", text, "clock", "wait")
        case "confirmed" if booking.end > now:
            told = f"A confirmation with an invitation is on its way to {booking.recipient.email}."
            text = told if is_new and booking.recipient.email else ""
            return Standing("You are booked" if is_new else "Your booking", text, "check", "ok")
        case "in_progress":
            return Standing("Happening now", "", "check", "ok")
        case "cancelled":
            return Standing("This booking was cancelled", "The time is free again.", "cross", "off")
        case "no_show":
            return Standing("This booking is over", "It was marked as missed.", "clock", "off")
    return Standing("This booking is over", "", "check", "off")


def _host_when(booking: Booking, zones: list[str], wording: Wording) -> When | None:
    """The same time for the host, when their clocks show another."""
    for zone in zones:
        found = when_of(booking.start, booking.end, zone, wording)
        if found.offset != when_of(booking.start, booking.end, booking.timezone, wording).offset:
            return found
    return None


def booking_path(booking: Booking) -> str:
    """The address of a booking's own page."""
    return f"/booking/{quote(booking.token, safe='')}"

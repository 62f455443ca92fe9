"""A small reference of a booking's life, written from the domain rules alone: lists, loops, no database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from app.domain.errors import Conflict, HalfpastError, Invalid, LinkUsed, NotModifiable

MINUTE, HOUR, DAY = 60, 3600, 86400
HOLD = 24 * HOUR
COMPLETES_AFTER = HOUR
ACTIVE = {"pending", "confirmed", "in_progress"}
Refusal = type[HalfpastError]


class Refused(Exception):
    """The rules say no, in this way."""

    def __init__(self, how: Refusal) -> None:
        super().__init__(how.__name__)
        self.how = how


@dataclass(frozen=True)
class Offer:
    """A link over hosts who are there day and night, in UTC; it books without notice."""

    name: str
    minutes: int
    mode: str  # pool | collective
    hosts: tuple[str, ...]
    before: int = 0
    after: int = 0
    max_per_day: int | None = None
    needs_approval: bool = False

    def claim(self, start: int) -> tuple[int, int]:
        """What a booking of it occupies."""
        return start - self.before * MINUTE, start + (self.minutes + self.after) * MINUTE


@dataclass
class Held:
    """A booking."""

    id: str
    offer: Offer
    hosts: frozenset[str]
    start: int
    status: str
    hold: int | None
    created: int
    changed: int
    version: int = 1
    sequence: int = 0
    one_time: str | None = None

    @property
    def end(self) -> int:
        """When it ends, without its buffer."""
        return self.start + self.offer.minutes * MINUTE

    def is_out(self, now: int) -> bool:
        """Its hold ran out: nobody has to wait for it."""
        return self.status == "pending" and self.hold is not None and self.hold <= now

    def blocks(self, span: tuple[int, int], host: str, now: int) -> bool:
        """Whether it occupies the host within the span."""
        return host in self.hosts and self.status in ACTIVE and not self.is_out(now) and self.overlaps(span)

    def overlaps(self, span: tuple[int, int]) -> bool:
        """Whether its claim shares time with the span."""
        begin, end = self.offer.claim(self.start)
        return begin < span[1] and span[0] < end


@dataclass
class Model:
    """All bookings, and what the rules make of a request."""

    now: int
    bookings: dict[str, Held] = field(default_factory=dict)
    used: dict[str, str | None] = field(default_factory=dict)
    """One-time links, and the booking that used each."""

    # what is free

    def others(self, without: str | None) -> list[Held]:
        """All but the one that is being moved."""
        return [each for each in self.bookings.values() if each.id != without]

    def is_free(self, offer: Offer, host: str, start: int, without: str | None = None) -> bool:
        """Whether the host can take it: not busy, and the link below its limit."""
        if any(each.blocks(offer.claim(start), host, self.now) for each in self.others(without)):
            return False
        counted = [
            each
            for each in self.others(without)
            if each.offer == offer and each.status != "cancelled" and not each.is_out(self.now)
        ]
        same_day = sum(each.start // DAY == start // DAY for each in counted)
        return offer.max_per_day is None or same_day < offer.max_per_day

    def is_offered(self, offer: Offer, start: int) -> bool:
        """Whether the rules know this start at all."""
        return start >= self.now and start % (offer.minutes * MINUTE) == 0

    def is_bookable(self, offer: Offer, start: int) -> bool:
        """Whether a recipient sees it."""
        free = [self.is_free(offer, host, start) for host in offer.hosts]
        return self.is_offered(offer, start) and (any(free) if offer.mode == "pool" else all(free))

    def team(self, offer: Offer, start: int, without: str | None = None, present: Iterable[str] = ()) -> frozenset[str]:
        """Who takes it; `Conflict` when too few can."""
        free = [host for host in offer.hosts if self.is_free(offer, host, start, without)]
        if offer.mode == "collective":
            if len(free) < len(offer.hosts):
                raise Refused(Conflict)
            return frozenset(free)
        if not free:
            raise Refused(Conflict)
        return frozenset([min(free, key=lambda host: (host not in set(present), *self._rank(host, start, without)))])

    def _rank(self, host: str, start: int, without: str | None) -> tuple[int, int, str]:
        """The fewest bookings in the week, then the longest since one was made, then the lowest id."""
        week = datetime.fromtimestamp(start, UTC).isocalendar()[:2]
        mine = [each for each in self.others(without) if host in each.hosts]
        in_week = sum(
            each.status != "cancelled"
            and not each.is_out(self.now)
            and datetime.fromtimestamp(each.start, UTC).isocalendar()[:2] == week
            for each in mine
        )
        made = [each.created for each in self.bookings.values() if host in each.hosts]
        return in_week, max(made, default=-1), host

    # what people do

    def book(self, offer: Offer, start: int, one_time: str | None = None) -> Held:
        """A recipient books; the answer has no id yet."""
        if one_time is not None and self.used[one_time] is not None:
            raise Refused(LinkUsed)
        if not self.is_offered(offer, start):
            raise Refused(Invalid)
        hosts = self.team(offer, start)
        self._release(offer, start)
        status, hold = ("pending", min(self.now + HOLD, start)) if offer.needs_approval else ("confirmed", None)
        return Held("", offer, hosts, start, status, hold, self.now, self.now, one_time=one_time)

    def override(self, offer: Offer, start: int) -> Held:
        """Staff book, over all rules but other bookings."""
        hosts = [host for host in offer.hosts if not self._is_claimed(offer, host, start)]
        if len(hosts) < (len(offer.hosts) if offer.mode == "collective" else 1):
            raise Refused(Conflict)
        if offer.mode == "pool":
            hosts = [min(hosts, key=lambda host: (not (start > self.now and self.is_free(offer, host, start)), host))]
        self._release(offer, start)
        return Held("", offer, frozenset(hosts), start, "confirmed", None, self.now, self.now)

    def _is_claimed(self, offer: Offer, host: str, start: int) -> bool:
        return any(each.blocks(offer.claim(start), host, self.now) for each in self.bookings.values())

    def move(self, booking: Held, start: int) -> None:
        """A recipient moves it."""
        if booking.status not in {"pending", "confirmed"} or booking.is_out(self.now):
            raise Refused(NotModifiable)
        if start == booking.start:
            return
        if not self.is_offered(booking.offer, start):
            raise Refused(Invalid)
        hosts = self.team(booking.offer, start, booking.id, booking.hosts)
        self._release(booking.offer, start)
        booking.hosts, booking.start = hosts, start
        booking.hold = None if booking.hold is None else min(booking.hold, start)
        self._touch(booking, sequence=1)

    def step(self, booking: Held, verb: str, *, is_recipient: bool = False) -> None:
        """Confirm, start, complete, no_show, correct or cancel."""
        if verb == "confirm" and booking.status in {"completed", "no_show"}:
            verb = "correct"
        allowed = {
            "confirm": booking.status == "pending",
            "start": booking.status == "confirmed" and self.now >= booking.start - 30 * MINUTE,
            "complete": booking.status in {"confirmed", "in_progress"} and self.now >= booking.start,
            "no_show": booking.status == "confirmed" and self.now >= booking.start,
            "cancel": booking.status in {"pending", "confirmed"},
            "correct": booking.status in {"completed", "no_show"} and self.now <= booking.end + DAY,
        }
        if not allowed[verb]:
            raise Refused(NotModifiable)
        if verb == "confirm" and booking.is_out(self.now):
            self._take_anew(booking)
        if verb == "correct" and any(self._is_taken(booking, host) for host in booking.hosts):
            raise Refused(Conflict)
        booking.status = {
            "confirm": "confirmed",
            "start": "in_progress",
            "complete": "completed",
            "no_show": "no_show",
            "cancel": "cancelled",
            "correct": "confirmed",
        }[verb]
        if verb in {"confirm", "cancel"}:
            booking.hold = None
        self._touch(booking, sequence=int(verb in {"confirm", "cancel"}))
        if verb == "cancel" and is_recipient and booking.one_time is not None:
            self.used[booking.one_time] = None

    def _take_anew(self, booking: Held) -> None:
        free = all(self.is_free(booking.offer, host, booking.start, booking.id) for host in booking.hosts)
        if booking.start <= self.now or not free:
            raise Refused(Conflict)

    def _is_taken(self, booking: Held, host: str) -> bool:
        span = booking.offer.claim(booking.start)
        return any(each.blocks(span, host, self.now) for each in self.others(booking.id))

    def work(self) -> None:
        """What a worker does when it comes by."""
        for booking in self.bookings.values():
            if booking.is_out(self.now):
                self._expire(booking)
            elif booking.status == "confirmed" and max(booking.end, booking.changed) + COMPLETES_AFTER <= self.now:
                booking.status = "completed"
                self._touch(booking)

    def _release(self, offer: Offer, start: int) -> None:
        """Expired holds of the offer's hosts make way."""
        for each in self.bookings.values():
            if each.is_out(self.now) and each.overlaps(offer.claim(start)) and each.hosts & set(offer.hosts):
                self._expire(each)

    def _expire(self, booking: Held) -> None:
        booking.status, booking.hold = "cancelled", None
        self._touch(booking, sequence=1)

    def _touch(self, booking: Held, sequence: int = 0) -> None:
        booking.version += 1
        booking.sequence += sequence
        booking.changed = self.now

    def claims(self) -> Sequence[tuple[str, str, int, int]]:
        """The rows that guard against double bookings: (booking, host, from, to). A hold that ran out keeps its row
        until somebody needs the time."""
        return sorted(
            (each.id, host, *each.offer.claim(each.start))
            for each in self.bookings.values()
            if each.status in ACTIVE
            for host in each.hosts
        )

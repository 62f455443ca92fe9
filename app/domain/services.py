"""Services and who and what they need. Minutes are whole minutes, money integer minor units of an ISO 4217 currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.domain.links import Link
from app.domain.locations import Location
from app.domain.reminders import Reminder
from app.domain.stays import Stay

ServiceMode = Literal["chosen", "pool", "collective", "fixed_pool"]
"""Who of the qualified people takes a booking: the one the recipient chooses (or any), one of all, all of them, or the
fixed ones and one of the others."""
HostRole = Literal["fixed", "pool", "unit"]
ResourceKind = Literal["room", "chair", "equipment", "other"]


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """Somebody who is qualified for a service: `schedule_id` are hours of their own for it (None: their usual ones),
    `durations` the lengths they take (None: all). `is_fixed` counts in the mode `fixed_pool` alone."""

    host_id: str
    is_fixed: bool = False
    priority: int = 0
    schedule_id: str | None = None
    durations: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """How many units of a resource a booking of the service takes."""

    resource_id: str
    units: int = 1


@dataclass(frozen=True, slots=True)
class Resource:
    """Rooms, chairs or equipment, of which there are `quantity` alike; each unit is a host."""

    id: str
    org_id: str
    name: str
    kind: ResourceKind
    description: str
    color: str | None
    quantity: int
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Service:
    """What is offered. `schedule_id` are the hours of a service that needs resources alone."""

    id: str
    org_id: str
    name: str
    description: str
    category: str
    color: str | None
    image_url: str | None
    durations: tuple[int, ...]
    step: int | None
    buffer_before: int
    buffer_after: int
    mode: ServiceMode
    price: int | None
    deposit: int | None
    currency: str | None
    location: Location
    template_id: str | None
    schedule_id: str | None
    is_active: bool
    version: int
    created_at: int
    updated_at: int
    cancel_until: int | None = None
    """How many minutes before the start recipients may cancel last; None: until it is over."""
    reschedule_until: int | None = None
    max_reschedules: int | None = None
    """How often a recipient may move a booking; None: as often as they like, 0: never."""
    cancel_fee: int | None = None
    """What a cancellation costs, in minor units of `currency`; shown, and agreed on by whoever cancels."""
    capacity: int = 1
    """How many seats a session of it has; 1: each booking is one of its own."""
    is_scheduled: bool = False
    """Sessions are set by staff (`/slots`), and nothing else is offered."""
    check_in: str | None = None
    """Wall time (HH:MM) at which a stay by the night begins, `check_out` that at which it ends; both or neither."""
    check_out: str | None = None
    requires_approval: bool = False
    reminders: tuple[Reminder, ...] | None = None
    hand_back: bool = False
    """Somebody of the pool who deletes the booking's event, or declines it, gives it to another one."""
    max_repeats: int | None = None
    """How many bookings of a weekly set recipients may make at once; None: they may not repeat."""

    def stay_in(self, timezone: str) -> Stay | None:
        """When guests come and go, by the clock of this zone."""
        if self.check_in is None or self.check_out is None:
            return None
        return Stay(minutes_of_day(self.check_in), minutes_of_day(self.check_out), timezone)

    def offered_by(self, link: Link) -> Link:
        """The link with what its service sets for it. Place, questions and the rules for cancelling and moving are the
        link's own where it has some, and so is how often one may repeat; either asks for approval."""
        return replace(
            link,
            mode=self.mode,
            durations=self.durations,
            step=link.step or self.step,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            template_id=link.template_id or self.template_id,
            location=self.location if link.location.kind == "none" else link.location,
            is_active=link.is_active and self.is_active,
            hand_back=link.hand_back or self.hand_back,
            requires_approval=link.requires_approval or self.requires_approval,
            cancel_until=_first(link.cancel_until, self.cancel_until),
            reschedule_until=_first(link.reschedule_until, self.reschedule_until),
            max_reschedules=_first(link.max_reschedules, self.max_reschedules),
            cancel_fee=_first(link.cancel_fee, self.cancel_fee),
            fee_currency=self.currency if link.cancel_fee is None else link.fee_currency,
            max_repeats=_first(link.max_repeats, self.max_repeats),
        )


def _first(own: int | None, usual: int | None) -> int | None:
    """The link's own value, 0 included, or else the service's."""
    return usual if own is None else own


def minutes_of_day(wall_time: str) -> int:
    """`HH:MM`, as it is kept, in minutes."""
    return int(wall_time[:2]) * 60 + int(wall_time[3:])


def role_of(mode: str, host: ServiceHost) -> HostRole:
    """What a qualified person is to a booking in this mode."""
    if mode == "fixed_pool":
        return "fixed" if host.is_fixed else "pool"
    return "fixed" if mode == "collective" else "pool"


def unit_names(name: str, quantity: int) -> Sequence[str]:
    """What the units of a resource are called: by its name alone where there is one."""
    return [name] if quantity == 1 else [f"{name} {number}" for number in range(1, quantity + 1)]


def bare_link(service: Service) -> Link:
    """What stands for a link where a service is booked without one: no notice, a year ahead, no limits."""
    return Link(
        id="",
        org_id=service.org_id,
        owner_id="",
        slug="",
        title=service.name,
        description=service.description,
        is_active=True,
        mode="pool",
        schedule_id=None,
        template_id=None,
        service_id=service.id,
        durations=(),
        step=None,
        buffer_before=0,
        buffer_after=0,
        minimum_notice=0,
        horizon_days=365,
        date_range=None,
        max_per_day=None,
        max_per_week=None,
        requires_approval=False,
        location=Location(),
        version=1,
        created_at=0,
        updated_at=0,
    )

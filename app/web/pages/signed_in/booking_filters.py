"""What the list of bookings is narrowed to: from the address to a filter, and what can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request

from app.domain.bookings import BookingStatus
from app.domain.errors import Invalid
from app.ports.bookings import BookingFilter
from app.ports.unit_of_work import UnitOfWork
from app.web.pages.signed_in.form import Form
from app.web.sessions import Caller
from app.web.times import period

MOST = 200
NAMES = ("q", "host", "service", "status", "from", "to")
LONGEST_TEXT = 254
STATES: tuple[tuple[BookingStatus, str], ...] = (
    ("pending", "Waits for approval"),
    ("confirmed", "Confirmed"),
    ("in_progress", "Happening now"),
    ("completed", "Completed"),
    ("no_show", "Missed"),
    ("cancelled", "Cancelled"),
)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What was asked for. `where` is None when nothing was, or something that cannot be: the form says what."""

    form: Form
    where: BookingFilter | None
    query: str

    @property
    def is_asked(self) -> bool:
        return bool(self.query)


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen, as (id, name). Whoever sees their own bookings alone chooses no host."""

    hosts: Sequence[tuple[str, str]]
    services: Sequence[tuple[str, str]]
    states: Sequence[tuple[str, str]] = STATES


def narrowed(request: Request[Any, Any, Any], caller: Caller) -> Narrowed:
    """The filter in an address."""
    asked = {name: request.query_params.get(name, "").strip() for name in NAMES}
    form = Form.of({**asked, "day_from": asked["from"], "day_to": asked["to"]})
    query = urlencode({name: text for name, text in asked.items() if text})
    if not query:
        return Narrowed(form, None, "")
    status = asked["status"] if asked["status"] in get_args(BookingStatus) else ""
    for name in ("host", "service"):
        if asked[name] and not _is_id(asked[name]):
            form.fail(name, "Please choose from the list.")
    try:
        start, end = period(asked["from"] or None, asked["to"] or None, caller.user.timezone)
    except Invalid as refusal:
        for wrong in refusal.errors:
            form.fail(f"day_{wrong.field}", wrong.message)
        start = end = None
    if form.errors:
        return Narrowed(form, None, query)
    where = BookingFilter(
        caller.user.org_id,
        caller.scope,
        status=[state for state, _ in STATES if state == status],
        service_id=asked["service"] or None,
        named=asked["q"][:LONGEST_TEXT] or None,
        host_id=asked["host"] or None,
        start=start,
        end=end,
    )
    return Narrowed(form, where, query)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def choices(work: UnitOfWork, caller: Caller) -> Choices:
    """The people and services of the organization; two SELECTs more for admins."""
    services = await work.services.page(caller.user.org_id, MOST, None)
    hosts: list[tuple[str, str]] = []
    if caller.is_admin:
        people = await work.employees.page(caller.user.org_id, MOST, None)
        hosts = [(person.id, person.name) for person in people.items]
    return Choices(hosts, [(service.id, service.name) for service in services.items])

"""All that an admin sees of somebody: who they are, what is theirs, and what is still to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.bookings import Booking
from app.domain.errors import NotFound
from app.domain.links import Link
from app.ports.employees import Employee
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.hand_over_bookings import coming_bookings


@dataclass(frozen=True, slots=True)
class PersonView:
    """`coming` are the first bookings that are still to begin, `more` whether there are further ones."""

    person: Employee
    links: Sequence[Link]
    coming: Sequence[Booking]
    more: bool


async def view_person(work: UnitOfWork, user: User, person_id: str, now: int) -> PersonView:
    """`NotFound` for whoever is not of the user's organization."""
    person = await work.employees.get(user.org_id, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    links = await work.links.of_owner(user.org_id, person_id)
    coming, more = await coming_bookings(work, user.org_id, person_id, now)
    return PersonView(person, links, coming, more)

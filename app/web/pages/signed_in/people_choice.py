"""Choosing one of the people of an organization: from a list, or by e-mail address where the list would be too long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.ports.people import PeopleFilter, User
from app.ports.unit_of_work import UnitOfWork
from app.web.pages.signed_in.form import Form

MOST = 200
LINK_OWNERS = ("owner", "admin")


@dataclass(frozen=True, slots=True)
class PeopleChoice:
    """Ids and names; not `is_whole`: there are more than a list should hold, so the address is typed."""

    pairs: Sequence[tuple[str, str]]
    is_whole: bool


async def people_choice(
    work: UnitOfWork, org_id: str, *, without: str | None = None, roles: tuple[str, ...] = ()
) -> PeopleChoice:
    """The active ones, but one of them; one SELECT."""
    found = await work.people.page(PeopleFilter(org_id, roles=roles, only_active=True), MOST, None)
    pairs = [(user.id, user.name) for user in found.items if user.id != without]
    return PeopleChoice(pairs, found.cursor is None)


async def chosen_person(
    work: UnitOfWork, form: Form, name: str, org_id: str, *, without: str | None = None, roles: tuple[str, ...] = ()
) -> str:
    """The id of who was chosen or typed; beside an error nothing."""
    user = await _named(work, form.get(name), org_id)
    if user is None or not user.is_active or user.id == without:
        form.fail(name, "Please choose somebody who is switched on, by their e-mail address if there is no list.")
        return ""
    if roles and not set(roles) & set(user.roles):
        form.fail(name, "This person may not have links: give them the role of an owner first.")
        return ""
    return user.id


async def _named(work: UnitOfWork, text: str, org_id: str) -> User | None:
    try:
        user = await work.people.user(str(UUID(text)))
    except ValueError:
        user = await work.people.user_by_email(text)
    return user if user is not None and user.org_id == org_id else None

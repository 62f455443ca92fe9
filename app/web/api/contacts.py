"""`/contacts`: people to suggest while an address is typed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

import msgspec
from litestar import Request, Router, get
from litestar.params import QueryParameter

from app.domain.contacts import SHORTEST
from app.domain.text_rules import LINE
from app.use_cases.suggest_contacts import suggest_contacts
from app.web.api.fields import SignedIn, ports_of, problems

Source = Literal["bookings", "google", "microsoft"]
Typed = Annotated[
    str,
    QueryParameter(
        min_length=SHORTEST,
        max_length=200,
        pattern=LINE,
        description="A part of a name or address, as it is typed.",
    ),
]


class ContactOut(msgspec.Struct):
    """Somebody to suggest; `name` is empty where none is known, `source` past bookings or the connected account."""

    name: str
    email: str
    source: Source


class ContactsOut(msgspec.Struct):
    """The best few, the best first; there are no further pages."""

    items: list[ContactOut]
    next_cursor: None


@get("/contacts", responses=problems(401, 429), summary="Suggest people while an address is typed")
async def suggest_people(request: Request[Any, Any, Any], caller: SignedIn, q: Typed) -> ContactsOut:
    # Whoever types has address books asked at every few characters, which their providers count.
    await request.app.state.limits.hit("public", f"contacts:{caller.user.id}")
    found = await suggest_contacts(ports_of(request), caller.user, q)
    items = [ContactOut(each.name, each.email, cast("Source", each.source)) for each in found]
    return ContactsOut(items, None)


router = Router("/", route_handlers=[suggest_people], tags=["contacts"])

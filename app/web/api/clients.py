"""`/clients`: the people who book, with their history in numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET

from app.domain import clients as domain
from app.domain.text_rules import LINE
from app.ports import Ports
from app.ports.clients import ClientFilter
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_clients
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    READING,
    Cursor,
    Id,
    IfMatch,
    In,
    Limit,
    LongText,
    Phone,
    RequiredLine,
    SignedIn,
    Unset,
    given,
    line_text,
    need_admin,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import optional_rfc3339, rfc3339


class ClientOut(msgspec.Struct):
    """Somebody with bookings: `emails` and `phones` are all they are known by, as they are compared. The figures count
    the bookings that the caller may see; `last` and `next` are starts."""

    id: str
    name: str
    email: str | None
    phone: str | None
    emails: list[str]
    phones: list[str]
    notes: str | None
    bookings: int
    cancelled: int
    no_shows: int
    last: str | None
    next: str | None
    version: int
    created_at: str
    updated_at: str


class Clients(msgspec.Struct):
    """A page of clients."""

    items: list[ClientOut]
    next_cursor: str | None


class ClientPatch(In):
    """Any subset of what staff may correct."""

    name: RequiredLine | Unset = UNSET
    phone: Phone | Unset | None = UNSET
    notes: LongText | Unset | None = UNSET


class MergeIn(In):
    """Who is the same person."""

    client: UUID


def client_out(client: domain.Client, figures: domain.Figures) -> ClientOut:
    """A client as the API shows them."""
    return ClientOut(
        id=client.id,
        name=client.name,
        email=client.email,
        phone=client.phone,
        emails=[value for kind, value in client.identities if kind == "email"],
        phones=[value for kind, value in client.identities if kind == "phone"],
        notes=client.notes,
        bookings=figures.bookings,
        cancelled=figures.cancelled,
        no_shows=figures.no_shows,
        last=optional_rfc3339(figures.last),
        next=optional_rfc3339(figures.next),
        version=client.version,
        created_at=rfc3339(client.created_at),
        updated_at=rfc3339(client.updated_at),
    )


async def _all_out(ports: Ports, work: UnitOfWork, user: User, found: Sequence[domain.Client]) -> list[ClientOut]:
    scope = manage_clients.scope_of(user)
    figures = await work.clients.figures([client.id for client in found], ports.clock(), scope)
    return [client_out(client, figures.get(client.id, domain.Figures())) for client in found]


def _shown(ports: Ports, user: User) -> Callable[[UnitOfWork, domain.Client], Awaitable[ClientOut]]:
    async def show(work: UnitOfWork, client: domain.Client) -> ClientOut:
        return (await _all_out(ports, work, user, [client]))[0]

    return show


async def _answer(ports: Ports, user: User, client: domain.Client) -> Response[ClientOut]:
    async with ports.read() as work:
        return with_etag(await _shown(ports, user)(work, client), client.version)


@get(
    "/clients",
    responses=problems(401, 403),
    summary="List clients",
    description="The newest first; owners see those of the bookings they may see. `q` is part of a name, an address or "
    "a number.",
)
async def list_clients(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str, QueryParameter(max_length=200, pattern=LINE)] = "",
) -> Clients:
    ports = ports_of(request)
    where = ClientFilter(caller.user.org_id, manage_clients.scope_of(caller.user), q.strip())
    async with ports.read() as work:
        page = await work.clients.page(where, limit, cursor)
        return Clients(await _all_out(ports, work, caller.user, page.items), page.cursor)


@get("/clients/{client_id:uuid}", responses=problems(403, *READING), summary="Show a client")
async def show_client(request: Request[Any, Any, Any], caller: SignedIn, client_id: Id) -> Response[ClientOut]:
    ports = ports_of(request)
    async with ports.read() as work:
        client = await manage_clients.found_client(work, caller.user, uuid_text(client_id))
    return await _answer(ports, caller.user, client)


@patch(
    "/clients/{client_id:uuid}",
    responses=problems(*CHANGING, 409),
    summary="Correct a client",
    description="The name and number that are shown, and staff's notes. Bookings keep what was given with them.",
)
async def change_client(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    client_id: Id,
    data: JSONBody[ClientPatch],
    if_match: IfMatch = None,
) -> Response[ClientOut]:
    ports, version, values = ports_of(request), version_of(if_match), given(data)
    manage_clients.scope_of(caller.user)
    if "name" in values:
        values["name"] = line_text(values["name"], "name")
    client = await manage_clients.change_client(ports, caller.user, uuid_text(client_id), values, version)
    return await _answer(ports, caller.user, client)


@post(
    "/clients/{client_id:uuid}/merge",
    status_code=200,
    responses=problems(*CHANGING, 422),
    summary="Join two clients",
    description="For admins. `client` is the same person: its bookings, addresses, numbers and notes come here, and it "
    "is gone.",
)
async def merge_clients(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    client_id: Id,
    data: JSONBody[MergeIn],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[ClientOut]:
    ports, user, version = ports_of(request), caller.user, version_of(if_match)
    need_admin(caller)

    def act(replay: Replay[domain.Client] | None) -> Awaitable[domain.Client]:
        return manage_clients.merge_clients(ports, user, uuid_text(client_id), uuid_text(data.client), version, replay)

    return await Post(user.id, data, act, _shown(ports, user)).answer(request, idempotency_key, 200)


router = Router("/", route_handlers=[list_clients, show_client, change_client, merge_clients], tags=["clients"])

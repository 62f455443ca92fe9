"""`/app/clients`: the people who book, each with their history; and who cannot book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.clients import Block, BlockKind, Client, Figures
from app.domain.errors import AlreadyExists, HalfpastError, Invalid, NotFound, StaleVersion
from app.domain.hours import local_date
from app.ports.bookings import BookingFilter
from app.ports.clients import ClientFilter
from app.use_cases import block_recipients, manage_clients
from app.web.api.fields import LongText, Phone, RequiredLine, ShortReason
from app.web.pages.signed_in.booking_views import day_rows
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

PAGE = 50
LONGEST_WORDS = 200
NAMES = {"email": "E-mail address", "domain": "Domain", "phone": "Phone number"}
KINDS = (("email", "E-mail address"), ("domain", "Domain, with all below it"), ("phone", "Phone number"))


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One line of the list."""

    path: str
    name: str
    reach: str
    facts: str


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One line of the block list."""

    path: str
    value: str
    facts: str


def _figures(figures: Figures, zone: str, wording: Wording) -> str:
    """`3 bookings, 1 cancelled, last on Mon, 23 Nov`."""
    parts = [f"{figures.bookings} {'booking' if figures.bookings == 1 else 'bookings'}"]
    if figures.cancelled:
        parts.append(f"{figures.cancelled} cancelled")
    if figures.no_shows:
        parts.append(f"{figures.no_shows} missed")
    if figures.last is not None:
        parts.append(f"last on {wording.short_day(local_date(zone, figures.last))}")
    if figures.next is not None:
        parts.append(f"next on {wording.short_day(local_date(zone, figures.next))}")
    return ", ".join(parts)


@get("/clients")
async def clients_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The newest first; `q` looks for a name, an address or a number."""
    ports, user, wording = ports_of(request), caller.user, wording_of(request)
    scope = manage_clients.scope_of(user)
    words = request.query_params.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
    async with ports.read() as work:
        where = ClientFilter(user.org_id, scope, words)
        found = await work.clients.page(where, PAGE, request.query_params.get("cursor"))
        figures = await work.clients.figures([client.id for client in found.items], ports.clock(), scope)
    rows = [_row(client, figures.get(client.id, Figures()), user.timezone, wording) for client in found.items]
    return app_page(
        request,
        caller,
        "clients",
        rows=rows,
        words=words,
        cursor=found.cursor,
        is_continued="cursor" in request.query_params,
    )


def _row(client: Client, figures: Figures, zone: str, wording: Wording) -> ClientRow:
    reach = ", ".join(text for text in (client.email, client.phone) if text)
    return ClientRow(f"/app/clients/{client.id}", client.name, reach, _figures(figures, zone, wording))


@get("/clients/{client_id:uuid}")
async def client_page(request: Request[Any, Any, Any], caller: Member, client_id: FromPath[UUID]) -> Response[bytes]:
    """One client."""
    return await _client_page(request, caller, client_id)


async def _client_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    client_id: UUID,
    form: Form | None = None,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    ports, user, wording = ports_of(request), caller.user, wording_of(request)
    scope, now = manage_clients.scope_of(user), ports.clock()
    async with ports.read() as work:
        client = await manage_clients.found_client(work, user, str(client_id))
        figures = (await work.clients.figures([client.id], now, scope)).get(client.id, Figures())
        where = BookingFilter(user.org_id, scope, client_id=client.id, newest_first=True)
        history = await work.bookings.page(where, PAGE, request.query_params.get("cursor"))
        blocks = await work.clients.blocks_of(user.org_id, client.identities)
    days = day_rows(history.items, user, wording, now, quiet=frozenset(), conflicting=frozenset())
    return app_page(
        request,
        caller,
        "client",
        refusal=refusal,
        client=client,
        path=f"/app/clients/{client.id}",
        figures=_figures(figures, user.timezone, wording),
        days=days,
        cursor=history.cursor,
        is_continued="cursor" in request.query_params,
        known=[value for _, value in client.identities],
        blocks=[_block_row(block) for block in blocks],
        form=form or _form(client),
        can_merge=caller.is_admin,
        is_stale=isinstance(refusal, StaleVersion),
    )


def _form(client: Client) -> Form:
    return Form.of(
        {"name": client.name, "phone": client.phone, "notes": client.notes, "version": client.version, "other": ""}
    )


def _block_row(block: Block) -> BlockRow:
    kind, path = NAMES[block.kind], f"/app/clients/blocked/{block.id}"
    return BlockRow(path, block.value, f"{kind}: {block.reason}" if block.reason else kind)


@post("/clients/{client_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, client_id: FromPath[UUID]) -> Response[Any]:
    """Correct name and number, keep the notes."""
    form = await Form.posted(request)
    try:
        values: dict[str, Any] = {
            "name": form.text("name", RequiredLine, "Please enter a name, on one line."),
            "notes": form.text("notes", LongText, "Please keep the notes below 5000 characters.") or None,
            "phone": form.get("phone") or None,
        }
        if values["phone"]:
            form.checked("phone", values["phone"], Phone, "Please enter a phone number with digits.")
        form.finish()
        await manage_clients.change_client(ports_of(request), caller.user, str(client_id), values, form.version)
    except (Invalid, AlreadyExists, StaleVersion) as refusal:
        if not isinstance(refusal, StaleVersion):
            form.refuse(refusal)
        return await _client_page(request, caller, client_id, form, refusal)
    return done(f"/app/clients/{client_id}")


@post("/clients/{client_id:uuid}/merge")
async def merge(request: Request[Any, Any, Any], caller: Member, client_id: FromPath[UUID]) -> Response[Any]:
    """Join with the client of another address or number."""
    need_admin(caller)
    ports, user, form = ports_of(request), caller.user, await Form.posted(request)
    try:
        async with ports.read() as work:
            await manage_clients.found_client(work, user, str(client_id))
            other = await manage_clients.client_known_as(work, user, form.get("other"))
        await manage_clients.merge_clients(ports, user, str(client_id), other.id)
    except (Invalid, NotFound, StaleVersion) as refusal:
        form = Form(errors={"other": refusal.detail}, values={"other": [form.get("other")]})
        return await _refused_merge(request, caller, client_id, form, refusal)
    return done(f"/app/clients/{client_id}", "merged")


async def _refused_merge(
    request: Request[Any, Any, Any], caller: Caller, client_id: UUID, form: Form, refusal: HalfpastError
) -> Response[bytes]:
    async with ports_of(request).read() as work:
        client = await manage_clients.found_client(work, caller.user, str(client_id))
    shown = Form(_form(client).values | form.values, form.errors)
    return await _client_page(request, caller, client_id, shown, Invalid(refusal.detail))


@post("/clients/{client_id:uuid}/block")
async def block(request: Request[Any, Any, Any], caller: Member, client_id: FromPath[UUID]) -> Response[Any]:
    """Keep the client from booking, by all they are known by."""
    ports, user = ports_of(request), caller.user
    async with ports.read() as work:
        client = await manage_clients.found_client(work, user, str(client_id))
        there = {(block.kind, block.value) for block in await work.clients.blocks_of(user.org_id, client.identities)}
    for kind, value in client.identities:
        if (kind, value) not in there:
            await block_recipients.add_block(ports, user, kind, value, None)
    return done(f"/app/clients/{client.id}", "blocked")


@get("/clients/blocked")
async def blocked_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """Who cannot book."""
    return await _blocked_page(request, caller, Form.of({"kind": "email"}))


async def _blocked_page(
    request: Request[Any, Any, Any], caller: Caller, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    manage_clients.scope_of(caller.user)
    async with ports_of(request).read() as work:
        found = await work.clients.blocks(caller.user.org_id, PAGE, request.query_params.get("cursor"))
    return app_page(
        request,
        caller,
        "clients_blocked",
        refusal=refusal,
        rows=[_block_row(block) for block in found.items],
        cursor=found.cursor,
        kinds=KINDS,
        form=form,
    )


@post("/clients/blocked")
async def add_block(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Add a line to the block list."""
    manage_clients.scope_of(caller.user)
    form = await Form.posted(request)
    try:
        kind = form.one_of("kind", [kind for kind, _ in KINDS], "Please choose what it is.")
        value = form.text("value", RequiredLine, "Please enter whom to keep from booking, on one line.")
        reason = form.text("reason", ShortReason, "Please keep the reason below 500 characters.")
        form.finish()
        chosen: BlockKind = kind  # type: ignore[assignment]  # one of the kinds, as was just checked
        await block_recipients.add_block(ports_of(request), caller.user, chosen, value, reason or None)
    except (Invalid, AlreadyExists) as refusal:
        form.refuse(refusal)
        return await _blocked_page(request, caller, form, refusal)
    return done("/app/clients/blocked", "blocked")


@post("/clients/blocked/{block_id:uuid}/remove")
async def remove_block(request: Request[Any, Any, Any], caller: Member, block_id: FromPath[UUID]) -> Response[Any]:
    """Let them book again."""
    manage_clients.scope_of(caller.user)
    await block_recipients.remove_block(ports_of(request), caller.user, str(block_id))
    return done("/app/clients/blocked", "unblocked")


routes: Sequence[Any] = (
    clients_page,
    client_page,
    save,
    merge,
    block,
    blocked_page,
    add_block,
    remove_block,
)

"""`/me`: one's own profile, schedule and app passwords; and what the outbox could not deliver."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody

from app.domain.cursors import cut, decode_cursor, encode_cursor
from app.domain.errors import Forbidden, NotFound
from app.domain.stays import LONGEST_CLAIM
from app.ports.bookings import BookingFilter
from app.ports.outbox import DeadLetter
from app.ports.tokens import AppPassword
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_tokens
from app.use_cases.idempotency import Replay
from app.web.api.booking_shapes import Bookings
from app.web.api.bookings import bookings_page
from app.web.api.fields import (
    LISTING,
    MAKING,
    READING,
    Cursor,
    FirstDate,
    Id,
    In,
    LastDate,
    Limit,
    Line,
    ListZone,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.sessions import Caller
from app.web.times import optional_rfc3339, period, rfc3339


class Me(msgspec.Struct):
    """The caller."""

    id: str
    email: str
    handle: str
    name: str
    roles: list[str]
    timezone: str
    organization_id: str
    caldav_url: str


class AppPasswordIn(In):
    """An app password to make."""

    label: Line = "Device"


class AppPasswordOut(msgspec.Struct):
    """An app password; `password` is there just once, when it is made."""

    id: str
    label: str
    created_at: str
    last_used_at: str | None
    password: str | None = None


class AppPasswords(msgspec.Struct):
    """The caller's app passwords."""

    items: list[AppPasswordOut]
    next_cursor: str | None


class DeadLetterOut(msgspec.Struct):
    """Work that was given up."""

    id: str
    kind: str
    lane: str
    subject_id: str
    attempts: int
    error: str
    updated_at: str


class DeadLetters(msgspec.Struct):
    """What could not be delivered."""

    items: list[DeadLetterOut]
    next_cursor: str | None


@get("/me", responses=problems(*LISTING), summary="The caller")
async def me(request: Request[Any, Any, Any], caller: SignedIn) -> Me:
    user = caller.user
    return Me(
        id=user.id,
        email=user.email,
        handle=user.handle,
        name=user.name,
        roles=list(user.roles),
        timezone=user.timezone,
        organization_id=user.org_id,
        caldav_url=f"{ports_of(request).base_url}/dav/",
    )


@get(
    "/me/schedule",
    responses=problems(*LISTING),
    summary="Confirmed bookings assigned to the caller",
    description="What has not ended yet, unless `from` says otherwise: then what begins on that date or later.",
)
async def my_schedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Bookings:
    ports = ports_of(request)
    start, end = period(first, last, timezone or caller.user.timezone)
    now = ports.clock()
    where = BookingFilter(
        org_id=caller.user.org_id,
        host_id=caller.user.id,
        status=("confirmed", "in_progress"),
        start=now - LONGEST_CLAIM * 60 if start is None else start,
        end=end,
        ends_after=now if start is None else None,
        view="schedule",
    )
    return await bookings_page(ports, where, limit, cursor)


@get("/me/app-passwords", responses=problems(*LISTING), summary="List app passwords")
async def list_app_passwords(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> AppPasswords:
    async with ports_of(request).read() as work:
        found = await work.tokens.app_passwords(caller.user.id)
    page, next_cursor = cut(found, lambda password: password.id, limit, cursor)
    return AppPasswords([_password_out(password) for password in page], next_cursor)


@post(
    "/me/app-passwords",
    responses=problems(*MAKING, 422),
    summary="Make an app password",
    description="`password` is told this once and kept as a hash; under an Idempotency-Key the answer is kept, "
    "encrypted, for 24 hours.",
)
async def create_app_password(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[AppPasswordIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[AppPasswordOut]:
    def act(replay: Replay[tuple[AppPassword, str]] | None) -> Awaitable[tuple[AppPassword, str]]:
        return manage_tokens.create_app_password(ports_of(request), caller.user, data.label, replay=replay)

    async def show(_: UnitOfWork, made: tuple[AppPassword, str]) -> AppPasswordOut:
        return _password_out(*made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


def _password_out(password: AppPassword, secret: str | None = None) -> AppPasswordOut:
    return AppPasswordOut(
        password.id,
        password.label,
        rfc3339(password.created_at),
        optional_rfc3339(password.last_used_at),
        secret,
    )


@get("/me/app-passwords/{password_id:uuid}", responses=problems(*READING), summary="Show an app password's label")
async def show_app_password(request: Request[Any, Any, Any], caller: SignedIn, password_id: Id) -> AppPasswordOut:
    async with ports_of(request).read() as work:
        passwords = await work.tokens.app_passwords(caller.user.id)
    found = [password for password in passwords if password.id == uuid_text(password_id)]
    if not found:
        raise NotFound("There is no such app password.")
    return _password_out(found[0])


@delete("/me/app-passwords/{password_id:uuid}", responses=problems(401, 403, 404), summary="Revoke an app password")
async def delete_app_password(request: Request[Any, Any, Any], caller: SignedIn, password_id: Id) -> None:
    await manage_tokens.delete_app_password(ports_of(request), caller.user, uuid_text(password_id))


@get("/dead-letters", responses=problems(401, 403), summary="What could not be delivered")
async def list_dead_letters(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> DeadLetters:
    _need_owner(caller)
    after_id: str | None = decode_cursor(cursor, "id")[0] if cursor is not None else None
    async with ports_of(request).read() as work:
        found = await work.outbox.dead(caller.user.org_id, limit + 1, after_id)
    more = len(found) > limit
    return DeadLetters(
        [_dead_letter_out(letter) for letter in found[:limit]], encode_cursor(found[limit - 1].id) if more else None
    )


def _dead_letter_out(letter: DeadLetter) -> DeadLetterOut:
    return DeadLetterOut(
        letter.id,
        letter.kind,
        letter.lane,
        letter.subject_id,
        letter.attempts,
        letter.error,
        rfc3339(letter.updated_at),
    )


@post("/dead-letters/{job_id:uuid}/retry", status_code=204, responses=problems(401, 403, 404), summary="Try again")
async def retry_dead_letter(request: Request[Any, Any, Any], caller: SignedIn, job_id: Id) -> None:
    _need_owner(caller)
    ports = ports_of(request)
    async with ports.unit_of_work() as work:
        if not await work.outbox.retry(caller.user.org_id, uuid_text(job_id), ports.clock()):
            raise NotFound("There is no such dead letter.")
        await work.commit()


def _need_owner(caller: Caller) -> None:
    if not {"owner", "admin"} & set(caller.user.roles):
        raise Forbidden("Only owners and admins see what could not be delivered.")


router = Router(
    "/",
    route_handlers=[
        me,
        my_schedule,
        list_app_passwords,
        create_app_password,
        show_app_password,
        delete_app_password,
        list_dead_letters,
        retry_dead_letter,
    ],
    tags=["me"],
)

"""`/me/feeds`: the secret addresses at which calendar programs read bookings."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain.cursors import cut
from app.domain.errors import NotFound
from app.domain.feeds import MAX_ALARM_MINUTES, MAX_ALARMS, MAX_DAYS, PAST_DAYS, FeedOptions
from app.ports.tokens import Feed
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_tokens
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    LISTING,
    MAKING,
    READING,
    Cursor,
    Id,
    In,
    Limit,
    Line,
    SignedIn,
    Unset,
    given,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import rfc3339

PastDays = Annotated[int, Meta(ge=0, le=MAX_DAYS)]
FutureDays = Annotated[int, Meta(ge=1, le=MAX_DAYS)]
Alarms = Annotated[list[Annotated[int, Meta(ge=0, le=MAX_ALARM_MINUTES)]], Meta(max_length=MAX_ALARMS)]


class FeedIn(In):
    """A feed to make. `subject_id` names the link, service or resource that it is of. It reaches `past_days` back and
    `future_days` ahead (null: to the last booking); `alarms` are minutes before the start (null: as the calendar does).
    """

    kind: Literal["schedule", "busy", "link", "service", "resource", "organization"] = "schedule"
    label: Line = ""
    subject_id: UUID | None = None
    past_days: PastDays = PAST_DAYS
    future_days: FutureDays | None = None
    alarms: Alarms | None = None


class FeedPatch(In):
    """Any subset of what can be chosen again; an empty `label` is the one it had from the start."""

    label: Line | Unset = UNSET
    past_days: PastDays | Unset = UNSET
    future_days: FutureDays | Unset | None = UNSET
    alarms: Alarms | Unset | None = UNSET


class FeedOut(msgspec.Struct):
    """A feed; `url` is the secret address."""

    id: str
    kind: str
    label: str
    url: str
    subject_id: str | None
    past_days: int
    future_days: int | None
    alarms: list[int] | None
    created_at: str


class Feeds(msgspec.Struct):
    """The caller's feeds."""

    items: list[FeedOut]
    next_cursor: str | None


FEEDS = (
    "Of one's own bookings (`schedule`, or `busy` without details), or of all bookings of a link, a service or a "
    "resource (for admins, and for those whose link it is or who host one of its links; of a service or a resource, "
    "what came through those links or is theirs to host), or of the whole organization (for admins)."
)


@get("/me/feeds", responses=problems(*LISTING), summary="List feeds")
async def list_feeds(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Feeds:
    async with ports_of(request).read() as work:
        feeds = await work.tokens.feeds(caller.user.id)
    page, next_cursor = cut(feeds, lambda feed: feed.id, limit, cursor)
    return Feeds([_feed_out(request, feed) for feed in page], next_cursor)


@post("/me/feeds", responses=problems(*MAKING, 422), summary="Make a feed", description=FEEDS)
async def create_feed(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[FeedIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[FeedOut]:
    def act(replay: Replay[Feed] | None) -> Awaitable[Feed]:
        subject_id = None if data.subject_id is None else uuid_text(data.subject_id)
        options = FeedOptions.checked(data.past_days, data.future_days, data.alarms)
        return manage_tokens.create_feed(
            ports_of(request), caller.user, data.kind, data.label, replay, subject_id=subject_id, options=options
        )

    async def show(_: UnitOfWork, made: Feed) -> FeedOut:
        return _feed_out(request, made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


def _feed_out(request: Request[Any, Any, Any], feed: Feed) -> FeedOut:
    address = manage_tokens.feed_address(ports_of(request), feed)
    options = feed.options
    return FeedOut(
        id=feed.id,
        kind=feed.kind,
        label=feed.label,
        url=address,
        subject_id=feed.subject_id,
        past_days=options.past_days,
        future_days=options.future_days,
        alarms=None if options.alarms is None else list(options.alarms),
        created_at=rfc3339(feed.created_at),
    )


@get("/me/feeds/{feed_id:uuid}", responses=problems(*READING), summary="Show a feed")
async def show_feed(request: Request[Any, Any, Any], caller: SignedIn, feed_id: Id) -> FeedOut:
    async with ports_of(request).read() as work:
        found = [feed for feed in await work.tokens.feeds(caller.user.id) if feed.id == uuid_text(feed_id)]
    if not found:
        raise NotFound("There is no such feed.")
    return _feed_out(request, found[0])


@patch(
    "/me/feeds/{feed_id:uuid}",
    responses=problems(401, 403, 404, 413),
    summary="Change a feed",
    description="It keeps its address. What it is of stays.",
)
async def patch_feed(
    request: Request[Any, Any, Any], caller: SignedIn, feed_id: Id, data: JSONBody[FeedPatch]
) -> FeedOut:
    sent = given(data)
    label = sent.pop("label", None)

    def change(options: FeedOptions) -> FeedOptions:
        kept = {name: getattr(options, name) for name in ("past_days", "future_days", "alarms")}
        return FeedOptions.checked(**kept | sent)

    feed = await manage_tokens.change_feed(ports_of(request), caller.user, uuid_text(feed_id), change, label)
    return _feed_out(request, feed)


@delete("/me/feeds/{feed_id:uuid}", responses=problems(401, 403, 404), summary="Revoke a feed")
async def delete_feed(request: Request[Any, Any, Any], caller: SignedIn, feed_id: Id) -> None:
    await manage_tokens.delete_feed(ports_of(request), caller.user, uuid_text(feed_id))


router = Router("/", route_handlers=[list_feeds, create_feed, show_feed, patch_feed, delete_feed], tags=["me"])

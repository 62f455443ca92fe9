"""`/me/notifications` and what one wants to be told."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post, put
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from app.domain import notification_settings as domain
from app.domain.text_rules import END
from app.ports.telling import Notification
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.idempotency import Replay
from app.use_cases.read_notifications import mark_read, notifications_of
from app.web.api.fields import (
    LISTING,
    Cursor,
    IfMatch,
    In,
    Limit,
    Phone,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import optional_rfc3339, rfc3339

Clock = Annotated[str, Meta(pattern=rf"^([01][0-9]|2[0-3]):[0-5][0-9]{END}")]
Way = Literal["mail", "text", "whatsapp", "push", "in_app"]
Ways = Annotated[list[Way], Meta(max_length=len(domain.WAYS))]
OnlyUnread = Annotated[bool, QueryParameter(description="Just those that are not read yet.")]
MOST_READ = 200


class Channels(In):
    """By which ways one is told of each kind of news."""

    new: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["new"]))
    confirmed: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["confirmed"]))
    changed: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["changed"]))
    cancelled: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["cancelled"]))
    reminder: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["reminder"]))
    digest: Ways = msgspec.field(default_factory=lambda: list(domain.DEFAULT_WAYS["digest"]))


class SettingsIn(In):
    """All of one's choices: what is left out is as if nothing was chosen. Quiet hours and `digest_at` are wall times of
    one's own zone; a daily digest tells of the next day, a weekly one comes on Sundays and tells of the week."""

    phone: Phone | None = None
    channels: Channels = msgspec.field(default_factory=Channels)
    quiet_from: Clock | None = None
    quiet_to: Clock | None = None
    digest: Literal["off", "daily", "weekly"] = "off"
    digest_at: Clock = "07:00"


class SettingsOut(msgspec.Struct):
    """One's choices."""

    phone: str | None
    channels: Channels
    quiet_from: str | None
    quiet_to: str | None
    digest: str
    digest_at: str
    version: int


class NotificationOut(msgspec.Struct):
    """What became of a booking. One that is somebody else's by now has an empty `recipient` and no `start`."""

    id: str
    kind: str
    booking_id: str
    title: str
    recipient: str
    start: str | None
    created_at: str
    read_at: str | None


class Notifications(msgspec.Struct):
    """A page of them, newest first."""

    items: list[NotificationOut]
    next_cursor: str | None


class ReadIn(In):
    """Which were read; null: all."""

    ids: Annotated[list[UUID], Meta(max_length=MOST_READ)] | None = None


class Unread(msgspec.Struct):
    """How many are left unread; `unread` is 100 when there are more."""

    unread: int


def settings_values(sent: SettingsIn) -> Mapping[str, Any]:
    """The fields of `NotificationSettings`."""
    values = {name: getattr(sent, name) for name in SettingsIn.__struct_fields__ if name != "channels"}
    ways = {kind: tuple(dict.fromkeys(getattr(sent.channels, kind))) for kind in domain.KINDS}
    return {**values, "ways": ways}


def _settings_out(settings: domain.NotificationSettings) -> SettingsOut:
    plain = {name: getattr(settings, name) for name in SettingsOut.__struct_fields__ if name != "channels"}
    channels = Channels(**{kind: list(settings.ways_for(kind)) for kind in domain.KINDS})
    return SettingsOut(**plain, channels=channels)


def _out(line: Notification) -> NotificationOut:
    return NotificationOut(
        line.id,
        line.kind,
        line.booking_id,
        line.title,
        line.recipient,
        optional_rfc3339(line.start),
        rfc3339(line.created_at),
        optional_rfc3339(line.read_at),
    )


@get("/me/notification-settings", responses=problems(*LISTING), summary="What one is told, and how")
async def show_settings(request: Request[Any, Any, Any], caller: SignedIn) -> Response[SettingsOut]:
    async with ports_of(request).read() as work:
        settings = await work.telling.settings(caller.user.id, caller.user.org_id)
    return with_etag(_settings_out(settings), settings.version)


@put("/me/notification-settings", responses=problems(401, 403, 412, 413), summary="Choose what one is told")
async def put_settings(
    request: Request[Any, Any, Any], caller: SignedIn, data: JSONBody[SettingsIn], if_match: IfMatch = None
) -> Response[SettingsOut]:
    version = version_of(if_match)
    settings = await choose_notifications(ports_of(request), caller.user, settings_values(data), version)
    return with_etag(_settings_out(settings), settings.version)


@get("/me/notifications", responses=problems(*LISTING), summary="What became of one's bookings")
async def list_notifications(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    unread: OnlyUnread = False,
) -> Notifications:
    async with ports_of(request).read() as work:
        page = await notifications_of(work, caller.user, limit, cursor, unread=unread)
    return Notifications([_out(line) for line in page.items], page.cursor)


@post("/me/notifications", status_code=200, responses=problems(401, 403, 413, 422), summary="Mark as read, some or all")
async def read_notifications(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[ReadIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[Unread]:
    ids = None if data.ids is None else [uuid_text(each) for each in data.ids]

    def act(replay: Replay[int] | None) -> Awaitable[int]:
        return mark_read(ports_of(request), caller.user, ids, replay)

    async def show(_: UnitOfWork, left: int) -> Unread:
        return Unread(left)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key, 200)


router = Router("/", route_handlers=[show_settings, put_settings, list_notifications, read_notifications], tags=["me"])

"""`/app/notifications`: what became of one's bookings; and `/app/settings/notifications`: what one is told, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post

from app.domain.errors import HalfpastError, Invalid, StaleVersion
from app.domain.notification_settings import KINDS, WAYS, NoticeKind, NotificationSettings
from app.domain.text_rules import END
from app.ports.telling import Notification
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.read_notifications import MOST_COUNTED, mark_read, notifications_of
from app.web.api.fields import Phone
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

PAGE = 50
NEWS: Mapping[str, str] = {
    "new": "New booking",
    "confirmed": "Confirmed",
    "changed": "Changed",
    "cancelled": "Cancelled",
    "reminder": "Reminder",
}
KIND_WORDS: Mapping[NoticeKind, str] = {
    "new": "New bookings and requests",
    "confirmed": "Requests that are confirmed",
    "changed": "Changes",
    "cancelled": "Cancellations",
    "reminder": "Reminders",
}
WAY_WORDS: Mapping[str, str] = {
    "mail": "Mail",
    "text": "SMS",
    "whatsapp": "WhatsApp",
    "push": "Push",
    "in_app": "Here",
}
DIGESTS = (("off", "None"), ("daily", "Each day, of the next day"), ("weekly", "On Sundays, of the week"))
_CLOCK = rf"^([01][0-9]|2[0-3]):[0-5][0-9]{END}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    path: str
    news: str
    who: str
    what: str
    when: str
    told: str
    is_unread: bool


@get("/notifications")
async def notifications_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """Newest first."""
    user, wording = caller.user, wording_of(request)
    is_unread_only = request.query_params.get("unread") == "yes"
    async with ports_of(request).read() as work:
        cursor = request.query_params.get("cursor")
        found = await notifications_of(work, user, PAGE, cursor, unread=is_unread_only)
        unread = await work.telling.unread_count(user.id, MOST_COUNTED)
    return app_page(
        request,
        caller,
        "notifications",
        rows=[_row(line, user.timezone, wording) for line in found.items],
        unread=f"{unread}+" if unread == MOST_COUNTED else str(unread),
        is_unread_only=is_unread_only,
        cursor=found.cursor,
    )


def _row(line: Notification, zone: str, wording: Wording) -> Row:
    return Row(
        f"/app/bookings/{line.booking_id}",
        NEWS.get(line.kind, line.kind),
        line.recipient,
        line.title,
        "" if line.start is None else wording.moment(line.start, zone),
        wording.moment(line.created_at, zone),
        line.read_at is None,
    )


@post("/notifications")
async def read_all(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Mark all as read."""
    await mark_read(ports_of(request), caller.user, None)
    return done("/app/notifications", "read")


@get("/settings/notifications")
async def choices_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form."""
    async with ports_of(request).read() as work:
        settings = await work.telling.settings(caller.user.id, caller.user.org_id)
    return _choices(request, caller, _form(settings))


def _choices(
    request: Request[Any, Any, Any], caller: Caller, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    return app_page(
        request,
        caller,
        "notification_settings",
        refusal=refusal,
        form=form,
        kinds=KIND_WORDS.items(),
        ways=WAY_WORDS.items(),
        digests=DIGESTS,
        zone=caller.user.timezone,
        is_stale=isinstance(refusal, StaleVersion),
    )


def _form(settings: NotificationSettings) -> Form:
    plain = ("phone", "quiet_from", "quiet_to", "digest", "digest_at", "version")
    values: dict[str, Any] = {name: getattr(settings, name) for name in plain}
    return Form.of({**values, **{f"ways.{kind}": settings.ways_for(kind) for kind in KIND_WORDS}})


@post("/settings/notifications")
async def save_choices(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Keep all of them."""
    form = await Form.posted(request)
    try:
        values = _read(form)
        form.finish()
        await choose_notifications(ports_of(request), caller.user, values, form.version)
    except (Invalid, StaleVersion) as refusal:
        form.refuse(refusal)
        return _choices(request, caller, form, refusal)
    return done("/app/settings/notifications")


def _read(form: Form) -> dict[str, Any]:
    ways: dict[str, tuple[str, ...]] = {
        kind: tuple(way for way in WAYS if way in form.all(f"ways.{kind}")) for kind in KIND_WORDS
    }
    typed = form.get("phone")
    if typed:
        form.checked("phone", typed, Phone, "Write the number with its country code, such as +49 30 123456.")
    return {
        "phone": typed or None,
        "ways": {kind: ways.get(kind, ("mail",)) for kind in KINDS},
        "quiet_from": form.optional("quiet_from", _CLOCK, "Please enter a time such as 22:00."),
        "quiet_to": form.optional("quiet_to", _CLOCK, "Please enter a time such as 07:00."),
        "digest": form.one_of("digest", [value for value, _ in DIGESTS], "Please choose one of them."),
        "digest_at": form.optional("digest_at", _CLOCK, "Please enter a time such as 18:00.") or "07:00",
    }


routes: Sequence[Any] = (notifications_page, read_all, choices_page, save_choices)

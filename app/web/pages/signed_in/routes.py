"""The signed-in pages together. Everything in the router needs a session; what does not stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.domain.errors import Unauthenticated
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.rendering import see_other
from app.web.pages.signed_in import (
    analytics,
    assistants,
    audit,
    availability,
    book,
    bookings,
    bookings_list,
    clients,
    connections,
    day,
    edits,
    entry,
    explain,
    feed_form,
    invited,
    kept,
    link_owner,
    links,
    mail,
    notifications,
    one_time,
    organization_calendars,
    password,
    people,
    person,
    personal_data,
    phone,
    phone_set_up,
    resources,
    services,
    settings,
    slots,
    templates,
)
from app.web.pages.signed_in.frame import Member, home_of, refused, require_member, to_sign_in
from app.web.sessions import guarded_caller


@get("/")
async def app_home(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:  # noqa: ARG001
    """Where the day begins."""
    return see_other(home_of(caller.user))


_router = Router(
    "/app",
    route_handlers=[
        app_home,
        entry.sign_out,
        *day.routes,
        *book.routes,
        *bookings_list.routes,
        *bookings.routes,
        *clients.routes,
        *edits.routes,
        *kept.routes,
        *links.routes,
        *link_owner.routes,
        *explain.routes,
        *one_time.routes,
        *availability.routes,
        *templates.routes,
        *connections.routes,
        *phone.routes,
        *feed_form.routes,
        *services.routes,
        *slots.routes,
        *resources.routes,
        *people.routes,
        *person.routes,
        *organization_calendars.routes,
        *settings.routes,
        *notifications.routes,
        *personal_data.routes,
        *audit.routes,
        *analytics.routes,
        *assistants.routes,
        *mail.routes,
    ],
    guards=[require_member],
    dependencies={"caller": Provide(guarded_caller, sync_to_thread=False)},
    exception_handlers={Unauthenticated: to_sign_in, Exception: refused},
    include_in_schema=False,
    opt=SKIP_COMPRESSION,
)

app_routes: Sequence[ControllerRouterHandler] = (
    entry.home,
    entry.enter,
    entry.set_up,
    *password.routes,
    *invited.routes,
    *phone_set_up.routes,
    _router,
)

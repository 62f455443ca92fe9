"""Which addresses there are, and what every request and answer goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Litestar, Request, Response, Router, asgi
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.handlers import ASGIRouteHandler, HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import ControllerRouterHandler, Method, Receive, Scope, Send

from app.web import health, hooks
from app.web.api import (
    analytics,
    audit,
    blocked_recipients,
    booking_steps,
    bookings,
    calendar_accounts,
    calendar_sign_in,
    clients,
    confirmations,
    contacts,
    employees,
    explain,
    feeds,
    kept_edits,
    link_owners,
    links,
    me,
    notifications,
    one_time_links,
    organization,
    personal_data,
    public,
    resources,
    schedules,
    service_search,
    service_staff,
    services,
    slots,
    templates,
)
from app.web.api.docs import PlainDocs
from app.web.api.document import Document
from app.web.api.strict import StrictJson, refuse_unknown
from app.web.head import answering_head
from app.web.headers import default_headers
from app.web.origin import noting_origin
from app.web.pages.errors import page_or_problem
from app.web.pages.routes import page_routes
from app.web.problem import problem_response
from app.web.sessions import cookie_of, guarded_caller, require_caller

MAX_BODY = 2 * 1024 * 1024
PUBLISHED = {"/dav": "caldav", "/feeds": "feeds"}
"""What we publish, and by which name the state has it."""
# ETags stand for the octets that were stored: nobody may compress these answers on the way (feeds do it themselves).
OPTIONS = {"skip_compression": True}


def routes(base_url: str, trusted_proxies: Sequence[str], lifespan: Callable[[Litestar], Any]) -> Litestar:
    """The application with nothing behind its addresses: that is its state, which `lifespan` looks after."""
    app = Litestar(
        route_handlers=[_api(), *page_routes, health.live, health.ready, *_published(), hooks.router],
        lifespan=[lifespan],
        exception_handlers={Exception: _refuse},
        openapi_config=_openapi(base_url),
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, exclude_opt_key="skip_compression"),
        before_send=[default_headers(https=base_url.startswith("https:"))],
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )
    handler = noting_origin(app.asgi_handler, trusted_proxies)
    app.asgi_handler = answering_head(handler)  # the router refuses methods before it asks any middleware
    return app


def _published() -> list[ASGIRouteHandler]:
    return [_mount(path, name) for path, name in PUBLISHED.items()]


def _mount(path: str, name: str) -> ASGIRouteHandler:
    @asgi(path, is_mount=True, copy_scope=True, opt=OPTIONS)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await scope["litestar_app"].state[name](scope, receive, send)

    return mounted


def _api() -> Router:
    modules = (
        analytics,
        audit,
        links,
        link_owners,
        one_time_links,
        explain,
        templates,
        bookings,
        booking_steps,
        clients,
        blocked_recipients,
        confirmations,
        service_search,
        services,
        service_staff,
        slots,
        employees,
        resources,
        schedules,
        me,
        notifications,
        feeds,
        kept_edits,
        organization,
        personal_data,
        calendar_accounts,
        calendar_sign_in,
        contacts,
    )
    signed_in = Router(
        "/",
        route_handlers=[module.router for module in modules],
        guards=[require_caller],
        dependencies={"caller": Provide(guarded_caller, sync_to_thread=False)},
        security=[{"bearer": []}, {"session": []}],
    )
    handlers: list[ControllerRouterHandler] = [signed_in, calendar_sign_in.returning, public.reading, public.acting]
    return Router("/api/v1", route_handlers=handlers, before_request=refuse_unknown, dto=StrictJson, return_dto=None)


def _refuse(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if request.url.path.startswith("/api/"):
        return problem_response(request, error)
    return page_or_problem(request, error)


def _openapi(base_url: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Halfpast",
        version="1",
        description="Scheduling links that book into the calendars people already have.",
        path="/schema",
        servers=[Server(url=base_url)],
        render_plugins=[PlainDocs(), Document()],
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "session": SecurityScheme(type="apiKey", name=cookie_of(base_url), security_scheme_in="cookie"),
            }
        ),
    )


def _operation_id(handler: HTTPRouteHandler, _: Method, path: list[Any]) -> str:
    prefixes = [f"{name}_" for name in ("public", *calendar_sign_in.PROVIDERS) if name in path]
    return "".join(prefixes) + handler.handler_name

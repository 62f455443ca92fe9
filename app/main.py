"""Builds the Litestar application and mounts what we publish."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Request, Response, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.types import ControllerRouterHandler, Method

from app import wiring
from app.background import run_background
from app.config import Settings
from app.published import caldav, published
from app.use_cases.note_views import ViewBuffer
from app.web import health, hooks
from app.web.api import (
    analytics,
    audit,
    blocked_recipients,
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
    services,
    slots,
    templates,
)
from app.web.api.availability import Answers
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

log = structlog.get_logger()

MAX_BODY = 2 * 1024 * 1024


def create_app(
    settings: Settings,
    *,
    workers: int = 1,
    with_worker: bool = True,
    clock: Callable[[], int] = wiring.system_clock,
) -> Litestar:
    """The program as an ASGI application; `workers` is how many processes share the rate limits."""
    parts = wiring.wire(settings, workers, clock)
    views = ViewBuffer(parts.ports.unit_of_work)
    state = State(
        {
            "views": views,
            "ports": parts.ports,
            "limits": parts.limits,
            "answers": Answers(),
            "trusted_proxies": settings.trusted_proxies,
            "mail_folder": parts.mail_folder,
            "caldav": caldav(parts),
        }
    )
    app = Litestar(
        route_handlers=[_api(), *page_routes, health.live, health.ready, *published(parts), hooks.router],
        lifespan=[_lifespan(parts, views, with_worker)],
        state=state,
        exception_handlers={Exception: _refuse},
        openapi_config=_openapi(settings),
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, exclude_opt_key="skip_compression"),
        before_send=[default_headers(https=settings.is_https)],
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )
    handler = noting_origin(app.asgi_handler, settings.trusted_proxies)
    app.asgi_handler = answering_head(handler)  # the router refuses methods before it asks any middleware
    return app


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
        clients,
        blocked_recipients,
        confirmations,
        service_search,
        services,
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


def _openapi(settings: Settings) -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Halfpast",
        version="1",
        description="Scheduling links that book into the calendars people already have.",
        path="/schema",
        servers=[Server(url=settings.base_url)],
        render_plugins=[PlainDocs(), Document()],
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer"),
                "session": SecurityScheme(
                    type="apiKey", name=cookie_of(settings.base_url), security_scheme_in="cookie"
                ),
            }
        ),
    )


def _operation_id(handler: HTTPRouteHandler, _: Method, path: list[Any]) -> str:
    prefixes = [f"{name}_" for name in ("public", *calendar_sign_in.PROVIDERS) if name in path]
    return "".join(prefixes) + handler.handler_name


def _lifespan(parts: wiring.Parts, views: ViewBuffer, with_worker: bool) -> Any:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(views.run(stop))]
        if with_worker:
            tasks.append(asyncio.create_task(run_background(parts, stop)))
        # What is there by now stays: collections need not look at it again and again.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            await parts.close()

    return lifespan

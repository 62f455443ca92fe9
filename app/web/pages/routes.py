"""All pages, for the application to serve."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from app.web.pages import booking, guest, manage, unsubscribe
from app.web.pages.assets import favicon, robots, static_file
from app.web.pages.signed_in.routes import app_routes

public_routes: Sequence[ControllerRouterHandler] = (
    booking.evergreen_page,
    booking.evergreen_book,
    booking.one_time_page,
    booking.one_time_book,
    manage.router,
    guest.guest_page,
    unsubscribe.unsubscribe_page,
    unsubscribe.unsubscribe_now,
    static_file,
    favicon,
    robots,
)
"""What needs no account."""

page_routes: Sequence[ControllerRouterHandler] = (*public_routes, *app_routes)
"""Every page of the program."""

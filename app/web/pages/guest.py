"""The guests' page of a booking, `/booking/view/{signed}`: to look at, by the signed address in their mail.

It shows when, where and with whom; what the recipient told the host, and every way to change something, stay out.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.domain.bookings import Booking
from app.ports import Ports
from app.use_cases.view_booking import viewed_booking
from app.web.limits import LimitByAddress
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.booking import wording_of
from app.web.pages.manage_views import Standing, booking_view, standing_of
from app.web.pages.rendering import page


@get(
    "/booking/view/{signed:str}",
    guards=[LimitByAddress("public")],
    include_in_schema=False,
    opt=SKIP_COMPRESSION,
)
async def guest_page(request: Request[Any, Any, Any], signed: FromPath[str]) -> Response[bytes]:
    """The booking as its guests may see it."""
    ports: Ports = request.app.state.ports
    booking = await viewed_booking(ports, signed)
    view = await booking_view(ports, booking, wording_of(request))
    return page(request, "manage/guest.html", privacy="secret", view=view, standing=_standing(booking, ports.clock()))


def _standing(booking: Booking, now: int) -> Standing:
    """The state in words for somebody invited."""
    if booking.status == "pending":
        return Standing("Not confirmed yet", "You will get an invitation as soon as it is.", "clock", "wait")
    if booking.status == "confirmed" and booking.end > now:
        return Standing("You are invited", "", "check", "ok")
    return standing_of(booking, now)

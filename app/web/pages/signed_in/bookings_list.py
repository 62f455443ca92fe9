"""`/app/bookings`: what is coming, what was, and confirming several at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from litestar import Request, Response, get, post

from app.domain.bookings import BookingStatus
from app.domain.errors import Conflict, HalfpastError, NotFound
from app.domain.stays import LONGEST_CLAIM
from app.ports.bookings import BookingFilter
from app.use_cases.confirm_bookings import MOST as MOST_CONFIRMED
from app.use_cases.confirm_bookings import confirm_bookings
from app.web.pages.rendering import see_other
from app.web.pages.signed_in.booking_filters import choices, narrowed
from app.web.pages.signed_in.booking_views import day_rows
from app.web.pages.signed_in.edits import edit_rows
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, ports_of, wording_of
from app.web.pages.signed_in.kept import kept_rows
from app.web.sessions import Caller

PAGE = 50
LONGEST = LONGEST_CLAIM * 60  # what began earlier is over
_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPEN: tuple[BookingStatus, ...] = ("pending", "confirmed", "in_progress")
PAST: tuple[BookingStatus, ...] = ("confirmed", "in_progress", "completed", "no_show")


@dataclass(frozen=True, slots=True)
class Listing:
    """One of the lists: its address, its name, what is in it and what it says when nothing is."""

    name: str
    label: str
    where: BookingFilter
    empty: str
    quiet: frozenset[str] = frozenset()


def _listings(caller: Caller, now: int) -> tuple[Listing, ...]:
    """All lists, the one shown first at the front."""
    all_of = BookingFilter(caller.user.org_id, caller.scope)
    return (
        Listing(
            "upcoming",
            "Upcoming",
            replace(all_of, status=OPEN, start=now - LONGEST, ends_after=now),
            "No bookings ahead",
            frozenset({"confirmed"}),
        ),
        Listing(
            "pending",
            "To approve",
            replace(all_of, status=("pending",), start=now - LONGEST, ends_after=now),
            "Nothing to approve",
        ),
        Listing(
            "past",
            "Past",
            replace(all_of, status=PAST, end=now, ended_by=now, newest_first=True),
            "No past bookings",
            frozenset({"completed", "confirmed"}),
        ),
        Listing(
            "cancelled",
            "Cancelled",
            replace(all_of, status=("cancelled",), newest_first=True),
            "No cancelled bookings",
        ),
    )


@get("/bookings")
async def bookings_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """A list by local day; `view` names it, or what it is narrowed to; `cursor` goes on."""
    return await _list_page(request, caller)


async def _list_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    view: str = "",
    refused: Sequence[Refused] = (),
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    ports, wording = ports_of(request), wording_of(request)
    now = ports.clock()
    listings = _listings(caller, now)
    wanted, narrow = view or request.query_params.get("view", ""), narrowed(request, caller)
    listing = next((each for each in listings if each.name == wanted), listings[0])
    if narrow.is_asked:
        listing = Listing(
            "found", "Found", narrow.where or listings[0].where, "Nothing found", frozenset({"confirmed"})
        )
    async with ports.read() as work:
        found = await work.bookings.page(listing.where, PAGE, request.query_params.get("cursor"))
        pending = await work.bookings.page(listings[1].where, PAGE, None)
        edits = await edit_rows(work, caller.user, wording)
        kept = await kept_rows(work, caller.user, wording)
        choice = await choices(work, caller)
        conflicting = await work.bookings.conflicting([booking.id for booking in found.items])
    return app_page(
        request,
        caller,
        "bookings",
        refusal=refusal,
        refused=refused,
        narrow=narrow,
        choices=choice,
        edits=edits,
        kept=kept,
        listings=listings,
        listing=listing,
        days=day_rows(found.items, caller.user, wording, now, quiet=listing.quiet, conflicting=conflicting),
        pending=len(pending.items),
        cursor=found.cursor,
        is_continued="cursor" in request.query_params,
        zone=caller.user.timezone,
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """A booking that could not be confirmed, and why."""

    name: str
    why: str


@post("/bookings/confirm")
async def confirm_chosen(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Confirm those that are ticked; each by itself, and what could not be confirmed is told."""
    form = await Form.posted(request)
    ids = [each for each in form.all("ids") if _IS_ID.fullmatch(each)][:MOST_CONFIRMED]
    found = await confirm_bookings(ports_of(request), caller.user, ids)
    wrong = [each for each in found if each.refusal is not None]
    if not wrong:
        return see_other(f"/app/bookings?view=pending&did={'confirmed-all' if found else 'none-chosen'}")
    refused = []
    async with ports_of(request).read() as work:
        for each in wrong:
            booking = await work.bookings.get(each.id) if not isinstance(each.refusal, NotFound) else None
            why = each.refusal.detail if each.refusal else ""
            refused.append(Refused(booking.recipient.name if booking else "A booking", why))
    return await _list_page(request, caller, "pending", refused, Conflict("Some could not be confirmed."))


routes: Sequence[Any] = (bookings_page, confirm_chosen)

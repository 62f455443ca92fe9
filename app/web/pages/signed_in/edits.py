"""What the member did to bookings' events in their own calendar and is asked about: shown above the bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.params import FromPath

from app.domain.bookings import Booking
from app.domain.errors import NotFound
from app.ports.calendar_edits import CalendarEdit
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.follow_edit import answer_edit
from app.use_cases.offered_hosts import hands_back
from app.web.pages.faces import when_of
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, done, ports_of
from app.web.pages.wording import Wording

PUT_BACK = "Put the event back"


@dataclass(frozen=True, slots=True)
class EditRow:
    """One edit: which booking, what was done, and the addresses of the two answers."""

    address: str
    what: str
    question: str
    answer_path: str
    accept: str
    decline: str


async def edit_rows(work: UnitOfWork, user: User, wording: Wording) -> list[EditRow]:
    """The edits this user is asked about, in the order they were noticed in."""
    asked = [edit for edit in await work.calendar_edits.of_user(user.id) if edit.is_asked]
    rows = []
    for edit in asked:
        booking = await work.bookings.get(edit.booking_id)
        if booking is not None:
            calendar = await work.calendars.calendar(edit.calendar_id)
            is_own = calendar is not None and calendar.is_schedule
            hands_back = is_own and await _is_handed_back(work, booking)
            rows.append(_row(edit, booking, user, wording, is_own=is_own, hands_back=hands_back))
    return rows


async def _is_handed_back(work: UnitOfWork, booking: Booking) -> bool:
    """Whether the deletion means that another host is to take the booking."""
    return await hands_back(work, booking)


def _row(
    edit: CalendarEdit, booking: Booking, user: User, wording: Wording, *, is_own: bool, hands_back: bool
) -> EditRow:
    now = when_of(booking.start, booking.end, user.timezone, wording)
    what = f"{booking.title}: {booking.recipient.name}, {now.day}, {now.span}"
    if edit.kind == "moved" and edit.start is not None and edit.end is not None:
        then = when_of(edit.start, edit.end, user.timezone, wording)
        question, accept = f"Moved in your calendar to {then.day}, {then.span}.", "Move the booking"
        decline = "Leave it where it is" if is_own else PUT_BACK
    else:
        accept = "Hand the booking on" if hands_back else "Cancel the booking"
        question, decline = "Deleted in your calendar.", PUT_BACK
    path = f"/app/edits/{edit.booking_id}/{edit.calendar_id}"
    return EditRow(f"/app/bookings/{booking.id}", what, question, path, accept, decline)


@post("/edits/{booking_id:uuid}/{calendar_id:uuid}")
async def answer(
    request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID], calendar_id: FromPath[UUID]
) -> Response[Any]:
    """The booking follows, or its event is put back."""
    wanted = (await Form.posted(request)).get("answer")
    if wanted not in {"accept", "put-back"}:
        raise NotFound("There is nothing at this address.")
    accept = wanted == "accept"
    await answer_edit(ports_of(request), caller.user.id, str(booking_id), str(calendar_id), accept=accept)
    return done("/app/bookings", "followed" if accept else "put-back")


routes: Sequence[Any] = (answer,)

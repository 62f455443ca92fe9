"""The form by which staff book for a client: from what was typed to what the use case takes. Pure."""

from __future__ import annotations

from uuid import UUID

from app.domain.bookings import Recipient
from app.domain.clients import Client
from app.domain.errors import FieldError
from app.domain.repeats import LEAST_TIMES, MOST_TIMES, MOST_WEEKS, Repeat
from app.ports.people import User
from app.use_cases.book_for_client import ClientBooking
from app.use_cases.book_slot import BookingRequest
from app.web.api.fields import Duration, Email, LongText, Phone, RequiredLine
from app.web.pages.booking_form import new_key, read_guests
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.wall_time import read_local

LINK, SERVICE = "link:", "service:"


def blank_booking(client: Client | None, *, start: str, offer: str) -> Form:
    """An empty form, with the client it was opened for."""
    values: dict[str, str | None] = {"key": new_key(), "start": start, "offer": offer, "duration": "30"}
    if client is not None:
        values |= {"name": client.name, "email": client.email, "phone": client.phone}
    return Form.of(values)


def read_booking(form: Form, user: User) -> ClientBooking:
    """What was asked for; `Invalid` with everything that is wrong. The time is one of the user's zone."""
    start = read_local(form, "start", user.timezone, "Please enter day and time.")
    email = form.get("email").lower()
    if email:
        form.checked("email", email, Email, "Please enter an e-mail address such as name@example.com, or nothing.")
    phone = form.get("phone") or None
    if phone:
        form.checked("phone", phone, Phone, "Please enter a phone number with digits, such as +49 30 1234567.")
    name = form.text("name", RequiredLine, "Please enter a name, on one line.")
    notes = form.text("notes", LongText, "Please keep the note below 5000 characters.")
    request = BookingRequest(
        start=start,
        duration=form.number("duration", Duration, "Please enter 1 to 1440 minutes."),
        timezone=user.timezone,
        recipient=Recipient(name, email, phone),
        guests=_guests(form),
        notes=notes or None,
        host_id=_id(form, "host", form.get("host")),
        repeat=_repeat(form),
    )
    offer = form.get("offer")
    link = _id(form, "offer", offer.removeprefix(LINK)) if offer.startswith(LINK) else None
    service = _id(form, "offer", offer.removeprefix(SERVICE)) if offer.startswith(SERVICE) else None
    if link is None and service is None:
        form.fail("offer", "Please choose what is booked.")
    form.finish()
    return ClientBooking(request, link, service, form.flag("override"))


def _id(form: Form, name: str, text: str) -> str | None:
    if text:
        form.checked(name, text, UUID, "Please choose one of the list.")
    return text or None


def _guests(form: Form) -> tuple[str, ...]:
    errors: list[FieldError] = []
    guests = read_guests(errors, form.get("guests"))
    for wrong in errors:
        form.fail(wrong.field, wrong.message)
    return guests


def _repeat(form: Form) -> Repeat | None:
    if not form.get("times"):
        return None
    message = f"Please enter {LEAST_TIMES} to {MOST_TIMES}, or nothing."
    times = form.optional_number("times", int, message) or 0
    weeks = form.optional_number("every_weeks", int, f"Please enter 1 to {MOST_WEEKS}.") or 1
    if not LEAST_TIMES <= times <= MOST_TIMES:
        form.fail("times", message)
    if not 1 <= weeks <= MOST_WEEKS:
        form.fail("every_weeks", f"Please enter 1 to {MOST_WEEKS}.")
    return Repeat(times, weeks, form.flag("only_free"))


def form_name(field: str) -> str:
    """The form's name for a field of the use case."""
    names = {"repeat.times": "times", "repeat.every_weeks": "every_weeks", "repeat": "times"}
    return names.get(field, field)

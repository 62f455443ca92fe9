"""The form by which staff book for a client: from what was typed to what the use case takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.answers import check_answers
from app.domain.bookings import Recipient
from app.domain.clients import Client
from app.domain.errors import FieldError, Invalid
from app.domain.hours import MINUTES_A_DAY, local_date, wall_instant
from app.domain.repeats import LEAST_TIMES, MOST_TIMES, MOST_WEEKS, Repeat
from app.domain.stays import MOST_NIGHTS, Stay
from app.domain.templates import Question
from app.ports.links import LinkContext
from app.ports.people import User
from app.use_cases.book_for_client import ClientBooking
from app.use_cases.book_slot import BookingRequest
from app.use_cases.open_session import MOST_SEATS
from app.web.api.fields import Duration, Email, Language, LongText, Phone, RequiredLine, Seats
from app.web.pages.booking_form import FormField, answer_name, answer_value, new_key, question_fields, read_guests
from app.web.pages.picker import read_start
from app.web.pages.signed_in.form import Form, field_id
from app.web.pages.signed_in.wall_time import local_input, read_local
from app.web.times import rfc3339

LINK, SERVICE = "link:", "service:"
TIME_FIELDS = ("start", "duration", "day", "nights", "host", "override")
"""What is typed by whoever does not choose one of the free times."""


def offer_ids(offer: str) -> tuple[str | None, str | None]:
    """The ids of the link and the service that are meant, one of them; neither when the words make no sense."""
    kind, _, text = offer.partition(":")
    try:
        found = str(UUID(text))
    except ValueError:
        return None, None
    return (found if kind == "link" else None), (found if kind == "service" else None)


def blank_booking(
    user: User, context: LinkContext, client: Client | None, *, offer: str, start: int | None, duration: int, host: str
) -> Form:
    """The form for a time that was chosen (None: one that is still to be typed), with the client it was opened for."""
    stay = context.link.stay
    values: dict[str, str | int | None] = {"key": new_key(), "offer": offer, "host": host, "seats": 1}
    if stay is None:
        values |= {"duration": duration, "start": None if start is None else local_input(start, user.timezone)}
    else:
        values |= {"nights": duration // MINUTES_A_DAY}
        values |= {"day": None if start is None else local_date(stay.timezone, start).isoformat()}
    if start is not None:
        values["chosen"] = rfc3339(start)
    if client is not None:
        values |= {"client": client.id, "name": client.name, "email": client.email, "phone": client.phone}
    return Form.of(values)


def read_time(form: Form, user: User, stay: Stay | None) -> tuple[int, int]:
    """The start and the minutes that are meant; what is wrong is noted in the form. A wall time that comes twice means
    the chosen one of the two, as long as it is the one that was chosen."""
    if stay is not None:
        day = form.day("day", "Please enter the day of arrival.")
        nights = form.optional_number("nights", int, _NIGHTS, required=True) or 0
        if not 0 < nights <= MOST_NIGHTS:
            form.fail("nights", _NIGHTS)
        return (0 if day == date.min else wall_instant(stay.timezone, day, stay.check_in)), nights * MINUTES_A_DAY
    start = read_local(form, "start", user.timezone, "Please enter day and time.")
    try:
        chosen = read_start(form.get("chosen"))
        start = chosen if local_input(chosen, user.timezone) == form.get("start") else start
    except Invalid:
        pass  # none was chosen
    return start, form.number("duration", Duration, "Please enter 1 to 1440 minutes.")


_NIGHTS = f"Please enter 1 to {MOST_NIGHTS} nights."


def read_booking(form: Form, user: User, context: LinkContext) -> ClientBooking:
    """What was asked for; `Invalid` with everything that is wrong. The time is one of the user's zone, a stay's day one
    of the house's."""
    start, duration = read_time(form, user, context.link.stay)
    email = form.get("email").lower()
    if email:
        form.checked("email", email, Email, "Please enter an e-mail address such as name@example.com, or nothing.")
    phone = form.get("phone") or None
    if phone:
        form.checked("phone", phone, Phone, "Please enter a phone number with digits, such as +49 30 1234567.")
    name = form.text("name", RequiredLine, "Please enter a name, on one line.")
    notes = form.text("notes", LongText, "Please keep the note below 5000 characters.")
    language = form.get("language")
    if language:
        form.checked("language", language, Language, "Please choose one of the list.")
    link, service = offer_ids(form.get("offer"))
    request = BookingRequest(
        start=start,
        duration=duration,
        timezone=user.timezone,
        recipient=Recipient(name, email, phone),
        answers=_answers(form, questions_of(context)),
        guests=_guests(form),
        notes=notes or None,
        host_id=_host(form),
        seats=_seats(form) if context.has_sessions else 1,
        repeat=_repeat(form),
        language=language or None,
    )
    form.finish()
    return ClientBooking(request, link, service, form.flag("override"))


def _host(form: Form) -> str | None:
    host = form.get("host")
    if host:
        form.checked("host", host, UUID, "Please choose one of the list.")
    return host or None


def _seats(form: Form) -> int:
    message = f"Please enter 1 to {MOST_SEATS} seats."
    return form.optional_number("seats", Seats, message) or 1


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


# the questions of the offer: staff need not ask all of them


def questions_of(context: LinkContext) -> tuple[Question, ...]:
    """What may be asked; nothing has to be."""
    questions = context.template.questions if context.template else ()
    return tuple(replace(question, required=False) for question in questions)


def _typed(form: Form, questions: Sequence[Question]) -> Mapping[str, str | list[str]]:
    """The answers as they were typed."""
    return {
        question.id: form.all(answer_name(question)) if question.kind == "multi" else form.get(answer_name(question))
        for question in questions
    }


def _answers(form: Form, questions: Sequence[Question]) -> dict[str, Any]:
    typed = _typed(form, questions)
    answers = {question.id: answer_value(question, typed[question.id]) for question in questions}
    try:
        check_answers(questions, answers)
    except Invalid as wrong:
        for each in wrong.errors:
            form.fail(each.field, each.message)
    return {key: value for key, value in answers.items() if value not in ("", [], False)}


def answer_fields(form: Form, context: LinkContext) -> tuple[FormField, ...]:
    """The questions as they are shown; an error at the top leads to its field."""
    questions = questions_of(context)
    fields = question_fields(questions, _typed(form, questions), form.errors)
    return tuple(replace(field, id=field_id(field.name)) for field in fields)


def form_name(field: str) -> str:
    """The form's name for a field of the use case."""
    names = {"repeat.times": "times", "repeat.every_weeks": "every_weeks", "repeat": "times"}
    return names.get(field, field)

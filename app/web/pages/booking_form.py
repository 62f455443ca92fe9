"""The details form of a booking: what was typed, what is wrong with it, and how each field is shown. Pure."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from app.domain.answers import LONG, SHORT, check_answers
from app.domain.bookings import Recipient
from app.domain.errors import FieldError, Invalid
from app.domain.repeats import Repeat
from app.domain.templates import Question
from app.ports.links import LinkContext
from app.use_cases.book_slot import BookingRequest
from app.use_cases.open_session import MOST_SEATS
from app.use_cases.zone_names import canonical_zone
from app.web.api.fields import Email, LongText, Phone, RequiredLine
from app.web.pages.picker import read_minutes, read_person, read_start

MAX_GUESTS = 20
MOST_RADIOS = 6
ALL_OR_NONE, THOSE_FREE = "Book none of them", "Book those that are free"
_SEPARATORS = re.compile(r"[\s,;]+")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")

Control = Literal["text", "email", "tel", "textarea", "select", "radio", "checkboxes", "checkbox", "number", "date"]
_CONTROLS: Mapping[str, Control] = {
    "short": "text",
    "long": "textarea",
    "multi": "checkboxes",
    "phone": "tel",
    "checkbox": "checkbox",
    "number": "number",
    "date": "date",
}


class Form(Protocol):
    """A posted form: the last value of a name, or all of them."""

    def get(self, key: str, /) -> Any: ...

    def getall(self, key: str, default: list[Any], /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as it was sent: text, not yet judged. `answers` holds lists for questions with several answers."""

    key: str
    start: str = ""
    duration: str = ""
    timezone: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    guests: str = ""
    notes: str = ""
    person: str = ""
    times: str = ""
    repeats: str = ""
    seats: str = ""
    answers: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as its template shows it. `values` are the chosen ones of fields with options."""

    name: str
    id: str
    label: str
    control: Control
    required: bool
    value: str = ""
    values: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    hint: str = ""
    error: str = ""
    autocomplete: str = ""
    max_length: int | None = None

    @property
    def described_by(self) -> str:
        """Ids of what explains the field, for `aria-describedby`."""
        parts = [f"{self.id}-hint"] * bool(self.hint) + [f"{self.id}-error"] * bool(self.error)
        return " ".join(parts)

    @property
    def target(self) -> str:
        """The id of the control to go to from the list of errors."""
        return f"{self.id}-0" if self.control in {"radio", "checkboxes"} else self.id


def new_key() -> str:
    """The idempotency key of a form not sent yet."""
    return secrets.token_urlsafe(18)


def blank_form(context: LinkContext) -> Typed:
    """An empty form; a one-time link knows whom it was made for."""
    email = context.one_time.recipient_email if context.one_time else None
    return Typed(key=new_key(), email=email or "")


def read_form(form: Form, questions: Sequence[Question]) -> Typed:
    """What was posted; fields that are missing or files count as empty."""

    def text(name: str) -> str:
        value = form.get(name)
        return value if isinstance(value, str) else ""

    answers: dict[str, str | list[str]] = {}
    for question in questions:
        name = answer_name(question)
        if question.kind == "multi":
            answers[question.id] = [item for item in form.getall(name, []) if isinstance(item, str)]
        else:
            answers[question.id] = text(name)
    return Typed(
        key=text("key") if _KEY.fullmatch(text("key")) else new_key(),
        **{name: text(name) for name in ("start", "duration", "name", "email", "phone", "guests", "notes")},
        timezone=text("tz"),
        person=text("with"),
        times=text("repeat.times"),
        repeats=text("repeat.only_free"),
        seats=text("seats"),
        answers=answers,
    )


def answer_name(question: Question) -> str:
    """The name of a question's field."""
    return f"answers.{question.id}"


def check_form(typed: Typed, context: LinkContext) -> BookingRequest:
    """The request a form means; `Invalid` with every field that is wrong."""
    questions = context.template.questions if context.template else ()
    errors: list[FieldError] = []
    values = {
        "name": _checked(errors, "name", typed.name.strip(), RequiredLine, "Please tell us your name, on one line."),
        "email": _checked(
            errors, "email", typed.email.strip(), Email, "Please enter an e-mail address such as name@example.com."
        ),
    }
    phone = typed.phone.strip()
    if phone:
        _checked(errors, "phone", phone, Phone, "Please enter a phone number with digits, such as +49 30 1234567.")
    elif needs_phone(context):
        errors.append(FieldError("phone", "Please enter the number to call you at."))
    notes = _checked(errors, "notes", _lines(typed.notes), LongText, "Please keep this below 5000 characters.")
    guests = read_guests(errors, typed.guests)
    answers = {question.id: answer_value(question, typed.answers.get(question.id, "")) for question in questions}
    try:
        check_answers(questions, answers)
    except Invalid as wrong:
        errors += wrong.errors
    start, duration = _when(errors, typed)
    repeat = _repeat(errors, typed)
    seats = _seats(errors, typed)
    if errors:
        raise Invalid("Some details are missing or wrong.", errors)
    return BookingRequest(
        start=start,
        duration=duration,
        timezone=canonical_zone(typed.timezone, "tz"),
        recipient=Recipient(values["name"], values["email"].lower(), phone or None),
        answers={key: value for key, value in answers.items() if value not in ("", [], False)},
        guests=guests,
        notes=notes or None,
        host_id=read_person(typed.person) if typed.person else None,
        seats=seats,
        repeat=repeat,
    )


def _when(errors: list[FieldError], typed: Typed) -> tuple[int, int]:
    try:
        return read_start(typed.start), read_minutes(typed.duration)
    except Invalid:
        errors.append(FieldError("start", "Please choose a time."))
        return 0, 0


def _seats(errors: list[FieldError], typed: Typed) -> int:
    """One, where nothing else is said."""
    text = typed.seats.strip() or "1"
    if re.fullmatch(r"[0-9]{1,4}", text) and 0 < int(text) <= MOST_SEATS:
        return int(text)
    errors.append(FieldError("seats", "Please enter how many seats you would like, such as 2."))
    return 1


def _repeat(errors: list[FieldError], typed: Typed) -> Repeat | None:
    """How often; once is no repetition."""
    text = typed.times.strip()
    if text in {"", "1"}:
        return None
    repeat = Repeat(int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0, only_free=typed.repeats == THOSE_FREE)
    try:
        repeat.check()
    except Invalid as wrong:
        errors += wrong.errors
    return repeat


def _checked(errors: list[FieldError], name: str, value: str, kind: Any, message: str) -> str:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        errors.append(FieldError(name, message))
    return value


def read_guests(errors: list[FieldError], text: str) -> tuple[str, ...]:
    """Addresses separated by spaces, lines, commas or semicolons."""
    guests = tuple(dict.fromkeys(guest.lower() for guest in _SEPARATORS.split(text) if guest))
    if len(guests) > MAX_GUESTS:
        errors.append(FieldError("guests", f"At most {MAX_GUESTS} guests can be invited."))
        return ()
    for guest in guests:
        before = len(errors)
        _checked(errors, "guests", guest, Email, f"“{guest[:80]}” is not an e-mail address.")
        if len(errors) > before:
            break
    return guests


def _lines(text: str) -> str:
    """Forms send line ends as CRLF (HTML, form submission); kept is one character."""
    return text.replace("\r\n", "\n").strip()


def answer_value(question: Question, typed: str | list[str]) -> Any:
    """A typed answer as the use case takes it."""
    if isinstance(typed, list):
        return typed
    text = _lines(typed)
    match question.kind:
        case "checkbox":
            return bool(text)
        case "number" if text:
            return _number(text)
    return text


def _number(text: str) -> int | float | str:
    """A number, decimal comma allowed. Text that is none, or none that JSON can carry, stays as it is."""
    plain = text.replace(",", ".")
    if re.fullmatch(r"[+-]?[0-9]{1,15}", plain):
        return int(plain)
    try:
        number = float(plain)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def needs_phone(context: LinkContext) -> bool:
    """Whether the host calls the recipient: the link is a phone call and names no number."""
    location = context.link.location
    return location.kind == "phone" and not location.value.strip()


def form_fields(typed: Typed, context: LinkContext, errors: Mapping[str, str]) -> tuple[FormField, ...]:
    """The fields up to the questions, in order."""
    fields = [
        FormField(
            "name",
            "f-name",
            "Your name",
            "text",
            True,
            typed.name,
            error=errors.get("name", ""),
            autocomplete="name",
            max_length=200,
        ),
        FormField(
            "email",
            "f-email",
            "E-mail",
            "email",
            True,
            typed.email,
            error=errors.get("email", ""),
            autocomplete="email",
            max_length=254,
        ),
    ]
    if context.link.location.kind == "phone":
        fields.append(_phone_field(typed, context, errors))
    if context.has_sessions:
        seats = FormField(
            "seats", "f-seats", "Seats", "number", True, typed.seats or "1", error=errors.get("seats", ""), max_length=4
        )
        fields.append(seats)
    questions = context.template.questions if context.template else ()
    return (*fields, *question_fields(questions, typed.answers, errors))


def question_fields(
    questions: Sequence[Question], answers: Mapping[str, str | list[str]], errors: Mapping[str, str]
) -> tuple[FormField, ...]:
    """A field for each question."""
    return tuple(_question_field(*each, answers, errors) for each in enumerate(questions))


def more_fields(typed: Typed, errors: Mapping[str, str]) -> tuple[FormField, ...]:
    """Guests and notes, which few need."""
    return (
        FormField(
            "guests",
            "f-guests",
            "Guests",
            "textarea",
            False,
            typed.guests,
            error=errors.get("guests", ""),
            hint="E-mail addresses of others to invite, separated by commas or lines.",
            max_length=6000,
        ),
        FormField(
            "notes",
            "f-notes",
            "Anything else?",
            "textarea",
            False,
            typed.notes,
            error=errors.get("notes", ""),
            max_length=LONG,
        ),
    )


def repeat_fields(typed: Typed, context: LinkContext, errors: Mapping[str, str]) -> tuple[FormField, ...]:
    """A weekly set, where the link lets recipients make one."""
    most = context.link.max_repeats
    if not most or context.one_time is not None:
        return ()
    times = FormField(
        "repeat.times",
        "f-times",
        "How many times, week after week?",
        "number",
        False,
        typed.times,
        hint=f"At the same time of day, up to {most} times.",
        error=errors.get("repeat.times", ""),
        max_length=4,
    )
    choice = FormField(
        "repeat.only_free",
        "f-only-free",
        "When some of them are not free",
        "radio",
        False,
        values=(typed.repeats or ALL_OR_NONE,),
        options=(ALL_OR_NONE, THOSE_FREE),
    )
    return times, choice


def _phone_field(typed: Typed, context: LinkContext, errors: Mapping[str, str]) -> FormField:
    needed = needs_phone(context)
    return FormField(
        "phone",
        "f-phone",
        "Phone number",
        "tel",
        needed,
        typed.phone,
        error=errors.get("phone", ""),
        hint="You will be called at this number." if needed else "",
        autocomplete="tel",
        max_length=40,
    )


def _question_field(
    index: int, question: Question, answers: Mapping[str, str | list[str]], errors: Mapping[str, str]
) -> FormField:
    answer = answers.get(question.id, "")
    control = _CONTROLS.get(question.kind) or ("radio" if len(question.options) <= MOST_RADIOS else "select")
    return FormField(
        name=answer_name(question),
        id=f"f-answer-{index}",
        label=question.label,
        control=control,
        required=question.required,
        value=answer if isinstance(answer, str) else "",
        values=tuple(answer) if isinstance(answer, list) else (answer,),
        options=question.options,
        hint=question.help,
        error=errors.get(answer_name(question), ""),
        autocomplete="tel" if control == "tel" else "",
        max_length={"text": SHORT, "textarea": LONG, "tel": 40, "number": 40}.get(control),
    )


def body_hash(request: BookingRequest) -> str:
    """Tells one request from another under the same key."""
    return hashlib.sha256(msgspec.json.encode(request, order="sorted")).hexdigest()

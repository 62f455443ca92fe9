"""The details form: what was typed becomes a request, or every wrong field is named and kept."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from litestar.datastructures import FormMultiDict

from app.domain.bookings import Recipient
from app.domain.errors import Invalid
from app.domain.links import Link, OneTimeLink
from app.domain.locations import Location
from app.domain.templates import Question, Template
from app.ports.links import LinkContext
from app.ports.people import Organization
from app.use_cases.book_slot import BookingRequest
from app.web.pages.booking_form import (
    Typed,
    blank_form,
    body_hash,
    check_form,
    form_fields,
    more_fields,
    new_key,
    read_form,
)

START = "2027-03-04T10:00:00Z"
QUESTIONS = (
    Question("topic", "What about?", "short", required=True, help="One line."),
    Question("story", "Tell us more", "long"),
    Question("size", "How big?", "choice", options=("small", "large")),
    Question("country", "Where?", "choice", options=tuple("abcdefgh")),
    Question("days", "Which days?", "multi", options=("Mon", "Tue", "Wed")),
    Question("call", "Number", "phone"),
    Question("terms", "I agree", "checkbox", required=True),
    Question("count", "How many?", "number"),
    Question("since", "Since when?", "date"),
)


def link(**changes: Any) -> Link:
    made = Link(
        id="l", org_id="o", owner_id="u", slug="intro", title="Intro", description="", is_active=True, mode="single",
        schedule_id=None, template_id=None, service_id=None, durations=(30,), step=None, buffer_before=0,
        buffer_after=0, minimum_notice=0, horizon_days=60, date_range=None, max_per_day=None, max_per_week=None,
        requires_approval=False, location=Location(), version=1, created_at=0, updated_at=0,
    )  # fmt: skip
    return replace(made, **changes)


def context(
    questions: Sequence[Question] = QUESTIONS, one_time: OneTimeLink | None = None, **link_values: Any
) -> LinkContext:
    template = Template("t", "o", "Questions", tuple(questions), False, None, 1, 0, 0) if questions else None  # type: ignore[arg-type]  # no follow-up here
    return LinkContext(link(**link_values), Organization("o", "acme", "Acme", 60, 60), (), template, one_time)


def typed(**changes: Any) -> Typed:
    good = Typed(
        key=new_key(),
        start=START,
        duration="30",
        timezone="Asia/Calcutta",
        name=" Robin Recipient ",
        email="Robin@Example.org",
        answers={"topic": "Plans", "terms": "yes"},
    )
    return replace(good, **changes)


def errors_of(form: Typed, where: LinkContext) -> dict[str, str]:
    with pytest.raises(Invalid) as refusal:
        check_form(form, where)
    return {wrong.field: wrong.message for wrong in refusal.value.errors}


def test_a_complete_form_becomes_a_request() -> None:
    form = typed(
        phone="+49 30 1234567",
        guests="a@example.org, B@example.org\nb@example.org",
        notes="First\r\nSecond  ",
        answers={
            "topic": " Plans ",
            "story": "One\r\nTwo",
            "size": "large",
            "days": ["Mon", "Wed"],
            "terms": "yes",
            "count": "2,5",
            "since": "2027-01-31",
        },
    )
    assert check_form(form, context()) == BookingRequest(
        start=1804154400,
        duration=30,
        timezone="Asia/Kolkata",
        recipient=Recipient("Robin Recipient", "robin@example.org", "+49 30 1234567"),
        answers={
            "topic": "Plans",
            "story": "One\nTwo",
            "size": "large",
            "days": ["Mon", "Wed"],
            "terms": True,
            "count": 2.5,
            "since": "2027-01-31",
        },
        guests=("a@example.org", "b@example.org"),
        notes="First\nSecond",
    )


def test_all_wrong_fields_are_named_at_once() -> None:
    form = typed(name="", email="robin", phone="ring me", guests="nobody", answers={"size": "huge", "days": ["Sun"]})
    assert set(errors_of(form, context())) == {
        "name", "email", "phone", "guests", "answers.topic", "answers.terms", "answers.size", "answers.days",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "Robin\nRecipient"),
        ("name", "x" * 201),
        ("name", "Robin\x00"),
        ("email", "robin@example"),
        ("email", "Robin <robin@example.org>"),
        ("email", "robin@example.org\nbcc:x@example.org"),
        ("notes", "x" * 5001),
        ("notes", "bell\x07"),
        ("guests", " ".join(f"guest{number}@example.org" for number in range(21))),
        ("start", "soon"),
        ("duration", "half an hour"),
    ],
)
def test_what_cannot_be_kept_is_refused(field: str, value: str) -> None:
    wrong = errors_of(typed(**{field: value}), context())
    assert set(wrong) == {"start" if field == "duration" else field}


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    assert set(errors_of(typed(timezone=zone), context())) == {"tz"}


@pytest.mark.parametrize("number", ["many", "nan", "inf", "1e400", "0x10", "1" * 2000])
def test_a_number_is_finite_and_written_in_digits(number: str) -> None:
    assert set(errors_of(typed(answers={"topic": "x", "terms": "yes", "count": number}), context())) == {
        "answers.count"
    }


def test_the_host_who_calls_needs_a_number() -> None:
    calls = context((), location=Location("phone", ""))
    assert set(errors_of(typed(), calls)) == {"phone"}
    assert check_form(typed(), context((), location=Location("phone", "+49 30 1"))).recipient.phone is None


def test_a_posted_form_is_read_with_all_its_answers() -> None:
    form = FormMultiDict(
        [
            ("key", "k" * 24),
            ("name", "Robin"),
            ("answers.days", "Mon"),
            ("answers.days", "Tue"),
            ("answers.topic", "Plans"),
            ("answers.unknown", "x"),
        ]
    )
    read = read_form(form, QUESTIONS)
    assert (read.key, read.name, read.email) == ("k" * 24, "Robin", "")
    assert read.answers["days"] == ["Mon", "Tue"]
    assert read.answers["topic"] == "Plans"
    assert "unknown" not in read.answers


def test_a_made_up_key_is_replaced() -> None:
    assert read_form(FormMultiDict([("key", "../x")]), ()).key != "../x"


def test_every_kind_of_question_has_its_control_and_keeps_what_was_typed() -> None:
    form = typed(answers={"topic": "Plans", "size": "small", "days": ["Tue"], "terms": "yes", "count": "x"})
    fields = {field.name: field for field in form_fields(form, context(), {"answers.count": "A number is needed."})}
    assert {name.removeprefix("answers."): field.control for name, field in fields.items()} == {
        "name": "text", "email": "email", "topic": "text", "story": "textarea", "size": "radio", "country": "select",
        "days": "checkboxes", "call": "tel", "terms": "checkbox", "count": "number", "since": "date",
    }  # fmt: skip
    assert fields["answers.topic"].value == "Plans"
    assert fields["answers.topic"].described_by == "f-answer-0-hint"
    assert fields["answers.size"].values == ("small",)
    assert fields["answers.days"].values == ("Tue",)
    assert fields["answers.count"].error == "A number is needed."
    assert fields["answers.count"].described_by == "f-answer-7-error"
    assert fields["answers.days"].target == "f-answer-4-0"


def test_a_phone_field_is_there_only_for_calls() -> None:
    assert "phone" not in {field.name for field in form_fields(typed(), context(), {})}
    fields = form_fields(typed(), context(location=Location("phone", "")), {})
    assert [field.required for field in fields if field.name == "phone"] == [True]


def test_guests_and_notes_come_last() -> None:
    assert [field.name for field in more_fields(typed(), {})] == ["guests", "notes"]


def test_a_one_time_link_fills_in_whom_it_is_for() -> None:
    one_time = OneTimeLink("x", "o", "l", "token", "r@example.org", (), None, "open", None, 0)
    assert blank_form(context(one_time=one_time)).email == "r@example.org"
    assert blank_form(context()).email == ""


def test_the_body_hash_tells_requests_apart_and_nothing_else() -> None:
    first, second = check_form(typed(), context()), check_form(typed(), context())
    assert body_hash(first) == body_hash(second)
    assert body_hash(first) != body_hash(replace(first, start=first.start + 900))

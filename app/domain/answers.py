"""A recipient's answers against the questions of a template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.domain.errors import FieldError, Invalid
from app.domain.templates import Question
from app.domain.text_rules import UNFIT

SHORT = 500
LONG = 5000
Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """A recipient's answers beside the labels they were asked under, which outlive edits of the template."""

    values: Answers = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def check_answers(questions: Sequence[Question], answers: Mapping[str, Any]) -> Answered:
    """The answers with the labels they were asked under; `Invalid` names every wrong or missing one."""
    known = {question.id: question for question in questions}
    errors = [FieldError(f"answers.{key[:64]}", "There is no such question.") for key in answers if key not in known]
    values: dict[str, Any] = {}
    for question in questions:
        value = answers.get(question.id)
        if _is_empty(value):
            if question.required:
                errors.append(FieldError(f"answers.{question.id}", f"“{question.label}” needs an answer."))
            continue
        problem = _problem(question, value)
        if problem:
            errors.append(FieldError(f"answers.{question.id}", problem))
        else:
            values[question.id] = value
    if errors:
        raise Invalid("Some answers are missing or wrong.", errors)
    return Answered(values, {key: known[key].label for key in values})


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value == [] or (isinstance(value, str) and not value.strip())


def _problem(question: Question, value: Any) -> str | None:
    match question.kind:
        case "checkbox":
            return None if isinstance(value, bool) else "Yes or no is needed."
        case "multi":
            return None if _are_options(question, value) else "Choose among the options."
        case "number":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if is_number or _is_number_text(value) else "A number is needed."
    if not isinstance(value, str):
        return "A text is needed."
    return _text_problem(question, value)


def _text_problem(question: Question, value: str) -> str | None:
    limit = LONG if question.kind == "long" else SHORT
    if len(value) > limit:
        return f"At most {limit} characters."
    if has_control_characters(value):
        return "Control characters cannot be kept."
    match question.kind:
        case "choice" if value not in question.options:
            return "Choose among the options."
        case "phone" if not is_phone(value):
            return "A phone number is needed."
        case "date" if not _is_date(value):
            return "A date is written YYYY-MM-DD."
    return None


def _are_options(question: Question, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item in question.options for item in value)


def _is_number_text(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return number == number and abs(number) != float("inf")


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def is_phone(value: str) -> bool:
    """Digits with the usual marks, 3 to 20 of them; numbers are not dialled by the program."""
    digits = sum(character.isdecimal() for character in value)
    return 3 <= digits <= 20 and all(character.isdecimal() or character in "+-()/. #*" for character in value)


def has_control_characters(value: str) -> bool:
    """Control characters but tab and line ends, line separators, unpaired surrogates: unfit for XML and mail."""
    return UNFIT.search(value) is not None

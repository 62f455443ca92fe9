"""The form of a template: its questions as rows that can be added, moved and taken away, and its follow-up. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from msgspec import Meta

from app.domain.template_library import StarterTemplate
from app.domain.templates import Followup, Question, QuestionKind, Template
from app.domain.text_rules import TEXT
from app.web.api.fields import Line, LongText, RequiredLine
from app.web.pages.signed_in.form import Form

KINDS: tuple[tuple[str, str], ...] = (
    ("short", "Short text"),
    ("long", "Long text"),
    ("choice", "One of several"),
    ("multi", "Any of several"),
    ("checkbox", "Yes or no"),
    ("phone", "Phone number"),
    ("number", "Number"),
    ("date", "Date"),
)
WITH_OPTIONS = frozenset({"choice", "multi"})
PARTS = ("id", "label", "kind", "required", "options", "help")
DELAY_UNITS = {"minutes": 1, "hours": 60, "days": 1440}
MAX_DELAY = 43200
MAX_OPTIONS = 100
RequiredText = Annotated[str, Meta(min_length=1, max_length=5000, pattern=TEXT)]
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KINDS = frozenset(get_args(QuestionKind))


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One question of the form: the beginning of its fields' names, and its place."""

    prefix: str
    number: int
    is_first: bool
    is_last: bool


def blank_template() -> Form:
    """The form of a template that is not made yet: one question."""
    form = Form.of({"followup_delay": 1, "followup_unit": "hours", "count": 0})
    add_question(form)
    return form


def template_form(template: Template) -> Form:
    """The form of a template as it is kept."""
    return Form.of(
        {
            **_values(template.name, template.questions, template.followup, sends=template.email_followup_enabled),
            "version": template.version,
        }
    )


def starter_form(starter: StarterTemplate) -> Form:
    """The form of a template that is not made yet, begun from one of the library. Its follow-up is a proposal."""
    return Form.of(_values(starter.name, starter.questions, starter.followup, sends=False))


def _values(name: str, questions: Sequence[Question], followup: Followup, *, sends: bool) -> dict[str, Any]:
    delay = followup.delay_minutes
    unit = next(name for name in ("days", "hours", "minutes") if delay % DELAY_UNITS[name] == 0) if delay else "hours"
    values: dict[str, Any] = {
        "name": name,
        "followup": "yes" if sends else "",
        "followup_subject": followup.subject,
        "followup_body": followup.body,
        "followup_delay": delay // DELAY_UNITS[unit],
        "followup_unit": unit,
        "count": len(questions),
    }
    for index, question in enumerate(questions):
        values |= {
            f"q{index}.id": question.id,
            f"q{index}.label": question.label,
            f"q{index}.kind": question.kind,
            f"q{index}.required": "yes" if question.required else "",
            f"q{index}.options": "\n".join(question.options),
            f"q{index}.help": question.help,
        }
    return values


def count_of(form: Form) -> int:
    """How many questions the form has."""
    text = form.get("count")
    return min(int(text), 60) if text.isascii() and text.isdecimal() and len(text) < 3 else 0


def rows_of(form: Form) -> tuple[QuestionRow, ...]:
    """The questions as the page shows them."""
    count = count_of(form)
    return tuple(QuestionRow(f"q{index}", index + 1, index == 0, index == count - 1) for index in range(count))


def rearrange(form: Form, action: str) -> int | None:
    """Do what a button of the form asks: `add`, `drop-2`, `up-2`, `down-2`. The place to look at next; None when the
    form is to be kept instead."""
    verb, _, place = action.partition("-")
    index = int(place) if place.isascii() and place.isdecimal() and len(place) < 3 else -1
    count = count_of(form)
    if verb == "add":
        add_question(form)
        return count
    if not 0 <= index < count:
        return None
    if verb == "drop":
        for later in range(index, count - 1):
            _swap(form, later, later + 1)
        form.values["count"] = [str(count - 1)]
        return min(index, count - 2) if count > 1 else 0
    other = {"up": index - 1, "down": index + 1}.get(verb, -1)
    if not 0 <= other < count:
        return index if verb in {"up", "down"} else None
    _swap(form, index, other)
    return other


def add_question(form: Form) -> None:
    """One more, empty, question at the end."""
    count = count_of(form)
    for part in PARTS:
        form.values[f"q{count}.{part}"] = ["short" if part == "kind" else ""]
    form.values["count"] = [str(count + 1)]


def _swap(form: Form, first: int, second: int) -> None:
    for part in PARTS:
        one, other = f"q{first}.{part}", f"q{second}.{part}"
        form.values[one], form.values[other] = form.values.get(other, [""]), form.values.get(one, [""])


def read_template(form: Form) -> dict[str, Any]:
    """The `Template` fields of a posted form; `Invalid` with everything that is wrong."""
    used: set[str] = set()
    questions = tuple(_question(form, f"q{index}", used) for index in range(count_of(form)))
    values = {
        "name": form.text("name", RequiredLine, "Please enter a name, on one line."),
        "questions": questions,
        "email_followup_enabled": form.flag("followup"),
        "followup": _followup(form),
    }
    form.finish()
    return values


def _question(form: Form, prefix: str, used: set[str]) -> Question:
    label = form.text(f"{prefix}.label", RequiredLine, "Please enter the question, on one line.")
    kind: Any = form.one_of(f"{prefix}.kind", _KINDS, "Please choose the kind of answer.")
    options = tuple(dict.fromkeys(line.strip() for line in form.get(f"{prefix}.options").split("\n") if line.strip()))
    if kind in WITH_OPTIONS:
        if not options:
            form.fail(f"{prefix}.options", "Please enter the options to choose from, one on each line.")
        if len(options) > MAX_OPTIONS:
            form.fail(f"{prefix}.options", f"At most {MAX_OPTIONS} options.")
        for option in options:
            form.checked(f"{prefix}.options", option, RequiredLine, "Please keep each option below 200 characters.")
    return Question(
        id=_free_id(form.get(f"{prefix}.id"), label, used),
        label=label,
        kind=kind,
        required=form.flag(f"{prefix}.required"),
        options=options if kind in WITH_OPTIONS else (),
        help=form.text(f"{prefix}.help", Line, "Please keep the explanation on one line, below 200 characters."),
    )


def _free_id(typed: str, label: str, used: set[str]) -> str:
    """The id under which answers are kept: it stays when the question is reworded, and is made from its first words."""
    wanted = typed if _ID.fullmatch(typed) else re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:40] or "question"
    found = next(name for name in (wanted, *(f"{wanted[:60]}-{number}" for number in range(2, 99))) if name not in used)
    used.add(found)
    return found


def _followup(form: Form) -> Followup:
    if not form.flag("followup"):
        # Kept for another day as far as it makes sense; nothing of it is worth an error.
        draft = Form(dict(form.values))
        minutes = draft.number("followup_delay", int, "") * DELAY_UNITS.get(form.get("followup_unit"), 1)
        draft.text("followup_subject", Line, "")
        draft.text("followup_body", LongText, "")
        if not draft.errors and minutes <= MAX_DELAY:
            return Followup(form.get("followup_subject"), form.get("followup_body"), minutes)
        return Followup()
    unit = form.one_of("followup_unit", DELAY_UNITS, "Please choose minutes, hours or days.")
    minutes = form.number("followup_delay", int, "Please enter a whole number.") * DELAY_UNITS.get(unit, 1)
    if minutes > MAX_DELAY:
        form.fail("followup_delay", "At most 30 days.")
    return Followup(
        form.text("followup_subject", RequiredLine, "Please enter a subject, on one line below 200 characters."),
        form.text("followup_body", RequiredText, "Please enter the text of the mail, below 5000 characters."),
        minutes,
    )


def form_name(field: str) -> str:
    """The form's name for a field of the use case, such as `questions.2.label`."""
    parts = field.split(".")
    if parts[0] == "questions" and len(parts) > 2:
        return f"q{parts[1]}.{parts[2]}"
    return "followup_body" if parts[0] == "followup" else parts[0]

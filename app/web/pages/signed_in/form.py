"""A form of the signed-in pages: what was typed or is kept, as text by field name, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from litestar import Request

from app.domain.errors import FieldError, HalfpastError, Invalid
from app.web.pages.booking_form import Control, FormField
from app.web.times import parse_date

_LONGEST_NUMBER = 6


@dataclass(slots=True)
class Form:
    """Values are texts, as forms send them: lists, since a name may come several times. `problem` is what is wrong
    besides single fields."""

    values: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str | int | Iterable[str] | None]) -> Form:
        """A form that shows what is kept."""
        return cls({name: _texts(value) for name, value in values.items()})

    @classmethod
    async def posted(cls, request: Request[Any, Any, Any]) -> Form:
        """What was sent; line ends as one character, files left out."""
        found: dict[str, list[str]] = {}
        for name, value in (await request.form()).items():
            if isinstance(value, str):
                found.setdefault(name, []).append(value.replace("\r\n", "\n"))
        return cls(found)

    def get(self, name: str) -> str:
        """The last value of a name, without space around it; empty when it did not come."""
        return self.secret(name).strip()

    def secret(self, name: str) -> str:
        """The same exactly as typed: space may be part of a password."""
        return self.values.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return [value.strip() for value in self.values.get(name, [])]

    @property
    def version(self) -> int | None:
        """The version the page was made from."""
        text = self.get("version")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    # reading

    def fail(self, name: str, message: str) -> None:
        """A field is wrong; the first reason counts."""
        self.errors.setdefault(name, message)

    def checked(self, name: str, value: Any, kind: Any, message: str) -> Any:
        """`value` if it is of a kind of the API, else an error."""
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError:
            self.fail(name, message)
            return value

    def text(self, name: str, kind: Any, message: str) -> str:
        """A text of a kind."""
        return str(self.checked(name, self.get(name), kind, message))

    def optional(self, name: str, pattern: str, message: str) -> str | None:
        """A text of a pattern; None when the field was left empty, and beside an error."""
        typed = self.get(name)
        if typed and not re.search(pattern, typed):
            self.fail(name, message)
            return None
        return typed or None

    def number(self, name: str, kind: Any, message: str) -> int:
        """A whole number of a kind; 0 beside an error."""
        return self.optional_number(name, kind, message, required=True) or 0

    def optional_number(self, name: str, kind: Any, message: str, *, required: bool = False) -> int | None:
        """The same, None when the field was left empty."""
        typed = self.get(name)
        if not typed and not required:
            return None
        if not typed.isascii() or not typed.isdecimal() or len(typed) > _LONGEST_NUMBER:
            self.fail(name, message)
            return None
        return int(self.checked(name, int(typed), kind, message))

    def flag(self, name: str) -> bool:
        """A box that is ticked."""
        return bool(self.get(name))

    def one_of(self, name: str, allowed: Iterable[str], message: str) -> str:
        """One of these texts."""
        value = self.get(name)
        if value not in allowed:
            self.fail(name, message)
        return value

    def day(self, name: str, message: str) -> date:
        """A date; the first of all beside an error."""
        try:
            return parse_date(self.get(name), name)
        except Invalid:
            self.fail(name, message)
            return date.min

    def finish(self) -> None:
        """`Invalid` when something was wrong."""
        if self.errors:
            wrong = [FieldError(name, message) for name, message in self.errors.items()]
            raise Invalid("Some fields are missing or wrong.", wrong)

    # showing

    def refuse(self, refusal: HalfpastError, name_of: Callable[[str], str] = str) -> None:
        """Take over a refusal: at its fields, else at the top. `name_of` turns names of a use case into those of the
        form; what reading the form found wrong has those already."""
        named = refusal.errors if isinstance(refusal, Invalid) else ()
        for wrong in named:
            self.fail(wrong.field if wrong.field in self.errors else name_of(wrong.field), wrong.message)
        if not named:
            self.problem = refusal.detail

    def field(
        self, name: str, label: str, control: Control = "text", *, required: bool = False, **options: Any
    ) -> FormField:
        """A field as the macros of `macros/forms.html` show it."""
        return FormField(
            name=name,
            id=field_id(name),
            label=label,
            control=control,
            required=required,
            value=self.get(name),
            values=tuple(self.all(name)),
            error=self.errors.get(name, ""),
            **options,
        )

    @property
    def wrong(self) -> tuple[FormField, ...]:
        """The fields to mend, for the summary."""
        return tuple(FormField(name, field_id(name), "", "text", False, error=why) for name, why in self.errors.items())


def field_id(name: str) -> str:
    """The id of a field's control."""
    return "f-" + name.replace(".", "-")


def _texts(value: str | int | Iterable[str] | None) -> list[str]:
    if value is None:
        return [""]
    if isinstance(value, str | int):
        return [str(value)]
    return list(value)

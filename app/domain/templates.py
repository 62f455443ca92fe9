"""Questions and follow-up that links share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

QuestionKind = Literal["short", "long", "choice", "multi", "phone", "checkbox", "number", "date"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question a recipient is asked."""

    id: str
    label: str
    kind: QuestionKind
    required: bool = False
    options: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Followup:
    """The mail sent `delay_minutes` after a booking's end."""

    subject: str = ""
    body: str = ""
    delay_minutes: int = 60


@dataclass(frozen=True, slots=True)
class Template:
    """Questions and follow-up that links share."""

    id: str
    org_id: str
    name: str
    questions: tuple[Question, ...]
    email_followup_enabled: bool
    followup: Followup
    version: int
    created_at: int
    updated_at: int

"""Links and what hangs on them. Minutes are whole minutes; instants are epoch seconds UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from app.domain.rules import LinkRules

QuestionKind = Literal["short", "long", "choice", "multi", "phone", "checkbox", "number", "date"]
LinkMode = Literal["single", "collective", "pool"]
OneTimeStatus = Literal["open", "used", "expired", "revoked"]


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


VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Location:
    """Where it happens: `kind` is link, phone, address, video or none; `value` the text for it.

    `video` is an online meeting made for each booking: the link's location has no value, the booking's gets one.
    """

    kind: str = "none"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An evergreen link and the rules of what it offers."""

    id: str
    org_id: str
    owner_id: str
    slug: str
    title: str
    description: str
    is_active: bool
    mode: LinkMode
    schedule_id: str | None
    template_id: str | None
    service_id: str | None
    durations: tuple[int, ...]
    step: int | None
    buffer_before: int
    buffer_after: int
    minimum_notice: int
    horizon_days: int | None
    date_range: tuple[date, date] | None
    max_per_day: int | None
    max_per_week: int | None
    requires_approval: bool
    location: Location
    version: int
    created_at: int
    updated_at: int
    cancel_on_decline: bool = False
    """A recipient who declines the invitation in their calendar cancels the booking."""

    def rules(self) -> LinkRules:
        """The part of the link the slot engine reads."""
        return LinkRules(
            step=self.step,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            minimum_notice=self.minimum_notice,
            horizon_days=self.horizon_days,
            date_range=self.date_range,
            max_per_day=self.max_per_day,
            max_per_week=self.max_per_week,
        )


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link for one booking; `slots` are hand-picked (start, duration minutes), empty for free choice."""

    id: str
    org_id: str
    link_id: str
    token: str
    recipient_email: str | None
    slots: tuple[tuple[int, int], ...]
    expires_at: int | None
    status: OneTimeStatus  # as stored; `expired` is worked out from `expires_at` by status_at
    booking_id: str | None
    created_at: int

    def status_at(self, now: int) -> OneTimeStatus:
        """The status a person is shown."""
        if self.status == "open" and self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return self.status


Answers = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """A recipient's answers beside the labels they were asked under, which outlive edits of the template."""

    values: Answers = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

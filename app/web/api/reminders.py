"""Reminders as links and services show and take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.domain import reminders as domain
from app.web.api.fields import In, Line, LongText

Minutes = Annotated[int, Meta(ge=1, le=domain.MAX_MINUTES)]


class Reminder(In):
    """Told `minutes` before the start or after the end. By sms or whatsapp where the recipient left a number with its
    country code, else by mail. `body` is added to what a reminder says; after a booking it is all it says."""

    minutes: Minutes
    when: Literal["before", "after"] = "before"
    channel: Literal["mail", "sms", "whatsapp"] = "mail"
    to: Literal["recipient", "hosts"] = "recipient"
    subject: Line = ""
    body: LongText = ""


Reminders = Annotated[list[Reminder], Meta(max_length=domain.MAX_REMINDERS)]


def reminders_out(reminders: Sequence[domain.Reminder] | None) -> list[Reminder] | None:
    """As the API shows them."""
    if reminders is None:
        return None
    names = domain.Reminder.__dataclass_fields__
    return [Reminder(**{name: getattr(each, name) for name in names}) for each in reminders]


def reminder_values(sent: Sequence[Reminder] | None) -> tuple[domain.Reminder, ...] | None:
    """As the domain has them."""
    if sent is None:
        return None
    return tuple(domain.Reminder(**msgspec.structs.asdict(each)) for each in sent)

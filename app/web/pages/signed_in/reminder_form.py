"""The reminders of links and services in their forms: a row for each, and two empty ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.reminders import MAX_MINUTES, MAX_REMINDERS, Reminder
from app.web.api.fields import Line, LongText
from app.web.api.reminders import Minutes
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.policy_form import UNITS

EMPTY_ROWS = 2
WHEN = (("before", "before it begins"), ("after", "after it ended"))
CHANNELS = (("mail", "by mail"), ("sms", "by SMS"), ("whatsapp", "by WhatsApp"))
TO = (("recipient", "to the recipient"), ("hosts", "to the hosts"))
OWN = (("service", "Those of the service, where there are some"), ("own", "These alone"))

REMINDER_CHOICES = {"when": WHEN, "channel": CHANNELS, "to": TO, "own": OWN}


def reminder_texts(reminders: Sequence[Reminder] | None) -> dict[str, Any]:
    """What the fields show of what is kept."""
    found: dict[str, Any] = {"reminders_of": "service" if reminders is None else "own"}
    for number, reminder in enumerate(reminders or ()):
        unit = next(unit for unit in ("days", "hours", "minutes") if not reminder.minutes % UNITS[unit])
        row = f"reminder.{number}."
        found |= {f"{row}amount": reminder.minutes // UNITS[unit], f"{row}unit": unit}
        found |= {row + name: getattr(reminder, name) for name in ("when", "channel", "to", "subject", "body")}
    return found


def reminder_rows(form: Form) -> list[int]:
    """The numbers of the rows to show."""
    used = [number for number in range(MAX_REMINDERS) if form.get(f"reminder.{number}.amount")]
    return list(range(min(MAX_REMINDERS, (used[-1] + 1 if used else 0) + EMPTY_ROWS)))


def read_reminders(form: Form) -> tuple[Reminder, ...] | None:
    """What was typed; None where the service's are to count. What is wrong is noted in the form."""
    rows = [f"reminder.{number}." for number in range(MAX_REMINDERS) if form.get(f"reminder.{number}.amount")]
    found = tuple(_reminder(form, row) for row in rows)
    return found if found or form.get("reminders_of") == "own" else None


def _reminder(form: Form, row: str) -> Reminder:
    amount = form.number(f"{row}amount", Minutes, "Please enter a whole number.")
    unit = form.one_of(f"{row}unit", UNITS, "Please choose minutes, hours or days.")
    minutes = amount * UNITS.get(unit, 1)
    if minutes > MAX_MINUTES:
        form.fail(f"{row}amount", "Four weeks at most.")
    choices = {"when": WHEN, "channel": CHANNELS, "to": TO}
    chosen: dict[str, Any] = {
        name: form.one_of(row + name, [value for value, _ in pairs], "Please choose one of them.")
        for name, pairs in choices.items()
    }
    subject = form.text(f"{row}subject", Line, "Please keep this on one line, below 200 characters.")
    body = form.text(f"{row}body", LongText, "Please keep this below 5000 characters.")
    return Reminder(minutes, subject=subject, body=body, **chosen)


def reminder_field(form: Form, field: str) -> str | None:
    """The form's name for a field of the use case, which counts the rows that are filled in; None for other fields."""
    if not field.startswith("reminders"):
        return None
    _, number, name = (*field.split("."), "0", "amount")[:3] if "." in field else ("", "0", "amount")
    used = [row for row in range(MAX_REMINDERS) if form.get(f"reminder.{row}.amount")]
    row = used[int(number)] if int(number) < len(used) else 0
    return f"reminder.{row}.{'amount' if name in {'0', 'minutes'} else name}"

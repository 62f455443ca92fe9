"""The form of a link: from what is kept to texts, and from what was typed to `Link` fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.domain.links import Link
from app.domain.locations import VIDEO, Location
from app.web.api.fields import Buffer, Duration, Line, LongText, RequiredLine
from app.web.api.links import Count, Horizon, LinkRepeats, Notice, Slug
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.policy_form import UNITS, policy_values, read_currency, read_policy
from app.web.pages.signed_in.reminder_form import read_reminders, reminder_texts

USUAL_MINUTES = (15, 30, 60, 120)
MAX_DURATIONS = 20
LOCATIONS = (
    ("none", "No place, or told later"),
    ("video", "Online, made for each booking"),
    ("link", "Online, at an address"),
    ("phone", "Phone call"),
    ("address", "In person, at an address"),
)
PERIODS = ("days", "range", "always")
_SEPARATORS = re.compile(r"[\s,;]+")


def blank_link() -> Form:
    """The form of a link that is not made yet."""
    return Form.of(
        {
            "durations": ["30"],
            "period": "days",
            "horizon_days": 60,
            "notice": 2,
            "notice_unit": "hours",
            "buffer_before": 0,
            "buffer_after": 0,
            "location": "none",
            "cancel_until_unit": "hours",
            "reschedule_until_unit": "hours",
        }
    )


def link_form(link: Link) -> Form:
    """The form of a link as it is kept."""
    unit = next(name for name in ("days", "hours", "minutes") if link.minimum_notice % UNITS[name] == 0)
    if link.minimum_notice == 0:
        unit = "hours"
    usual = [str(minutes) for minutes in link.durations if minutes in USUAL_MINUTES]
    first, last = link.date_range or ("", "")
    return Form.of(
        {
            "title": link.title,
            "slug": link.slug,
            "description": link.description,
            "durations": usual,
            "custom": ", ".join(str(minutes) for minutes in link.durations if minutes not in USUAL_MINUTES),
            "step": link.step,
            "buffer_before": link.buffer_before,
            "buffer_after": link.buffer_after,
            "notice": link.minimum_notice // UNITS[unit],
            "notice_unit": unit,
            "period": "range" if link.date_range else "days" if link.horizon_days is not None else "always",
            "horizon_days": link.horizon_days if link.horizon_days is not None else 60,
            "range_first": str(first),
            "range_last": str(last),
            "max_per_day": link.max_per_day,
            "max_per_week": link.max_per_week,
            "max_repeats": link.max_repeats,
            "location": link.location.kind,
            "location_value": link.location.value,
            "schedule_id": link.schedule_id,
            "template_id": link.template_id,
            "service_id": link.service_id,
            "approval": "yes" if link.requires_approval else "",
            "cancel_on_decline": "yes" if link.cancel_on_decline else "",
            "hand_back": "yes" if link.hand_back else "",
            **policy_values(link),
            **reminder_texts(link.reminders),
            "fee_currency": link.fee_currency or "",
            "version": link.version,
        }
    )


def read_link(form: Form) -> dict[str, Any]:
    """The `Link` fields of a posted form; `Invalid` with everything that is wrong."""
    values: dict[str, Any] = {
        "title": form.text("title", RequiredLine, "Please enter a title, on one line."),
        "description": form.text("description", LongText, "Please keep the description below 5000 characters."),
        "durations": read_durations(form),
        "step": form.optional_number("step", Duration, "Please enter 1 to 1440 minutes, or nothing."),
        "buffer_before": form.number("buffer_before", Buffer, "Please enter 0 to 1440 minutes."),
        "buffer_after": form.number("buffer_after", Buffer, "Please enter 0 to 1440 minutes."),
        "minimum_notice": _notice(form),
        "max_per_day": form.optional_number("max_per_day", Count, "Please enter 1 to 1000, or nothing."),
        "max_per_week": form.optional_number("max_per_week", Count, "Please enter 1 to 1000, or nothing."),
        "max_repeats": form.optional_number("max_repeats", LinkRepeats, "Please enter 2 to 52, 0, or nothing."),
        "requires_approval": form.flag("approval"),
        "cancel_on_decline": form.flag("cancel_on_decline"),
        "hand_back": form.flag("hand_back"),
        "location": read_location(form),
        "schedule_id": optional_id(form, "schedule_id", "There is no such schedule."),
        "template_id": optional_id(form, "template_id", "There is no such template."),
        "service_id": optional_id(form, "service_id", "There is no such service."),
        **_period(form),
        **_policy(form),
        "reminders": read_reminders(form),
    }
    if form.get("slug"):
        message = "Please use lower-case letters, digits and dashes, 63 at most."
        values["slug"] = form.text("slug", Slug, message)
    form.finish()
    return values


def _policy(form: Form) -> dict[str, Any]:
    """The fee's currency counts where there is a fee."""
    values = read_policy(form, form.get("fee_currency"))
    has_fee = values["cancel_fee"] is not None
    return {**values, "fee_currency": read_currency(form, "fee_currency") if has_fee else None}


def optional_id(form: Form, name: str, message: str) -> str | None:
    """An id as it is kept; the use case knows whether it means something."""
    typed = form.get(name)
    if typed:
        form.checked(name, typed, UUID, message)
    return typed or None


def read_durations(form: Form) -> tuple[int, ...]:
    typed = [*form.all("durations"), *(part for part in _SEPARATORS.split(form.get("custom")) if part)]
    found = []
    for text in typed:
        minutes = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
        found.append(minutes)
        form.checked("custom", minutes, Duration, "Please enter lengths of 1 to 1440 minutes, separated by commas.")
    if not typed:
        form.fail("durations", "Please choose at least one length.")
    if len(set(found)) > MAX_DURATIONS:
        form.fail("custom", f"At most {MAX_DURATIONS} lengths can be offered.")
    return tuple(sorted(set(found)))


def _notice(form: Form) -> int:
    unit = form.one_of("notice_unit", UNITS, "Please choose minutes, hours or days.")
    number = form.number("notice", Notice, "Please enter a whole number.")
    minutes = number * UNITS.get(unit, 1)
    form.checked("notice", minutes, Notice, "A year at most can be asked for.")
    return minutes


def _period(form: Form) -> dict[str, Any]:
    """Until when times are offered: so many days ahead, between two dates, or without end."""
    match form.one_of("period", PERIODS, "Please choose until when times are offered."):
        case "range":
            first = form.day("range_first", "Please enter the first day.")
            last = form.day("range_last", "Please enter the last day.")
            if not form.errors.keys() & {"range_first", "range_last"} and last < first:
                form.fail("range_last", "The last day lies before the first.")
            return {"horizon_days": None, "date_range": (first, last)}
        case "days":
            days = form.number("horizon_days", Horizon, "Please enter 0 to 3650 days.")
            return {"horizon_days": days, "date_range": None}
    return {"horizon_days": None, "date_range": None}


def read_location(form: Form) -> Location:
    kinds = [kind for kind, _ in LOCATIONS]
    kind = form.one_of("location", kinds, "Please choose where it happens.")
    if kind in {"none", VIDEO}:
        return Location(kind)
    value = form.text("location_value", Line, "Please keep this on one line, below 200 characters.")
    if kind == "link" and not re.match(r"https?://[^\s/]", value):
        form.fail("location_value", "Please enter the address of the meeting, beginning with https://.")
    if kind == "address" and not value:
        form.fail("location_value", "Please enter the address.")
    return Location(kind, value)


def form_name(field: str) -> str:
    """The form's name for a field of the use case."""
    names = {"location": "location_value", "date_range": "range_last", "durations": "custom"}
    return names.get(field, field)


def minutes_list(durations: Sequence[int]) -> str:
    """`15, 30 and 60 minutes`."""
    *most, last = [str(minutes) for minutes in durations] or ["0"]
    return f"{', '.join(most)} and {last} minutes" if most else f"{last} minutes"

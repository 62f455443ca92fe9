"""The form of a service: from what is kept to texts, and from what was typed to `Service` fields, people and needs.
Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from app.domain.hours import MINUTES_A_DAY
from app.domain.services import Need, Resource, Service, ServiceHost
from app.domain.stays import MOST_NIGHTS
from app.ports.people import User
from app.use_cases.open_session import MOST_SEATS
from app.web.api.fields import Buffer, Duration, LongText, RequiredLine, Seats
from app.web.api.links import Repeats
from app.web.api.resources import Quantity
from app.web.api.service_staff import Priority
from app.web.api.services import Category
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.link_form import MAX_DURATIONS, USUAL_MINUTES, optional_id, read_durations, read_location
from app.web.pages.signed_in.policy_form import amount_text, policy_values, read_amount, read_currency, read_policy
from app.web.pages.signed_in.reminder_form import read_reminders, reminder_texts

LONGEST_LENGTH = 4  # digits
MODES = (
    ("pool", "One of them: the program chooses fairly"),
    ("chosen", "One of them: the recipient may choose"),
    ("collective", "All of them together"),
    ("fixed_pool", "The fixed ones, with one of the others"),
)
_WALL_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z"


def blank_service() -> Form:
    """The form of a service that is not made yet."""
    values: dict[str, Any] = {
        "durations": ["30"],
        "buffer_before": 0,
        "buffer_after": 0,
        "capacity": 1,
        "mode": "pool",
        "location": "none",
        "cancel_until_unit": "hours",
        "reschedule_until_unit": "hours",
    }
    return Form.of({**values, "currency": "EUR", "is_active": "yes"})


def service_form(service: Service, hosts: Sequence[ServiceHost], needs: Sequence[Need]) -> Form:
    """The form of a service as it is kept."""
    by_night = service.check_in is not None
    plain = () if by_night else service.durations
    values: dict[str, Any] = {
        "name": service.name,
        "category": service.category,
        "description": service.description,
        "durations": [str(minutes) for minutes in plain if minutes in USUAL_MINUTES],
        "custom": ", ".join(str(minutes) for minutes in plain if minutes not in USUAL_MINUTES),
        "check_in": service.check_in,
        "check_out": service.check_out,
        "nights": ", ".join(str(minutes // MINUTES_A_DAY) for minutes in service.durations) if by_night else "",
        "step": service.step,
        "buffer_before": service.buffer_before,
        "buffer_after": service.buffer_after,
        "mode": service.mode,
        "max_repeats": service.max_repeats,
        "capacity": service.capacity,
        "is_scheduled": "yes" if service.is_scheduled else "",
        "price": amount_text(service.price, service.currency),
        "currency": service.currency or "EUR",
        "location": service.location.kind,
        "location_value": service.location.value,
        "template_id": service.template_id,
        "schedule_id": service.schedule_id,
        "hand_back": "yes" if service.hand_back else "",
        "approval": "yes" if service.requires_approval else "",
        **policy_values(service),
        **reminder_texts(service.reminders),
        "is_active": "yes" if service.is_active else "",
        "people": [host.host_id for host in hosts],
        "fixed": [host.host_id for host in hosts if host.is_fixed],
        "version": service.version,
    }
    values |= {f"priority.{host.host_id}": host.priority for host in hosts if host.priority}
    values |= {f"hours.{host.host_id}": host.schedule_id for host in hosts}
    values |= {f"lengths.{host.host_id}": ", ".join(map(str, host.durations or ())) for host in hosts}
    values |= {f"units.{need.resource_id}": need.units for need in needs}
    return Form.of(values)


def read_service(form: Form) -> dict[str, Any]:
    """The `Service` fields of a posted form. What is wrong is noted in the form; `Form.finish` refuses it."""
    typed = form.get("currency")
    price, policy = read_amount(form, "price", typed), read_policy(form, typed)
    return {
        "name": form.text("name", RequiredLine, "Please enter a name, on one line."),
        "category": form.text("category", Category, "Please keep this on one line, below 100 characters."),
        "description": form.text("description", LongText, "Please keep the description below 5000 characters."),
        **_length(form),
        "step": form.optional_number("step", Duration, "Please enter 1 to 1440 minutes, or nothing."),
        "buffer_before": form.number("buffer_before", Buffer, "Please enter 0 to 1440 minutes."),
        "buffer_after": form.number("buffer_after", Buffer, "Please enter 0 to 1440 minutes."),
        "max_repeats": form.optional_number("max_repeats", Repeats, "Please enter 2 to 52, or nothing."),
        "capacity": form.optional_number("capacity", Seats, f"Please enter 1 to {MOST_SEATS} seats.") or 1,
        "is_scheduled": form.flag("is_scheduled"),
        "mode": form.one_of("mode", [mode for mode, _ in MODES], "Please choose who takes a booking."),
        "price": price,
        "currency": None if price is policy["cancel_fee"] is None else read_currency(form, "currency"),
        "location": read_location(form),
        "template_id": optional_id(form, "template_id", "There is no such template."),
        "schedule_id": optional_id(form, "schedule_id", "There is no such schedule."),
        "hand_back": form.flag("hand_back"),
        "requires_approval": form.flag("approval"),
        **policy,
        "reminders": read_reminders(form),
        "is_active": form.flag("is_active"),
    }


def _length(form: Form) -> dict[str, Any]:
    """Lengths in minutes, or by the night between check-in and check-out."""
    check_in = form.optional("check_in", _WALL_TIME, "Please enter a time such as 15:00.")
    check_out = form.optional("check_out", _WALL_TIME, "Please enter a time such as 11:00.")
    found = {"check_in": check_in, "check_out": check_out}
    if not form.get("check_in") and not form.get("check_out"):
        return {**found, "durations": read_durations(form)}
    typed = [part for part in re.split(r"[\s,;]+", form.get("nights")) if part]
    nights = {int(part) if re.fullmatch(r"[0-9]{1,3}", part) else 0 for part in typed}
    if not typed or not nights <= set(range(1, MOST_NIGHTS + 1)):
        form.fail("nights", f"Please enter 1 to {MOST_NIGHTS} nights, separated by commas.")
    if len(nights) > MAX_DURATIONS:
        form.fail("nights", f"At most {MAX_DURATIONS} lengths can be offered.")
    return {**found, "durations": tuple(night * MINUTES_A_DAY for night in sorted(nights))}


def read_people(form: Form, people: Sequence[User], present: Sequence[ServiceHost]) -> list[ServiceHost]:
    """Who is qualified. Those who are switched off, whom the page does not show, stay as they are."""
    shown = {person.id for person in people}
    found = [host for host in present if host.host_id not in shown]
    return found + [_read_person(form, person.id) for person in people if person.id in form.all("people")]


def _read_person(form: Form, person_id: str) -> ServiceHost:
    return ServiceHost(
        person_id,
        is_fixed=person_id in form.all("fixed"),
        priority=form.optional_number(f"priority.{person_id}", Priority, "Please enter 0 to 1000, or nothing.") or 0,
        schedule_id=optional_id(form, f"hours.{person_id}", "There is no such schedule."),
        durations=_own_lengths(form, f"lengths.{person_id}"),
    )


def _own_lengths(form: Form, name: str) -> tuple[int, ...] | None:
    """The lengths somebody takes, None for all of them."""
    typed = [part.strip() for part in form.get(name).split(",") if part.strip()]
    if any(not part.isascii() or not part.isdecimal() or len(part) > LONGEST_LENGTH for part in typed):
        form.fail(name, "Please enter lengths in minutes, such as 30, 60, or nothing.")
        return None
    return tuple(dict.fromkeys(int(part) for part in typed)) or None


def read_needs(form: Form, resources: Sequence[Resource]) -> list[Need]:
    """How many of which resource a booking takes."""
    found = []
    for resource in resources:
        name = f"units.{resource.id}"
        units = form.optional_number(name, int, "Please enter a whole number, or nothing.")
        if units:
            form.checked(name, units, Quantity, f"There are {resource.quantity} of it.")
            found.append(Need(resource.id, units))
    return found


def form_name(field: str) -> str:
    """The form's name for a field of the use case."""
    first = field.split(".")[0]
    return {"location": "location_value", "durations": "custom", "items": "people"}.get(first, first)

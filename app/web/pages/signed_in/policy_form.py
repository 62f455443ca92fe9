"""The fields of the rules for cancelling and moving, which links and services share. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from app.domain.links import Link
from app.domain.money import is_currency, minor_digits
from app.domain.services import Service
from app.web.api.fields import Ahead, Currency, Money, Moves
from app.web.pages.signed_in.form import Form

UNITS = {"minutes": 1, "hours": 60, "days": 1440}
SPANS = ("cancel_until", "reschedule_until")
_AMOUNT = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,3}))?")


def policy_values(offer: Link | Service) -> dict[str, Any]:
    """What the fields show of what is kept."""
    currency = offer.fee_currency if isinstance(offer, Link) else offer.currency
    found: dict[str, Any] = {
        "max_reschedules": offer.max_reschedules,
        "cancel_fee": amount_text(offer.cancel_fee, currency),
    }
    for name in SPANS:
        minutes: int | None = getattr(offer, name)
        unit = (
            "hours" if not minutes else next(unit for unit in ("days", "hours", "minutes") if not minutes % UNITS[unit])
        )
        found[name] = None if minutes is None else minutes // UNITS[unit]
        found[f"{name}_unit"] = unit
    return found


def read_policy(form: Form, currency: str) -> dict[str, Any]:
    """The fields of links and services; the fee is one in `currency`. What is wrong is noted in the form."""
    return {
        **{name: _span(form, name) for name in SPANS},
        "max_reschedules": form.optional_number("max_reschedules", Moves, "Please enter 0 to 1000, or nothing."),
        "cancel_fee": read_amount(form, "cancel_fee", currency),
    }


def _span(form: Form, name: str) -> int | None:
    number = form.optional_number(name, Ahead, "Please enter a whole number, or nothing.")
    if number is None:
        return None
    unit = form.one_of(f"{name}_unit", UNITS, "Please choose minutes, hours or days.")
    minutes = number * UNITS.get(unit, 1)
    form.checked(name, minutes, Ahead, "A year at most can be asked for.")
    return minutes


def amount_text(amount: int | None, currency: str | None) -> str:
    """An amount in minor units as it is typed: `49.50`."""
    if amount is None:
        return ""
    digits = minor_digits(currency or "EUR")
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"


def read_amount(form: Form, name: str, currency: str) -> int | None:
    """A typed amount in minor units of a currency; None for nothing."""
    typed = form.get(name)
    if not typed:
        return None
    found, digits = _AMOUNT.fullmatch(typed), minor_digits(currency) if is_currency(currency) else 2
    if found is None or len(found[2] or "") > digits:
        form.fail(name, f"Please enter an amount such as {'49' if digits == 0 else '49 or 49.50'}.")
        return None
    minor = int(found[1]) * 10**digits + int((found[2] or "").ljust(digits, "0") or 0)
    return int(form.checked(name, minor, Money, "This amount is too large."))


def read_currency(form: Form, name: str) -> str:
    """A currency, whatever else is typed."""
    return form.text(name, Currency, "Please enter the three letters of a currency, such as EUR.")

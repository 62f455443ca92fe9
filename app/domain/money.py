"""Money is an integer number of minor units (cents, yen) of an ISO 4217 currency."""

from __future__ import annotations

from dataclasses import dataclass

from babel.numbers import get_currency_precision, list_currencies


@dataclass(frozen=True, slots=True)
class Price:
    """What a service costs; `deposit` is the part that is due at once (None: nothing is)."""

    amount: int
    deposit: int | None
    currency: str


def is_currency(code: str) -> bool:
    """Whether this is the code of a currency, in upper case."""
    return code in list_currencies()


def minor_digits(currency: str) -> int:
    """How many digits the minor unit has: 2 for EUR, 0 for JPY."""
    return int(get_currency_precision(currency))

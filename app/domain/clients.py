"""Clients: the people who book, known by their e-mail addresses and phone numbers; and those who are not to book."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.domain.bookings import Recipient

IdentityKind = Literal["email", "phone"]
BlockKind = Literal["email", "domain", "phone"]
Identity = tuple[IdentityKind, str]

_NATIONAL_ZERO = re.compile(r"\(0+\)")
_NOT_A_DIGIT = re.compile(r"[^0-9]")
_FEWEST_DIGITS = 5
_LABEL = re.compile(r"[^\s@.]+(\.[^\s@.]+)+")


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody with bookings. `email` and `phone` are as they are shown; `identities` is all they are known by."""

    id: str
    org_id: str
    name: str
    email: str | None
    phone: str | None
    notes: str | None
    version: int
    created_at: int
    updated_at: int
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A client's bookings in numbers, and the starts of the last one before and the next one after now."""

    bookings: int = 0
    cancelled: int = 0
    no_shows: int = 0
    last: int | None = None
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """An e-mail address, a domain with all below it, or a phone number that cannot book."""

    id: str
    org_id: str
    kind: BlockKind
    value: str
    reason: str | None
    created_by: str | None
    created_at: int


def email_key(address: str) -> str:
    """What an e-mail address is compared by: lower case. What follows a plus is part of it."""
    return address.strip().lower()


def phone_key(number: str) -> str | None:
    """What a phone number is compared by: its digits, with a + in front of an international one (00 counts as +), and
    without the zero in brackets that is not dialled from abroad. None for what is too short to tell people apart.

    A number written without its country stays what it is: nobody knows which country was meant.
    """
    text = _NATIONAL_ZERO.sub("", number.strip()) if number.strip().startswith(("+", "00")) else number.strip()
    digits = _NOT_A_DIGIT.sub("", text)
    if text.startswith("+"):
        found = "+" + digits
    elif digits.startswith("00"):
        found = "+" + digits[2:]
    else:
        found = digits
    return found if len(digits) >= _FEWEST_DIGITS else None


def identities_of(recipient: Recipient) -> tuple[Identity, ...]:
    """What a recipient can be known by."""
    phone = phone_key(recipient.phone) if recipient.phone else None
    found: list[Identity] = [("email", email_key(recipient.email))] if recipient.email else []
    if phone is not None:
        found.append(("phone", phone))
    return tuple(found)


def block_key(kind: BlockKind, value: str) -> str | None:
    """The value of a block as it is compared; None when it is none of its kind."""
    text = value.strip().lower()
    if kind == "phone":
        return phone_key(value)
    if kind == "email":
        name, _, domain = text.rpartition("@")
        return text if name and _LABEL.fullmatch(domain) else None
    domain = text.removeprefix("@").strip(".")
    return domain if _LABEL.fullmatch(domain) else None


def blocks_against(recipient: Recipient) -> tuple[tuple[BlockKind, str], ...]:
    """Every block that would keep this recipient out: their address, its domain and those above it, their number."""
    found: list[tuple[BlockKind, str]] = [(kind, value) for kind, value in identities_of(recipient)]
    labels = email_key(recipient.email).rpartition("@")[2].split(".")
    found += [("domain", ".".join(labels[index:])) for index in range(len(labels) - 1)]
    return tuple(found)


def merged(kept: Client, other: Client) -> Client:
    """One client of two: what the one that is kept lacks comes from the other, and so do its notes."""
    notes = "\n\n".join(text for text in (kept.notes, other.notes) if text) or None
    identities = tuple(dict.fromkeys((*kept.identities, *other.identities)))
    return Client(
        id=kept.id,
        org_id=kept.org_id,
        name=kept.name or other.name,
        email=kept.email or other.email,
        phone=kept.phone or other.phone,
        notes=notes,
        version=kept.version + 1,
        created_at=min(kept.created_at, other.created_at),
        updated_at=max(kept.updated_at, other.updated_at),
        identities=identities,
    )

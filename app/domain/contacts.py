"""Whom to suggest while an address is typed: what fits, and what comes first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.text_rules import LINE, is_email

SHORTEST = 3
"""Characters that have to be typed before anybody is suggested."""
MOST = 10
LONGEST_NAME = 200
KEY_LENGTH = 255
"""Of what a provider calls a contact; a longer one is not kept."""
_BEGINS, _BEGINS_A_WORD, _CONTAINS = range(3)
_WORD_ENDS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person with an address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A person to suggest; `source` is `bookings`, or the provider whose contact it is."""

    name: str
    email: str
    source: str


def best_suggestions(found: Iterable[tuple[str, Sequence[Contact]]], typed: str) -> list[Suggestion]:
    """At most `MOST` of what the sources have for the text: those that begin with it first, then those of which a word
    does, then those that contain it; what fits alike stays in the order it came in.

    An address counts once, whatever its case: for the first source that has it, under the first name anybody has for
    it. What does not fit the text by name or address, or is no e-mail address, is left out.
    """
    merged: dict[str, tuple[int, Suggestion]] = {}
    wanted = typed.strip().casefold()
    for source, contacts in found:
        for contact in contacts:
            rank = _rank(contact, wanted)
            if rank is None or not is_email(contact.email):
                continue
            suggestion = Suggestion(_line(contact.name), contact.email.lower(), source)
            known = merged.get(suggestion.email)
            if known is not None:
                first = known[1]
                rank = min(rank, known[0])
                suggestion = Suggestion(first.name or suggestion.name, first.email, first.source)
            merged[suggestion.email] = (rank, suggestion)
    ordered = sorted(merged.values(), key=lambda each: each[0])
    return [suggestion for _, suggestion in ordered[:MOST]]


def _rank(contact: Contact, wanted: str) -> int | None:
    """How well somebody fits a casefolded text; None when not at all."""
    texts = (contact.name.casefold(), contact.email.casefold())
    if any(text.startswith(wanted) for text in texts):
        return _BEGINS
    if any(_begins_a_word(text, wanted) for text in texts):
        return _BEGINS_A_WORD
    return _CONTAINS if any(wanted in text for text in texts) else None


def _begins_a_word(text: str, wanted: str) -> bool:
    return any(text.startswith(wanted, each.end()) for each in _WORD_ENDS.finditer(text))


def _line(name: str) -> str:
    """A name as one line; an address that stands where a name should is none."""
    line = " ".join(name.split())[:LONGEST_NAME]
    return line if re.search(LINE, line) and not is_email(line) else ""

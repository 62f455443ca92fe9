"""The shapes of names people choose: e-mail addresses, slugs, handles."""

from __future__ import annotations

import re

END = r"$(?!\n)"
"""The end of the text: Python's `$` alone would let one line feed pass. It means the same in a JSON Schema."""

_NO_TEXT = r"\x7f-\x9f\u2028\u2029\ufffe\uffff"  # DEL and C1, line separators, and what XML cannot hold
_NO_MARKS = rf"@\s\x00-\x20<>()\[\],;:\\\"{_NO_TEXT}"

EMAIL = rf"^[^{_NO_MARKS}]+@[^{_NO_MARKS}.]+(\.[^{_NO_MARKS}.]+)+{END}"
"""One mailbox, no display name, with a dotted domain; also valid as a JSON Schema pattern."""

SLUG = rf"^[a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])?{END}"

LINE = rf"^[^\x00-\x1f{_NO_TEXT}]*{END}"
"""One line of text without control characters."""

TEXT = rf"^[^\x00-\x08\x0b\x0c\x0e-\x1f{_NO_TEXT}]*{END}"
"""Lines of text: tab and line ends are fine, other control characters are not."""

UNFIT = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f{_NO_TEXT}\ud800-\udfff]")
"""What no text may hold; JSON bodies never bring surrogates, other ways in may."""

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,200}")

RESERVED_SLUGS = frozenset(
    {"app", "b", "booking", "dav", "feeds", "api", "schema", "health", "hooks", "static", "help", "embed.js", "metrics"}
    | {".well-known", "unsubscribe"}
)


ERASED_HOST = "@erased.invalid"
"""What the addresses of members who were forgotten end with: nothing is ever delivered there (RFC 6761 §6.4)."""


def is_email(text: str) -> bool:
    """Whether mail can be addressed to it."""
    return len(text.lower()) <= 254 and re.search(EMAIL, text) is not None


def is_token(text: str) -> bool:
    """Whether it can be a link's public token at all: `org.slug`, or that of a one-time link."""
    return _TOKEN.fullmatch(text) is not None


def slug_of(name: str, fallback: str = "link") -> str:
    """A slug made from a name."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-")
    return slug or fallback


def handle_of(email: str) -> str:
    """The beginning of a handle, from the local part of an e-mail address."""
    return re.sub(r"[^a-z0-9._-]+", "-", email.partition("@")[0].lower()).strip("-._")[:48] or "user"

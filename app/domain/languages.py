"""Languages of people, as BCP 47 tags (RFC 5646), and which of them there are words in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.errors import Invalid
from app.domain.text_rules import END

SOURCE = "en"
"""What everything is written in, and falls back to."""
LANGUAGES = (SOURCE, "de", "fr", "es", "ar")
"""What recipients and guests are told things in."""
MAX_TAG = 35
"""Characters of a tag (RFC 5646 §4.4.1)."""
TAG = (
    r"^[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[A-WYZa-wyz0-9](-[A-Za-z0-9]{2,8})+)*"
    rf"(-[Xx](-[A-Za-z0-9]{{1,8}})+)?{END}"
)
"""Language, script, region, variants and extensions; also valid as a JSON Schema pattern."""
MAX_HEADER = 200

_TAG = re.compile(TAG)


def checked_tag(text: str, field: str = "language") -> str:
    """A tag as it is kept; `Invalid` when it is none."""
    if len(text) > MAX_TAG or not _TAG.search(text):
        raise Invalid.field(field, "This is not a language tag such as de or de-AT.")
    return canonical(text)


def canonical(tag: str) -> str:
    """In the usual letters (RFC 5646 §2.1.1): `zh-hant-tw` is `zh-Hant-TW`."""
    language, *parts = tag.lower().split("-")
    written = [language]
    for part in parts:
        is_extension = any(len(before) == 1 for before in written)
        cased = {2: part.upper(), 4: part.title()}.get(len(part), part)
        written.append(part if is_extension else cased)
    return "-".join(written)


def spoken(tag: str, offered: Sequence[str] = LANGUAGES) -> str | None:
    """Which of those offered has the words for a tag: itself, or what is left when its last parts are taken off
    (RFC 4647 §3.4). None when there is none."""
    parts = canonical(tag).split("-")
    return next((name for end in range(len(parts), 0, -1) if (name := "-".join(parts[:end])) in offered), None)


def region_of(tag: str) -> str | None:
    """`AT` of `de-AT`, `419` of `es-419`."""
    for part in canonical(tag).split("-")[1:]:
        if len(part) == 1:
            return None
        if (len(part) == 3 and part.isdecimal()) or (len(part) == 2 and part.isupper()):
            return part
    return None


def accepted(header: str | None) -> list[str]:
    """The tags of an `Accept-Language` by falling quality (RFC 9110 §12.5.4), as they were sent."""
    weighted: list[tuple[float, int, str]] = []
    for part in (header or "")[:MAX_HEADER].split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if tag and tag != "*" and weight > 0:
            weighted.append((-weight, len(weighted), tag))
    return [tag for _, _, tag in sorted(weighted)]


def negotiated(header: str | None, offered: Sequence[str] = LANGUAGES) -> str | None:
    """The tag, region and all, that a reader likes best of those there are words in; where there are words in none, the
    first one, for the form of its dates. None when nothing is said."""
    tags = [canonical(tag) for tag in accepted(header) if len(tag) <= MAX_TAG and _TAG.search(tag)]
    return next((tag for tag in tags if spoken(tag, offered)), tags[0] if tags else None)

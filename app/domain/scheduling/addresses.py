"""Calendar user addresses (RFC 6638 §2.4.1): the several ways in which one person is written."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

PRINCIPAL_PATH = "/dav/principals/"
MAILTO = "mailto:"
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@lru_cache(maxsize=10_000)
def address_key(address: str) -> str:
    """The address in the one form that is compared: an e-mail address by its lower case, a principal by its path."""
    text = address.strip()
    lower = text.lower()
    if _CONTROL.search(unquote(lower)):  # nobody's, and no database takes it
        return quote(lower)
    if lower.startswith(MAILTO):
        return MAILTO + unquote(lower.removeprefix(MAILTO)).strip()
    try:
        path = unquote(urlsplit(text).path)
    except ValueError:
        return lower
    if path.startswith(PRINCIPAL_PATH):
        return PRINCIPAL_PATH + path.removeprefix(PRINCIPAL_PATH).strip("/").lower()
    return lower


def normal_address(address: str) -> str:
    """The address with `mailto:` as everybody writes it; all else as it is."""
    text = address.strip()
    return MAILTO + text[len(MAILTO) :] if text[: len(MAILTO)].lower() == MAILTO else address


def keys_of(user_id: str, email: str, handle: str) -> frozenset[str]:
    """All addresses of a person of this server, as `address_key` writes them."""
    return frozenset({f"{MAILTO}{email.lower()}", f"{PRINCIPAL_PATH}{handle.lower()}", f"urn:uuid:{user_id.lower()}"})


def email_in(key: str) -> str | None:
    """The e-mail address of a key, None when it is none that mail could go to."""
    email = key.removeprefix(MAILTO)
    local, at, domain = email.rpartition("@")
    plain = at and local and domain and not any(char.isspace() or char in '<>(),;:"' for char in email)
    return email if key.startswith(MAILTO) and plain else None

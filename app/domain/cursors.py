"""Opaque places in lists: what `?cursor=` carries."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar
from uuid import UUID

from app.domain.errors import Invalid

Item = TypeVar("Item")
Kind = Literal["id", "number"]
_LARGEST = 2**53


def encode_cursor(*parts: str | int) -> str:
    """The place behind the item that sorts at `parts`."""
    return base64.urlsafe_b64encode("|".join(str(part) for part in parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: Kind) -> list[Any]:
    """Its parts, ids as text and numbers as int; `Invalid` for anything this program did not make."""
    try:
        parts = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode().split("|")
        found = [_part(part, kind) for part, kind in zip(parts, kinds, strict=True)]
    except (binascii.Error, ValueError) as problem:
        raise Invalid.field("cursor", "This cursor is not one this server gave.") from problem
    return found


def _part(text: str, kind: Kind) -> str | int:
    if kind == "id":
        return str(UUID(text))
    number = int(text)
    if abs(number) > _LARGEST or str(number) != text:
        raise ValueError("not a number this program writes")
    return number


def cut(
    items: Sequence[Item], id_of: Callable[[Item], str], limit: int, cursor: str | None
) -> tuple[list[Item], str | None]:
    """One page of a list that is short by nature, in the order of ids, and the cursor of the next page."""
    after = decode_cursor(cursor, "id")[0] if cursor is not None else ""
    rest = sorted((item for item in items if id_of(item) > after), key=id_of)
    page = rest[:limit]
    return page, encode_cursor(id_of(page[-1])) if len(rest) > limit else None

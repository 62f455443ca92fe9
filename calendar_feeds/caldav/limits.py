"""No more results than a client wants (C:limit as in RFC 6352 §10.6, or DAV:limit of RFC 5323 §5.17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from calendar_feeds.caldav.xml import CALDAV, DAV, Element, name, text, text_of
from calendar_feeds.messages import Refusal

Item = TypeVar("Item")
_DIGITS = 9
"""A limit with more is none: there is nothing of which there is so much."""


def limit_in(root: Element) -> int | None:
    """The number of results that a report asks for at most; None without such a wish."""
    for namespace in (CALDAV, DAV):
        limit = root.find(name("limit", namespace))
        if limit is not None:
            number = text_of(limit.find(name("nresults", namespace))).lstrip("0")
            if not (number.isascii() and number.isdecimal()):
                raise Refusal(400, detail="The nresults of a limit is a number from 1 on.")
            return int(number) if len(number) <= _DIGITS else None
    return None


def cut(items: Sequence[Item], limit: int | None) -> tuple[Sequence[Item], bool]:
    """As many as are wanted, and whether there are more."""
    return (items, False) if limit is None or len(items) <= limit else (items[:limit], True)


def cut_response(href: str) -> str:
    """The response that says so for the resource that was asked."""
    return (
        f"<D:response><D:href>{text(href)}</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status>"
        "<D:error><D:number-of-matches-within-limits/></D:error></D:response>"
    )

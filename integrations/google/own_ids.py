"""What our events are called at Google.

An id made from the UID makes inserting idempotent. Google keeps the ids of deleted events for ever, so an id ends in a
generation that rises each time the event is made anew. The UID itself stands in a private property; it counts only on
the event whose id was made from it, since a person's copy of our event carries the property along.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

UID_PROPERTY = "halfpastUid"


def own_id(uid: str, generation: int) -> str:
    """An event id in Google's alphabet (a-v, 0-9)."""
    return f"{_stem(uid)}g{generation}"


def generation_of(event_id: str | None, uid: str) -> int | None:
    """Which generation of the UID's event this is; None when it is none."""
    found = re.fullmatch(rf"{_stem(uid)}g(\d{{1,6}})", event_id or "")
    return int(found[1]) if found else None


def uid_of(event: Mapping[str, Any]) -> str | None:
    """The event's UID: ours when the event is ours, else Google's. None where Google does not say it."""
    event_id = str(event.get("recurringEventId") or event.get("id", ""))
    ours = ((event.get("extendedProperties") or {}).get("private") or {}).get(UID_PROPERTY)
    if ours and generation_of(event_id, ours) is not None:
        return str(ours)
    return event.get("iCalUID") or None


def _stem(uid: str) -> str:
    digest = hashlib.sha256(uid.encode("utf-8", "surrogatepass")).digest()[:20]
    return "hp" + base64.b32hexencode(digest).decode().lower()

"""Google Meet on our events. The Calendar API makes conferences by request, now or in a while (`pending`)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def asked_for(event_id: str, etag: str = "") -> Json:
    """`conferenceData` that asks for a Meet. Google ignores a request whose id it had before, so that one and the same
    write asks once, and a later one anew."""
    digest = hashlib.sha256(f"{event_id} {etag}".encode()).hexdigest()
    return {"createRequest": {"requestId": digest[:32], "conferenceSolutionKey": {"type": "hangoutsMeet"}}}


def has_conference(event: Mapping[str, Any]) -> bool:
    """Whether there is one, or one on its way."""
    return bool(join_url(event)) or is_pending(event)


def is_pending(event: Mapping[str, Any]) -> bool:
    """Whether one was asked for and is not there yet."""
    status = ((event.get("conferenceData") or {}).get("createRequest") or {}).get("status") or {}
    return status.get("statusCode") == "pending"


def join_url(event: Mapping[str, Any]) -> str | None:
    """Where to join by video, whoever added the conference."""
    for entry in (event.get("conferenceData") or {}).get("entryPoints") or ():
        if entry.get("entryPointType") == "video" and entry.get("uri"):
            return str(entry["uri"])
    return event.get("hangoutLink") or None

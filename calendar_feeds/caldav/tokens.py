"""Sync tokens (RFC 6578 §3): the collection's id and its revision in an opaque URI.

Deletions are kept as tombstones with revisions of their own, so a token of any age holds as long as its collection.
"""

from __future__ import annotations

import re

from app.domain.calendars import Calendar
from calendar_feeds.messages import Refusal

_TOKEN = re.compile(r"halfpast:sync:([0-9a-f-]{36}):([0-9]{1,18})")


def sync_token(calendar: Calendar, revision: int | None = None) -> str:
    """The token of the collection at a revision, by default its current one."""
    return f"halfpast:sync:{calendar.id}:{calendar.revision if revision is None else revision}"


def revision_of(calendar: Calendar, token: str) -> int:
    """The revision a client last saw; 0 for an empty token (everything). A token that is garbage, another
    collection's or from a future this database does not know is 403 with DAV:valid-sync-token."""
    if not token:
        return 0
    match = _TOKEN.fullmatch(token)
    if match and match[1] == calendar.id and int(match[2]) <= calendar.revision:
        return int(match[2])
    raise Refusal(403, "<D:valid-sync-token/>", "This sync token is not known here: start anew without one.")


def ctag(calendar: Calendar) -> str:
    """What changes with every change of the collection (calendarserver.org's older word for it)."""
    return f'"{calendar.id}-{calendar.revision}"'

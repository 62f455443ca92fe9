"""If-Match and If-None-Match (RFC 9110 §13.1), If-Schedule-Tag-Match (RFC 6638 §8.3)."""

from __future__ import annotations

from app.use_cases.calendar_objects import Conditions
from calendar_feeds.messages import Request, entity_tags


def conditions_of(request: Request) -> Conditions:
    """The conditions a request carries."""
    named = ("if-match", "if-none-match", "if-schedule-tag-match")
    return Conditions(*(entity_tags(request.header(each)) for each in named))

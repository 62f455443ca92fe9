"""If-Match and If-None-Match (RFC 9110 §13.1)."""

from __future__ import annotations

from app.use_cases.calendar_objects import Conditions
from calendar_feeds.messages import Request, entity_tags


def conditions_of(request: Request) -> Conditions:
    """The conditions a request carries."""
    return Conditions(entity_tags(request.header("if-match")), entity_tags(request.header("if-none-match")))

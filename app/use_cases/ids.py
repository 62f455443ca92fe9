"""Identifiers."""

from __future__ import annotations

from uuid import UUID

import uuid_utils


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): rises with time, so that ids page lists in order."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether it is written as ids are. What is not must not be asked for: PostgreSQL's ids are UUIDs."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False

"""Identifiers."""

from __future__ import annotations

import uuid_utils


def new_id() -> str:
    """A UUIDv7 (RFC 9562 §5.7): rises with time, so that ids page lists in order."""
    return str(uuid_utils.uuid7())

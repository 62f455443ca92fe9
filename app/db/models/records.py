"""What was looked at."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from app.db.models.columns import Id, identity, instant, metadata, org, ref

view_events = Table(
    "view_events",
    metadata,
    identity(),
    org(),
    ref("link_id", "links"),
    Column("service_id", Id),
    instant("at"),
    Column("referrer", String(253)),  # the host alone; NULL: none was sent, or it is this server
    Index("ix_view_events_org_id", "org_id", "at"),
    Index("ix_view_events_link_id", "link_id", "at"),
    Index("ix_view_events_service_id", "service_id", "at"),
)

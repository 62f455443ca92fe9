"""What can be booked, and with whom: hosts and their hours, links, services, resources."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from app.db.models.columns import Id, Instant, Json, identity, instant, metadata, org, ref

hosts = Table(
    "hosts",
    metadata,
    identity(),  # equal to the user's id for a host of kind `user`
    org(),
    Column("kind", String(16), nullable=False),
    ref("user_id", "users", nullable=True),
    Column("name", String(200), nullable=False),
    Column("max_per_day", Integer),
    Column("max_per_week", Integer),
    Column("revision", BigInteger, nullable=False, server_default="0"),  # rises with whatever may change free times
    Column("bookings_revision", BigInteger, nullable=False, server_default="0"),  # rises with every booking's change
    Column("bookings_changed_at", Instant, nullable=False, server_default="0"),
    Column("resource_id", Id),
    Column("unit", Integer),  # of a resource: 1, 2, ...
    Index("ix_hosts_org_id", "org_id"),
    Index("ix_hosts_resource_id", "resource_id"),
)

schedules = Table(
    "schedules",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("name", String(200), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("weekly", Json, nullable=False),
    Column("overrides", Json, nullable=False),
    Column("exclusions", Json, nullable=False),
    Column("holiday_country", String(16)),
    Column("version", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_schedules_user_id", "user_id"),
    Index(
        "uq_schedules_default",
        "user_id",
        unique=True,
        sqlite_where=text("is_default"),
        postgresql_where=text("is_default"),
    ),
)

time_off = Table(
    "time_off",
    metadata,
    identity(),
    org(),
    ref("host_id", "hosts"),
    instant("start_at"),
    instant("end_at"),
    Column("reason", String(500), nullable=False),
    instant("created_at"),
    Index("ix_time_off_host_id_end_at", "host_id", "end_at"),
)

templates = Table(
    "templates",
    metadata,
    identity(),
    org(),
    Column("name", String(200), nullable=False),
    Column("questions", Json, nullable=False),
    Column("email_followup_enabled", Boolean, nullable=False),
    Column("followup", Json, nullable=False),
    Column("version", Integer, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_templates_org_id", "org_id"),
)

links = Table(
    "links",
    metadata,
    identity(),
    org(),
    ref("owner_id", "users"),
    Column("slug", String(100), nullable=False),
    Column("title", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("mode", String(16), nullable=False),
    ref("schedule_id", "schedules", nullable=True, ondelete="SET NULL"),
    ref("template_id", "templates", nullable=True, ondelete="SET NULL"),
    Column("service_id", Id),
    Column("durations", Json, nullable=False),
    Column("step", Integer),
    Column("buffer_before", Integer, nullable=False),
    Column("buffer_after", Integer, nullable=False),
    Column("minimum_notice", Integer, nullable=False),
    Column("horizon_days", Integer),
    Column("date_from", String(10)),
    Column("date_to", String(10)),
    Column("max_per_day", Integer),
    Column("max_per_week", Integer),
    Column("requires_approval", Boolean, nullable=False),
    Column("location", Json, nullable=False),
    Column("version", Integer, nullable=False),
    instant("deleted_at", nullable=True),
    Column("cancel_on_decline", Boolean, nullable=False, server_default=text("false")),
    instant("created_at"),
    instant("updated_at"),
    Column("hand_back", Boolean, nullable=False, server_default=text("false")),
    Column("cancel_until", Integer),  # minutes before the start
    Column("reschedule_until", Integer),
    Column("max_reschedules", Integer),
    Column("cancel_fee", Integer),
    Column("fee_currency", String(3)),
    Column("reminders", Json),
    Column("max_repeats", Integer),
    Index(
        "uq_links_org_id_slug",
        "org_id",
        "slug",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_links_owner_id", "owner_id", "id"),
)

offer_hosts = Table(
    "offer_hosts",
    metadata,
    Column("offer_id", Id, primary_key=True),  # a service, or a link that offers none
    Column("host_id", Id, ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(8), nullable=False, server_default="pool"),  # pool | fixed | unit
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("needed", Integer, nullable=False, server_default="1"),  # of a unit: how many of its resource
    ref("schedule_id", "schedules", nullable=True, ondelete="SET NULL"),  # hours of its own for this service
    Column("durations", Json),  # those the host takes; NULL is all
    Index("ix_offer_hosts_host_id", "host_id"),
)

services = Table(
    "services",
    metadata,
    identity(),
    org(),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("category", String(100), nullable=False),
    Column("color", String(7)),
    Column("image_url", String(2000)),
    Column("durations", Json, nullable=False),
    Column("step", Integer),
    Column("buffer_before", Integer, nullable=False),
    Column("buffer_after", Integer, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("price", Integer),
    Column("deposit", Integer),
    Column("currency", String(3)),
    Column("location", Json, nullable=False),
    ref("template_id", "templates", nullable=True, ondelete="SET NULL"),
    ref("schedule_id", "schedules", nullable=True, ondelete="SET NULL"),
    Column("is_active", Boolean, nullable=False),
    Column("hand_back", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    instant("deleted_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("capacity", Integer, nullable=False, server_default="1"),
    Column("is_scheduled", Boolean, nullable=False, server_default=text("false")),  # offered in sessions alone
    Column("check_in", String(5)),  # wall time; both are set for stays by the night
    Column("check_out", String(5)),
    Column("requires_approval", Boolean, nullable=False, server_default=text("false")),
    Column("cancel_until", Integer),  # minutes before the start
    Column("reschedule_until", Integer),
    Column("max_reschedules", Integer),
    Column("cancel_fee", Integer),
    Column("reminders", Json),
    Column("max_repeats", Integer),
    Index("ix_services_org_id", "org_id", "id"),
)

resources = Table(
    "resources",
    metadata,
    identity(),
    org(),
    Column("name", String(180), nullable=False),
    Column("kind", String(16), nullable=False),  # room | chair | equipment | other
    Column("description", Text, nullable=False),
    Column("color", String(7)),
    Column("quantity", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    instant("deleted_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_resources_org_id", "org_id", "id"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    identity(),
    org(),
    ref("link_id", "links"),
    Column("token_lookup", String(64), nullable=False, unique=True),
    Column("token_sealed", Text, nullable=False),
    Column("recipient_email", String(254)),
    Column("slots", Json, nullable=False),
    instant("expires_at", nullable=True),
    Column("status", String(16), nullable=False),
    Column("booking_id", Id),
    instant("created_at"),
    Index("ix_one_time_links_link_id", "link_id", "id"),
)

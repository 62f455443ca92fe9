"""What is to be done and told, and what was told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from app.db.models.columns import Id, Json, identity, instant, metadata, org, ref

outbox = Table(
    "outbox",
    metadata,
    identity(),
    org(),
    Column("lane", String(200), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(8), nullable=False),  # pending | dead
    Column("requested", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    instant("run_at"),
    Column("lease_owner", String(64)),
    instant("lease_until", nullable=True),
    Column("last_error", Text),
    instant("created_at"),
    instant("updated_at"),
    Index("ix_outbox_due", "state", "run_at"),
    Index("ix_outbox_subject_id", "subject_id"),
    Index("ix_outbox_org_id", "org_id", "state"),
)

mail_deliveries = Table(
    "mail_deliveries",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(254), primary_key=True),
    Column("kind", String(16), primary_key=True),  # state | followup | conflict
    org(),
    Column("status", String(16), nullable=False),  # the booking's status that was told
    Column("sequence", Integer, nullable=False),
    Column("message_id", String(255), nullable=False),
    instant("sent_at"),
)

scheduling_mails = Table(
    "scheduling_mails",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("uid", String(1000), primary_key=True),
    Column("address", String(254), primary_key=True),
    org(),
    instant("sent_at"),
    Column("mails", Integer, nullable=False),  # within a day
    Index("ix_scheduling_mails_sent_at", "user_id", "sent_at"),
    Index("ix_scheduling_mails_uid", "uid", "address"),
)

reminders_sent = Table(
    "reminders_sent",
    metadata,
    Column("booking_id", Id, ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    Column("reminder", String(40), primary_key=True),
    Column("target", String(40), primary_key=True),  # recipient, or the id of a user
    Column("start_at", BigInteger, primary_key=True),  # of the booking as it was told
    org(),
    instant("sent_at"),
)

notifications = Table(
    "notifications",
    metadata,
    identity(),
    org(),
    ref("user_id", "users"),
    Column("kind", String(16), nullable=False),  # new | confirmed | changed | cancelled | reminder
    ref("booking_id", "bookings"),
    Column("sequence", Integer, nullable=False),  # the booking's, as it was told
    instant("created_at"),
    instant("read_at", nullable=True),
    Index("ix_notifications_user_id", "user_id", "id"),
    Index(
        "ix_notifications_unread",
        "user_id",
        "id",
        sqlite_where=text("read_at IS NULL"),
        postgresql_where=text("read_at IS NULL"),
    ),
    Index("ix_notifications_booking_id", "booking_id"),
)

notification_settings = Table(
    "notification_settings",
    metadata,
    Column("user_id", Id, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    org(),
    Column("phone", String(20)),  # E.164
    Column("channels", Json, nullable=False),  # of each kind of news, a list
    Column("quiet_from", String(5)),  # wall time of the user's zone
    Column("quiet_to", String(5)),
    Column("digest", String(8), nullable=False),  # off | daily | weekly
    Column("digest_at", String(5), nullable=False),
    Column("version", Integer, nullable=False),
    instant("updated_at"),
)

unsubscribed = Table(
    "unsubscribed",
    metadata,
    Column("org_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True),
    Column("address_lookup", String(64), primary_key=True),  # a keyed hash: it tells nobody's address
    instant("created_at"),
)

"""The columns that tables have in common."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    MetaData,
    String,
    Uuid,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = Uuid(as_uuid=False).with_variant(String(36), "sqlite")
Json = JSON()  # not JSONB, which forgets the order of keys: answers are shown in the order of their questions
Instant = BigInteger

MAX_SPAN = 31 * 86400
"""Longest claim or stored busy interval, seconds. Overlap queries look back this far, so an index on the start
bounds them whatever the past holds; longer busy time is stored in pieces."""


def identity() -> Column[str]:
    return Column("id", Id, primary_key=True)


def org() -> Column[str]:
    return Column("org_id", Id, ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False)


def ref(name: str, target: str, *, nullable: bool = False, ondelete: str = "CASCADE") -> Column[str]:
    return Column(name, Id, ForeignKey(f"{target}.id", ondelete=ondelete), nullable=nullable)


def instant(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Instant, nullable=nullable)

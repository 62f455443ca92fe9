"""What each address was told of a booking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.mail_log import Delivery, DeliveryKind

_COLUMNS = [m.mail_deliveries.c[name] for name in Delivery.__dataclass_fields__]
_KEY = ("booking_id", "address", "kind")


class SqlMailLog:
    """`MailLog` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def of_booking(self, booking_id: str, kind: DeliveryKind) -> list[Delivery]:
        log = m.mail_deliveries.c
        query = select(*_COLUMNS).where(log.booking_id == booking_id, log.kind == kind).order_by(log.address)
        return [Delivery(*row) for row in await self._db.execute(query)]

    async def to_address(self, address: str, booking_ids: Sequence[str], kind: DeliveryKind) -> dict[str, Delivery]:
        log = m.mail_deliveries.c
        query = select(*_COLUMNS).where(log.booking_id.in_(list(booking_ids)), log.address == address, log.kind == kind)
        return {row.booking_id: Delivery(*row) for row in await self._db.execute(query)}

    async def record(self, delivery: Delivery) -> None:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        values = {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
        booked, users = m.bookings.c, m.users.c
        told = [literal(value, m.mail_deliveries.c[name].type).label(name) for name, value in values.items()]
        is_host = exists().where(users.org_id == delivery.org_id, users.email == delivery.address)
        # A mail may be on its way while whom it goes to is forgotten.
        known = select(*told).where(booked.id == delivery.booking_id, or_(booked.erased_at.is_(None), is_host))
        known = known.with_for_update(read=True, of=m.bookings)
        statement = dialect.insert(m.mail_deliveries).from_select(list(values), known)
        await self._db.execute(
            statement.on_conflict_do_update(
                index_elements=list(_KEY),
                set_={name: statement.excluded[name] for name in values if name not in _KEY},
            )
        )

"""What is known of a person who books: found, and forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.erased_members import forget_member
from app.db.person_export import SECTIONS, export_page
from app.domain.calendars import BUILTIN
from app.domain.mentions import mentions
from app.ports.personal_data import Keeping

_BOOKED, _OBJECTS, _OUTBOX = m.bookings.c, m.calendar_objects.c, m.outbox.c
_CLIENTS, _KNOWN, _BLOCKED = m.clients.c, m.client_identities.c, m.blocked_recipients.c


class SqlPersonalData:
    """`PersonalData` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def keeping(self, org_id: str) -> Keeping:
        own = m.organizations.c
        row = (await self._db.execute(select(own.retention_days, own.audit_days).where(own.id == org_id))).one_or_none()
        return Keeping(row[0], row[1]) if row else Keeping()

    async def keep(self, org_id: str, keeping: Keeping) -> None:
        values = {"retention_days": keeping.recipients, "audit_days": keeping.audit}
        await self._db.execute(update(m.organizations).where(m.organizations.c.id == org_id).values(**values))

    async def organizations(self) -> list[str]:
        return list(await self._db.scalars(select(m.organizations.c.id).order_by(m.organizations.c.id)))

    async def addresses_of(self, org_id: str, email: str) -> list[str]:
        clients = select(_KNOWN.client_id).where(_KNOWN.org_id == org_id, _KNOWN.kind == "email", _KNOWN.value == email)
        others = select(_KNOWN.value).where(_KNOWN.client_id.in_(clients), _KNOWN.kind == "email")
        return sorted({email, *await self._db.scalars(others)})

    async def bookings_of(self, org_id: str, email: str, limit: int) -> list[str]:
        clients = select(_KNOWN.client_id).where(_KNOWN.org_id == org_id, _KNOWN.kind == "email", _KNOWN.value == email)
        theirs = or_(func.lower(_BOOKED.recipient_email) == email, _BOOKED.client_id.in_(clients))
        return await self._ids(_BOOKED.org_id == org_id, theirs, _BOOKED.erased_at.is_(None), limit=limit)

    async def is_erased(self, booking_id: str) -> bool:
        return await self._db.scalar(select(_BOOKED.erased_at).where(_BOOKED.id == booking_id)) is not None

    async def bookings_with_guest(self, org_id: str, email: str, limit: int) -> list[str]:
        return await self._ids(_BOOKED.org_id == org_id, _names(_BOOKED.guests, email), limit=limit)

    async def ended_before(self, org_id: str, instant: int, limit: int) -> list[str]:
        # A booking begins before it ends: the index on the start bounds what is looked at.
        where = (_BOOKED.org_id == org_id, _BOOKED.start_at < instant, _BOOKED.end_at < instant)
        return await self._ids(*where, _BOOKED.erased_at.is_(None), _BOOKED.capacity.is_(None), limit=limit)

    async def _ids(self, *where: ColumnElement[bool], limit: int) -> list[str]:
        query = select(_BOOKED.id).where(*where).order_by(_BOOKED.start_at, _BOOKED.id).limit(limit)
        return list(await self._db.scalars(query))

    async def forget_booking(self, booking_id: str, addresses: Sequence[str], now: int) -> None:
        notes, events, told = m.event_notes.c, m.calendar_events.c, m.mail_deliveries.c
        await self._forget_told(booking_id, addresses)
        is_user = exists().where(m.users.c.org_id == told.org_id, m.users.c.email == told.address)
        former = delete(m.mail_deliveries).where(told.booking_id == booking_id, ~is_user)  # who was a guest once
        await self._db.execute(former)
        await self._db.execute(update(m.outbox).where(_OUTBOX.subject_id == booking_id).values(last_error=None))
        await self._db.execute(update(m.event_notes).where(notes.booking_id == booking_id).values(data="", plain=""))
        await self._db.execute(update(m.calendar_events).where(events.booking_id == booking_id).values(error=None))
        await self._blank_objects(booking_id)
        await self._forget_kept(booking_id)
        values = {"erased_at": now, "client_id": None}
        await self._db.execute(update(m.bookings).where(_BOOKED.id == booking_id).values(**values))

    async def forget_guest(self, booking_id: str, email: str) -> None:
        await self._forget_told(booking_id, [email])
        await self._blank_objects(booking_id)

    async def _forget_kept(self, booking_id: str) -> None:
        """What devices sent of its event and could not be taken: they sent whom it is with along."""
        kept = m.kept_edits.c
        own = select(_BOOKED.org_id, _BOOKED.uid).where(_BOOKED.id == booking_id)
        org_id, uid = (await self._db.execute(own)).one()
        of_it = or_(kept.name == f"{booking_id}.ics", kept.data.contains(uid, autoescape=True))
        await self._db.execute(delete(m.kept_edits).where(kept.org_id == org_id, of_it))

    async def _forget_told(self, booking_id: str, addresses: Sequence[str]) -> None:
        """A recurring set is told of in mails of its first booking."""
        if not addresses:
            return
        told, lower = m.mail_deliveries.c, [address.lower() for address in addresses]
        await self._db.execute(delete(m.mail_deliveries).where(told.booking_id == booking_id, told.address.in_(lower)))
        series = await self._db.scalar(select(_BOOKED.series_id).where(_BOOKED.id == booking_id))
        subjects = [key for key in (booking_id, series) if key is not None]
        named = or_(*(_names(_OUTBOX.payload, address) for address in {*addresses, *lower}))
        await self._db.execute(delete(m.outbox).where(_OUTBOX.subject_id.in_(subjects), named))

    async def _blank_objects(self, booking_id: str) -> None:
        """Its events that are gone from our own calendars, and what was read of it from connected ones, which say it
        anew when they are written."""
        uid = await self._db.scalar(select(_BOOKED.uid).where(_BOOKED.id == booking_id))
        connected = select(m.calendars.c.id).where(m.calendars.c.provider != BUILTIN)
        gone = and_(_OBJECTS.booking_id == booking_id, _OBJECTS.deleted)
        read = and_(_OBJECTS.calendar_id.in_(connected), or_(_OBJECTS.booking_id == booking_id, _OBJECTS.uid == uid))
        await self._db.execute(update(m.calendar_objects).where(or_(gone, read)).values(data=""))

    async def forget_address(self, org_id: str, email: str) -> int:
        count = await self._forget_client(org_id, email)
        links, kept, mails = m.one_time_links.c, m.kept_edits.c, m.scheduling_mails.c
        addressed = and_(links.org_id == org_id, func.lower(links.recipient_email) == email)
        statements = (
            update(m.one_time_links).where(addressed).values(recipient_email=None),
            delete(m.blocked_recipients).where(
                _BLOCKED.org_id == org_id, _BLOCKED.kind == "email", _BLOCKED.value == email
            ),
            delete(m.kept_edits).where(kept.id.in_(await self._mentioning(kept, kept.data, org_id, email))),
            delete(m.kept_edits).where(kept.id.in_(await self._mentioning(kept, kept.reason, org_id, email))),
            delete(m.scheduling_mails).where(mails.org_id == org_id, mails.address == email),
            delete(m.mail_deliveries).where(
                m.mail_deliveries.c.org_id == org_id, m.mail_deliveries.c.address == email, ~_is_host(org_id, email)
            ),
            delete(m.outbox).where(_OUTBOX.org_id == org_id, _names(_OUTBOX.payload, email)),
            update(m.outbox)
            .where(_OUTBOX.id.in_(await self._mentioning(_OUTBOX, _OUTBOX.last_error, org_id, email)))
            .values(last_error=None),
        )
        for statement in statements:
            count += int((await self._db.execute(statement)).rowcount)
        return count

    async def forget_member(self, user_id: str, now: int) -> None:
        await forget_member(self._db, user_id, now)

    async def forget_contacts(self, org_id: str, email: str) -> list[tuple[str, str | None]]:
        added = m.added_contacts.c
        gone = delete(m.added_contacts).where(added.org_id == org_id, added.email == email)
        return [(row[0], row[1]) for row in await self._db.execute(gone.returning(added.account_id, added.key))]

    async def forget_unknown_contacts(self, org_id: str, emails: Sequence[str]) -> list[tuple[str, str | None]]:
        added = m.added_contacts.c
        booked = func.lower(_BOOKED.recipient_email).in_(list(emails))
        query = select(func.lower(_BOOKED.recipient_email)).where(_BOOKED.org_id == org_id, booked).distinct()
        gone = sorted(set(emails) - set(await self._db.scalars(query)))
        if not gone:
            return []
        theirs = delete(m.added_contacts).where(added.org_id == org_id, added.email.in_(gone))
        return [(row[0], row[1]) for row in await self._db.execute(theirs.returning(added.account_id, added.key))]

    async def forget_one_time_links(self, org_id: str, before: int, limit: int) -> int:
        links = m.one_time_links.c
        is_over = or_(links.status != "open", links.expires_at < before)
        old = select(links.id).where(
            links.org_id == org_id, links.recipient_email.is_not(None), links.created_at < before, is_over
        )
        gone = update(m.one_time_links).where(links.id.in_(old.limit(limit))).values(recipient_email=None)
        return int((await self._db.execute(gone)).rowcount)

    async def forget_work(self, org_id: str, before: int, limit: int) -> int:
        sent = m.scheduling_mails.c
        dead = select(_OUTBOX.id).where(_OUTBOX.org_id == org_id, _OUTBOX.state == "dead", _OUTBOX.updated_at < before)
        told = select(sent.user_id).where(sent.org_id == org_id, sent.sent_at < before).limit(limit)
        statements = (
            delete(m.outbox).where(_OUTBOX.id.in_(dead.limit(limit))),
            delete(m.scheduling_mails).where(sent.user_id.in_(told), sent.sent_at < before),
        )
        return max([int((await self._db.execute(statement)).rowcount) for statement in statements])

    async def _mentioning(self, columns: Any, column: Any, org_id: str, email: str) -> list[str]:
        """Ids of rows with the address in a text."""
        query = select(columns.id, column).where(columns.org_id == org_id, _has(column, email))
        found = mentions([email])
        return [row[0] for row in await self._db.execute(query) if found.search(row[1])]

    async def _forget_client(self, org_id: str, email: str) -> int:
        query = select(_KNOWN.client_id).where(_KNOWN.org_id == org_id, _KNOWN.kind == "email", _KNOWN.value == email)
        clients = list(await self._db.scalars(query))
        if not clients:
            return 0
        numbers = select(_KNOWN.value).where(_KNOWN.client_id.in_(clients), _KNOWN.kind == "phone")
        blocked = and_(_BLOCKED.org_id == org_id, _BLOCKED.kind == "phone", _BLOCKED.value.in_(numbers))
        await self._db.execute(delete(m.blocked_recipients).where(blocked))
        await self._db.execute(update(m.bookings).where(_BOOKED.client_id.in_(clients)).values(client_id=None))
        await self._db.execute(delete(m.clients).where(_CLIENTS.id.in_(clients)))
        return len(clients)

    async def forget_clients(self, client_ids: Sequence[str]) -> None:
        known = exists().where(_BOOKED.client_id == _CLIENTS.id)
        await self._db.execute(delete(m.clients).where(_CLIENTS.id.in_(list(client_ids)), ~known))

    @property
    def sections(self) -> Sequence[str]:
        return SECTIONS

    async def export(
        self, org_id: str, addresses: Sequence[str], section: str, after: Sequence[Any], limit: int
    ) -> tuple[list[dict[str, Any]], tuple[Any, ...]]:
        return await export_page(self._db, org_id, addresses, section, after, limit)


def _names(column: Any, address: str) -> ColumnElement[bool]:
    """Whether JSON has this address as one of its texts, not as a part of another; in whatever case it was typed."""
    return _has(column, f'"{address}"')


def _has(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a text, or JSON as it is stored, holds this, in any case."""
    return cast(column, Text).icontains(text, autoescape=True)


def _is_host(org_id: str, email: str) -> ColumnElement[bool]:
    """Of users who are told as hosts it stays known what they were told, or they would be told again."""
    return exists().where(m.users.c.org_id == org_id, m.users.c.email == email)

"""Links, their contexts, one-time links and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import (
    Select,
    delete,
    insert,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import link_statements as statements
from app.db import models as m
from app.db.hosts import schedule_record
from app.db.quick import QuickStatement
from app.db.rows import page_by_id
from app.db.services import service_record
from app.domain.cursors import encode_cursor
from app.domain.errors import AlreadyExists
from app.domain.links import Link, OneTimeLink
from app.domain.locations import Location
from app.domain.money import Price
from app.domain.reminders import reminders_of, stored_reminders
from app.domain.services import Service, bare_link
from app.domain.templates import Followup, Question, Template
from app.domain.text_rules import is_token
from app.ports.hosts import ScheduleRecord
from app.ports.links import LinkContext, LinkHost
from app.ports.page import Page
from app.ports.people import Organization
from app.ports.security import Vault

_MADE = {"durations", "date_range", "location", "reminders", "stay"}
_LINK_FIELDS = [name for name in Link.__dataclass_fields__ if name not in _MADE]
_ONE_TIME_FIELDS = [name for name in OneTimeLink.__dataclass_fields__ if name not in {"token", "slots"}]
_TEMPLATE_FIELDS = [name for name in Template.__dataclass_fields__ if name not in {"questions", "followup"}]


class SqlLinkStore:
    """`LinkStore` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault, calendar_age_limit: int) -> None:
        self._db = connection
        self._vault = vault
        self._age_limit = calendar_age_limit

    # links

    async def add(self, link: Link, hosts: Sequence[tuple[str, int]]) -> None:
        try:
            await self._db.execute(insert(m.links).values(**_link_values(link)))
        except IntegrityError as error:
            raise AlreadyExists(f"There is already a link named “{link.slug}”.") from error
        role = "pool" if link.mode == "pool" else "fixed"
        rows = [{"offer_id": link.id, "host_id": host, "priority": priority, "role": role} for host, priority in hosts]
        await self._db.execute(insert(m.offer_hosts), rows)

    async def get(self, org_id: str, link_id: str, *, lock: bool = False) -> Link | None:
        links = m.links.c
        query = select(m.links).where(links.id == link_id, links.org_id == org_id, links.deleted_at.is_(None))
        row = (await self._db.execute(self._locked(query) if lock else query)).one_or_none()
        return _link(row._mapping) if row else None

    async def page(self, org_id: str, owner_id: str | None, limit: int, cursor: str | None) -> Page[Link]:
        links = m.links.c
        query = select(m.links).where(links.org_id == org_id, links.deleted_at.is_(None))
        if owner_id is not None:
            query = query.where(links.owner_id == owner_id)
        rows = (await self._db.execute(page_by_id(query, links.id, limit, cursor))).all()
        items = tuple(_link(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def update(self, link: Link) -> None:
        try:
            await self._db.execute(update(m.links).where(m.links.c.id == link.id).values(**_link_values(link)))
        except IntegrityError as error:
            raise AlreadyExists(f"There is already a link named “{link.slug}”.") from error

    async def hand_over(self, link: Link, former_id: str) -> None:
        if former_id == link.owner_id:
            return
        offered = m.offer_hosts.c
        both = [former_id, link.owner_id]
        present = select(offered.host_id).where(offered.offer_id == link.id, offered.host_id.in_(both))
        found = list(await self._db.scalars(present))
        of_former = (offered.offer_id == link.id) & (offered.host_id == former_id)
        if link.owner_id in found:
            await self._db.execute(delete(m.offer_hosts).where(of_former))
        elif found:
            mine = {"host_id": link.owner_id, "schedule_id": None, "durations": None}
            await self._db.execute(update(m.offer_hosts).where(of_former).values(**mine))

    async def of_owner(self, org_id: str, owner_id: str) -> list[Link]:
        links = m.links.c
        query = select(m.links).where(links.org_id == org_id, links.owner_id == owner_id, links.deleted_at.is_(None))
        return [_link(row._mapping) for row in await self._db.execute(query.order_by(links.id))]

    async def renew(self, owner_id: str, now: int) -> None:
        links = m.links.c
        await self._db.execute(
            update(m.links).where(links.owner_id == owner_id).values(version=links.version + 1, updated_at=now)
        )

    async def delete(self, org_id: str, link_id: str, now: int) -> None:
        links = m.links.c
        await self._db.execute(
            update(m.links)
            .where(links.id == link_id, links.org_id == org_id)
            .values(deleted_at=now, is_active=False, updated_at=now, version=links.version + 1)
        )

    # contexts

    async def stamp(self, token: str, now: int) -> tuple[object, ...] | None:
        if not is_token(token):
            return None
        rows = await self._find(statements.STAMP_OF_SLUG, statements.STAMP_OF_ONE_TIME, token)
        if not rows:
            return None
        stamped_hosts = tuple(
            (row[4], row[5], row[8] and (row[8], row[9]), row[6], row[7], self._is_stale(row[10], now))
            for row in rows
            if _is_there(row[11])
        )
        one_time = None if "." in token else (rows[0][12], rows[0][13])
        return (*rows[0][:4], one_time, stamped_hosts)

    async def context(self, token: str, *, lock: bool = False) -> LinkContext | None:
        if not is_token(token):
            return None  # PostgreSQL's texts hold no NUL: it must not even be asked
        if lock and self._db.dialect.name != "sqlite":
            await self._lock_hosts(statements.HOSTS_OF_SLUG, statements.HOSTS_OF_ONE_TIME, token)
        return self._context(await self._find(statements.CONTEXT_OF_SLUG, statements.CONTEXT_OF_ONE_TIME, token))

    async def context_of(self, link_id: str) -> LinkContext | None:
        return _if_taken(self._context(await statements.CONTEXT_OF_ID.rows(self._db, link_id=link_id)))

    async def context_of_service(self, org_id: str, service_id: str, *, lock: bool = False) -> LinkContext | None:
        given_ids = {"org_id": org_id, "service_id": service_id}
        if lock and self._db.dialect.name != "sqlite":
            await self._db.execute(statements.HOSTS_OF_SERVICE, given_ids)
        rows = (await self._db.execute(statements.OF_SERVICE, given_ids)).all()
        if not rows:
            return None
        named = [row._mapping for row in rows]
        service = service_record(named[0], "service_")
        return _if_taken(self._made(named, service.offered_by(bare_link(service)), service))

    async def context_over(self, link: Link, host_ids: Sequence[str]) -> LinkContext | None:
        rows = await self._db.execute(
            statements.HOSTS_WITHOUT_LINK, {"org_id": link.org_id, "host_ids": list(host_ids)}
        )
        named = [row._mapping for row in rows]
        if len(named) < len(host_ids):
            return None
        organization = {name: named[0]["org_" + name] for name in Organization.__dataclass_fields__}
        return LinkContext(link, Organization(**organization), tuple(self._host(row) for row in named), None, None)

    async def _find(self, of_slug: QuickStatement, of_one_time: QuickStatement, token: str) -> list[Sequence[Any]]:
        if "." in token:
            org_slug, _, slug = token.partition(".")
            return await of_slug.rows(self._db, org_slug=org_slug, slug=slug)
        for lookup in self._vault.lookups(token):
            rows = await of_one_time.rows(self._db, lookup=lookup)
            if rows:
                return rows
        return []

    async def _lock_hosts(self, of_slug: Select[Any], of_one_time: Select[Any], token: str) -> None:
        """Lock the hosts' rows in id order; also the first statement of the transaction, which the rest relies on."""
        if "." in token:
            org_slug, _, slug = token.partition(".")
            await self._db.execute(of_slug, {"org_slug": org_slug, "slug": slug})
            return
        for lookup in self._vault.lookups(token):
            if (await self._db.execute(of_one_time, {"lookup": lookup})).first():
                return

    def _context(self, rows: Sequence[Sequence[Any]]) -> LinkContext | None:
        if not rows:
            return None
        labels = (
            statements.CONTEXT_LABELS if len(rows[0]) == len(statements.CONTEXT_LABELS) else statements.ONE_TIME_LABELS
        )
        named = [dict(zip(labels, row, strict=True)) for row in rows]
        link = _link(named[0], "link_")
        link = replace(link, is_active=link.is_active and bool(named[0]["owner_is_active"]))
        if named[0]["service_id"] is None:
            return self._made(named, link, None)
        service = service_record(named[0], "service_")
        return self._made(named, service.offered_by(link), service)

    def _made(self, rows: Sequence[Mapping[Any, Any]], link: Link, service: Service | None) -> LinkContext:
        first, there = rows[0], [row for row in rows if _is_there(row["user_is_active"])]
        if {row["role"] for row in there} < {row["role"] for row in rows}:  # nobody is left of some that are needed
            there, link = [], replace(link, is_active=False)
        hosts = tuple(self._host(row) for row in there)
        if service is not None and service.check_in is not None:
            link = replace(link, stay=service.stay_in(_zone(hosts)))
        return LinkContext(
            link=link,
            organization=Organization(**{name: first["org_" + name] for name in Organization.__dataclass_fields__}),
            hosts=hosts,
            template=template_record(first, "template_") if first["template_id"] else None,
            one_time=self._one_time(first, "once_") if "once_id" in first else None,
            service=None if service is None else (service.id, service.version),
            price=_price(service),
            blocks=bool(first["blocks"]),
            capacity=1 if service is None else service.capacity,
            is_scheduled=service is not None and service.is_scheduled,
        )

    def _locked(self, query: Select[Any]) -> Select[Any]:
        """On SQLite the transaction holds the write lock already. `key_share` lets bookings refer to the row."""
        return query if self._db.dialect.name == "sqlite" else query.with_for_update(key_share=True)

    def _is_stale(self, oldest_read: int | None, now: int) -> bool:
        return oldest_read is not None and oldest_read + self._age_limit <= now

    def _host(self, row: Mapping[Any, Any]) -> LinkHost:
        oldest = row["oldest"]
        return LinkHost(
            host_id=row["host_id"],
            name=row["host_name"],
            kind=row["host_kind"],
            email=row["user_email"] or "",
            revision=row["host_revision"],
            priority=row["priority"],
            schedule=_joined_schedule(row),
            max_per_day=row["host_max_per_day"],
            max_per_week=row["host_max_per_week"],
            judged_until=None if oldest is None else oldest + self._age_limit,
            role=row["role"],
            needed=row["needed"],
            durations=row["own_durations"] and tuple(row["own_durations"]),
            resource_id=row["host_resource_id"],
            read_at=oldest,
        )

    # one-time links

    async def add_one_time(self, one_time: OneTimeLink) -> None:
        await self._db.execute(
            insert(m.one_time_links).values(
                id=one_time.id,
                org_id=one_time.org_id,
                link_id=one_time.link_id,
                token_lookup=self._vault.lookup(one_time.token),
                token_sealed=self._vault.seal(one_time.token),
                recipient_email=one_time.recipient_email,
                slots=[list(slot) for slot in one_time.slots],
                expires_at=one_time.expires_at,
                status=one_time.status,
                booking_id=one_time.booking_id,
                created_at=one_time.created_at,
            )
        )

    async def one_time(self, org_id: str, one_time_id: str) -> OneTimeLink | None:
        once = m.one_time_links.c
        rows = await self._db.execute(select(m.one_time_links).where(once.id == one_time_id, once.org_id == org_id))
        row = rows.one_or_none()
        return self._one_time(row._mapping) if row else None

    async def one_times(
        self, link_id: str, limit: int, cursor: str | None, *, newest_first: bool = False
    ) -> Page[OneTimeLink]:
        once = m.one_time_links.c
        query = select(m.one_time_links).where(once.link_id == link_id)
        rows = (await self._db.execute(page_by_id(query, once.id, limit, cursor, newest_first=newest_first))).all()
        items = tuple(self._one_time(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def consume_one_time(self, one_time_id: str, booking_id: str, now: int) -> bool:
        once = m.one_time_links.c
        result = await self._db.execute(
            update(m.one_time_links)
            .where(
                once.id == one_time_id,
                once.status == "open",
                or_(once.expires_at.is_(None), once.expires_at > now),
            )
            .values(status="used", booking_id=booking_id)
        )
        return result.rowcount == 1

    async def revive_one_time(self, one_time_id: str, booking_id: str) -> None:
        once = m.one_time_links.c
        await self._db.execute(
            update(m.one_time_links)
            .where(once.id == one_time_id, once.booking_id == booking_id, once.status == "used")
            .values(status="open", booking_id=None)
        )

    async def revoke_one_time(self, one_time_id: str) -> bool:
        once = m.one_time_links.c
        result = await self._db.execute(
            update(m.one_time_links).where(once.id == one_time_id, once.status == "open").values(status="revoked")
        )
        return result.rowcount == 1

    def _one_time(self, row: Mapping[Any, Any], prefix: str = "") -> OneTimeLink:
        return OneTimeLink(
            **{name: row[prefix + name] for name in _ONE_TIME_FIELDS},
            token=self._vault.open(row[prefix + "token_sealed"]),
            slots=tuple((start, duration) for start, duration in row[prefix + "slots"]),
        )

    # templates

    async def add_template(self, template: Template) -> None:
        await self._db.execute(insert(m.templates).values(**_template_values(template)))

    async def template(self, org_id: str, template_id: str, *, lock: bool = False) -> Template | None:
        templates = m.templates.c
        query = select(m.templates).where(templates.id == template_id, templates.org_id == org_id)
        row = (await self._db.execute(self._locked(query) if lock else query)).one_or_none()
        return template_record(row._mapping) if row else None

    async def templates(self, org_id: str, limit: int, cursor: str | None) -> Page[Template]:
        query = select(m.templates).where(m.templates.c.org_id == org_id)
        rows = (await self._db.execute(page_by_id(query, m.templates.c.id, limit, cursor))).all()
        items = tuple(template_record(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def update_template(self, template: Template) -> None:
        await self._db.execute(
            update(m.templates).where(m.templates.c.id == template.id).values(**_template_values(template))
        )

    async def delete_template(self, org_id: str, template_id: str) -> None:
        templates = m.templates.c
        await self._db.execute(delete(m.templates).where(templates.id == template_id, templates.org_id == org_id))


def _is_there(is_active: bool | None) -> bool:
    """Whether a host takes bookings: people until they are switched off, and what is no person."""
    return is_active is None or bool(is_active)


def _if_taken(context: LinkContext | None) -> LinkContext | None:
    """None when nobody is left who takes it."""
    return context if context is not None and context.hosts else None


def _price(service: Service | None) -> Price | None:
    if service is None or service.price is None or service.currency is None:
        return None
    return Price(service.price, service.deposit, service.currency)


def _zone(hosts: Sequence[LinkHost]) -> str:
    """That of the hours of the first person, or else of what is reserved."""
    people_first = sorted(hosts, key=lambda host: host.role == "unit")
    return next((host.schedule.timezone for host in people_first if host.schedule is not None), "UTC")


def _joined_schedule(row: Mapping[Any, Any]) -> ScheduleRecord | None:
    return schedule_record(row, "schedule_") if row["schedule_id"] else None


def _link(row: Mapping[Any, Any], prefix: str = "") -> Link:
    dates = row[prefix + "date_from"], row[prefix + "date_to"]
    return Link(
        **{name: row[prefix + name] for name in _LINK_FIELDS},
        durations=tuple(row[prefix + "durations"]),
        date_range=(date.fromisoformat(dates[0]), date.fromisoformat(dates[1])) if dates[0] else None,
        location=Location(**row[prefix + "location"]),
        reminders=reminders_of(row[prefix + "reminders"]),
    )


def _link_values(link: Link) -> dict[str, Any]:
    first, last = link.date_range or (None, None)
    return {
        **{name: getattr(link, name) for name in _LINK_FIELDS},
        "durations": list(link.durations),
        "date_from": first and first.isoformat(),
        "date_to": last and last.isoformat(),
        "location": {"kind": link.location.kind, "value": link.location.value},
        "reminders": null() if link.reminders is None else stored_reminders(link.reminders),
    }


def template_record(row: Mapping[Any, Any], prefix: str = "") -> Template:
    """A template from a row, or from the part of a joined row whose labels begin with `prefix`."""
    questions = row[prefix + "questions"]
    return Template(
        **{name: row[prefix + name] for name in _TEMPLATE_FIELDS},
        questions=tuple(Question(**{**question, "options": tuple(question["options"])}) for question in questions),
        followup=Followup(**row[prefix + "followup"]),
    )


def _template_values(template: Template) -> dict[str, Any]:
    return {
        "id": template.id,
        "org_id": template.org_id,
        "name": template.name,
        "questions": [_question_values(question) for question in template.questions],
        "email_followup_enabled": template.email_followup_enabled,
        "followup": {name: getattr(template.followup, name) for name in Followup.__dataclass_fields__},
        "version": template.version,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }


def _question_values(question: Question) -> dict[str, Any]:
    values = {name: getattr(question, name) for name in Question.__dataclass_fields__}
    return {**values, "options": list(question.options)}

"""Links, their contexts, one-time links and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.hosts import schedule_record
from app.db.quick import QuickStatement, given
from app.db.rows import columns, page_by_id
from app.domain.calendars import BUILTIN
from app.domain.cursors import encode_cursor
from app.domain.errors import AlreadyExists
from app.domain.links import Followup, Link, Location, OneTimeLink, Question, Template
from app.domain.text_rules import is_token
from app.ports.security import Vault
from app.ports.storage import LinkContext, LinkHost, Organization, Page, ScheduleRecord

_LINK_FIELDS = [name for name in Link.__dataclass_fields__ if name not in {"durations", "date_range", "location"}]
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
        rows = [{"link_id": link.id, "host_id": host, "priority": priority} for host, priority in hosts]
        await self._db.execute(insert(m.link_hosts), rows)

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
        rows = await self._find(_STAMP_OF_SLUG, _STAMP_OF_ONE_TIME, token)
        if not rows:
            return None
        stamped_hosts = tuple(
            (row[3], row[4], row[7] and (row[7], row[8]), row[5], row[6], self._is_stale(row[9], now)) for row in rows
        )
        one_time = None if "." in token else (rows[0][10], rows[0][11])
        return (*rows[0][:3], one_time, stamped_hosts)

    async def context(self, token: str, *, lock: bool = False) -> LinkContext | None:
        if not is_token(token):
            return None  # PostgreSQL's texts hold no NUL: it must not even be asked
        if lock and self._db.dialect.name != "sqlite":
            await self._lock_hosts(_HOSTS_OF_SLUG, _HOSTS_OF_ONE_TIME, token)
        return self._context(await self._find(_CONTEXT_OF_SLUG, _CONTEXT_OF_ONE_TIME, token))

    async def context_of(self, link_id: str) -> LinkContext | None:
        return self._context(await _CONTEXT_OF_ID.rows(self._db, link_id=link_id))

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
        labels = _CONTEXT_LABELS if len(rows[0]) == len(_CONTEXT_LABELS) else _ONE_TIME_LABELS
        named = [dict(zip(labels, row, strict=True)) for row in rows]
        first = named[0]
        return LinkContext(
            link=_link(first, "link_"),
            organization=Organization(**{name: first["org_" + name] for name in Organization.__dataclass_fields__}),
            hosts=tuple(self._host(row) for row in named),
            template=template_record(first, "template_") if first["template_id"] else None,
            one_time=self._one_time(first, "once_") if "once_id" in first else None,
        )

    def _locked(self, query: Select[Any]) -> Select[Any]:
        """On SQLite the transaction holds the write lock already. `key_share` lets bookings refer to the row."""
        return query if self._db.dialect.name == "sqlite" else query.with_for_update(key_share=True)

    def _is_stale(self, oldest_read: int | None, now: int) -> bool:
        return oldest_read is not None and oldest_read + self._age_limit <= now

    def _host(self, row: Mapping[str, Any]) -> LinkHost:
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


def _oldest_read() -> Any:
    """When the host's longest unread connected conflict calendar was read; 0 for one never read, NULL without any."""
    calendars = m.calendars.c
    return (
        select(func.min(func.coalesce(calendars.synced_at, 0)))
        .where(calendars.user_id == m.hosts.c.user_id, calendars.is_conflict, calendars.provider != BUILTIN)
        .correlate(m.hosts)
        .scalar_subquery()
    )


def _context_columns() -> list[Any]:
    host_columns = columns(m.hosts, "host")
    return [
        *columns(m.links, "link"),
        *columns(m.organizations, "org"),
        *columns(m.templates, "template"),
        *host_columns,
        *columns(m.schedules, "schedule"),
        m.users.c.email.label("user_email"),
        m.link_hosts.c.priority.label("priority"),
        _oldest_read().label("oldest"),
    ]


def _joined(query: Select[Any]) -> Select[Any]:
    links, hosts, schedules = m.links.c, m.hosts.c, m.schedules.c
    # The link's own schedule speaks for its owner; everybody else brings their default one.
    own = and_(hosts.user_id == links.owner_id, links.schedule_id.is_not(None))
    schedule = case((own, schedules.id == links.schedule_id), else_=schedules.is_default)
    return (
        query.select_from(m.links)
        .join(m.organizations, m.organizations.c.id == links.org_id)
        .join(m.link_hosts, m.link_hosts.c.link_id == links.id)
        .join(m.hosts, hosts.id == m.link_hosts.c.host_id)
        .outerjoin(m.users, m.users.c.id == hosts.user_id)
        .outerjoin(m.schedules, and_(schedules.user_id == hosts.user_id, schedule))
        .outerjoin(m.templates, m.templates.c.id == links.template_id)
    )


def _of_slug(query: Select[Any]) -> Select[Any]:
    links = m.links.c
    return _joined(query).where(
        m.organizations.c.slug == given("org_slug"), links.slug == given("slug"), links.deleted_at.is_(None)
    )


def _of_one_time(query: Select[Any]) -> Select[Any]:
    once = m.one_time_links.c
    joined = _joined(query).join(m.one_time_links, once.link_id == m.links.c.id)
    return joined.where(once.token_lookup == given("lookup"), m.links.c.deleted_at.is_(None))


def _quick(query: Select[Any]) -> QuickStatement:
    return QuickStatement(query.order_by(m.hosts.c.id))


# Built once: building a statement of this size costs more than running it.
_CONTEXT = select(*_context_columns())
_CONTEXT_AND_ONE_TIME = _CONTEXT.add_columns(*columns(m.one_time_links, "once"))
_CONTEXT_LABELS = [str(column.key) for column in _CONTEXT.selected_columns]
_ONE_TIME_LABELS = [str(column.key) for column in _CONTEXT_AND_ONE_TIME.selected_columns]
_CONTEXT_OF_SLUG = _quick(_of_slug(_CONTEXT))
_CONTEXT_OF_ONE_TIME = _quick(_of_one_time(_CONTEXT_AND_ONE_TIME))
_CONTEXT_OF_ID = _quick(_joined(_CONTEXT).where(m.links.c.id == given("link_id"), m.links.c.deleted_at.is_(None)))

_HOST_IDS = select(m.hosts.c.id).order_by(m.hosts.c.id).with_for_update(of=m.hosts)
_HOSTS_OF_SLUG = _of_slug(_HOST_IDS)
_HOSTS_OF_ONE_TIME = _of_one_time(_HOST_IDS)

_STAMP = select(
    m.links.c.id,
    m.links.c.version,
    m.links.c.is_active,
    m.hosts.c.id,
    m.hosts.c.revision,
    m.hosts.c.max_per_day,
    m.hosts.c.max_per_week,
    m.schedules.c.id,
    m.schedules.c.version,
    _oldest_read(),
)
_STAMP_OF_SLUG = _quick(_of_slug(_STAMP))
_STAMP_OF_ONE_TIME = _quick(_of_one_time(_STAMP.add_columns(m.one_time_links.c.id, m.one_time_links.c.status)))


def _joined_schedule(row: Mapping[Any, Any]) -> ScheduleRecord | None:
    return schedule_record(row, "schedule_") if row["schedule_id"] else None


def _link(row: Mapping[Any, Any], prefix: str = "") -> Link:
    dates = row[prefix + "date_from"], row[prefix + "date_to"]
    return Link(
        **{name: row[prefix + name] for name in _LINK_FIELDS},
        durations=tuple(row[prefix + "durations"]),
        date_range=(date.fromisoformat(dates[0]), date.fromisoformat(dates[1])) if dates[0] else None,
        location=Location(**row[prefix + "location"]),
    )


def _link_values(link: Link) -> dict[str, Any]:
    first, last = link.date_range or (None, None)
    return {
        **{name: getattr(link, name) for name in _LINK_FIELDS},
        "durations": list(link.durations),
        "date_from": first and first.isoformat(),
        "date_to": last and last.isoformat(),
        "location": {"kind": link.location.kind, "value": link.location.value},
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

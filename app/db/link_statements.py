"""The statements that read a link or a service with all that takes a booking of it, in one SELECT each."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal, null, select

from app.db import models as m
from app.db.quick import QuickStatement, given
from app.db.rows import columns
from app.domain.calendars import BUILTIN


def _oldest_read() -> Any:
    """When the host's longest unread connected conflict calendar was read; 0 for one never read, NULL without any."""
    calendars = m.calendars.c
    return (
        select(func.min(func.coalesce(calendars.synced_at, 0)))
        .where(calendars.user_id == m.hosts.c.user_id, calendars.is_conflict, calendars.provider != BUILTIN)
        .correlate(m.hosts)
        .scalar_subquery()
    )


_HOST_COLUMNS = [
    *columns(m.hosts, "host"),
    *columns(m.schedules, "schedule"),
    m.users.c.email.label("user_email"),
    m.users.c.is_active.label("user_is_active"),
    m.offer_hosts.c.priority.label("priority"),
    m.offer_hosts.c.role.label("role"),
    m.offer_hosts.c.needed.label("needed"),
    m.offer_hosts.c.durations.label("own_durations"),
    _oldest_read().label("oldest"),
]


def _owner_is_active() -> ColumnElement[bool]:
    owners = m.users.alias("owners")
    return select(owners.c.is_active).where(owners.c.id == m.links.c.owner_id).scalar_subquery()


_BLOCKS = (
    select(m.blocked_recipients.c.org_id)
    .where(m.blocked_recipients.c.org_id == m.organizations.c.id)
    .correlate(m.organizations)
    .exists()
    .label("blocks")
)


def _context_columns() -> list[Any]:
    return [
        *columns(m.links, "link"),
        *columns(m.organizations, "org"),
        *columns(m.templates, "template"),
        *columns(m.services, "service"),
        _owner_is_active().label("owner_is_active"),
        _BLOCKS,
        *_HOST_COLUMNS,
    ]


def _joined(query: Select[Any]) -> Select[Any]:
    links, services = m.links.c, m.services.c
    offered = m.offer_hosts.c.offer_id == func.coalesce(links.service_id, links.id)
    query = query.select_from(m.links).join(m.organizations, m.organizations.c.id == links.org_id)
    query = query.outerjoin(m.services, services.id == links.service_id).join(m.offer_hosts, offered)
    # The link's own schedule speaks for its owner; everybody else brings their own.
    own = and_(m.hosts.c.user_id == links.owner_id, links.schedule_id.is_not(None))
    query = _with_hosts(query, (own, links.schedule_id))
    return query.outerjoin(m.templates, m.templates.c.id == func.coalesce(links.template_id, services.template_id))


def _with_hosts(query: Select[Any], *own: tuple[ColumnElement[bool], Any]) -> Select[Any]:
    """With the hosts of `offer_hosts` and the hours each goes by: those for this service, the link's for its owner
    (`own`), the service's for a resource, or else the person's usual ones."""
    hosts, offered, schedules = m.hosts.c, m.offer_hosts.c, m.schedules.c
    default = m.schedules.alias("default_schedules")
    usual = select(default.c.id).where(default.c.user_id == hosts.user_id, default.c.is_default).scalar_subquery()
    hours = case(
        (offered.schedule_id.is_not(None), offered.schedule_id),
        *own,
        (hosts.user_id.is_(None), m.services.c.schedule_id),
        else_=usual,
    )
    return (
        query.join(m.hosts, hosts.id == offered.host_id)
        .outerjoin(m.users, m.users.c.id == hosts.user_id)
        .outerjoin(m.schedules, schedules.id == hours)
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
CONTEXT_LABELS = [str(column.key) for column in _CONTEXT.selected_columns]
ONE_TIME_LABELS = [str(column.key) for column in _CONTEXT_AND_ONE_TIME.selected_columns]
CONTEXT_OF_SLUG = _quick(_of_slug(_CONTEXT))
CONTEXT_OF_ONE_TIME = _quick(_of_one_time(_CONTEXT_AND_ONE_TIME))
CONTEXT_OF_ID = _quick(_joined(_CONTEXT).where(m.links.c.id == given("link_id"), m.links.c.deleted_at.is_(None)))

_OF_SERVICE_PLAIN = (
    select(*columns(m.organizations, "org"), *columns(m.templates, "template"), *columns(m.services, "service"))
    .add_columns(_BLOCKS, *_HOST_COLUMNS)
    .select_from(m.services)
    .join(m.organizations, m.organizations.c.id == m.services.c.org_id)
    .join(m.offer_hosts, m.offer_hosts.c.offer_id == m.services.c.id)
    .outerjoin(m.templates, m.templates.c.id == m.services.c.template_id)
)


def _of_service(query: Select[Any]) -> Select[Any]:
    services = m.services.c
    return (
        _with_hosts(query)
        .where(services.id == bindparam("service_id"), services.org_id == bindparam("org_id"))
        .where(services.deleted_at.is_(None))
        .order_by(m.hosts.c.id)
    )


OF_SERVICE = _of_service(_OF_SERVICE_PLAIN)
HOSTS_OF_SERVICE = _of_service(
    select(m.hosts.c.id)
    .select_from(m.services)
    .join(m.offer_hosts, m.offer_hosts.c.offer_id == m.services.c.id)
    .with_for_update(of=m.hosts)
)

HOSTS_WITHOUT_LINK = (
    select(*columns(m.organizations, "org"), *columns(m.hosts, "host"), *columns(m.schedules, "schedule"))
    .add_columns(m.users.c.email.label("user_email"), literal(0).label("priority"), _oldest_read().label("oldest"))
    .add_columns(literal("fixed").label("role"), literal(1).label("needed"), null().label("own_durations"))
    .select_from(m.hosts)
    .join(m.organizations, m.organizations.c.id == m.hosts.c.org_id)
    .outerjoin(m.users, m.users.c.id == m.hosts.c.user_id)
    .outerjoin(m.schedules, and_(m.schedules.c.user_id == m.hosts.c.user_id, m.schedules.c.is_default))
    .where(m.hosts.c.org_id == bindparam("org_id"), m.hosts.c.id.in_(bindparam("host_ids", expanding=True)))
    .order_by(m.hosts.c.id)
)

_HOST_IDS = select(m.hosts.c.id).order_by(m.hosts.c.id).with_for_update(of=m.hosts)
HOSTS_OF_SLUG = _of_slug(_HOST_IDS)
HOSTS_OF_ONE_TIME = _of_one_time(_HOST_IDS)

_STAMP = select(
    m.links.c.id,
    m.links.c.version,
    m.links.c.is_active,
    m.services.c.version,
    m.hosts.c.id,
    m.hosts.c.revision,
    m.hosts.c.max_per_day,
    m.hosts.c.max_per_week,
    m.schedules.c.id,
    m.schedules.c.version,
    _oldest_read(),
    m.users.c.is_active,
)
STAMP_OF_SLUG = _quick(_of_slug(_STAMP))
STAMP_OF_ONE_TIME = _quick(_of_one_time(_STAMP.add_columns(m.one_time_links.c.id, m.one_time_links.c.status)))

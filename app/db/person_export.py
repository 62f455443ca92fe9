"""All that an organization knows of a person, by sections, each in pages: rows as they are stored, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.domain.calendars import BUILTIN
from app.domain.mentions import mentions

_BOOKED, _KNOWN, _USERS, _KEPT = m.bookings.c, m.client_identities.c, m.users.c, m.kept_edits.c
_BOOKING_FIELDS = (
    "id", "status", "title", "start_at", "end_at", "timezone", "recipient_name", "recipient_email", "recipient_phone",
    "language", "guests", "answers", "answer_labels", "notes", "internal_notes", "seats", "location", "cancel_reason",
    "recipient_reply", "created_at", "updated_at",
)  # fmt: skip
_USER_FIELDS = ("id", "email", "handle", "name", "roles", "timezone", "is_active", "created_at")
_MARK = "_key_"


@dataclass(frozen=True, slots=True)
class _Section:
    """Rows in the order of their keys; `fits` looks at each of them once more, and may be None."""

    query: Select[Any]
    keys: tuple[ColumnElement[Any], ...]
    fits: Callable[[Mapping[Any, Any]], bool] | None = None


async def export_page(
    connection: AsyncConnection, org_id: str, addresses: Sequence[str], name: str, after: Sequence[Any], limit: int
) -> tuple[list[dict[str, Any]], tuple[Any, ...]]:
    """One page of a section, from behind the key `after` (empty: from the beginning), and the key of its last row; an
    empty key says that it was the last page."""
    section = _SECTIONS[name](_Person(org_id, addresses))
    labelled = [key.label(f"{_MARK}{number}") for number, key in enumerate(section.keys)]
    query = section.query.add_columns(*labelled).order_by(*section.keys).limit(limit)
    if after:
        query = query.where(tuple_(*section.keys) > tuple(after))
    rows = (await connection.execute(query)).mappings().all()
    found = [
        {name: value for name, value in row.items() if not name.startswith("_")}
        for row in rows
        if section.fits is None or section.fits(row)
    ]
    end = tuple(rows[-1][f"{_MARK}{number}"] for number in range(len(labelled))) if len(rows) == limit else ()
    return found, end


class _Person:
    """Whose rows are which."""

    def __init__(self, org_id: str, addresses: Sequence[str]) -> None:
        self.org_id = org_id
        self.addresses = list(addresses)
        known = and_(_KNOWN.org_id == org_id, _KNOWN.kind == "email", _KNOWN.value.in_(self.addresses))
        self.clients = select(_KNOWN.client_id).where(known)
        recipient = or_(func.lower(_BOOKED.recipient_email).in_(self.addresses), _BOOKED.client_id.in_(self.clients))
        self.booked = and_(_BOOKED.org_id == org_id, recipient)
        self.bookings = select(_BOOKED.id).where(self.booked)
        self.user = select(_USERS.id).where(_USERS.org_id == org_id, _USERS.email == self.addresses[0])

    def named(self, column: Any) -> ColumnElement[bool]:
        """Whether JSON has an address as one of its texts."""
        text = cast(column, Text)
        return or_(*(text.icontains(f'"{address}"', autoescape=True) for address in self.addresses))


def _of(table: Any, *names: str) -> Select[Any]:
    return select(*(table.c[name] for name in names))


def _users(person: _Person) -> _Section:
    return _Section(_of(m.users, *_USER_FIELDS).where(_USERS.id.in_(person.user)), (_USERS.id,))


def _bookings(person: _Person) -> _Section:
    return _Section(_of(m.bookings, *_BOOKING_FIELDS).where(person.booked), (_BOOKED.id,))


def _previous(person: _Person) -> _Section:
    times = m.previous_times.c
    query = _of(m.previous_times, "booking_id", "start_at", "end_at", "replaced_at")
    return _Section(query.where(times.booking_id.in_(person.bookings)), (times.id,))


def _guest_of(person: _Person) -> _Section:
    query = _of(m.bookings, "id", "title", "start_at", "end_at", "status")
    return _Section(query.where(_BOOKED.org_id == person.org_id, person.named(_BOOKED.guests)), (_BOOKED.id,))


def _clients(person: _Person) -> _Section:
    clients = m.clients.c
    query = _of(m.clients, "id", "name", "email", "phone", "notes", "created_at")
    return _Section(query.where(clients.id.in_(person.clients)), (clients.id,))


def _identities(person: _Person) -> _Section:
    query = _of(m.client_identities, "client_id", "kind", "value")
    return _Section(query.where(_KNOWN.client_id.in_(person.clients)), (_KNOWN.kind, _KNOWN.value))


def _blocked(person: _Person) -> _Section:
    blocked = m.blocked_recipients.c
    numbers = select(_KNOWN.value).where(_KNOWN.client_id.in_(person.clients), _KNOWN.kind == "phone")
    theirs = or_(
        and_(blocked.kind == "email", blocked.value.in_(person.addresses)),
        and_(blocked.kind == "phone", blocked.value.in_(numbers)),
    )
    query = _of(m.blocked_recipients, "kind", "value", "reason", "created_at")
    return _Section(query.where(blocked.org_id == person.org_id, theirs), (blocked.id,))


def _one_time_links(person: _Person) -> _Section:
    links = m.one_time_links.c
    query = _of(m.one_time_links, "id", "link_id", "recipient_email", "status", "expires_at", "created_at")
    theirs = func.lower(links.recipient_email).in_(person.addresses)
    return _Section(query.where(links.org_id == person.org_id, theirs), (links.id,))


def _mails(person: _Person) -> _Section:
    mails = m.mail_deliveries.c
    query = _of(m.mail_deliveries, "booking_id", "address", "kind", "status", "sent_at")
    theirs = (mails.org_id == person.org_id, mails.address.in_(person.addresses))
    return _Section(query.where(*theirs), (mails.booking_id, mails.address, mails.kind))


def _invitations(person: _Person) -> _Section:
    mails = m.scheduling_mails.c
    query = _of(m.scheduling_mails, "uid", "address", "sent_at")
    theirs = (mails.org_id == person.org_id, mails.address.in_(person.addresses))
    return _Section(query.where(*theirs), (mails.user_id, mails.uid, mails.address))


def _waiting(person: _Person) -> _Section:
    outbox = m.outbox.c
    query = _of(m.outbox, "kind", "state", "run_at", "created_at")
    return _Section(query.where(outbox.org_id == person.org_id, person.named(outbox.payload)), (outbox.id,))


def _address_books(person: _Person) -> _Section:
    added, accounts = m.added_contacts.c, m.calendar_accounts.c
    query = select(added.email, accounts.user_id, accounts.provider, added.added_at)
    query = query.join(m.calendar_accounts, accounts.id == added.account_id)
    theirs = (added.org_id == person.org_id, added.email.in_(person.addresses))
    return _Section(query.where(*theirs), (added.account_id, added.email))


def _event_notes(person: _Person) -> _Section:
    notes = m.event_notes.c
    query = _of(m.event_notes, "booking_id", "data", "updated_at").where(notes.booking_id.in_(person.bookings))
    return _Section(query, (notes.booking_id, notes.user_id))


def _kept_edits(person: _Person) -> _Section:
    own = exists().where(person.booked, _KEPT.data.contains(_BOOKED.uid))
    named = or_(*(_KEPT.data.icontains(address, autoescape=True) for address in person.addresses))
    query = _of(m.kept_edits, "data", "reason", "kept_at").add_columns(own.label("_own"))
    found = mentions(person.addresses)
    return _Section(
        query.where(_KEPT.org_id == person.org_id, or_(own, named)),
        (_KEPT.id,),
        lambda row: bool(row["_own"] or found.search(row["data"])),
    )


def _actions(person: _Person) -> _Section:
    audit = m.audit_entries.c
    query = select(audit.entity_id.label("booking_id"), audit.at, audit.action, audit.address, audit.agent)
    theirs = audit.entity_id.in_(person.bookings)
    return _Section(query.where(theirs, audit.actor_kind == "recipient"), (audit.id,))


def _own(table: Any, *names: str) -> Callable[[_Person], _Section]:
    """What belongs to somebody who signs in."""
    keys = tuple(table.primary_key.columns)
    return lambda person: _Section(_of(table, *names).where(table.c.user_id.in_(person.user)), keys)


def _time_off(person: _Person) -> _Section:
    away = m.time_off.c
    query = _of(m.time_off, "start_at", "end_at", "reason").where(away.host_id.in_(person.user))
    return _Section(query, (away.id,))


def _links(person: _Person) -> _Section:
    links = m.links.c
    query = _of(m.links, "id", "slug", "title", "description", "is_active").where(links.owner_id.in_(person.user))
    return _Section(query, (links.id,))


def _own_events(person: _Person) -> _Section:
    """In our own calendars; those of bookings are told as these."""
    objects, calendars = m.calendar_objects.c, m.calendars.c
    own = select(calendars.id).where(calendars.provider == BUILTIN, calendars.user_id.in_(person.user))
    where = (objects.calendar_id.in_(own), ~objects.deleted, objects.booking_id.is_(None))
    return _Section(_of(m.calendar_objects, "name", "data", "modified_at").where(*where), (objects.id,))


_SECTIONS: Mapping[str, Callable[[_Person], _Section]] = {
    "user": _users,
    "bookings": _bookings,
    "previous_times": _previous,
    "guest_of": _guest_of,
    "clients": _clients,
    "identities": _identities,
    "blocked": _blocked,
    "one_time_links": _one_time_links,
    "mails": _mails,
    "invitations": _invitations,
    "waiting": _waiting,
    "address_books": _address_books,
    "event_notes": _event_notes,
    "kept_edits": _kept_edits,
    "actions": _actions,
    "settings": _own(m.notification_settings, "phone", "channels", "quiet_from", "quiet_to", "digest", "digest_at"),
    "schedules": _own(m.schedules, "name", "timezone", "weekly", "overrides", "exclusions", "holiday_country"),
    "time_off": _time_off,
    "links": _links,
    "calendar_accounts": _own(m.calendar_accounts, "provider", "label", "url", "username", "created_at"),
    "devices": _own(m.app_passwords, "label", "created_at", "last_used_at"),
    "api_tokens": _own(m.api_tokens, "label", "created_at", "last_used_at"),
    "feeds": _own(m.feeds, "kind", "label", "created_at"),
    "own_events": _own_events,
}
SECTIONS = tuple(_SECTIONS)
"""In the order in which they are told."""

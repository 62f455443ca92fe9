"""`/app/audit`: who changed what from where. For admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get

from app.domain.errors import Invalid
from app.domain.hours import local_date
from app.ports.audit import AuditFilter, AuditRow
from app.ports.people import PeopleFilter, User
from app.ports.unit_of_work import UnitOfWork
from app.web.api.audit import WORD, audit_filter
from app.web.api.fields import DATE_PATTERN
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, need_admin, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

PAGE = 50
MOST = 200
FILTERS = ("actor", "entity", "action", "from", "to")
ENTITIES = (
    ("booking", "Bookings"),
    ("link", "Links"),
    ("one_time_link", "One-time links"),
    ("template", "Questions"),
    ("service", "Services"),
    ("resource", "Resources"),
    ("schedule", "Working hours"),
    ("host", "Time off and limits"),
    ("user", "People"),
    ("calendar_account", "Calendar accounts"),
    ("app_password", "App passwords"),
    ("api_token", "API tokens"),
    ("feed", "Feeds"),
    ("organization", "Organization"),
)
WHO: Mapping[str, str] = {"recipient": "A recipient", "system": "Halfpast", "stranger": "Somebody not signed in"}
VIA: Mapping[str, str] = {
    "api": "API",
    "page": "Pages",
    "caldav": "CalDAV",
    "calendar": "Connected calendar",
    "mail": "Mail",
    "hook": "Provider",
    "command": "Command line",
    "system": "Server",
}
PAGES: Mapping[str, str] = {
    "booking": "/app/bookings/{}",
    "link": "/app/links/{}",
    "template": "/app/templates/{}",
    "service": "/app/services/{}",
}
INSTANTS = frozenset({"start", "end", "hold_expires_at", "actual_start", "actual_end"})
FEW, LONGEST = 4, 120


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry in words."""

    when: str
    who: str
    what: str
    address: str
    changes: tuple[str, ...]
    origin: str


@get("/audit")
async def audit_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The log, newest first, by the filter of the query."""
    need_admin(caller)
    asked = {name: request.query_params.get(name, "").strip() for name in FILTERS}
    form, ports = Form.of(asked), ports_of(request)
    where = _filter(caller, form)
    async with ports.read() as work:
        people = await _people(work, caller, form.get("actor"))
        page = await work.audit.page(where, PAGE, request.query_params.get("cursor"))
    query = urlencode({name: value for name, value in asked.items() if value and name not in form.errors})
    wording = wording_of(request)
    return app_page(
        request,
        caller,
        "audit",
        form=form,
        people=[(person.id, person.name) for person in people],
        entities=ENTITIES,
        few=FEW,
        rows=[_row(entry, caller, wording) for entry in page.items],
        query=query,
        cursor=page.cursor,
        is_continued="cursor" in request.query_params,
    )


async def _people(work: UnitOfWork, caller: Caller, actor: str) -> Sequence[User]:
    """The first ones of the organization, and who is asked for."""
    people = (await work.people.page(PeopleFilter(caller.user.org_id), MOST, None)).items
    try:
        asked = str(UUID(actor))
    except ValueError:
        return people
    missing = {asked} - {person.id for person in people}
    return [*people, *await work.people.named(caller.user.org_id, missing)]


def _filter(caller: Caller, form: Form) -> AuditFilter:
    """What is wrong with the form is said beside it, and left out."""
    actor = form.optional("actor", r"^[0-9a-f-]{36}$", "Please choose somebody of the list.")
    action = form.optional("action", WORD, "An action is written like link.changed.")
    first = form.optional("from", DATE_PATTERN, "Please choose a date.")
    last = form.optional("to", DATE_PATTERN, "Please choose a date.")
    entity = form.optional("entity", WORD, "Please choose one of the list.")
    try:
        return audit_filter(caller, actor=actor, action=action, entity=entity, first=first, last=last)
    except Invalid as refusal:
        form.refuse(refusal)
        return audit_filter(caller, actor=actor, action=action, entity=entity)


def _row(entry: AuditRow, caller: Caller, wording: Wording) -> EntryRow:
    zone = caller.user.timezone
    origin = entry.origin
    parts = [] if origin is None else [VIA.get(origin.via, origin.via), origin.agent, origin.address]
    day = wording.short_day(local_date(zone, entry.at))
    return EntryRow(
        when=f"{day}, {wording.time(entry.at, zone)}",
        who=entry.actor_name or WHO.get(entry.actor_kind, "Somebody who is gone"),
        what=entry.action.replace(".", " ").replace("_", " ").capitalize(),
        address=PAGES.get(entry.entity, "").format(entry.entity_id),
        changes=tuple(_change(name, value, zone, wording) for name, value in entry.changes.items()),
        origin=" · ".join(part for part in parts if part),
    )


def _change(name: str, value: Any, zone: str, wording: Wording) -> str:
    def words(each: Any) -> str:
        if name in INSTANTS and isinstance(each, int):
            return f"{wording.short_day(local_date(zone, each))}, {wording.time(each, zone)}"
        return _plain(each)

    label = name.replace("_", " ")
    if not isinstance(value, list) or len(value) != 2:
        return f"{label}: {words(value)}"
    if value[0] is None:
        return f"{label}: {words(value[1])}"
    return f"{label}: {words(value[0])} → {words(value[1])}"


def _plain(value: Any) -> str:
    text = "–" if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


routes: Sequence[Any] = (audit_page,)

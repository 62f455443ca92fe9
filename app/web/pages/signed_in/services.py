"""`/app/services`: what is offered, by whom and with what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, FieldError, HalfpastError, Invalid, StaleVersion
from app.domain.services import Resource, Service, ServiceHost
from app.domain.stays import nights_words
from app.ports.people import PeopleFilter, User
from app.use_cases import manage_services
from app.web.pages.booking_form import read_guests
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of
from app.web.pages.signed_in.link_form import LOCATIONS, USUAL_MINUTES, minutes_list
from app.web.pages.signed_in.reminder_form import REMINDER_CHOICES, reminder_field, reminder_rows
from app.web.pages.signed_in.service_form import (
    MODES,
    blank_service,
    form_name,
    read_needs,
    read_people,
    read_service,
    service_form,
)
from app.web.sessions import Caller

PAGE = 50
MOST = 200


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """One service of the list."""

    path: str
    name: str
    facts: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One resource of the list."""

    path: str
    name: str
    facts: str


def _row(service: Service, people: int) -> ServiceRow:
    who = "nobody yet" if not people else "1 person" if people == 1 else f"{people} people"
    lengths = minutes_list(service.durations)
    if service.check_in is not None:
        lengths = ", ".join(nights_words(minutes) for minutes in service.durations)
    facts = [each for each in (service.category, lengths, who) if each]
    return ServiceRow(f"/app/services/{service.id}", service.name, " · ".join(facts), service.is_active)


def _resource_row(resource: Resource) -> ResourceRow:
    kinds = {"room": "Room", "chair": "Chair", "equipment": "Equipment", "other": "Other"}
    number = "one" if resource.quantity == 1 else str(resource.quantity)
    return ResourceRow(
        f"/app/services/resources/{resource.id}", resource.name, f"{kinds[resource.kind]} · {number} of it"
    )


@get("/services")
async def services_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """All services of the organization, and the resources they need."""
    need_admin(caller)
    async with ports_of(request).read() as work:
        found = await work.services.page(caller.user.org_id, PAGE, request.query_params.get("cursor"))
        counts = await work.services.people_of([service.id for service in found.items])
        resources = await work.services.resources(caller.user.org_id, MOST, None)
    return app_page(
        request,
        caller,
        "services",
        services=[_row(service, counts.get(service.id, 0)) for service in found.items],
        resources=[_resource_row(resource) for resource in resources.items],
        cursor=found.cursor,
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """What a service can be made of."""

    people: Sequence[User]
    resources: Sequence[Resource]
    templates: Sequence[tuple[str, str]]
    schedules: Sequence[tuple[str, str]]
    hours: Mapping[str, Sequence[tuple[str, str]]]
    """The schedules of each of the people."""
    is_whole: bool
    """Not when there are more people than are shown; those are added by their e-mail addresses."""


async def _around(request: Request[Any, Any, Any], caller: Caller, service: Service | None = None) -> _Around:
    org_id = caller.user.org_id
    async with ports_of(request).read() as work:
        qualified = [host.host_id for host in await work.services.hosts(service.id)] if service else []
        found = await work.people.page(PeopleFilter(org_id, only_active=True), MOST, None)
        shown = {person.id: person for person in (*await work.people.named(org_id, qualified), *found.items)}
        people = [person for person in shown.values() if person.is_active]
        resources = await work.services.resources(caller.user.org_id, MOST, None)
        templates = await work.links.templates(caller.user.org_id, MOST, None)
        schedules = await work.hosts.schedules_of([caller.user.id, *(person.id for person in people)])
    hours: dict[str, list[tuple[str, str]]] = {}
    for schedule in schedules:
        hours.setdefault(schedule.user_id, []).append((schedule.id, schedule.name))
    return _Around(
        people,
        resources.items,
        [(template.id, template.name) for template in templates.items],
        hours.get(caller.user.id, []),
        hours,
        found.cursor is None,
    )


def _form_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    around: _Around,
    service: Service | None = None,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    return app_page(
        request,
        caller,
        "service_form",
        refusal=refusal,
        form=form,
        path=f"/app/services/{service.id}" if service else "/app/services/new",
        name=service.name if service else "",
        around=around,
        usual=USUAL_MINUTES,
        locations=LOCATIONS,
        reminder_rows=reminder_rows(form),
        reminder_choices=REMINDER_CHOICES,
        modes=MODES,
        is_stale=isinstance(refusal, StaleVersion),
        sessions=f"/app/services/{service.id}/slots" if service and _has_sessions(service) else "",
    )


def _has_sessions(service: Service) -> bool:
    return service.capacity > 1 or service.is_scheduled


@get("/services/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form of a new service."""
    need_admin(caller)
    return _form_page(request, caller, blank_service(), await _around(request, caller))


@post("/services/new")
async def create(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a service."""
    need_admin(caller)
    form, around = await Form.posted(request), await _around(request, caller)
    try:
        values, needs = read_service(form), read_needs(form, around.resources)
        hosts = await _added(request, caller, form, read_people(form, around.people, ()))
        form.finish()
        await manage_services.create_service(ports_of(request), caller.user, values, needs, hosts)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: reminder_field(form, field) or form_name(field))
        return _form_page(request, caller, form, around, refusal=refusal)
    return done("/app/services", "made")


async def _added(
    request: Request[Any, Any, Any], caller: Caller, form: Form, hosts: list[ServiceHost]
) -> list[ServiceHost]:
    """With those whose e-mail addresses were typed."""
    errors: list[FieldError] = []
    typed, found = read_guests(errors, form.get("added")), {host.host_id for host in hosts}
    if errors:
        form.fail("added", "Please enter up to 20 e-mail addresses, separated by commas.")
    more = []
    async with ports_of(request).read() as work:
        for address in typed:
            user = await work.people.user_by_email(address)
            if user is None or user.org_id != caller.user.org_id or not user.is_active:
                errors.append(FieldError("added", f"Nobody here who is switched on has the address {address}."))
            elif user.id not in found:
                more.append(ServiceHost(user.id))
    if errors:
        form.fail("added", errors[0].message)
    return [*hosts, *more]


async def _own(request: Request[Any, Any, Any], caller: Caller, service_id: UUID) -> Service:
    need_admin(caller)
    async with ports_of(request).read() as work:
        return await manage_services.found_service(work, caller.user, str(service_id))


@get("/services/{service_id:uuid}")
async def service_page(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[bytes]:
    """The form of a service."""
    service = await _own(request, caller, service_id)
    around = await _around(request, caller, service)
    async with ports_of(request).read() as work:
        hosts, needs = await work.services.hosts(service.id), await work.services.needs(service.id)
    return _form_page(request, caller, service_form(service, hosts, needs), around, service)


@post("/services/{service_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[Any]:
    """Keep a service."""
    service = await _own(request, caller, service_id)
    around = await _around(request, caller, service)
    ports = ports_of(request)
    async with ports.read() as work:
        present = await work.services.hosts(service.id)
    form = await Form.posted(request)
    try:
        values, needs = read_service(form), read_needs(form, around.resources)
        hosts = await _added(request, caller, form, read_people(form, around.people, present))
        form.finish()
        await manage_services.change_service(
            ports, caller.user, service.id, values, needs=needs, hosts=hosts, version=form.version
        )
    except StaleVersion as refusal:
        form.values["version"] = [str(service.version)]
        return _form_page(request, caller, form, around, service, refusal)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: reminder_field(form, field) or form_name(field))
        return _form_page(request, caller, form, around, service, refusal)
    return done("/app/services")


@get("/services/{service_id:uuid}/delete")
async def delete_page(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[bytes]:
    """Asks before deleting."""
    service = await _own(request, caller, service_id)
    return app_page(
        request,
        caller,
        "confirm",
        title="Delete this service?",
        what=service.name,
        text="It can be booked no more. Its bookings stay.",
        action=f"/app/services/{service.id}/delete",
        button="Delete service",
        back=f"/app/services/{service.id}",
    )


@post("/services/{service_id:uuid}/delete")
async def delete(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[Any]:
    """Delete a service that no link offers."""
    service = await _own(request, caller, service_id)
    try:
        await manage_services.delete_service(ports_of(request), caller.user, service.id)
    except AlreadyExists as refusal:
        around = await _around(request, caller, service)
        async with ports_of(request).read() as work:
            hosts, needs = await work.services.hosts(service.id), await work.services.needs(service.id)
        form = service_form(service, hosts, needs)
        form.refuse(refusal)
        return _form_page(request, caller, form, around, service, refusal)
    return done("/app/services", "deleted")


routes: Sequence[Any] = (services_page, new_page, create, service_page, save, delete_page, delete)

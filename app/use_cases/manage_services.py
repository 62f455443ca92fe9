"""Make, change and withdraw services; say who is qualified for them and what they need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import AlreadyExists, FieldError, Invalid, NotFound, StaleVersion
from app.domain.hours import MINUTES_A_DAY
from app.domain.locations import Location
from app.domain.money import is_currency
from app.domain.reminders import reminder_problems
from app.domain.services import Need, Service, ServiceHost
from app.domain.stays import LONGEST_CLAIM, MOST_NIGHTS, longest_claim
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import difference, told
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.reapply_reminders import reapply_job

MAX_DURATIONS = 20
MAX_HOSTS = 200
MAX_NEEDS = 20
DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "category": "",
    "color": None,
    "image_url": None,
    "durations": (30,),
    "step": None,
    "buffer_before": 0,
    "buffer_after": 0,
    "mode": "pool",
    "price": None,
    "deposit": None,
    "currency": None,
    "location": Location(),
    "template_id": None,
    "schedule_id": None,
    "is_active": True,
    "hand_back": False,
    "check_in": None,
    "check_out": None,
    "reminders": None,
    "max_repeats": None,
    "requires_approval": False,
    "cancel_until": None,
    "reschedule_until": None,
    "max_reschedules": None,
    "cancel_fee": None,
}


async def create_service(
    ports: Ports,
    user: User,
    values: Mapping[str, Any],
    needs: Sequence[Need] = (),
    hosts: Sequence[ServiceHost] = (),
    replay: Replay[Service] | None = None,
) -> Service:
    """A service of the organization: `values` are `Service` fields, `hosts` the people who are qualified for it."""
    now = ports.clock()
    made = {"id": new_id(), "org_id": user.org_id, "version": 1, "created_at": now, "updated_at": now}
    service = Service(**{**DEFAULTS, **values, **made})
    async with ports.unit_of_work() as work:
        await _check(work, service, needs, hosts)
        await work.services.add(service)
        await work.services.put_needs(service.id, needs)
        await work.services.put_hosts(service, hosts)
        await _audit(work, user, "service.created", service, difference(None, service), now)
        await remember(work, replay, service, now)
        await work.commit()
    return service


async def change_service(
    ports: Ports,
    user: User,
    service_id: str,
    values: Mapping[str, Any],
    *,
    needs: Sequence[Need] | None = None,
    hosts: Sequence[ServiceHost] | None = None,
    version: int | None = None,
) -> Service:
    """Any subset of the writable fields; `needs` and `hosts` replace all there are, None leaves them."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        service = await _locked(work, user, service_id, version)
        changed = replace(service, **values, version=service.version + 1, updated_at=now)
        changes = difference(service, changed)
        needed, qualified = await work.services.needs(service.id), await work.services.hosts(service.id)
        needs, hosts = needed if needs is None else needs, qualified if hosts is None else hosts
        for name, old, new in (("resources", needed, needs), ("hosts", qualified, hosts)):
            if list(old) != list(new):
                changes[name] = [told(old), told(new)]
        await _check(work, changed, needs, hosts)
        await work.services.update(changed)
        await work.services.put_needs(service.id, needs)
        await work.services.put_hosts(changed, hosts)
        if changed.reminders != service.reminders:
            await work.outbox.enqueue([reapply_job(service.org_id, "service", service.id, now)], now)
        await _audit(work, user, "service.changed", service, changes, now)
        await work.commit()
    return changed


async def delete_service(ports: Ports, user: User, service_id: str, version: int | None = None) -> None:
    """The service is gone for everybody; its bookings stay. `AlreadyExists` while a link offers it."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        service = await _locked(work, user, service_id, version)
        if await work.services.in_use(service.id):
            raise AlreadyExists("A link offers this service; delete the link or switch the service off.")
        await work.services.delete(service, now)
        await _audit(work, user, "service.deleted", service, {}, now)
        await work.commit()


async def found_service(work: UnitOfWork, user: User, service_id: str) -> Service:
    """A service of the user's organization."""
    service = await work.services.get(user.org_id, service_id)
    if service is None:
        raise NotFound("There is no such service.")
    return service


async def _locked(work: UnitOfWork, user: User, service_id: str, version: int | None) -> Service:
    """The same under its row's lock; `version` is that of If-Match, when it was sent."""
    service = await work.services.get(user.org_id, service_id, lock=True)
    if service is None:
        raise NotFound("There is no such service.")
    if version is not None and version != service.version:
        raise StaleVersion(f"The service is at version {service.version} by now.")
    return service


async def _check(work: UnitOfWork, service: Service, needs: Sequence[Need], hosts: Sequence[ServiceHost]) -> None:
    errors = _errors(service)
    if service.template_id is not None and await work.links.template(service.org_id, service.template_id) is None:
        errors.append(FieldError("template_id", "There is no such template."))
    if service.schedule_id is not None and await work.hosts.schedule(service.org_id, service.schedule_id) is None:
        errors.append(FieldError("schedule_id", "There is no such schedule."))
    if errors:
        raise Invalid("The service cannot be kept as sent.", errors)
    await _check_needs(work, service, needs)
    await _check_hosts(work, service, hosts)
    if not hosts and not needs and await work.services.in_use(service.id):
        raise Invalid("A link offers this service; it needs somebody who is qualified for it.")


def _errors(service: Service) -> list[FieldError]:
    errors = []
    if not service.name.strip():
        errors.append(FieldError("name", "A service needs a name."))
    if not service.durations or len(set(service.durations)) < len(service.durations):
        errors.append(FieldError("durations", f"One to {MAX_DURATIONS} different durations are needed."))
    errors += _length_errors(service)
    if (service.price is not None or service.deposit is not None) and service.currency is None:
        errors.append(FieldError("currency", "A price needs a currency."))
    if service.cancel_fee and service.currency is None:
        errors.append(FieldError("currency", "A fee needs a currency."))
    if service.currency is not None and not is_currency(service.currency):
        errors.append(FieldError("currency", "This is no currency of ISO 4217."))
    if service.deposit is not None and service.deposit > (service.price or 0):
        errors.append(FieldError("deposit", "A deposit is part of the price."))
    if service.image_url is not None and not re.match(r"https://[^\s/]", service.image_url):
        errors.append(FieldError("image_url", "The address of a picture begins with https://."))
    if problem := service.location.problem():
        errors.append(FieldError("location", problem))
    return [*errors, *(FieldError(*found) for found in reminder_problems(service.reminders or ()))]


def _length_errors(service: Service) -> list[FieldError]:
    """A stay lasts whole nights, and anything else a day at most."""
    if (service.check_in is None) != (service.check_out is None):
        return [FieldError("check_out", "A stay has both a check-in and a check-out time.")]
    stay = service.stay_in("UTC")
    if stay is None:
        wrong = any(not 0 < minutes <= MINUTES_A_DAY for minutes in service.durations)
        return [FieldError("durations", f"A booking lasts {MINUTES_A_DAY} minutes at most.")] if wrong else []
    if MINUTES_A_DAY in (stay.check_in, stay.check_out):
        return [FieldError("check_in", "Check-in and check-out lie between 00:00 and 23:59.")]
    if service.capacity > 1 or service.is_scheduled:
        return [FieldError("check_in", "A service by the night has no sessions.")]
    if any(minutes % MINUTES_A_DAY or not 0 < minutes <= MOST_NIGHTS * MINUTES_A_DAY for minutes in service.durations):
        return [FieldError("durations", f"A stay is 1 to {MOST_NIGHTS} nights of {MINUTES_A_DAY} minutes each.")]
    buffers = service.buffer_before + service.buffer_after
    longest = longest_claim(stay.check_in, stay.check_out, max(service.durations, default=0), buffers)
    if longest > LONGEST_CLAIM:
        return [FieldError("durations", "With its buffers, and from check-in to check-out, a stay is 31 days at most.")]
    return []


async def _check_hosts(work: UnitOfWork, service: Service, hosts: Sequence[ServiceHost]) -> None:
    if len(hosts) > MAX_HOSTS or len({host.host_id for host in hosts}) < len(hosts):
        raise Invalid.field("items", f"At most {MAX_HOSTS} different people.")
    if service.mode == "fixed_pool" and hosts and all(host.is_fixed for host in hosts):
        raise Invalid.field("items", "Besides those who are fixed there is somebody to choose from.")
    found = await work.people.named(service.org_id, {host.host_id for host in hosts})
    people = {person.id for person in found if person.is_active}
    people |= {host.host_id for host in await work.services.hosts(service.id)}  # who was switched off meanwhile stays
    for number, host in enumerate(hosts):
        if host.host_id not in people:
            raise Invalid.field(f"items.{number}.employee_id", "There is no such person.")
        if host.durations is not None and not set(host.durations) <= set(service.durations):
            raise Invalid.field(f"items.{number}.durations", "These are among the durations of the service.")
        if host.schedule_id is not None:
            schedule = await work.hosts.schedule(service.org_id, host.schedule_id)
            if schedule is None or schedule.user_id != host.host_id:
                raise Invalid.field(f"items.{number}.schedule_id", "There is no such schedule of this person.")


async def _check_needs(work: UnitOfWork, service: Service, needs: Sequence[Need]) -> None:
    if len(needs) > MAX_NEEDS or len({need.resource_id for need in needs}) < len(needs):
        raise Invalid.field("resources", f"At most {MAX_NEEDS} different resources.")
    for number, need in enumerate(sorted(needs, key=lambda need: need.resource_id)):
        resource = await work.services.resource(service.org_id, need.resource_id, lock=True)
        if resource is None:
            raise Invalid.field(f"resources.{number}.resource_id", "There is no such resource.")
        if need.units > resource.quantity:
            raise Invalid.field(f"resources.{number}.units", f"There are {resource.quantity} of “{resource.name}”.")


async def _audit(
    work: UnitOfWork, user: User, action: str, service: Service, changes: Mapping[str, Any], now: int
) -> None:
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, "service", service.id, changes), now)

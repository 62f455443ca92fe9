"""Make, change and withdraw links, one-time links and templates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import AlreadyExists, FieldError, Invalid, LinkUsed, NotFound, StaleVersion
from app.domain.links import Link, OneTimeLink
from app.domain.locations import Location
from app.domain.money import is_currency
from app.domain.reminders import reminder_problems
from app.domain.repeats import LEAST_TIMES
from app.domain.templates import Question, Template
from app.domain.text_rules import SLUG, slug_of
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import difference
from app.use_cases.find_slots import length_problem
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.reapply_reminders import reapply_job

MAX_DURATIONS = 20
MAX_SLOTS = 200
MAX_QUESTIONS = 50
MAX_NUMBER = 100
DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "is_active": True,
    "mode": "single",
    "schedule_id": None,
    "template_id": None,
    "service_id": None,
    "durations": (30,),
    "step": None,
    "buffer_before": 0,
    "buffer_after": 0,
    "minimum_notice": 120,
    "horizon_days": 60,
    "date_range": None,
    "max_per_day": None,
    "max_per_week": None,
    "requires_approval": False,
    "location": Location(),
    "cancel_on_decline": False,
    "hand_back": False,
    "reminders": None,
    "cancel_until": None,
    "reschedule_until": None,
    "max_reschedules": None,
    "cancel_fee": None,
    "fee_currency": None,
    "max_repeats": None,
}


async def create_link(ports: Ports, owner: User, values: Mapping[str, Any], replay: Replay[Link] | None = None) -> Link:
    """A link of `owner`; `values` are `Link` fields. A missing `slug` is made from the title, numbered when taken."""
    if values.get("slug"):
        return await _create_link(ports, owner, values, replay)
    return await _create_numbered(ports, owner, values, slug_of(values["title"]), 1, replay)


async def _create_numbered(
    ports: Ports, owner: User, values: Mapping[str, Any], slug: str, first: int, replay: Replay[Link] | None
) -> Link:
    for number in range(first, MAX_NUMBER):
        numbered = slug if number == 1 else f"{slug[:55].rstrip('-')}-{number}"
        try:
            return await _create_link(ports, owner, {**values, "slug": numbered}, replay)
        except AlreadyExists:
            continue
    raise AlreadyExists("There are too many links of this name.")


async def _create_link(ports: Ports, owner: User, values: Mapping[str, Any], replay: Replay[Link] | None) -> Link:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        link = Link(
            **{
                **DEFAULTS,
                **values,
                "id": new_id(),
                "org_id": owner.org_id,
                "owner_id": owner.id,
                "version": 1,
                "created_at": now,
                "updated_at": now,
            }
        )
        await _check_link(work, link)
        await work.links.add(link, [(owner.id, 0)])
        await _audit(work, owner, "link.created", "link", link.id, difference(None, link), now)
        await remember(work, replay, link, now)
        await work.commit()
    return link


async def change_link(
    ports: Ports, user: User, link_id: str, values: Mapping[str, Any], version: int | None = None
) -> Link:
    """Any subset of the writable fields."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        link = await owned_link(work, user, link_id, lock=True)
        _check_version("link", link.version, version)
        changed = await _change(work, user, link, values, now)
        await work.commit()
    return changed


async def toggle_link(
    ports: Ports, user: User, link_id: str, version: int | None = None, replay: Replay[Link] | None = None
) -> Link:
    """Switch a link off, or on again."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        link = await owned_link(work, user, link_id, lock=True)
        _check_version("link", link.version, version)
        changed = await _change(work, user, link, {"is_active": not link.is_active}, now)
        await remember(work, replay, changed, now)
        await work.commit()
    return changed


async def _change(work: UnitOfWork, user: User, link: Link, values: Mapping[str, Any], now: int) -> Link:
    changed = replace(link, **values, version=link.version + 1, updated_at=now)
    await _check_link(work, changed)
    await work.links.update(changed)
    if changed.reminders != link.reminders:
        await work.outbox.enqueue([reapply_job(link.org_id, "link", link.id, now)], now)
    await _audit(work, user, "link.changed", "link", link.id, difference(link, changed), now)
    return changed


def _check_version(thing: str, version: int, expected: int | None) -> None:
    """If-Match, when it was sent; the caller holds the row's lock."""
    if expected is not None and expected != version:
        raise StaleVersion(f"The {thing} is at version {version} by now.")


async def delete_link(ports: Ports, user: User, link_id: str, version: int | None = None) -> None:
    """The link is gone for everybody; its bookings stay."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        link = await owned_link(work, user, link_id, lock=True)
        _check_version("link", link.version, version)
        await work.links.delete(link.org_id, link.id, now)
        await _audit(work, user, "link.deleted", "link", link.id, {}, now)
        await work.commit()


async def duplicate_link(ports: Ports, user: User, link_id: str, replay: Replay[Link] | None = None) -> Link:
    """A copy under a new slug, switched off until its owner has looked at it."""
    async with ports.read() as work:
        link = await owned_link(work, user, link_id)
    kept = {name: getattr(link, name) for name in DEFAULTS}
    if link.owner_id != user.id:
        kept["schedule_id"] = None  # the copy is the copier's, and so are its hours
    copy = {**kept, "title": f"{link.title[:193]} (copy)", "is_active": False}
    return await _create_numbered(ports, user, copy, link.slug, 2, replay)


async def owned_link(work: UnitOfWork, user: User, link_id: str, *, lock: bool = False) -> Link:
    """A link the user may manage: their own, or any of the organization for admins. `NotFound` for the rest."""
    link = await work.links.get(user.org_id, link_id, lock=lock)
    if link is None or (link.owner_id != user.id and "admin" not in user.roles):
        raise NotFound("There is no such link.")
    return link


async def _check_link(work: UnitOfWork, link: Link) -> None:
    errors = _link_errors(link)
    if link.schedule_id is not None:
        schedule = await work.hosts.schedule(link.org_id, link.schedule_id)
        if schedule is None or schedule.user_id != link.owner_id:
            errors.append(FieldError("schedule_id", "There is no such schedule."))
    if link.template_id is not None and await work.links.template(link.org_id, link.template_id) is None:
        errors.append(FieldError("template_id", "There is no such template."))
    if link.service_id is not None and not await _has_takers(work, link.org_id, link.service_id):
        errors.append(FieldError("service_id", "There is no such service, or nobody is qualified for it yet."))
    if errors:
        raise Invalid("The link cannot be kept as sent.", errors)


async def _has_takers(work: UnitOfWork, org_id: str, service_id: str) -> bool:
    """Whether the service is there, and somebody or something to book with it."""
    service = await work.services.get(org_id, service_id, lock=True)
    return service is not None and bool(await work.services.hosts(service_id) or await work.services.needs(service_id))


def _link_errors(link: Link) -> list[FieldError]:
    errors = []
    if not link.title.strip():
        errors.append(FieldError("title", "A link needs a title."))
    if not re.search(SLUG, link.slug):
        errors.append(FieldError("slug", "A slug has lower-case letters, digits and dashes."))
    if not link.durations or len(link.durations) > MAX_DURATIONS or len(set(link.durations)) < len(link.durations):
        errors.append(FieldError("durations", f"One to {MAX_DURATIONS} different durations are needed."))
    if link.max_repeats == 1:
        errors.append(FieldError("max_repeats", f"A set is {LEAST_TIMES} bookings at least; 0 forbids repeating."))
    if link.date_range is not None and link.date_range[1] < link.date_range[0]:
        errors.append(FieldError("date_range", "The last day lies before the first."))
    if link.cancel_fee and link.fee_currency is None:
        errors.append(FieldError("fee_currency", "A fee needs a currency."))
    if link.fee_currency is not None and not is_currency(link.fee_currency):
        errors.append(FieldError("fee_currency", "This is no currency of ISO 4217."))
    if problem := link.location.problem():
        errors.append(FieldError("location", problem))
    return [*errors, *(FieldError(*found) for found in reminder_problems(link.reminders or ()))]


async def create_one_time(
    ports: Ports,
    user: User,
    link_id: str,
    *,
    recipient_email: str | None,
    slots: Sequence[tuple[int, int]],
    expires_at: int | None,
    replay: Replay[OneTimeLink] | None = None,
) -> OneTimeLink:
    """A link for one booking; `slots` are hand-picked (start, duration minutes), empty for free choice."""
    now = ports.clock()
    if expires_at is not None and expires_at <= now:
        raise Invalid.field("expires_at", "The expiry lies in the past.")
    if len(slots) > MAX_SLOTS or len(set(slots)) < len(slots):
        raise Invalid.field("slots", f"At most {MAX_SLOTS} different times.")
    if any(start <= now or start % 60 for start, _ in slots):
        raise Invalid.field("slots", "Chosen times are whole minutes in the future.")
    async with ports.unit_of_work() as work:
        link = await owned_link(work, user, link_id)
        await _check_picks(work, link, slots)
        one_time = OneTimeLink(
            id=new_id(),
            org_id=link.org_id,
            link_id=link.id,
            token=ports.vault.new_token(),
            recipient_email=recipient_email,
            slots=tuple(sorted(slots)),
            expires_at=expires_at,
            status="open",
            booking_id=None,
            created_at=now,
        )
        await work.links.add_one_time(one_time)
        await _audit(work, user, "one_time_link.created", "one_time_link", one_time.id, {"link": link.id}, now)
        await remember(work, replay, one_time, now)
        await work.commit()
    return one_time


async def _check_picks(work: UnitOfWork, link: Link, slots: Sequence[tuple[int, int]]) -> None:
    """Whether hand-picked times can be booked at all: hours do not bound them, but guests who stay come at check-in."""
    context = await work.links.context_of(link.id) if slots else None
    offer = context.link if context else link
    errors = []
    for index, (start, minutes) in enumerate(slots):
        if problem := length_problem(offer, start, minutes):
            errors.append(FieldError(f"slots.{index}.duration", problem))
        elif offer.stay is not None and not offer.stay.is_start(start):
            errors.append(FieldError(f"slots.{index}.start", "Guests who stay by the night come at check-in."))
    if errors:
        raise Invalid("The times cannot be kept as sent.", errors)


async def revoke_one_time(ports: Ports, user: User, one_time_id: str) -> OneTimeLink:
    """Withdraw an open one-time link; one that was used stays with its booking (`LinkUsed`)."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        one_time = await owned_one_time(work, user, one_time_id)
        if one_time.status == "used" or (
            one_time.status == "open" and not await work.links.revoke_one_time(one_time.id)
        ):
            raise LinkUsed("This link was used already; cancel its booking instead.")
        await _audit(work, user, "one_time_link.revoked", "one_time_link", one_time.id, {}, now)
        await work.commit()
    return replace(one_time, status="revoked")


async def owned_one_time(work: UnitOfWork, user: User, one_time_id: str) -> OneTimeLink:
    """A one-time link the user may manage."""
    one_time = await work.links.one_time(user.org_id, one_time_id)
    if one_time is None:
        raise NotFound("There is no such link.")
    await owned_link(work, user, one_time.link_id)
    return one_time


async def create_template(
    ports: Ports, user: User, values: Mapping[str, Any], replay: Replay[Template] | None = None
) -> Template:
    """Questions and follow-up for the organization's links."""
    now = ports.clock()
    template = Template(**values, id=new_id(), org_id=user.org_id, version=1, created_at=now, updated_at=now)
    check_template(template)
    async with ports.unit_of_work() as work:
        await work.links.add_template(template)
        await _audit(work, user, "template.created", "template", template.id, difference(None, template), now)
        await remember(work, replay, template, now)
        await work.commit()
    return template


async def change_template(
    ports: Ports, user: User, template_id: str, values: Mapping[str, Any], version: int | None = None
) -> Template:
    """Any subset of the writable fields."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        template = await found_template(work, user, template_id, lock=True)
        _check_version("template", template.version, version)
        changed = replace(template, **values, version=template.version + 1, updated_at=now)
        check_template(changed)
        await work.links.update_template(changed)
        await _audit(work, user, "template.changed", "template", template.id, difference(template, changed), now)
        await work.commit()
    return changed


async def delete_template(ports: Ports, user: User, template_id: str, version: int | None = None) -> None:
    """Links that used it ask nothing from then on."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        template = await found_template(work, user, template_id, lock=True)
        _check_version("template", template.version, version)
        await work.links.delete_template(user.org_id, template.id)
        await _audit(work, user, "template.deleted", "template", template.id, {}, now)
        await work.commit()


async def found_template(work: UnitOfWork, user: User, template_id: str, *, lock: bool = False) -> Template:
    """A template of the user's organization."""
    template = await work.links.template(user.org_id, template_id, lock=lock)
    if template is None:
        raise NotFound("There is no such template.")
    return template


def check_template(template: Template) -> None:
    """Every problem of a template at once."""
    errors = [] if template.name.strip() else [FieldError("name", "A template needs a name.")]
    if len(template.questions) > MAX_QUESTIONS:
        errors.append(FieldError("questions", f"At most {MAX_QUESTIONS} questions."))
    seen: set[str] = set()
    for index, question in enumerate(template.questions):
        errors += _question_errors(f"questions.{index}", question, seen)
        seen.add(question.id)
    if template.email_followup_enabled and not (template.followup.subject.strip() and template.followup.body.strip()):
        errors.append(FieldError("followup", "A follow-up needs a subject and a text."))
    if errors:
        raise Invalid("The template cannot be kept as sent.", errors)


def _question_errors(field: str, question: Question, seen: set[str]) -> list[FieldError]:
    errors = []
    if question.id in seen:
        errors.append(FieldError(f"{field}.id", "Two questions have this id."))
    if not question.label.strip():
        errors.append(FieldError(f"{field}.label", "A question needs a label."))
    if question.kind in ("choice", "multi") and not question.options:
        errors.append(FieldError(f"{field}.options", "This kind of question needs options."))
    return errors


async def _audit(
    work: UnitOfWork, user: User, action: str, entity: str, entity_id: str, changes: Mapping[str, Any], now: int
) -> None:
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, entity, entity_id, changes), now)

"""Make, change and withdraw links, one-time links and templates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.errors import AlreadyExists, FieldError, Invalid, LinkUsed, NotFound, StaleVersion
from app.domain.links import VIDEO, Link, Location, OneTimeLink, Question, Template
from app.domain.text_rules import SLUG, slug_of
from app.ports import Ports
from app.ports.storage import AuditEntry, UnitOfWork, User
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id

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
        await _audit(work, owner, "link.created", "link", link.id, {}, now)
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
    await _audit(work, user, "link.changed", "link", link.id, {"fields": sorted(values)}, now)
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
    if errors:
        raise Invalid("The link cannot be kept as sent.", errors)


def _link_errors(link: Link) -> list[FieldError]:
    errors = []
    if not link.title.strip():
        errors.append(FieldError("title", "A link needs a title."))
    if not re.search(SLUG, link.slug):
        errors.append(FieldError("slug", "A slug has lower-case letters, digits and dashes."))
    if not link.durations or len(link.durations) > MAX_DURATIONS or len(set(link.durations)) < len(link.durations):
        errors.append(FieldError("durations", f"One to {MAX_DURATIONS} different durations are needed."))
    if link.date_range is not None and link.date_range[1] < link.date_range[0]:
        errors.append(FieldError("date_range", "The last day lies before the first."))
    if link.location.kind == "link" and not re.match(r"https?://[^\s/]", link.location.value):
        errors.append(FieldError("location", "A meeting link begins with https://."))
    if link.location.kind == VIDEO and link.location.value:
        errors.append(FieldError("location", "An online meeting of this kind gets its address with each booking."))
    return errors


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
        await _audit(work, user, "template.created", "template", template.id, {}, now)
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
        await _audit(work, user, "template.changed", "template", template.id, {"fields": sorted(values)}, now)
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

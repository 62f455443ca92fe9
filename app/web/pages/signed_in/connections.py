"""`/app/connections`: calendar accounts with their health, which calendars count, and what could not be delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.calendars import BUILTIN, PERSONAL, SCHEDULE, Calendar, CalendarAccount, EditPolicy
from app.domain.errors import AlreadyExists, HalfpastError, Invalid, NotFound, ProviderFailure, RateLimited
from app.domain.hours import local_date
from app.ports.outbox import DeadLetter
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_accounts import change_account, own_account, sync_now
from app.use_cases.calendar_health import health_of, in_trouble
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars, relist_calendars
from app.use_cases.connect_calendar import NewAccount, change_secret, connect_calendar
from app.use_cases.connect_organization import rests_on_grant
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.web.pages.rendering import see_other
from app.web.pages.signed_in.booking_views import reason_of
from app.web.pages.signed_in.connection_cards import SIGN_INS, Clock, account_card
from app.web.pages.signed_in.contact_choices import contact_choices, use_contacts
from app.web.pages.signed_in.entry import limit_attempts, next_page
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import AT, LINK_ROLES, Member, app_page, done, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

_CONNECT_REFUSALS = (Invalid, AlreadyExists, ProviderFailure, RateLimited)
WORK: Mapping[str, str] = {
    "booking_mail": "Mail about a booking",
    "series_mail": "Mail about a recurring booking",
    "session_mail": "Mail about a session",
    "calendar_event": "Calendar event of a booking",
    "followup": "Follow-up mail",
    "account_mail": "Mail to a user",
    "calendar_invitation": "Mail that asks to connect a calendar",
    "sync_calendar": "Reading a calendar",
    "follow_edit": "Following an event that was changed in a calendar",
    "edits_asked": "Mail about changed events",
    "edit_refused": "Mail about an event that was put back",
    "watch_calendar": "Hearing of a calendar's changes at once",
    "release_account": "Giving back the access to an account",
    "reread_calendar": "Reading a calendar in another way",
    "calendar_trouble": "Mail about a calendar account",
    "write_trouble": "Mail about a booking's calendar event",
    "add_contact": "Adding a recipient to contacts",
    "put_contact": "Adding a recipient to contacts",
    "remove_contact": "Taking an erased person out of contacts",
    "meeting_place": "Finding a place for an online meeting",
    "conflicts_found": "Mail about bookings that overlap events",
    "recipient_declined": "Mail about a declined invitation",
    "event_kept": "Mail about a booking whose event was deleted",
    "edits_kept": "Mail about what devices sent",
    "scheduling_mail": "Invitation or answer about a personal event",
    "scheduling_mail_failed": "Noting on an event that a guest was not reached",
    "expand_collection": "Working out the repeats of an event",
    "expire_hold": "Giving back a time that was held",
    "complete_booking": "Completing a booking",
    "forget_set_up": "Forgetting the link of a phone's set-up",
}
TAKE_BACK: Mapping[str, tuple[tuple[str, str], ...]] = {
    "microsoft": (
        ("Personal accounts", "https://account.microsoft.com/privacy/app-access"),
        ("Work and school accounts", "https://myapps.microsoft.com"),
    ),
}
"""Where a person takes the access back that the provider takes from nobody else."""
GRANTED = (
    " Nothing is taken back at the provider: an admin of your organization let Halfpast in for everybody, and can"
    " connect your calendar again."
)
EDITS: Mapping[str, str] = {
    "rules": "It follows, as far as its link's rules allow",
    "outside": "It follows, also outside my hours",
    "ask": "I am asked first",
}
"""What becomes of a booking whose event is moved or deleted in the calendar."""
ABOUT_BOOKING = frozenset(
    {
        "booking_mail",
        "series_mail",
        "session_mail",
        "calendar_event",
        "followup",
        "write_trouble",
        "meeting_place",
        "recipient_declined",
        "add_contact",
        "edit_refused",
        "event_kept",
    }
)


@dataclass(frozen=True, slots=True)
class UndeliveredRow:
    """Something that was given up."""

    id: str
    what: str
    error: str
    at: str
    about: str


@get("/connections")
async def connections_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """All of it."""
    return await _page(request, caller)


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    refusal: HalfpastError | None = None,
    problem: str = "",
    form: Form | None = None,
    subscription: Form | None = None,
    trouble_at: str = "",
) -> Response[bytes]:
    ports, wording, user = ports_of(request), wording_of(request), caller.user
    async with ports.read() as work:
        accounts = await work.calendars.accounts_of(user.id)
        calendars = await work.calendars.calendars_of(user.id)
        connected = [account for account in accounts if account.provider != BUILTIN]
        health = await health_of(ports, work, connected, calendars)
        if request.method == "POST":  # what was sent may have mended or found something
            request.state.in_trouble = await in_trouble(ports, work, user)
        undelivered = await work.outbox.dead(user.org_id) if LINK_ROLES & set(user.roles) else []
    clock = Clock(ports.clock(), user.timezone, wording)
    builtin = {each.name: each for each in calendars if each.provider == BUILTIN}
    return app_page(
        request,
        caller,
        "connections",
        refusal=refusal,
        problem=problem,
        accounts=[
            account_card(each, contact_choices(ports, each.account), clock, ports.calendar_age_limit) for each in health
        ],
        writables=_writables(calendars, connected),
        personal=builtin.get(PERSONAL),
        own_edits=next((each.edits for each in accounts if each.provider == BUILTIN), "rules"),
        can_connect="caldav" in ports.providers,
        edit_policies=tuple(EDITS.items()),
        sign_ins=[(name, SIGN_INS.get(name, name.title())) for name in ports.sign_ins],
        form=form or Form(),
        subscription=subscription or Form(),
        trouble_at=trouble_at,
        sees_undelivered=bool(LINK_ROLES & set(user.roles)),
        undelivered=[_undelivered_row(letter, user.timezone, wording) for letter in undelivered],
    )


def _writables(calendars: Sequence[Calendar], accounts: Sequence[CalendarAccount]) -> list[tuple[str, str, bool]]:
    """(id, words, whether it is chosen) of every calendar that can receive the bookings."""
    labels = {account.id: f"({account.label}){AT.get(account.provider, '')}" for account in accounts}
    found = []
    for calendar in calendars:
        if calendar.provider == BUILTIN:
            if calendar.name == SCHEDULE:
                found.append((calendar.id, "Halfpast alone (feed and phone)", calendar.is_write))
        elif not calendar.read_only and "VEVENT" in calendar.components:
            found.append((calendar.id, f"{calendar.display_name} {labels[calendar.account_id]}", calendar.is_write))
    return found


def _undelivered_row(letter: DeadLetter, zone: str, wording: Wording) -> UndeliveredRow:
    at = f"{wording.short_day(local_date(zone, letter.updated_at))}, {wording.time(letter.updated_at, zone)}"
    about = f"/app/bookings/{letter.subject_id}" if letter.kind in ABOUT_BOOKING else ""
    return UndeliveredRow(letter.id, WORK.get(letter.kind, letter.kind), reason_of(letter.error), at, about)


@post("/connections")
async def connect(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Connect a CalDAV account: find the server, prove the password, list and read the calendars."""
    form = await Form.posted(request)
    new = NewAccount("caldav", form.get("address"), form.get("username"), form.secret("secret"), form.get("label"))
    try:
        await limit_attempts(request, f"calendar {caller.user.id}")
        await connect_calendar(ports_of(request), caller.user, new)
    except _CONNECT_REFUSALS as refusal:
        if isinstance(refusal, ProviderFailure) and refusal.kind == "auth":
            form.fail("secret", refusal.detail)
        else:
            form.refuse(refusal)
        return await _page(request, caller, refusal, form=form)
    return done("/app/connections", "connected")


@post("/connections/address")
async def subscribe(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Read a calendar that is published at an address."""
    form = await Form.posted(request)
    new = NewAccount("ics_url", form.get("ics_address"), "", "", form.get("ics_label"))
    try:
        await limit_attempts(request, f"calendar {caller.user.id}")
        await connect_calendar(ports_of(request), caller.user, new)
    except _CONNECT_REFUSALS as refusal:
        if isinstance(refusal, ProviderFailure):
            form.fail("ics_address", refusal.detail)
        else:
            form.refuse(refusal, lambda field: f"ics_{field}")
        return await _page(request, caller, refusal, subscription=form)
    return done("/app/connections", "connected")


async def _own(work: UnitOfWork, caller: Caller, account_id: UUID) -> CalendarAccount:
    account = await own_account(work, caller.user, str(account_id))
    if account.provider == BUILTIN:
        raise NotFound("There is no such calendar account.")
    return account


@post("/connections/{account_id:uuid}/calendars")
async def choose_conflicts(
    request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]
) -> Response[Any]:
    """Which calendars of an account block time, and whether what is only tentative in them does too."""
    ports = ports_of(request)
    form = await Form.posted(request)
    ticked, tentative_busy = set(form.all("conflict")), form.get("tentative") == "yes"
    async with ports.read() as work:
        account = await _own(work, caller, account_id)
        calendars = await work.calendars.calendars_in(account.id)
    choices = [
        CalendarChoice(calendar.id, is_conflict=calendar.id in ticked, tentative_busy=tentative_busy)
        for calendar in calendars
    ]
    await choose_calendars(ports, caller.user, account.id, choices)
    edits = form.get("edits")
    if edits in EDITS:
        invites = form.get("invites") == "yes" and account.provider in SIGN_INS
        edits = cast("EditPolicy", edits)
        await change_account(ports, caller.user, account.id, edits=edits, provider_invites=invites)
    return done("/app/connections")


@post("/connections/own")
async def choose_own(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """What becomes of bookings whose events are moved or deleted in the schedule on this server."""
    ports = ports_of(request)
    edits = (await Form.posted(request)).get("edits")
    async with ports.read() as work:
        accounts = await work.calendars.accounts_of(caller.user.id)
    own = next((each for each in accounts if each.provider == BUILTIN), None)
    if own is None or edits not in EDITS:
        raise NotFound("There is nothing at this address.")
    await change_account(ports, caller.user, own.id, edits=cast("EditPolicy", edits))
    return done("/app/connections")


@post("/connections/write")
async def choose_write(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Which calendar, of any account, receives the bookings."""
    ports = ports_of(request)
    wanted = (await Form.posted(request)).get("calendar")
    async with ports.read() as work:
        calendars = await work.calendars.calendars_of(caller.user.id)
    chosen = next((calendar for calendar in calendars if calendar.id == wanted), None)
    if chosen is None:
        raise NotFound("There is no such calendar.")
    try:
        await choose_calendars(ports, caller.user, chosen.account_id, [CalendarChoice(chosen.id, is_write=True)])
    except Invalid as refusal:
        return await _page(request, caller, refusal, problem=refusal.detail)
    return done("/app/connections")


@post("/connections/{account_id:uuid}/sync")
async def sync(request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]) -> Response[Any]:
    """Read the calendars that count, which records how they are, and look for new ones."""
    ports = ports_of(request)
    async with ports.read() as work:
        account = await _own(work, caller, account_id)
        calendars = await work.calendars.calendars_in(account.id)
    try:
        await limit_attempts(request, f"calendar {caller.user.id}")
        await sync_now(ports, [calendar for calendar in calendars if calendar.is_conflict])
        await relist_calendars(ports, caller.user, account.id)
    except (ProviderFailure, RateLimited) as refusal:
        problem = f"{account.label}: {refusal.detail}"
        return await _page(request, caller, refusal, problem=problem, trouble_at=account.id)
    return done("/app/connections", "synced")


@post("/connections/{account_id:uuid}/password")
async def save_password(request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]) -> Response[Any]:
    """A new password of an account, proved before it is kept."""
    ports = ports_of(request)
    form = await Form.posted(request)
    async with ports.read() as work:
        account = await _own(work, caller, account_id)
    try:
        await limit_attempts(request, f"calendar {caller.user.id}")
        await change_secret(ports, caller.user, account.id, form.secret("new_secret"))
    except (Invalid, ProviderFailure, RateLimited) as refusal:
        return await _page(
            request, caller, refusal, problem=f"{account.label}: {refusal.detail}", trouble_at=account.id
        )
    return done("/app/connections")


@get("/connections/{account_id:uuid}/disconnect")
async def disconnect_page(
    request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]
) -> Response[bytes]:
    """Asks before disconnecting."""
    async with ports_of(request).read() as work:
        account = await _own(work, caller, account_id)
        is_granted = await rests_on_grant(work, account)
    return app_page(
        request,
        caller,
        "confirm",
        title="Disconnect this account?",
        what=account.label,
        text="Its calendars block no time any more, and bookings are not written there. Events already written stay."
        + (GRANTED if is_granted else ""),
        places=() if is_granted else TAKE_BACK.get(account.provider, ()),
        action=f"/app/connections/{account.id}/disconnect",
        button="Disconnect",
        back="/app/connections",
    )


@post("/connections/{account_id:uuid}/disconnect")
async def disconnect(request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]) -> Response[Any]:
    """Forget the account."""
    ports = ports_of(request)
    async with ports.read() as work:
        account = await _own(work, caller, account_id)
        is_granted = await rests_on_grant(work, account)
    await disconnect_calendar(ports, caller.user, account.id)
    did = f"disconnected-{account.provider}" if account.provider in TAKE_BACK and not is_granted else "disconnected"
    return done("/app/connections", did)


@post("/undelivered/{job_id:uuid}/retry")
async def retry(request: Request[Any, Any, Any], caller: Member, job_id: FromPath[UUID]) -> Response[Any]:
    """Try once more what was given up."""
    ports = ports_of(request)
    form = await Form.posted(request)
    if not LINK_ROLES & set(caller.user.roles):
        raise NotFound("There is nothing at this address.")
    async with ports.unit_of_work() as work:
        if not await work.outbox.retry(caller.user.org_id, str(job_id), ports.clock()):
            raise NotFound("This was delivered meanwhile, or is gone.")
        await work.commit()
    back = next_page(form.get("back") or "/app/connections")
    return see_other(f"{back}?did=retried")


routes: Sequence[Any] = (
    connections_page,
    connect,
    subscribe,
    choose_conflicts,
    use_contacts,
    choose_own,
    choose_write,
    sync,
    save_password,
    disconnect_page,
    disconnect,
    retry,
)

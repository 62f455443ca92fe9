"""`/app/people/calendars`: calendars for the whole organization, by what an admin of Google Workspace or Microsoft 365
granted. For admins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, NotFound, RateLimited
from app.domain.hours import local_date
from app.use_cases import connect_organization as organization
from app.use_cases.connect_organization import MOST_AT_ONCE, Colleague, Outcome, Standing
from app.web.pages.signed_in.entry import limit_attempts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of, wording_of
from app.web.sessions import Caller

PATH = "/app/people/calendars"
NAMES: Mapping[str, str] = {"google": "Google Workspace", "microsoft": "Microsoft 365"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One active person. `state` is empty for those who can be chosen, `trouble` what the last try met."""

    id: str
    name: str
    email: str
    state: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Section:
    """One provider."""

    provider: str
    name: str
    way: str
    label: str
    since: str
    client: str
    scopes: str
    resting: int
    people: tuple[PersonRow, ...]

    @property
    def can_choose(self) -> bool:
        """Whether there is anybody left to connect for."""
        return any(not person.state for person in self.people)


def _section(standing: Standing, since: str, troubles: Mapping[str, str]) -> Section:
    return Section(
        provider=standing.provider,
        name=NAMES.get(standing.provider, standing.provider),
        way=standing.way,
        label=standing.grant.label if standing.grant else "",
        since=since,
        client=standing.client,
        scopes=",".join(standing.scopes),
        resting=standing.resting,
        people=tuple(_row(each, troubles.get(each.user.id, "")) for each in standing.people),
    )


def _row(colleague: Colleague, trouble: str) -> PersonRow:
    user, state = colleague.user, ""
    if colleague.account is not None:
        state = "Connected by this" if colleague.rests else "Connected by themselves"
        if colleague.account.status != "ok":
            trouble = trouble or colleague.account.error or ""
    return PersonRow(user.id, user.name, user.email, state, trouble)


@get("/people/calendars")
async def calendars_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """What is granted, how to grant it, and for whom it is used."""
    need_admin(caller)
    return await _page(request, caller, Form())


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    refusal: HalfpastError | None = None,
    outcomes: Sequence[Outcome] = (),
) -> Response[bytes]:
    ports, wording, zone = ports_of(request), wording_of(request), caller.user.timezone
    troubles = {each.user.id: each.trouble for each in outcomes if each.trouble}
    sections = [
        _section(
            standing,
            wording.full_day(local_date(zone, standing.grant.created_at)) if standing.grant else "",
            troubles,
        )
        for standing in await organization.standings(ports, caller.user)
    ]
    return app_page(
        request,
        caller,
        "organization_calendars",
        refusal=refusal,
        form=form,
        sections=sections,
        failed=len(troubles),
        worked=len(outcomes) - len(troubles),
        most=MOST_AT_ONCE,
    )


@post("/people/calendars/{provider:str}/key")
async def keep_key(request: Request[Any, Any, Any], caller: Member, provider: FromPath[str]) -> Response[Any]:
    """Keep a pasted key. It is never shown again, not even when it is refused."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        await organization.keep_key(ports_of(request), caller.user, provider, form.get("key"))
    except Invalid as refusal:
        form.refuse(refusal)
        form.values.pop("key", None)
        return await _page(request, caller, form, refusal)
    return done(PATH, "grant-given")


@get("/people/calendars/{provider:str}/consent")
async def consent(request: Request[Any, Any, Any], caller: Member, provider: FromPath[str]) -> Response[None]:
    """To the provider, where an admin signs in and agrees."""
    need_admin(caller)
    address = organization.begin_consent(ports_of(request), caller.user, caller.session, provider)
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(None, status_code=303, headers=headers)


@post("/people/calendars/{provider:str}/connect")
async def connect(request: Request[Any, Any, Any], caller: Member, provider: FromPath[str]) -> Response[Any]:
    """Connect for those who were chosen; who could not be connected is told beside their name."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        await limit_attempts(request, f"organization calendars {caller.user.org_id}")
        outcomes = await organization.connect_for(ports_of(request), caller.user, provider, form.all("people"))
    except (Invalid, RateLimited) as refusal:
        form.refuse(refusal, lambda _: f"people-{provider}")
        return await _page(request, caller, form, refusal)
    if any(each.trouble for each in outcomes):
        return await _page(request, caller, Form(), outcomes=outcomes)
    return done(PATH, "colleagues-connected")


@get("/people/calendars/{provider:str}/remove")
async def remove_page(request: Request[Any, Any, Any], caller: Member, provider: FromPath[str]) -> Response[bytes]:
    """Asks before, and says what becomes of everything."""
    need_admin(caller)
    standings = await organization.standings(ports_of(request), caller.user)
    found = next((each for each in standings if each.provider == provider and each.grant), None)
    if found is None or found.grant is None:
        raise NotFound("Nothing was granted for the whole organization.")
    people = "1 person" if found.resting == 1 else f"{found.resting} people"
    return app_page(
        request,
        caller,
        "confirm",
        title="Remove this grant?",
        what=f"{NAMES.get(provider, provider)}: {found.grant.label}",
        text=f"The calendars of {people} that were connected by it are disconnected: they block no time any more, and "
        "Halfpast forgets what let it in. Bookings stay, and so do events already written. Nothing is taken back at "
        "the provider: do that there, in its admin console.",
        places=(),
        action=f"{PATH}/{provider}/remove",
        button="Remove and disconnect",
        back=PATH,
    )


@post("/people/calendars/{provider:str}/remove")
async def remove(request: Request[Any, Any, Any], caller: Member, provider: FromPath[str]) -> Response[Any]:
    """Forget it, and disconnect what rests on it."""
    need_admin(caller)
    await organization.remove_grant(ports_of(request), caller.user, provider)
    return done(PATH, "grant-removed")


routes: Sequence[Any] = (calendars_page, keep_key, consent, connect, remove_page, remove)

"""What all signed-in pages have around them: who is here, where they can go, what just happened; and who may come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler

from app.domain.errors import Forbidden, HalfpastError, Unauthenticated
from app.ports import Ports
from app.ports.calendar_store import AccountTrouble
from app.ports.people import User
from app.use_cases.calendar_health import in_trouble
from app.web.pages.errors import own_path, page_or_problem, refusal_of
from app.web.pages.rendering import page, see_other
from app.web.pages.wording import Wording, wording_for
from app.web.problem import problem_of
from app.web.sessions import Caller, csrf_token, provide_caller

HOME = "/app/bookings"
WORK = "/app/today"
NOTIFICATIONS = "/app/notifications"
MOST_UNREAD = 9
"""So many are counted on every page."""
Member = NamedDependency[Caller]
"""How handlers ask for who is signed in."""
LINK_ROLES = frozenset({"owner", "admin"})
AT: Mapping[str, str] = {"google": " (Google)", "microsoft": " (Microsoft)"}
"""Behind the name of an account: one may have an account under the same address at both."""

NOTICES: Mapping[str, str] = {
    "saved": "Saved.",
    "erased": "They are forgotten. Calendars and feeds are being brought up to date.",
    "erased-but-contacts": "They are forgotten. Some hosts have them in an address book of their own: ask your hosts "
    "to delete them there.",
    "unknown-person": "Nothing was known of this address.",
    "deleted": "Deleted.",
    "made": "Made.",
    "link-made": "The link is ready to be shared.",
    "one-time-made": "The one-time link is ready to be sent.",
    "copied": "This is the copy. It is switched off until you switch it on.",
    "on": "The link is switched on.",
    "off": "The link is switched off: whoever opens it is told so.",
    "read": "All notifications are marked as read.",
    "revoked": "Withdrawn: it does not work any more.",
    "guests": "The guests are kept. Who is new is invited, and who was left out is told.",
    "merged": "The two are one client now.",
    "blocked": "They cannot book any more. Bookings that are there stay.",
    "unblocked": "They can book again.",
    "booked": "It is booked. Everybody concerned will be told.",
    "moved": "The booking was moved. Everybody concerned will be told.",
    "cancelled-all": "The bookings were cancelled. Everybody concerned will be told.",
    "cancelled": "The booking was cancelled. Everybody concerned will be told.",
    "kept": "A copy is in your personal calendar.",
    "dismissed": "Dismissed.",
    "followed": "The booking follows your calendar, or its event is put back where it cannot; you are told by mail.",
    "put-back": "The event is put back into your calendar.",
    "confirmed-all": "The bookings are confirmed. The recipients will be told.",
    "none-chosen": "Nothing was chosen, so nothing was confirmed.",
    "confirmed": "The booking is confirmed. The recipient will be told.",
    "started": "The booking has started.",
    "completed": "The booking is completed.",
    "missed": "The booking is marked as missed.",
    "corrected": "The booking is confirmed again.",
    "connected": "The calendar account is connected. All its calendars block time until you choose otherwise.",
    "connected-contacts": "The account's contacts are used from now on.",
    "contacts-refused": "The calendars are connected. The contacts are not used: access to them was not given.",
    "sign-in-refused": "Nothing was connected: the access that is needed was not granted.",
    "sign-in-other-account": "Nothing was connected: another account came back than the one to connect anew.",
    "sign-in-stale": "Nothing was connected: it took too long, or was begun in another browser. Please try again.",
    "sign-in-unreachable": "Nothing was connected: the provider does not answer. Please try again later.",
    "sign-in-failed": "Nothing was connected: the provider's answer could not be used. Please try again.",
    "grant-given": "Halfpast is let in for your whole organization. Choose below whose calendars to connect.",
    "grant-taken": "Nothing was granted: another organization on this server is connected to yours there already.",
    "grant-removed": "The grant is forgotten, and the calendars connected by it are disconnected.",
    "colleagues-connected": "The calendars are connected. All of them block time until their people choose otherwise.",
    "disconnected": "The account is disconnected. Events already written into it stay there.",
    "disconnected-microsoft": "The account is disconnected. Events already written into it stay there. Take the access "
    "back at account.microsoft.com/privacy/app-access, or for a work or school account at myapps.microsoft.com.",
    "let-in": "They find your calendars in their calendar app from now on.",
    "let-out": "They cannot see your calendars any more.",
    "synced": "The calendars were read.",
    "retried": "It will be tried again now.",
    "person-off": "Switched off: they cannot sign in or be booked any more.",
    "person-on": "Switched on again.",
    "bookings-over": "Done. Everybody concerned will be told.",
    "link-over": "The link was handed over. Both owners will be told.",
    "links-over": "The links were handed over. Both will be told.",
    "invited": "The invitation is on its way.",
    "password": "Your password is set. Please sign in with it.",
    "password-changed": "Your password was changed. You are signed out everywhere else.",
    "elsewhere": "You are signed out everywhere else.",
    "out": "You are signed out.",
    "away": "Your time off is kept. Bookings already made in it stay: look whether they need to be moved.",
}
"""What `?did=` says after a form was sent; nothing else is ever shown from it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    label: str
    address: str
    is_current: bool
    unread: str = ""
    """How many notifications wait there; empty for none."""


@dataclass(frozen=True, slots=True)
class Banner:
    """What the person has to see to, wherever they are; `address` is where."""

    words: str
    address: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame of a page shows. `csrf` goes into every form."""

    user: str
    email: str
    places: tuple[Place, ...]
    notice: str
    banner: Banner | None
    csrf: str


@dataclass(frozen=True, slots=True)
class _Entry:
    label: str
    address: str
    roles: frozenset[str] = frozenset()
    """Any of them opens it; none: everybody."""


_ENTRIES = (
    _Entry("Today", "/app/today"),
    _Entry("Bookings", "/app/bookings"),
    _Entry("Notifications", NOTIFICATIONS),
    _Entry("Clients", "/app/clients", LINK_ROLES),
    _Entry("Links", "/app/links", LINK_ROLES),
    _Entry("Questions", "/app/templates", LINK_ROLES),
    _Entry("Availability", "/app/availability"),
    _Entry("Calendars", "/app/connections"),
    _Entry("Phone", "/app/phone"),
    _Entry("Services", "/app/services", frozenset({"admin"})),
    _Entry("People", "/app/people", frozenset({"admin"})),
    _Entry("Analytics", "/app/analytics", LINK_ROLES),
    _Entry("Audit", "/app/audit", frozenset({"admin"})),
    _Entry("Mail", "/app/mail", frozenset({"admin"})),
    _Entry("Settings", "/app/settings"),
)


async def require_member(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard of all signed-in pages: a caller with a session (a bearer token opens no pages). What is sent with a
    POST has carried the CSRF token by then. It also looks, in a statement each, for calendar accounts that need the
    caller and for unread notifications: every page tells."""
    assert isinstance(connection, Request)  # noqa: S101  # guards of HTTP routes are given the request
    caller = await provide_caller(connection)
    if caller.session is None:
        raise Unauthenticated("Please sign in.")
    connection.state.caller = caller
    ports = ports_of(connection)
    async with ports.read() as work:
        connection.state.in_trouble = await in_trouble(ports, work, caller.user)
        if connection.method == "GET":
            connection.state.unread = await work.telling.unread_count(caller.user.id, MOST_UNREAD + 1)


def to_sign_in(request: Request[Any, Any, Any], _: Exception) -> Response[Any]:
    """Where pages send those who are not signed in; back to the page asked for afterwards."""
    if request.method not in {"GET", "HEAD"}:
        return see_other("/")
    query = f"?{request.url.query}" if request.url.query else ""
    return see_other("/?" + urlencode({"next": request.url.path + query}, safe="/"))


def refused(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A refusal of a signed-in page, with the way back to where the day begins."""
    refusal = refusal_of(error, own_path(request))
    if refusal.status >= 500 or refusal.action is not None:
        return page_or_problem(request, error)
    shown = replace(refusal, action=("To your bookings", HOME))
    return page(request, "error.html", status=refusal.status, privacy="private", error=shown)


def home_of(user: User) -> str:
    """Where the day begins: for whoever has no links, with their work."""
    return HOME if LINK_ROLES & set(user.roles) else WORK


def need_link_role(caller: Caller) -> None:
    """Links and templates are for owners and admins."""
    if not LINK_ROLES & set(caller.user.roles):
        raise Forbidden("Only owners and admins have links.")


def need_admin(caller: Caller) -> None:
    """What concerns the whole organization."""
    if not caller.is_admin:
        raise Forbidden("Only admins of your organization can see this.")


def app_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    template: str,
    *,
    refusal: HalfpastError | None = None,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[bytes]:
    """A signed-in page; with a `refusal` under its status."""
    status, sent = outcome(refusal)
    return page(
        request,
        f"app/{template}.html",
        status=status,
        privacy="private",
        headers={**sent, **(headers or {})},
        frame=_frame(request, caller),
        **context,
    )


def outcome(refusal: HalfpastError | None) -> tuple[int, dict[str, str]]:
    """Status and headers of a page that shows a refusal, if there is one."""
    if refusal is None:
        return 200, {}
    problem, headers = problem_of(refusal)
    return problem.status, {name: value for name, value in headers.items() if name != "WWW-Authenticate"}


def _frame(request: Request[Any, Any, Any], caller: Caller) -> Frame:
    ports: Ports = request.app.state.ports
    user, path = caller.user, request.url.path
    places = tuple(
        Place(entry.label, entry.address, _is_current(entry.address, path), _unread(request, entry))
        for entry in _ENTRIES
        if (not entry.roles or entry.roles & set(user.roles)) and _is_there(request, entry)
    )
    banner = _banner(request.state.get("in_trouble", ()))
    return Frame(user.name, user.email, places, notice_of(request), banner, csrf_token(ports, caller.session or ""))


def _unread(request: Request[Any, Any, Any], entry: _Entry) -> str:
    count: int = request.state.get("unread", 0) if entry.address == NOTIFICATIONS else 0
    return f"{MOST_UNREAD}+" if count > MOST_UNREAD else str(count or "")


def _is_current(address: str, path: str) -> bool:
    return path == address or path.startswith(address + "/") or (address, path) == (WORK, "/app/week")


def _banner(accounts: Sequence[AccountTrouble]) -> Banner | None:
    if not accounts:
        return None
    address = f"/app/connections#account-{accounts[0].id}"
    labels = [f"{account.label}{AT.get(account.provider, '')}" for account in accounts]
    if len(accounts) == 1:
        return Banner(f"The calendar account {labels[0]} needs you: it cannot be read.", address)
    return Banner(f"Calendar accounts need you, because they cannot be read: {', '.join(labels)}.", address)


def _is_there(request: Request[Any, Any, Any], entry: _Entry) -> bool:
    return entry.address != "/app/mail" or request.app.state.mail_folder is not None


def notice_of(request: Request[Any, Any, Any]) -> str:
    """What to tell of the form that led here; shown after a GET alone, a refused form has its own words."""
    return NOTICES.get(request.query_params.get("did", ""), "") if request.method == "GET" else ""


def done(path: str, did: str = "saved", anchor: str = "") -> Response[None]:
    """Post, redirect, get: to a page of this program, with a notice."""
    return see_other(f"{quote(path, safe='/')}?did={did}{'#' + anchor if anchor else ''}")


def ports_of(request: Request[Any, Any, Any]) -> Ports:
    """The ports of the running program."""
    ports: Ports = request.app.state.ports
    return ports


def wording_of(request: Request[Any, Any, Any]) -> Wording:
    """How this reader wants dates told."""
    return wording_for(request.headers.get("accept-language"))

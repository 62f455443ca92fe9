"""Refusals as pages: what happened, and what a person can do now, under the status the API would answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from litestar import Request, Response

from app.domain import errors as e
from app.web.pages.rendering import page
from app.web.problem import problem_of, problem_response

_FOR_PROGRAMS = ("/api/", "/dav", "/feeds/", "/health/", "/hooks/", "/schema", "/metrics", "/.well-known/")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error page. `action` is (words, address) of the one thing to do next;"""

    status: int
    icon: str
    title: str
    text: str
    action: tuple[str, str] | None = None


def refusal_of(error: Exception, path: str) -> Refusal:
    """The words for an exception; `path` is the page it happened on."""
    status = problem_of(error)[0].status
    detail = error.detail if isinstance(error, e.HalfpastError) else ""
    again = ("Try again", path)
    match error:
        case e.LinkExpired():
            text = "It was good until a certain day, and that has passed. Ask the person who sent it for a new one."
            return Refusal(status, "clock", "This link has expired", text)
        case e.LinkUsed():
            text = (
                "It was made for one booking, and that booking stands. To move or cancel it, use the link in your "
                "confirmation e-mail."
            )
            return Refusal(status, "check", "This link was used already", text)
        case e.LinkInactive():
            text = "The person you want to meet takes no bookings through this link at the moment. Ask them directly."
            return Refusal(status, "pause", "This link is switched off", text)
        case e.CalendarUnavailable():
            text = (
                "The calendar behind this page cannot be read, so we cannot say which times are free. "
                "Nothing was booked. Please try again in a few minutes."
            )
            return Refusal(status, "cloud", "The calendar cannot be reached", text, again)
        case e.RateLimited():
            text = f"There were too many requests from your network. Please try again {_wait(error.retry_after)}."
            return Refusal(status, "clock", "One moment, please", text, again)
        case e.NotModifiable():
            return Refusal(status, "pause", "This cannot be changed any more", detail, ("Show the booking", _up(path)))
        case e.StaleVersion():
            text = "Somebody changed this booking while you were looking at it. Please look again."
            return Refusal(status, "clock", "The booking was changed meanwhile", text, ("Show the booking", _up(path)))
        case e.IdempotencyMismatch():
            text = (
                "This form was sent before with other details, and that booking stands: see your e-mail. "
                "For another booking please start anew."
            )
            return Refusal(status, "check", "This form was used already", text, ("Start anew", path))
        case e.Conflict():
            return Refusal(status, "clock", "This time was just taken", detail, ("See the free times", path))
        case e.Forbidden():
            return Refusal(status, "lock", "This is not allowed", detail)
        case e.Invalid():
            return Refusal(status, "help", "This address makes no sense to us", detail, ("Start anew", path))
    return _by_status(status, path)


def _by_status(status: int, path: str) -> Refusal:
    if status == 404:
        text = (
            "There is nothing at this address. It may have been mistyped, or what was here is gone. "
            "If somebody sent you the link, ask them for a new one."
        )
        return Refusal(status, "help", "We cannot find this page", text)
    if status == 405:
        return Refusal(status, "help", "This address works differently", "Please go back and use the form.")
    if status == 413:
        return Refusal(status, "help", "That was too much", "What was sent is larger than we can take.")
    if status < 500:
        text = "Something in the request made no sense to us. Please go back and try again."
        return Refusal(status, "help", "That did not work", text, ("Start anew", path))
    text = "This was not your fault. We have written it down, and nothing was booked or changed by halves."
    return Refusal(status, "cloud", "Something went wrong here", text, ("Try again", path))


def _wait(seconds: int) -> str:
    if seconds < 90:
        return f"in {max(1, seconds)} seconds" if seconds != 1 else "in a second"
    return f"in {round(seconds / 60)} minutes"


def _up(path: str) -> str:
    """The booking's own page, from the page to move or cancel it."""
    parts = path.strip("/").split("/")
    return "/" + "/".join(parts[:2])


def page_or_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The exception handler of the program: a page for people, problem details where programs call."""
    path = own_path(request)
    if path.startswith(_FOR_PROGRAMS):
        return problem_response(request, error)
    refusal = refusal_of(error, path)
    if refusal.status >= 500 and not isinstance(error, e.HalfpastError):
        log.error("page failed", method=request.method, path=path, exc_info=error)
    headers = {name: value for name, value in problem_of(error)[1].items() if name.lower() != "www-authenticate"}
    return page(request, "error.html", status=refusal.status, privacy="secret", headers=headers, error=refusal)


def own_path(request: Request[Any, Any, Any]) -> str:
    """The path asked for, spelled so that as a link it stays on this host (`//elsewhere` would not)."""
    return "/" + quote(request.url.path.lstrip("/\\"), safe="/")

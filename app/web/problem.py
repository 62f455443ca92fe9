"""From a refusal to HTTP: RFC 9457 problem details, by one table."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from app.domain import errors as e
from app.web.times import rfc3339

log = structlog.get_logger()

STATUS: dict[type[e.HalfpastError], int] = {
    e.Invalid: 400,
    e.Unauthenticated: 401,
    e.Forbidden: 403,
    e.NotFound: 404,
    e.Conflict: 409,
    e.ClaimOverlap: 409,
    e.AlreadyExists: 409,
    e.StillMember: 409,
    e.LinkExpired: 410,
    e.LinkUsed: 410,
    e.LinkInactive: 410,
    e.StaleVersion: 412,
    e.NotModifiable: 422,
    e.IdempotencyMismatch: 422,
    e.RateLimited: 429,
    e.SecretUnreadable: 500,
    e.ProviderFailure: 502,
    e.CalendarUnavailable: 503,
}

TITLES = {
    400: "The request cannot be understood",
    401: "Sign-in needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "No longer available",
    412: "Changed meanwhile",
    413: "The request is too large",
    422: "Not possible in this state",
    429: "Too many requests",
    500: "Something went wrong here",
    502: "The other side failed",
    503: "Not available at the moment",
}

_CODES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 429: "RATE_LIMITED"}
_AS_SENT = {"first": "from", "last": "to", "if_match": "If-Match", "idempotency_key": "Idempotency-Key"}
"""What parameters are called that cannot be named so in Python."""
_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")


class FieldProblem(msgspec.Struct):
    """One wrong field of a request."""

    field: str
    message: str


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every error (RFC 9457 §3)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] | None = None
    alternatives: list[str] | None = None
    taken: list[str] | None = None


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The problem an exception means, and the headers that go with it."""
    if isinstance(error, e.HalfpastError):
        return _of_refusal(error)
    if isinstance(error, ValidationException):
        return _problem(400, e.Invalid.code, "The request cannot be understood.", errors=_field_problems(error)), {}
    if isinstance(error, HTTPException):
        status = error.status_code
        code = _CODES.get(status, e.Invalid.code if status < 500 else "INTERNAL_ERROR")
        return _problem(status, code, error.detail or "The request failed."), dict(error.headers or {})
    return _problem(500, "INTERNAL_ERROR", "This was not your fault. It was written to the log."), {}


def _of_refusal(error: e.HalfpastError) -> tuple[Problem, dict[str, str]]:
    problem = _problem(STATUS[type(error)], error.code, error.detail)
    headers: dict[str, str] = {}
    match error:
        case e.Invalid() if error.errors:
            problem.errors = [FieldProblem(wrong.field, wrong.message) for wrong in error.errors]
        case e.Conflict():
            problem.alternatives = [rfc3339(start, error.timezone) for start in error.alternatives]
            problem.taken = [rfc3339(start, error.timezone) for start in error.taken] or None
        case e.RateLimited():
            headers["Retry-After"] = str(error.retry_after)
        case e.CalendarUnavailable():
            headers["Retry-After"] = "60"
        case e.Unauthenticated():
            headers["WWW-Authenticate"] = "Bearer"
        case _:
            pass
    return problem, headers


def _problem(status: int, code: str, detail: str, errors: list[FieldProblem] | None = None) -> Problem:
    title = TITLES.get(status, "The request failed")
    return Problem(f"about:blank#{code.lower()}", title, status, detail, code, errors)


def _field_problems(error: ValidationException) -> list[FieldProblem]:
    """What Litestar found wrong with parameters; it names a missing one in a sentence that quotes the address."""
    if missing := _MISSING.search(error.detail):
        return [FieldProblem(missing[1], "This is required.")]
    extra: Any = error.extra if isinstance(error.extra, list) else []
    return [_field_problem(str(item.get("key", "")), str(item.get("message", ""))) for item in extra] or [
        FieldProblem("request", "This cannot be understood.")
    ]


def _field_problem(key: str, message: str) -> FieldProblem:
    key = _AS_SENT.get(key, key)
    return FieldProblem(key, "This does not have the right form." if "matching regex" in message else message)


def problem_response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The exception handler of the API."""
    problem, headers = problem_of(error)
    if problem.status == 500:
        # The route, not the path: paths hold tokens.
        route = request.scope.get("path_template")
        log.error("request failed", method=request.method, route=route, exc_info=error)
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={**headers, "Cache-Control": "no-store"},
    )

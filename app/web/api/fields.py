"""Field types of the API and the helpers its routes share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, HeaderParameter, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from app.domain.errors import Forbidden, Invalid
from app.domain.languages import MAX_TAG, TAG
from app.domain.text_rules import EMAIL, END, LINE, TEXT, is_email
from app.ports import Ports
from app.use_cases.open_session import MOST_SEATS
from app.web.problem import Problem
from app.web.sessions import Caller

DATE_PATTERN = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{END}"
ZONE_PATTERN = rf"^[A-Za-z0-9_+/-]{{1,64}}{END}"

Line = Annotated[str, Meta(max_length=200, pattern=LINE)]
RequiredLine = Annotated[str, Meta(min_length=1, max_length=200, pattern=LINE)]
LongText = Annotated[str, Meta(max_length=5000, pattern=TEXT)]
ShortReason = Annotated[str, Meta(max_length=500, pattern=TEXT)]
Email = Annotated[str, Meta(max_length=254, pattern=EMAIL)]
Phone = Annotated[str, Meta(max_length=40, pattern=rf"^[0-9+()/. #*-]{{3,40}}{END}")]
Zone = Annotated[str, Meta(min_length=1, max_length=64, pattern=ZONE_PATTERN)]
Language = Annotated[str, Meta(max_length=MAX_TAG, pattern=TAG)]
"""A BCP 47 tag such as `de-AT`."""
Moment = Annotated[datetime, Meta(tz=True)]
LocalDate = Annotated[str, Meta(pattern=DATE_PATTERN)]
WallTime = Annotated[str, Meta(pattern=rf"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00){END}")]
Duration = Annotated[int, Meta(ge=1, le=1440)]
Seats = Annotated[int, Meta(ge=1, le=MOST_SEATS)]
Buffer = Annotated[int, Meta(ge=0, le=1440)]
LONGEST_STAY = 30 * 1440
Length = Annotated[int, Meta(ge=1, le=LONGEST_STAY)]
"""How long a booking lasts: a day at most, but for stays by the night."""
Ahead = Annotated[int, Meta(ge=0, le=525600)]
"""Minutes before a start, a year at most."""
Moves = Annotated[int, Meta(ge=0, le=1000)]
Money = Annotated[int, Meta(ge=0, le=10**9)]
"""Minor units of a currency."""
Currency = Annotated[str, Meta(pattern=rf"^[A-Z]{{3}}{END}")]
"""A code of ISO 4217."""

LARGEST_NUMBER = 2**53
Answer = (
    Annotated[str, Meta(max_length=5000, pattern=TEXT)]
    | bool
    | Annotated[int, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
    | Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
    | Annotated[list[RequiredLine], Meta(max_length=100)]
    | None
)

SignedIn = NamedDependency[Caller]
Id = FromPath[UUID]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
# Litestar reads the constraints of parameters from these markers alone, not from the types inside.
FirstDate = Annotated[
    str | None, QueryParameter(name="from", pattern=DATE_PATTERN, description="Local date of `timezone`.")
]
LastDate = Annotated[
    str | None, QueryParameter(name="to", pattern=DATE_PATTERN, description="Local date of `timezone`, inclusive.")
]
ListZone = Annotated[
    str | None, QueryParameter(name="timezone", pattern=ZONE_PATTERN, description="One's own when it is missing.")
]
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", max_length=200, description='The version this rests on, as in `"3"`.')
]

Item = TypeVar("Item")


class In(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of request bodies: unknown fields are refused."""


class Location(msgspec.Struct, forbid_unknown_fields=True):
    """Where a booking happens."""

    kind: Annotated[str, Meta(pattern=rf"^(none|link|phone|address|video){END}")] = "none"
    value: Line = ""


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields a PATCH body named."""
    found = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in found.items() if value is not UNSET}


def uuid_text(value: UUID) -> str:
    """An id as it is kept."""
    return str(value)


def ports_of(request: Request[Any, Any, Any]) -> Ports:
    """The ports of the running program."""
    ports: Ports = request.app.state.ports
    return ports


def address_text(text: str, field: str) -> str:
    """An e-mail address as it is kept. Lower case may be longer than what was sent, so its length is checked here."""
    address = text.lower()
    if not is_email(address):
        raise Invalid.field(field, "This is not an e-mail address.")
    return address


def addresses_text(texts: Sequence[str], field: str) -> tuple[str, ...]:
    """Several of them, each once."""
    return tuple(dict.fromkeys(address_text(text, f"{field}.{index}") for index, text in enumerate(texts)))


def need_admin(caller: Caller) -> None:
    """What the organization shares is changed by its admins."""
    if not caller.is_admin:
        raise Forbidden("Only admins may do this.")


def line_text(text: str, field: str) -> str:
    """A line with something in it, without the spaces around."""
    if not text.strip():
        raise Invalid.field(field, "This must not be empty.")
    return text.strip()


def version_of(if_match: str | None) -> int | None:
    """The version of an `If-Match: "3"` header (RFC 9110 §13.1.1); None when it was not sent or is `*`.

    A tag that is none of ours is version -1, which nothing has. Weak ones count: proxies that compress weaken tags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tag = if_match.strip().removeprefix("W/")
    if len(tag) < 2 or not (tag[0] == tag[-1] == '"') or '"' in tag[1:-1]:
        raise Invalid.field("If-Match", 'If-Match carries one version in quotes, such as "3".')
    text = tag[1:-1]
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def with_etag(body: Item, version: int, status: int = 200) -> Response[Item]:
    """An answer with its version as ETag."""
    return Response(body, status_code=status, headers={"ETag": f'"{version}"'})


_DESCRIPTIONS = {
    400: "Malformed, or never possible",
    401: "No or bad credentials",
    403: "Not allowed, or the CSRF token is missing",
    404: "Unknown, or not yours",
    409: "Taken; for bookings see `alternatives`",
    410: "The link is expired, used or switched off",
    412: "If-Match does not match",
    413: "The body is too large",
    422: "The state does not allow it, or the Idempotency-Key was used with another body",
    429: "Too many requests; see Retry-After",
    502: "The calendar server failed",
    503: "No host can be judged",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route, for the OpenAPI document; any route may find parameters that it does not know."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            description=_DESCRIPTIONS[status],
            media_type="application/problem+json",
            generate_examples=False,
        )
        for status in (400, *statuses)
    }


LISTING = (401,)
READING = (401, 404)
MAKING = (401, 403, 413)
CHANGING = (401, 403, 404, 412, 413)
REMOVING = (401, 403, 404, 412)
Unset = UnsetType

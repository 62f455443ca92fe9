"""What the API refuses before a route runs: parameters it does not know, and bodies that are not the JSON it asks for.

Litestar itself reads bodies leniently (`"30"` for 30, 5 for a date); here a wrong type is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import msgspec
from litestar import Request
from litestar.dto import AbstractDTO
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Operation, RequestBody
from litestar.params import QueryParameter

from app.domain.errors import FieldError, Invalid

_NAMED_FIELD = re.compile(r"field `([^`]+)`")
MAX_MESSAGE = 200
_OPT = "expected"
ANY_QUERY = "any_query"
"""The option of a route whose query somebody else writes."""
_PATH_PARTS = re.compile(r"[^.\[\]`$]+")


async def refuse_unknown(request: Request[Any, Any, Any]) -> None:
    """A `before_request` hook: a mistyped parameter is an error, not a filter that nobody asked for."""
    expected = _expected(request.route_handler)
    for name in request.query_params:
        if name not in expected.parameters and not expected.takes_any:
            raise Invalid.field(name[:100], "There is no such parameter.")
    if expected.takes_body and _has_body(request):
        if not _is_json(request.headers.get("content-type", "")):
            raise Invalid.field("Content-Type", "The body must be application/json.")
    elif expected.needs_body:
        raise Invalid.field("body", "A JSON object is needed.")


@dataclass(frozen=True, slots=True)
class _Expected:
    parameters: frozenset[str]
    takes_any: bool
    takes_body: bool
    needs_body: bool


def _expected(handler: HTTPRouteHandler) -> _Expected:
    found: _Expected | None = handler.opt.get(_OPT)
    if found is None:
        found = handler.opt[_OPT] = _read_signature(handler)
    return found


def _read_signature(handler: HTTPRouteHandler) -> _Expected:
    fields = handler.parsed_fn_signature.parameters
    names = {
        definition.name or name
        for name, field in fields.items()
        if isinstance(definition := field.kwarg_definition, QueryParameter)
    }
    body = fields.get("data")
    takes_any = bool(handler.opt.get(ANY_QUERY))
    return _Expected(frozenset(names), takes_any, body is not None, body is not None and not body.is_optional)


def _has_body(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


class StrictJson(AbstractDTO[Any]):
    """Reads a body as exactly the type of the route's `data`."""

    _decoders: ClassVar[dict[str, msgspec.json.Decoder[Any]]] = {}

    @classmethod
    def create_for_field_definition(cls, field_definition: Any, handler_id: str, *_: Any, **__: Any) -> None:
        """Litestar's moment to prepare for a route."""
        cls._decoders[handler_id] = msgspec.json.Decoder(field_definition.annotation, strict=True)

    @classmethod
    def create_openapi_schema(cls, field_definition: Any, handler_id: str, schema_creator: Any) -> Any:
        """The type's own schema, the same for every route."""
        del handler_id
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, *_: Any) -> Any:
        """There is no second model."""
        return iter(())

    @classmethod
    def detect_nested_field(cls, *_: Any) -> bool:
        """There is no second model."""
        return False

    def decode_bytes(self, value: bytes) -> Any:
        """The body, or `Invalid` with the field that is wrong."""
        try:
            return self._decoders[str(self.asgi_connection.route_handler.handler_id)].decode(value)
        except msgspec.DecodeError as problem:
            _refuse(str(problem))
        except UnicodeDecodeError:
            _refuse("The body is not UTF-8.")
        except RecursionError:
            _refuse("The body is nested too deeply.")


def _refuse(words: str) -> NoReturn:
    """msgspec says where by a path such as `$.guests[0]`."""
    message, _, path = words.partition(" - at `")
    place = _PATH_PARTS.findall(path.removeprefix("key in "))
    if named := _NAMED_FIELD.search(message):
        place.append(named[1])
    if "matching regex" in message:
        message = "This does not have the right form."
    message = message[:MAX_MESSAGE]  # it may quote what was sent
    raise Invalid("The request cannot be understood.", [FieldError(".".join(place) or "body", message)])


@dataclass
class OptionalBody(Operation):
    """For the document: a body that may be missing."""

    def __post_init__(self) -> None:
        if isinstance(self.request_body, RequestBody):
            self.request_body.required = False

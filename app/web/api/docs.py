"""`/schema`: the API's reference as a plain page, made from the OpenAPI document; nothing comes from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.openapi.plugins import OpenAPIRenderPlugin

from app.web.api.document import described
from app.web.pages.rendering import render

DOCUMENT = "/schema/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a type's name; a shape is described further down the page."""

    text: str
    shape: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, a field or an answer."""

    name: str
    type: tuple[Part, ...]
    words: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    is_public: bool
    parameters: tuple[Row, ...]
    body: tuple[Row, ...]
    answers: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What shares a tag."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A named object."""

    name: str
    words: str
    rows: tuple[Row, ...]


class PlainDocs(OpenAPIRenderPlugin):
    """Litestar's place for a documentation page, filled without a script."""

    def __init__(self) -> None:
        super().__init__(path="/")
        self._page: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page; worked out once, since the document does not change while the program runs."""
        del request
        if self._page is None:
            self._page = page_of(described(openapi_schema)).encode()
        return self._page


def page_of(document: Schema) -> str:
    """The HTML of an OpenAPI document."""
    info = document["info"]
    return render(
        "api/docs.html",
        title=info["title"],
        description=info["description"],
        document=DOCUMENT,
        groups=tuple(_groups(document)),
        shapes=tuple(_shapes(document)),
    )


def _groups(document: Schema) -> Iterator[Group]:
    tagged: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                tagged.setdefault(tag, []).append(_operation(path, method, item[method]))
    for tag in sorted(tagged):
        yield Group(tag, tuple(tagged[tag]))


def _operation(path: str, method: str, operation: Schema) -> Operation:
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        is_public=not operation.get("security"),
        parameters=tuple(_parameter(parameter) for parameter in operation.get("parameters", ())),
        body=tuple(_body(operation)),
        answers=tuple(_answer(status, answer) for status, answer in sorted(operation["responses"].items())),
    )


def _parameter(parameter: Schema) -> Row:
    words = f"In the {parameter['in']}. {parameter.get('description', '')}".strip()
    return Row(parameter["name"], _type(parameter["schema"]), words, bool(parameter.get("required")))


def _body(operation: Schema) -> Iterator[Row]:
    body = operation.get("requestBody", {})
    for media_type, content in body.get("content", {}).items():
        yield Row(media_type, _type(content["schema"]), "", bool(body.get("required")))


def _answer(status: str, answer: Schema) -> Row:
    content = answer.get("content", {})
    parts = [part for each in content.values() for part in _type(each.get("schema", {}))]
    return Row(status, tuple(parts) or (Part("no body"),), answer.get("description", ""))


def _shapes(document: Schema) -> Iterator[Shape]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        required = schema.get("required", ())
        rows = (
            Row(field, _type(inner), _limits(inner), field in required)
            for field, inner in schema.get("properties", {}).items()
        )
        yield Shape(name, schema.get("description", ""), tuple(rows))


def _type(schema: Schema) -> tuple[Part, ...]:
    if "$ref" in schema:
        return (Part(schema["$ref"].rpartition("/")[2], shape=True),)
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives:
        return _joined([_type(each) for each in alternatives])
    if "enum" in schema:
        return (Part(" | ".join(str(value) for value in schema["enum"])),)
    kind = schema.get("type", "anything")
    if "prefixItems" in schema:
        return (Part("pair of "), *_type(schema["prefixItems"][0]))
    if kind == "array":
        return (Part("list of "), *_type(schema.get("items", {})))
    if isinstance(kind, list):
        return (Part(" or ".join(kind)),)
    return (Part(schema.get("format", kind)),)


def _joined(kinds: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for kind in kinds:
        parts += [*([Part(" or ")] if parts else []), *kind]
    return tuple(parts)


_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "{} characters or more",
    "maxLength": "at most {} characters",
    "minItems": "{} or more of them",
    "maxItems": "at most {} of them",
    "default": "{} when it is missing",
}


def _limits(schema: Schema) -> str:
    words = [text.format(schema[name]) for name, text in _LIMITS.items() if schema.get(name) is not None]
    return ", ".join(words).capitalize()

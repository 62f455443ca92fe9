"""The OpenAPI document. Litestar lists routes and parameters; the shapes are described by msgspec, which also reads and
writes them, so that every bound inside a shape is told and none is told wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

REFERENCE = "#/components/schemas/{name}"


class Document(JsonRenderPlugin):
    """`/schema/openapi.json`."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        del request
        return msgspec.json.encode(described(openapi_schema))


def described(document: dict[str, Any]) -> dict[str, Any]:
    """The document with msgspec's description of every shape of the API in it."""
    shapes = document["components"]["schemas"]
    ours = {shape.__name__: shape for shape in _shapes(msgspec.Struct) if shape.__name__ in shapes}
    _, known = msgspec.json.schema_components(ours.values(), ref_template=REFERENCE)
    return {**document, "components": {**document["components"], "schemas": {**shapes, **known}}}


def _shapes(base: type[Any]) -> Iterator[type[Any]]:
    below: list[type[Any]] = base.__subclasses__()
    for shape in below:
        if shape.__module__.startswith("app.web."):
            yield shape
        yield from _shapes(shape)

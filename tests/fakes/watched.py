"""Every request to a fake, and every answer of it, held against the contract of the real service."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from types import ModuleType
from typing import Any

from aiohttp import web

from tests.capabilities import contracts_folder
from tests.fakes.contract_additions import add_to

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@cache
def contract_proxy() -> ModuleType:
    """The checker that lies beside the contracts."""
    spec = importlib.util.spec_from_file_location("contract_proxy", contracts_folder() / "contract_proxy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["contract_proxy"] = module
    spec.loader.exec_module(module)
    return module


@cache
def _spec(name: str) -> Any:
    if name.startswith("google:"):
        return contract_proxy().load_spec(name)
    document = json.loads((contracts_folder() / name).read_text())
    add_to(name, document)
    return contract_proxy().OpenAPISpec(document, re.sub(r"\W+", "_", name.removesuffix(".json")))


@dataclass
class Watch:
    """The findings on one contract: a file of that folder, or `google:` and a document of Google's client. `is_outside`
    names paths that are no part of it, as the pages of a fake are."""

    name: str
    webhook: str | None = None
    is_outside: Callable[[str], bool] = lambda _: False
    exchanges: int = 0
    violations: list[str] = field(default_factory=list)
    checker: Any = None

    def __post_init__(self) -> None:
        self.checker = contract_proxy().Checker(_spec(self.name), webhook=self.webhook)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check what comes in and what goes out."""
        if self.is_outside(request.path):
            return await handler(request)
        context = self.asked(request.method, request.raw_path, dict(request.headers), await request.read())
        answer = await handler(request)
        if isinstance(answer, web.Response):  # a cut connection answers nothing
            body = answer.body if isinstance(answer.body, bytes) else b""
            self.answered(context, answer.status, {**answer.headers, "content-type": answer.content_type}, body)
        return answer

    def asked(self, method: str, raw_path: str, headers: dict[str, str], body: bytes) -> Any:
        """Check a request; what `answered` wants to know of it."""
        path, _, query = raw_path.partition("?")
        pairs = contract_proxy().up.parse_qsl(query, keep_blank_values=True)
        context, found = self.checker.request(method, path, pairs, headers, body)
        self.exchanges += 1
        self._note(f"{method} {path}", found)
        return context

    def answered(self, context: Any, status: int, headers: dict[str, str], body: bytes) -> None:
        """Check an answer."""
        found = self.checker.response(context, status, headers, body)
        self._note(f"{status} to {context['method']} {context['path']}", found)

    def _note(self, what: str, found: list[Any]) -> None:
        self.violations += [
            f"{what}: {each.rule} {each.where}: {each.message}" for each in found if each.severity == "error"
        ]

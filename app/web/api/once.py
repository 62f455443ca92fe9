"""`Idempotency-Key`: a POST that is sent twice acts once, and is answered alike."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter

from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.idempotency import Replay, once
from app.web.api.fields import ports_of

IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key with the same body acts once and gives the first answer, for 24 hours.",
    ),
]

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Post(Generic[Result]):
    """A POST to answer: `act` does what it asks for, `show` words the result from within a unit of work.

    `caller` is a user's id, None where the path's own token says who may act; `body` is the parsed one.
    """

    caller: str | None
    body: msgspec.Struct | None
    act: Callable[[Replay[Result] | None], Awaitable[Result]]
    show: Callable[[UnitOfWork, Result], Awaitable[msgspec.Struct]]

    async def answer(self, request: Request[Any, Any, Any], key: str | None, status: int = 201) -> Response[Any]:
        """Act, or give the answer kept under the key."""
        ports = ports_of(request)
        text = await (self._act(ports) if key is None else self._once(ports, f"{request.url.path}|{self.caller}|{key}"))
        version = msgspec.json.decode(text, type=_Versioned).version
        headers = {} if version is None else {"ETag": f'"{version}"'}
        return Response(text.encode(), status_code=status, media_type="application/json", headers=headers)

    async def _act(self, ports: Ports) -> str:
        result = await self.act(None)
        async with ports.read() as work:
            return await self._text(work, result)

    async def _once(self, ports: Ports, scope: str) -> str:
        body = hashlib.sha256(msgspec.json.encode(self.body, order="sorted")).hexdigest()
        replay = Replay(scope, body, self._text)
        return await once(ports, replay, lambda: self.act(replay))

    async def _text(self, work: UnitOfWork, result: Result) -> str:
        return msgspec.json.encode(await self.show(work, result)).decode()


class _Versioned(msgspec.Struct):
    version: int | None = None

"""What can be made to go wrong at the fake Microsoft."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web


class Refusal(Exception):
    """An answer that says no."""

    def __init__(self, status: int, code: str, message: str = "No.", headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


@dataclass
class Fault:
    """Something that goes wrong with the next `times` requests whose method and path contain `where`."""

    where: str
    times: int
    act: Callable[[web.Request], Awaitable[None]]


async def go_wrong(faults: list[Fault], request: web.Request) -> None:
    """Let those happen that are for this request."""
    for fault in list(faults):
        if fault.where in f"{request.method} {request.path_qs}":
            fault.times -= 1
            if fault.times <= 0:
                faults.remove(fault)
            await fault.act(request)

"""A calendar at an address in the contract suite: one file, made anew with each change."""

from __future__ import annotations

import hashlib

from aiohttp import web

from app.ports.calendars import Credentials
from integrations.calendars.ics_url import CALENDAR, IcsUrlProvider
from integrations.http import OutwardHttp, OutwardPolicy
from tests.providers.backends import Backend

_HEAD, _END = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Publisher//EN\r\n", "END:VCALENDAR\r\n"


class IcsUrlBackend(Backend):
    """A publisher with one calendar."""

    def __init__(self) -> None:
        self.provider = IcsUrlProvider(OutwardHttp(OutwardPolicy(allowed_private_hosts=frozenset({"127.0.0.1"}))))
        self._events: dict[str, str] | None = {}
        self._runner: web.AppRunner | None = None

    async def start(self) -> IcsUrlBackend:
        """Publish on a free port."""
        application = web.Application()
        application.router.add_get("/team.ics", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{self._runner.addresses[0][1]}/team.ics"
        self.credentials = Credentials(address, "", address)
        return self

    async def _answer(self, request: web.Request) -> web.Response:
        if self._events is None:
            return web.Response(status=404)
        text = _HEAD + "".join(self._events.values()) + _END
        tag = f'"{hashlib.sha256(text.encode()).hexdigest()}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(text=text, content_type="text/calendar", headers={"ETag": tag})

    async def make_calendar(self) -> str:
        self._events = {}
        return CALENDAR

    async def drop_calendar(self, calendar: str) -> None:
        assert calendar == CALENDAR
        self._events = None

    async def put(self, calendar: str, uid: str, text: str) -> str:
        assert (calendar, self._events is None) == (CALENDAR, False)
        inner = text[text.index("BEGIN:VEVENT") : text.index("END:VCALENDAR")]
        key = hashlib.sha256(uid.encode()).hexdigest()[:40]
        self._published[key] = inner
        return key

    async def read(self, calendar: str, key: str) -> str:
        assert calendar == CALENDAR
        return f"{_HEAD}{self._published[key]}{_END}"

    async def remove(self, calendar: str, key: str) -> None:
        assert calendar == CALENDAR
        del self._published[key]

    async def keys(self, calendar: str) -> list[str]:
        assert calendar == CALENDAR
        return sorted(self._published)

    async def close(self) -> None:
        await self.provider.aclose()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def _published(self) -> dict[str, str]:
        assert self._events is not None
        return self._events

"""Calendars published at an address (RFC 5545 files; `webcal:` is `https:`): read only, asked by conditional GET."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.domain.errors import ProviderFailure
from app.domain.ical_zones import known_zone
from app.ports.calendars import (
    Capabilities,
    Changes,
    Credentials,
    RemoteCalendar,
    RemoteObject,
    Texts,
    WrittenEvent,
    no_texts,
)
from integrations.http import OutwardHttp, OutwardResponse, retry_after
from integrations.ics_split import IcsFile, NotACalendar, split

CALENDAR = "feed"
"""The name of an address's only calendar."""
_READ_ONLY = "A calendar that is read from an address cannot be written to."


class IcsUrlProvider:
    """`CalendarProvider` over one address. Such addresses are often secret: the address is the account's secret, and
    its `url` only says where it is."""

    name = "ics_url"
    capabilities = Capabilities(writable=False, incremental=True, push=False, needs_connection=True, is_address=True)

    def __init__(self, http: OutwardHttp) -> None:
        self._http = http

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def discover(self, credentials: Credentials) -> Credentials:
        """What was typed as an address, once a calendar was read there; the user name is the calendar's own name."""
        address = _address(credentials.url)
        found = await self._read(address)
        where = urlsplit(address)
        return Credentials(f"{where.scheme}://{where.netloc}", found.name or where.hostname or "Calendar", address)

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """The one there is."""
        found = await self._read(credentials.secret)
        zone = known_zone(found.timezone) if found.timezone else None
        name = found.name or credentials.username
        return [RemoteCalendar(CALENDAR, name, None, zone.key if zone else None, True, ("VEVENT",))]

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],
        texts: Texts = no_texts,  # noqa: ARG002  # the port's; a file tells whole objects
    ) -> Changes:
        """By the file's validators, else by what is in it."""
        _check(calendar)
        seen = _Seen.of(cursor) if known else _Seen()
        answer = await self._get(credentials.secret, seen.conditions())
        if answer.status == 304:
            return Changes((), (), cursor, full=False)
        now = _Seen.after(answer)
        if now.digest == seen.digest:
            return Changes((), (), now.cursor(), full=False)
        found = await _taken_apart(answer)
        if not seen.digest:
            return Changes(tuple(found.objects), (), now.cursor(), full=True)
        there = {item.name for item in found.objects}
        changed = tuple(item for item in found.objects if known.get(item.name) != item.etag)
        return Changes(changed, tuple(sorted(set(known) - there)), now.cursor(), full=False)

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """By name."""
        _check(calendar)
        found = await self._read(credentials.secret)
        return next((item for item in found.objects if item.name == key), None)

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """By UID, which the name is made from."""
        return await self.fetch(credentials, calendar, hashlib.sha256(uid.encode()).hexdigest()[:40])

    async def write_event(self, *_: object) -> WrittenEvent:
        """Not possible."""
        raise ProviderFailure("refused", _READ_ONLY)

    async def delete_event(self, *_: object) -> None:
        """Not possible."""
        raise ProviderFailure("refused", _READ_ONLY)

    async def _read(self, address: str) -> IcsFile:
        return await _taken_apart(await self._get(address, {}))

    async def _get(self, address: str, conditions: Mapping[str, str]) -> OutwardResponse:
        headers = {"Accept": "text/calendar, */*;q=0.1", **conditions}
        answer = await self._http.request("GET", address, headers=headers)
        if answer.status not in {200, 304}:
            raise _failure(answer)
        return answer


class _Seen:
    """What a cursor holds: the validators of the last answer (RFC 9110 §8.8), and a digest of its body."""

    def __init__(self, etag: str = "", modified: str = "", digest: str = "") -> None:
        self.etag = etag
        self.modified = modified
        self.digest = digest

    @classmethod
    def of(cls, cursor: str | None) -> _Seen:
        """Nothing, for a cursor that is none of ours."""
        try:
            return cls(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            return cls()

    @classmethod
    def after(cls, answer: OutwardResponse) -> _Seen:
        digest = hashlib.sha256(answer.content).hexdigest()
        return cls(answer.headers.get("etag", "")[:500], answer.headers.get("last-modified", "")[:100], digest)

    def conditions(self) -> dict[str, str]:
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.modified} if self.modified else {}

    def cursor(self) -> str:
        return json.dumps({"etag": self.etag, "modified": self.modified, "digest": self.digest})


def _check(calendar: str) -> None:
    if calendar != CALENDAR:
        raise ProviderFailure("gone", "There is no such calendar (any more).")


def _address(typed: str) -> str:
    return re.sub(r"^webcals?://", "https://", typed.strip(), flags=re.IGNORECASE)


async def _taken_apart(answer: OutwardResponse) -> IcsFile:
    try:
        return await asyncio.to_thread(lambda: split(answer.content.decode("utf-8", "replace")))
    except NotACalendar as problem:
        raise ProviderFailure("protocol", f"What is at this address is no calendar: {problem}.") from problem


def _failure(answer: OutwardResponse) -> ProviderFailure:
    where = urlsplit(answer.url).hostname
    if answer.status in {401, 403}:
        return ProviderFailure("auth", f"{where} does not give this calendar to everybody who knows its address.")
    if answer.status in {404, 410}:
        return ProviderFailure("gone", f"There is no calendar at this address of {where} (any more).")
    if answer.status == 429 or answer.status >= 500:
        return ProviderFailure("busy", f"{where} cannot answer at the moment.", retry_after(answer.headers))
    return ProviderFailure("protocol", f"{where} answers with status {answer.status}.")

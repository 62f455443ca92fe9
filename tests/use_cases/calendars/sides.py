"""Three providers as the people who keep their calendars there see them: hands on the events that go past the program,
an own reading of what is there, faults, and a count of what the program asked for.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from icalendar import Calendar as Ical

from app.domain.calendars import Calendar
from app.use_cases.ids import new_id
from integrations.microsoft.writing import UID
from tests.fakes.google import FakeGoogle
from tests.fakes.google_events import FakeCalendar, Json
from tests.fakes.microsoft import FakeMicrosoft
from tests.fakes.microsoft_mailbox import Item, Mailbox
from tests.providers.backends import CalDavBackend
from tests.support.calendar_servers import Box

Kind = Literal["busy", "free", "weekly"]
Fault = Literal["401", "403", "410", "429", "500", "cut", "late"]
FAULTS: tuple[Fault, ...] = ("401", "403", "410", "429", "500", "cut", "late")
HALF_HOUR, WEEK = 1800, 7 * 86400
WEEKS = 3
SINCE, UNTIL = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
_RETURNING = "X-HALFPAST-DESCRIPTION"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as the person sees it; `uid` is ours, empty for their own. Times in epoch seconds."""

    key: str
    uid: str
    start: int
    end: int
    title: str
    notes: str


class Side(ABC):
    """One person's calendar at one provider. `calendar` is its mirror here."""

    calendar: Calendar

    # what is there

    @abstractmethod
    async def events(self) -> list[Shown]:
        """All that is in the calendar; of a series its first instance."""

    @abstractmethod
    async def busy(self) -> list[tuple[int, int]]:
        """The time that the person's own events take."""

    async def ours(self, uid: str) -> Shown | None:
        """The event of a booking, if it is there."""
        return next((each for each in await self.events() if each.uid == uid), None)

    # what the person does; `key` is that of an event that is there

    @abstractmethod
    async def add(self, start: int, kind: Kind, title: str) -> None:
        """An own event of half an hour."""

    @abstractmethod
    async def move(self, key: str, start: int) -> None: ...

    @abstractmethod
    async def retitle(self, key: str, title: str) -> None: ...

    @abstractmethod
    async def annotate(self, key: str, words: str) -> None:
        """Add words below the description."""

    @abstractmethod
    async def delete(self, key: str) -> None: ...

    # what goes wrong, and what was asked

    @abstractmethod
    def fail(self, fault: Fault) -> None:
        """Have the next requests fail: not allowed any more, too many, sync token expired, down, connection cut
        before the work is done or (`late`) after a write was."""

    @abstractmethod
    def heal(self) -> None:
        """No faults any more."""

    @abstractmethod
    def asked(self) -> list[str]:
        """Every request for calendars and events so far, as "METHOD path"."""

    def writes(self) -> list[str]:
        """Those that change something."""
        return [each for each in self.asked() if each.split()[0] in {"PUT", "POST", "PATCH", "DELETE", "MOVE"}]


class GoogleSide(Side):
    """A primary calendar at the fake Google."""

    def __init__(self, google: FakeGoogle, email: str) -> None:
        self._google = google
        self._store: FakeCalendar = google.service.calendars[email]

    async def events(self) -> list[Shown]:
        return [
            Shown(
                each["id"], (each.get("extendedProperties") or {}).get("private", {}).get("halfpastUid", ""),
                _instant(each["start"]), _instant(each["end"]), each.get("summary", ""), each.get("description", ""),
            )
            for each in self._store.living()
        ]  # fmt: skip

    async def busy(self) -> list[tuple[int, int]]:
        own = {each.key for each in await self.events() if not each.uid}
        spans: list[tuple[int, int]] = []
        for event in self._store.living():
            if event["id"] in own and event.get("transparency") != "transparent":
                instances = self._store.instances_of(event["id"]) if event.get("recurrence") else [event]
                spans += [(_instant(each["start"]), _instant(each["end"])) for each in instances]
        return joined(spans)

    async def add(self, start: int, kind: Kind, title: str) -> None:
        event: Json = {"summary": title, **_google_times(start)}
        if kind == "free":
            event["transparency"] = "transparent"
        if kind == "weekly":
            event["recurrence"] = [f"RRULE:FREQ=WEEKLY;COUNT={WEEKS}"]
        self._store.insert(event)

    async def move(self, key: str, start: int) -> None:
        self._store.patch(key, _google_times(start))

    async def retitle(self, key: str, title: str) -> None:
        self._store.patch(key, {"summary": title})

    async def annotate(self, key: str, words: str) -> None:
        text = self._store.events[key].get("description", "")
        self._store.patch(key, {"description": f"{text}\n\n{words}"})

    async def delete(self, key: str) -> None:
        self._store.delete(key)

    def fail(self, fault: Fault) -> None:
        match fault:
            case "401":
                self._google.expire_access()
            case "403":
                self._google.fail("/events", 403, "rateLimitExceeded", times=2)
            case "410":
                self._google.expire_tokens(self._store.id)
            case "429":
                self._google.fail("/events", 429, "rateLimitExceeded", retry_after="40", times=2)
            case "500":
                self._google.fail("/events", 500, "backendError", times=3)
            case "cut":
                self._google.fail("/events", is_cut=True, times=3)
            case "late":
                self._google.fail("(POST|PUT|DELETE) .*/events", is_cut=True, is_late=True)

    def heal(self) -> None:
        self._google.faults.clear()

    def asked(self) -> list[str]:
        return self._google.asked("/calendar/v3/")


class MicrosoftSide(Side):
    """The first calendar of a mailbox at the fake Microsoft."""

    def __init__(self, microsoft: FakeMicrosoft, mailbox: Mailbox) -> None:
        self._microsoft, self._mailbox = microsoft, mailbox
        self._name = next(iter(mailbox.folders))

    def _items(self) -> list[Item]:
        return [each for each in self._mailbox.items.values() if each.calendar == self._name]

    async def events(self) -> list[Shown]:
        return [
            Shown(
                each.id, each.named.get(UID, ""), int(each.instant(each.start).timestamp()),
                int(each.instant(each.end).timestamp()), each.values["subject"],
                (each.values.get("body") or {}).get("content", ""),
            )
            for each in self._items()
        ]  # fmt: skip

    async def busy(self) -> list[tuple[int, int]]:
        return joined(
            (int(each.start.timestamp()), int(each.end.timestamp()))
            for each in self._mailbox.view(self._name, SINCE, UNTIL)
            if each.kind != "seriesMaster" and UID not in each.item.named and each.item.values["showAs"] != "free"
        )

    async def add(self, start: int, kind: Kind, title: str) -> None:
        day = _wall(start)
        weekly = {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [f"{day:%A}".lower()]},
            "range": {"type": "numbered", "numberOfOccurrences": WEEKS, "startDate": f"{day:%Y-%m-%d}"},
        }
        self._mailbox.add(
            self._name, day, day + timedelta(seconds=HALF_HOUR), subject=title,
            showAs="free" if kind == "free" else "busy", pattern=weekly if kind == "weekly" else None,
        )  # fmt: skip

    async def move(self, key: str, start: int) -> None:
        item = self._mailbox.items[key]
        item.zone = "UTC"
        if item.pattern is not None:
            item.pattern["pattern"]["daysOfWeek"] = [f"{_wall(start):%A}".lower()]
            item.pattern["range"]["startDate"] = f"{_wall(start):%Y-%m-%d}"
        self._mailbox.change(key, start=_wall(start), end=_wall(start + HALF_HOUR))

    async def retitle(self, key: str, title: str) -> None:
        self._mailbox.change(key, subject=title)

    async def annotate(self, key: str, words: str) -> None:
        text = (self._mailbox.items[key].values.get("body") or {}).get("content", "")
        self._mailbox.change(key, body={"contentType": "text", "content": f"{text}\n\n{words}"})

    async def delete(self, key: str) -> None:
        self._mailbox.delete(key)

    def fail(self, fault: Fault) -> None:
        match fault:
            case "401":
                self._microsoft.identity.expire_access()
            case "403":
                self._microsoft.refuse("/me/", 403, "ErrorAccessDenied", times=2)
            case "410":
                self._microsoft.graph.rounds.clear()
            case "429":
                self._microsoft.refuse("/me/", 429, "ApplicationThrottled", retry_after=40, times=2)
            case "500":
                self._microsoft.refuse("/me/", 500, "ErrorInternalServerError", times=3)
            case "cut":
                self._microsoft.cut("/me/", times=3)
            case "late":
                for method in ("POST", "PATCH", "DELETE"):
                    self._microsoft.cut(f"{method} ", after=True)

    def heal(self) -> None:
        self._microsoft.graph.faults.clear()
        self._microsoft.graph.late_faults.clear()

    def asked(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self._microsoft.graph.seen]


class CalDavSide(Side):
    """A calendar on a real server, behind a box. `remote` reaches around it, as the person's phone does."""

    def __init__(self, box: Box, remote: CalDavBackend, name: str) -> None:
        self._box, self._remote, self._name = box, remote, name
        self._faults: deque[Fault] = deque()
        box.interfere = self._interfere

    async def events(self) -> list[Shown]:
        return [_shown(key, event) for key, event in (await self._read()).items()]

    async def _read(self) -> dict[str, Any]:
        keys = await self._remote.keys(self._name)
        texts = await asyncio.gather(*(self._remote.read(self._name, key) for key in keys))
        return {key: Ical.from_ical(text).events[0] for key, text in zip(keys, texts, strict=True)}

    async def busy(self) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        for key, event in (await self._read()).items():
            shown = _shown(key, event)
            if not shown.uid and str(event.get("TRANSP", "OPAQUE")) == "OPAQUE":
                repeats = WEEKS if "RRULE" in event else 1
                spans += [(shown.start + WEEK * number, shown.end + WEEK * number) for number in range(repeats)]
        return joined(spans)

    async def add(self, start: int, kind: Kind, title: str) -> None:
        uid = new_id()
        lines = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Device//EN", "BEGIN:VEVENT", f"UID:{uid}",
            "DTSTAMP:20270101T000000Z", f"DTSTART:{_stamp(start)}", f"DTEND:{_stamp(start + HALF_HOUR)}",
            f"SUMMARY:{title}", *(["TRANSP:TRANSPARENT"] if kind == "free" else []),
            *([f"RRULE:FREQ=WEEKLY;COUNT={WEEKS}"] if kind == "weekly" else []), "END:VEVENT", "END:VCALENDAR", "",
        ]  # fmt: skip
        await self._remote.put(self._name, uid, "\r\n".join(lines))

    async def move(self, key: str, start: int) -> None:
        await self._change(key, DTSTART=_moment(start), DTEND=_moment(start + HALF_HOUR))

    async def retitle(self, key: str, title: str) -> None:
        await self._change(key, SUMMARY=title)

    async def annotate(self, key: str, words: str) -> None:
        event = Ical.from_ical(await self._remote.read(self._name, key)).events[0]
        await self._change(key, DESCRIPTION=f"{event.get('DESCRIPTION', '')}\n\n{words}")

    async def _change(self, key: str, **values: Any) -> None:
        calendar = Ical.from_ical(await self._remote.read(self._name, key))
        event = calendar.events[0]
        for name, value in values.items():
            event.pop(name, None)
            event.add(name, value)
        await self._remote.put_at(self._name, key, calendar.to_ical().decode())

    async def delete(self, key: str) -> None:
        await self._remote.remove(self._name, key)

    def fail(self, fault: Fault) -> None:
        times = {"401": 1, "410": 1, "late": 1, "500": 3, "cut": 3}.get(fault, 2)
        self._faults.extend([fault] * times)

    def heal(self) -> None:
        self._faults.clear()

    def asked(self) -> list[str]:
        return [f"{each.method} {each.path}" for each in self._box.seen]

    async def _interfere(self, request: web.Request, text: str) -> web.StreamResponse | None:
        if not self._faults:
            return None
        fault = self._faults[0]
        if fault == "410" and "sync-token" not in text:
            return None
        if fault == "late" and request.method not in {"PUT", "DELETE"}:
            return None
        self._faults.popleft()
        if fault == "late":
            await self._box._forward(request, text)
        if fault in {"cut", "late"}:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "410":
            return web.Response(status=403, text='<error xmlns="DAV:"><valid-sync-token/></error>')
        return web.Response(status=int(fault), headers={"Retry-After": "40"} if fault == "429" else {})


def joined(spans: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """The union of intervals."""
    union: list[tuple[int, int]] = []
    for start, end in sorted((first, last) for first, last in spans):
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def _instant(value: Json) -> int:
    return int(datetime.fromisoformat(value["dateTime"]).timestamp())


def _google_times(start: int) -> Json:
    times = (("start", start), ("end", start + HALF_HOUR))
    return {name: {"dateTime": f"{_wall(at):%Y-%m-%dT%H:%M:%S}Z", "timeZone": "UTC"} for name, at in times}


def _wall(at: int) -> datetime:
    return _moment(at).replace(tzinfo=None)


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _stamp(at: int) -> str:
    return f"{_moment(at):%Y%m%dT%H%M%SZ}"


def _shown(key: str, event: Any) -> Shown:
    is_ours = _RETURNING in event
    start, end = (int(event[name].dt.timestamp()) for name in ("DTSTART", "DTEND"))
    notes = re.sub(r"\r\n?", "\n", str(event.get("DESCRIPTION", "")))
    return Shown(key, str(event["UID"]) if is_ours else "", start, end, str(event.get("SUMMARY", "")), notes)

"""What the fake Google keeps: people, their calendars, and every event that there ever was."""

from __future__ import annotations

import copy
import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rruleset, rrulestr

Json = dict[str, Any]

ID = re.compile(r"[a-v0-9]{5,1024}")
_DAY = timedelta(days=1)


class Refusal(Exception):
    """An answer that is an error of the API."""

    def __init__(self, status: int, reason: str, message: str = "", retry_after: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.message, self.retry_after = status, reason, message or reason, retry_after


def not_found() -> Refusal:
    return Refusal(404, "notFound", "Not Found")


@dataclass
class Channel:
    """An open channel for push messages."""

    id: str
    resource_id: str
    address: str
    token: str
    calendar: str
    expires_at: int
    messages: int = 0


@dataclass
class FakeCalendar:
    """A calendar: events by id, deleted ones among them, each with the number of its last change."""

    id: str
    owner: str
    summary: str = "Calendar"
    timezone: str = "Europe/Berlin"
    color: str = "#16a765"
    events: dict[str, Json] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    first_valid: int = 0  # sync tokens from before this change are expired
    has_push: bool = True
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    last: int = 0

    # what people and programs do

    def insert(self, body: Json) -> Json:
        """A new event. The id may be the caller's; 409 when it was ever used here."""
        event_id = body.get("id") or f"e{hashlib.sha256(f'{self.id}{self.last}'.encode()).hexdigest()[:24]}"
        if not ID.fullmatch(event_id):
            raise Refusal(400, "invalid", "Invalid resource id value.")
        if event_id in self.events:
            raise Refusal(409, "duplicate", "The requested identifier already exists.")
        self._check(body)
        now = _now()
        event = {
            "status": "confirmed",
            "iCalUID": f"{event_id}@google.com",
            "sequence": 0,
            "eventType": "default",
            "reminders": {"useDefault": True},
            "organizer": {"email": self.id, "self": True},
            **_settable(body),
            "kind": "calendar#event",
            "id": event_id,
            "created": now,
            "creator": {"email": self.owner},
            "htmlLink": f"https://calendar.google.com/event?eid={event_id}",
        }
        return self._store(event)

    def replace(self, event_id: str, body: Json, if_match: str | None = None) -> Json:
        """PUT: the whole event, as it is to be."""
        current = self._current(event_id, if_match)
        self._check(body)
        if int(body.get("sequence") or 0) < current["sequence"]:
            raise Refusal(400, "invalid", "Invalid sequence value.")
        fixed = ("kind", "id", "created", "creator", "htmlLink", "iCalUID", "organizer", "eventType", "conferenceData",
                 "hangoutLink", "recurringEventId", "originalStartTime")  # fmt: skip
        kept = {name: current[name] for name in fixed if name in current}
        defaults = {"status": "confirmed", "sequence": current["sequence"], "reminders": {"useDefault": True}}
        return self._store({**defaults, **_settable(body), **kept})

    def patch(self, event_id: str, body: Json, if_match: str | None = None) -> Json:
        """PATCH: some fields; objects are merged, lists replaced."""
        return self.replace(event_id, _merged(copy.deepcopy(self._current(event_id, if_match)), body))

    def delete(self, event_id: str, if_match: str | None = None) -> None:
        """410 when it is deleted already. The instances of a series go with it."""
        current = self._current(event_id, if_match)
        for each in [current, *(e for e in self.events.values() if e.get("recurringEventId") == event_id)]:
            if each["status"] != "cancelled":
                self._store({**each, "status": "cancelled"})

    def get(self, event_id: str) -> Json:
        """The event, deleted or not; an instance of a series by the master's id and its start."""
        if event_id not in self.events:
            return next((each for each in self.instances_of(event_id.rpartition("_")[0]) if each["id"] == event_id), {})
        return self.events[event_id]

    # series

    def instances_of(self, event_id: str, first: datetime | None = None, last: datetime | None = None) -> list[Json]:
        """The instances of a series in a range of starts, its exceptions among them."""
        master = self.events.get(event_id)
        if master is None or not master.get("recurrence"):
            return []
        exceptions = {each["id"]: each for each in self.events.values() if each.get("recurringEventId") == event_id}
        made = [self.instance(master, start) for start in self._starts(master, first, last)]
        return [exceptions.get(each["id"], each) for each in made]

    def instance(self, master: Json, start: date | datetime) -> Json:
        """One instance as the rule makes it."""
        begin, finish = moment(master["start"], self.timezone), moment(master["end"], self.timezone)
        end = start + (finish - begin)
        plain = {name: value for name, value in master.items() if name != "recurrence"}
        original = written(start, master["start"], self.timezone)
        return {
            **plain,
            "id": f"{master['id']}_{_suffix(start)}",
            "recurringEventId": master["id"],
            "originalStartTime": original,
            "start": original,
            "end": written(end, master["end"], self.timezone),
        }

    def change_instance(self, master_id: str, original: date | datetime, **fields: Any) -> Json:
        """A person changes one instance of a series; `status="cancelled"` takes it out."""
        made = self.instance(self.events[master_id], original)
        return self._store({**self.events.get(made["id"], made), **fields})

    def _starts(self, master: Json, first: datetime | None, last: datetime | None) -> list[Any]:
        start = moment(master["start"], self.timezone)
        is_day = not isinstance(start, datetime)
        zone = ZoneInfo(master["start"].get("timeZone") or self.timezone)
        begin = datetime(start.year, start.month, start.day) if is_day else start.astimezone(zone)  # noqa: DTZ001
        found = rrulestr("\n".join(master["recurrence"]), dtstart=begin, forceset=True)
        assert isinstance(found, rruleset)
        if is_day:
            return [each.date() for each in itertools.islice(found, 1000)]
        low, high = first or begin, last or begin + 1000 * _DAY
        return list(itertools.islice(found.between(low, high, inc=True), 1000))

    # what is told

    def since(self, change: int) -> list[Json]:
        """What changed after a change, oldest first."""
        names = sorted((number, name) for name, number in self.changed.items() if number > change)
        return [self.events[name] for _, name in names]

    def living(self) -> list[Json]:
        """All that is there: of series the masters, their exceptions and their cancelled instances."""
        return [
            event
            for event in self.events.values()
            if event["status"] != "cancelled"
            or (event.get("recurringEventId") and self._is_living(event["recurringEventId"]))
        ]

    def _is_living(self, event_id: str) -> bool:
        return event_id in self.events and self.events[event_id]["status"] != "cancelled"

    # how

    def _current(self, event_id: str, if_match: str | None) -> Json:
        current = self.get(event_id)
        if not current:
            raise not_found()
        if current["status"] == "cancelled" and current["id"] in self.events:
            raise Refusal(410, "deleted", "Resource has been deleted")
        if if_match not in (None, "*", current.get("etag")):
            raise Refusal(412, "conditionNotMet", "Precondition Failed")
        return current

    def _check(self, body: Json) -> None:
        if not body.get("start") or not body.get("end"):
            raise Refusal(400, "required", "Missing end time.")
        if moment(body["end"], self.timezone) < moment(body["start"], self.timezone):
            raise Refusal(400, "timeRangeEmpty", "The specified time range is empty.")
        if len(body.get("description", "")) > 8192:
            raise Refusal(400, "invalid", "The description is too long.")
        for value in ((body.get("extendedProperties") or {}).get("private") or {}).values():
            if len(value) > 1024:
                raise Refusal(400, "invalid", "An extended property is too long.")

    def _store(self, event: Json) -> Json:
        self.last = next(self._numbers)
        stored = {**event, "etag": f'"{self.last:016d}"', "updated": _now()}
        for name in ("start", "end"):
            stored[name] = self._with_offset(stored[name])
        self.events[event["id"]] = stored
        self.changed[event["id"]] = self.last
        return stored

    def _with_offset(self, value: Json) -> Json:
        if not value.get("dateTime"):
            return value
        return {**value, "dateTime": moment(value, self.timezone).isoformat()}

    def forget_tokens(self) -> None:
        """Sync tokens given until now are not taken any more."""
        self.first_valid = self.last = next(self._numbers)


def moment(value: Json, timezone: str) -> Any:
    """A date, or an instant, of Google's start and end."""
    if value.get("date"):
        return date.fromisoformat(value["date"])
    at = datetime.fromisoformat(value["dateTime"])
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(value.get("timeZone") or timezone))


def written(at: Any, like: Json, timezone: str) -> Json:
    """A date or instant in the form of another."""
    if like.get("date"):
        return {"date": at.isoformat()}
    zone = like.get("timeZone") or timezone
    return {"dateTime": at.astimezone(ZoneInfo(zone)).isoformat(), "timeZone": zone}


def told(event: Json) -> Json:
    """An event as an answer has it: of a deleted one only what names it."""
    if event["status"] != "cancelled":
        return event
    names = ("kind", "etag", "id", "status", "recurringEventId", "originalStartTime")
    return {name: event[name] for name in names if name in event}


def _suffix(start: Any) -> str:
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%SZ}" if isinstance(start, datetime) else f"{start:%Y%m%d}"


def _settable(body: Json) -> Json:
    return {name: copy.deepcopy(value) for name, value in body.items() if value is not None and value != []}


def _merged(current: Json, body: Json) -> Json:
    for name, value in body.items():
        if isinstance(value, dict) and isinstance(current.get(name), dict):
            current[name] = _merged(current[name], value)
        elif value is None:
            current.pop(name, None)
        else:
            current[name] = value
    return current


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

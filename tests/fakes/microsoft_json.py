"""Events of the fake Microsoft in the words of Graph, both ways."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.fakes.microsoft_mailbox import Folder, Item, Json, Mailbox, Shown, mutable_id, zone_named

WRITABLE = (
    "subject", "body", "location", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "categories", "sensitivity",
    "attendees", "importance", "isOnlineMeeting", "onlineMeetingProvider", "responseRequested",
)  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What a request's `Prefer` asks for."""

    immutable: bool
    zone: str
    text: bool
    page: int | None

    @classmethod
    def of(cls, prefer: str) -> Wishes:
        """Read the header."""
        zone = re.search(r'outlook\.timezone="([^"]+)"', prefer)
        page = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        return cls(
            'IdType="ImmutableId"' in prefer,
            zone[1] if zone else "UTC",
            'outlook.body-content-type="text"' in prefer,
            int(page[1]) if page else None,
        )

    def id(self, key: str, calendar: str) -> str:
        """An event's id, of the kind asked for."""
        return key if self.immutable else mutable_id(key, calendar)


def folder_json(folder: Folder, mailbox: Mailbox) -> Json:
    """A calendar."""
    return {
        "id": folder.id, "name": folder.name, "color": folder.color, "hexColor": folder.hex_color,
        "canEdit": folder.can_edit, "canShare": folder.can_edit, "canViewPrivateItems": True,
        "isDefaultCalendar": folder is next(iter(mailbox.folders.values())), "isRemovable": True,
        "owner": {"name": mailbox.email, "address": mailbox.email},
    }  # fmt: skip


def event_json(
    shown: Shown, wishes: Wishes, *, bare: bool = False, shifts_days: bool = False, named: bool = False
) -> Json:
    """An event; `bare` as change lists tell of occurrences. All-day events are told as midnights of the zone asked
    for, or, with `shifts_days`, of their own in the one asked for. `named` values are expanded."""
    item = shown.item
    found: Json = {
        "id": wishes.id(shown.id, item.calendar),
        "type": shown.kind,
        "start": _time(shown.start, item, wishes, shifts_days),
        "end": _time(shown.end, item, wishes, shifts_days),
        "seriesMasterId": _master(shown, wishes),
    }
    if bare:
        return found
    found |= {
        "@odata.etag": f'W/"{item.change_key}"',
        "changeKey": item.change_key,
        "isAllDay": item.all_day, "isCancelled": False, "isOrganizer": True, "isReminderOn": False, "isDraft": False,
        "reminderMinutesBeforeStart": 15, "sensitivity": "normal", "importance": "normal", "categories": [],
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
        "organizer": {"emailAddress": {"name": "Ana", "address": "ana@example.com"}},
        "attendees": [], "location": {"displayName": ""}, "transactionId": None, "onlineMeeting": None,
        "isOnlineMeeting": False, "originalStartTimeZone": item.zone, "originalEndTimeZone": item.zone,
        "createdDateTime": "2026-11-20T10:00:00.1234567Z",
        "lastModifiedDateTime": f"{item.changed.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z",
        "recurrence": item.pattern, "webLink": f"https://outlook.office365.com/owa/?itemid={shown.id}",
        **item.values,
    }  # fmt: skip
    found["body"] = _body(item.values.get("body"), as_text=wishes.text)
    found["bodyPreview"] = _body(item.values.get("body"), as_text=True)["content"][:255]
    if named and item.named:
        found["singleValueExtendedProperties"] = [{"id": name, "value": text} for name, text in item.named.items()]
    return found


def take(item: Item, body: Json) -> None:
    """What a POST or PATCH sets."""
    for name in WRITABLE:
        if name in body:
            item.values[name] = body[name]
    item.all_day = body.get("isAllDay", item.all_day)
    for name in ("start", "end"):
        if name in body:
            item.zone = body[name]["timeZone"]
            setattr(item, name, datetime.fromisoformat(body[name]["dateTime"][:19]))
    item.named |= {each["id"]: each["value"] for each in body.get("singleValueExtendedProperties", ())}
    if item.values.get("isOnlineMeeting"):
        item.values.setdefault("onlineMeeting", {"joinUrl": f"https://teams.example.com/l/meetup/{uuid4().hex}"})


def _time(moment: datetime, item: Item, wishes: Wishes, shifts_days: bool) -> Json:
    if item.all_day and not shifts_days:
        wall = moment.astimezone(zone_named(item.zone))
    else:
        wall = moment.astimezone(zone_named(wishes.zone))
    return {"dateTime": f"{wall:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": wishes.zone}


def _master(shown: Shown, wishes: Wishes) -> str | None:
    if shown.kind not in ("occurrence", "exception"):
        return None
    return wishes.id(shown.item.master or shown.item.id, shown.item.calendar)


def _body(body: Any, *, as_text: bool) -> Json:
    kept = body or {"contentType": "text", "content": ""}
    content = kept["content"]
    if as_text and kept["contentType"] == "html":
        content = html.unescape(re.sub(r"<[^>]+>", "", content))
    elif not as_text and kept["contentType"] == "text":
        content = f"<html><body>{html.escape(content)}</body></html>"
    if as_text:
        content = content.replace("\r\n", "\n").replace("\n", "\r\n")
    return {"contentType": "text" if as_text else "html", "content": content}

"""What a method's file works with."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.calendars import Calendar
from app.ports.calendar_store import CalendarStore
from app.ports.published import DavUser, StoredText
from app.use_cases.calendar_objects import StoragePorts
from calendar_feeds.caldav.properties import Target
from calendar_feeds.caldav.resources import (
    HOMES,
    PRINCIPALS,
    ROOT,
    SITE,
    Location,
    collection_href,
    home_href,
    principal_href,
)
from calendar_feeds.caldav.resources import segment as path_segment
from calendar_feeds.messages import Refusal, Request

NOT_THERE = "There is nothing here."


@dataclass(slots=True)
class Exchange:
    """One authenticated request. `location` is of the person's own tree; `calendar` is the collection it names, when
    there is one; `store` reads on one connection."""

    request: Request
    location: Location
    user: DavUser
    calendar: Calendar | None
    store: CalendarStore
    ports: StoragePorts
    _collection: str | None = None

    def need_calendar(self) -> Calendar:
        """The collection the address is or lies in, or 404."""
        if self.calendar is None:
            raise Refusal(404, detail=NOT_THERE)
        return self.calendar

    @property
    def href(self) -> str:
        """The address of the resource as this server writes it."""
        where = self.location
        match where.kind:
            case "site":
                return SITE
            case "root":
                return ROOT
            case "principals":
                return PRINCIPALS
            case "homes":
                return HOMES
            case "principal":
                return principal_href(self.user.handle)
            case "home":
                return home_href(self.user.handle)
            case "collection":
                return self.collection_href
            case "object":
                return self.object_href(where.name)

    @property
    def collection_href(self) -> str:
        """The address of the collection that the request is about."""
        if self._collection is None:
            self._collection = collection_href(self.user.handle, self.need_calendar())
        return self._collection

    def object_href(self, name: str) -> str:
        """The address of one of its members."""
        return self.collection_href + path_segment(name)

    def object_target(self, item: StoredText) -> Target:
        """A member, to ask for its properties."""
        return Target("object", self.object_href(item.name), self.user, self.calendar, item)

    async def target(self) -> Target:
        """The resource of the request, or 404."""
        kind = self.location.kind
        if kind == "object":
            found = await self.store.texts(self.need_calendar().id, [self.location.name])
            if not found:
                raise Refusal(404, detail=NOT_THERE)
            return self.object_target(found[0])
        if kind == "collection":
            return Target("collection", self.href, self.user, self.need_calendar())
        return Target(kind, self.href, self.user)

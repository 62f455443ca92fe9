"""What a method's file works with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.calendars import INBOX, Calendar
from app.domain.ical_zones import without_known_definitions
from app.ports import Ports
from app.ports.calendar_store import CalendarStore
from app.ports.published import Access, DavPerson, DavUser, StoredText
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import Device
from app.use_cases.change_availability import read_hours
from calendar_feeds.caldav.acl import need_privilege, privileges
from calendar_feeds.caldav.properties import Groups, Target
from calendar_feeds.caldav.resources import (
    HOMES,
    OUTBOX,
    PRINCIPALS,
    ROOT,
    SITE,
    Kind,
    Location,
    collection_href,
    home_href,
    principal_href,
    proxy_href,
)
from calendar_feeds.caldav.resources import segment as path_segment
from calendar_feeds.messages import Refusal, Request

NOT_THERE = "There is nothing here."
MOST_MEMBERS = 1_000
"""More people than this are neither searched nor listed."""


@dataclass(slots=True)
class Exchange:
    """One authenticated request. `location` is in the tree of `owner`, where `user`, who asks, has `access`; `calendar`
    is the collection it names, when there is one; `work` reads on one connection, beside which a question has none."""

    request: Request
    location: Location
    user: DavUser
    owner: DavPerson
    access: Access
    calendar: Calendar | None
    work: UnitOfWork
    ports: Ports
    _collection: str | None = None

    @property
    def store(self) -> CalendarStore:
        """Where calendars are."""
        return self.work.calendars

    def need_calendar(self) -> Calendar:
        """The collection the address is or lies in, or 404."""
        if self.calendar is None:
            raise Refusal(404, detail=NOT_THERE)
        return self.calendar

    def need(self, privilege: str, detail: str = "You may not do that here.", *, on: Kind | None = None) -> None:
        """403 with DAV:need-privileges unless the user has this privilege on the resource; `on` names one above it."""
        kind = on or self.location.kind
        if privilege not in privileges(kind, self.access, self.calendar):
            href = home_href(self.owner.handle) if kind == "home" else self.href
            if kind == "collection" and self.calendar is not None:
                href = self.collection_href
            raise need_privilege(href, privilege, detail)

    def need_to_write(self, privilege: str) -> None:
        """`need`, but for those whose calendar it is: what they may not write is refused by the use case, which keeps
        what their devices sent. Into the inbox nobody puts anything."""
        if self.access not in {"owner", "write"} or self.location.collection == INBOX:
            self.need(privilege, "You may not write here.", on="collection")

    @property
    def is_others(self) -> bool:
        """Whether the resource is somebody else's than the user's: what its person noted for themselves is left out."""
        return self.access != "owner"

    @property
    def device(self) -> Device:
        """What the request came from."""
        return Device(self.user.password_id, self.user.label, self.user.id, self.user.org_id)

    @property
    def href(self) -> str:
        """The address of the resource as this server writes it."""
        where, handle = self.location, self.owner.handle
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
                return principal_href(handle)
            case "proxy":
                return proxy_href(handle, where.name)
            case "home":
                return home_href(handle)
            case "collection" | "inbox":
                return self.collection_href
            case "outbox":
                return collection_href(handle, OUTBOX)
            case "object":
                return self.object_href(where.name)

    @property
    def collection_href(self) -> str:
        """The address of the collection that the request is about."""
        if self._collection is None:
            self._collection = collection_href(self.owner.handle, self.location.collection)
        return self._collection

    def object_href(self, name: str) -> str:
        """The address of one of its members."""
        return self.collection_href + path_segment(name)

    def object_target(self, item: StoredText) -> Target:
        """A member, to ask for its properties."""
        if self.request.wants_no_zones:
            item = item._replace(data=without_known_definitions(item.data))
        return Target("object", self.object_href(item.name), self.user, self.owner, self.access, self.calendar, item)

    def own_target(self, kind: Kind, href: str, calendar: Calendar | None = None) -> Target:
        """Another resource of the same person."""
        return Target(kind, href, self.user, self.owner, self.access, calendar)

    async def target(self) -> Target:
        """The resource of the request, or 404."""
        kind = self.location.kind
        if kind == "object":
            found = await self.store.texts(self.need_calendar().id, [self.location.name], plain=self.is_others)
            if not found:
                raise Refusal(404, detail=NOT_THERE)
            return self.object_target(found[0])
        if kind == "inbox":
            return await self.inbox_target(self.need_calendar())
        if kind == "collection":
            return self.own_target(kind, self.href, self.need_calendar())
        if kind == "home":
            return replace(self.own_target(kind, self.href), kept=await self.store.home_properties(self.owner.id))
        if kind in {"principal", "proxy"}:
            return await self.principal(self.owner, self.access, self.href, kind)
        return self.own_target(kind, self.href)

    async def inbox_target(self, calendar: Calendar) -> Target:
        """The inbox, which tells its owner's working hours."""
        target = self.own_target("inbox", collection_href(self.owner.handle, INBOX), calendar)
        return replace(target, hours=await read_hours(self.work, self.owner.id, self.ports.clock()))

    async def principal(self, person: DavPerson, access: Access, href: str, kind: Kind = "principal") -> Target:
        """A person, or a group of their assistants, with who reads and writes whose calendars."""
        rights = await self.store.delegations(person.id)
        owners = {
            way: [each.owner for each in rights if each.delegate == person.handle and each.access == way]
            for way in ("read", "write")
        }
        if person.id == self.user.id and "admin" in self.user.roles:
            known = {person.handle, *owners["read"], *owners["write"]}
            others = await self.store.members(person.org_id, MOST_MEMBERS)
            owners["read"] += [each.handle for each in others if each.handle not in known]
        members = {
            way: tuple(each.delegate for each in rights if each.owner == person.handle and each.access == way)
            for way in ("read", "write")
        }
        groups = Groups(tuple(owners["read"]), tuple(owners["write"]), members["read"], members["write"])
        return Target(kind, href, self.user, person, access, groups=groups)

    async def calendars(self) -> list[Exchange]:
        """The request as it is for each calendar of the home that the user may read."""
        found = [
            replace(
                self, location=Location("collection", self.owner.handle, each.name), calendar=each, _collection=None
            )
            for each in await self.store.builtin_calendars(self.owner.id)
            if each.name != INBOX
        ]
        return [each for each in found if "D:read" in privileges("collection", self.access, each.calendar)]

    async def elsewhere(self, location: Location) -> Exchange:
        """The same request as if it were for another place, by the rights the user has there."""
        own = None
        if location.handle == self.user.handle and location.collection:
            own = await self.store.builtin_calendar(self.user.id, location.collection)
        return await enter(self.request, location, (self.user, own), self.work, self.ports)


async def enter(
    request: Request,
    location: Location,
    signed_in: tuple[DavUser, Calendar | None],
    work: UnitOfWork,
    ports: Ports,
) -> Exchange:
    """Whose resource is asked for, and by what right: 404 for what this organization does not have, 403 for what the
    user may not read."""
    user, calendar = signed_in
    if location.handle in {"", user.handle}:
        return Exchange(request, location, user, user, "owner", calendar, work, ports)
    found = await work.calendars.dav_owner(user, location.handle, location.collection)
    if found is None:
        raise Refusal(404, detail=NOT_THERE)
    exchange = Exchange(request, location, user, *found, work, ports)
    exchange.need("D:read", "These are somebody else's calendars.")
    return exchange

"""Reports about people (RFC 3744 §9). Everybody of an organization can be found by the others, to be invited."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from calendar_feeds.caldav.exchange import MOST_MEMBERS, Exchange
from calendar_feeds.caldav.properties import Target, read_property
from calendar_feeds.caldav.propfind import members
from calendar_feeds.caldav.resources import PROXIES, principal_href, proxy_href
from calendar_feeds.caldav.wanted import Wanted, wanted_in
from calendar_feeds.caldav.xml import (
    CALDAV,
    CALENDARSERVER,
    DAV,
    MULTISTATUS,
    MULTISTATUS_END,
    PROLOGUE,
    Element,
    element,
    name,
    names_in,
    text_of,
)
from calendar_feeds.messages import Answer, Refusal

_SEARCHABLE = {
    name("displayname"): "Name",
    name("calendar-user-address-set", CALDAV): "Address",
    name("email-address-set", CALENDARSERVER): "E-mail address",
}


MAX_SEARCHES = 20
_OF_A_SEARCH = frozenset({name("property-search"), name("prop"), name("apply-to-principal-collection-set")})


async def search_property_set(exchange: Exchange, root: Element) -> Answer:
    """By which properties people can be searched for."""
    exchange.request.need_depth_zero()
    if len(root):
        raise Refusal(400, detail="A principal-search-property-set is empty.")
    found = "".join(
        f"<D:principal-search-property><D:prop>{element(each)}</D:prop>"
        f'<D:description xml:lang="en">{told}</D:description></D:principal-search-property>'
        for each, told in _SEARCHABLE.items()
    )
    declared = f'xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:CS="{CALENDARSERVER}"'
    body = f"{PROLOGUE}<D:principal-search-property-set {declared}>{found}</D:principal-search-property-set>"
    return Answer(200, body.encode())


async def property_search(exchange: Exchange, root: Element) -> Answer:
    """People of the organization, all (or any) of whose searched texts are found in their properties; a search for
    nothing in particular, which some clients send, finds everybody."""
    exchange.request.need_depth_zero()
    wanted = _wanted(exchange, root)
    if wanted.mode == "prop" and not wanted.names:
        wanted = replace(wanted, names=_named_beside(root))
    searches = [_Search.read(each) for each in root.findall(name("property-search"))]
    if len(searches) > MAX_SEARCHES:
        raise Refusal(403, detail=f"At most {MAX_SEARCHES} texts are searched for at once.")
    is_any = root.get("test") == "anyof"
    parts = [MULTISTATUS]
    for target in await _people(exchange):
        hits = [search.finds(target) for search in searches] or [True]
        if any(hits) if is_any else all(hits):
            parts.append(wanted.respond(target))
    parts.append(MULTISTATUS_END)
    return Answer(207, "".join(parts).encode())


def _wanted(exchange: Exchange, root: Element) -> Wanted:
    """What is asked of the principals found: these reports have at most one DAV:prop (RFC 3744 §9.2 to §9.4)."""
    if len(root.findall(name("prop"))) > 1:
        raise Refusal(400, detail="A report names what it wants in one DAV:prop.")
    return wanted_in(root, minimal=exchange.request.wants_minimal)


def _named_beside(root: Element) -> tuple[str, ...]:
    """python-caldav names the properties it wants beside an empty DAV:prop, not in it."""
    return tuple(each for each in names_in(root) if each not in _OF_A_SEARCH)


async def _people(exchange: Exchange) -> list[Target]:
    user = exchange.user
    members = await exchange.store.members(user.org_id, MOST_MEMBERS)
    return [
        Target("principal", principal_href(each.handle), user, each, "owner" if each.id == user.id else "none")
        for each in members
    ]


async def principal_match(exchange: Exchange, root: Element) -> Answer:
    """The user's own principal and the groups they are in, as far as these lie below the asked resource; or what lies
    there and names the user in a property, such as DAV:owner (RFC 3744 §9.3)."""
    exchange.request.need_depth_zero()
    wanted = _wanted(exchange, root)
    named = names_in(root.find(name("principal-property")))
    if (root.find(name("self")) is None) == (len(named) != 1):
        raise Refusal(400, detail="A principal-match asks for DAV:self or names a DAV:principal-property.")
    own = principal_href(exchange.user.handle)
    if not named:
        found = [each for each in await _selves(exchange, own) if each.href.startswith(exchange.href)]
    else:
        found = [
            each for each in await members(exchange, wanted) if f">{own}<" in (read_property(each, named[0]) or "")
        ]
    return Answer(207, f"{MULTISTATUS}{''.join(map(wanted.respond, found))}{MULTISTATUS_END}".encode())


async def _selves(exchange: Exchange, own: str) -> list[Target]:
    """The user's principal, and the groups of assistants they are in."""
    user = exchange.user
    principal = await exchange.principal(user, "owner", own)
    pairs = (("calendar-proxy-read", principal.groups.reads), ("calendar-proxy-write", principal.groups.writes))
    people = {each.handle: each for each in await exchange.store.members(user.org_id, MOST_MEMBERS)}
    return [
        principal,
        *(
            Target("proxy", proxy_href(handle, group), user, people[handle], "none")
            for group, handles in pairs
            for handle in handles
            if handle in people
        ),
    ]


async def acl_principals(exchange: Exchange, root: Element) -> Answer:
    """Properties of the principals that have rights on the resource: its owner, and the groups of their assistants (RFC
    3744 §9.2)."""
    exchange.request.need_depth_zero()
    await exchange.target()
    exchange.need("D:read-acl", "You may not see who has rights here.")
    wanted = _wanted(exchange, root)
    owner = exchange.owner
    own = await exchange.principal(owner, exchange.access, principal_href(owner.handle))
    groups = [
        await exchange.principal(owner, exchange.access, proxy_href(owner.handle, group), "proxy") for group in PROXIES
    ]
    body = "".join(wanted.respond(each) for each in (own, *groups))
    return Answer(207, f"{MULTISTATUS}{body}{MULTISTATUS_END}".encode())


@dataclass(frozen=True, slots=True)
class _Search:
    """A DAV:property-search: what text is sought in which of the properties that can be searched, and how."""

    properties: tuple[str, ...]
    sought: str
    how: str

    @classmethod
    def read(cls, search: Element) -> _Search:
        match = search.find(name("match"))
        how = match.get("match-type", "contains") if match is not None else "contains"
        named = names_in(search.find(name("prop")))
        return cls(tuple(each for each in named if each in _SEARCHABLE), text_of(match).casefold(), how)

    def finds(self, target: Target) -> bool:
        """Whether the text is in one of the properties of this person."""
        for each in self.properties:
            value = _plain_text(read_property(target, each) or "").strip().casefold()
            tests = {
                "equals": value == self.sought,
                "starts-with": value.startswith(self.sought),
                "ends-with": value.endswith(self.sought),
            }
            if value and tests.get(self.how, self.sought in value):
                return True
        return False


def _plain_text(content: str) -> str:
    """The character data of a property's content."""
    wrapped = f'<x xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:CS="{CALENDARSERVER}">{content}</x>'
    return " ".join(str(part) for part in etree.fromstring(wrapped).itertext())

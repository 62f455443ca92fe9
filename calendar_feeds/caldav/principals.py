"""Reports about people (RFC 3744 §9, RFC 3253 §3.8). A person sees themself and nobody else."""

from __future__ import annotations

from lxml import etree

from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import MISSING, OK, PROPERTIES, Target, propstat
from calendar_feeds.caldav.propfind import wanted_in
from calendar_feeds.caldav.resources import Location, collection_href, home_href, locate_href, principal_href
from calendar_feeds.caldav.xml import (
    CALDAV,
    CALENDARSERVER,
    DAV,
    MULTISTATUS,
    MULTISTATUS_END,
    PROLOGUE,
    Element,
    children,
    element,
    name,
    names_in,
    text,
    text_of,
)
from calendar_feeds.messages import Answer, Refusal

MAX_DEPTH = 4
_SEARCHABLE = {
    name("displayname"): "Name",
    name("calendar-user-address-set", CALDAV): "Address",
    name("email-address-set", CALENDARSERVER): "E-mail address",
}


async def search_property_set(exchange: Exchange, root: Element) -> Answer:  # noqa: ARG001  # the shape of a report
    """By which properties people can be searched for."""
    found = "".join(
        f"<D:principal-search-property><D:prop>{element(each)}</D:prop>"
        f'<D:description xml:lang="en">{told}</D:description></D:principal-search-property>'
        for each, told in _SEARCHABLE.items()
    )
    declared = f'xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:CS="{CALENDARSERVER}"'
    body = f"{PROLOGUE}<D:principal-search-property-set {declared}>{found}</D:principal-search-property-set>"
    return Answer(200, body.encode())


async def property_search(exchange: Exchange, root: Element) -> Answer:
    """The person themself, if all (or any) of the searched texts are found in their properties; a search for nothing
    in particular, which some clients send, finds whoever may be seen."""
    target = Target("principal", principal_href(exchange.user.handle), exchange.user)
    hits = [_is_hit(target, search) for search in root.findall(name("property-search"))] or [True]
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    matches = any(hits) if root.get("test") == "anyof" else all(hits)
    return Answer(207, f"{MULTISTATUS}{wanted.respond(target) if matches else ''}{MULTISTATUS_END}".encode())


def _is_hit(target: Target, search: Element) -> bool:
    match = search.find(name("match"))
    sought = text_of(match).casefold()
    how = match.get("match-type", "contains") if match is not None else "contains"
    for each in names_in(search.find(name("prop"))):
        read = PROPERTIES["principal"].get(each) if each in _SEARCHABLE else None
        value = _plain_text(read(target) or "").casefold() if read else ""
        tests = {
            "equals": value == sought,
            "starts-with": value.startswith(sought),
            "ends-with": value.endswith(sought),
        }
        if value and tests.get(how, sought in value):
            return True
    return False


def _plain_text(content: str) -> str:
    """The character data of a property's content."""
    wrapped = f'<x xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:CS="{CALENDARSERVER}">{content}</x>'
    return " ".join(str(part) for part in etree.fromstring(wrapped).itertext())


async def expand_property(exchange: Exchange, root: Element) -> Answer:
    """Properties, and for those that hold addresses the properties of the resources there."""
    return Answer(
        207, f"{MULTISTATUS}{await _expanded(exchange, await exchange.target(), root, 0)}{MULTISTATUS_END}".encode()
    )


async def _expanded(exchange: Exchange, target: Target, asked: Element, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise Refusal(400, detail=f"Properties can be expanded {MAX_DEPTH} times.")
    found, missing = [], []
    for each in children(asked):
        if each.tag != name("property"):
            continue
        qualified = name(each.get("name", ""), each.get("namespace", DAV))
        read = PROPERTIES[target.kind].get(qualified)
        content = None if read is None else read(target)
        if content is None:
            missing.append(_named(each))
            continue
        if any(True for _ in children(each)):
            content = await _follow(exchange, content, each, depth)
        found.append(element(qualified, content))
    stats = (propstat(found, OK) if found or not missing else "") + (propstat(missing, MISSING) if missing else "")
    return f"<D:response><D:href>{text(target.href)}</D:href>{stats}</D:response>"


def _named(asked: Element) -> str:
    """An empty element of the asked name, if it is one XML can have."""
    try:
        made = etree.Element(name(asked.get("name", ""), asked.get("namespace", DAV)))
    except ValueError as error:
        raise Refusal(400, detail="A DAV:property has the name of an XML element.") from error
    return element(str(made.tag))


async def _follow(exchange: Exchange, content: str, asked: Element, depth: int) -> str:
    """The content with every DAV:href replaced by the response of what is there; addresses elsewhere stay."""
    wrapped = etree.fromstring(f'<x xmlns:D="{DAV}" xmlns:C="{CALDAV}" xmlns:CS="{CALENDARSERVER}">{content}</x>')
    parts = []
    for href in wrapped.findall(name("href")):
        target = await _at(exchange, locate_href(text_of(href)))
        parts.append(
            f"<D:href>{text(text_of(href))}</D:href>"
            if target is None
            else await _expanded(exchange, target, asked, depth + 1)
        )
    return "".join(parts)


async def _at(exchange: Exchange, location: Location | None) -> Target | None:
    user = exchange.user
    if location is None or location.handle != user.handle:
        return None
    if location.kind == "principal":
        return Target("principal", principal_href(user.handle), user)
    if location.kind == "home":
        return Target("home", home_href(user.handle), user)
    if location.kind == "collection":
        calendar = await exchange.store.builtin_calendar(user.id, location.collection)
        return (
            None if calendar is None else Target("collection", collection_href(user.handle, calendar), user, calendar)
        )
    return None

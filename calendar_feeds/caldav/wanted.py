"""Which properties a request wants (RFC 4918 §14.18, §14.20): read once, asked of every resource it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calendar_feeds.caldav.calendar_data import check_kind
from calendar_feeds.caldav.properties import NEED_TEXT, Target, in_allprop, kept_properties, names_response, response
from calendar_feeds.caldav.resources import Kind
from calendar_feeds.caldav.xml import Element, name, names_in
from calendar_feeds.messages import Refusal

MAX_NAMES = 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which properties: those named, or all (with those named beside), or just the names of what there is."""

    mode: Literal["prop", "allprop", "propname"]
    names: tuple[str, ...] = ()
    minimal: bool = False

    @property
    def needs_text(self) -> bool:
        """Whether a listing of names and etags does not suffice for objects."""
        return self.mode != "prop" or not NEED_TEXT.isdisjoint(self.names)

    def for_kind(self, kind: Kind) -> Sequence[str]:
        """The names to answer for a resource of this kind."""
        if self.mode == "prop":
            return self.names
        return list(dict.fromkeys([*in_allprop(kind), *self.names]))

    def respond(self, target: Target) -> str:
        """The DAV:response of a resource."""
        if self.mode == "propname":
            return names_response(target)
        names = self.for_kind(target.kind)
        if self.mode == "allprop":
            names = [*names, *kept_properties(target)]
        return response(target, names, minimal=self.minimal or self.mode == "allprop")

    @property
    def headers(self) -> dict[str, str]:
        """What to say of the preference that was followed."""
        return {"preference-applied": "return=minimal", "vary": "Brief, Prefer"} if self.minimal else {}


def wanted_in(root: Element | None, *, minimal: bool) -> Wanted:
    """Read DAV:prop, DAV:allprop or DAV:propname among the children; nothing of these means all. 403 with
    C:supported-calendar-data for objects in a kind of data that is not kept here."""
    if root is None:
        return Wanted("allprop", minimal=minimal)
    prop = root.find(name("prop"))
    if prop is not None:
        check_kind(prop)
        return Wanted("prop", _bounded(names_in(prop)), minimal)
    if root.find(name("propname")) is not None:
        return Wanted("propname")
    return Wanted("allprop", _bounded(names_in(root.find(name("include")))), minimal)


def _bounded(names: list[str]) -> tuple[str, ...]:
    """Each is answered for each resource: the product is what has to stay small."""
    if len(names) > MAX_NAMES:
        raise Refusal(403, detail=f"At most {MAX_NAMES} properties are asked for at once.")
    return tuple(names)

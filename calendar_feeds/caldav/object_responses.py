"""Responses about many objects: one is rendered, and for each object only what differs is put into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from app.domain.ical_zones import without_known_definitions
from app.ports.published import StoredText
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.resources import segment
from calendar_feeds.caldav.wanted import Wanted
from calendar_feeds.caldav.xml import CALDAV, name, text

NAME, ETAG, DATA = "%00name%00", "\x00etag\x00", "\x00data\x00"
_DIFFERING = re.compile(f"({NAME}|{ETAG}|{DATA})")
_DIFFER_OTHERWISE = frozenset({name("getcontentlength"), name("getlastmodified"), name("schedule-tag", CALDAV)})


def template(exchange: Exchange, wanted: Wanted) -> str:
    """The response of an object whose name, etag and data are these three marks."""
    item = StoredText("", ETAG, "VEVENT", DATA, 0)
    return wanted.respond(replace(exchange.object_target(item), href=exchange.collection_href + NAME))


def responder(exchange: Exchange, wanted: Wanted) -> Callable[[StoredText], str]:
    """Gives the DAV:response of each object of the request's calendar."""
    if wanted.mode != "prop" or not _DIFFER_OTHERWISE.isdisjoint(wanted.names):
        return lambda item: wanted.respond(exchange.object_target(item))
    pieces = _DIFFERING.split(template(exchange, wanted))
    marks = [(index, mark) for index, mark in enumerate(pieces) if index % 2]
    no_zones = exchange.request.wants_no_zones

    def respond(item: StoredText) -> str:
        parts = pieces.copy()
        for index, mark in marks:
            if mark == NAME:
                parts[index] = segment(item.name)
            elif mark == ETAG:
                parts[index] = text(item.etag)
            else:
                parts[index] = text(without_known_definitions(item.data) if no_zones else item.data)
        return "".join(parts)

    return respond

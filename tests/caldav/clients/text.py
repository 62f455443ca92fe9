"""Answers as text that is the same on each run: what differs from run to run gets a name by its first appearance."""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from lxml import etree

from tests.support.dav_server import NAMESPACES, Person

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
_LINK = re.compile(r"(?i)\b(intro)-[0-9a-f]{12}\b")  # the booked link is new for each test
_TAGGED = {"getetag": "etag", "getctag": "ctag", "sync-token": "sync", "schedule-tag": "schedule-tag"}
_HEADERS = {"ETag": "etag", "If-Match": "etag", "Schedule-Tag": "schedule-tag", "If-Schedule-Tag-Match": "schedule-tag"}


class Names:
    """Names for what is random: `etag-1` stays the same for as long as the tag does."""

    def __init__(self, person: Person) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._fixed = [
            (person.server.url, "http://server"),
            (person.user.email, "ana@example.com"),
            (person.user.handle, "ana"),
            (person.user.name, "Ana"),
        ]

    def named(self, kind: str, value: str) -> str:
        """The name of a value that is opaque."""
        count = sum(1 for known, _ in self._known if known == kind)
        return self._known.setdefault((kind, value), f"{kind}-{count + 1}")

    def of_header(self, header: str, value: str) -> str:
        """A header's value."""
        kind = _HEADERS.get(header)
        return self.named(kind, value) if kind else self.in_text(value)

    def in_text(self, text: str) -> str:
        """A text with people and ids renamed."""
        for real, name in self._fixed:
            text = text.replace(real, name)
        return _UUID.sub(lambda found: self.named("id", found[0]), _LINK.sub(r"\1", text))


def written(response: requests.Response, names: Names) -> list[str]:
    """The lines of an answer's body."""
    if not response.content:
        return []
    if "xml" in response.headers.get("Content-Type", ""):
        return _xml_lines(response.content, names)
    return [f"  {line}".rstrip() for line in names.in_text(response.text).splitlines()]


def _xml_lines(body: bytes, names: Names) -> list[str]:
    root = etree.fromstring(body, etree.XMLParser(remove_blank_text=True))
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        kind = _TAGGED.get(etree.QName(element).localname)
        if element.text:
            element.text = names.named(kind, element.text) if kind else names.in_text(element.text)
    _sort(root)
    lines: list[str] = []
    _write(root, 1, lines.append)
    return lines


def _sort(root: etree._Element) -> None:
    """Members in an order of their own: a multistatus promises none."""
    found = root.findall("D:response", namespaces=NAMESPACES)
    for each in found:
        root.remove(each)
    found.sort(key=lambda each: each.findtext("D:href", "", namespaces=NAMESPACES))
    root[:0] = found


def _write(element: etree._Element, depth: int, put: Callable[[str], None]) -> None:
    """An element a line, its text behind it, without the noise of angle brackets."""
    indent = "  " * depth
    name = _short(element)
    attributes = "".join(f" {key.rpartition('}')[2]}={value!r}" for key, value in sorted(element.attrib.items()))
    texts = (element.text or "").replace("\r", "").split("\n")
    first = f" {texts[0]}" if texts[0].strip() else ""
    put(f"{indent}{name}{attributes}{first}")
    for line in texts[1:]:
        if line.strip():
            put(f"{indent}  | {line}")
    for child in element:
        _write(child, depth + 1, put)


def _short(element: etree._Element) -> str:
    name = etree.QName(element)
    prefixes = {uri: prefix for prefix, uri in NAMESPACES.items()}
    return f"{prefixes.get(name.namespace or '', '{' + (name.namespace or '') + '}')}:{name.localname}"

"""iCalendar as a tree of content lines (RFC 5545 §3.1), for edits that leave everything else as it came.

Nothing is interpreted but names and parameters, so properties nobody here knows, their order and their parameters
survive. Bounds on size and depth are the caller's (`ical_parse.parse_calendar` has looked at the text before).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.errors import Invalid

_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[^;:\s]+")
_PARAM = re.compile(r';([^=;:"]+)=((?:"[^"]*"|[^";:])*)')
_NEEDS_QUOTES = re.compile(r"[;:,]")
_WIDTH = 75


@dataclass(frozen=True, slots=True)
class Line:
    """One property: `name` in upper case, parameters as (upper-case name, text between `=` and the next `;` or `:`),
    and the value as it stands there."""

    name: str
    params: tuple[tuple[str, str], ...]
    value: str

    def param(self, name: str) -> str | None:
        """A parameter's value, unquoted."""
        found = next((text for key, text in self.params if key == name), None)
        return None if found is None else found.strip('"')

    def with_param(self, name: str, value: str | None) -> Line:
        """The line with this parameter set, or without it (None)."""
        if value is None:
            return Line(self.name, tuple(pair for pair in self.params if pair[0] != name), self.value)
        text = f'"{value.replace(chr(34), "")}"' if _NEEDS_QUOTES.search(value) else value
        if self.param(name) is None:
            return Line(self.name, (*self.params, (name, text)), self.value)
        return Line(self.name, tuple((key, text if key == name else old) for key, old in self.params), self.value)

    def without(self, *names: str) -> Line:
        """The line without these parameters."""
        return Line(self.name, tuple(pair for pair in self.params if pair[0] not in names), self.value)

    def text(self) -> str:
        """The unfolded content line."""
        return f"{self.name}{''.join(f';{key}={value}' for key, value in self.params)}:{self.value}"


@dataclass(slots=True)
class Component:
    """A component: its properties in their order, then the components within."""

    name: str
    lines: list[Line] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        """The first property of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def value(self, name: str) -> str:
        """The value of the first property of that name; empty when there is none."""
        line = self.first(name)
        return "" if line is None else line.value.strip()

    def every(self, name: str) -> list[Line]:
        """All properties of that name."""
        return [line for line in self.lines if line.name == name]

    def drop(self, *names: str) -> None:
        """Take these properties out."""
        self.lines = [line for line in self.lines if line.name not in names]

    def put(self, line: Line) -> None:
        """Set a property that stands once: in the place of the one that is there, else at the end."""
        for at, old in enumerate(self.lines):
            if old.name == line.name:
                self.lines[at:] = [line, *(each for each in self.lines[at + 1 :] if each.name != line.name)]
                return
        self.lines.append(line)

    def set(self, name: str, value: str) -> None:
        """The same for a property without parameters."""
        self.put(Line(name, (), value))

    def copy(self) -> Component:
        """One that can be changed by itself."""
        return Component(self.name, list(self.lines), [child.copy() for child in self.children])

    def render(self) -> str:
        """Content lines, folded, each ending with CRLF."""
        return "".join(f"{_folded(line)}\r\n" for line in _unfolded(self))


def read_calendar(text: str) -> Component:
    """The VCALENDAR of a text; `Invalid` when its BEGIN and END do not match. Lines that are no properties are left
    out."""
    root: Component | None = None
    stack: list[Component] = []
    for raw in _LINE_END.split(_FOLD.sub("", text.lstrip("\ufeff"))):
        line = _line(raw)
        if line is None:
            continue
        if line.name == "BEGIN":
            child = Component(line.value.strip().upper())
            if stack:
                stack[-1].children.append(child)
            stack.append(child)
            root = root or child
        elif line.name == "END":
            if not stack or stack.pop().name != line.value.strip().upper():
                raise Invalid("The calendar data cannot be read: BEGIN and END do not match.")
        elif stack:
            stack[-1].lines.append(line)
    if root is None or root.name != "VCALENDAR" or stack:
        raise Invalid("This is not iCalendar data.")
    return root


def _unfolded(component: Component) -> Iterator[str]:
    yield f"BEGIN:{component.name}"
    yield from (line.text() for line in component.lines)
    for child in component.children:
        yield from _unfolded(child)
    yield f"END:{component.name}"


def _line(raw: str) -> Line | None:
    found = _NAME.match(raw)
    if found is None:
        return None
    params, at = [], found.end()
    while param := _PARAM.match(raw, at):
        params.append((param[1].strip().upper(), param[2]))
        at = param.end()
    return Line(found[0].upper(), tuple(params), raw[at + 1 :]) if raw[at : at + 1] == ":" else None


def _folded(line: str) -> str:
    """At most 75 octets a line, never inside a character (§3.1)."""
    if len(line) <= _WIDTH and line.isascii():
        return line
    parts, current, room = [], "", _WIDTH
    for char in line:
        size = len(char.encode(errors="replace"))
        if size > room:
            parts.append(current)
            current, room = "", _WIDTH - 1
        current += char
        room -= size
    return "\r\n ".join([*parts, current])

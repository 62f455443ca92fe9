"""iCalendar text as a tree of its content lines, kept as they were written.

What is answered to a device is cut out of this, so that whatever nobody here understands stays byte for byte. Nothing
is checked: the texts are those that were read when they were stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_CONTENT_LINE = re.compile(r"[^\r\n]+(?:(?:\r\n|\n|\r)[ \t][^\r\n]*)*")
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_END_OF_NAME = re.compile("[;:]")
_PARAMETER = re.compile(r';([^=;:"]+)=((?:"[^"]*"|[^";:])*)')
_QUOTED = re.compile(r'"[^"]*"|[^,]+')
_ESCAPED = re.compile(r"\\([\\;,nN])")
_CARETS = re.compile(r"\^([\^n'])")


class Line(NamedTuple):
    """A property. `raw` is its content line as written, folds included, without the line end."""

    name: str
    raw: str

    @property
    def head(self) -> str:
        """Name and parameters, unfolded."""
        return self._split()[0]

    @property
    def value(self) -> str:
        """What follows the colon, unfolded."""
        return self._split()[1]

    @property
    def text(self) -> str:
        """The value with the escapes of TEXT undone (RFC 5545 §3.3.11)."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The values of each parameter, by its name in upper case."""
        return {found[1].strip().upper(): _parameter_values(found[2]) for found in _PARAMETER.finditer(self.head)}

    def _split(self) -> tuple[str, str]:
        line = _FOLD.sub("", self.raw)
        at = len(_END_OF_NAME.split(line, maxsplit=1)[0])
        while found := _PARAMETER.match(line, at):
            at = found.end()
        at = line.find(":", at)
        return (line, "") if at < 0 else (line[:at], line[at + 1 :])


def _parameter_values(text: str) -> list[str]:
    """RFC 6868 gives quotes and newlines a form that parameters can hold."""
    values = [each.strip('"') for each in _QUOTED.findall(text)]
    return [_CARETS.sub(lambda found: {"^": "^", "n": "\n", "'": '"'}[found[1]], each) for each in values]


@dataclass(slots=True)
class Branch:
    """A component: properties, then the components in it."""

    name: str
    lines: list[Line] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)

    def named(self, name: str) -> list[Line]:
        """The properties of that name."""
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        """The first of them."""
        return next((line for line in self.lines if line.name == name), None)

    def size(self) -> int:
        """About how many characters it takes."""
        return sum(len(line.raw) + 2 for line in self.lines) + sum(branch.size() for branch in self.branches)

    def text(self) -> str:
        """As iCalendar, CRLF lines."""
        return "\r\n".join([*self.raw_lines(), ""])

    def raw_lines(self) -> Iterator[str]:
        """The content lines as written, from BEGIN to END."""
        yield f"BEGIN:{self.name}"
        for line in self.lines:
            yield line.raw
        for branch in self.branches:
            yield from branch.raw_lines()
        yield f"END:{self.name}"


def parse_tree(data: str) -> Branch:
    """The VCALENDAR of a stored text; an empty one for a text without any."""
    root = Branch("")
    stack = [root]
    for match in _CONTENT_LINE.finditer(data.removeprefix("\ufeff")):
        raw = match[0]
        head = raw[:6].upper()
        if head == "BEGIN:":
            branch = Branch(raw[6:].strip().upper())
            stack[-1].branches.append(branch)
            stack.append(branch)
        elif head.startswith("END:"):
            if len(stack) > 1:
                stack.pop()
        elif not raw.isspace():
            name = _END_OF_NAME.split(raw, maxsplit=1)[0]
            stack[-1].lines.append(Line(_FOLD.sub("", name).strip().upper(), raw))
    return root.branches[0] if root.branches else Branch("VCALENDAR")

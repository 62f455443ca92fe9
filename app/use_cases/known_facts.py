"""What the copies of one event say, read once for all that say the same.

An event that seven colleagues are invited to is stored eight times. Reading what it says takes long for a long series,
and everybody's calendars are locked meanwhile. But the copies differ in little that matters: what each has answered.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.domain.calendars import Calendar, ObjectFacts
from app.domain.content_lines import Component, read_calendar
from app.use_cases.calendar_objects import read_facts

Answers = tuple[str, ...]

_SAYS_NOTHING = frozenset(
    {"ATTENDEE", "ORGANIZER", "DESCRIPTION", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "REQUEST-STATUS", "PRODID"}
)
"""Properties without which the facts are the same; a person's own answer counts, and is looked at by itself."""
_DEFAULT = ("CALSCALE", "GREGORIAN")
"""What goes without saying; some texts say it."""
_COUNTING = frozenset({"DECLINED", "TENTATIVE"})
"""Answers that decide whether the time is taken."""


@dataclass(frozen=True, slots=True)
class _Outline:
    """A text without what says nothing, and its components for the answers."""

    text: str
    parts: list[Component]

    def answers(self, email: str) -> Answers:
        """What this person answered to each part, as far as it counts; the same rule as `recurrence.own_answer`."""
        return tuple(_answer(part, email) for part in self.parts)


@dataclass
class KnownFacts:
    """The facts of copies read so far. `first` may hold a text, its calendar, its person's address and its facts."""

    first: tuple[str, Calendar, str, ObjectFacts] | None = None
    _outlines: dict[str, _Outline] = field(default_factory=dict)
    _facts: dict[tuple[str, Answers, str, bool, tuple[str, ...]], ObjectFacts] = field(default_factory=dict)

    async def read(self, text: str, calendar: Calendar, email: str, now: int) -> ObjectFacts:
        """As `read_facts`, for the person with this address."""
        if self.first is not None:
            known, there, whose, facts = self.first
            self.first = None
            if not any(self._outline(known).answers(whose)):  # then it matters to nobody how their address is written
                self._facts[self._key(known, there, whose)] = facts
        key = self._key(text, calendar, email)
        found = self._facts.get(key)
        if found is None:
            found = await read_facts(text, calendar, frozenset({email.lower()}), now)
            self._facts[key] = found
        return found

    def _key(self, text: str, calendar: Calendar, email: str) -> tuple[str, Answers, str, bool, tuple[str, ...]]:
        outline = self._outline(text)
        answers = outline.answers(email.lower())
        return outline.text, answers, calendar.timezone, calendar.tentative_busy, tuple(calendar.components)

    def _outline(self, text: str) -> _Outline:
        found = self._outlines.get(text)
        if found is None:
            tree = read_calendar(text)
            tree.lines = [line for line in tree.lines if (line.name, line.value) != _DEFAULT]
            parts = [Component(each.name, each.every("ATTENDEE")) for each in tree.children]
            for each in (tree, *tree.children):
                each.drop(*_SAYS_NOTHING)
                each.children = [child for child in each.children if child.name != "VALARM"]
            found = self._outlines[text] = _Outline(tree.render(), parts)
        return found


def _answer(part: Component, email: str) -> str:
    for line in part.lines:
        address = line.value.strip().lower().removeprefix("mailto:")
        if email in {address, (line.param("EMAIL") or "").strip().lower()}:
            answer = (line.param("PARTSTAT") or "").upper()
            return answer if answer in _COUNTING else ""
    return ""

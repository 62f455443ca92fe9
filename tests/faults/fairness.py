"""Who of a pool should have taken each booking: the rule of the house, worked out anew from the journal.

Whoever books through a pool holds the locks of all its hosts until the commit, so that the journal has the bookings,
moves and cancellations of these hosts in the order in which the database took them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.journal import DAY, Note

Times = dict[str, tuple[int, int]]
"""By booking, what it occupies: begin and end."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A link's hosts by id, each with a priority; without buffers."""

    link: str
    priorities: Mapping[str, int]


@dataclass
class Ledger:
    """The journal played back. `made` says of each booking through which link and when it was made."""

    pools: Mapping[str, Pool]
    made: Mapping[str, tuple[str | None, int]]
    chosen: int = 0
    _times: dict[str, Times] = field(default_factory=lambda: defaultdict(dict))
    _booked: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    _hosts: dict[str, str] = field(default_factory=dict)

    def play(self, notes: Sequence[Note]) -> None:
        """AssertionError at the first booking that another host should have taken."""
        for note in notes:
            if note.what == "claim":
                self._check(note)
                self._times[note.host][note.id] = note.begins, note.ends
                self._booked[self._hosts.get(note.id, note.host)].pop(note.id, None)  # it is another one's by now
                self._booked[note.host][note.id] = self.made[note.id][1]
                self._hosts[note.id] = note.host
            elif note.what == "release":
                del self._times[note.host][note.id]

    def _check(self, note: Note) -> None:
        pool = self.pools.get(self.made[note.id][0] or "")
        if pool is None:
            return
        self.chosen += 1
        free = [host for host in pool.priorities if self._is_free(host, note)]
        present = self._hosts.get(note.id)
        expected = present if present in free else min(free, key=lambda host: self._rank(pool, host, note.begins))
        ranks = {host: self._rank(pool, host, note.begins) for host in free}
        assert note.host == expected, f"{note} should have gone to {expected}: {ranks}"

    def _is_free(self, host: str, note: Note) -> bool:
        return all(note.begins >= ends or begins >= note.ends for begins, ends in self._times[host].values())

    def _rank(self, pool: Pool, host: str, start: int) -> tuple[int, int, int, str]:
        """The highest priority, the fewest bookings in the week, the longest without a new one, the lowest id."""
        in_week = sum(_week(begins) == _week(start) for begins, _ in self._times[host].values())
        return -pool.priorities[host], in_week, max(self._booked[host].values(), default=-1), host


def _week(start: int) -> int:
    return (start // DAY + 3) // 7  # 1970-01-01 was a Thursday

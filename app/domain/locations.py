"""Where a booking takes place."""

from __future__ import annotations

import re
from dataclasses import dataclass

VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Location:
    """Where it happens: `kind` is link, phone, address, video or none; `value` the text for it.

    `video` is an online meeting made for each booking: the link's location has no value, the booking's gets one.
    """

    kind: str = "none"
    value: str = ""

    def problem(self) -> str | None:
        """Why it cannot be the place of a link or a service, in a sentence."""
        if self.kind == "link" and not re.match(r"https?://[^\s/]", self.value):
            return "A meeting link begins with https://."
        if self.kind == VIDEO and self.value:
            return "An online meeting of this kind gets its address with each booking."
        return None

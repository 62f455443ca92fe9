"""Colours by name, which is how RFC 7986 §5.9 wants them."""

from __future__ import annotations

import re

NAMES = {
    "black": (0, 0, 0), "gray": (128, 128, 128), "silver": (192, 192, 192), "white": (255, 255, 255),
    "maroon": (128, 0, 0), "brown": (165, 42, 42), "crimson": (220, 20, 60), "red": (255, 0, 0),
    "tomato": (255, 99, 71), "coral": (255, 127, 80), "orange": (255, 165, 0), "gold": (255, 215, 0),
    "yellow": (255, 255, 0), "olive": (128, 128, 0), "green": (0, 128, 0), "seagreen": (46, 139, 87),
    "mediumseagreen": (60, 179, 113), "limegreen": (50, 205, 50), "lime": (0, 255, 0), "teal": (0, 128, 128),
    "turquoise": (64, 224, 208), "aqua": (0, 255, 255), "deepskyblue": (0, 191, 255), "dodgerblue": (30, 144, 255),
    "steelblue": (70, 130, 180), "royalblue": (65, 105, 225), "blue": (0, 0, 255), "navy": (0, 0, 128),
    "slateblue": (106, 90, 205), "blueviolet": (138, 43, 226), "purple": (128, 0, 128), "violet": (238, 130, 238),
    "fuchsia": (255, 0, 255), "hotpink": (255, 105, 180), "pink": (255, 192, 203), "tan": (210, 180, 140),
}  # fmt: skip
"""CSS names a calendar program is sure to know, as red, green and blue."""


def nearest_name(color: str) -> str | None:
    """The CSS name nearest to `#rrggbb` (`#rrggbbaa` too), or that name itself; None for what is no colour."""
    if color.lower() in NAMES:
        return color.lower()
    match = re.match(r"#([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})([0-9A-Fa-f]{2})", color)
    if match is None:
        return None
    wanted = [int(part, 16) for part in match.groups()]
    return min(NAMES, key=lambda each: sum((a - b) ** 2 for a, b in zip(NAMES[each], wanted, strict=True)))


def as_hex(color: str) -> str:
    """The colour as `#rrggbb` or `#rrggbbaa`, which is what Apple's property holds; a name by its value."""
    return "#{:02x}{:02x}{:02x}".format(*NAMES[color.lower()]) if color.lower() in NAMES else color

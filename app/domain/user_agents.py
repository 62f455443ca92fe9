"""What a User-Agent header (RFC 9110 §10.1.5) says, coarsely: enough to know one's own device again, too little to tell
people apart; and whether it is a program that nobody looks through."""

from __future__ import annotations

import re

_SYSTEMS = (
    ("iPhone", r"iPhone|iOS"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh|Mac OS X|macOS|Mac_OS_X"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|Chromium/"),
    ("Safari", r"Safari/"),
)
_NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_.+-]{0,31}")
_ROBOT = re.compile(
    r"bot\b|bot[/;_ -]|crawl|spider|slurp|scrap|preview|prerender|headless|lighthouse|monitor|uptime|pingdom|validator|"
    r"facebookexternalhit|whatsapp|telegram|discord|slack|embedly|mediapartners|bingbot|googlebot|feedfetcher|"
    r"^(curl|wget|python|go-http|java|okhttp|axios|node|undici|ruby|perl|php|libwww|httpx|aiohttp|http)\b",
    re.IGNORECASE,
)


def agent_family(text: str) -> str | None:
    """`Firefox on Linux`, `DAVx5 on Android`, `curl`; None when nothing was sent. Versions and builds are left out."""
    if not text.strip():
        return None
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, text)), None)
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, text)), None)
    named = _NAMED.match(text)
    family = browser if text.startswith("Mozilla/") else named.group() if named else None
    if family is None or family == system:
        return system or "Unknown"
    return f"{family} on {system}" if system else family


def is_robot(text: str) -> bool:
    """Whether a User-Agent is none of a person's browser: none at all, one that does not begin as browsers' do, or one
    that names itself a robot, a preview or a tool."""
    return not text.startswith(("Mozilla/", "Opera/")) or _ROBOT.search(text) is not None

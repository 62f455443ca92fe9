"""Addresses that open a calendar program with an account or a feed filled in.

`caldavs:` is what CalDAV programs on phones take. DAVx⁵ also takes `davx5:` with user name and password (its manual,
section 7.1); an app password may stand there, since it is one device's and revocable.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class FeedLinks:
    """How a feed gets into people's calendar programs."""

    webcal: str
    google: str
    outlook: str
    office: str


def feed_links(address: str, name: str) -> FeedLinks:
    """The ways to subscribe to the feed at `address`."""
    webcal = urlsplit(address)._replace(scheme="webcal").geturl()
    outlook = urlencode({"url": address, "name": name}, quote_via=quote)
    return FeedLinks(
        webcal=webcal,
        google=f"https://calendar.google.com/calendar/r?{urlencode({'cid': webcal}, quote_via=quote)}",
        outlook=f"https://outlook.live.com/calendar/0/addfromweb?{outlook}",
        office=f"https://outlook.office.com/calendar/0/addfromweb?{outlook}",
    )


def caldav_link(base_url: str, handle: str) -> str:
    """The account for any CalDAV program, without its password."""
    site = urlsplit(base_url)
    scheme = "caldavs" if site.scheme == "https" else "caldav"
    return f"{scheme}://{quote(handle)}@{site.netloc}/dav/"


def davx5_link(base_url: str, handle: str, password: str) -> str | None:
    """The account for DAVx⁵, ready to be synced; None without TLS, which `davx5:` always means."""
    site = urlsplit(base_url)
    if site.scheme != "https":
        return None
    return f"davx5://{quote(handle, safe='')}:{quote(password, safe='')}@{site.netloc}/dav/"

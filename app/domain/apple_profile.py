"""Apple's configuration profile with a CalDAV account (device management: `com.apple.caldav.account`)."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

PROFILE_TYPE = "application/x-apple-aspen-config"


@dataclass(frozen=True, slots=True)
class Account:
    """A CalDAV account as a device needs it. `base_url` is the server's address without a path at its end."""

    base_url: str
    handle: str
    password: str
    name: str
    profile_id: str


def apple_profile(account: Account) -> bytes:
    """The profile as an XML property list. Its identifiers follow from the account, so that a profile that is installed
    again takes the place of the first."""
    site = urlsplit(account.base_url)
    host, is_secure = site.hostname or "localhost", site.scheme == "https"
    identifier = ".".join([*reversed(host.split(".")), "halfpast", account.handle])
    seed = f"{account.base_url}/{account.profile_id}"
    caldav = {
        "PayloadType": "com.apple.caldav.account",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{identifier}.caldav",
        "PayloadUUID": str(uuid5(NAMESPACE_URL, f"{seed}#caldav")).upper(),
        "PayloadDisplayName": "Calendar account",
        "CalDAVAccountDescription": f"Halfpast ({account.name})",
        "CalDAVHostName": host,
        "CalDAVPort": site.port or (443 if is_secure else 80),
        "CalDAVUseSSL": is_secure,
        "CalDAVUsername": account.handle,
        "CalDAVPassword": account.password,
        "CalDAVPrincipalURL": f"{account.base_url}/dav/principals/{account.handle}/",
    }
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": str(uuid5(NAMESPACE_URL, seed)).upper(),
        "PayloadDisplayName": f"Halfpast calendar of {account.name}",
        "PayloadDescription": "Adds your bookings, and a calendar that blocks your time.",
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [caldav],
    }
    return plistlib.dumps(profile)

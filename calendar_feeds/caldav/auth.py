"""Who asks: Basic credentials (RFC 7617), the e-mail address or handle and an app password. No other secret is taken.

App passwords are long and random, so a stranger's guesses are only counted to keep them few; a device with the right
password is never locked out by anybody else's failures.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable

from app.domain.calendars import Calendar
from app.ports.published import DavUser, PublishedCalendars
from calendar_feeds.messages import Refusal, Request, Scope

CountFailure = Callable[[Scope], Awaitable[None]]
"""Called for every failed attempt; raises `app.domain.errors.RateLimited` when there were too many."""

CHALLENGE = {"www-authenticate": 'Basic realm="Halfpast"'}
MAX_CREDENTIALS = 1_000


def credentials(header: str | None) -> tuple[str, str] | None:
    """User name and password of an Authorization header; None when there are none."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic" or len(encoded) > MAX_CREDENTIALS:
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    login, colon, secret = decoded.partition(":")
    return (login, secret) if colon and login and secret and "\x00" not in decoded else None


async def authenticate(
    request: Request, store: PublishedCalendars, collection: str, count_failure: CountFailure | None
) -> tuple[DavUser, Calendar | None]:
    """The person and, by the same SELECT, their own collection of that name. 401 otherwise."""
    given = credentials(request.header("authorization"))
    if given is not None:
        access = await store.dav_access(*given, collection or None)
        if access is not None:
            return access
    if request.header("authorization") is not None and count_failure is not None:
        await count_failure(request.scope)
    raise Refusal(401, detail="Sign in with your e-mail address and an app password.", headers=CHALLENGE)

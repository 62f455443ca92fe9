"""Google's errors as `ProviderFailure`. Reasons are from the Calendar API's guide on errors and quotas."""

from __future__ import annotations

import http.client
import secrets
import ssl

import httplib2
from google.auth.exceptions import RefreshError, TransportError
from googleapiclient.errors import Error, HttpError

from app.domain.errors import ProviderFailure
from integrations.http import retry_after

RECONNECT = "Google does not accept the connection any more. Connect the account again."
LONG_PAUSE = 3600
"""Seconds to leave Google alone when a day's allowance is used up: asking again makes it worse."""

_TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_USED_UP = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg", "calendarUsageLimitsExceeded"})
_SCOPES = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "authError"})
_SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_NO_PUSH = "pushNotSupportedForRequestedResource"
_START_ANEW = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})

NETWORK = (OSError, httplib2.HttpLib2Error, http.client.HTTPException, TransportError, ssl.SSLError)
EXPECTED = (Error, RefreshError, ValueError, *NETWORK)
"""Whatever a call can raise that is Google's or the network's fault."""


def failure_of(error: Exception) -> ProviderFailure:
    """What went wrong, and who can mend it."""
    if isinstance(error, HttpError):
        return _answered(error)
    if isinstance(error, RefreshError):
        return _not_renewed(error)
    if isinstance(error, NETWORK):
        return ProviderFailure("unreachable", f"Google cannot be reached: {_words(error)}.")
    return ProviderFailure("protocol", "Google answers with something that cannot be read.")


def _answered(error: HttpError) -> ProviderFailure:
    status, reason = int(error.resp.status), reason_of(error)
    if status == 429 or reason in _TOO_FAST:
        return ProviderFailure("busy", "Google asks to come back later.", _pause(error, 30))
    if status == 403:
        return _forbidden(error, reason)
    if status >= 500:
        return ProviderFailure("busy", f"Google failed with an error of its own ({status}).", _pause(error, 15))
    match status:
        case 401:
            return ProviderFailure("auth", RECONNECT)
        case 404:
            return ProviderFailure("gone", "The calendar or event is not at Google any more.")
        case 410 if reason in _START_ANEW:
            return ProviderFailure("invalid_cursor", "Google asks to read the calendar anew.")
        case 410:
            return ProviderFailure("gone", "The event was deleted at Google.")
        case 409 | 412:
            return ProviderFailure("conflict", "The event changed at Google meanwhile.")
        case 400 if reason == _NO_PUSH:
            return ProviderFailure("refused", "Google tells no changes of this calendar by itself.")
    return ProviderFailure("protocol", f"Google refused the request ({status} {reason or 'without a reason'}).")


def _forbidden(error: HttpError, reason: str) -> ProviderFailure:
    if reason in _USED_UP:
        return ProviderFailure("busy", "Google's limit for this account is used up.", _pause(error, LONG_PAUSE))
    if reason in _SCOPES:
        return ProviderFailure(
            "auth", "Google was not allowed enough. Connect the account again, with every box ticked."
        )
    if reason in _SWITCHED_OFF:
        return ProviderFailure(
            "protocol", "The Calendar API, or the People API for contacts, is switched off in the Google Cloud project."
        )
    return ProviderFailure("refused", f"Google does not allow this ({reason or 'forbidden'}).")


def _not_renewed(error: RefreshError) -> ProviderFailure:
    """`invalid_grant` is final: revoked, expired, or the oldest of too many. A wrong client is the admin's to mend."""
    words = str(error.args[0]) if error.args else ""
    if error.retryable:
        return ProviderFailure("busy", "Google does not renew the connection just now.", 60)
    if "invalid_client" in words or "unauthorized_client" in words:
        return ProviderFailure("protocol", "Google does not know this program: its client id or secret is wrong.")
    return ProviderFailure("auth", RECONNECT)


def reason_of(error: HttpError) -> str:
    """The first reason that the answer names; empty when it names none."""
    details = error.error_details
    if isinstance(details, list):
        return next((str(each["reason"]) for each in details if isinstance(each, dict) and each.get("reason")), "")
    return ""


def _pause(error: HttpError, least: int) -> int:
    """Seconds as Google says, or `least`; up to a quarter more, so that not everybody comes back at once."""
    said = retry_after(error.resp)
    pause = max(said, 1) if said is not None else least
    return pause + secrets.randbelow(pause // 4 + 2)


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    return str(error)[:120] or type(error).__name__

"""Which button mends an account, from the very words that the providers fail with."""

from __future__ import annotations

import httplib2
import httpx2
import pytest
from googleapiclient.errors import HttpError

from app.domain.errors import ProviderFailure
from app.use_cases.calendar_health import mend_of
from integrations import dav
from integrations.google.failures import failure_of as google_failure
from integrations.http import OutwardResponse
from integrations.microsoft import tokens
from integrations.microsoft.graph import failure_of as graph_failure

SIGN_INS = ("google", "microsoft")


def of_google(status: int, reason: str) -> ProviderFailure:
    body = f'{{"error": {{"errors": [{{"reason": "{reason}"}}], "code": {status}, "message": "No."}}}}'
    response = httplib2.Response({"status": str(status), "content-type": "application/json"})
    return google_failure(HttpError(response, body.encode()))


def answered(status: int) -> OutwardResponse:
    body = b'{"error": {"code": "x", "message": "No."}}'
    return OutwardResponse(status, "No", httpx2.Headers(), body, "https://calendar.example.com/")


@pytest.mark.parametrize(("status", "reason", "mend"), [
    (401, "authError", "sign_in"),
    (403, "insufficientPermissions", "sign_in"),
    (403, "quotaExceeded", "read"),
    (404, "notFound", "read"),
    (503, "backendError", "read"),
])  # fmt: skip
def test_google(status: int, reason: str, mend: str) -> None:
    assert mend_of("google", of_google(status, reason).detail, SIGN_INS) == mend


@pytest.mark.parametrize(("status", "mend"), [(401, "sign_in"), (403, "sign_in"), (404, "read"), (503, "read")])
def test_microsoft(status: int, mend: str) -> None:
    assert mend_of("microsoft", graph_failure(answered(status), writing=False).detail, SIGN_INS) == mend


@pytest.mark.parametrize(("status", "mend"), [(401, "password"), (403, "read"), (404, "read"), (503, "read")])
def test_caldav(status: int, mend: str) -> None:
    assert mend_of("caldav", dav.failure_of(answered(status)).detail, SIGN_INS) == mend


def test_what_an_organization_granted_is_not_for_its_people_to_renew() -> None:
    assert mend_of("microsoft", tokens.RECONNECT, SIGN_INS) == "sign_in"
    assert mend_of("microsoft", tokens.CLOSED, SIGN_INS) == "read"


def test_nobody_is_sent_to_a_provider_that_the_program_is_not_registered_at_any_more() -> None:
    assert mend_of("microsoft", tokens.RECONNECT, ("google",)) == "read"

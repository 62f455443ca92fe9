"""After an account was disconnected: close its channels and give the grant back at the provider.

By then nothing of the account is kept here but the row of this work, which carries what it takes, sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.domain.calendars import CalendarAccount
from app.domain.errors import ProviderFailure
from app.ports import Ports
from app.ports.calendars import Channel, Credentials, Push, SignIn
from app.ports.channels import CalendarChannel
from app.ports.outbox import Job, NewJob


def release_job(ports: Ports, account: CalendarAccount, channels: Sequence[CalendarChannel], now: int) -> list[NewJob]:
    """The work to enqueue with the disconnection; none where there is nothing to give back."""
    provider = ports.providers.get(account.provider)
    if provider is None or not provider.capabilities.signs_in:
        return []
    payload = {
        "provider": account.provider,
        "username": account.username,
        "sealed": ports.vault.seal(account.secret),
        "channels": [[each.id, each.resource_id, each.expires_at] for each in channels],
    }
    return [NewJob(account.org_id, f"account:{account.id}:release", "release_account", account.id, now, payload)]


async def release_account_job(ports: Ports, job: Job) -> int | None:
    """Outbox handler. A grant that the provider does not take any more is given back already."""
    payload = job.payload
    provider = ports.providers.get(payload["provider"])
    if provider is None:
        return None
    credentials = Credentials("", payload["username"], ports.vault.open(payload["sealed"]))
    try:
        for channel in payload["channels"]:
            await cast("Push", provider).unwatch(credentials, Channel(*channel))
        await cast("SignIn", provider).revoke(credentials)
    except ProviderFailure as failure:
        if failure.kind != "auth":
            raise
    return None

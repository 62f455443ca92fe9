"""A provider tells that something changed. What it is, the next sync finds out; a message alone changes nothing, so one
that is forged, late, repeated or lost does no harm."""

from __future__ import annotations

import hmac

from app.ports import Ports
from app.ports.channels import CalendarChannel
from app.use_cases.sync_calendar import sync_job
from app.use_cases.watch_calendar import MARGIN_SECONDS, watch_jobs


async def take_push(ports: Ports, channel: CalendarChannel | None, provider: str, token: str) -> bool:
    """Have the channel's calendar read now. False, and nothing done, unless the message carries the channel's token."""
    if not _is_genuine(channel, provider, token) or channel is None:
        return False
    await _ask(ports, channel)
    return True


async def take_lifecycle(ports: Ports, channel: CalendarChannel | None, provider: str, token: str, event: str) -> bool:
    """The provider tells of the channel itself: `subscriptionRemoved` (another is opened), `reauthorizationRequired`
    (it is renewed), `missed` (read now)."""
    if not _is_genuine(channel, provider, token) or channel is None:
        return False
    await _ask(ports, channel, event)
    return True


def _is_genuine(channel: CalendarChannel | None, provider: str, token: str) -> bool:
    return channel is not None and channel.provider == provider and _same(channel.token, token)


def _same(token: str, sent: str) -> bool:
    """Compared as bytes: what was sent may hold anything."""
    return hmac.compare_digest(token.encode(), sent.encode(errors="replace"))


async def _ask(ports: Ports, channel: CalendarChannel, event: str = "") -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        calendar = await work.calendars.calendar(channel.calendar_id)
        if calendar is None:
            return
        jobs = [sync_job(calendar, now)]
        if event == "subscriptionRemoved":
            await work.channels.remove(channel.id)
        elif event == "reauthorizationRequired":  # it ends soon unless it is renewed; renewing it is all that is asked
            await work.channels.prolong(channel.id, min(channel.expires_at, now + MARGIN_SECONDS))
        if event in {"subscriptionRemoved", "reauthorizationRequired"}:
            jobs += watch_jobs(ports, calendar, now)
        await work.outbox.enqueue(jobs, now)
        await work.commit()

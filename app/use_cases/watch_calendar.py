"""Have providers tell of changes by themselves: open channels, renew them before they end, close them.

A channel only saves waiting: what it fails to tell is caught by the poll.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from app.domain.calendars import Calendar, CalendarAccount
from app.domain.errors import ProviderFailure
from app.ports import Ports
from app.ports.calendars import Channel, ChannelRequest, Push
from app.ports.channels import CalendarChannel
from app.ports.outbox import Job, NewJob
from app.use_cases.ids import new_id
from app.use_cases.sync_calendar import credentials_of, sync_job

MARGIN_SECONDS = 12 * 3600
"""How long before its end a channel is renewed: long enough for a provider that is away for a night."""


def watch_lane(calendar_id: str) -> str:
    """The outbox lane of a calendar's channels."""
    return f"calendar:{calendar_id}:watch"


def mirror_jobs(ports: Ports, calendars: Sequence[Calendar], run_at: int) -> list[NewJob]:
    """What keeps mirrors in step from `run_at` on: polling, and a channel where the provider has them."""
    return [job for calendar in calendars for job in (sync_job(calendar, run_at), *watch_jobs(ports, calendar, run_at))]


def watch_jobs(ports: Ports, calendar: Calendar, run_at: int) -> list[NewJob]:
    """The work of opening, renewing or closing the channel of one calendar, where its provider has them."""
    if not _pushes(ports, calendar):
        return []
    return [NewJob(calendar.org_id, watch_lane(calendar.id), "watch_calendar", calendar.id, run_at)]


def _pushes(ports: Ports, calendar: Calendar) -> bool:
    """Providers reach servers on the internet alone."""
    provider = ports.providers.get(calendar.provider)
    return provider is not None and provider.capabilities.push and ports.base_url.startswith("https://")


async def watch_calendar_job(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one channel for a calendar that counts, none for others. When to look again."""
    async with ports.read() as work:
        calendar = await work.calendars.calendar(job.subject_id)
        account = await work.calendars.account(calendar.account_id) if calendar else None
        channels = await work.channels.of_calendar(calendar.id) if calendar else []
    if calendar is None or account is None or not _pushes(ports, calendar):
        return None
    if not (calendar.is_conflict or calendar.is_write):
        await _close(ports, account, calendar, channels)
        return None
    newest = channels[0] if channels else None
    try:
        kept = await _kept(ports, account, calendar, newest) or await _opened(ports, account, calendar)
    except ProviderFailure as failure:
        if failure.kind == "refused":  # some calendars (public holidays) have no channels: they are polled
            return None
        raise
    await _close(ports, account, calendar, [each for each in channels if each.id != kept.id])
    return max(kept.expires_at - MARGIN_SECONDS, ports.clock() + 3600)


async def _kept(
    ports: Ports, account: CalendarAccount, calendar: Calendar, channel: CalendarChannel | None
) -> CalendarChannel | None:
    """The channel while it lasts, renewed when it is about to end; None when another one is needed."""
    now = ports.clock()
    if channel is None or channel.expires_at <= now:
        return None
    if channel.expires_at - now > MARGIN_SECONDS:
        return channel
    renewed = await _push(ports, calendar).renew(credentials_of(account), calendar.name, _channel(channel))
    if renewed is None:
        return None
    async with ports.unit_of_work() as work:
        await work.channels.prolong(channel.id, renewed.expires_at)
        await work.commit()
    return CalendarChannel(
        channel.id, channel.org_id, calendar.id, channel.provider, channel.resource_id, channel.token,
        renewed.expires_at,
    )  # fmt: skip


async def _opened(ports: Ports, account: CalendarAccount, calendar: Calendar) -> CalendarChannel:
    request = ChannelRequest(new_id(), ports.vault.new_token(), f"{ports.base_url}/hooks/{calendar.provider}")
    opened = await _push(ports, calendar).watch(credentials_of(account), calendar.name, request)
    channel = CalendarChannel(
        request.id, calendar.org_id, calendar.id, calendar.provider, opened.resource_id, request.token,
        opened.expires_at,
    )  # fmt: skip
    now = ports.clock()
    async with ports.unit_of_work() as work:
        if await work.calendars.calendar(calendar.id) is not None:
            await work.channels.add(channel, now)
            # What changed between the last poll and the channel's beginning was told to nobody.
            await work.outbox.enqueue([sync_job(calendar, now)], now)
            await work.commit()
    return channel


async def _close(
    ports: Ports, account: CalendarAccount, calendar: Calendar, channels: Sequence[CalendarChannel]
) -> None:
    for channel in channels:
        await _push(ports, calendar).unwatch(credentials_of(account), _channel(channel))
        async with ports.unit_of_work() as work:
            await work.channels.remove(channel.id)
            await work.commit()


def _channel(channel: CalendarChannel) -> Channel:
    return Channel(channel.id, channel.resource_id, channel.expires_at)


def _push(ports: Ports, calendar: Calendar) -> Push:
    return cast("Push", ports.providers[calendar.provider])

"""What a user wants to be told, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.errors import FieldError, Invalid, StaleVersion
from app.domain.notification_settings import NotificationSettings, settings_problems
from app.domain.phone_numbers import e164
from app.ports import Ports
from app.ports.people import User
from app.use_cases.send_digest import digest_job, digest_lane


async def choose_notifications(
    ports: Ports, user: User, values: Mapping[str, Any], version: int | None = None
) -> NotificationSettings:
    """Keep all of them: `values` are fields of `NotificationSettings`. `Invalid` for what cannot be, `StaleVersion`
    when they were changed meanwhile."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        before = await work.telling.settings(user.id, user.org_id)
        if version is not None and version != before.version:
            raise StaleVersion(f"Your choices are at version {before.version} by now.")
        after = replace(before, **values, version=before.version + 1)
        if after.phone is not None:
            after = replace(after, phone=e164(after.phone))
            if after.phone is None:
                raise Invalid.field("phone", "Write the number with its country code, such as +49 30 123456.")
        if problems := settings_problems(after):
            raise Invalid("Your choices cannot be kept as sent.", [FieldError(*problem) for problem in problems])
        if not await work.telling.put_settings(after, before.version, now):
            raise StaleVersion("Your choices were changed meanwhile.")
        due = after.next_digest(user.timezone, now)
        if due is None:
            await work.outbox.drop([digest_lane(user.id)])
        else:
            await work.outbox.enqueue([digest_job(user.org_id, user.id, due)], now)
        await work.commit()
    return after

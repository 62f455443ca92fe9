"""The pages of bookings for those who have them.

It is Monday 2027-03-01, 07:00 in Berlin.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import update

from app.db import models as m
from app.domain.bookings import Recipient
from app.ports.calendar_edits import CalendarEdit
from app.use_cases.book_slot import book_slot
from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, ports_of, words
from tests.http.workspace import NOW, at, request_at

pytestmark = pytest.mark.anyio


async def test_what_was_done_in_ones_own_calendar_is_asked_about(api: Api, owner: Visitor) -> None:
    booking, calendar, ports = api.acme.booking, api.acme.calendar, ports_of(api)
    edit = CalendarEdit(
        booking.id, calendar.id, booking.org_id, calendar.user_id, "moved", at(4, 15), at(4, 15, 30), True, NOW
    )
    async with ports.unit_of_work() as work:
        await work.calendar_edits.put(edit)
        await work.commit()
    shown = words(await owner.get("/app/bookings"))
    assert "Changed in your calendar" in shown
    assert "Moved in your calendar to Thursday, March 4" in shown
    path = f"/app/edits/{booking.id}/{calendar.id}"
    admin = await enter(api, api.acme.admin)
    assert "Changed in your calendar" not in words(await admin.get("/app/bookings"))
    assert (await admin.post(path, answer="accept")).status_code == 404
    assert (await owner.post(path, answer="nonsense")).status_code == 404
    # The event was never written there, so there is nothing to follow any more.
    assert (await owner.post(path, answer="put-back")).status_code == 404
    assert "Changed in your calendar" not in words(await owner.get("/app/bookings"))


async def test_a_booking_takes_only_steps_its_state_allows(api: Api, owner: Visitor) -> None:
    path = f"/app/bookings/{api.acme.booking.id}"
    version = str(api.acme.booking.version)
    refused = await owner.post(f"{path}/confirm", version=version)
    assert (refused.status_code, "cannot be changed that way" in words(refused)) == (422, True)
    assert (await owner.post(f"{path}/explode", version=version)).status_code == 404
    late = await owner.post(f"{path}/complete", version="99")
    assert (late.status_code, "changed meanwhile" in words(late)) == (412, True)
    early = await owner.post(f"{path}/complete", version=version)
    assert (early.status_code, "has not begun yet" in words(early)) == (422, True)
    assert f'action="{path}/complete"' not in early.text
    async with api.database.write.begin() as connection:
        await connection.execute(update(m.bookings).values(start_at=api.clock.now))
    done = await owner.post(f"{path}/complete", version=version)
    assert done.headers["location"] == f"{path}?did=completed"
    assert "Set back to confirmed" in words(await owner.get(path))


async def test_a_request_is_approved_by_one_click(api: Api, owner: Visitor) -> None:
    assert "Rae Recipient" in words(await owner.get("/app/bookings?view=pending"))
    path = f"/app/bookings/{api.acme.pending.id}"
    answer = await owner.post(f"{path}/confirm", version=str(api.acme.pending.version))
    assert answer.headers["location"] == f"{path}?did=confirmed"
    assert "Nothing to approve" in words(await owner.get("/app/bookings?view=pending"))


async def test_a_booking_tells_what_is_still_to_be_sent_and_what_was_given_up(api: Api, owner: Visitor) -> None:
    path = f"/app/bookings/{api.acme.booking.id}"
    told = words(await owner.get(path))
    assert "Mail to Rae Recipient On its way" in told
    assert "Mail to Owner On its way" in told
    async with api.database.write.begin() as connection:
        lane = f"booking:{api.acme.booking.id}:mail:recipient"
        values = {"state": "dead", "attempts": 12, "last_error": "ProviderFailure: The mail server is away."}
        await connection.execute(update(m.outbox).where(m.outbox.c.lane == lane).values(**values))
    shown = await owner.get(path)
    assert "Given up after 12 tries: The mail server is away." in words(shown)
    retry = re.search(r'action="(/app/undelivered/[^"]+/retry)"', shown.text)
    assert retry
    answer = await owner.post(retry[1], back=path)
    assert answer.headers["location"] == f"{path}?did=retried"
    assert "Given up" not in words(await owner.get(path))


async def test_past_bookings_and_one_time_links_stand_newest_first(api: Api, owner: Visitor) -> None:
    later = replace(request_at(at(3, 10)), recipient=Recipient("Later Guest", "later@example.org"))
    await book_slot(ports_of(api), "acme.intro", later)
    upcoming = words(await owner.get("/app/bookings"))
    assert upcoming.index("Rae Recipient") < upcoming.index("Later Guest")
    api.clock.now = at(10, 9)
    owner = await enter(api, api.acme.owner)
    past = words(await owner.get("/app/bookings?view=past"))
    assert past.index("Later Guest") < past.index("Rae Recipient")
    new = {"choice": "free", "expires": "never", "action": "make", "recipient": "newest@example.org"}
    await owner.post(f"/app/links/{api.acme.link.id}/one-time/new", **new)
    listed = words(await owner.get(f"/app/links/{api.acme.link.id}/one-time"))
    assert listed.index("newest@example.org") < listed.index("r@example.org", listed.index("newest@example.org") + 20)

"""Reminders by the API and in the forms of links and services; what one is told, and the list of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from app.ports.telling import Notification
from app.use_cases.ids import new_id
from app.use_cases.unsubscribe import is_unsubscribed, recipients_way_out
from tests.http.api import Api, client_of
from tests.http.signed_in import Visitor, enter, value_of, words
from tests.http.test_lists import add_notifications
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio

DAY_BEFORE = {"minutes": 1440, "when": "before", "channel": "mail", "to": "recipient", "subject": "", "body": ""}


@pytest.fixture
async def owner(api: Api) -> Visitor:
    return await enter(api, api.acme.owner)


async def test_a_link_shows_the_reminders_it_was_sent(api: Api) -> None:
    path = f"/links/{api.acme.link.id}"
    sent = [{"minutes": 1440}, {"minutes": 60, "channel": "sms"}]
    changed = await api.call("PATCH", path, api.acme.owner, json={"reminders": sent})
    assert changed.status_code == 200
    assert changed.json()["reminders"] == [DAY_BEFORE, {**DAY_BEFORE, "minutes": 60, "channel": "sms"}]
    assert (await api.get(path, api.acme.owner)).json()["reminders"] == changed.json()["reminders"]
    none = await api.call("PATCH", path, api.acme.owner, json={"reminders": None})
    assert none.json()["reminders"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0},
        {"minutes": 40_321},
        {"minutes": 60, "when": "during"},
        {"minutes": 60, "channel": "fax"},
        {"minutes": 60, "to": "everybody"},
        {"minutes": 60, "colour": "red"},
        {"minutes": 60, "when": "after"},
        {"minutes": 60, "when": "after", "body": "Thanks"},
    ],
)
async def test_what_is_no_reminder_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    for path, member in (
        (f"/links/{api.acme.link.id}", api.acme.owner),
        (f"/services/{api.acme.service.id}", api.acme.admin),
    ):
        refused = await api.call("PATCH", path, member, json={"reminders": [wrong]})
        assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_more_than_ten_or_two_alike_are_refused(api: Api) -> None:
    path = f"/links/{api.acme.link.id}"
    for reminders in ([{"minutes": n} for n in range(1, 12)], [{"minutes": 5}, {"minutes": 5}]):
        assert (await api.call("PATCH", path, api.acme.owner, json={"reminders": reminders})).status_code == 400


async def test_the_form_of_a_link_keeps_takes_away_and_refuses_reminders(api: Api, owner: Visitor) -> None:
    path = f"/app/links/{api.acme.link.id}"
    shown = await owner.get(path)
    sent = {
        "title": "Intro", "slug": "intro", "durations": "30", "buffer_before": "0", "buffer_after": "0",
        "notice": "0", "notice_unit": "hours", "period": "days", "horizon_days": "60", "location": "none",
        "version": value_of(shown, "version"), "reminders_of": "own",
        "reminder.0.amount": "1", "reminder.0.unit": "days", "reminder.0.when": "before",
        "reminder.0.channel": "mail", "reminder.0.to": "recipient",
        "reminder.1.amount": "2", "reminder.1.unit": "hours", "reminder.1.when": "after",
        "reminder.1.channel": "mail", "reminder.1.to": "recipient",
    }  # fmt: skip
    refused = await owner.post(path, **sent)
    assert refused.status_code == 400
    assert "needs a text" in words(refused)
    said = {"reminder.1.subject": "Thank you", "reminder.1.body": "How was it?"}
    kept = await owner.post(path, **sent, **said)
    assert kept.status_code == 303
    found = (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()
    assert [(each["minutes"], each["when"], each["subject"]) for each in found["reminders"]] == [
        (1440, "before", ""),
        (120, "after", "Thank you"),
    ]
    shown = await owner.get(path)
    assert (value_of(shown, "reminder.0.amount"), value_of(shown, "reminder.1.amount")) == ("1", "2")
    gone = {**sent, **said, "version": value_of(shown, "version"), "reminder.0.amount": "", "reminder.1.amount": ""}
    assert (await owner.post(path, **gone)).status_code == 303
    assert (await api.get(f"/links/{api.acme.link.id}", api.acme.owner)).json()["reminders"] == []


async def test_choices_are_kept_and_versioned(api: Api) -> None:
    path = "/me/notification-settings"
    first = await api.get(path, api.acme.owner)
    assert first.json()["channels"]["new"] == ["mail", "in_app"]
    assert (first.headers["ETag"], first.json()["digest"]) == ('"0"', "off")
    sent = {
        "phone": "+49 30 123456",
        "channels": {"new": ["text"]},
        "digest": "weekly",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
    }
    kept = await api.call("PUT", path, api.acme.owner, json=sent)
    assert (kept.status_code, kept.json()["phone"], kept.headers["ETag"]) == (200, "+4930123456", '"1"')
    assert kept.json()["channels"]["changed"] == ["mail", "in_app"]
    stale = await api.call("PUT", path, api.acme.owner, json=sent, headers={"If-Match": '"0"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "STALE_VERSION")
    assert (await api.get(path, api.acme.colleague)).json()["phone"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": {"new": ["pigeon"]}},
        {"channels": {"holiday": ["mail"]}},
        {"channels": {"new": ["text"]}},
        {"phone": "030 123456"},
        {"quiet_from": "22:00"},
        {"quiet_from": "24:00", "quiet_to": "07:00"},
        {"digest": "hourly"},
        {"digest_at": "7"},
        {"colour": "red"},
    ],
)
async def test_choices_that_cannot_be_are_refused(api: Api, wrong: dict[str, Any]) -> None:
    refused = await api.call("PUT", "/me/notification-settings", api.acme.owner, json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_the_pages_show_keep_and_refuse_choices(api: Api, owner: Visitor) -> None:
    path = "/app/settings/notifications"
    shown = await owner.get(path)
    sent = {
        "ways.new": ["mail", "text"], "ways.cancelled": "mail", "phone": "030 1", "quiet_from": "22:00",
        "quiet_to": "07:00", "digest": "daily", "digest_at": "18:00", "version": value_of(shown, "version"),
    }  # fmt: skip
    refused = await owner.post(path, **sent)
    assert (refused.status_code, "country code" in words(refused)) == (400, True)
    assert (await owner.post(path, **{**sent, "phone": "+49 30 123456"})).status_code == 303
    kept = (await api.get("/me/notification-settings", api.acme.owner)).json()
    assert (kept["channels"]["new"], kept["channels"]["changed"], kept["digest_at"]) == (["mail", "text"], [], "18:00")
    stale = await owner.post(path, **{**sent, "phone": "+49 30 123456"})
    assert (stale.status_code, "changed meanwhile" in words(stale)) == (412, True)


async def test_notifications_are_listed_and_marked_as_read(api: Api, owner: Visitor) -> None:
    note = Notification(new_id(), api.acme.link.org_id, api.acme.owner.id, "new", api.acme.booking.id, 0, 1_800_000_000)
    other = replace(note, id=new_id(), user_id=api.acme.colleague.id)
    async with api.app.state.ports.unit_of_work() as work:
        for each in (note, other):
            await work.telling.notify(each)
        await work.commit()
    listed = (await api.get("/me/notifications?unread=true", api.acme.owner)).json()["items"]
    assert [(line["id"], line["kind"], line["booking_id"]) for line in listed] == [(note.id, "new", note.booking_id)]
    assert "New booking: Rae Recipient" in words(await owner.get("/app/notifications"))
    foreign = await api.call("POST", "/me/notifications", api.acme.owner, json={"ids": [other.id]})
    assert (foreign.status_code, foreign.json()) == (200, {"unread": 1})
    assert (await owner.post("/app/notifications")).status_code == 303
    assert (await api.get("/me/notifications?unread=true", api.acme.owner)).json()["items"] == []
    assert len((await api.get("/me/notifications?unread=true", api.acme.colleague)).json()["items"]) == 1


async def test_every_page_tells_how_much_is_unread(api: Api, owner: Visitor) -> None:
    """In one statement, which looks at ten of them whatever their number; nobody else's count."""
    marks, counts = [], []
    mark = r'<span class="count" dir="ltr">([^<]*)<span class="visually-hidden"> unread'
    for numbers in (range(0), range(1), range(8), range(10_000)):
        await add_notifications(api, numbers)
        async with statements_of(None) as statements:
            shown = await owner.get("/app/settings")
        marks.append(re.findall(mark, shown.text))
        counts.append(len(statements))
    assert (marks, len(set(counts))) == ([[], ["1"], ["9"], ["9+"]], 1)
    async with statements_of(None) as many:
        assert (await owner.get("/app/notifications")).status_code == 200
    assert (await owner.post("/app/notifications")).status_code == 303
    async with statements_of(None) as none:
        shown = await owner.get("/app/notifications")
    assert (len(many), 'class="count"' in shown.text) == (len(none), False)
    assert 'class="count"' not in (await (await enter(api, api.acme.colleague)).get("/app/today")).text


async def test_a_get_shows_and_a_post_unsubscribes(api: Api) -> None:
    path = recipients_way_out(api.app.state.ports, api.acme.booking).removeprefix(api.app.state.ports.base_url)
    async with client_of(api.app) as client:
        assert "Unsubscribe" in words(await client.get(path))
        assert await unsubscribed(api) is False
        done = await client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert (done.status_code, "You get no more" in words(done)) == (200, True)
        assert await unsubscribed(api) is True
        assert (await client.get("/unsubscribe/forged")).status_code == 404
        assert (await client.post("/unsubscribe/forged")).status_code == 404


async def unsubscribed(api: Api) -> bool:
    booking = api.acme.booking
    async with api.app.state.ports.read() as work:
        return await is_unsubscribed(api.app.state.ports, work, booking.org_id, booking.recipient.email)

"""Sessions on the pages: staff set, move and cancel them; recipients see the seats that are left."""

from __future__ import annotations

import pytest

from tests.http.api import Api, client_of
from tests.http.signed_in import enter, value_of, words
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio

LATE = "2027-03-10T22:00"


async def link_to(api: Api) -> str:
    """A link to the lesson; its public token."""
    link = {"title": "Lesson", "slug": "lesson", "service_id": api.acme.lesson.id}
    made = await api.post("/links", api.acme.owner, json=link)
    return str(made.json()["token"])


async def test_an_admin_sets_a_session(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    path = f"/app/services/{api.acme.lesson.id}/slots"
    page = await admin.get(path)
    assert page.status_code == 200 and "0 of 8 seats taken" in words(page) and "Owner" in words(page)
    fields = {"start": LATE, "duration": "60", "capacity": "4", "title": "Night lesson"}
    refused = await admin.post(path, **fields)
    assert refused.status_code == 400 and value_of(refused, "start") == LATE
    made = await admin.post(path, **fields, people=api.acme.owner.id)
    assert made.status_code == 303
    shown = await admin.get(made.headers["location"])
    assert "Night lesson" in words(shown) and "0 of 4 seats taken" in words(shown) and "Nobody yet" in words(shown)
    taken = await admin.post(path, **fields, people=api.acme.owner.id)
    assert taken.status_code == 409 and "just taken" in words(taken)


async def test_what_is_typed_wrong_is_told_at_its_field(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    path = f"/app/services/{api.acme.lesson.id}/slots"
    wrong = await admin.post(path, start="soon", duration="7", capacity="0", people="me")
    assert wrong.status_code == 400
    for text in ("enter a day and a time", "choose a length", "1 to 200 seats", "nobody to choose"):
        assert text in words(wrong)


async def test_a_session_with_those_who_attend_it(api: Api) -> None:
    token = await link_to(api)
    body = {"start": moment(at(5, 14)), "duration": 60, "timezone": "UTC", "name": "Kim", "email": "kim@example.org"}
    booked = (await api.post(f"/public/{token}/book", None, json={**body, "seats": 2})).json()
    owner, path = await enter(api, api.acme.owner), f"/app/slots/{api.acme.slot.id}"
    page = await owner.get(path)
    assert "2 of 8 seats taken" in words(page) and "Kim" in words(page) and booked["id"] in page.text
    assert (await owner.get(f"/app/bookings/{api.acme.slot.id}")).headers["location"] == path
    stale = await owner.post(f"{path}/move", version="1", start="2027-03-05T16:00")
    assert stale.status_code == 412 and "look again" in words(stale)
    version = value_of(page, "version")
    moved = await owner.post(f"{path}/move", version=version, start="2027-03-05T16:00")
    assert moved.status_code == 303
    seen = (await api.get(f"/public/bookings/{booked['booking_token']}", None)).json()
    assert seen["start"].startswith("2027-03-05T15:00")
    asked = await owner.get(f"{path}/cancel")
    gone = await owner.post(f"{path}/cancel", version=value_of(asked, "version"), reason="The hall is closed.")
    assert gone.status_code == 303
    seen = (await api.get(f"/public/bookings/{booked['booking_token']}", None)).json()
    assert (seen["status"], seen["cancel_reason"]) == ("cancelled", "The hall is closed.")
    again = await owner.get(f"{path}/cancel")
    assert again.headers["location"] == path
    assert "Cancelled" in words(await owner.get(path))


async def test_a_session_moves_outside_the_rules_when_that_is_ticked(api: Api) -> None:
    owner, path = await enter(api, api.acme.owner), f"/app/slots/{api.acme.slot.id}"
    away = {"start": moment(at(6, 0)), "end": moment(at(7, 0))}
    made = await api.post(f"/employees/{api.acme.owner.id}/time-off", api.acme.admin, json=away)
    assert made.status_code == 201, made.text
    fields = {"version": value_of(await owner.get(path), "version"), "start": "2027-03-06T16:00"}
    refused = await owner.post(f"{path}/move", **fields)
    assert refused.status_code == 409 and "just taken" in words(refused)
    assert "Move outside the rules" in words(refused)
    moved = await owner.post(f"{path}/move", **fields, override="yes")
    assert moved.status_code == 303


async def test_sessions_are_seen_by_admins_and_those_who_give_them(api: Api) -> None:
    path = f"/app/slots/{api.acme.slot.id}"
    for member, status in ((api.acme.owner, 200), (api.acme.admin, 200), (api.acme.colleague, 404)):
        assert (await (await enter(api, member)).get(path)).status_code == status


async def test_recipients_see_the_seats_and_choose_how_many(api: Api) -> None:
    await link_to(api)
    async with client_of(api.app) as browser:
        page = await browser.get("/acme/lesson?day=2027-03-05&tz=UTC")
        assert "8 seats left" in words(page)
        form = await browser.get(f"/acme/lesson?duration=60&day=2027-03-05&tz=UTC&start={moment(at(5, 14))}")
        assert value_of(form, "seats") == "1"
        fields = {name: value_of(form, name) for name in ("key", "duration", "tz", "start")}
        who = {"name": "Kim", "email": "kim@example.org"}
        wrong = await browser.post("/acme/lesson", data={**fields, **who, "seats": "none"})
        assert wrong.status_code == 400 and "how many seats" in words(wrong)
        booked = await browser.post("/acme/lesson", data={**fields, **who, "seats": "7"})
        assert booked.status_code == 303
        assert "1 seat left" in words(await browser.get("/acme/lesson?day=2027-03-05&tz=UTC"))
    async with client_of(api.app) as browser:
        assert "seats" not in words(await browser.get("/acme/intro?day=2027-03-05&tz=UTC"))


async def test_the_form_of_a_service_says_how_many_can_come(api: Api) -> None:
    admin, path = await enter(api, api.acme.admin), f"/app/services/{api.acme.lesson.id}"
    page = await admin.get(path)
    assert value_of(page, "capacity") == "8" and f"{path}/slots" in page.text
    fields = {
        "version": value_of(page, "version"), "name": "Lesson", "durations": "60", "buffer_before": "0",
        "buffer_after": "0", "mode": "pool", "location": "none", "people": api.acme.owner.id, "capacity": "5",
        "is_scheduled": "yes", "is_active": "yes", "currency": "EUR",
        "cancel_until_unit": "hours", "reschedule_until_unit": "hours",
    }  # fmt: skip
    saved = await admin.post(path, **fields)
    assert saved.status_code == 303, words(saved)
    service = (await api.get(f"/services/{api.acme.lesson.id}", api.acme.admin)).json()
    assert (service["capacity"], service["is_scheduled"]) == (5, True)

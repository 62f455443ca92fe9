"""`/app/today` and `/app/week`: one's own work, and the steps of the day."""

from __future__ import annotations

import re

import pytest

from app.use_cases.manage_schedules import add_time_off
from tests.http.api import Api
from tests.http.signed_in import Visitor, enter, ports_of, words
from tests.http.test_lists import add_bookings
from tests.http.workspace import PASSWORD, at, request_at
from tests.support.statements import statements_of

pytestmark = pytest.mark.anyio


async def test_the_day_shows_what_is_confirmed_and_what_is_needed_for_it(api: Api, owner: Visitor) -> None:
    shown = await owner.get("/app/today?day=2027-03-02")
    text = words(shown)
    assert "Tomorrow, Tuesday" in text
    assert "Rae Recipient" in text
    assert "What about?" in text
    assert text.count("Intro call") >= 1
    assert f'href="/app/bookings/{api.acme.booking.id}"' in shown.text
    assert api.acme.pending.id not in shown.text, "what is not confirmed is nobody's work yet"
    assert "Nothing to do" in words(await owner.get("/app/today"))
    assert "Rae Recipient" in words(await owner.get("/app/week"))
    assert "Rae Recipient" not in words(await owner.get("/app/week?day=2027-03-08"))


async def test_nobody_sees_the_work_of_others(api: Api) -> None:
    for member in (api.acme.admin, api.acme.employee, api.acme.colleague, api.umbrella.admin):
        visitor = await enter(api, member)
        for view in ("today", "week"):
            assert "Rae Recipient" not in words(await visitor.get(f"/app/{view}?day=2027-03-02"))


async def test_a_booking_goes_through_its_day(api: Api, owner: Visitor) -> None:
    """Start and complete, each by a button that leads back to the day."""
    booking = api.acme.booking
    assert "/start" not in (await owner.get("/app/today?day=2027-03-02")).text, "it is too early"
    api.clock.now = booking.start - 60
    owner = await enter(api, api.acme.owner)
    for step, did in (("start", "started"), ("complete", "completed")):
        page = await owner.get("/app/today")
        form = re.search(rf'action="(/app/bookings/{booking.id}/{step})".*?</form>', page.text, re.DOTALL)
        assert form, step
        fields = dict(re.findall(r'name="(version|back)" value="([^"]*)"', form[0]))
        answer = await owner.post(form[1], **fields)
        assert answer.headers["location"] == f"/app/today?day=2027-03-02&did={did}#b-{booking.id}"
        api.clock.advance(120)
    assert "Completed" in words(await owner.get("/app/today"))


async def test_a_step_leads_nowhere_else(api: Api) -> None:
    api.clock.now = api.acme.booking.start
    owner = await enter(api, api.acme.owner)
    path = f"/app/bookings/{api.acme.booking.id}"
    for back, step in (("https://evil.example", "start"), ("today:2027-03-02x", "complete")):
        answer = await owner.post(f"{path}/{step}", back=back)
        assert answer.headers["location"].startswith(f"{path}?did=")


async def test_the_rest_of_the_day_stands_between(api: Api, owner: Visitor) -> None:
    """Time off is a busy line, and what lies between is a gap."""
    acme = api.acme
    await add_time_off(ports_of(api), acme.owner.user, acme.owner.id, at(2, 12), at(2, 13), "Dentist")
    text = words(await owner.get("/app/today?day=2027-03-02"))
    assert text.index("Rae Recipient") < text.index("free") < text.index("Dentist")
    assert "1 h 15 min free" in text or "75 min" in text or "1 hour" in text


async def test_a_day_that_cannot_be_is_today(owner: Visitor) -> None:
    for day in ("", "x", "2027-02-30", "99999-01-01", "2027-3-2"):
        for view in ("today", "week"):
            assert (await owner.get(f"/app/{view}?day={day}")).status_code == 200


async def test_who_has_no_links_begins_with_their_work(api: Api) -> None:
    ports = ports_of(api)
    async with ports.unit_of_work() as work:
        hashed = await ports.passwords.hash(PASSWORD)
        await work.people.update_user(api.acme.employee.id, api.clock.now, password_hash=hashed)
        await work.commit()
    employee = await enter(api, api.acme.employee)
    assert (await employee.get("/app")).headers["location"] == "/app/today"
    assert (await (await enter(api, api.acme.owner)).get("/app")).headers["location"] == "/app/bookings"
    sent = {"email": api.acme.employee.user.email, "password": PASSWORD, "next": "/app/bookings"}
    entered = await employee.client.post("/", data=sent, headers={"Origin": "http://127.0.0.1:8000"})
    assert entered.headers["location"] == "/app/today"


async def test_ten_thousand_bookings_take_the_statements_of_ten(api: Api, owner: Visitor) -> None:
    counts = []
    for numbers in (range(10), range(10, 10_000)):
        await add_bookings(api, numbers)
        for view in ("today", "week"):
            async with statements_of(None) as statements:
                assert "Rae" in (await owner.get(f"/app/{view}?day=2027-03-02")).text
            counts.append(len(statements))
    assert counts[0] == counts[2], counts
    assert max(counts) <= 9, statements  # one for the attendees of a session in this week


async def test_what_was_booked_is_shown_in_its_zone(api: Api, owner: Visitor) -> None:
    assert request_at(at(2, 10)).start == api.acme.booking.start
    assert "10:00" in words(await owner.get("/app/today?day=2027-03-02")), "Berlin's clock, not that of UTC"


async def test_a_stay_stands_on_each_of_its_days(api: Api, owner: Visitor) -> None:
    """Whole on the first that is shown, in a line on the others; time off as well."""
    house = {
        "name": "House", "durations": [3 * 1440], "check_in": "15:00", "check_out": "11:00",
    }  # fmt: skip
    service = (await api.post("/services", api.acme.admin, json=house)).json()["id"]
    people = {"items": [{"employee_id": api.acme.owner.id}]}
    await api.call("PUT", f"/services/{service}/employees", api.acme.admin, json=people)
    body = {
        "service": service, "start": "2027-03-19T15:00:00+01:00", "duration": 3 * 1440, "override": True,
        "recipient": {"name": "Robin", "email": "robin@example.org"},
    }  # fmt: skip
    assert (await api.post("/bookings", api.acme.admin, json=body)).status_code == 201

    async def days_of(path: str) -> list[str]:
        found = re.findall(r"<section class=\"stack.*?</section>", (await owner.get(path)).text, re.DOTALL)
        return [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", day)) for day in found]

    week, after = await days_of("/app/week?day=2027-03-19"), await days_of("/app/week?day=2027-03-22")
    assert [("Robin" in day, "All day Robin, House" in day) for day in week[3:]] == [
        (False, False),
        (True, False),
        (True, True),
        (True, True),
    ]
    assert ["Robin" in day for day in after] == [True, *[False] * 6]
    (middle,) = await days_of("/app/today?day=2027-03-20")
    assert ("Robin" in middle, "All day" in middle) == (True, False)
    away = await days_of("/app/week?day=2027-03-08")
    assert ["Away" in day or "Time off" in day for day in away] == [True, True, *[False] * 5]
    assert "Until 5:00" in away[1]

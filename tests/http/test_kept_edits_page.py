"""What devices did, on the pages: what was not taken, to keep or to dismiss, and histories with the device's label."""

from __future__ import annotations

import pytest

from app.domain.calendars import PERSONAL, SCHEDULE, Calendar
from app.domain.errors import StaleVersion
from app.use_cases.calendar_objects import Conditions, Device
from app.use_cases.put_calendar_object import put_calendar_object
from tests.http.api import Api
from tests.http.signed_in import enter, ports_of, words
from tests.http.workspace import Member
from tests.support.ical import ics

pytestmark = pytest.mark.anyio
STALE = Conditions(if_match=frozenset({'"old"'}))


async def calendar_of(api: Api, member: Member, name: str) -> Calendar:
    async with ports_of(api).read() as work:
        found = await work.calendars.builtin_calendar(member.user.id, name)
    assert found is not None
    return found


def device_of(api: Api, member: Member) -> Device:
    return Device(api.acme.app_password.id, "Ana’s phone", member.user.id, member.user.org_id)


async def lose(api: Api, member: Member, title: str) -> str:
    """An edit that comes too late; its address on the page."""
    calendar, ports = await calendar_of(api, member, PERSONAL), ports_of(api)
    text = ics(title, f"SUMMARY:{title}")
    with pytest.raises(StaleVersion):
        await put_calendar_object(ports, calendar, f"{title}.ics", text, STALE, frozenset(), device_of(api, member))
    async with ports.read() as work:
        newest, *_ = await work.kept_edits.of_user(member.user.id, 1)
    return f"/app/kept/{newest.id}"


@pytest.mark.parametrize("page", ["bookings", "phone"])
async def test_what_a_device_lost_is_shown_and_kept_as_a_copy_or_dismissed(api: Api, page: str) -> None:
    """Above the bookings, and beside the devices."""
    member, place = api.acme.colleague, f"/app/{page}"
    colleague = await enter(api, member)
    assert "Not taken from your devices" not in words(await colleague.get(place))
    first, second = await lose(api, member, "Florist"), await lose(api, member, "Cobbler")
    shown = words(await colleague.get(place))
    for part in ("Not taken from your devices", "Florist", "Cobbler", "Ana’s phone", "changed elsewhere meanwhile"):
        assert part in shown
    owner = await enter(api, api.acme.owner)
    assert "Florist" not in words(await owner.get(place))
    assert (await owner.post(first, answer="copy")).status_code == 404
    assert (await colleague.post(first, answer="perhaps")).status_code == 404
    answers = [await colleague.post(first, answer="copy", back=page)]
    answers.append(await colleague.post(second, answer="dismiss", back=page))
    assert [each.headers["location"] for each in answers] == [f"{place}?did=kept", f"{place}?did=dismissed"]
    for address in (first, second):
        assert (await colleague.post(address, answer="copy")).status_code == 404
    assert "Not taken from your devices" not in words(await colleague.get(place))
    personal = await calendar_of(api, member, PERSONAL)
    async with ports_of(api).read() as work:
        (copy,) = await work.calendars.objects_between(personal.id, None, None, None)
    assert "SUMMARY:Florist" in copy.data


async def test_beside_the_devices_are_the_latest_and_the_way_to_the_rest(api: Api) -> None:
    for number in range(5):
        await lose(api, api.acme.colleague, f"Errand{number}")
    page = await (await enter(api, api.acme.colleague)).get("/app/phone")
    assert [f"Errand{number}" in words(page) for number in range(5)] == [False, False, True, True, True]
    assert "2 more under Bookings" in words(page)
    assert 'href="/app/bookings#kept"' in page.text


async def test_nobody_is_sent_elsewhere_by_an_answer(api: Api) -> None:
    path = await lose(api, api.acme.colleague, "Florist")
    answer = await (await enter(api, api.acme.colleague)).post(path, answer="dismiss", back="https://evil.example")
    assert answer.headers["location"] == "/app/bookings?did=dismissed"


async def test_the_history_of_a_booking_names_the_device(api: Api) -> None:
    member, booking, ports = api.acme.owner, api.acme.booking, ports_of(api)
    schedule = await calendar_of(api, member, SCHEDULE)
    async with ports.read() as work:
        event = await work.calendars.object(schedule.id, f"{booking.id}.ics")
    assert event is not None
    text = event.data.replace("TRANSP:OPAQUE", "TRANSP:TRANSPARENT")
    device = device_of(api, member)
    await put_calendar_object(ports, schedule, event.name, text, Conditions(), frozenset(), device)
    page = words(await (await enter(api, member)).get(f"/app/bookings/{booking.id}"))
    assert f"{member.user.name} (Ana’s phone) noted something in their own event" in page


async def test_an_admin_lets_people_walk_in(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    settings = {"organization_name": "Acme", "complete_after_minutes": "60", "hold_minutes": "120"}
    for form, takes_new in (({**settings, "walk_ins": "yes"}, True), (settings, False)):
        await admin.post("/app/settings/organization", **form)
        assert (await calendar_of(api, api.acme.owner, SCHEDULE)).takes_new is takes_new
    assert (await calendar_of(api, api.umbrella.owner, SCHEDULE)).takes_new is False
    answer = await api.call("PATCH", "/organization", api.acme.admin, json={"walk_ins": True})
    assert (answer.json()["walk_ins"], answer.json()["hold_minutes"]) == (True, 120)
    assert (await calendar_of(api, api.acme.owner, SCHEDULE)).takes_new is True
    assert (await api.call("GET", "/organization", api.acme.employee)).json() == answer.json()


async def test_who_walked_in_has_pages_like_everybody_but_no_address(api: Api) -> None:
    member, ports = api.acme.owner, ports_of(api)
    await api.call("PATCH", "/organization", api.acme.admin, json={"walk_ins": True})
    schedule = await calendar_of(api, member, SCHEDULE)
    text = ics("walk-in", "SUMMARY:Robin Roe", start="20270305T090000Z")
    await put_calendar_object(ports, schedule, "walk-in.ics", text, Conditions(), frozenset(), device_of(api, member))
    async with ports.read() as work:
        event = await work.calendars.object(schedule.id, "walk-in.ics")
    assert event is not None
    path = f"/app/bookings/{event.booking_id}"
    owner = await enter(api, member)
    assert "Robin Roe" in words(await owner.get("/app/bookings"))
    page = await owner.get(path)
    assert "Walk-in" in words(page)
    assert "No link: entered in a host’s schedule" in words(page)
    assert "mailto:" not in page.text
    move = await owner.get(f"{path}/move?day=2027-03-11")
    assert move.status_code == 200
    cancel = words(await owner.get(f"{path}/cancel"))
    assert "The time is given back." in cancel
    assert "told by mail" not in cancel
    shown = await api.call("GET", f"/bookings/{event.booking_id}", member)
    assert (shown.json()["recipient"]["email"], shown.json()["link_id"]) == ("", None)
    when = {"start": "2027-03-11T10:00:00Z"}
    moved = await api.call("POST", f"/bookings/{event.booking_id}/reschedule", member, json=when)
    assert moved.status_code == 200, moved.text
    async with ports.read() as work:
        booking = await work.bookings.get(str(event.booking_id))
    assert booking is not None
    public = words(await owner.get(f"/booking/{booking.token}"))
    assert "Robin Roe" in public
    assert "()" not in public
    assert (await owner.post(f"{path}/cancel", version=str(booking.version))).status_code == 303


async def test_a_person_chooses_what_their_own_schedules_edits_mean(api: Api) -> None:
    member = await enter(api, api.acme.colleague)
    accounts = (await api.get("/calendar-accounts", api.acme.colleague)).json()["items"]
    own = next(each["id"] for each in accounts if each["provider"] == "builtin")

    async def chosen() -> tuple[str, str]:
        page = (await member.get("/app/connections")).text
        select = page.partition('id="edits-own"')[2].partition("</select>")[0]
        shown = select.partition(" selected")[0].rpartition('value="')[2].rstrip('"')
        return shown, (await api.get(f"/calendar-accounts/{own}", api.acme.colleague)).json()["edits"]

    assert await chosen() == ("rules", "rules")
    for edits in ("outside", "ask", "rules"):
        saved = await member.post("/app/connections/own", edits=edits)
        assert saved.headers["location"] == "/app/connections?did=saved"
        assert await chosen() == (edits, edits)
    assert (await member.post("/app/connections/own", edits="never")).status_code == 404
    patched = await api.call("PATCH", f"/calendar-accounts/{own}", api.acme.colleague, json={"edits": "ask"})
    assert (patched.status_code, patched.json()["edits"]) == (200, "ask")
    for refused in ({"label": "Mine"}, {"contacts": "suggest"}, {"provider_invites": True}, {"password": "x"}):
        answer = await api.call("PATCH", f"/calendar-accounts/{own}", api.acme.colleague, json=refused)
        assert answer.status_code in {400, 404}, refused
    assert await chosen() == ("ask", "ask")


async def test_a_move_that_waits_is_asked_about_above_the_bookings(api: Api) -> None:
    member, booking, ports = api.acme.owner, api.acme.booking, ports_of(api)
    owner = await enter(api, member)
    await owner.post("/app/connections/own", edits="ask")
    schedule = await calendar_of(api, member, SCHEDULE)
    async with ports.read() as work:
        event = await work.calendars.object(schedule.id, f"{booking.id}.ics")
    assert event is not None
    text = event.data.replace("T10", "T15").replace("T1030", "T1530")
    await put_calendar_object(ports, schedule, event.name, text, Conditions(), frozenset(), device_of(api, member))
    page = words(await owner.get("/app/bookings"))
    for part in (
        "Should the bookings follow?",
        "Moved in your calendar to",
        "Move the booking",
        "Leave it where it is",
    ):
        assert part in page
    path = f"/app/edits/{booking.id}/{schedule.id}"
    assert (await owner.post(path, answer="accept")).headers["location"] == "/app/bookings?did=followed"
    async with ports.read() as work:
        after = await work.bookings.get(booking.id)
    assert after is not None
    assert after.start == booking.start + 5 * 3600

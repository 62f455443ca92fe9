"""Calendars: a real Radicale account connected and chosen from; what a phone needs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import owner, sign_in, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations
from tests.capabilities import need
from tests.support.calendar_servers import PASSWORD, USER, CalendarServer, radicale

EVENT = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//example.org//tests//EN\r
BEGIN:VEVENT\r
UID:{uid}@example.org\r
DTSTAMP:20260101T000000Z\r
DTSTART:{start:%Y%m%dT%H%M%SZ}\r
DTEND:{end:%Y%m%dT%H%M%SZ}\r
SUMMARY:Taken\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture(scope="module")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps its users."""
    return tmp_path_factory.mktemp("radicale")


@pytest.fixture(scope="module")
def server(server_folder: Path) -> Iterator[CalendarServer]:
    """Radicale with the calendars Work and Family."""
    need("radicale")
    with radicale(server_folder) as running, _client() as client:
        for name in ("Work", "Family"):
            answer = client.request("MKCALENDAR", f"{running.home}{name.lower()}/", content=_named(name))
            assert answer.status_code == 201, answer.text
        yield running


def _client() -> httpx.Client:
    return httpx.Client(auth=(USER, PASSWORD), timeout=30)


def _named(name: str) -> str:
    return (
        '<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>'
        f"<displayname>{name}</displayname></prop></set></C:mkcalendar>"
    )


def put_event(server: CalendarServer, calendar: str, uid: str, start: datetime) -> None:
    """An hour that is taken."""
    text = EVENT.format(uid=uid, start=start, end=start + timedelta(hours=1))
    with _client() as client:
        answer = client.put(
            f"{server.home}{calendar}/{uid}.ics", content=text, headers={"Content-Type": "text/calendar"}
        )
        assert answer.status_code == 201, answer.text


def free(site: Site, slug: str, start: datetime) -> bool:
    """Whether a time is offered."""
    asked = {"from": str(start.date()), "to": str(start.date()), "duration": "30", "timezone": "UTC"}
    days = site.client.get(f"/api/v1/public/demo.{slug}/availability", params=asked).json()["days"]
    return any(slot["start"] == start.isoformat() for day in days for slot in day["slots"])


def connect(page: Page, address: str, username: str, password: str) -> None:
    """The form of a new account."""
    form = page.get_by_role("region", name="Connect a CalDAV account")
    if not form.get_by_label("Address of the server").is_visible():
        form.get_by_text("Connect a CalDAV account").click()
    form.get_by_label("Address of the server").fill(address)
    form.get_by_label("User name or e-mail").fill(username)
    form.get_by_label("Password").fill(password)
    form.get_by_role("button", name="Connect").click()


def test_a_calendar_account_from_connecting_to_disconnecting(
    visitors: Visitors, site: Site, server: CalendarServer
) -> None:
    site.make_link("calendars", schedule_id=_always(site))
    noon = (datetime.now(UTC) + timedelta(days=20)).replace(hour=12, minute=0, second=0, microsecond=0)
    put_event(server, "work", "meeting", noon)
    put_event(server, "family", "lunch", noon + timedelta(hours=4))
    assert free(site, "calendars", noon)
    page = owner(visitors)
    page.get_by_role("link", name="Calendars").click()
    connect(page, server.url, USER, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("does not accept the user name or password")
    expect(page.get_by_label("User name or e-mail")).to_have_value(USER)
    connect(page, server.url, USER, PASSWORD)
    told(page, "The calendar account is connected.")
    card = page.get_by_role("article", name=USER)
    expect(card).to_contain_text("Works")
    assert violations(page) == []
    assert not free(site, "calendars", noon)
    assert not free(site, "calendars", noon + timedelta(hours=4))

    card.get_by_label("Family").uncheck()
    card.get_by_role("button", name="Save choice").click()
    told(page, "Saved.")
    assert free(site, "calendars", noon + timedelta(hours=4))
    assert not free(site, "calendars", noon)

    page.get_by_role("radio", name=re.compile("Work")).check()
    page.get_by_role("button", name="Save", exact=True).click()
    told(page, "Saved.")
    expect(card).to_contain_text("gets bookings")
    _book(site, "calendars", noon + timedelta(hours=2))
    _wait_for_event(server, "Calendars")

    put_event(server, "work", "later", noon + timedelta(hours=6))
    card.get_by_text("Password and connection").click()
    card.get_by_role("button", name="Read now").click()
    told(page, "The calendars were read.")
    assert not free(site, "calendars", noon + timedelta(hours=6))

    card.get_by_text("Password and connection").click()
    card.get_by_role("link", name="Disconnect").click()
    page.get_by_role("button", name="Disconnect").click()
    told(page, "The account is disconnected.")
    expect(page.get_by_role("heading", name="No calendar connected")).to_be_visible()
    assert free(site, "calendars", noon)


def _always(site: Site) -> str:
    weekly = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    made: str = site.api("POST", "/schedules", json={"name": "Always", "timezone": "UTC", "weekly": weekly})["id"]
    return made


def _book(site: Site, slug: str, start: datetime) -> None:
    wanted = {
        "start": start.isoformat(), "duration": 30, "timezone": "UTC", "name": "Cal Endar", "email": "cal@example.org",
    }  # fmt: skip
    assert site.client.post(f"/api/v1/public/demo.{slug}/book", json=wanted).status_code == 201


def _wait_for_event(server: CalendarServer, title: str) -> None:
    deadline = time.monotonic() + 30
    with _client() as client:
        while f"SUMMARY:{title}" not in client.get(f"{server.home}work/").text:
            assert time.monotonic() < deadline, "the booking did not reach the calendar"
            time.sleep(0.2)


def test_a_changed_password_is_told_and_typed_anew(
    visitors: Visitors, server: CalendarServer, server_folder: Path
) -> None:
    page = sign_in(visitors.page(size=DESKTOP), "ana@example.com")
    page.get_by_role("link", name="Calendars").click()
    connect(page, server.url, USER, PASSWORD)
    told(page, "The calendar account is connected.")
    users = server_folder / "users"
    users.write_text(f"{USER}:another one\n")
    try:
        card = page.get_by_role("article", name=USER)
        card.get_by_text("Password and connection").click()
        card.get_by_role("button", name="Read now").click()
        expect(page.get_by_role("alert")).to_contain_text("does not accept the user name or password")
        card.get_by_label("New password").fill("another one")
        card.get_by_role("button", name="Save password").click()
        told(page, "Saved.")
        expect(card).to_contain_text("Works")
    finally:
        users.write_text(f"{USER}:{PASSWORD}\n")


def test_an_app_password_opens_caldav_until_it_is_revoked(visitors: Visitors, site: Site) -> None:
    page = owner(visitors, PHONE)
    page.goto("/app/phone")
    page.get_by_role("textbox", name="Device").fill("My phone")
    page.get_by_role("button", name="Make app password").click()
    made = page.get_by_role("region", name=re.compile("Your app password for"))
    secret = made.locator("code").inner_text()
    assert violations(page) == []

    def asked() -> int:
        headers, body = (
            {"Depth": "0", "Content-Type": "application/xml"},
            '<propfind xmlns="DAV:"><allprop/></propfind>',
        )
        answer = httpx.request(
            "PROPFIND", f"{site.address}/dav/calendars/owner/", auth=("owner", secret), headers=headers, content=body
        )
        return answer.status_code

    assert asked() == 207
    page.goto("/app/phone")
    expect(page.get_by_text(secret)).to_have_count(0)
    passwords = page.get_by_role("region", name="App passwords")
    deadline = time.monotonic() + 15
    while "seen just now" not in passwords.get_by_role("listitem").inner_text():  # noted after the answer has gone out
        assert time.monotonic() < deadline
        page.reload()
    passwords.get_by_role("button", name="Revoke My phone").click()
    told(page, "Withdrawn")
    assert asked() == 401


def test_a_feed_is_read_until_it_is_revoked(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto("/app/phone")
    page.get_by_label("What it shows").select_option("Busy times alone, to share with others")
    page.get_by_role("textbox", name="Name (optional)", exact=True).fill("For the team")
    page.get_by_role("button", name="Make feed").click()
    told(page, "Made.")
    line = page.get_by_role("listitem").filter(has_text="For the team")
    address = line.locator("code").inner_text()
    assert line.get_by_role("link", name="Subscribe").get_attribute("href") == re.sub("^http", "webcal", address)
    text = site.client.get(address).text
    assert "BEGIN:VEVENT" in text
    assert "Casey" not in text
    line.get_by_role("button", name="Revoke For the team").click()
    told(page, "Withdrawn")
    assert site.client.get(address).status_code == 404


def test_what_edits_of_the_own_schedule_mean_is_chosen(visitors: Visitors) -> None:
    page = owner(visitors, SMALL)
    page.goto("/app/connections")
    choice = page.get_by_label(re.compile("in “Schedule” on a device"))
    expect(choice).to_have_value("rules")
    choice.select_option("I am asked first")
    page.get_by_role("button", name="Save choice for the calendar on this server").press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(choice).to_have_value("ask")
    assert overflow(page) == 0
    choice.select_option("It follows, as far as its link's rules allow")
    page.get_by_role("button", name="Save choice for the calendar on this server").click()
    expect(choice).to_have_value("rules")

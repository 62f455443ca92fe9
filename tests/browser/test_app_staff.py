"""The pages of a day's work: on a phone and wide, dark, right to left, without a mouse and without scripts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import owner, sign_in, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations

NEW = "/app/bookings/new"
NIGHT = 1440
PATHS = {
    "today": "/app/today?day={day}",
    "week": "/app/week?day={day}",
    "people": "/app/people",
    "a person": "/app/people/{ana}",
    "notifications": "/app/notifications",
    "what one is told": "/app/settings/notifications",
    "audit log": "/app/audit",
    "analytics": "/app/analytics",
    "clients": "/app/clients",
    "a client": "/app/clients/{client}",
    "block list": "/app/clients/blocked",
    "sessions": "/app/services/{workshop}/slots",
    "a session": "/app/slots/{session}",
    "cancelling a session": "/app/slots/{session}/cancel",
    "one of a set": "/app/bookings/{set}",
    "cancelling one of a set": "/app/bookings/{set}/cancel",
    "handing over a link": "/app/links/{intro}/hand-over",
    "a link to a class": "/app/links/{class}",
    "a house": "/app/services/{house}",
    "a new service": "/app/services/new",
    "what to book": NEW,
    "when to book": NEW + "?offer=link:{intro}",
    "with whom to book": NEW + "?offer=service:{consultation}",
    "nights to book": NEW + "?offer=service:{house}",
    "seats to book": NEW + "?offer=service:{workshop}",
    "a typed time": NEW + "?offer=link:{intro}&own=yes&q=a",
    "a typed stay": NEW + "?offer=service:{house}&own=yes",
}


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, str]:
    """What the pages are about; each list has something in it."""
    services = {each["name"]: each["id"] for each in site.api("GET", "/services")["items"]}
    links = {each["slug"]: each["id"] for each in site.api("GET", "/links")["items"]}
    people = {each["email"]: each["id"] for each in site.api("GET", "/employees")["items"]}
    house: Any = {"name": "Garden house", "durations": [NIGHT, 3 * NIGHT], "check_in": "15:00", "check_out": "11:00"}
    services["house"] = site.api("POST", "/services", json=house)["id"]
    assigned = {"items": [{"employee_id": people["owner@example.com"]}]}
    site.api("PUT", f"/services/{services['house']}/employees", json=assigned)
    day = datetime.now(UTC).date() + timedelta(days=40)
    guest = {"name": "Robin Recipient", "email": "robin@example.org", "phone": "+49 30 1234567"}
    stay = {"service": services["house"], "start": f"{day}T14:00:00Z", "duration": 3 * NIGHT, "recipient": guest}
    site.api("POST", "/bookings", json={**stay, "override": True})
    weekly = {"link": links["intro"], "start": f"{day - timedelta(days=7)}T10:00:00Z", "duration": 30}
    body = {**weekly, "recipient": guest, "override": True, "repeat": {"times": 3}}
    return {
        "day": str(day),
        "ana": people["ana@example.com"],
        "client": site.api("GET", "/clients")["items"][0]["id"],
        "workshop": services["Workshop"],
        "consultation": services["Consultation"],
        "house": services["house"],
        "session": site.api("GET", "/slots")["items"][0]["id"],
        "set": site.api("POST", "/bookings", json=body)["id"],
        "intro": links["intro"],
        "class": links["workshop"],
    }


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("size", "dark", "direction"),
    [
        (PHONE, True, "ltr"),
        (DESKTOP, False, "ltr"),
        (SMALL, False, "ltr"),
        (SMALL, True, "rtl"),
        (DESKTOP, False, "rtl"),
    ],
)
def test_every_page_of_the_day_is_accessible_and_fits(
    visitors: Visitors, ids: dict[str, str], size: tuple[int, int], dark: bool, direction: str
) -> None:
    """With everything unfolded that can be."""
    page = owner(visitors, size, dark=dark)
    for name, path in PATHS.items():
        answer = page.goto(path.format(**ids))
        assert answer is not None
        assert (name, answer.status) == (name, 200)
        page.evaluate(f"document.documentElement.dir = '{direction}'")
        page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
        assert (name, violations(page)) == (name, [])
        assert (name, overflow(page)) == (name, 0)
        assert (name, page.locator("h1").count(), page.get_by_role("main").count()) == (name, 1, 1)


def test_without_scripts_nothing_is_missing(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors, PHONE, js=False)
    for name, path in PATHS.items():
        answer = page.goto(path.format(**ids))
        assert answer is not None
        assert (name, answer.status) == (name, 200)


def choose(page: Page, ids: dict[str, str]) -> None:
    """From what over the day to the form."""
    page.goto(NEW)
    page.get_by_role("region", name="Links").get_by_role("link", name="Intro call").click()
    expect(page.get_by_role("navigation", name="Length")).to_be_visible()
    page.get_by_role("link", name="30 min").click()
    expect(page.get_by_role("link", name="30 min")).to_have_attribute("aria-current", "true")
    page.locator("#day-after").click()
    page.locator("a.slot").first.click()
    expect(page.get_by_role("heading", name="For whom")).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
def test_a_client_is_booked_for_with_a_thumb(visitors: Visitors, site: Site, ids: dict[str, str], js: bool) -> None:
    """Refused once for a senseless address, and then taken with all that was typed."""
    email = f"thumb-{'with' if js else 'without'}@example.org"
    page = owner(visitors, PHONE, js=js)
    choose(page, ids)
    page.get_by_label("Name", exact=True).fill("Kim Thumb")
    page.locator("#f-email").fill("thumb@nowhere")
    page.get_by_label("What would you like to talk about?").fill("Plans")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.locator("#errors")).to_contain_text("Please enter an e-mail address")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kim Thumb")
    expect(page.get_by_label("What would you like to talk about?")).to_have_value("Plans")
    assert not js or violations(page) == []  # axe is a script
    page.locator("#f-email").fill(email)
    page.get_by_role("button", name="Book", exact=True).click()
    told(page, "It is booked")
    (booking,) = site.bookings_of(email)
    assert (booking["duration"], booking["answers"], booking["status"]) == (30, {"topic": "Plans"}, "confirmed")


def test_what_was_typed_survives_another_choice_of_time(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors, PHONE)
    choose(page, ids)
    before = page.locator(".when").first.inner_text()
    page.get_by_label("Name", exact=True).fill("Kim Thumb")
    page.get_by_role("link", name="Choose another time").click()
    page.locator("a.slot").last.click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Kim Thumb")
    assert page.locator(".when").first.inner_text() != before
    typed = page.locator("#f-start").input_value()
    chosen = page.locator("input[name=chosen]").input_value()
    assert typed != "" and chosen != "" and page.locator("details.disclosure[open]").count() == 0


def test_the_keyboard_reaches_times_and_the_form(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors)
    page.goto(f"{NEW}?offer=link:{ids['intro']}&duration=30")
    current = page.locator("a.day[aria-current]")
    current.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("a.day[aria-current]")).to_be_focused()
    page.locator("a.slot").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What and when")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "f-name":
            break
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_an_employee_finds_their_day_and_their_session(visitors: Visitors, ids: dict[str, str]) -> None:
    """Ana gives the workshop: from its page she books a seat with two clicks and a name."""
    page = sign_in(visitors.page(size=PHONE, timezone="Europe/Berlin"), "ana@example.com")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    page.goto(f"/app/slots/{ids['session']}")
    page.get_by_role("link", name="Book a seat").click()
    expect(page.get_by_label("Seats")).to_have_value("1")
    page.get_by_label("Name", exact=True).fill("Kim Seat")
    page.get_by_role("button", name="Book", exact=True).click()
    told(page, "It is booked")
    page.goto(f"/app/slots/{ids['session']}")
    expect(page.get_by_role("region", name="Who attends")).to_contain_text("Kim Seat")

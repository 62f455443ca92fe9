"""Every signed-in page, light and dark, wide and narrow: no axe violation, nothing too wide, a quiet console."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import mail_to, owner, sign_in
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations

PATHS = {
    "bookings": "/app/bookings",
    "past bookings": "/app/bookings?view=past",
    "cancelled bookings": "/app/bookings?view=cancelled",
    "a booking": "/app/bookings/{booking}",
    "cancelling": "/app/bookings/{booking}/cancel",
    "moving": "/app/bookings/{booking}/move",
    "links": "/app/links",
    "a new link": "/app/links/new",
    "a link": "/app/links/{link}",
    "deleting a link": "/app/links/{link}/delete",
    "one-time links": "/app/links/{link}/one-time",
    "a new one-time link": "/app/links/{link}/one-time/new",
    "availability": "/app/availability",
    "a second schedule": "/app/availability/{schedule}",
    "templates": "/app/templates",
    "a new template": "/app/templates/new",
    "a template": "/app/templates/{template}",
    "connections": "/app/connections",
    "phone": "/app/phone",
    "people": "/app/people",
    "calendars for everybody": "/app/people/calendars",
    "settings": "/app/settings",
    "assistants": "/app/settings/assistants",
    "personal data": "/app/settings/data",
    "analytics": "/app/analytics",
    "audit log": "/app/audit",
    "mails": "/app/mail",
}


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, str]:
    """What the pages are about; each list has something in it."""
    day = str(datetime.now(UTC).date() + timedelta(days=9))
    link = site.api("GET", "/links")["items"][0]["id"]
    site.api("POST", f"/links/{link}/one-time", json={"recipient_email": "robin@example.org"})
    weekly = {"mon": [["09:00", "12:00"], ["13:00", "24:00"]]}
    override, exclusion = {"date": day, "ranges": [["10:00", "11:00"]]}, {"from": day, "to": day, "reason": "Outing"}
    body = {"name": "Summer", "timezone": "UTC", "weekly": weekly, "overrides": [override], "exclusions": [exclusion]}
    me = site.api("GET", "/me")["id"]
    times = {"start": f"{day}T09:00:00Z", "end": f"{day}T17:00:00Z", "reason": "Dentist"}
    site.api("POST", f"/employees/{me}/time-off", json=times)
    site.api("POST", "/me/app-passwords", json={"label": "Tablet"})
    site.client.post("/app/password/forgot", data={"email": "ana@example.com"})
    mail_to(site, "ana@example.com")
    return {
        "link": link,
        "schedule": site.api("POST", "/schedules", json=body)["id"],
        "booking": site.api("GET", "/bookings", params={"status": "confirmed"})["items"][-1]["id"],
        "template": site.api("GET", "/templates")["items"][0]["id"],
    }


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True), (SMALL, False)])
def test_every_page_is_accessible_and_fits(
    visitors: Visitors, ids: dict[str, str], size: tuple[int, int], dark: bool
) -> None:
    page = owner(visitors, size, dark=dark)
    for name, path in PATHS.items():
        answer = page.goto(path.format(**ids))
        assert answer is not None
        assert (name, answer.status) == (name, 200)
        assert (name, violations(page)) == (name, [])
        assert (name, overflow(page)) == (name, 0)
        assert (name, page.locator("h1").count(), page.get_by_role("main").count()) == (name, 1, 1)
        assert (name, page.title().endswith("Halfpast")) == (name, True)


def test_one_mail_is_accessible(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors, PHONE)
    page.goto("/app/mail")
    page.locator(".rows a").first.click()
    expect(page.locator("iframe")).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0


def test_opened_forms_are_accessible(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors, SMALL, dark=True)
    for path in (f"/app/availability/{ids['schedule']}", "/app/connections"):
        page.goto(path)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert violations(page) == []
        assert overflow(page) == 0


def test_the_keyboard_skips_to_the_content_and_reaches_the_navigation(visitors: Visitors) -> None:
    page = owner(visitors)
    page.goto("/app/links")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New link")).to_be_focused()
    current = page.get_by_role("navigation", name="Main").locator("[aria-current=page]")
    expect(current).to_have_text("Links")


def test_without_scripts_nothing_is_missing_but_comfort(visitors: Visitors, ids: dict[str, str]) -> None:
    page = owner(visitors, PHONE, js=False)
    for path in PATHS.values():
        answer = page.goto(path.format(**ids))
        assert answer is not None
        assert answer.status == 200
    page.goto("/app/links")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)  # a button that could do nothing is not shown


def test_employees_have_pages_that_fit_too(visitors: Visitors) -> None:
    page: Page = sign_in(visitors.page(size=SMALL), "ben@example.com")
    for path in ("/app/bookings", "/app/availability", "/app/connections", "/app/phone", "/app/settings"):
        page.goto(path)
        assert (path, violations(page), overflow(page)) == (path, [], 0)

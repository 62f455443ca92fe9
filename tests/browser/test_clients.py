"""Clients, the block list, booking for somebody, and the rules of a booking, as people see them."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.signed_in import SECONDS, owner, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations


@pytest.fixture(scope="module")
def client(site: Site) -> dict[str, Any]:
    """The newest client; the worker files the bookings of the demo."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := site.api("GET", "/clients")["items"]:
            newest: dict[str, Any] = found[0]
            return newest
        time.sleep(0.2)
    raise AssertionError("nobody was filed")


@pytest.fixture(scope="module")
def ruled(site: Site) -> str:
    """The public token of a link with rules, and a fee."""
    link = site.make_link(
        "ruled", cancel_until=60, reschedule_until=1440, max_reschedules=2, cancel_fee=2000, fee_currency="EUR"
    )
    return str(link["token"])


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True), (SMALL, False)])
def test_the_pages_are_accessible_and_fit(
    visitors: Visitors, client: dict[str, Any], size: tuple[int, int], dark: bool
) -> None:
    page = owner(visitors, size, dark=dark)
    for path in (
        "/app/clients",
        "/app/clients?q=nobody-of-this-name",
        f"/app/clients/{client['id']}",
        "/app/clients/blocked",
        "/app/bookings/new",
        f"/app/bookings/new?client={client['id']}",
    ):
        answer = page.goto(path)
        assert answer is not None
        assert (path, answer.status) == (path, 200)
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert (path, violations(page)) == (path, [])
        assert (path, overflow(page)) == (path, 0)


def test_a_client_is_found_noted_and_booked_for(visitors: Visitors, client: dict[str, Any]) -> None:
    """Without scripts."""
    page = owner(visitors, js=False)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Clients").click()
    page.get_by_label("Name, e-mail or phone").fill(client["email"])
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=client["name"]).click()
    page.get_by_label("Notes").fill("Prefers mornings")
    page.get_by_role("button", name="Save client").click()
    told(page, "Saved")
    expect(page.get_by_label("Notes")).to_have_value("Prefers mornings")
    page.get_by_role("link", name="Book for them").click()
    page.get_by_role("region", name="Links").get_by_role("link", name="Intro call").click()
    page.get_by_role("link", name="15 min").click()
    page.locator("a.slot").first.click()
    expect(page.get_by_label("Name", exact=True)).to_have_value(client["name"])
    page.get_by_text("Type a time, or go outside the rules").click()
    page.get_by_label("Book outside the rules").check()
    page.get_by_role("button", name="Book", exact=True).click()
    told(page, "It is booked")
    page.get_by_label("For staff alone").fill("Owes us a coffee")
    page.get_by_role("button", name=re.compile("Save note for staff")).click()
    told(page, "Saved")
    expect(page.get_by_label("For staff alone")).to_have_value("Owes us a coffee")
    expect(page.get_by_text("changed the note for staff")).to_be_visible()


def test_somebody_is_blocked_and_let_in_again(visitors: Visitors) -> None:
    page = owner(visitors)
    page.goto("/app/clients/blocked")
    page.get_by_label("By").select_option("domain")
    page.get_by_label("Address, domain or number").fill("spam.example")
    page.get_by_role("button", name="Block", exact=True).click()
    told(page, "cannot book any more")
    page.get_by_role("button", name="Unblock spam.example").click()
    told(page, "They can book again")
    expect(page.get_by_text("Nobody is blocked")).to_be_visible()


def test_the_rules_are_read_before_booking_and_on_the_bookings_page(visitors: Visitors, ruled: str) -> None:
    page = visitors.page(size=PHONE, timezone="Europe/Berlin")
    page.goto("/" + ruled.replace(".", "/"))
    expect(page.get_by_text("Cancel up to 1 hour before it begins")).to_be_visible()
    expect(page.get_by_text("Move twice, up to 1 day before it begins")).to_be_visible()
    assert (violations(page), overflow(page)) == ([], 0)
    page.locator("a[href*='start=']").last.click()
    page.get_by_label("Your name").fill("Robin")
    page.get_by_label("E-mail").fill("robin@example.org")
    page.get_by_role("button", name="Book this time").click()
    expect(page.get_by_text(re.compile("You can cancel until .* Cancelling costs .20.00"))).to_be_visible()
    assert (violations(page), overflow(page)) == ([], 0)
    page.get_by_role("link", name="Cancel booking").click()
    expect(page.get_by_text(re.compile("Cancelling costs .20.00"))).to_be_visible()
    assert (violations(page), overflow(page)) == ([], 0)
    page.get_by_role("button", name="Cancel booking").click()
    expect(page.get_by_role("heading", name="This booking was cancelled")).to_be_visible()

"""Recipients come back to their bookings: look, move, cancel, without an account."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import PHONE, Site, Visitors


def book(page: Page, email: str, link: str = "/demo/intro") -> str:
    """Book the first time; the path of the booking's page."""
    page.goto(link)
    page.locator("a.slot").first.click()
    page.get_by_label("Your name").fill("Robin Recipient")
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name="Book this time").click()
    page.wait_for_url("**/booking/**")
    return urlsplit(page.url).path


@pytest.mark.parametrize("js", [True, False])
def test_moving_a_booking(visitors: Visitors, site: Site, js: bool) -> None:
    page = visitors.page(js=js)
    email = f"move-{js}@example.org".lower()
    path = book(page, email)
    before = site.bookings_of(email)[0]
    page.get_by_role("link", name="Move").click()
    expect(page.get_by_role("heading", name="Choose a new time")).to_be_visible()
    shown = page.locator("#day-name").inner_text()
    page.locator("#day-after").click()
    expect(page.locator("#day-name")).not_to_have_text(shown)
    page.locator("a.slot").last.click()
    expect(page.get_by_role("heading", name="Move this booking?")).to_be_visible()
    assert site.bookings_of(email)[0]["start"] == before["start"]
    page.get_by_role("button", name="Move booking").click()
    expect(page).to_have_url(re.compile(r"\?did=moved$"))
    expect(page.get_by_text("Your booking was moved")).to_be_visible()
    after = site.bookings_of(email)[0]
    assert after["start"] > before["start"]
    assert (after["id"], after["sequence"]) == (before["id"], before["sequence"] + 1)
    assert urlsplit(page.url).path == path


@pytest.mark.parametrize("js", [True, False])
def test_cancelling_a_booking_with_a_reason(visitors: Visitors, site: Site, js: bool) -> None:
    page = visitors.page(js=js)
    email = f"cancel-{js}@example.org".lower()
    book(page, email)
    page.get_by_role("link", name="Cancel booking").click()
    assert site.bookings_of(email)[0]["status"] == "confirmed"
    page.get_by_label("Reason").fill("I am ill")
    page.get_by_role("button", name="Cancel booking").click()
    expect(page.get_by_role("heading", name="This booking was cancelled")).to_be_visible()
    expect(page.get_by_text("I am ill")).to_be_visible()
    expect(page.get_by_role("link", name="Move")).to_have_count(0)
    expect(page.get_by_role("link", name="Book another time")).to_be_visible()
    booking = site.bookings_of(email)[0]
    assert (booking["status"], booking["cancel_reason"]) == ("cancelled", "I am ill")


def test_a_cancelled_booking_can_be_neither_moved_nor_cancelled_again(visitors: Visitors, site: Site) -> None:
    page = visitors.page()
    path = book(page, "over@example.org")
    assert site.client.post(f"{path}/cancel", data={}).status_code == 303
    assert site.client.post(f"{path}/cancel", data={}).status_code == 303  # a second click finds it done
    for step in ("move", "cancel"):
        page.goto(f"{path}/{step}")
        expect(page).to_have_url(re.compile(re.escape(path) + "$"))
    start = site.bookings_of("over@example.org")[0]["start"]
    assert site.client.post(f"{path}/move", data={"start": start, "duration": "30"}).status_code == 422


def test_a_time_taken_meanwhile_offers_others_to_move_to(visitors: Visitors) -> None:
    mover, other = visitors.page(), visitors.page()
    book(mover, "mover@example.org")
    mover.get_by_role("link", name="Move").click()
    mover.locator("a.slot").first.click()
    expect(mover.get_by_role("heading", name="Move this booking?")).to_be_visible()
    wanted = mover.locator("input[name=start]").input_value()
    other.goto(f"/demo/intro?duration=15&start={wanted}")
    other.get_by_label("Your name").fill("Other")
    other.get_by_label("E-mail", exact=True).fill("other@example.org")
    other.get_by_role("button", name="Book this time").click()
    other.wait_for_url("**/booking/**")
    mover.get_by_role("button", name="Move booking").click()
    expect(mover.get_by_role("alert")).to_contain_text("just taken")
    mover.get_by_role("radio").first.check()
    mover.get_by_role("button", name="Move booking").click()
    expect(mover).to_have_url(re.compile(r"\?did=moved$"))


def test_a_page_left_open_does_not_overwrite_what_happened_since(visitors: Visitors, site: Site) -> None:
    old, new = visitors.page(), visitors.page()
    path = book(old, "stale@example.org")
    old.goto(f"{path}/cancel")
    new.goto(f"{path}/move")
    new.locator("a.slot").last.click()
    new.get_by_role("button", name="Move booking").click()
    expect(new).to_have_url(re.compile(r"\?did=moved$"))
    old.get_by_role("button", name="Cancel booking").click()
    expect(old.get_by_role("heading", name="The booking was changed meanwhile")).to_be_visible()
    assert site.bookings_of("stale@example.org")[0]["status"] == "confirmed"
    old.get_by_role("link", name="Show the booking").click()
    expect(old.get_by_role("heading", name="Your booking")).to_be_visible()


def test_a_request_waits_for_approval(visitors: Visitors, site: Site) -> None:
    site.make_link("approved", requires_approval=True)
    page = visitors.page()
    page.goto("/demo/approved")
    expect(page.get_by_text("Each request is approved by hand")).to_be_visible()
    page.locator("a.slot").first.click()
    page.get_by_label("Your name").fill("Robin")
    page.get_by_label("E-mail", exact=True).fill("approve@example.org")
    page.get_by_role("button", name="Request this time").click()
    expect(page.get_by_role("heading", name="Waiting for approval")).to_be_visible()
    site.api("POST", f"/bookings/{site.bookings_of('approve@example.org')[0]['id']}/confirm")
    page.reload()
    expect(page.get_by_role("heading", name="You are booked")).to_be_visible()


def test_the_calendar_file_is_that_booking(visitors: Visitors, site: Site) -> None:
    page = visitors.page(size=PHONE)
    book(page, "file@example.org")
    link = page.get_by_role("link", name="Apple Calendar and others (.ics)")
    answer = site.client.get(link.get_attribute("href") or "")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert site.bookings_of("file@example.org")[0]["uid"] in answer.text.replace("\r\n ", "")
    for name in ("Google Calendar", "Outlook.com", "Microsoft 365"):
        expect(page.get_by_role("link", name=name)).to_have_attribute("rel", "noopener noreferrer")


def test_looking_changes_nothing_and_tokens_stay_on_the_page(visitors: Visitors, site: Site) -> None:
    page = visitors.page()
    path = book(page, "look@example.org")
    version = site.bookings_of("look@example.org")[0]["version"]
    for step in ("", "/move", "/cancel"):
        answer = site.client.get(path + step)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
    assert site.bookings_of("look@example.org")[0]["version"] == version


def test_the_page_prints_without_its_controls(visitors: Visitors) -> None:
    page = visitors.page()
    book(page, "print@example.org")
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="Move")).to_be_hidden()
    expect(page.get_by_text("Intro call").first).to_be_visible()


def test_a_strangers_guess_finds_nothing(site: Site) -> None:
    answer: httpx.Response = site.client.get("/booking/0123456789abcdefghijklmnopqrstuv")
    assert answer.status_code == 404
    assert "We cannot find this page" in answer.text

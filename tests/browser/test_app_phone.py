"""Setting up a phone: from the picture on one screen to the account on another, and the light that tells of it."""

from __future__ import annotations

import plistlib
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import owner
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations
from tests.support.ical import ics

pytestmark = pytest.mark.timeout(180)


def offer(page: Page, label: str) -> str:
    """The address behind the picture of a new link."""
    page.goto("/app/phone")
    page.get_by_label("Name of the phone").fill(label)
    page.get_by_label("Name of the phone").press("Enter")
    made = page.get_by_role("region", name=re.compile("Scan this with"))
    expect(made.get_by_role("img", name=re.compile("QR code")).locator("svg")).to_be_visible()
    expect(made.get_by_role("heading")).to_be_focused()
    return made.locator("code").inner_text()


def synced(site: Site, password: str) -> int:
    """A device asks for the calendars."""
    body = '<propfind xmlns="DAV:"><allprop/></propfind>'
    headers = {"Depth": "0", "Content-Type": "application/xml"}
    path = f"{site.address}/dav/calendars/owner/"
    return httpx.request("PROPFIND", path, auth=("owner", password), headers=headers, content=body).status_code


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True), (SMALL, True)])
def test_the_pages_of_setting_up_are_accessible_and_fit(visitors: Visitors, size: tuple[int, int], dark: bool) -> None:
    page = owner(visitors, size, dark=dark)
    address = offer(page, "A telephone with quite a long name")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert (violations(page), overflow(page)) == ([], 0)
    phone = visitors.page(size=size, dark=dark)
    phone.goto(address)
    assert (violations(phone), overflow(phone)) == ([], 0)
    phone.get_by_role("button", name="Show what is needed").click()
    expect(phone.get_by_role("heading", name=re.compile("needs"))).to_be_visible()
    assert (violations(phone), overflow(phone)) == ([], 0)
    phone.goto(address)
    expect(phone.get_by_role("heading", name="This link is not good any more")).to_be_visible()
    assert (violations(phone), overflow(phone)) == ([], 0)


def test_right_to_left_the_page_is_mirrored_and_fits(visitors: Visitors) -> None:
    page = owner(visitors, SMALL)
    offer(page, "هاتفي")
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert overflow(page) == 0
    assert violations(page) == []


def test_a_phone_is_set_up_and_the_open_page_tells_when_it_has_synced(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    address = offer(page, "My telephone")
    awaited = page.locator("#awaited")
    expect(awaited).to_have_text("Waiting for the phone")
    phone = visitors.page(size=PHONE)
    phone.goto(address)
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Download the profile").click()
    [account] = plistlib.loads(download.value.path().read_bytes())["PayloadContent"]
    expect(awaited).to_have_text("My telephone is set up, and has not synced yet", timeout=30_000)
    assert synced(site, account["CalDAVPassword"]) == 207
    expect(awaited).to_have_text("My telephone: seen just now", timeout=30_000)
    page.goto("/app/phone")
    expect(page.get_by_role("listitem").filter(has_text="My telephone")).to_contain_text("seen just now")


def test_without_scripts_a_phone_is_set_up_too(visitors: Visitors, site: Site) -> None:
    address = offer(owner(visitors, js=False), "Tablet")
    phone = visitors.page(size=PHONE, js=False)
    phone.goto(address)
    phone.get_by_role("button", name="Show what is needed").press("Enter")
    password = phone.locator("dl code").last.inner_text()
    assert synced(site, password) == 207


def test_a_calendar_stops_blocking_by_keyboard(visitors: Visitors) -> None:
    page = owner(visitors)
    page.goto("/app/phone")
    box = page.get_by_role("group", name="Whose events block your time").get_by_role("checkbox").first
    expect(box).to_be_checked()
    box.press("Space")
    page.get_by_role("region", name="Calendars of your devices").get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(box).not_to_be_checked()
    box.press("Space")
    page.get_by_role("region", name="Calendars of your devices").get_by_role("button", name="Save").click()
    expect(box).to_be_checked()


def test_a_feed_of_a_link_is_made_with_what_was_chosen(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto("/app/phone")
    page.get_by_label("What it shows").select_option(label="All bookings of the link “Intro call”")
    page.get_by_text("How far, and reminders").click()
    page.get_by_label("How far ahead").select_option("A month")
    page.get_by_label("Remind", exact=True).select_option("Never")
    page.get_by_role("button", name="Make feed").click()
    line = page.get_by_role("listitem").filter(has_text="Bookings of a link")
    expect(line).to_contain_text("30 days ahead · no reminders")
    google = line.get_by_role("link", name="Add to Google").get_attribute("href") or ""
    assert google.startswith("https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2F")
    text = site.client.get(line.locator("code").inner_text()).text
    assert "BEGIN:VEVENT" in text
    assert "BEGIN:VALARM" not in text


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (DESKTOP, True), (SMALL, True)])
def test_a_feed_is_changed_at_its_address(visitors: Visitors, site: Site, size: tuple[int, int], dark: bool) -> None:
    page = owner(visitors, size, dark=dark)
    page.goto("/app/phone")
    line = page.get_by_role("region", name="Feeds to subscribe to").get_by_role("listitem").first
    address = line.locator("code").inner_text()
    line.get_by_role("link", name=re.compile("^Change")).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert (violations(page), overflow(page)) == ([], 0)
    page.get_by_label("Name").fill("Kitchen")
    page.get_by_label("Remind", exact=True).select_option("Never")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    line = page.get_by_role("listitem").filter(has_text="Kitchen")
    expect(line).to_contain_text("no reminders")
    assert line.locator("code").inner_text() == address
    assert "BEGIN:VALARM" not in site.client.get(address).text


def test_what_a_device_lost_is_decided_beside_it(visitors: Visitors, site: Site) -> None:
    page = owner(visitors, SMALL)
    page.goto("/app/phone")
    page.get_by_role("textbox", name="Device").fill("Tablet")
    page.get_by_role("button", name="Make app password").click()
    password = page.get_by_role("region", name=re.compile("Your app password")).locator("code").inner_text()
    for title in ("Dentist", "Tailor"):
        text = ics(title, f"SUMMARY:{title}")
        headers = {"Content-Type": "text/calendar", "If-Match": '"old"'}
        path = f"{site.address}/dav/calendars/owner/personal/{title}.ics"
        answer = httpx.put(path, auth=("owner", password), headers=headers, content=text)
        assert answer.status_code == 412
    page.goto("/app/phone")
    lost = page.get_by_role("region", name="Not taken from your devices")
    expect(lost).to_contain_text("Dentist")
    assert (violations(page), overflow(page)) == ([], 0)
    lost.get_by_role("button", name="Dismiss Tailor").press("Enter")
    expect(page).to_have_url(re.compile(r"/app/phone\?did=dismissed"))
    lost.get_by_role("button", name="Keep as a copy Dentist").click()
    expect(page.get_by_text("A copy is in your personal calendar.")).to_be_visible()
    expect(lost).to_have_count(0)

"""What owners see and do of their bookings."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import mail_to, owner, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations
from tests.support.ical import ics


def book(site: Site, slug: str, name: str, *, number: int = 0) -> str:
    """Book a free time of a link by the API; the booking's id."""
    today = datetime.now(UTC).date()
    asked = {"from": str(today), "to": str(today + timedelta(days=14)), "duration": "30", "timezone": "Europe/Berlin"}
    days = site.client.get(f"/api/v1/public/demo.{slug}/availability", params=asked).json()["days"]
    start = [slot["start"] for day in days for slot in day["slots"]][number]
    email = f"{name.split()[0].lower()}@example.org"
    wanted = {"start": start, "duration": 30, "timezone": "America/New_York", "name": name, "email": email}
    answer = site.client.post(f"/api/v1/public/demo.{slug}/book", json=wanted)
    assert answer.status_code == 201, answer.text
    found: str = site.bookings_of(email)[0]["id"]
    return found


def open_booking(page: Page, name: str) -> None:
    """From the list."""
    page.goto("/app/bookings")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def test_upcoming_bookings_stand_by_local_day_and_lead_to_their_details(visitors: Visitors, site: Site) -> None:
    site.make_link("listed")
    book(site, "listed", "Lara Listed")
    page = owner(visitors)
    days = page.get_by_role("heading", level=2).all_inner_texts()
    assert days
    assert all(re.search(r"\d+ [A-Z][a-z]+", day) for day in days)
    page.get_by_role("link", name="Lara Listed").click()
    expect(page.get_by_text("lara@example.org")).to_be_visible()
    expect(page.get_by_text("for the recipient in New York")).to_be_visible()
    expect(page.get_by_text("The link “Listed”")).to_be_visible()
    expect(page.get_by_text("Lara Listed booked")).to_be_visible()
    for view, name in (("Past", "Casey Client"), ("Cancelled", "No cancelled bookings"), ("To approve", "Nothing")):
        page.goto("/app/bookings")
        page.get_by_role("navigation", name="Which bookings").get_by_role("link", name=view).click()
        expect(page.get_by_text(name).first).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
def test_moving_a_booking(visitors: Visitors, site: Site, js: bool) -> None:
    site.make_link(f"movable-{js}".lower())
    booking_id = book(site, f"movable-{js}".lower(), f"Mona{js} Movable")
    before = site.api("GET", f"/bookings/{booking_id}")
    page = owner(visitors, js=js)
    open_booking(page, f"Mona{js} Movable")
    page.get_by_role("link", name="Move").click()
    shown = page.locator("#day-name").inner_text()
    page.locator("#day-after").click()
    expect(page.locator("#day-name")).not_to_have_text(shown)
    page.locator("a.slot").last.click()
    expect(page.get_by_role("heading", name="Move this booking?")).to_be_visible()
    assert site.api("GET", f"/bookings/{booking_id}")["start"] == before["start"]
    page.get_by_role("button", name="Move booking").click()
    told(page, "The booking was moved.")
    expect(page.get_by_text("Olivia Owner moved it from")).to_be_visible()
    after = site.api("GET", f"/bookings/{booking_id}")
    assert (after["start"] > before["start"], after["sequence"]) == (True, before["sequence"] + 1)


@pytest.mark.parametrize("js", [True, False])
def test_cancelling_a_booking_with_a_reason(visitors: Visitors, site: Site, js: bool) -> None:
    site.make_link(f"off-{js}".lower())
    booking_id = book(site, f"off-{js}".lower(), f"Otto{js} Off")
    page = owner(visitors, js=js)
    open_booking(page, f"Otto{js} Off")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancel this booking?")).to_be_visible()
    assert not js or violations(page) == []  # axe needs scripts itself
    page.get_by_label("Reason").fill("I am ill")
    page.get_by_role("button", name="Cancel booking").click()
    told(page, "The booking was cancelled.")
    expect(page.get_by_text("I am ill")).to_be_visible()
    expect(page.get_by_role("link", name="Move")).to_have_count(0)
    booking = site.api("GET", f"/bookings/{booking_id}")
    assert (booking["status"], booking["cancel_reason"]) == ("cancelled", "I am ill")
    page.goto("/app/bookings?view=cancelled")
    expect(page.get_by_role("link", name=f"Otto{js} Off")).to_be_visible()


def test_requests_wait_for_approval_and_are_confirmed_or_declined(visitors: Visitors, site: Site) -> None:
    site.make_link("asking", requires_approval=True)
    book(site, "asking", "Paula Pending")
    book(site, "asking", "Quentin Quiet", number=3)
    page = owner(visitors)
    page.get_by_role("link", name=re.compile("To approve")).click()
    page.get_by_role("link", name="Paula Pending").click()
    expect(page.get_by_text("The time is held until")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    told(page, "The booking is confirmed.")
    page.goto("/app/bookings?view=pending")
    page.get_by_role("link", name="Quentin Quiet").click()
    page.get_by_role("link", name="Decline").click()
    page.get_by_role("button", name="Decline request").click()
    told(page, "The booking was cancelled.")
    page.goto("/app/bookings?view=pending")
    expect(page.get_by_role("heading", name="Nothing to approve")).to_be_visible()


def test_a_past_booking_is_marked_as_missed_and_set_back(visitors: Visitors, site: Site) -> None:
    done = site.api("GET", "/bookings", params={"status": "completed"})["items"]
    page = owner(visitors)
    page.goto(f"/app/bookings/{done[-1]['id']}")
    expect(page.get_by_text("Completed", exact=True)).to_be_visible()
    # More than a day after its end nothing can be corrected any more.
    expect(page.get_by_role("button", name="Set back to confirmed")).to_have_count(0)
    expect(page.get_by_role("link", name="Move")).to_have_count(0)


def test_a_note_is_kept(visitors: Visitors, site: Site) -> None:
    site.make_link("noted")
    booking_id = book(site, "noted", "Nina Noted")
    page = owner(visitors, PHONE)
    page.goto(f"/app/bookings/{booking_id}")
    page.get_by_role("textbox", name="Note").fill("Bring the plans\nand a pen")
    page.get_by_role("button", name="Save note", exact=True).click()
    told(page, "Saved.")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Bring the plans\nand a pen")
    assert site.api("GET", f"/bookings/{booking_id}")["notes"] == "Bring the plans\nand a pen"


def test_what_somebody_changed_meanwhile_is_not_overwritten(visitors: Visitors, site: Site) -> None:
    site.make_link("twice")
    booking_id = book(site, "twice", "Tom Twice")
    page = owner(visitors)
    page.goto(f"/app/bookings/{booking_id}")
    site.api("PATCH", f"/bookings/{booking_id}", json={"notes": "Saved by somebody else"})
    page.get_by_role("textbox", name="Note").fill("Mine")
    page.get_by_role("button", name="Save note", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("changed meanwhile")
    assert site.api("GET", f"/bookings/{booking_id}")["notes"] == "Saved by somebody else"


def test_a_time_taken_meanwhile_offers_others(visitors: Visitors, site: Site) -> None:
    site.make_link("raced")
    booking_id = book(site, "raced", "Rita Raced")
    page = owner(visitors)
    page.goto(f"/app/bookings/{booking_id}/move")
    page.locator("a.slot").nth(2).click()
    expect(page.get_by_role("heading", name="Move this booking?")).to_be_visible()
    start = page.locator("input[name=start]").input_value()
    wanted = {"start": start, "duration": 30, "timezone": "UTC", "name": "Fast", "email": "fast@example.org"}
    assert site.client.post("/api/v1/public/demo.raced/book", json=wanted).status_code == 201
    page.get_by_role("button", name="Move booking").click()
    expect(page.get_by_text("These times are near and free")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Move booking").click()
    told(page, "The booking was moved.")


def test_the_recipient_gets_mail_about_what_the_owner_did(visitors: Visitors, site: Site) -> None:
    site.make_link("told")
    booking_id = book(site, "told", "Tilda Told")
    mail_to(site, "tilda@example.org")
    page = owner(visitors)
    page.goto(f"/app/bookings/{booking_id}/cancel")
    page.get_by_role("button", name="Cancel booking").click()
    told(page, "The booking was cancelled.")
    assert mail_to(site, "tilda@example.org", "ancel")


@pytest.mark.parametrize(("size", "dark"), [(SMALL, False), (DESKTOP, True)])
def test_what_a_phone_lost_is_kept_as_a_copy(visitors: Visitors, site: Site, size: tuple[int, int], dark: bool) -> None:
    """At 320 pixels and on a desk, by light and in the dark."""
    title = f"Dentist {size[0]}"
    made = site.api("POST", "/me/app-passwords", json={"label": "Olivia’s phone with a rather long name"})
    handle = site.api("GET", "/me")["handle"]
    path = f"/dav/calendars/{handle}/personal/lost-{size[0]}.ics"
    text = ics(f"lost-{size[0]}", f"SUMMARY:{title}")
    headers = {"Content-Type": "text/calendar", "If-Match": '"old"'}
    refused = site.client.put(path, content=text, headers=headers, auth=(handle, made["password"]))
    assert refused.status_code == 412
    page = owner(visitors, size, dark=dark)
    page.goto("/app/bookings")
    expect(page.get_by_role("heading", name="Not taken from your devices")).to_be_visible()
    expect(page.get_by_text(title, exact=True).first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0
    page.get_by_role("button", name=f"Keep as a copy {title}").click()
    told(page, "A copy is in your personal calendar.")
    expect(page.get_by_role("button", name=f"Keep as a copy {title}")).to_have_count(0)

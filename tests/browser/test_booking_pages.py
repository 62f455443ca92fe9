"""Recipients book: with and without JavaScript, by keyboard, on small screens, and with things going wrong."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations

INTRO = "/demo/intro"
NEXT_MONTH = f"{INTRO}?month={(datetime.now(UTC).replace(day=1) + timedelta(days=32)):%Y-%m}"
"""A whole month of free times, whatever day it is."""
CONFIRMED = re.compile(r"/booking/[^/?]+\?did=booked$")


def pick_a_time(page: Page) -> str:
    """Choose the first time shown; its label."""
    slot = page.locator("a.slot").first
    label = slot.inner_text()
    slot.click()
    expect(page.get_by_role("heading", name="Your details")).to_be_visible()
    return label


def fill_in(page: Page, name: str = "Nina Newcomer", email: str = "nina@example.org") -> None:
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail", exact=True).fill(email)


def send(page: Page) -> None:
    page.get_by_role("button", name="Book this time").click()


def test_booking_with_javascript_in_ones_own_zone(visitors: Visitors, site: Site) -> None:
    page = visitors.page(size=DESKTOP, timezone="America/New_York")
    page.goto(INTRO)
    expect(page.get_by_role("heading", name="Intro call")).to_be_visible()
    expect(page.get_by_text("Olivia Owner").first).to_be_visible()
    expect(page.locator("#tz-summary")).to_contain_text("New York")
    expect(page.get_by_text("First free day")).to_be_visible()

    page.get_by_role("link", name="30 min").click()
    expect(page.get_by_role("link", name="30 min")).to_have_attribute("aria-current", "true")
    shown = page.locator("#month-name").inner_text()
    page.locator("#month-after").click()
    expect(page.locator("#month-name")).not_to_have_text(shown)
    second = page.locator("a.day:not([aria-current])").first
    told = second.get_attribute("aria-label") or ""
    second.click()
    expect(page.locator("#day-name")).to_have_text(told.rpartition(",")[0])
    expect(page.locator("#announcer")).to_have_text(re.compile(r": \d+ free times?\."))
    assert page.evaluate("document.activeElement.getAttribute('aria-current')") == "date"

    label = pick_a_time(page)
    fill_in(page)
    page.get_by_label("What would you like to talk about?").fill("A plan\nin two lines")
    page.get_by_label("A friend").check()
    send(page)
    expect(page).to_have_url(CONFIRMED)
    expect(page.get_by_role("heading", name="You are booked")).to_be_visible()
    expect(page.locator(".when").first).to_contain_text(f"{label} –")
    expect(page.locator(".when").first).to_contain_text("New York time")
    expect(page.get_by_text("for your host in Berlin")).to_be_visible()
    expect(page.get_by_text("A plan\nin two lines")).to_be_visible()
    booked = site.bookings_of("nina@example.org")[0]
    assert (booked["status"], booked["duration"], booked["timezone"]) == ("confirmed", 30, "America/New_York")
    assert booked["answers"] == {"topic": "A plan\nin two lines", "heard": "A friend"}


def test_booking_without_javascript_on_a_small_screen(visitors: Visitors, site: Site) -> None:
    page = visitors.page(size=SMALL, js=False)
    page.goto(INTRO)
    expect(page.locator("#tz-summary")).to_contain_text("Berlin")
    page.locator("#tz-summary").click()
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Show times").click()
    expect(page.locator("#tz-summary")).to_contain_text("Tokyo GMT+9")
    page.get_by_role("link", name="1 h").click()
    page.locator("#day-after").click()
    expect(page.locator("#tz-summary")).to_contain_text("Tokyo")
    pick_a_time(page)
    expect(page.locator(".when")).to_contain_text("Tokyo time (GMT+9)")
    fill_in(page, email="small@example.org")
    send(page)
    expect(page).to_have_url(CONFIRMED)
    booked = site.bookings_of("small@example.org")[0]
    assert (booked["duration"], booked["timezone"]) == (60, "Asia/Tokyo")


def test_nothing_but_the_keyboard(visitors: Visitors) -> None:
    page = visitors.page(size=DESKTOP, timezone="Europe/Berlin")
    page.goto(NEXT_MONTH)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('day')"):
            break
    chosen = page.locator("a.day[aria-current]")
    expect(chosen).to_be_focused()
    days = page.locator("a.day")
    page.keyboard.press("ArrowRight")
    expect(days.nth(1)).to_be_focused()
    page.keyboard.press("Home")
    expect(days.first).to_be_focused()
    page.keyboard.press("End")
    expect(days.last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("a.day").last).to_have_attribute("aria-current", "date")
    expect(page.locator("a.day").last).to_be_focused()
    for _ in range(6):  # past the zone and the ways to other days
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('slot')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your details")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("Kim Keyboard")
    page.keyboard.press("Tab")
    page.keyboard.type("kim@example.org")
    page.keyboard.press("Enter")
    expect(page).to_have_url(CONFIRMED)


def test_up_and_down_go_to_the_same_weekday(visitors: Visitors) -> None:
    page = visitors.page(size=DESKTOP, timezone="Europe/Berlin")
    page.goto(NEXT_MONTH)
    first = page.locator("a.day").first
    expect(first).to_have_attribute("aria-current", "date")
    first.focus()
    started = date.fromisoformat((first.get_attribute("id") or "").removeprefix("day-"))
    page.keyboard.press("ArrowDown")
    arrived = date.fromisoformat(page.evaluate("document.activeElement.id").removeprefix("day-"))
    assert (arrived - started).days == 7
    page.keyboard.press("ArrowUp")
    expect(first).to_be_focused()


def test_errors_stand_at_their_fields_and_the_form_is_kept(visitors: Visitors, site: Site) -> None:
    page = visitors.page(js=False)
    page.goto(INTRO)
    pick_a_time(page)
    fill_in(page, email="robin@example")  # good enough for the browser, not for mail
    page.get_by_label("What would you like to talk about?").fill("Still here")
    page.get_by_label("The web").check()
    page.get_by_text("Add guests or a note").click()
    page.get_by_label("Guests").fill("nobody")
    send(page)
    expect(page).to_have_title(re.compile("^Error: "))
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(2)
    email = page.get_by_label("E-mail", exact=True)
    expect(email).to_have_value("robin@example")
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(page.locator(f"#{email.get_attribute('aria-describedby')}")).to_contain_text("e-mail address")
    expect(page.get_by_label("Your name")).to_have_value("Nina Newcomer")
    expect(page.get_by_label("What would you like to talk about?")).to_have_value("Still here")
    expect(page.get_by_label("The web")).to_be_checked()
    expect(page.get_by_label("Guests")).to_have_value("nobody")
    summary.get_by_role("link").first.click()
    expect(email).to_be_focused()
    email.fill("errors@example.org")
    page.get_by_label("Guests").fill("guest@example.org")
    send(page)
    expect(page).to_have_url(CONFIRMED)
    assert site.bookings_of("errors@example.org")[0]["guests"] == ["guest@example.org"]


@pytest.mark.parametrize("js", [True, False])
def test_a_time_taken_meanwhile_gives_way_to_a_near_one(visitors: Visitors, site: Site, js: bool) -> None:
    slow, quick = visitors.page(js=js), visitors.page(js=js)
    slow.goto(INTRO)
    pick_a_time(slow)
    quick.goto(slow.url)
    for page, name in ((quick, "quick"), (slow, "slow")):
        fill_in(page, email=f"{name}{js}@example.org".lower())
        page.get_by_label("What would you like to talk about?").fill(f"I am {name}")
    send(quick)
    expect(quick).to_have_url(CONFIRMED)
    send(slow)
    expect(slow.get_by_role("alert")).to_contain_text("just taken")
    expect(slow.get_by_label("What would you like to talk about?")).to_have_value("I am slow")
    offers = slow.get_by_role("group", name=re.compile("These times are near and free")).get_by_role("radio")
    assert offers.count() >= 3
    offers.first.check()
    send(slow)
    expect(slow).to_have_url(CONFIRMED)
    assert len(site.bookings_of(f"slow{js}@example.org".lower())) == 1


def test_a_double_click_books_once(visitors: Visitors, site: Site) -> None:
    page = visitors.page()
    page.goto(INTRO)
    pick_a_time(page)
    fill_in(page, email="double@example.org")
    page.get_by_role("button", name="Book this time").dblclick()
    expect(page).to_have_url(CONFIRMED)
    assert len(site.bookings_of("double@example.org")) == 1


def test_a_form_sent_twice_leads_to_the_one_booking(visitors: Visitors, site: Site) -> None:
    """What a browser does that reloads the answer to a POST."""
    page = visitors.page(js=False)
    page.goto(INTRO)
    pick_a_time(page)
    fields = {
        field.get_attribute("name") or "": field.input_value()
        for field in page.locator("form input[type=hidden]").all()
    }
    form = {**fields, "name": "Twice", "email": "twice@example.org"}
    first, second = (site.client.post(INTRO, data=form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert len(site.bookings_of("twice@example.org")) == 1
    changed = site.client.post(INTRO, data={**form, "name": "Somebody else"})
    assert changed.status_code == 422
    assert "This form was used already" in changed.text


def test_what_was_typed_survives_a_look_at_other_times(visitors: Visitors) -> None:
    page = visitors.page()
    page.goto(NEXT_MONTH)
    pick_a_time(page)
    fill_in(page)
    page.get_by_label("An event").check()
    page.get_by_role("link", name="Choose another time").click()
    page.locator("a.slot").nth(1).click()
    expect(page.get_by_label("Your name")).to_have_value("Nina Newcomer")
    expect(page.get_by_label("An event")).to_be_checked()


def test_the_way_back_leads_through_what_was_seen(visitors: Visitors) -> None:
    page = visitors.page(timezone="Europe/Berlin")
    page.goto(INTRO)
    first = page.locator("#day-name").inner_text()
    page.locator("#day-after").click()
    expect(page.locator("#day-name")).not_to_have_text(first)
    pick_a_time(page)
    page.go_back()
    expect(page.locator("#day-name")).not_to_have_text(first)
    page.go_back()
    expect(page.locator("#day-name")).to_have_text(first)


def test_a_zone_chosen_holds_on_the_way(visitors: Visitors) -> None:
    page = visitors.page(timezone="America/New_York")
    page.goto(INTRO)
    expect(page.locator("#tz-summary")).to_contain_text("New York")
    page.locator("#tz-summary").click()
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    expect(page.locator("#tz-summary")).to_contain_text("Kolkata GMT+5:30")
    expect(page.locator("#tz-summary")).to_be_focused()
    page.reload()
    expect(page.locator("#tz-summary")).to_contain_text("Kolkata")


def test_an_old_name_of_a_zone_is_understood(visitors: Visitors) -> None:
    """Chromium reports `Asia/Calcutta`."""
    page = visitors.page(timezone="Asia/Calcutta")
    page.goto(INTRO)
    expect(page.locator("#tz-summary")).to_contain_text("Kolkata")


def test_plain_links_do_when_modules_do_not_load(visitors: Visitors) -> None:
    page = visitors.page()
    page.route("**/*.js", lambda route: route.fulfill(status=200, content_type="text/javascript", body=""))
    page.goto(INTRO)
    page.locator("#day-after").click()
    expect(page).to_have_url(re.compile("day="))
    pick_a_time(page)


def question(kind: str, label: str, *options: str, required: bool = False) -> dict[str, object]:
    """A question whose id is its label in lower case."""
    asked = {"id": label.lower(), "label": label, "kind": kind, "required": required}
    return {**asked, "options": list(options)} if options else asked


ALL_KINDS = [
    question("short", "Short", required=True),
    question("long", "Long"),
    question("choice", "Choice", "A", "B", required=True),
    question("choice", "Land", *"abcdefgh"),
    question("multi", "Several", "X", "Y", "Z", required=True),
    question("phone", "Number"),
    question("checkbox", "Agreed", required=True),
    question("number", "Count"),
    question("date", "Since"),
]


def test_every_kind_of_question(visitors: Visitors, site: Site) -> None:
    template = site.api("POST", "/templates", json={"name": "All kinds", "questions": ALL_KINDS})
    site.make_link("kinds", template_id=template["id"], location={"kind": "phone", "value": ""})
    page = visitors.page(js=False, size=SMALL)
    page.goto("/demo/kinds")
    pick_a_time(page)
    fill_in(page, email="kinds@example.org")
    page.get_by_label("Phone number").fill("+49 30 1234567")
    page.get_by_label("Short").fill("Word")
    page.get_by_label("B", exact=True).check()
    page.get_by_label("Land").select_option("c")
    page.get_by_label("Agreed").check()
    page.get_by_label("Count").fill("2,5")
    page.get_by_label("Since").fill("2027-01-31")
    send(page)
    several = page.get_by_role("group", name="Several")
    expect(several).to_contain_text("needs an answer")
    assert overflow(page) == 0
    expect(page.get_by_label("Land")).to_have_value("c")
    several.get_by_label("X").check()
    several.get_by_label("Z").check()
    send(page)
    expect(page).to_have_url(CONFIRMED)
    booked = site.bookings_of("kinds@example.org")[0]
    assert booked["recipient"]["phone"] == "+49 30 1234567"
    assert booked["answers"] == {
        "short": "Word", "choice": "B", "land": "c", "several": ["X", "Z"], "agreed": True, "count": 2.5,
        "since": "2027-01-31",
    }  # fmt: skip


def test_a_one_time_link_knows_its_recipient_and_ends_with_the_booking(visitors: Visitors, site: Site) -> None:
    link = site.make_link("once")
    one_time = site.api("POST", f"/links/{link['id']}/one-time", json={"recipient_email": "r@example.org"})
    page = visitors.page()
    page.goto(f"/b/{one_time['token']}")
    expect(page.locator("meta[name=robots]")).to_have_attribute("content", re.compile("noindex"))
    pick_a_time(page)
    expect(page.get_by_label("E-mail", exact=True)).to_have_value("r@example.org")
    page.get_by_label("Your name").fill("Rita")
    send(page)
    expect(page).to_have_url(CONFIRMED)
    answer = page.goto(f"/b/{one_time['token']}")
    assert answer is not None
    assert answer.status == 410
    expect(page.get_by_role("heading", name="This link was used already")).to_be_visible()
    assert violations(page) == []


def test_links_that_do_not_work_say_why(visitors: Visitors, site: Site) -> None:
    link = site.make_link("ending")
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat(timespec="seconds")
    expired = site.api("POST", f"/links/{link['id']}/one-time", json={"expires_at": soon})
    revoked = site.api("POST", f"/links/{link['id']}/one-time", json={})
    site.api("DELETE", f"/one-time-links/{revoked['id']}")
    off = site.make_link("switched-off", is_active=False)
    page = visitors.page()
    page.wait_for_timeout(2000)
    for path, status, title in (
        ("/demo/unknown", 404, "We cannot find this page"),
        ("/nobody/intro", 404, "We cannot find this page"),
        ("/b/unknown", 404, "We cannot find this page"),
        ("/booking/unknown", 404, "We cannot find this page"),
        ("/not-there", 404, "We cannot find this page"),
        (f"/b/{expired['token']}", 410, "This link has expired"),
        (f"/b/{revoked['token']}", 410, "This link is switched off"),
        (f"/demo/{off['slug']}", 410, "This link is switched off"),
        (f"{INTRO}?day=someday", 400, "This address makes no sense to us"),
        (f"{INTRO}?tz=Mars/Olympus", 400, "This address makes no sense to us"),
        (f"{INTRO}?duration=7", 400, "This address makes no sense to us"),
    ):
        answer = page.goto(path)
        assert answer is not None
        assert (path, answer.status) == (path, status)
        expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_no_times_left_is_said_kindly(visitors: Visitors, site: Site) -> None:
    site.make_link("full", minimum_notice=30 * 1440, horizon_days=10)
    page = visitors.page()
    page.goto("/demo/full")
    expect(page.get_by_role("heading", name="No times left")).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize(
    ("size", "dark"), [(DESKTOP, False), (DESKTOP, True), (SMALL, False), (PHONE, True)], ids=lambda value: str(value)
)
def test_every_page_is_accessible_and_fits(visitors: Visitors, size: tuple[int, int], dark: bool) -> None:
    page = visitors.page(size=size, dark=dark)
    seen = []

    def look(name: str) -> None:
        seen.append(name)
        assert (name, violations(page), overflow(page)) == (name, [], 0)

    page.goto(INTRO)
    look("times")
    page.locator("#tz-summary").click()
    look("zones")
    pick_a_time(page)
    page.get_by_text("Add guests or a note").click()
    look("details")
    fill_in(page, email="robin@example")
    send(page)
    expect(page.get_by_role("alert")).to_be_visible()
    look("errors")
    page.get_by_label("E-mail", exact=True).fill(f"axe-{size[0]}-{dark}@example.org".lower())
    send(page)
    expect(page).to_have_url(CONFIRMED)
    look("confirmation")
    page.get_by_role("link", name="Move").click()
    look("other times")
    page.locator("a.slot").last.click()
    expect(page.get_by_role("heading", name="Move this booking?")).to_be_visible()
    look("whether to move")
    page.get_by_role("link", name="Keep the present time").click()
    page.get_by_role("link", name="Cancel booking").click()
    look("whether to cancel")
    page.get_by_role("button", name="Cancel booking").click()
    expect(page.get_by_role("heading", name="This booking was cancelled")).to_be_visible()
    look("cancelled")
    page.goto("/demo/unknown")
    look("error")
    assert len(seen) == 10


@pytest.mark.parametrize("size", [DESKTOP, SMALL], ids=["desktop", "small"])
def test_right_to_left_pages_mirror(visitors: Visitors, size: tuple[int, int]) -> None:
    page = visitors.page(size=size, locale="ar", timezone="Europe/Berlin")
    page.goto(INTRO)
    page.evaluate("document.dir = 'rtl'")
    assert overflow(page) == 0
    row = page.locator(".month th")
    first, last = row.first.bounding_box(), row.last.bounding_box()
    assert first is not None
    assert last is not None
    assert first["x"] > last["x"]


def test_targets_are_large_enough_for_thumbs(visitors: Visitors) -> None:
    page = visitors.page(size=SMALL, timezone="Europe/Berlin")
    page.goto(NEXT_MONTH)
    boxes = page.evaluate(
        "[...document.querySelectorAll('main :is(a, button, summary)')].map(e => e.getBoundingClientRect())"
        ".filter(r => r.width).map(r => [r.width, r.height])"
    )
    assert len(boxes) > 15
    assert min(width for width, _ in boxes) >= 34
    assert min(height for _, height in boxes) >= 44


def test_the_page_is_light_and_stands_still(visitors: Visitors) -> None:
    """At most 60 kB in 12 requests, and nothing moves by itself, not even when the zone is found out."""
    page = visitors.page(timezone="Asia/Tokyo")
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => { for (const e of list.getEntries())"
        " if (!e.hadRecentInput) window.moved += e.value; }).observe({type: 'layout-shift', buffered: true});"
    )
    page.goto(INTRO)
    expect(page.locator("#tz-summary")).to_contain_text("Tokyo")
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map(e => e.transferSize)"
    )
    assert len(sizes) <= 12
    assert sum(sizes) <= 60_000
    assert page.evaluate("window.moved") <= 0.02

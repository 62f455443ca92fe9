"""Owners make evergreen and one-time links, and questions for them; recipients open what came out."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.signed_in import owner, told
from tests.browser.site import PHONE, Site, Visitors, violations


def fill_in(page: Page, name: str, email: str) -> None:
    """The details form of a recipient."""
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name=re.compile("this time")).click()


@pytest.mark.parametrize("js", [True, False])
def test_making_an_evergreen_link_and_booking_through_it(visitors: Visitors, site: Site, js: bool) -> None:
    page = owner(visitors, js=js)
    page.get_by_role("link", name="Links", exact=True).click()
    page.get_by_role("link", name="New link").click()
    page.get_by_label("Title").fill(f"Project talk {js}")
    page.get_by_label("30 minutes").uncheck()
    page.get_by_label("15 minutes").check()
    page.get_by_label("120 minutes").check()
    page.get_by_label("Other lengths").fill("45, 90")
    page.get_by_label("Where it happens").select_option("Online, at an address")
    page.get_by_label("Address, number or meeting link").fill("https://meet.example.com/talk")
    page.get_by_label("Shortest notice", exact=True).fill("1")
    page.get_by_label("Kept free after").fill("10")
    page.get_by_label("At most a day").fill("3")
    page.get_by_role("button", name="Make link").click()
    told(page, "The link is ready to be shared.")
    address = page.locator("code").first.inner_text()
    assert address == f"{site.address}/demo/project-talk-{js}".lower()
    recipient = visitors.page(js=js)
    recipient.goto(urlsplit(address).path)
    lengths = recipient.get_by_role("navigation", name="Length").get_by_role("link")
    assert lengths.all_inner_texts() == ["15 min", "45 min", "1 h 30 min", "2 h"]
    recipient.locator("a.slot").first.click()
    fill_in(recipient, "Robin Recipient", f"robin-{js}@example.org".lower())
    recipient.wait_for_url("**/booking/**")
    expect(recipient.get_by_text("https://meet.example.com/talk")).to_be_visible()


def test_a_form_with_errors_says_so_at_the_field_and_keeps_what_was_typed(visitors: Visitors) -> None:
    page = owner(visitors)
    page.goto("/app/links/new")
    page.get_by_label("Title").fill("Kept title")
    page.get_by_label("30 minutes").uncheck()
    page.get_by_label("Address", exact=False).first.fill("intro")
    page.get_by_role("button", name="Make link").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert").get_by_role("link", name="Please choose at least one length.")).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value("Kept title")
    assert page.title().startswith("Error: ")
    assert violations(page) == []
    page.get_by_label("30 minutes").check()
    page.get_by_role("button", name="Make link").click()
    expect(page.get_by_role("alert")).to_contain_text("Another link of your organization has this address")


def test_switching_copying_and_deleting_a_link(visitors: Visitors, site: Site) -> None:
    site.make_link("short-lived")
    page, recipient = owner(visitors), visitors.page()
    page.goto("/app/links")
    card = page.get_by_role("article", name="Short Lived", exact=True)
    card.get_by_role("button", name="Switch off").click()
    told(page, "The link is switched off")
    recipient.goto("/demo/short-lived")
    expect(recipient.get_by_role("heading", name="This link is switched off")).to_be_visible()
    card.get_by_role("button", name="Switch on").click()
    told(page, "The link is switched on.")
    card.get_by_role("button", name="Duplicate").click()
    told(page, "This is the copy.")
    expect(page.get_by_label("Title")).to_have_value("Short Lived (copy)")
    page.goto("/app/links")
    card.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name="Delete this link?")).to_be_visible()
    page.get_by_role("button", name="Delete link").click()
    told(page, "Deleted.")
    expect(card).to_have_count(0)
    recipient.goto("/demo/short-lived")
    expect(recipient.get_by_role("heading", name="We cannot find this page")).to_be_visible()


def test_an_address_is_copied_by_one_click(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/app/links")
    page.get_by_role("button", name=re.compile("^Copy the address of Intro call")).click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.address}/demo/intro"


@pytest.mark.parametrize("js", [True, False])
def test_a_one_time_link_with_free_choice_ends_with_its_booking(visitors: Visitors, site: Site, js: bool) -> None:
    email = f"once-{js}@example.org".lower()
    site.make_link(f"once-{js}".lower())
    page = owner(visitors, js=js)
    page.goto("/app/links")
    page.get_by_role("link", name=f"One-time links of Once {js}").click()
    page.get_by_role("link", name="New one-time link").click()
    page.get_by_label("Recipient's e-mail").fill(email)
    page.get_by_role("button", name="Make one-time link").last.click()
    told(page, "The one-time link is ready to be sent.")
    address = urlsplit(page.locator("code").first.inner_text()).path
    recipient = visitors.page(js=js)
    recipient.goto(address)
    recipient.locator("a.slot").first.click()
    expect(recipient.get_by_label("E-mail", exact=True)).to_have_value(email)
    fill_in(recipient, "Robin Recipient", email)
    recipient.wait_for_url("**/booking/**")
    recipient.goto(address)
    expect(recipient.get_by_role("heading", name="This link was used already")).to_be_visible()
    page.reload()
    card = page.get_by_role("article", name=f"One-time link for {email}")
    expect(card).to_contain_text("Used")
    card.get_by_role("link", name="Show the booking").click()
    expect(page.get_by_role("heading", name="Robin Recipient")).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
def test_a_one_time_link_offers_just_the_times_picked_by_hand(visitors: Visitors, site: Site, js: bool) -> None:
    site.make_link(f"picked-{js}".lower(), durations=[30, 60])
    page = owner(visitors, js=js)
    page.goto("/app/links")
    page.get_by_role("link", name=f"One-time links of Picked {js}").click()
    page.get_by_role("link", name="New one-time link").click()
    page.get_by_label("Only times that I pick").check()
    if not js:
        page.get_by_role("button", name="Show free times").click()
    boxes = page.locator("#f-slots").get_by_role("checkbox")
    expect(boxes.first).to_be_visible()
    boxes.nth(1).check()
    boxes.nth(3).check()
    page.get_by_role("button", name="Later times").click()
    expect(page.get_by_role("group", name="Picked so far").get_by_role("checkbox")).to_have_count(2)
    assert not js or violations(page) == []  # axe needs scripts itself
    page.get_by_label("It is used or withdrawn").check()
    page.get_by_role("button", name="Make one-time link").last.click()
    expect(page.get_by_text("2 picked times")).to_be_visible()
    recipient = visitors.page(js=js, timezone="Europe/Berlin")
    recipient.goto(urlsplit(page.locator("code").first.inner_text()).path)
    expect(recipient.locator("a.slot")).to_have_count(2)


def test_people_are_suggested_while_an_address_is_typed(visitors: Visitors, site: Site) -> None:
    """By name too; without scripts, or with fewer than three characters, the field is a plain one."""
    recipient = site.api("GET", "/bookings")["items"][0]["recipient"]
    link = site.make_link("suggesting")
    page = owner(visitors)
    page.goto(f"/app/links/{link['id']}/one-time/new")
    field = page.get_by_label("Recipient's e-mail")
    options = page.locator("datalist option")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/contacts" in request.url else None)
    field.press_sequentially(recipient["name"][:2])
    page.wait_for_timeout(500)
    assert asked == []
    field.press_sequentially(recipient["name"][2:5])
    suggested = page.locator(f'datalist option[value="{recipient["email"]}"]')
    expect(suggested).to_have_text(recipient["name"])
    assert field.get_attribute("list") == page.locator("datalist").get_attribute("id")
    assert violations(page) == []
    count = len(asked)
    field.fill(recipient["email"])  # as picking it does
    page.wait_for_timeout(500)
    assert len(asked) == count
    field.fill("nobody at all")
    expect(options).to_have_count(0)
    field.fill(recipient["email"])
    page.get_by_role("button", name="Make one-time link").last.click()
    expect(page.get_by_role("article", name=f"One-time link for {recipient['email']}")).to_be_visible()
    plain = owner(visitors, js=False)
    plain.goto(f"/app/links/{link['id']}/one-time/new")
    assert plain.get_by_label("Recipient's e-mail").get_attribute("list") is None


def test_withdrawing_a_one_time_link(visitors: Visitors, site: Site) -> None:
    link = site.make_link("withdrawn")
    once = site.api("POST", f"/links/{link['id']}/one-time", json={})
    page, recipient = owner(visitors), visitors.page()
    page.goto(f"/app/links/{link['id']}/one-time")
    page.get_by_role("button", name="Withdraw").click()
    told(page, "Withdrawn")
    expect(page.get_by_role("article")).to_contain_text("Withdrawn")
    recipient.goto(f"/b/{once['token']}")
    expect(recipient.get_by_role("heading", name="This link is switched off")).to_be_visible()


@pytest.mark.parametrize("js", [True, False])
def test_questions_are_made_moved_and_asked(visitors: Visitors, site: Site, js: bool) -> None:
    page = owner(visitors, js=js)
    page.get_by_role("link", name="Questions").click()
    page.get_by_role("link", name="New set of questions").click()
    page.get_by_label("Name", exact=True).fill(f"Asked {js}")
    first = page.get_by_role("group", name="Question 1")
    first.get_by_label("Question", exact=True).fill("How big is it?")
    first.get_by_label("Kind of answer").select_option("One of several")
    first.get_by_label("Options to choose from").fill("Small\nLarge")
    first.get_by_label("An answer is required").check()
    page.get_by_role("button", name="Add a question").click()
    second = page.get_by_role("group", name="Question 2")
    expect(second.get_by_label("Question", exact=True)).to_be_focused()
    second.get_by_label("Question", exact=True).fill("What about?")
    page.get_by_role("button", name="Question 2: move up").click()
    expect(first.get_by_label("Question", exact=True)).to_have_value("What about?")
    page.get_by_role("button", name="Add a question").click()
    page.get_by_role("button", name="Remove question 3").click()
    page.get_by_label("Send a mail after the meeting").check()
    page.get_by_label("Subject").fill("Thank you")
    page.get_by_label("Text", exact=False).last.fill("It was a pleasure.")
    assert not js or violations(page) == []  # axe needs scripts itself
    page.get_by_role("button", name="Save questions").last.click()
    told(page, "Made.")
    template = next(each for each in site.api("GET", "/templates")["items"] if each["name"] == f"Asked {js}")
    assert [question["label"] for question in template["questions"]] == ["What about?", "How big is it?"]
    assert (template["email_followup_enabled"], template["followup"]["subject"]) == (True, "Thank you")
    slug = f"asked-{js}".lower()
    site.make_link(slug)
    page.goto("/app/links")
    page.get_by_role("link", name=f"Edit Asked {js}").click()
    page.get_by_label("Questions", exact=True).select_option(f"Asked {js}")
    page.get_by_role("button", name="Save link").click()
    told(page, "Saved.")
    recipient = visitors.page(js=js)
    recipient.goto(f"/demo/{slug}")
    recipient.locator("a.slot").first.click()
    expect(recipient.get_by_label("What about?")).to_be_visible()
    recipient.get_by_role("radio", name="Large").check()
    fill_in(recipient, "Robin Recipient", f"asked-{js}@example.org".lower())
    recipient.wait_for_url("**/booking/**")
    assert site.bookings_of(f"asked-{js}@example.org".lower())[0]["answers"] == {"how-big-is-it": "Large"}


def test_making_a_link_on_a_phone_by_keyboard(visitors: Visitors) -> None:
    page = owner(visitors, PHONE)
    page.goto("/app/links/new")
    page.get_by_label("Title").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    told(page, "The link is ready to be shared.")

"""Getting in and out: first run, sign-in, forgotten passwords, invitations, roles."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.signed_in import PASSWORD, address_in, mail_to, owner, sign_in, told
from tests.browser.site import DESKTOP, SMALL, Site, Visitors, overflow, violations


@pytest.mark.parametrize("js", [True, False])
def test_signing_in_and_out(visitors: Visitors, js: bool) -> None:
    page = owner(visitors, js=js)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.goto("/app/links")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_keeps_the_address_and_says_so(visitors: Visitors) -> None:
    page = sign_in(visitors.page(), password="not-the-password")
    expect(page.get_by_role("alert")).to_contain_text("The e-mail address or the password is wrong.")
    expect(page.get_by_label("E-mail")).to_have_value("owner@example.com")
    expect(page.get_by_label("Password")).to_have_value("")
    assert violations(page) == []


def test_signing_in_leads_to_the_page_asked_for(visitors: Visitors) -> None:
    page = visitors.page()
    page.goto("/app/availability?x=1")
    page.get_by_label("E-mail").fill("ana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Availability", level=1)).to_be_visible()
    assert page.url.endswith("/app/availability?x=1")


def test_a_forgotten_password_is_set_anew_by_mail(visitors: Visitors, site: Site) -> None:
    page = visitors.page()
    page.goto("/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill("ben@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    path = address_in(mail_to(site, "ben@example.com"), "/app/password/")
    page.goto(path)
    expect(page.get_by_text("ben@example.com")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("New password").fill("ben has a new one")
    page.get_by_role("button", name="Save password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    sign_in(page, "ben@example.com", "ben has a new one")
    expect(page).to_have_url(re.compile(r"/app/today$"))
    page.goto(path)
    expect(page.get_by_role("heading", name="This link is not good any more")).to_be_visible()


def test_an_invited_colleague_sets_a_password_and_sees_just_their_own_pages(visitors: Visitors, site: Site) -> None:
    admin = owner(visitors)
    admin.get_by_role("link", name="People").click()
    admin.get_by_label("Name").fill("Nora New")
    admin.get_by_label("E-mail").fill("nora@example.com")
    admin.get_by_role("button", name="Invite").click()
    told(admin, "The invitation is on its way.")
    expect(admin.get_by_role("row", name=re.compile("Nora New"))).to_contain_text("Invited")
    nora = visitors.page()
    nora.goto(address_in(mail_to(site, "nora@example.com"), "/app/password/"))
    expect(nora.get_by_role("heading", name="Welcome")).to_be_visible()
    nora.get_by_label("New password").fill("nora's own password")
    nora.get_by_role("button", name="Save password").click()
    sign_in(nora, "nora@example.com", "nora's own password")
    nav = nora.get_by_role("navigation", name="Main").get_by_role("link")
    assert nav.all_inner_texts() == [
        "Today",
        "Bookings",
        "Notifications",
        "Availability",
        "Calendars",
        "Phone",
        "Settings",
    ]
    nora.goto("/app/people")
    expect(nora.get_by_role("heading", name="This is not allowed")).to_be_visible()


def test_mail_is_read_in_the_viewer_while_no_server_is_set(visitors: Visitors, site: Site) -> None:
    page = owner(visitors)
    page.goto("/app/password/forgot")
    page.get_by_label("E-mail").fill("ana@example.com")
    page.get_by_role("button", name="Send the link").click()
    mail = mail_to(site, "ana@example.com")
    page.goto("/app/mail")
    page.get_by_role("listitem").filter(has_text="ana@example.com").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(mail["subject"]))
    framed = page.frame_locator("iframe").locator("body")
    with page.context.expect_page() as opened:
        framed.get_by_role("link", name="Choose a new password").click()
    expect(opened.value.get_by_role("heading", name="Set a new password")).to_be_visible()
    page.get_by_text("Plain text").click()
    expect(page.get_by_role("region", name="Plain text")).to_contain_text("/app/password/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert b"ana@example.com" in download.value.path().read_bytes()
    assert violations(page) == []


def test_settings_change_name_zone_and_password(visitors: Visitors, site: Site) -> None:
    page = sign_in(visitors.page(size=DESKTOP), "ana@example.com")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Name").fill("Ana Maria Example")
    page.get_by_label("Time zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    told(page, "Saved.")
    expect(page.get_by_label("Name")).to_have_value("Ana Maria Example")
    page.goto("/app/bookings")
    expect(page.get_by_text("Asia/Tokyo")).to_be_visible()
    page.goto("/app/settings")
    page.get_by_label("Present password").fill("wrong")
    page.get_by_label("New password").fill("ana has a new one")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not your present password.")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("ana has a new one")
    page.get_by_role("button", name="Change password").click()
    told(page, "Your password was changed.")
    page.get_by_role("button", name=re.compile("^Sign out Ana")).click()
    sign_in(page, "ana@example.com", "ana has a new one")
    expect(page).to_have_url(re.compile(r"/app/today$"))


def test_the_first_run_sets_up_organization_and_account(visitors: Visitors, empty_site: Site) -> None:
    page = visitors.page(site=empty_site, timezone="Europe/Lisbon")
    page.goto("/")
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Lisbon")
    assert violations(page) == []
    page.get_by_label("Organization").fill("Lisbon Lawyers")
    page.get_by_label("Your name").fill("Lia Lawyer")
    page.get_by_label("E-mail").fill("lia@example.com")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 10 characters")
    expect(page.get_by_label("Organization")).to_have_value("Lisbon Lawyers")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Links", level=1)).to_be_visible()
    page.get_by_role("link", name="Make your first link").click()
    page.get_by_label("Title").fill("First meeting")
    page.get_by_role("button", name="Make link").click()
    expect(page.locator("code").first).to_have_text(f"{empty_site.address}/lisbon-lawyers/first-meeting")
    stranger = visitors.page(site=empty_site)
    stranger.goto("/")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/app/password/forgot", "/app/password/x"])
def test_pages_before_the_sign_in_are_accessible(visitors: Visitors, path: str) -> None:
    for page in (visitors.page(), visitors.page(dark=True), visitors.page(size=SMALL)):
        page.goto(path)
        assert violations(page) == []
        assert overflow(page) == 0

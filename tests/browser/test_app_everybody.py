"""Calendars of others in the browser: asked for by a link that needs no password, and connected for the whole
organization."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import serving
from tests.browser.providers import Neighbours, neighbours
from tests.browser.signed_in import address_in, mail_to, owner, sign_in, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations
from tests.capabilities import need
from tests.fakes.certificates import make_authority

pytestmark = pytest.mark.requires("contracts")
ANA, BEN = "ana@example.com", "ben@example.com"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Google and Microsoft; Ana and Ben have calendars at both, the owner has none."""
    need("contracts")
    with neighbours(make_authority(tmp_path_factory.mktemp("authority"))) as running:
        running.google.person(BEN)
        running.microsoft.account(BEN)
        yield running


@pytest.fixture(scope="module")
def site(world: Neighbours, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The program, registered at both."""
    need("chromium")
    with serving(tmp_path_factory.mktemp("halfpast"), with_demo=True, **world.variables) as running:
        yield running


@pytest.fixture
def visitors(browser: Browser, site: Site, world: Neighbours) -> Iterator[Visitors]:
    """People who may be sent to both."""
    made = Visitors(browser, site, world.origins)
    yield made
    made.close()


def look(page: Page, *, js: bool = True) -> None:
    """Nothing is amiss with the page. Looking takes scripts."""
    if js:
        assert violations(page) == []
        assert overflow(page) == 0
    expect(page.locator("h1")).to_have_count(1)


def ask_ben(page: Page) -> str:
    """As an admin; the link that is shown."""
    page.goto("/app/people")
    page.get_by_role("button", name="Ask to connect a calendar: Ben").click()
    expect(page.get_by_role("heading", name="Asked to connect a calendar")).to_be_visible()
    return page.locator(".secret code").inner_text()


@pytest.mark.parametrize(("size", "js", "dark"), [(PHONE, True, False), (DESKTOP, False, True), (SMALL, True, False)])
def test_somebody_who_was_asked_connects_google(
    visitors: Visitors, size: tuple[int, int], js: bool, dark: bool
) -> None:
    """From the link to the thanks, also without scripts: a form may lead to no other site, a page in between does."""
    admin = owner(visitors, size)
    link = ask_ben(admin)
    look(admin)
    page = visitors.page(size=size, js=js, dark=dark)
    page.goto(link)
    expect(page.get_by_role("heading", name="Connect your calendar")).to_be_visible()
    look(page, js=js)
    page.get_by_role("button", name="Continue with Google").click()
    expect(page).to_have_title("Sign in with Fake Google")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was connected")
    look(page, js=js)
    page.get_by_role("button", name="Continue with Google").click()
    page.get_by_label("Account").select_option(BEN)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Thank you, your calendar is connected")).to_be_visible()
    look(page, js=js)
    page.get_by_role("link", name="sign in").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_link_of_the_mail_works_and_a_wrong_one_says_so(visitors: Visitors, site: Site) -> None:
    ask_ben(owner(visitors))
    path = address_in(mail_to(site, BEN, "connect your calendar"), "/app/connect/")
    page = visitors.page(size=PHONE)
    page.goto(path)
    expect(page.get_by_role("button", name=re.compile("Microsoft"))).to_be_visible()
    page.goto(path[:-3])
    expect(page.get_by_role("heading", name="This link is not good any more")).to_be_visible()
    look(page)


def test_an_admin_connects_for_everybody_at_google(visitors: Visitors, world: Neighbours) -> None:
    account = world.google.service_account()
    page = owner(visitors, PHONE)
    page.goto("/app/people")
    look(page)
    page.get_by_role("link", name="connect for everybody").click()
    look(page)
    google = page.get_by_role("region", name="Google Workspace")
    google.get_by_label("JSON key of the service account").fill("not a key")
    google.get_by_role("button", name="Save the key").click()
    expect(page.locator("#errors")).to_contain_text("This is not the JSON key")
    look(page)
    google.get_by_label("JSON key of the service account").fill(account.new_key())
    google.get_by_role("button", name="Save the key").click()
    told(page, "let in for your whole organization")
    google.get_by_role("checkbox", name=ANA).check()
    google.get_by_role("checkbox", name="owner@example.com").check()
    google.get_by_role("button", name="Connect").click()
    expect(page.locator("#outcome")).to_contain_text("not:")
    expect(google).to_contain_text("There is no calendar of owner@example.com in your organization there.")
    look(page)
    ana = sign_in(visitors.page(size=DESKTOP), ANA)
    ana.goto("/app/connections")
    expect(ana.get_by_role("article", name=ANA)).to_contain_text("Works")
    page.get_by_role("link", name="Remove the grant of Google Workspace").click()
    look(page)
    page.get_by_role("button", name="Remove and disconnect").click()
    told(page, "disconnected")


def test_an_admin_connects_for_everybody_at_microsoft(visitors: Visitors) -> None:
    page = owner(visitors, DESKTOP)
    page.goto("/app/people/calendars")
    page.get_by_role("link", name="Sign in and agree at Microsoft").click()
    page.get_by_role("radio", name=BEN).check()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("heading", name="Review for your organization")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    told(page, "let in for your whole organization")
    microsoft = page.get_by_role("region", name="Microsoft 365")
    microsoft.get_by_role("checkbox", name="Ben").check()
    microsoft.get_by_role("button", name="Connect").click()
    told(page, "The calendars are connected")
    expect(microsoft).to_contain_text("Connected by this")
    look(page)

"""Google and Microsoft in the browser: connected on their consent pages, chosen from, seen to be well, broken by the
person's own hand there, and mended by the one button."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import serving
from tests.browser.providers import Neighbours, neighbours
from tests.browser.signed_in import OWNER, mail_to, owner, sign_in, told
from tests.browser.site import DESKTOP, PHONE, SMALL, Site, Visitors, overflow, violations
from tests.capabilities import need
from tests.fakes.certificates import make_authority
from tests.fakes.google import PERSON

pytestmark = pytest.mark.requires("contracts")
BANNER = "#banner"


@dataclass(frozen=True, slots=True)
class Provider:
    """What differs between the two: buttons, words, and who signs in here."""

    short: str
    button: str
    continue_button: str
    cancel_button: str
    other: str
    broken: str
    email: str


GOOGLE = Provider(
    "Google", "Google", "Continue", "Cancel", "Holidays",
    "Google does not accept the connection any more.", OWNER,
)  # fmt: skip
MICROSOFT = Provider(
    "Microsoft", "Microsoft 365 or Outlook.com", "Accept", "Cancel", "Birthdays",
    "Microsoft does not let Halfpast into this account any more.", "ana@example.com",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    """Google and Microsoft."""
    need("contracts")
    with neighbours(make_authority(tmp_path_factory.mktemp("authority"))) as running:
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


def take_back(world: Neighbours, provider: Provider) -> None:
    """The person takes the access away, in their account there."""
    if provider is GOOGLE:
        world.google.withdraw()
    else:
        world.microsoft.identity.revoke(PERSON)


def card_of(page: Page) -> Locator:
    return page.get_by_role("article", name=PERSON)


def look(page: Page) -> None:
    """Nothing is amiss with the page."""
    assert violations(page) == []
    assert overflow(page) == 0


def read_now(page: Page) -> None:
    card = card_of(page)
    card.get_by_text("Connection").click()
    card.get_by_role("button", name="Read now").click()


@pytest.mark.parametrize(("provider", "size", "dark"), [(GOOGLE, DESKTOP, False), (MICROSOFT, PHONE, True)])
def test_an_account_from_its_consent_page_to_its_mending(
    visitors: Visitors, site: Site, world: Neighbours, provider: Provider, size: tuple[int, int], dark: bool
) -> None:
    page = sign_in(visitors.page(size=size, dark=dark), provider.email)
    page.get_by_role("link", name="Calendars").click()
    page.get_by_role("link", name=provider.button, exact=True).click()
    page.get_by_role("button", name=provider.cancel_button).click()
    told(page, "Nothing was connected")
    page.get_by_role("link", name=provider.button, exact=True).click()
    page.get_by_role("button", name=provider.continue_button).click()
    told(page, "The calendar account is connected.")

    card = card_of(page)
    card.get_by_label(provider.other).set_checked(not card.get_by_label(provider.other).is_checked())
    card.get_by_role("button", name="Save choice").click()
    told(page, "Saved.")
    page.get_by_role("radio", name=f"Calendar ({PERSON}) ({provider.short})").check()
    page.get_by_role("button", name="Save", exact=True).click()
    told(page, "Saved.")
    expect(card).to_contain_text("gets bookings")

    expect(card).to_contain_text("Works")
    health = card.locator("dl")
    expect(health).to_contain_text(re.compile(r"Last read\s*\d+:\d+"))
    expect(health).to_contain_text(re.compile(r"Next\s*(now|in \d minutes?)"))
    expect(health).to_contain_text("Looked for every few minutes.")
    expect(health).to_contain_text("May read and change your calendars. Contacts: no.")
    expect(page.locator(BANNER)).to_have_count(0)
    look(page)

    take_back(world, provider)
    read_now(page)
    expect(page.get_by_role("alert")).to_contain_text(provider.broken)
    expect(page.locator(BANNER)).to_contain_text(f"The calendar account {PERSON} ({provider.short}) needs you")
    mail = mail_to(site, provider.email, "Your calendar cannot be read")
    assert "/app/connections" in mail.as_string()

    page.goto("/app/bookings")
    look(page)
    page.locator(BANNER).get_by_role("link").click()
    expect(card).to_contain_text("Needs you")
    expect(card).to_contain_text(provider.broken)
    expect(card.get_by_role("button", name=re.compile("Read now|Try again"))).to_have_count(0)
    look(page)
    card.get_by_role("link", name="Sign in again").click()
    page.get_by_role("button", name=provider.continue_button).click()
    told(page, "The calendar account is connected.")
    expect(card).to_contain_text("Works")
    expect(card).to_contain_text("gets bookings")
    expect(page.locator(BANNER)).to_have_count(0)

    card.get_by_text("Connection").click()
    card.get_by_role("link", name="Disconnect").click()
    look(page)
    where = page.get_by_role("link", name="myapps.microsoft.com")
    expect(where).to_have_count(1 if provider is MICROSOFT else 0)
    page.get_by_role("button", name="Disconnect").click()
    told(page, "The account is disconnected.")


def test_a_provider_that_does_not_answer_is_tried_again_on_the_smallest_phone(
    visitors: Visitors, world: Neighbours
) -> None:
    page = owner(visitors, SMALL)
    page.goto("/app/connections")
    page.get_by_role("link", name="Google", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    told(page, "The calendar account is connected.")
    world.google.fail("GET /calendar", status=503, reason="backendError", times=100_000)
    read_now(page)
    expect(page.get_by_role("alert")).to_contain_text("Google failed with an error of its own (503).")
    card = card_of(page)
    expect(card.get_by_role("link", name="Sign in again")).to_have_count(0)
    look(page)
    world.google.faults.clear()
    card.get_by_role("button", name="Try again").click()
    told(page, "The calendars were read.")
    expect(card).to_contain_text("Works")
    expect(page.locator(BANNER)).to_have_count(0)
    look(page)

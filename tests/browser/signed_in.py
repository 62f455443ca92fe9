"""What visitors of the signed-in pages do again and again."""

from __future__ import annotations

import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.site import DESKTOP, Site, Visitors

PASSWORD = "halfpast-demo"
OWNER = "owner@example.com"
SECONDS = 30


def sign_in(page: Page, email: str = OWNER, password: str = PASSWORD) -> Page:
    """Through the form."""
    page.goto("/")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def owner(visitors: Visitors, size: tuple[int, int] = DESKTOP, *, js: bool = True, dark: bool = False) -> Page:
    """The owner of the demo workspace, signed in."""
    page = sign_in(visitors.page(size=size, js=js, dark=dark, timezone="Europe/Berlin"))
    expect(page.get_by_role("heading", name="Bookings", level=1)).to_be_visible()
    return page


def told(page: Page, text: str | re.Pattern[str]) -> None:
    """The notice after a form was sent."""
    expect(page.locator("#notice")).to_contain_text(text)


def mail_to(site: Site, address: str, subject: str = "") -> EmailMessage:
    """The newest mail to somebody, waited for: the worker writes it."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for path in sorted((site.folder / "mail").glob("**/*.eml"), reverse=True):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if address in str(mail["to"]) and subject in str(mail["subject"]):
                assert isinstance(mail, EmailMessage)
                return mail
        time.sleep(0.2)
    raise AssertionError(f"no mail to {address} came")


def address_in(mail: EmailMessage, part: str) -> str:
    """The path of the first address in the text of a mail that holds `part`."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(rf"https?://\S*{re.escape(part)}\S*", str(body.get_content()))
    assert found
    return urlsplit(found[0]).path

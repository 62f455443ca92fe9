"""Address books: one suite over Google's and Microsoft's, then what is particular to each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.calendars import CalendarAccount
from app.domain.contacts import Contact
from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.ports.contacts import ContactBook
from app.wiring import wire
from integrations.contacts import ContactBooks
from integrations.contacts.google import GoogleContacts
from integrations.contacts.microsoft import MicrosoftContacts
from integrations.google.addresses import Addresses
from integrations.google.sign_in import CALENDAR_SCOPES, CONTACT_SCOPES
from integrations.microsoft.tokens import tenant_secret
from integrations.oauth import OAuthClient
from tests.fakes.google import PERSON
from tests.fakes.microsoft_contacts import add_contact
from tests.http.workspace import settings_for
from tests.providers.google_backend import GoogleBackend
from tests.providers.microsoft_backend import REQUEST, MicrosoftBackend, query_of

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]

RAE = Contact("Rae O'Brien", "rae@example.org")


class Book(ABC):
    """A book of a fake provider, and hands in it."""

    book: ContactBook
    credentials: Credentials

    @abstractmethod
    def know(self, contact: Contact) -> None:
        """The person adds somebody."""

    @abstractmethod
    def known(self) -> list[Contact]:
        """Who is in it, one for each address."""

    @abstractmethod
    def refuse(self, status: int) -> None:
        """Whatever is asked is refused from now on."""

    @abstractmethod
    def lose_answer(self) -> None:
        """The next contact is made, but the answer does not arrive."""

    async def found(self, query: str) -> set[Contact]:
        return set(await self.book.search(self.credentials, query))


class GoogleBook(Book):
    def __init__(self, gmail: GoogleBackend) -> None:
        self.fake = gmail.fake
        self.book = GoogleContacts(gmail.google.session, settle_seconds=0)
        tokens = gmail.fake.person(PERSON, *CALENDAR_SCOPES, *CONTACT_SCOPES)
        self.credentials = Credentials("", PERSON, tokens.to_text())

    def know(self, contact: Contact) -> None:
        self.fake.people.add(PERSON, contact.name, contact.email)

    def known(self) -> list[Contact]:
        people = self.fake.people.contacts.get(PERSON, [])
        names = [each["names"][0] for each in people]
        return [
            Contact(name.get("displayName") or name["unstructuredName"], each["emailAddresses"][0]["value"])
            for name, each in zip(names, people, strict=True)
        ]

    def refuse(self, status: int) -> None:
        reason = "insufficientPermissions" if status == 403 else "backendError"
        self.fake.fail("people|otherContacts", status, reason, times=99)

    def lose_answer(self) -> None:
        self.fake.fail("createContact", is_cut=True, is_late=True)


class MicrosoftBook(Book):
    def __init__(self, outlook: MicrosoftBackend) -> None:
        self.outlook = outlook
        self.book = MicrosoftContacts(outlook.provider.graph)

    async def sign_in(self) -> MicrosoftBook:
        fake, provider = self.outlook.fake, self.outlook.provider
        request = replace(REQUEST, with_contacts=True)
        code = fake.identity.code_for(query_of(provider.authorization_url(request)), self.outlook.mailbox.email)
        grant = await provider.redeem(request, {"state": request.state, "code": code})
        self.credentials = Credentials(fake.graph.base, grant.username, grant.secret)
        return self

    def know(self, contact: Contact) -> None:
        add_contact(self.outlook.mailbox, contact.name, contact.email)

    def known(self) -> list[Contact]:
        return [
            Contact(each["displayName"], each["emailAddresses"][0]["address"]) for each in self.outlook.mailbox.contacts
        ]

    def refuse(self, status: int) -> None:
        self.outlook.fake.refuse("/contacts", status, times=99)

    def lose_answer(self) -> None:
        self.outlook.fake.cut("POST /v1.0/me/contacts", after=True)


@pytest.fixture
def google_book(gmail: GoogleBackend) -> Book:
    return GoogleBook(gmail)


@pytest.fixture
async def microsoft_book(outlook: MicrosoftBackend) -> Book:
    return await MicrosoftBook(outlook).sign_in()


@pytest.fixture(params=["google", "microsoft"])
def book(request: pytest.FixtureRequest) -> Book:
    """One of each; a breach of a contract fails the test."""
    found: Book = request.getfixturevalue(f"{request.param}_book")
    return found


async def test_people_are_found_by_the_beginning_of_name_and_address(book: Book) -> None:
    book.know(RAE)
    book.know(Contact("Sam", "sam@example.org"))
    for query in ("Rae", "rae", "O'B", "rae@exa"):
        assert await book.found(query) == {RAE}, query
    assert await book.found("nobody") == set()


@pytest.mark.parametrize("query", ['"rae"', "rae\\", "a'b", "(((", "ръж", "rae OR sam", "%_%", "'; x"])
async def test_whatever_is_typed_is_text_and_nothing_else(book: Book, query: str) -> None:
    """No refusal, and nobody who does not fit."""
    book.know(Contact("Sam", "sam@example.org"))
    assert await book.found(query) == set()


async def test_somebody_new_is_added_once(book: Book) -> None:
    for _ in range(2):
        await book.book.add(book.credentials, RAE)
    assert book.known() == [RAE]


async def test_who_is_known_already_is_left_as_they_are(book: Book) -> None:
    """Also under another name, and when the address is written in another case."""
    there = Contact("My Rae", "Rae@Example.org")
    book.know(there)
    await book.book.add(book.credentials, RAE)
    assert book.known() == [there]


async def test_a_contact_that_we_made_is_taken_out_again(book: Book) -> None:
    """By what the provider calls it, whatever its owner wrote into it since; and once more is no failure."""
    sam = Contact("Sam", "sam@example.org")
    book.know(sam)
    key = await book.book.add(book.credentials, RAE)
    assert key is not None
    assert await book.book.add(book.credentials, RAE) is None, "it is there, by whomever"
    for _ in range(2):
        await book.book.remove(book.credentials, key)
        assert book.known() == [sam]


async def test_an_address_that_begins_alike_is_another_person(book: Book) -> None:
    longer = Contact("Raelene", "rae@example.org.au")
    book.know(longer)
    await book.book.add(book.credentials, RAE)
    assert book.known() == [longer, RAE]


async def test_a_lost_answer_adds_nobody_twice(book: Book) -> None:
    """Nobody sends the request again on their own, and the next try looks first."""
    book.lose_answer()
    with pytest.raises(ProviderFailure) as failure:
        await book.book.add(book.credentials, RAE)
    assert failure.value.kind in {"unreachable", "protocol"}
    assert book.known() == [RAE]
    await book.book.add(book.credentials, RAE)
    assert book.known() == [RAE]


@pytest.mark.parametrize(("status", "kind"), [(403, "auth"), (503, "busy")])
async def test_a_book_that_cannot_be_read_says_so(book: Book, status: int, kind: str) -> None:
    book.refuse(status)
    with pytest.raises(ProviderFailure) as failure:
        await book.book.search(book.credentials, "rae")
    assert failure.value.kind == kind
    with pytest.raises(ProviderFailure) as failure:
        await book.book.add(book.credentials, RAE)
    assert failure.value.kind == kind
    assert book.known() == []


async def test_a_book_that_cannot_be_written_says_so(book: Book) -> None:
    key = await book.book.add(book.credentials, RAE)
    assert key is not None
    book.refuse(503)
    with pytest.raises(ProviderFailure) as failure:
        await book.book.remove(book.credentials, key)
    assert failure.value.kind == "busy"
    assert book.known() == [RAE]


# Google


async def test_googles_cache_is_warmed_up_once_and_before_an_address_counts_as_missing(gmail: GoogleBackend) -> None:
    """Its search knows nobody before, and none who came since."""
    google = GoogleBook(gmail)
    google.know(RAE)
    for _ in range(3):
        assert await google.found("rae") == {RAE}
    empty = [query for query in google.fake.queries if "query=&" in f"{query}&"]
    assert len(empty) == 2  # one for each place
    sam = Contact("Sam", "sam@example.org")
    google.know(sam)
    await google.book.add(google.credentials, sam)
    assert google.known() == [RAE, sam]


async def test_whom_one_only_wrote_to_is_found_at_google_where_that_was_granted(gmail: GoogleBackend) -> None:
    google = GoogleBook(gmail)
    google.fake.people.add(PERSON, "Rae", "rae@example.org", is_other=True)
    assert await google.found("rae") == {Contact("Rae", "rae@example.org")}
    book_alone = google.fake.person(PERSON, *CALENDAR_SCOPES, CONTACT_SCOPES[0])
    google.credentials = Credentials("", PERSON, book_alone.to_text())
    assert await google.found("rae") == set()


@pytest.mark.parametrize(
    "body",
    [b'{"results": 5}', b'{"results": [5]}', b'{"results": [{"person": 5}]}', b"<html>", b"[1]",
     b'{"results": [{"person": {"names": 5}}]}', b'{"results": [{"person": {"emailAddresses": [5]}}]}'],
)  # fmt: skip
async def test_an_answer_of_google_that_makes_no_sense_is_a_failure(gmail: GoogleBackend, body: bytes) -> None:
    """Never an error of the program's own."""
    google = GoogleBook(gmail)
    await google.found("rae")
    google.fake.fail("/v1/", body=body, times=9)
    with pytest.raises(ProviderFailure) as failure:
        await google.found("rae")
    assert failure.value.kind == "protocol"


def test_google_has_contacts_on_a_host_of_their_own_unless_a_server_stands_in() -> None:
    usual = OAuthClient("id", "secret", "https://accounts.google.com", "https://www.googleapis.com")
    assert Addresses.of(usual).people == "https://people.googleapis.com"
    assert Addresses.of(replace(usual, api="http://127.0.0.1:9001")).people == "http://127.0.0.1:9001"


async def test_a_token_of_google_that_is_old_is_renewed_for_contacts_too(gmail: GoogleBackend) -> None:
    google = GoogleBook(gmail)
    google.know(RAE)
    google.fake.expire_access()
    assert await google.found("rae") == {RAE}


# Microsoft


async def test_calendars_alone_are_no_right_to_contacts_at_microsoft(outlook: MicrosoftBackend) -> None:
    microsoft = MicrosoftBook(outlook)
    microsoft.credentials = outlook.credentials
    with pytest.raises(ProviderFailure) as failure:
        await microsoft.found("rae")
    assert failure.value.kind == "auth"


async def test_a_mailbox_of_a_whole_organization_has_contacts_too(outlook: MicrosoftBackend) -> None:
    """Reached with the program's own token."""
    mailbox = outlook.fake.account("bob@example.com")
    outlook.fake.identity.is_let_in = True
    add_contact(mailbox, RAE.name, RAE.email)
    book = MicrosoftContacts(outlook.provider.graph)
    assert set(await book.search(Credentials("", mailbox.email, tenant_secret("example.com")), "rae")) == {RAE}


# which there are


def account(provider: str, scopes: str | None, secret: str = "{}") -> CalendarAccount:
    return CalendarAccount(
        id="a", org_id="o", user_id="u", provider=provider, label="", url="", username=PERSON, secret=secret,
        status="ok", error=None, last_ok_at=None, created_at=0, updated_at=0, scopes=scopes,
    )  # fmt: skip


async def test_whether_contacts_are_granted_is_told_by_the_scopes(tmp_path: Path) -> None:
    registered = {f"{name}_CLIENT_{part}": "x" for name in ("GOOGLE", "MICROSOFT") for part in ("ID", "SECRET")}
    parts = wire(settings_for(f"sqlite+aiosqlite:///{tmp_path / 'db'}", tmp_path, **registered))
    try:
        books = parts.ports.contact_books
        assert sorted(books) == ["google", "microsoft"]
        assert not books["google"].is_granted(account("google", " ".join(CALENDAR_SCOPES)))
        assert not books["google"].is_granted(account("google", None))
        assert books["google"].is_granted(account("google", " ".join((*CALENDAR_SCOPES, *CONTACT_SCOPES))))
        assert not books["microsoft"].is_granted(account("microsoft", "Calendars.ReadWrite User.Read"))
        assert books["microsoft"].is_granted(account("microsoft", "Calendars.ReadWrite Contacts.ReadWrite"))
        assert books["microsoft"].is_granted(account("microsoft", None, tenant_secret("example.com")))
    finally:
        await parts.close()


def test_a_server_that_is_registered_nowhere_has_no_books() -> None:
    books = ContactBooks({})
    assert len(books) == 0
    assert "google" not in books
    with pytest.raises(KeyError):
        books["google"]

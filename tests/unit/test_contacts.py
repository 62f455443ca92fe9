"""Whom to suggest, and who comes first."""

import pytest

from app.domain.contacts import MOST, Contact, Suggestion, best_suggestions


def emails(typed: str, *contacts: Contact) -> list[str]:
    return [each.email for each in best_suggestions([("bookings", contacts)], typed)]


RAE = Contact("Rae Recipient", "rae@example.org")


@pytest.mark.parametrize(
    "typed", ["rae", "RAE", "  rae ", "rae recip", "recip", "rae@ex", "example", "ample.o", "ecipie", "rae@example.org"]
)
def test_somebody_fits_by_any_part_of_name_or_address(typed: str) -> None:
    assert emails(typed, RAE) == ["rae@example.org"]


@pytest.mark.parametrize("typed", ["raf", "rae  recip", "%", "rae@example.org.au", "ra.*"])
def test_and_by_nothing_else(typed: str) -> None:
    assert emails(typed, RAE) == []


def test_what_begins_with_the_text_comes_before_what_contains_it() -> None:
    inside = Contact("Bea", "bea@market.example.org")
    middle = Contact("Petra Mark", "petra@example.org")
    whole = Contact("Supermarket", "us@supermarket.example.org")
    first = Contact("Mark", "m@example.org")
    address = Contact("", "mark@example.net")
    found = emails("mark", whole, inside, middle, first, address)
    assert found == [first.email, address.email, inside.email, middle.email, whole.email]


def test_alike_fits_stay_in_the_order_they_came_in() -> None:
    people = [Contact(f"Mark {number}", f"mark{number}@example.org") for number in (3, 1, 2)]
    assert emails("mark", *people) == ["mark3@example.org", "mark1@example.org", "mark2@example.org"]


def test_letters_of_all_languages_have_two_cases() -> None:
    assert emails("žof", Contact("ŽOFIE", "z@example.org")) == ["z@example.org"]
    assert emails("strasse", Contact("Anna Straße", "a@example.org")) == ["a@example.org"]


def test_an_address_counts_once_and_for_its_first_source() -> None:
    found = best_suggestions(
        [
            ("bookings", [Contact("", "Rae@example.org"), Contact("R. Recipient", "rae@Example.org")]),
            ("google", [Contact("My Rae", "RAE@EXAMPLE.ORG"), Contact("Raelene", "rl@example.org")]),
        ],
        "rae",
    )
    assert found == [
        Suggestion("R. Recipient", "rae@example.org", "bookings"),
        Suggestion("Raelene", "rl@example.org", "google"),
    ]


def test_the_best_fit_of_an_address_counts() -> None:
    found = best_suggestions(
        [
            ("bookings", [Contact("Zed Xrae", "one@example.org"), Contact("The Rae", "two@example.org")]),
            ("google", [Contact("Rae", "one@example.org")]),
        ],
        "rae",
    )
    assert [each.email for each in found] == ["one@example.org", "two@example.org"]


def test_there_are_at_most_ten() -> None:
    found = emails("mark", *(Contact("Mark", f"m{number}@example.org") for number in range(MOST + 5)))
    assert len(found) == MOST == 10


def test_what_is_no_address_is_not_suggested_and_no_name_is_an_address() -> None:
    odd = [Contact("Rae", "rae"), Contact("Rae", "/o=org/cn=rae"), Contact("Rae", f"rae@{'x' * 250}.org")]
    assert emails("rae", *odd) == []
    (found,) = best_suggestions([("google", [Contact("rae@example.org", "rae@example.org")])], "rae")
    assert found.name == ""


def test_names_are_one_line_of_bearable_length() -> None:
    (found,) = best_suggestions([("google", [Contact("Rae\n\tR" + "x" * 500, "rae@example.org")])], "rae")
    assert found.name.startswith("Rae Rxx")
    assert len(found.name) == 200
    (found,) = best_suggestions([("google", [Contact("Rae\x00", "rae@example.org")])], "rae")
    assert found.name == ""

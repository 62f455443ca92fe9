"""Addresses are found as a whole."""

import pytest

from app.domain.mentions import mentions

NA = "na@example.com"


@pytest.mark.parametrize(
    "text",
    [
        NA,
        "Na <NA@example.com>",
        '{"email":"na@example.com"}',
        "mailto:na@example.com",
        "EMAIL=na@example.com:",
        "'na@example.com' is refused",
        "Write to na@example.com.",
        r'{"notes":"call\nna@example.com"}',
    ],
)
def test_an_address_is_found(text: str) -> None:
    assert mentions([NA]).search(text)


@pytest.mark.parametrize(
    "text",
    ["anna@example.com", "an.na@example.com", "an-na@example.com", "x+na@example.com", "o'na@example.com",
     "na@example.com.au", "na@example.community", "na@example.com-x.org", "na@exampleXcom"],
)  # fmt: skip
def test_the_address_of_somebody_else_is_not(text: str) -> None:
    assert not mentions([NA]).search(text)


def test_numbers_end_and_ids_stand_anywhere() -> None:
    assert mentions(["+49301"]).search("Call +49301.")
    assert not mentions(["+49301"]).search("Call +493012")
    assert mentions(["0199-ab"]).search("<0199-ab.1@example.org>")
    assert not mentions([]).search("anything")

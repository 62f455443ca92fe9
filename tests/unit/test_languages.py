"""Language tags, and what is made of an `Accept-Language`."""

from __future__ import annotations

import pytest

from app.domain.errors import Invalid
from app.domain.languages import MAX_TAG, accepted, checked_tag, negotiated


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("de", "de"),
        ("DE-at", "de-AT"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-ch-1996", "de-CH-1996"),
        ("ar-eg-u-nu-latn", "ar-EG-u-nu-latn"),
        ("en-us-x-ab", "en-US-x-ab"),
    ],
)
def test_a_tag_is_kept_in_the_usual_letters(sent: str, kept: str) -> None:
    """RFC 5646 §2.1.1: region in capitals, script with one, all else small."""
    assert checked_tag(sent) == kept


@pytest.mark.parametrize("sent", ["", "d", "german", "de_AT", "de-", "de-AT-", "x-own", "d€", "de\n", "de-" + "a" * 40])
def test_what_is_no_tag_is_refused(sent: str) -> None:
    """The field is named."""
    with pytest.raises(Invalid) as refused:
        checked_tag(sent)
    assert [error.field for error in refused.value.errors] == ["language"]


def test_a_tag_has_a_bounded_length() -> None:
    """RFC 5646 §4.4.1."""
    longest = "de-" + "-".join(["abcdefgh"] * 3) + "-abcde"
    assert len(longest) <= MAX_TAG and checked_tag(longest) == longest
    with pytest.raises(Invalid):
        checked_tag(longest + "-abcdefgh")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de-AT"),
        ("en;q=0.7, fr-ch;q=0.9", "fr-CH"),
        ("nl-NL, es-MX;q=0.5", "es-MX"),
        ("nl-NL, pt;q=0.5", "nl-NL"),
        ("en-GB", "en-GB"),
        ("*", None),
        ("", None),
        (None, None),
        ("de_AT, i-klingon;q=0.4, ar;q=0.2", "ar"),
        ("fr;q=0, de;q=abc, es;q=nan", None),
    ],
)
def test_the_first_language_with_words_is_taken_region_and_all(header: str | None, found: str | None) -> None:
    """Without words in any, the first is kept for the form of its dates."""
    assert negotiated(header) == found


def test_a_long_header_is_read_in_part() -> None:
    """Nobody likes so many languages."""
    assert len(accepted(",".join(["de-AT"] * 10_000))) < 50

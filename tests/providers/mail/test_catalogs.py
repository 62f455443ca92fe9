"""The catalogs of mails and texts: whole, and in step with what the program says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from app.domain.languages import LANGUAGES, SOURCE
from integrations.mail.catalogs import FOLDER, words_in

TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
_HERE = [("**.py", "python"), ("templates/**", "jinja2")]


@cache
def _said() -> frozenset[str | tuple[str, ...]]:
    """What is marked in the code and the templates of mails."""
    return frozenset(message for _, _, message, _, _ in extract_from_dir(FOLDER.parent, method_map=_HERE))


@cache
def _catalog(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def _texts(language: str) -> Mapping[str | tuple[str, ...], tuple[str, ...]]:
    found = [(message.id, message.string or "") for message in _catalog(language) if message.id]
    return {
        source if isinstance(source, str) else tuple(source): (text,) if isinstance(text, str) else tuple(text)
        for source, text in found
    }


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_there_is_a_catalog_for_every_language_and_no_other() -> None:
    """English is what the others are translated from."""
    assert sorted(path.name for path in Path(FOLDER).iterdir()) == sorted(f"{each}.po" for each in TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalog_has_what_is_said_and_nothing_else(language: str) -> None:
    """Add what is named here to the catalog, or take it out."""
    kept = set(_texts(language))
    assert {"new": _said() - kept, "old": kept - _said()} == {"new": set(), "old": set()}


@pytest.mark.parametrize("language", TRANSLATED)
def test_everything_is_translated_with_the_same_fields(language: str) -> None:
    """Where the form itself says how many, the number may be left out."""
    wrong = {}
    for source, texts in _texts(language).items():
        single, several = (source, source) if isinstance(source, str) else (source[0], source[-1])
        for text in texts:
            lost, added = _fields(several) - _fields(text), _fields(text) - _fields(several) - _fields(single)
            if not text.strip() or added or lost - ({"count"} if len(texts) > 1 else set()):
                wrong[source] = text
    assert wrong == {}
    assert [message.id for message in _catalog(language) if message.fuzzy and message.id] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_there_is_a_form_for_every_number(language: str) -> None:
    """As many as the language has."""
    catalog = _catalog(language)
    forms = {len(texts) for source, texts in _texts(language).items() if not isinstance(source, str)}
    assert forms == {catalog.num_plurals}


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 2, "2 times from X"),
        ("de", 1, "1 Termin ab X"),
        ("de", 4, "4 Termine ab X"),
        ("fr", 2, "2 dates à partir du X"),
        ("es", 5, "5 fechas a partir del X"),
        ("ar", 2, "موعدان ابتداءً من X"),
        ("ar", 3, "3 مواعيد ابتداءً من X"),
        ("ar", 11, "11 موعدًا ابتداءً من X"),
        ("ar", 100, "100 موعد ابتداءً من X"),
    ],
)
def test_numbers_have_the_form_of_the_language(language: str, count: int, said: str) -> None:
    """Arabic has six."""
    text = words_in(language).ngettext("{count} time from {start}", "{count} times from {start}", count)
    assert text.format(count=count, start="X") == said


def test_a_catalog_is_read_once() -> None:
    """And English not at all."""
    assert words_in("de") is words_in("de")
    assert words_in(SOURCE).gettext("When") == "When"

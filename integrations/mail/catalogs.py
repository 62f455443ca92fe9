"""The words of mails and texts to recipients and guests, in their language.

What the program says is written in English where it is said, and is what a catalog is asked for. `N_` marks a text that
is looked up later. The catalogs are gettext's, read as they lie in `catalogs/`: nothing is compiled or built. How they
are brought up to date is told in docs/development.md.
"""

from __future__ import annotations

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from app.domain.languages import SOURCE

FOLDER = Path(__file__).with_name("catalogs")


def N_(message: str) -> str:  # noqa: N802  # the name that programs which gather messages look for
    """The text itself: it is to be looked up when it is known for whom."""
    return message


@cache
def words_in(language: str) -> NullTranslations:
    """The catalog of one of `LANGUAGES`; that of English has each text as it is."""
    if language == SOURCE:
        return NullTranslations()
    from babel.messages.mofile import write_mo  # where everybody reads English this is not needed
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (FOLDER / f"{language}.po").open("rb") as source:
        write_mo(compiled, read_po(source, locale=language, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)

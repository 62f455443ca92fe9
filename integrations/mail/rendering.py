"""Templates to the two bodies of a mail."""

from __future__ import annotations

from functools import cache
from typing import Any

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.domain.event_text import clean_text
from app.domain.languages import SOURCE
from integrations.mail.times import Teller


def render(name: str, *, tells: Teller | None = None, **values: Any) -> tuple[str, str]:
    """(plain text, HTML) of a template, in English unless `tells` has another language. Styles are written into the
    elements, since many mail programs drop sheets; the rules for dark screens and small ones stay in one. Control
    characters that people typed are gone."""
    environment = _environment()
    if tells is not None:
        turned = Markup(' dir="rtl"') if tells.is_rtl else ""
        values |= {"gettext": tells.words.gettext, "lang": tells.language, "turned": turned}
    text = environment.get_template(f"{name}.txt").render(values)
    html = environment.get_template(f"{name}.html").render(values)
    return clean_text(text).strip() + "\n", _inliner().inline(clean_text(html))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("integrations.mail"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["lines"] = _lines
    environment.globals |= {"gettext": str, "lang": SOURCE, "turned": ""}
    return environment


@cache
def _inliner() -> CSSInliner:
    return CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)


def _lines(text: str) -> Markup:
    """Line ends as <br>: some mail programs know no `white-space`."""
    return Markup("<br>").join(escape(line) for line in clean_text(text).split("\n"))

"""Tables as CSV (RFC 4180), written as they are read."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from litestar.response import Stream

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell instead of showing it."""
CSV = "text/csv"


def lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of cells. Texts that a spreadsheet would take for a formula get an apostrophe in front."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else value


def download(chunks: AsyncIterator[bytes], name: str) -> Stream:
    """An answer that browsers keep as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Stream(chunks, media_type=CSV, headers=headers)

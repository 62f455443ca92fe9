"""Small helpers all repositories share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, cast, func, literal
from sqlalchemy.types import Text

from app.domain.cursors import decode_cursor


def columns(table: Table, prefix: str) -> list[ColumnElement[Any]]:
    """All columns of a table, labelled `prefix_name`, for joins that read several tables at once."""
    return [column.label(f"{prefix}_{column.name}") for column in table.columns]


def page_by_id(
    query: Select[Any], id_column: Column[str], limit: int, cursor: str | None, *, newest_first: bool = False
) -> Select[Any]:
    """By id, which rises with time; one row more than asked for, so that the caller knows whether there is a next
    page."""
    if cursor is not None:
        last = decode_cursor(cursor, "id")[0]
        query = query.where(id_column < last if newest_first else id_column > last)
    return query.order_by(id_column.desc() if newest_first else id_column).limit(limit + 1)


def pairs_text(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[str]:
    """Aggregate intervals into one text, so that thousands of rows cost one fetch; `parse_pairs` reads it."""
    return func.aggregate_strings(cast(start, Text) + literal(",") + cast(end, Text), ",")


def parse_pairs(text: str | None) -> list[tuple[int, int]]:
    """The sorted intervals of `pairs_text`."""
    if not text:
        return []
    numbers = list(map(int, text.split(",")))
    return sorted(zip(numbers[::2], numbers[1::2], strict=True))


def parse_numbers(text: str | None) -> list[int]:
    """The sorted numbers of an aggregated column."""
    return sorted(map(int, text.split(","))) if text else []

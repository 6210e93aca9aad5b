"""Positions in cursors: their values are the caller's until checked."""

from typing import Any
from uuid import UUID

from rihla.web.paging import InvalidCursor


def after_id(cursor: dict[str, Any] | None) -> UUID:
    """The id a page begins after; the lowest possible without a cursor. Raises InvalidCursor."""
    try:
        return UUID(str(cursor["id"])) if cursor else UUID(int=0)
    except (KeyError, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error


def after_text(cursor: dict[str, Any] | None, name: str) -> str:
    """The code a page begins after; empty without a cursor. Raises InvalidCursor."""
    value = cursor.get(name) if cursor else ""
    if not isinstance(value, str):
        raise InvalidCursor("Start again without a cursor.")
    return value

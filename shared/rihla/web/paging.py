"""Cursor paging: opaque, stable while rows are added."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query

from rihla.kernel import DomainError
from rihla.web.schemas import Schema

T = TypeVar("T")
_LONGEST_CURSOR = 1024


class InvalidCursor(DomainError):
    """The cursor is not one we gave."""


class Page(Schema, Generic[T]):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class _PageParams:
    limit: int
    cursor: dict[str, Any] | None


async def _page_params(
    limit: Annotated[int, Query(ge=1, le=100, description="How many items at the most")] = 20,
    cursor: Annotated[
        str | None, Query(max_length=_LONGEST_CURSOR, description="`next_cursor` of the page before")
    ] = None,
) -> _PageParams:
    return _PageParams(limit, decode_cursor(cursor) if cursor else None)


def encode_cursor(position: dict[str, Any]) -> str:
    """The opaque form of a position (JSON values only)."""
    return base64.urlsafe_b64encode(json.dumps(position, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> dict[str, Any]:
    """The position of a cursor we gave; InvalidCursor otherwise. Its values are still a caller's: check them."""
    try:
        position = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("Start again without a cursor.") from error
    if not isinstance(position, dict):
        raise InvalidCursor("Start again without a cursor.")
    return position


PageParams = Annotated[_PageParams, Depends(_page_params)]

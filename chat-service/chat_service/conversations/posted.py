"""What sending a message gives."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

Row = RowMapping | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Posted:
    """A stored message and its conversation; `repeated` when it had been stored before."""

    message: Row
    conversation: Row
    repeated: bool
    status_changed: bool

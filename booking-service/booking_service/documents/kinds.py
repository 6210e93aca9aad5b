"""Words for what is made, and for what it was made."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID


class DocumentKind(StrEnum):
    """The papers a worker makes. A calendar file is made while it is asked for."""

    TICKET = "ticket"
    RECEIPT = "receipt"
    REFUND_RECEIPT = "refund_receipt"
    BOARDING_PASS = "boarding_pass"


class JobState(StrEnum):
    """`queued` -> `working` -> `done`; back to `queued` after a failure; `failed` after the last attempt."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Order:
    """One paper to make. `refund_id` names a refund; passenger and flight name a boarding pass."""

    kind: DocumentKind
    refund_id: UUID | None = None
    passenger_id: UUID | None = None
    flight_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """The order as it is stored with its job."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Self:
        """The order of a stored job."""
        ids = {name: UUID(value) for name, value in stored.items() if name != "kind"}
        return cls(DocumentKind(stored["kind"]), **ids)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A finished file. `subject` tells apart the files of one kind: an airline, a refund, a passenger on a flight."""

    kind: DocumentKind
    subject: str
    name: str
    media_type: str
    data: bytes
    passenger_id: UUID | None = None
    flight_id: UUID | None = None

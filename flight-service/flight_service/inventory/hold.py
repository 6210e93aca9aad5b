"""The values of a hold: what booking-service sends, and what is put on the inventory for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Literal
from uuid import UUID

import msgspec

Cabin = tuple[str, str]
"""One cabin of one flight: (flight id, cabin). Ids are strings here: they hash fastest, and nothing computes with
them.
"""
Place = tuple[str, str]
"""One seat of one flight: (flight id, designator)."""
HoldStatus = Literal["held", "confirmed", "released", "expired"]
Preference = Literal["window", "aisle", "middle"]
PassengerType = Literal["adult", "child", "infant", "senior", "student"]


class SeatChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A seat a traveller chose."""

    flight_id: UUID
    designator: str


class ExtraChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bag, a meal or a service; on every segment when `flight_id` is null."""

    code: str
    flight_id: UUID | None = None
    quantity: int = 1


class HoldLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One traveller of a hold."""

    passenger_id: UUID
    type: PassengerType
    date_of_birth: date
    seats: tuple[SeatChoice, ...] = ()
    seat_preference: Preference | None = None
    extras: tuple[ExtraChoice, ...] = ()


class HoldContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PUT /internal/v1/holds/{hold_id}."""

    offer_id: str
    expires_at: datetime
    lines: tuple[HoldLine, ...]


class QuoteContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /internal/v1/hold-quotes."""

    offer_id: str
    lines: tuple[HoldLine, ...]


def fingerprint(content: HoldContent) -> bytes:
    """What tells two contents apart, whatever the order of keys or the spaces were when they were sent."""
    return blake2b(msgspec.json.encode(content), digest_size=16).digest()


class SeatRow(msgspec.Struct, frozen=True):
    """One traveller on one segment who takes a seat."""

    passenger_id: UUID
    flight_id: str
    cabin: str
    designator: str | None
    preference: str | None
    under_12: bool
    with_infant: bool


@dataclass(frozen=True, slots=True)
class PreparedHold:
    """A hold checked and priced, ready to be put on the inventory."""

    id: UUID
    fingerprint: bytes
    offer_id: str
    expires_at: datetime
    currency: str
    total_minor: int
    priced: str
    flights: tuple[tuple[str, int], ...]
    """(flight id, version the offer was made with)."""
    takes: tuple[tuple[Cabin, int], ...]
    rows: tuple[SeatRow, ...]
    flash_uses: tuple[tuple[UUID, int], ...] = ()
    rules_version: int = 0
    """The fare rules the offer was priced by; 0 when it does not say."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A traveller's seat as it is stored. `state`: held, sold, returned (may be reinstated) or released."""

    passenger_id: UUID
    flight_id: str
    cabin: str
    designator: str | None
    state: str
    preference: Preference | None
    under_12: bool
    with_infant: bool

    @property
    def live(self) -> bool:
        """Whether the seat is this traveller's now."""
        return self.state in ("held", "sold")


@dataclass(frozen=True, slots=True)
class StoredHold:
    """A hold as it is stored. A tombstone has neither `expires_at` nor `priced`."""

    id: UUID
    status: HoldStatus
    expires_at: datetime | None
    priced: str | None
    notes: tuple[str, ...]
    rows: tuple[StoredRow, ...]

    @property
    def tombstone(self) -> bool:
        """Whether only the id is known: released before the hold arrived."""
        return self.priced is None


def answer(
    hold_id: UUID,
    status: HoldStatus,
    expires_at: datetime | None,
    priced: str | None,
    seats: Iterable[tuple[UUID, str, str]],
    notes: Sequence[str],
) -> bytes:
    """The hold as contracts.md shows it. `priced` is the stored part (a JSON object) and is not parsed again."""
    head = {
        "id": hold_id,
        "status": status,
        "expires_at": expires_at,
        "seats": [
            {"passenger_id": passenger, "flight_id": flight, "designator": designator}
            for passenger, flight, designator in seats
        ],
        "notes": notes,
    }
    return msgspec.json.encode(head)[:-1] + b"," + (priced or _NOTHING_PRICED)[1:].encode()


_NOTHING_PRICED = (
    '{"offer_id":null,"currency":null,"total_minor":null,"segments":[],"fare_rules":null,"price_lines":[]}'
)


def answer_stored(hold: StoredHold) -> bytes:
    """The answer for a hold as it is stored."""
    seats = ((row.passenger_id, row.flight_id, row.designator) for row in hold.rows if row.live and row.designator)
    return answer(hold.id, hold.status, hold.expires_at, hold.priced, seats, hold.notes)

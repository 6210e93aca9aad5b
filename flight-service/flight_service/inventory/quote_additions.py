"""What seats and extras cost that travellers add after purchase: present prices, nothing held, nothing changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from flight_service.fares.rule_set import PassengerType
from flight_service.inventory.hold import StoredHold
from flight_service.inventory.prepare_hold import Offers
from flight_service.inventory.schemas import ExtraModel, ExtrasLine, SeatChoiceModel
from flight_service.offers.price_hold import price_additions
from rihla.web import ValidationFailed


class _Priced(msgspec.Struct):
    """What is read of the stored part of a hold."""

    currency: str
    segments: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Addition:
    """A line as the price rule takes it."""

    passenger_id: Any
    type: PassengerType
    date_of_birth: date
    seats: Sequence[SeatChoiceModel]
    extras: Sequence[ExtraModel]


_priced = msgspec.json.Decoder(_Priced)


def quote_additions(hold: StoredHold, lines: Sequence[ExtrasLine], offers: Offers) -> bytes:
    """`{currency, total_minor, price_lines}`. Raises ValidationFailed for a traveller the hold does not know, and the
    errors of `price_additions`.
    """
    stored = _priced.decode(hold.priced or "{}")
    additions = [_addition(hold, line, index) for index, line in enumerate(lines)]
    priced = price_additions(offers.segments_of(stored.segments, stored.currency), additions)
    return msgspec.json.encode(
        {
            "currency": stored.currency,
            "total_minor": sum(line.amount_minor for line in priced),
            "price_lines": priced,
        }
    )


def _addition(hold: StoredHold, line: ExtrasLine, index: int) -> _Addition:
    rows = [row for row in hold.rows if row.passenger_id == line.passenger_id and row.live]
    if not rows:
        raise ValidationFailed(
            {
                "pointer": f"#/lines/{index}/passenger_id",
                "code": "passenger-unknown",
                "message": "This traveller has no seat of this hold.",
            }
        )
    kind: PassengerType = "child" if rows[0].under_12 else "adult"
    return _Addition(line.passenger_id, kind, date.min, line.seats, line.extras)

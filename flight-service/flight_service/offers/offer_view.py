"""An opened offer as the API shows it: the short form of a search, and the parts of the long form."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from flight_service.fares.currencies import half_up
from flight_service.fares.rule_set import FULL, Brand, FareRules, PassengerType
from flight_service.fares.rules import PriceContext, step_factor, total
from flight_service.fares.segment_price import SegmentPricer
from flight_service.offers.extras import PricedExtra
from flight_service.offers.opened_offer import OpenedOffer, OpenedSegment
from flight_service.offers.wire import duration_text, money, utc_text


def offer_document(
    offer: OpenedOffer, free_seats: Mapping[UUID, int], airport_changes: Callable[[str, str], bool]
) -> dict[str, Any]:
    """The offer as search shows it; `airport_changes` says of two airports whether they are two of one city."""
    turns = [(before[-1].destination, after[0].origin) for before, after in pairwise(offer.slices)]
    return {
        "id": offer.offer_id,
        "expires_at": utc_text(offer.expires_at),
        "slices": [_slice(segments, free_seats) for segments in offer.slices],
        "airport_change": any(airport_changes(arrived, leaves) for arrived, leaves in turns),
        "price": _price(offer),
        "fare_rules": rules_document(offer.brand, offer.cabin, offer.currency, offer.change_fee_minor),
        "average_rating": None,
        "review_count": 0,
    }


def rules_document(brand: Brand, cabin: str, currency: str, change_fee_minor: int) -> dict[str, Any]:
    """What a brand allows, as offers show it."""
    return {
        "changeable": brand.changeable,
        "refundable": brand.refundable,
        "fees": {
            "change": money(change_fee_minor, currency) if brand.changeable else None,
            "refund": [{"hours_before": b.hours_before, "fee_percent": b.fee_percent} for b in brand.refund_brackets],
        },
        "bags": {"checked_kg": brand.checked_kg[cabin], "cabin_kg": brand.cabin_kg[cabin]},
        "seat_choice": brand.seat_choice,
    }


def breakdown_document(offer: OpenedOffer, pricer: SegmentPricer) -> list[dict[str, Any]]:
    """How each passenger type's price on each flight is made: the published fare, every factor, every line."""
    return [
        {
            "flight_id": str(segment.flight_id),
            "type": kind,
            "published_fare": money(pricer.rates.convert(segment.context.base_minor, offer.currency), offer.currency),
            "factors": _factors(pricer.rules, offer.brand, segment.context, kind),
            "lines": [
                {
                    "kind": line.kind,
                    "code": line.code,
                    "name": line.name,
                    "amount": money(line.amount_minor, offer.currency),
                }
                for line in segment.fares[kind]
            ],
            "total": money(total(segment.fares[kind]), offer.currency),
        }
        for segment in offer.segments
        if segment.context is not None
        for kind in offer.party
    ]


def _factors(rules: FareRules, brand: Brand, context: PriceContext, kind: PassengerType) -> list[dict[str, str]]:
    days = max(context.hours_ahead, 0) // 24
    steps = (
        (f"Passenger type: {kind}", rules.type_factor[kind]),
        (f"Fare brand: {brand.name}", brand.multiplier),
        (f"Seats taken: {context.load_percent} %", step_factor(rules.load_steps, context.load_percent)),
        (f"Days to departure: {days}", step_factor(rules.day_steps, days)),
    )
    return [{"name": name, "multiplier": multiplier(factor)} for name, factor in steps]


def services_document(offer: OpenedOffer) -> dict[str, Any]:
    """Everything that can be added, with its price on each flight."""
    kinds: dict[str, list[dict[str, Any]]] = {"bag": [], "meal": [], "service": []}
    for code, priced in offer.segments[0].extras.items():
        on_each = [(segment.flight_id, segment.extras[code]) for segment in offer.segments]
        kinds[priced.extra.kind].append(_service(priced, on_each, offer.currency))
    seats = [_seat_service(segment, offer.currency) for segment in offer.segments]
    return {"bags": kinds["bag"], "seats": seats, "meals": kinds["meal"], "other": kinds["service"]}


def refund_document(offer: OpenedOffer) -> list[dict[str, Any]]:
    """What comes back, slice by slice, bracket by bracket, before any discount of a promo code.

    The fee is taken of what one passenger pays as fare for the slice, rounded half up: booking-service does the same
    (`tests/contract/test_refund_schedule.py`).
    """
    return [
        {"slice_index": index, "schedule": _schedule(offer, segments)} for index, segments in enumerate(offer.slices)
    ]


def _schedule(offer: OpenedOffer, segments: tuple[OpenedSegment, ...]) -> list[dict[str, Any]]:
    lines = {kind: [line for segment in segments for line in segment.fares[kind]] for kind in offer.party}
    paid = sum(line.amount_minor * offer.party[kind] for kind in lines for line in lines[kind])
    fares = {
        kind: sum(line.amount_minor for line in of_one if line.refund_class == "fare") for kind, of_one in lines.items()
    }
    steps = []
    for bracket in offer.brand.refund_brackets:
        fee = sum(half_up(fare * bracket.fee_percent, 100) * offer.party[kind] for kind, fare in fares.items())
        steps.append(
            {
                "until": utc_text(segments[0].departure_at - timedelta(hours=bracket.hours_before)),
                "hours_before": bracket.hours_before,
                "fee_percent": bracket.fee_percent,
                "fee": money(fee, offer.currency),
                "refund": money(paid - fee, offer.currency),
            }
        )
    return steps


def _slice(segments: tuple[OpenedSegment, ...], free_seats: Mapping[UUID, int]) -> dict[str, Any]:
    minutes = int((segments[-1].arrival_at - segments[0].departure_at).total_seconds()) // 60
    return {
        "origin": segments[0].origin,
        "destination": segments[-1].destination,
        "duration": duration_text(minutes),
        "stops": len(segments) - 1,
        "segments": [
            {
                "flight_id": str(segment.flight_id),
                "flight_number": segment.flight_number,
                "airline": segment.airline,
                "aircraft": segment.aircraft,
                "origin": segment.origin,
                "destination": segment.destination,
                "departure_at": segment.departure_at.isoformat(),
                "arrival_at": segment.arrival_at.isoformat(),
                "duration": duration_text(segment.duration_minutes),
                "cabin": segment.cabin,
                "fare_brand": segment.fare_brand,
                "free_seats": free_seats[segment.flight_id],
            }
            for segment in segments
        ],
    }


def _price(offer: OpenedOffer) -> dict[str, Any]:
    base = 0
    taxes: dict[str, tuple[str, int]] = {}
    types: dict[PassengerType, int] = dict.fromkeys(offer.party, 0)
    for segment in offer.segments:
        for kind, count in offer.party.items():
            types[kind] += total(segment.fares[kind]) * count
            for line in segment.fares[kind]:
                if line.kind in ("tax", "charge"):
                    name, amount = taxes.get(line.code, (line.name, 0))
                    taxes[line.code] = (name, amount + line.amount_minor * count)
                else:
                    base += line.amount_minor * count
    currency = offer.currency
    return {
        "total": money(sum(types.values()), currency),
        "base": money(base, currency),
        "taxes": [{"code": c, "name": name, "amount": money(amount, currency)} for c, (name, amount) in taxes.items()],
        "per_passenger": [
            {"type": kind, "count": offer.party[kind], "total": money(amount, currency)}
            for kind, amount in types.items()
        ],
    }


def _service(priced: PricedExtra, on_each: list[tuple[UUID, PricedExtra]], currency: str) -> dict[str, Any]:
    extra = priced.extra
    return {
        "code": extra.code,
        "name": extra.name,
        "kg": extra.kg or None,
        "max_quantity": extra.max_quantity,
        "prices": [{"flight_id": str(flight), "price": money(p.amount_minor, currency)} for flight, p in on_each],
    }


def _seat_service(segment: OpenedSegment, currency: str) -> dict[str, Any]:
    prices = segment.seats
    return {
        "flight_id": str(segment.flight_id),
        "seat_choice": prices.choice,
        "standard": money(prices.standard, currency),
        "preferred": money(prices.preferred, currency),
        "exit_row": money(prices.exit_row, currency),
        "extra_legroom": money(prices.extra_legroom, currency),
    }


def multiplier(basis_points: int) -> str:
    """Basis points as a decimal multiplier: 10800 is `1.0800`."""
    return f"{basis_points // FULL}.{basis_points % FULL:04d}"

"""What a cancellation gives back: pure rules on the stored price lines (api.md, "Money").

Money is worked out for each (passenger, slice) on its own and added up. So, at one instant, every order of partial
cancellations that ends in the same set gives the same money, and the parts add up to the whole to the last minor unit.

fee    = fare of the unit x percent of its bracket, rounded half up; the fare includes its share of a discount
refund = all lines of the unit - fee; airport taxes and extras return in full
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking_service.bookings.states import ChargeState
from booking_service.bookings.view import BookingView, CouponView, PriceLineView, SliceView
from rihla.kernel import apportion

_PAID = frozenset({ChargeState.PAID, ChargeState.REFUNDED})


@dataclass(frozen=True, slots=True)
class Share:
    """What comes back of one charge, and what is kept of it. Minor units."""

    refund_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class Money:
    """What a set of coupons gives back, in all and by charge. Minor units."""

    refund_minor: int
    fee_minor: int
    by_charge: dict[UUID, Share]


def fee_percent(fare_rules: dict[str, Any], departure: datetime, at: datetime) -> int:
    """The percent of the fare that is kept when cancelling at `at`.

    Brackets are `{"hours_before", "fee_percent"}`; the one with the most hours that are still left applies, its
    border included. A
    fare that is not refundable keeps everything, and so does a flight that has left.
    """
    left = departure - at
    if not fare_rules.get("refundable") or left < timedelta(0):
        return 100
    brackets = sorted(fare_rules.get("refund_brackets", ()), key=lambda one: -int(one["hours_before"]))
    for bracket in brackets:
        if left >= timedelta(hours=int(bracket["hours_before"])):
            return int(bracket["fee_percent"])
    return 100


def refund_of(view: BookingView, coupons: Iterable[CouponView], *, at: datetime, involuntary: bool) -> Money:
    """The money of these coupons. `involuntary`: the airline is at fault, and everything that was paid comes back."""
    units: dict[tuple[UUID, UUID], list[UUID]] = {}
    for coupon in coupons:
        units.setdefault((coupon.passenger_id, coupon.slice_id), []).append(coupon.segment_id)
    slices = {one.id: one for one in view.slices}
    paid = {charge.id for charge in view.charges if charge.state in _PAID}
    refunds: dict[UUID, int] = {}
    fees: dict[UUID, int] = {}
    for (passenger_id, slice_id), segments in sorted(units.items()):
        lines = [
            line
            for line in view.price_lines
            if line.passenger_id == passenger_id and line.segment_id in segments and line.charge_id in paid
        ]
        _add_unit(lines, slices[slice_id], at, involuntary, refunds, fees)
    shares = {charge: Share(refunds[charge], fees.get(charge, 0)) for charge in refunds}
    return Money(sum(refunds.values()), sum(fees.values()), shares)


def _add_unit(
    lines: Sequence[PriceLineView],
    one: SliceView,
    at: datetime,
    involuntary: bool,
    refunds: dict[UUID, int],
    fees: dict[UUID, int],
) -> None:
    gross: dict[UUID, int] = {}
    fares: dict[UUID, int] = {}
    for line in lines:
        if line.refund_class == "none" and not involuntary:
            continue
        gross[line.charge_id] = gross.get(line.charge_id, 0) + line.amount_minor
        if line.refund_class == "fare":
            fares[line.charge_id] = fares.get(line.charge_id, 0) + line.amount_minor
    percent = 0 if involuntary else fee_percent(one.fare_rules, one.departure_at, at)
    kept = _fee_by_charge(fares, percent)
    for charge, amount in gross.items():
        refunds[charge] = refunds.get(charge, 0) + amount - kept.get(charge, 0)
        fees[charge] = fees.get(charge, 0) + kept.get(charge, 0)


def _fee_by_charge(fares: dict[UUID, int], percent: int) -> dict[UUID, int]:
    """The unit's fee, on the charges that paid its fare, in proportion."""
    charges = sorted(charge for charge, amount in fares.items() if amount > 0)
    fare = sum(fares.values())
    if not charges or fare <= 0:
        return {}
    fee = (fare * percent + 50) // 100
    return dict(zip(charges, apportion(fee, [fares[charge] for charge in charges]), strict=True))

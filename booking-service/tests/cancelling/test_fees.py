"""The money of cancellations: any order, the same set, the same money; the parts add up to the whole."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking_service.bookings.hold import HeldLine, HeldSegment, Hold
from booking_service.bookings.states import ChargeState
from booking_service.bookings.view import BookingView
from booking_service.cancelling.fees import fee_percent, refund_of
from booking_service.placing.compose import Placing, compose
from booking_service.placing.order import Order, Traveller
from rihla.kernel import new_id

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
BRACKETS = [
    {"hours_before": 168, "fee_percent": 10},
    {"hours_before": 48, "fee_percent": 25},
    {"hours_before": 4, "fee_percent": 50},
    {"hours_before": 0, "fee_percent": 100},
]
STANDARD = {"refundable": True, "refund_brackets": BRACKETS}


@pytest.mark.parametrize(
    ("hours", "percent"),
    [(400, 10), (168, 10), (167.9, 25), (48, 25), (47.9, 50), (4, 50), (3.9, 100), (0, 100), (-1, 100)],
)
def test_the_bracket_goes_by_the_hours_that_are_left(hours: float, percent: int) -> None:
    assert fee_percent(STANDARD, NOW + timedelta(hours=hours), NOW) == percent


def test_a_fare_that_is_not_refundable_keeps_all_of_the_fare() -> None:
    assert fee_percent({**STANDARD, "refundable": False}, NOW + timedelta(days=90), NOW) == 100


def test_a_flexible_fare_keeps_nothing_until_departure() -> None:
    flex = {"refundable": True, "refund_brackets": [{"hours_before": 0, "fee_percent": 0}]}
    assert fee_percent(flex, NOW + timedelta(minutes=1), NOW) == 0
    assert fee_percent(flex, NOW - timedelta(minutes=1), NOW) == 100


def _booking(
    passengers: int, slices: list[float], fares: list[int], taxes: list[int], extras: list[int], discount: int
) -> BookingView:
    """A paid booking: slices leave in so many hours; prices are taken in turn."""
    travellers = tuple(
        Traveller(
            id=new_id(),
            type="adult",
            given_name="A",
            surname="B",
            date_of_birth=datetime(1990, 1, 1, tzinfo=UTC).date(),
        )
        for _ in range(passengers)
    )
    segments = tuple(_segment(index, hours) for index, hours in enumerate(slices))
    lines = tuple(
        HeldLine(
            passenger_id=traveller.id,
            flight_id=segment.flight_id,
            kind=kind,
            code=kind,
            name=kind,
            amount_minor=prices[(t * 7 + s) % len(prices)],
            refund_class=refund_class,
        )
        for t, traveller in enumerate(travellers)
        for s, segment in enumerate(segments)
        for kind, refund_class, prices in (
            ("base", "fare", fares),
            ("tax", "airport_tax", taxes),
            ("extra", "extra", extras),
        )
    )
    hold = Hold(
        currency="USD",
        total_minor=sum(line.amount_minor for line in lines),
        segments=segments,
        fare_rules=STANDARD,
        price_lines=lines,
    )
    placing = Placing(
        booking_id=new_id(),
        reference="ABCDEF",
        hold_id=new_id(),
        user_id=new_id(),
        organisation_id=None,
        test_mode=False,
        attempt=1,
        created_at=NOW,
        payment_required_by=NOW,
        order=Order(offer_id="o", travellers=travellers, contact_email="a@example.com", metadata={}),
    )
    view = compose(placing, hold, discount)
    return replace(view, charges=tuple(replace(one, state=ChargeState.PAID) for one in view.charges))


def _segment(index: int, hours: float) -> HeldSegment:
    return HeldSegment(
        flight_id=new_id(),
        slice_index=index,
        segment_index=0,
        flight_number="RQ1",
        airline="RQ",
        airline_name="Rihla Air",
        accounting_code="901",
        aircraft="32N",
        origin="DAC",
        destination="JED",
        departure_at=NOW + timedelta(hours=hours),
        arrival_at=NOW + timedelta(hours=hours + 5),
        duration_minutes=300,
        status="scheduled",
        cabin="economy",
        fare_brand="standard",
        fare_class="Y",
        international=True,
        baggage={},
    )


amounts = st.lists(st.integers(0, 200_003), min_size=1, max_size=5)
bookings = st.builds(
    _booking,
    st.integers(1, 4),
    st.lists(st.floats(0, 400), min_size=1, max_size=3),
    amounts,
    amounts,
    amounts,
    st.integers(0, 300_000),
)


def _units(view: BookingView) -> list[tuple[UUID, UUID]]:
    return sorted({(coupon.passenger_id, coupon.slice_id) for coupon in view.coupons})


@given(bookings, st.data())
def test_any_order_of_parts_that_ends_in_the_same_set_gives_the_same_money(
    view: BookingView, data: st.DataObject
) -> None:
    units = data.draw(st.permutations(_units(view)))
    chosen = units[: data.draw(st.integers(1, len(units)))]
    together = refund_of(
        view, [c for c in view.coupons if (c.passenger_id, c.slice_id) in chosen], at=NOW, involuntary=False
    )
    refund, fee = 0, 0
    while chosen:
        size = data.draw(st.integers(1, len(chosen)))
        step, chosen = chosen[:size], chosen[size:]
        part = refund_of(
            view, [c for c in view.coupons if (c.passenger_id, c.slice_id) in step], at=NOW, involuntary=False
        )
        refund, fee = refund + part.refund_minor, fee + part.fee_minor
    assert (refund, fee) == (together.refund_minor, together.fee_minor)


@given(bookings)
def test_refund_and_fee_add_up_to_what_was_paid(view: BookingView) -> None:
    money = refund_of(view, view.coupons, at=NOW, involuntary=False)
    assert money.refund_minor + money.fee_minor == view.total_minor
    assert money.fee_minor >= 0
    assert sum(share.refund_minor for share in money.by_charge.values()) == money.refund_minor


@given(bookings)
def test_when_the_airline_is_at_fault_everything_comes_back(view: BookingView) -> None:
    money = refund_of(view, view.coupons, at=NOW, involuntary=True)
    assert (money.refund_minor, money.fee_minor) == (view.total_minor, 0)


@given(bookings)
def test_airport_taxes_and_extras_always_come_back(view: BookingView) -> None:
    money = refund_of(view, view.coupons, at=NOW + timedelta(hours=399), involuntary=False)
    fares: dict[tuple[UUID, UUID], int] = {}
    for line in view.price_lines:
        if line.refund_class == "fare":
            unit = (line.passenger_id, line.flight_id)
            fares[unit] = fares.get(unit, 0) + line.amount_minor
    # A discount above the fare has eaten into the taxes of its unit.
    assert money.refund_minor >= view.total_minor - sum(max(0, fare) for fare in fares.values())


@given(bookings)
def test_what_was_not_paid_is_not_given_back(view: BookingView) -> None:
    unpaid = replace(view, charges=tuple(replace(one, state=ChargeState.DUE) for one in view.charges))
    assert refund_of(unpaid, unpaid.coupons, at=NOW, involuntary=True).refund_minor == 0

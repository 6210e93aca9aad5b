"""Rules of promo codes, on plain values."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment_service.promos.errors import PromoCodeNotApplicable
from payment_service.promos.rules import Promo, Trip, discount, free_slot

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
QUARTER = Promo("EID25", "percent", percent_basis_points=2500)
TRIP = Trip("USD", 61240, ("DAC", "JED"), ("RQ",), "economy", date(2026, 12, 20), True)


def test_a_percentage_is_rounded_down_to_the_minor_unit() -> None:
    assert discount(QUARTER, TRIP, NOW) == 15310
    assert discount(QUARTER, replace(TRIP, total_minor=61243), NOW) == 15310


def test_a_fixed_amount_never_exceeds_the_total() -> None:
    fixed = Promo("TEN", "fixed", value_minor=1000, currency="USD")
    assert discount(fixed, TRIP, NOW) == 1000
    assert discount(fixed, replace(TRIP, total_minor=700), NOW) == 700


def test_the_largest_discount_is_a_ceiling() -> None:
    assert discount(replace(QUARTER, max_discount_minor=5000), TRIP, NOW) == 5000


@pytest.mark.parametrize(
    ("code", "trip"),
    [
        ({"active": False}, {}),
        ({"starts_at": NOW + timedelta(seconds=1)}, {}),
        ({"ends_at": NOW}, {}),
        ({"currency": "EUR"}, {}),
        ({"min_spend_minor": 61241}, {}),
        ({"routes": ("JED-DAC",)}, {}),
        ({"routes": ("*-CAI", "LHR-*")}, {}),
        ({"airlines": ("XY",)}, {}),
        ({"airlines": ("RQ",)}, {"airlines": ("RQ", "XY")}),
        ({"cabins": ("business",)}, {}),
        ({"travel_from": date(2026, 12, 21)}, {}),
        ({"travel_until": date(2026, 12, 19)}, {}),
        ({"first_booking_only": True}, {"first_booking": False}),
        ({"stackable": False}, {"has_discount": True}),
        ({}, {"total_minor": 3}),
    ],
)
def test_a_condition_that_is_not_met_refuses_the_code(code: dict[str, Any], trip: dict[str, Any]) -> None:
    with pytest.raises(PromoCodeNotApplicable):
        discount(replace(QUARTER, **code), replace(TRIP, **trip), NOW)


@pytest.mark.parametrize("routes", [("DAC-JED",), ("DAC-*",), ("*-JED",), ("LHR-CDG", "DAC-JED")])
def test_a_route_pattern_matches_a_leg(routes: tuple[str, ...]) -> None:
    assert discount(replace(QUARTER, routes=routes), TRIP, NOW)


def test_a_connection_matches_by_its_ends_and_by_its_legs() -> None:
    trip = replace(TRIP, route=("DAC", "DXB", "JED"))
    assert discount(replace(QUARTER, routes=("DAC-JED",)), trip, NOW)
    assert discount(replace(QUARTER, routes=("DXB-JED",)), trip, NOW)


def test_facts_that_are_unknown_are_not_tested() -> None:
    strict = replace(QUARTER, routes=("LHR-*",), airlines=("XY",), cabins=("first",), travel_from=date(2027, 1, 1))
    assert discount(strict, Trip("USD", 61240), NOW)


@given(st.integers(1, 10_000), st.integers(1, 10**9), st.none() | st.integers(1, 10**6))
def test_a_discount_is_never_more_than_the_total_nor_less_than_one(
    points: int, total: int, ceiling: int | None
) -> None:
    promo = Promo("X", "percent", percent_basis_points=points, max_discount_minor=ceiling)
    try:
        taken = discount(promo, Trip("USD", total), NOW)
    except PromoCodeNotApplicable:
        assert total * points < 10_000
    else:
        assert 0 < taken <= min(total, ceiling or total)


def test_slots_are_given_lowest_first() -> None:
    assert free_slot(set(), 1) == 1
    assert free_slot({1, 3}, 3) == 2
    assert free_slot({1, 2}, 2) is None

"""Properties of prices: the total is the sum of its lines, never negative, the same for the same input."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flight_service.fares.currencies import half_up, read_rates
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.rule_set import BRANDS, PASSENGER_TYPES, read_rule_set
from flight_service.fares.rules import PriceContext, Route, price_passenger, total
from flight_service.fares.segment_price import Party, SegmentPricer

RULES, RATES = read_rule_set(1, DEFAULT_RULES), read_rates(1, DEFAULT_RATES)
ROUTES = [
    Route("DAC", "BD", "JED", "SA", 5_300),
    Route("DEL", "IN", "BOM", "IN", 1_150),
    Route("LHR", "GB", "JFK", "US", 5_540),
]

contexts = st.builds(
    PriceContext,
    base_minor=st.integers(1, 10_000_000),
    cabin=st.sampled_from(["economy", "premium_economy", "business", "first"]),
    load_percent=st.integers(0, 100),
    hours_ahead=st.integers(0, 24 * 400),
    seated=st.integers(1, 10),
    flash_percent=st.sampled_from([0, 0, 1, 50, 90]),
)
parties = st.tuples(*[st.integers(0, 4)] * 5).filter(any)


@settings(max_examples=200, deadline=None)
@given(contexts, st.sampled_from(ROUTES), st.sampled_from(BRANDS), st.sampled_from(sorted(RATES.micro)), parties)
def test_a_total_is_the_sum_of_its_lines_and_never_negative(context, route, brand, currency, counts):  # type: ignore[no-untyped-def]
    price = SegmentPricer(RULES, RATES).price(currency, brand, route, context, Party(counts))
    again = SegmentPricer(RULES, RATES).price(currency, brand, route, context, Party(counts))
    assert price == again
    assert price.total == price.base + sum(amount for _, _, amount in price.taxes) == sum(a for _, a in price.by_type)
    assert price.base >= 0
    for kind in PASSENGER_TYPES:
        lines = price_passenger(RULES, RATES, currency, RULES.brands[brand], route, context, kind)
        assert total(lines) >= 0
        assert all((line.amount_minor < 0) == (line.kind == "discount") or line.amount_minor == 0 for line in lines)


@settings(max_examples=200, deadline=None)
@given(contexts, st.sampled_from(ROUTES))
def test_children_pay_three_quarters_and_infants_a_tenth_of_the_fare(context, route):  # type: ignore[no-untyped-def]
    fares = {
        kind: price_passenger(RULES, RATES, "USD", RULES.brands["standard"], route, context, kind)[0].amount_minor
        for kind in ("adult", "child", "infant")
    }
    assert abs(fares["child"] - fares["adult"] * 0.75) <= 1
    assert abs(fares["infant"] - fares["adult"] * 0.10) <= 1


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000), contexts)
def test_a_fuller_flight_and_a_nearer_departure_never_cost_less_before_discounts(a, b, context):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    low, high = sorted((a % 101, b % 101))
    cheaper = price_passenger(
        RULES, RATES, "USD", RULES.brands["basic"], ROUTES[0], replace(context, load_percent=low), "adult"
    )
    dearer = price_passenger(
        RULES, RATES, "USD", RULES.brands["basic"], ROUTES[0], replace(context, load_percent=high), "adult"
    )
    assert cheaper[0].amount_minor <= dearer[0].amount_minor


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**9))
def test_rounding_is_half_away_from_zero(numerator, denominator):  # type: ignore[no-untyped-def]
    rounded = half_up(numerator, denominator)
    assert abs(rounded * denominator - numerator) * 2 <= denominator
    assert half_up(-numerator, denominator) == -rounded

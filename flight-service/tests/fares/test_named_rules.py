"""Each named rule begins and ends where the rule set says, and shows as a line of its own."""

from dataclasses import replace

import pytest

from flight_service.fares.currencies import read_rates
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.rule_set import PassengerType, read_rule_set
from flight_service.fares.rules import FareLine, PriceContext, Route, discounts, price_passenger

RULES, RATES = read_rule_set(1, DEFAULT_RULES), read_rates(1, DEFAULT_RATES)
DHAKA_JEDDAH = Route("DAC", "BD", "JED", "SA", 5_300)
PLAIN = PriceContext(
    base_minor=20_000, cabin="economy", load_percent=50, hours_ahead=24 * 20, seated=1, flash_percent=0
)


def _codes(context: PriceContext, kind: PassengerType = "adult") -> list[str]:
    return [code for code, _, _ in discounts(RULES, context, kind)]


def _lines(route: Route, context: PriceContext = PLAIN, kind: PassengerType = "adult") -> tuple[FareLine, ...]:
    return price_passenger(RULES, RATES, "USD", RULES.brands["standard"], route, context, kind)


def test_an_ordinary_adult_on_an_ordinary_day_has_no_discount() -> None:
    assert _codes(PLAIN) == []


@pytest.mark.parametrize(
    ("code", "inside", "outside"),
    [
        (
            "EARLY",
            replace(PLAIN, hours_ahead=RULES.early_bird_days * 24),
            replace(PLAIN, hours_ahead=RULES.early_bird_days * 24 - 1),
        ),
        (
            "LASTMIN",
            replace(PLAIN, hours_ahead=RULES.last_minute_hours - 1, load_percent=RULES.last_minute_max_load),
            replace(PLAIN, hours_ahead=RULES.last_minute_hours, load_percent=RULES.last_minute_max_load),
        ),
        (
            "LASTMIN",
            replace(PLAIN, hours_ahead=1, load_percent=RULES.last_minute_max_load),
            replace(PLAIN, hours_ahead=1, load_percent=RULES.last_minute_max_load + 1),
        ),
        ("GROUP", replace(PLAIN, seated=RULES.group_size), replace(PLAIN, seated=RULES.group_size - 1)),
        ("FLASH", replace(PLAIN, flash_percent=1), replace(PLAIN, flash_percent=0)),
    ],
)
def test_a_discount_begins_exactly_at_its_bound(code: str, inside: PriceContext, outside: PriceContext) -> None:
    assert _codes(inside) == [code]
    assert _codes(outside) == []


@pytest.mark.parametrize("kind", ["student", "senior"])
def test_students_and_seniors_have_a_line_of_their_own(kind: PassengerType) -> None:
    (line,) = [line for line in _lines(DHAKA_JEDDAH, kind=kind) if line.kind == "discount"]
    fare = _lines(DHAKA_JEDDAH, kind=kind)[0].amount_minor
    assert line.code == kind.upper()
    assert abs(line.amount_minor + fare * RULES.type_discount[kind] / 10_000) <= 0.5


def test_discounts_together_stop_at_the_cap() -> None:
    crowded = replace(PLAIN, hours_ahead=RULES.early_bird_days * 24, seated=RULES.group_size, flash_percent=20)
    shares = [share for _, _, share in discounts(RULES, crowded, "senior")]
    assert sum(shares) <= max(RULES.discount_cap, 2_000)
    assert [share for _, _, share in discounts(RULES, replace(crowded, flash_percent=90), "senior")][:2] == [500, 8_500]


def test_infants_have_no_discount() -> None:
    assert _codes(replace(PLAIN, hours_ahead=RULES.early_bird_days * 24, flash_percent=50), "infant") == []


def test_taxes_follow_the_country_and_the_airport() -> None:
    codes = {
        route.origin: {line.code for line in _lines(route) if line.kind in ("tax", "charge")}
        for route in (
            DHAKA_JEDDAH,
            Route("LHR", "GB", "JFK", "US", 5_540),
            Route("LGW", "GB", "JFK", "US", 5_570),
        )
    }
    assert codes["DAC"]
    assert codes["LHR"]
    assert codes["DAC"] != codes["LHR"]
    from_new_york = {line.code for line in _lines(Route("JFK", "US", "LHR", "GB", 5_540))}
    from_newark = {line.code for line in _lines(Route("EWR", "US", "LHR", "GB", 5_560))}
    assert from_new_york - from_newark == {"XF"}, "a charge of one airport"
    for tax in RULES.taxes:
        if tax.at == "departure" and tax.place == "GB" and tax.journeys != "domestic":
            assert tax.code in codes["LHR"] & codes["LGW"]
            assert tax.code not in codes["DAC"]


def test_a_price_in_yen_is_whole_and_follows_the_rate() -> None:
    dollars = _lines(DHAKA_JEDDAH)[0].amount_minor
    yen = price_passenger(RULES, RATES, "JPY", RULES.brands["standard"], DHAKA_JEDDAH, PLAIN, "adult")[0].amount_minor
    assert abs(yen - dollars / 100 * RATES.micro["JPY"] / 1_000_000) <= 1

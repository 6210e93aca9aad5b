"""Prices of what is sold beside the fare: chosen seats and the extras catalogue. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from flight_service.catalogue.layout import Seat
from flight_service.fares.currencies import SCALE_UNIT, CurrencyRates, half_up
from flight_service.fares.rule_set import FULL, Brand, Extra, FareRules
from flight_service.fares.rules import distance_factor


@dataclass(frozen=True, slots=True)
class SeatPrices:
    """Prices of one cabin's seats under one brand, minor units of the offer's currency, by the seat's best feature."""

    choice: str
    """`free`, `paid` or `none` (seats are given, not chosen)."""
    standard: int
    preferred: int
    exit_row: int
    extra_legroom: int

    def of(self, seat: Seat) -> int:
        """The price of choosing `seat`."""
        if "extra_legroom" in seat.features:
            return self.extra_legroom
        if "exit_row" in seat.features:
            return self.exit_row
        return self.preferred if "preferred" in seat.features else self.standard


@dataclass(frozen=True, slots=True)
class PricedExtra:
    """An extra at its price for one passenger on one segment."""

    extra: Extra
    amount_minor: int


def seat_prices(
    rules: FareRules, rates: CurrencyRates, currency: str, brand: Brand, cabin: str, distance_km: int
) -> SeatPrices:
    """Seat prices of a segment. Business and first choose freely in every brand that lets them choose at all."""
    factor = 0 if cabin in ("business", "first") else brand.seat_price_factor
    scale = rates.scale(currency) * distance_factor(rules, distance_km) * factor

    def price(kind: str) -> int:
        return half_up(rules.seat_prices[kind] * scale, FULL * FULL * SCALE_UNIT)

    return SeatPrices(
        brand.seat_choice, price("standard"), price("preferred"), price("exit_row"), price("extra_legroom")
    )


def priced_extras(rules: FareRules, rates: CurrencyRates, currency: str, distance_km: int) -> Mapping[str, PricedExtra]:
    """The extras catalogue of a segment, by code."""
    scale = rates.scale(currency)
    far = distance_factor(rules, distance_km)
    return {
        code: PricedExtra(
            extra, half_up(extra.amount_minor * (far if extra.by_distance else FULL) * scale, FULL * SCALE_UNIT)
        )
        for code, extra in rules.extras.items()
    }

"""How one passenger's price on one segment is made. Pure and deterministic: the same inputs give the same minor units.

    fare      base fare x passenger type x brand x load step x days step, rounded once
    discounts early-bird, last-minute, group, student, senior, flash sale: shares of the fare, together at most the cap
    taxes     of the departure and arrival country and airport, fixed amounts or shares of the fare after discounts

`PriceContext` is what an offer locks: demand moving afterwards changes nothing.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from flight_service.fares.currencies import SCALE_UNIT, CurrencyRates, half_up
from flight_service.fares.rule_set import FULL, Brand, FareRules, PassengerType, Tax

LineKind = Literal["base", "tax", "charge", "seat", "extra", "discount"]
RefundClass = Literal["fare", "airport_tax", "extra"]


@dataclass(frozen=True, slots=True)
class FareLine:
    """One line of a price, in minor units; discounts are negative."""

    kind: LineKind
    code: str
    name: str
    amount_minor: int
    refund_class: RefundClass


@dataclass(frozen=True, slots=True)
class Route:
    """What taxes and distances depend on."""

    origin: str
    origin_country: str
    destination: str
    destination_country: str
    distance_km: int

    @property
    def international(self) -> bool:
        return self.origin_country != self.destination_country


@dataclass(frozen=True, slots=True)
class PriceContext:
    """The locked inputs of one segment's price. `load_percent` of the cabin taken when the offer was made."""

    base_minor: int
    cabin: str
    load_percent: int
    hours_ahead: int
    seated: int
    """Passengers of the party who take a seat (group rule)."""
    flash_percent: int = 0


def step_factor(steps: tuple[tuple[int, int], ...], value: int) -> int:
    """The multiplier of the last step that begins at or before `value`."""
    return steps[bisect_right(steps, (value, 1 << 30)) - 1][1]


def demand_factor(rules: FareRules, context: PriceContext) -> int:
    """Load step x days step, in basis points squared (10^8 = 1.0)."""
    days = max(context.hours_ahead, 0) // 24
    return step_factor(rules.load_steps, context.load_percent) * step_factor(rules.day_steps, days)


def discounts(rules: FareRules, context: PriceContext, passenger: PassengerType) -> list[tuple[str, str, int]]:
    """(code, name, basis points) of each discount, in order, cut where the cap is reached. Infants have none."""
    if passenger == "infant":
        return []
    found: list[tuple[str, str, int]] = []
    if context.hours_ahead >= rules.early_bird_days * 24:
        found.append(("EARLY", "Early-bird discount", rules.early_bird_off))
    if 0 <= context.hours_ahead < rules.last_minute_hours and context.load_percent <= rules.last_minute_max_load:
        found.append(("LASTMIN", "Last-minute deal", rules.last_minute_off))
    if context.flash_percent:
        found.append(("FLASH", "Flash sale", context.flash_percent * 100))
    if context.seated >= rules.group_size:
        found.append(("GROUP", "Group discount", rules.group_off))
    if rules.type_discount[passenger]:
        found.append((passenger.upper(), f"{passenger.capitalize()} discount", rules.type_discount[passenger]))
    return _capped(found, max(rules.discount_cap, context.flash_percent * 100))


def _capped(found: list[tuple[str, str, int]], cap: int) -> list[tuple[str, str, int]]:
    kept = []
    for code, name, share in found:
        share = min(share, cap)
        cap -= share
        if share:
            kept.append((code, name, share))
    return kept


def price_passenger(
    rules: FareRules,
    rates: CurrencyRates,
    currency: str,
    brand: Brand,
    route: Route,
    context: PriceContext,
    passenger: PassengerType,
) -> tuple[FareLine, ...]:
    """Every line of one passenger's fare on one segment, in minor units of `currency`. Their sum is never negative."""
    scale = rates.scale(currency)
    numerator = (
        context.base_minor * rules.type_factor[passenger] * brand.multiplier * demand_factor(rules, context) * scale
    )
    fare = half_up(numerator, FULL**4 * SCALE_UNIT)
    lines = [FareLine("base", "BASE", "Fare", fare, "fare")]
    net = fare
    for code, name, share in discounts(rules, context, passenger):
        amount = half_up(fare * share, FULL)
        net -= amount
        lines.append(FareLine("discount", code, name, -amount, "fare"))
    for tax in applicable_taxes(rules, route):
        if passenger not in tax.exempt:
            amount = _tax_amount(tax, context.cabin, scale, net)
            if amount:
                lines.append(FareLine(tax.kind, tax.code, tax.name, amount, tax.refund_class))
    return tuple(lines)


def applicable_taxes(rules: FareRules, route: Route) -> tuple[Tax, ...]:
    """The taxes of a segment, in the rule set's order."""
    journey = "international" if route.international else "domestic"
    places: Mapping[str, tuple[str, str, str]] = {
        "departure": ("*", route.origin_country, route.origin),
        "arrival": ("*", route.destination_country, route.destination),
    }
    return tuple(tax for tax in rules.taxes if tax.journeys in ("all", journey) and tax.place in places[tax.at])


def _tax_amount(tax: Tax, cabin: str, scale: int, net_fare: int) -> int:
    multiplier = FULL if cabin == "economy" else tax.premium_multiplier
    fixed = half_up(tax.amount_minor * multiplier * scale, FULL * SCALE_UNIT)
    return fixed + half_up(net_fare * tax.percent, FULL)


def distance_factor(rules: FareRules, distance_km: int) -> int:
    """Multiplier of seats and distance-priced extras."""
    return step_factor(rules.distance_steps, distance_km)


def total(lines: tuple[FareLine, ...]) -> int:
    """Sum of the lines, minor units."""
    return sum(line.amount_minor for line in lines)

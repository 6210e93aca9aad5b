"""Prices of one segment for a whole party, remembered by the inputs that make them."""

from dataclasses import dataclass, field
from functools import lru_cache

from flight_service.fares.currencies import CurrencyRates
from flight_service.fares.rule_set import PASSENGER_TYPES, BrandName, FareRules, PassengerType
from flight_service.fares.rules import FareLine, PriceContext, Route, price_passenger, step_factor, total

_REMEMBERED = 60_000
_FAR_DAYS = 400


@dataclass(frozen=True, slots=True)
class SegmentPrice:
    """What a party pays on one segment, minor units. `taxes` are (code, name, amount) summed over the party."""

    total: int
    base: int
    taxes: tuple[tuple[str, str, int], ...]
    by_type: tuple[tuple[PassengerType, int], ...]
    """Each type of the party with what all its passengers pay."""
    tax_set: int = field(compare=False, default=0)
    """Equal numbers of one pricer mean equal `taxes`."""


@dataclass(frozen=True, slots=True)
class Party:
    """How many of each type, in the order of PASSENGER_TYPES."""

    counts: tuple[int, int, int, int, int]
    seated: int = field(init=False, compare=False)
    """Passengers who take a seat."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "seated", sum(self.counts) - self.counts[PASSENGER_TYPES.index("infant")])

    @staticmethod
    @lru_cache(maxsize=10_000)
    def of(counts: tuple[int, int, int, int, int]) -> "Party":
        """The same, remembered."""
        return Party(counts)

    def items(self) -> list[tuple[PassengerType, int]]:
        """The types that occur, with their counts."""
        return [(kind, count) for kind, count in zip(PASSENGER_TYPES, self.counts, strict=True) if count]


class SegmentPricer:
    """Prices segments under one rule set and one rate table."""

    def __init__(self, rules: FareRules, rates: CurrencyRates) -> None:
        self.rules, self.rates = rules, rates
        self._known: dict[tuple[object, ...], SegmentPrice] = {}
        self._tax_sets: dict[tuple[tuple[str, str, int], ...], int] = {}
        # The steps as tables: a search asks for them a hundred times.
        self._by_load = [step_factor(rules.load_steps, percent) for percent in range(101)]
        self._by_day = [step_factor(rules.day_steps, day) for day in range(_FAR_DAYS + 1)]

    def price(self, currency: str, brand: BrandName, route: Route, context: PriceContext, party: Party) -> SegmentPrice:
        """The party's price on one segment. Raises CurrencyUnknown."""
        rules = self.rules
        key = (
            route.origin,
            route.destination,
            context.base_minor,
            context.cabin,
            currency,
            brand,
            party.counts,
            self._by_load[context.load_percent] * self._by_day[min(max(context.hours_ahead, 0) // 24, _FAR_DAYS)],
            context.flash_percent,
            context.hours_ahead >= rules.early_bird_days * 24,
            context.hours_ahead < rules.last_minute_hours and context.load_percent <= rules.last_minute_max_load,
        )
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._price(currency, brand, route, context, party)
        return found

    def lines(
        self, currency: str, brand: BrandName, route: Route, context: PriceContext, kind: PassengerType
    ) -> tuple[FareLine, ...]:
        """Every line of one passenger on one segment."""
        return price_passenger(self.rules, self.rates, currency, self.rules.brands[brand], route, context, kind)

    def _price(
        self, currency: str, brand: BrandName, route: Route, context: PriceContext, party: Party
    ) -> SegmentPrice:
        base = 0
        taxes: dict[str, tuple[str, int]] = {}
        by_type = []
        for kind, count in party.items():
            lines = self.lines(currency, brand, route, context, kind)
            for line in lines:
                if line.kind in ("tax", "charge"):
                    name, amount = taxes.get(line.code, (line.name, 0))
                    taxes[line.code] = (name, amount + line.amount_minor * count)
                else:
                    base += line.amount_minor * count
            by_type.append((kind, total(lines) * count))
        listed = tuple((code, name, amount) for code, (name, amount) in taxes.items())
        tax_set = self._tax_sets.setdefault(listed, len(self._tax_sets))
        return SegmentPrice(base + sum(amount for _, _, amount in listed), base, listed, tuple(by_type), tax_set)

"""Prices of many flights at once: what decides a price is packed into one number for each flight.

Two flights of the same route, fare, step of load and step of time cost the same, so the pure rules (fares/rules.py) are
asked once for each such number; a search looks three hundred flights up in one pass. Equal to the rules to the minor
unit, by construction and by test.
"""

from typing import TYPE_CHECKING

import numpy as np

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import FareRules
from flight_service.fares.segment_price import SegmentPrice
from flight_service.search.network import Ints, Slots

if TYPE_CHECKING:
    from flight_service.offers.price_flights import FlightPricer, Terms

_TEXTS_KEPT = 50_000
_FARE_SHIFT, _LOAD_SHIFT = 16, 9
"""A key: 20 bits of route, 27 of fare (1.3 million US dollars), 7 of load, 9 of time."""


class PriceSteps:
    """Where the rules' steps begin, as tables."""

    def __init__(self, rules: FareRules) -> None:
        loads = sorted({start for start, _ in rules.load_steps} | {0, rules.last_minute_max_load + 1})
        self.by_load: Ints = np.searchsorted(loads, np.arange(101), side="right") << _LOAD_SHIFT
        hours = {start * 24 for start, _ in rules.day_steps} | {rules.early_bird_days * 24, rules.last_minute_hours}
        self.minutes = np.array(sorted(hour * 60 for hour in hours), np.int32)


class PriceBook:
    """The prices of one party, cabin, brand and currency."""

    def __init__(self, pricer: "FlightPricer", terms: "Terms") -> None:
        self._pricer = pricer
        self._cabin = CABINS.index(terms.cabin)
        self.frame: tuple[int, bytes, str] = (0, b"", "")
        """The second search has last written an offer in, with what all its offers have in common."""
        self._prices: dict[int, SegmentPrice] = {}
        self._totals: dict[int, int] = {}
        self.texts: dict[tuple[int, ...], str] = {}
        """What search has written of sums of these prices."""

    def __len__(self) -> int:
        return len(self._prices)

    def remember(self, keys: tuple[int, ...], text: str) -> str:
        """Keep what was written of a sum; a sale's price is no part of it, since its key outlives the sale."""
        if min(keys) >= 0:
            if len(self.texts) >= _TEXTS_KEPT:
                self.texts.clear()
            self.texts[keys] = text
        return text

    def totals(self, slots: Slots, terms: "Terms") -> tuple[Ints, Ints]:
        """What the party pays on each flight now, and each price's key. `terms` may differ in `issued` only."""
        keys = self._keys(slots, terms.issued)
        on_sale = self._pricer.slots_on_sale(terms)
        if on_sale:
            sold_off = np.isin(slots, np.fromiter(on_sale, np.int32, len(on_sale)))
            keys[sold_off] = -1 - slots[sold_off]
        listed: list[int] = keys.tolist()
        try:
            return np.fromiter(map(self._totals.__getitem__, listed), np.int64, len(listed)), keys
        except KeyError:
            totals = [self._total(key, slot, terms) for key, slot in zip(listed, slots.tolist(), strict=True)]
            return np.array(totals, np.int64), keys

    def price(self, key: int, terms: "Terms") -> SegmentPrice:
        """The price behind a key of `totals`."""
        return self._prices[key] if key >= 0 else self._pricer.price(-1 - key, terms)

    def _total(self, key: int, slot: int, terms: "Terms") -> int:
        found = self._totals.get(key)
        if found is None:
            price = self._pricer.price(slot, terms)
            found = price.total
            if key >= 0:  # a price of a sale ends with the sale: asked each time
                self._prices[key], self._totals[key] = price, found
        return found

    def _keys(self, slots: Slots, issued: int) -> Ints:
        view, steps = self._pricer.table.view, self._pricer.steps
        keys: Ints = view.fare[self._cabin][slots] << _FARE_SHIFT
        keys |= steps.by_load[view.load[self._cabin][slots]]
        keys |= steps.minutes.searchsorted(view.departure[slots] - np.int32(issued), side="right")
        return keys

"""Prices of many flights at once: what decides a price is one number for each flight, and a place in a table.

Two flights of the same route, fare, step of load and step of time cost the same, so the pure rules (fares/rules.py) are
asked once for each such number; a search looks three thousand flights up in one pass of numpy. Equal to the rules to
the minor unit, by construction and by test.
"""

from typing import TYPE_CHECKING

import numpy as np

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import FareRules
from flight_service.fares.segment_price import SegmentPrice
from flight_service.search.departures import Ints, Slots

if TYPE_CHECKING:
    from flight_service.offers.price_flights import FlightPricer, Terms

_TEXTS_KEPT = 50_000
_UNKNOWN = 0
_FIRST_ROWS = 64


class PriceSteps:
    """Where the rules' steps begin, as tables. A key is a fare's row * `span` + step of load + step of time."""

    def __init__(self, rules: FareRules) -> None:
        loads = sorted({start for start, _ in rules.load_steps} | {0, rules.last_minute_max_load + 1})
        hours = {start * 24 for start, _ in rules.day_steps} | {rules.early_bird_days * 24, rules.last_minute_hours}
        self.minutes = np.array(sorted(hour * 60 for hour in hours), np.int32)
        times = len(hours) + 1
        self.by_load: Ints = (np.searchsorted(loads, np.arange(101), side="right") - 1) * times
        self.span = len(loads) * times


class PriceBook:
    """The prices of one party, cabin, brand and currency."""

    def __init__(self, pricer: "FlightPricer", terms: "Terms") -> None:
        self._pricer = pricer
        self._cabin = CABINS.index(terms.cabin)
        self.frame: tuple[int, bytes, str] = (0, b"", "")
        """The second search has last written an offer in, with what all its offers have in common."""
        self._prices: dict[int, SegmentPrice] = {}
        # By the timetable's number of a fare: its row in this book. Row 0 is of the fares not yet asked for.
        self._row_of: Ints = np.zeros(0, np.int64)
        self._rows = 1
        # By key: one more than the total.
        self._totals: Ints = np.zeros(_FIRST_ROWS * pricer.steps.span, np.int64)
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
        totals: Ints = self._totals[keys]
        on_sale = self._pricer.slots_on_sale(terms)
        if on_sale:
            sold_off = np.isin(slots, np.fromiter(on_sale, np.int32, len(on_sale)))
            keys[sold_off], totals[sold_off] = -1 - slots[sold_off], _UNKNOWN
        for at in (totals == _UNKNOWN).nonzero()[0].tolist():
            keys[at], totals[at] = self._learn(keys.item(at), slots.item(at), terms)
        totals -= 1
        return totals, keys

    def price(self, key: int, terms: "Terms") -> SegmentPrice:
        """The price behind a key of `totals`."""
        return self._prices[key] if key >= 0 else self._pricer.price(-1 - key, terms)

    def _learn(self, key: int, slot: int, terms: "Terms") -> tuple[int, int]:
        """The key of a flight's price, and one more than the price."""
        if key < 0:  # a price of a sale ends with the sale: asked each time
            return key, 1 + self._pricer.price(slot, terms).total
        fare = self._pricer.table.view.fare[self._cabin].item(slot)
        row = self._row_of.item(fare) or self._new_row(fare)
        span = self._pricer.steps.span
        key = row * span + key % span
        found = self._prices.get(key)
        if found is None:
            found = self._prices[key] = self._pricer.price(slot, terms)
            self._totals[key] = 1 + found.total
        return key, 1 + found.total

    def _new_row(self, fare: int) -> int:
        row = self._row_of[fare] = self._rows
        self._rows += 1
        if self._rows * self._pricer.steps.span > len(self._totals):
            self._totals = _larger(self._totals, 2 * len(self._totals))
        return row

    def _keys(self, slots: Slots, issued: int) -> Ints:
        table, steps = self._pricer.table, self._pricer.steps
        if len(table.fares) > len(self._row_of):
            self._row_of = _larger(self._row_of, len(table.fares))
        view = table.view
        keys: Ints = self._row_of[view.fare[self._cabin][slots]]
        keys *= steps.span
        keys += steps.by_load[view.load[self._cabin][slots]]
        keys += steps.minutes.searchsorted(view.departure[slots] - np.int32(issued), side="right")
        return keys


def _larger(column: Ints, room: int) -> Ints:
    new = np.zeros(room, np.int64)
    new[: len(column)] = column
    return new

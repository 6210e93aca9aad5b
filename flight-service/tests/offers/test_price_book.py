"""Prices looked up for many flights at once are those of the rules, to the minor unit."""

import random
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from flight_service.catalogue.layout import CABINS
from flight_service.fares.currencies import read_rates
from flight_service.fares.default_rules import DEFAULT_RATES, DEFAULT_RULES
from flight_service.fares.rule_set import BRANDS, read_rule_set
from flight_service.fares.rules import PriceContext, Route, price_passenger, total
from flight_service.fares.segment_price import Party
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.search.reference import FlashSale
from flight_service.search.timetable import EPOCH, Timetable, load_percent

ROUTES = {
    pair: Route(pair[0], a, pair[1], b, kilometres)
    for pair, a, b, kilometres in [
        (("DAC", "JED"), "BD", "SA", 5_300),
        (("DEL", "BOM"), "IN", "IN", 1_150),
        (("LHR", "JFK"), "GB", "US", 5_540),
    ]
}
ISSUED = 30_000_000
RULES, RATES = read_rule_set(1, DEFAULT_RULES), read_rates(1, DEFAULT_RATES)
STEPS = [start * 24 for start, _ in RULES.day_steps] + [RULES.early_bird_days * 24, RULES.last_minute_hours]


class Reference(SimpleNamespace):
    def fare_route(self, origin: str, destination: str) -> Route:
        return ROUTES[origin, destination]


def _row(no: int, dice: random.Random) -> dict[str, Any]:
    origin, destination = dice.choice(list(ROUTES))
    # At the steps' edges and anywhere between.
    edge = dice.choice(STEPS) * 60 + dice.choice([-1, 0, 1, 59, 60])
    departure = ISSUED + max(1, dice.choice([edge, dice.randrange(1, 400 * 1_440)]))
    capacity = dice.choice([12, 100, 149, 301])
    return {
        "no": no, "id": UUID(int=no), "flight_number": f"RQ{no}", "airline": "RQ", "origin": origin,
        "destination": destination, "departure": departure, "arrival": departure + 300, "departure_offset": 0,
        "arrival_offset": 0, "aircraft": "77W", "status": "scheduled", "terminal": None, "gate": None,
        "delay_minutes": 0, "offer_version": 1, "base_fares": [dice.choice([1, 9_900, 12_345, 9_999_999])] * 4,
        "cabins": list(CABINS), "free": [dice.randrange(1, capacity + 1) for _ in CABINS], "capacities": [capacity] * 4,
    }  # fmt: skip


def _pricer(rows: list[dict[str, Any]], sales: list[FlashSale]) -> FlightPricer:
    table = Timetable()
    for row in rows:
        table.apply(row, test_only=False)
    table.settle()
    reference: Any = Reference(rules=RULES, rates=RATES, sales_of={(s.flight_id, s.cabin): s for s in sales})
    return FlightPricer(SimpleNamespace(timetable=table), reference)


def _by_the_rules(row: dict[str, Any], terms: Terms, flash: int) -> int:
    cabin = CABINS.index(terms.cabin)
    context = PriceContext(
        base_minor=row["base_fares"][cabin],
        cabin=terms.cabin,
        load_percent=load_percent(row["free"][cabin], row["capacities"][cabin]),
        hours_ahead=(row["departure"] - terms.issued) // 60,
        seated=terms.party.seated,
        flash_percent=flash,
    )
    route = ROUTES[row["origin"], row["destination"]]
    return sum(
        count * total(price_passenger(RULES, RATES, terms.currency, RULES.brands[terms.brand], route, context, kind))
        for kind, count in terms.party.items()
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_book_of_prices_agrees_with_the_rules(seed: int) -> None:
    dice = random.Random(seed)
    rows = [_row(no, dice) for no in range(1, 200)]
    at = EPOCH + timedelta(minutes=ISSUED)
    chosen = dice.sample(rows, 3)
    sales = [
        FlashSale(UUID(int=900 + n), n, row["id"], "economy", 30, at + timedelta(hours=starts), at + timedelta(hours=2),
                  True, row["no"])
        for n, (row, starts) in enumerate(zip(chosen, (-1, 0, 1), strict=True), 1)
    ]  # fmt: skip
    on_sale = {chosen[0]["no"], chosen[1]["no"]}
    pricer = _pricer(rows, sales)
    party = Party((dice.randrange(1, 7), dice.randrange(3), dice.randrange(2), dice.randrange(2), dice.randrange(2)))
    cabin = dice.choice(CABINS)
    terms = Terms(cabin, dice.choice(BRANDS), dice.choice(sorted(RATES.micro)), party, ISSUED)
    slots = np.arange(len(rows), dtype=np.int32)
    for _ in range(2):  # made, then remembered
        totals, keys = pricer.book(terms, test_mode=False).totals(slots, terms)
        for row, price, key in zip(rows, totals.tolist(), keys.tolist(), strict=True):
            flash = 30 if cabin == "economy" and row["no"] in on_sale else 0
            assert price == _by_the_rules(row, terms, flash)
            assert pricer.book(terms, test_mode=False).price(key, terms).total == price


def test_the_clock_moves_prices_over_their_steps() -> None:
    dice = random.Random(7)
    rows = [_row(no, dice) for no in range(1, 60)]
    pricer = _pricer(rows, [])
    slots = np.arange(len(rows), dtype=np.int32)
    for later in (0, 1, 59, 60, 1_440, 30 * 1_440):
        terms = Terms("economy", "basic", "USD", Party((1, 0, 0, 0, 0)), ISSUED + later)
        ahead = [slot for slot in slots.tolist() if rows[slot]["departure"] > terms.issued]
        totals, _ = pricer.book(terms, test_mode=False).totals(np.array(ahead, np.int32), terms)
        assert totals.tolist() == [_by_the_rules(rows[slot], terms, 0) for slot in ahead]

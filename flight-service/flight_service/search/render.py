"""Write offers as JSON text. The shape is offers/schemas.py: Offer, and a test reads one with the other.

Hand-made because a search writes twenty of these: it is the hottest code of the platform. What repeats is written once:
a flight's part until the flight changes, sums of taxes and whole prices as long as rules and rates hold.
"""

from datetime import datetime
from functools import lru_cache

import msgspec

from flight_service.catalogue.layout import CABINS
from flight_service.fares.segment_price import SegmentPrice
from flight_service.offers.offer_id import OfferTerms, pack_flight, pack_head
from flight_service.offers.offer_view import rules_document
from flight_service.offers.open_offer import OfferDesk
from flight_service.offers.price_book import PriceBook
from flight_service.offers.price_flights import FlightPricer, Terms, load_percent
from flight_service.offers.wire import duration_text, local_text, utc_text
from flight_service.search.rank import Combination, Option
from flight_service.search.timetable import Timetable
from rihla.kernel.money import format_minor


class OfferWriter:
    """Writes the offers of one search."""

    def __init__(
        self, desk: OfferDesk, pricer: FlightPricer, book: PriceBook, terms: Terms, now: datetime, *, test_mode: bool
    ) -> None:
        self._pricer, self._book, self._terms = pricer, book, terms
        self._table: Timetable = pricer.table
        self._seal = desk.signer.seal
        reference = pricer.reference
        offer = OfferTerms(
            issued_at=now.replace(microsecond=0),
            lifetime=desk.lifetime,
            currency=terms.currency,
            rules_version=reference.rules.version,
            rates_version=reference.rates.version,
            brand=terms.brand,
            cabin=terms.cabin,
            test_mode=test_mode,
            party=terms.party.counts,
            slices=(),
        )
        self._head = pack_head(offer)
        self._after_id = f'","expires_at":"{utc_text(offer.expires_at)}","slices":['
        self._tail = pricer.remembered(("tail", terms.brand, terms.cabin, terms.currency), self._make_tail)
        self._segment_tail = f'","cabin":"{terms.cabin}","fare_brand":"{terms.brand}","free_seats":'
        cabin = CABINS.index(terms.cabin)
        self._free, self._capacity = self._table.free[cabin], self._table.capacity[cabin]
        self._sales = set(pricer.slots_on_sale(terms))

    def _make_tail(self) -> str:
        terms, reference = self._terms, self._pricer.reference
        brand = reference.rules.brands[terms.brand]
        change_fee = reference.rates.convert(brand.change_fee_minor, terms.currency)
        rules = msgspec.json.encode(rules_document(brand, terms.cabin, terms.currency, change_fee)).decode()
        return f',"fare_rules":{rules},"average_rating":null}}'

    def offer(self, combination: Combination) -> str:
        """One offer."""
        packed = self._head + b"".join([self._packed(option.legs) for option in combination])
        slices = [self._slice(option) for option in combination]
        prices = [self._book.price(key, self._terms) for option in combination for key in option.keys]
        return (
            f'{{"id":"{self._seal(packed)}{self._after_id}{",".join(slices)}],"price":{self._price(prices)}{self._tail}'
        )

    def _packed(self, legs: tuple[int, ...]) -> bytes:
        """What the offer id holds of one slice."""
        table, packed = self._table, bytes((len(legs),))
        for slot in legs:
            load = load_percent(self._free[slot], self._capacity[slot])
            sale = self._pricer.sale(slot, self._terms) if slot in self._sales else None
            packed += pack_flight(table.no[slot], table.version[slot], load, sale.no if sale else 0)
        return packed

    def _slice(self, option: Option) -> str:
        table, legs, free = self._table, option.legs, self._free
        texts, tail = table.texts, self._segment_tail
        segments = "},".join([f"{texts.get(slot) or self._flight(slot)}{tail}{free[slot]}" for slot in legs])
        return (
            f'{{"origin":"{table.origin[legs[0]]}","destination":"{table.destination[legs[-1]]}","duration":"'
            f'{duration_text(option.arrival - option.departure)}","stops":{len(legs) - 1},"segments":[{segments}}}]}}'
        )

    def _flight(self, slot: int) -> str:
        """A segment up to its cabin: the same for everybody until the flight changes."""
        table = self._table
        departure, arrival = table.departure[slot], table.arrival[slot]
        uuid = table.ids[slot * 16 : slot * 16 + 16].hex()
        return table.remember(
            slot,
            f'{{"flight_id":"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",'
            f'"flight_number":"{table.number[slot]}","airline":"{table.airline[slot]}",'
            f'"aircraft":"{table.aircraft[slot]}","origin":"{table.origin[slot]}",'
            f'"destination":"{table.destination[slot]}",'
            f'"departure_at":"{local_text(departure, table.departure_offset[slot])}",'
            f'"arrival_at":"{local_text(arrival, table.arrival_offset[slot])}",'
            f'"duration":"{duration_text(arrival - departure)}',
        )

    def _price(self, prices: list[SegmentPrice]) -> str:
        """The `price` object for flights priced so."""
        currency, counts = self._terms.currency, self._terms.party.counts
        total = sum([price.total for price in prices])
        base = sum([price.base for price in prices])
        # Equal parts give equal taxes: only fares differ from flight to flight.
        tax_sets = (currency, *[price.tax_set for price in prices])
        taxes = self._pricer.remembered(tax_sets, lambda: _taxes(prices, currency))
        if len(prices[0].by_type) == 1:
            kind = prices[0].by_type[0][0]
            types = f'{{"type":"{kind}","count":{sum(counts)},"total":{_money(total, currency)}}}'
        else:
            types = _types(prices, self._terms)
        return (
            f'{{"total":{_money(total, currency)},"base":{_money(base, currency)},"taxes":{taxes},'
            f'"per_passenger":[{types}]}}'
        )


def _taxes(prices: list[SegmentPrice], currency: str) -> str:
    sums: dict[str, int] = {}
    names: dict[str, str] = {}
    for price in prices:
        for code, name, amount in price.taxes:
            names.setdefault(code, name)
            sums[code] = sums.get(code, 0) + amount
    listed = [
        {"code": code, "name": names[code], "amount": {"amount": format_minor(amount, currency), "currency": currency}}
        for code, amount in sums.items()
    ]
    return msgspec.json.encode(listed).decode()


def _types(prices: list[SegmentPrice], terms: Terms) -> str:
    sums: dict[str, int] = {}
    for price in prices:
        for kind, amount in price.by_type:
            sums[kind] = sums.get(kind, 0) + amount
    return ",".join(
        [
            f'{{"type":"{kind}","count":{count},"total":{_money(sums[kind], terms.currency)}}}'
            for kind, count in terms.party.items()
        ]
    )


@lru_cache(maxsize=100_000)
def _money(minor: int, currency: str) -> str:
    return f'{{"amount":"{format_minor(minor, currency)}","currency":"{currency}"}}'

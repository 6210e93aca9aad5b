"""Write offers as JSON text. The shape is offers/schemas.py: Offer, and a test reads one with the other.

Hand-made because a search writes twenty of these: it is the hottest code of the platform. What repeats is written once:
a flight's part until the flight changes, sums of taxes and whole prices as long as rules and rates hold.
"""

from datetime import datetime
from functools import lru_cache
from itertools import pairwise

import msgspec

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import BRANDS
from flight_service.fares.segment_price import SegmentPrice
from flight_service.offers.offer_id import OfferTerms, pack_flight, pack_head
from flight_service.offers.offer_view import rules_document
from flight_service.offers.open_offer import OfferDesk
from flight_service.offers.price_book import PriceBook
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.offers.wire import duration_text, local_text, utc_text
from flight_service.search.rank import Combination, Option
from flight_service.search.timetable import TEXTS_OF_A_SLOT, Timetable, text_key
from rihla.kernel.money import format_minor

_NO_CHANGE = ',"airport_change":false'
_LEGS = tuple(bytes((count,)) for count in range(4))


class OfferWriter:
    """Writes the offers of one search."""

    def __init__(
        self, desk: OfferDesk, pricer: FlightPricer, book: PriceBook, terms: Terms, now: datetime, *, test_mode: bool
    ) -> None:
        self._pricer, self._book, self._terms = pricer, book, terms
        self._table: Timetable = pricer.table
        self._seal = desk.signer.seal
        second = int(now.timestamp())
        if book.frame[0] != second:
            book.frame = (second, *self._make_frame(desk, now.replace(microsecond=0), test_mode))
        _, self._head, self._after_id = book.frame
        self._tail = pricer.remembered(("tail", terms.brand, terms.cabin, terms.currency), self._make_tail)
        self._segment_tail = f'","cabin":"{terms.cabin}","fare_brand":"{terms.brand}","free_seats":'
        self._cabin = CABINS.index(terms.cabin)
        self._text_key = text_key(0, self._cabin, BRANDS.index(terms.brand))
        self._sales = set(pricer.slots_on_sale(terms))
        self._people = sum(terms.party.counts)
        self._slices: dict[tuple[int, ...], tuple[str, bytes]] = {}

    def _make_frame(self, desk: OfferDesk, issued: datetime, test_mode: bool) -> tuple[bytes, str]:
        """What the offers made in one second have in common: the head of their ids, and their expiry."""
        terms, reference = self._terms, self._pricer.reference
        offer = OfferTerms(
            issued_at=issued,
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
        return pack_head(offer), f'","expires_at":"{utc_text(offer.expires_at)}","slices":['

    def _make_tail(self) -> str:
        terms, reference = self._terms, self._pricer.reference
        brand = reference.rules.brands[terms.brand]
        change_fee = reference.rates.convert(brand.change_fee_minor, terms.currency)
        rules = msgspec.json.encode(rules_document(brand, terms.cabin, terms.currency, change_fee)).decode()
        return f',"fare_rules":{rules},"average_rating":null,"review_count":0}}'

    def offer(self, combination: Combination) -> str:
        """One offer."""
        packed, slices, keys = self._head, [], ()  # type: bytes, list[str], tuple[int, ...]
        several = len(combination) > 1
        for option in combination:
            # Of a return's twenty offers a few ways out and a few back are the parts.
            text, part = self._again(option) if several else self._slice(option)
            packed += part
            slices.append(text)
            keys += option.keys
        price = self._book.texts.get(keys) or self._price(keys)
        changed = ',"airport_change":true' if several and self._changes_airport(combination) else _NO_CHANGE
        return f'{{"id":"{self._seal(packed)}{self._after_id}{",".join(slices)}]{changed},"price":{price}{self._tail}'

    def _changes_airport(self, combination: Combination) -> bool:
        """Whether a slice begins at another airport of the city where the one before it ended."""
        table, reference = self._table, self._pricer.reference
        return any(
            reference.airport_changes(table.destination[before.legs[-1]], table.origin[after.legs[0]])
            for before, after in pairwise(combination)
        )

    def _slice(self, option: Option) -> tuple[str, bytes]:
        """One slice as text, and as the offer id holds it."""
        table, legs, key = self._table, option.legs, self._text_key
        packed, segments, known, sales = _LEGS[len(legs)], [], table.texts, self._sales
        for slot in legs:
            written = known.get(slot * TEXTS_OF_A_SLOT + key)
            text, part = self._flight(slot) if written is None or slot in sales else written
            segments.append(text)
            packed += part
        text = (
            f'{{"origin":"{table.origin[legs[0]]}","destination":"{table.destination[legs[-1]]}","duration":"'
            f'{duration_text(option.arrival - option.departure)}","stops":{len(legs) - 1},'
            f'"segments":[{",".join(segments)}]}}'
        )
        return text, packed

    def _again(self, option: Option) -> tuple[str, bytes]:
        """The same slice, written once for all the offers it is in."""
        found = self._slices.get(option.legs)
        if found is None:
            found = self._slices[option.legs] = self._slice(option)
        return found

    def _flight(self, slot: int) -> tuple[str, bytes]:
        """A segment as text and as the offer id holds it: the same for everybody until the flight changes."""
        table, cabin = self._table, self._cabin
        departure, arrival = table.departure[slot], table.arrival[slot]
        uuid = table.ids[slot * 16 : slot * 16 + 16].hex()
        text = (
            f'{{"flight_id":"{uuid[:8]}-{uuid[8:12]}-{uuid[12:16]}-{uuid[16:20]}-{uuid[20:]}",'
            f'"flight_number":"{table.number[slot]}","airline":"{table.airline[slot]}",'
            f'"aircraft":"{table.aircraft[slot]}","origin":"{table.origin[slot]}",'
            f'"destination":"{table.destination[slot]}",'
            f'"departure_at":"{local_text(departure, table.departure_offset[slot])}",'
            f'"arrival_at":"{local_text(arrival, table.arrival_offset[slot])}",'
            f'"duration":"{duration_text(arrival - departure)}{self._segment_tail}{table.free[cabin][slot]}}}'
        )
        sale = self._pricer.sale(slot, self._terms) if slot in self._sales else None
        packed = pack_flight(table.no[slot], table.version[slot], table.load[cabin][slot], sale.no if sale else 0)
        if sale is not None:
            return text, packed  # the number of a sale ends with the sale
        return table.remember(slot * TEXTS_OF_A_SLOT + self._text_key, text, packed)

    def _price(self, keys: tuple[int, ...]) -> str:
        """The `price` object of flights with these prices."""
        currency, prices, total, base = self._terms.currency, [], 0, 0
        for key in keys:
            price = self._book.price(key, self._terms)
            prices.append(price)
            total += price.total
            base += price.base
        # Equal parts give equal taxes: only fares differ from flight to flight.
        tax_sets = (currency, *[price.tax_set for price in prices])
        taxes = self._pricer.remembered(tax_sets, lambda: _taxes(prices, currency))
        whole = _money(total, currency)
        if len(prices[0].by_type) == 1:
            types = f'{{"type":"{prices[0].by_type[0][0]}","count":{self._people},"total":{whole}}}'
        else:
            types = _types(prices, self._terms)
        text = f'{{"total":{whole},"base":{_money(base, currency)},"taxes":{taxes},"per_passenger":[{types}]}}'
        return self._book.remember(keys, text)


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

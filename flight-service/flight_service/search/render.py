"""Write offers as JSON bytes. The shape is offers/schemas.py: Offer, and a test reads one with the other.

Hand-made because a search writes twenty of these: it is the hottest code of the platform.
"""

import binascii
from datetime import datetime

import msgspec

from flight_service.catalogue.layout import CABINS
from flight_service.fares.rule_set import PassengerType
from flight_service.fares.segment_price import SegmentPrice
from flight_service.offers.offer_id import OfferTerms, pack_head, pack_segment
from flight_service.offers.offer_view import rules_document
from flight_service.offers.open_offer import OfferDesk
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.offers.wire import duration_text, local_text, utc_text
from flight_service.search.rank import Combination, Option
from flight_service.search.timetable import Timetable
from rihla.kernel.money import format_minor


class OfferWriter:
    """Writes the offers of one search."""

    def __init__(
        self,
        desk: OfferDesk,
        pricer: FlightPricer,
        table: Timetable,
        terms: Terms,
        prices: dict[int, SegmentPrice],
        now: datetime,
        test_mode: bool,
    ) -> None:
        self._desk, self._pricer, self._table, self._terms, self._prices = desk, pricer, table, terms, prices
        reference = pricer.reference
        issued = now.replace(microsecond=0)
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
        self._head = pack_head(offer)
        self._tail = pricer.remembered(("tail", terms.brand, terms.cabin, terms.currency), self._make_tail)
        self._expires = utc_text(offer.expires_at)
        self._segment_tail = f'","cabin":"{terms.cabin}","fare_brand":"{terms.brand}","free_seats":'
        self._free = table.free[CABINS.index(terms.cabin)]
        self._segments: dict[int, str] = {}
        self._packed: dict[int, bytes] = {}

    def _make_tail(self) -> str:
        terms, reference = self._terms, self._pricer.reference
        brand = reference.rules.brands[terms.brand]
        change_fee = reference.rates.convert(brand.change_fee_minor, terms.currency)
        rules = msgspec.json.encode(rules_document(brand, terms.cabin, terms.currency, change_fee)).decode()
        return f',"fare_rules":{rules},"average_rating":null}}'

    def offer(self, combination: Combination) -> bytes:
        """One offer."""
        offer_id = self._desk.signer.seal(self._head + b"".join([self._packed_slice(o.journey) for o in combination]))
        slices = ",".join([self._slice(option) for option in combination])
        price = self._price([slot for option in combination for slot in option.journey])
        text = f'{{"id":"{offer_id}","expires_at":"{self._expires}","slices":[{slices}],"price":{price}{self._tail}'
        return text.encode()

    def _packed_slice(self, journey: tuple[int, ...]) -> bytes:
        packed = self._packed
        for slot in journey:
            if slot not in packed:
                packed[slot] = pack_segment(self._pricer.lock(slot, self._terms))
        return bytes((len(journey),)) + b"".join([packed[slot] for slot in journey])

    def _slice(self, option: Option) -> str:
        table, journey = self._table, option.journey
        segments = ",".join([self._segment(slot) for slot in journey])
        return (
            f'{{"origin":"{table.origin[journey[0]]}","destination":"{table.destination[journey[-1]]}","duration":"'
            f'{duration_text(option.arrival - option.departure)}","stops":{len(journey) - 1},"segments":[{segments}]}}'
        )

    def _segment(self, slot: int) -> str:
        found = self._segments.get(slot)
        if found is None:
            table = self._table
            departure, arrival = table.departure[slot], table.arrival[slot]
            found = self._segments[slot] = (
                f'{{"flight_id":"{_uuid_text(table.ids[slot * 16 : slot * 16 + 16])}",'
                f'"flight_number":"{table.number[slot]}","airline":"{table.airline[slot]}","aircraft":"{table.aircraft[slot]}","origin":"{table.origin[slot]}",'
                f'"destination":"{table.destination[slot]}",'
                f'"departure_at":"{local_text(departure, table.departure_offset[slot])}",'
                f'"arrival_at":"{local_text(arrival, table.arrival_offset[slot])}",'
                f'"duration":"{duration_text(arrival - departure)}{self._segment_tail}{self._free[slot]}}}'
            )
        return found

    def _price(self, slots: list[int]) -> str:
        prices = tuple([self._prices[slot] for slot in slots])
        key = ("price", self._terms.currency, self._terms.party.counts, *[price.serial for price in prices])
        return self._pricer.remembered(key, lambda: _price_text(prices, self._terms))


def _uuid_text(raw: bytearray) -> str:
    text = binascii.hexlify(raw).decode()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _price_text(prices: tuple[SegmentPrice, ...], terms: Terms) -> str:
    """The `price` object for segments priced so."""
    currency = terms.currency
    base = sum(price.base for price in prices)
    taxes: dict[str, list[object]] = {}
    for price in prices:
        for code, name, amount in price.taxes:
            entry = taxes.setdefault(code, [name, 0])
            entry[1] = int(str(entry[1])) + amount
    by_type: dict[PassengerType, int] = {}
    for price in prices:
        for kind, amount in price.by_type:
            by_type[kind] = by_type.get(kind, 0) + amount
    of_type = dict(terms.party.items())
    document = {
        "total": _money(sum(price.total for price in prices), currency),
        "base": _money(base, currency),
        "taxes": [
            {"code": code, "name": name, "amount": _money(int(str(amount)), currency)}
            for code, (name, amount) in taxes.items()
        ],
        "per_passenger": [
            {"type": kind, "count": of_type[kind], "total": _money(amount, currency)}
            for kind, amount in by_type.items()
        ],
    }
    return msgspec.json.encode(document).decode()


def _money(minor: int, currency: str) -> dict[str, str]:
    return {"amount": format_minor(minor, currency), "currency": currency}

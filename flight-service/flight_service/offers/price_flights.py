"""Price flights of the timetable as they stand now: what search shows and what an offer then locks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.fares.rule_set import BrandName
from flight_service.fares.rules import PriceContext, Route
from flight_service.fares.segment_price import Party, SegmentPrice, SegmentPricer
from flight_service.offers.offer_id import LockedSegment
from flight_service.offers.price_book import PriceBook, PriceSteps
from flight_service.search.reference import FlashSale, Reference
from flight_service.search.timetable import Timetable, load_percent

_REMEMBERED = 50_000
_BOOKED = 400_000


class TimetableSource(Protocol):
    """Who holds the present timetable (it is replaced as a whole after an outage)."""

    timetable: Timetable


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for every segment of a search. `issued` in timetable minutes."""

    cabin: Cabin
    brand: BrandName
    currency: str
    party: Party
    issued: int


class FlightPricer:
    """Reads the timetable, prices by the rules and rates of one `Reference`."""

    def __init__(self, source: TimetableSource, reference: Reference) -> None:
        self._source = source
        self.reference = reference
        self.segments = SegmentPricer(reference.rules, reference.rates)
        self.steps = PriceSteps(reference.rules)
        self._books: dict[tuple[object, ...], PriceBook] = {}
        self._routes: dict[tuple[str, str], Route] = {}
        self._texts: dict[tuple[object, ...], str] = {}

    @property
    def table(self) -> Timetable:
        """The timetable of now."""
        return self._source.timetable

    def book(self, terms: Terms, *, test_mode: bool) -> PriceBook:
        """The price book of these terms; the networks of live and test airlines number their routes apart."""
        key = (terms.cabin, terms.brand, terms.currency, terms.party.counts, test_mode)
        found = self._books.get(key)
        if found is None:
            if sum(map(len, self._books.values())) >= _BOOKED:
                self._books.clear()
            found = self._books[key] = PriceBook(self, terms)
        return found

    def remembered(self, key: tuple[object, ...], make: Callable[[], str]) -> str:
        """A text that depends on rules, rates and prices only, made once."""
        found = self._texts.get(key)
        if found is None:
            if len(self._texts) >= _REMEMBERED:
                self._texts.clear()
            found = self._texts[key] = make()
        return found

    def route(self, origin: str, destination: str) -> Route:
        """What taxes depend on, remembered."""
        found = self._routes.get((origin, destination))
        if found is None:
            found = self._routes[origin, destination] = self.reference.fare_route(origin, destination)
        return found

    def price(self, slot: int, terms: Terms) -> SegmentPrice:
        """The party's price on a flight now."""
        table = self._source.timetable
        route = self.route(table.origin[slot], table.destination[slot])
        return self.segments.price(terms.currency, terms.brand, route, self.context(slot, terms), terms.party)

    def context(self, slot: int, terms: Terms) -> PriceContext:
        """The inputs of a price now."""
        table, cabin = self._source.timetable, CABINS.index(terms.cabin)
        sale = self.sale(slot, terms)
        return PriceContext(
            base_minor=table.base[cabin][slot],
            cabin=terms.cabin,
            load_percent=load_percent(table.free[cabin][slot], table.capacity[cabin][slot]),
            hours_ahead=(table.departure[slot] - terms.issued) // 60,
            seated=terms.party.seated,
            flash_percent=sale.percent_off if sale else 0,
        )

    def sale(self, slot: int, terms: Terms) -> FlashSale | None:
        """The flash sale that applies now, if any."""
        if not self.reference.sales_of:
            return None
        sale = self.reference.sales_of.get((self._source.timetable.flight_id(slot), terms.cabin))
        return sale if sale is not None and _runs(sale, terms.issued) else None

    def slots_on_sale(self, terms: Terms) -> list[int]:
        """Slots a flash sale applies to now."""
        if not self.reference.sales_of:
            return []
        slots = [
            self.table.slot(sale.flight_no)
            for sale in self.reference.sales_of.values()
            if sale.cabin == terms.cabin and sale.flight_no is not None and _runs(sale, terms.issued)
        ]
        return [slot for slot in slots if slot is not None]

    def lock(self, slot: int, terms: Terms) -> LockedSegment:
        """What an offer made now locks of a flight."""
        table, cabin = self._source.timetable, CABINS.index(terms.cabin)
        sale = self.sale(slot, terms)
        load = load_percent(table.free[cabin][slot], table.capacity[cabin][slot])
        return LockedSegment(table.no[slot], table.version[slot], load, sale.no if sale else 0)


def _runs(sale: FlashSale, minute: int) -> bool:
    """Whether the sale is on at a timetable minute."""
    return int(sale.starts_at.timestamp()) // 60 <= minute < int(sale.ends_at.timestamp()) // 60

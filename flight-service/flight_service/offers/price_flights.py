"""Price flights of the timetable as they stand now: what search shows and what an offer then locks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from flight_service.catalogue.layout import CABINS, Cabin
from flight_service.fares.rule_set import BrandName
from flight_service.fares.rules import PriceContext, Route
from flight_service.fares.segment_price import Party, SegmentPrice, SegmentPricer
from flight_service.offers.offer_id import LockedSegment
from flight_service.search.reference import FlashSale, Reference
from flight_service.search.timetable import Timetable

_REMEMBERED = 50_000


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
        self._routes: dict[tuple[str, str], Route] = {}
        self._texts: dict[tuple[object, ...], str] = {}

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
        if sale is None:
            return None
        starts, ends = int(sale.starts_at.timestamp()) // 60, int(sale.ends_at.timestamp()) // 60
        return sale if starts <= terms.issued < ends else None

    def lock(self, slot: int, terms: Terms) -> LockedSegment:
        """What an offer made now locks of a flight."""
        table, cabin = self._source.timetable, CABINS.index(terms.cabin)
        sale = self.sale(slot, terms)
        load = load_percent(table.free[cabin][slot], table.capacity[cabin][slot])
        return LockedSegment(table.no[slot], table.version[slot], load, sale.no if sale else 0)


def load_percent(free: int, capacity: int) -> int:
    """Whole percent of a cabin that is taken, rounded down; 0 for a cabin without seats."""
    return (capacity - free) * 100 // capacity if capacity > 0 else 0

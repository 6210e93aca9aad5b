"""Search offers: journeys of the timetable, prices by the rules of now, and a page with ids that lock the price."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import msgspec

from flight_service.catalogue.layout import CABINS
from flight_service.fares.currencies import SCALE_UNIT
from flight_service.fares.segment_price import SegmentPrice
from flight_service.offers.open_offer import OfferDesk
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.search.follow_changes import TimetableFeed
from flight_service.search.journeys import JourneySearch, Wanted
from flight_service.search.query import Query, in_window
from flight_service.search.rank import Combination, Option, Order, page, position_of
from flight_service.search.render import OfferWriter
from flight_service.search.timetable import Timetable, minutes
from rihla.kernel import Clock
from rihla.web.paging import InvalidCursor, decode_cursor, encode_cursor

# What a minute of a passenger's time is worth to the sort `best`: 12 US dollars an hour.
BEST_CENTS_A_MINUTE = 20
_DEFAULT_STOPS = 1
_MOST_STOPS = 2


@dataclass(frozen=True, slots=True)
class Found:
    """A page: encoded offers and where the next page begins."""

    offers: list[bytes]
    next_cursor: str | None
    notes: list[str]


class OfferSearchDesk:
    """Runs searches on the process's timetable."""

    def __init__(self, feed: TimetableFeed, offers: OfferDesk, clock: Clock) -> None:
        self._feed = feed
        self._offers = offers
        self._clock = clock

    def find(self, query: Query, *, test_mode: bool) -> Found:
        """One page. The caller has awaited `feed.fresh()`: nothing here waits. Raises InvalidCursor."""
        now = self._clock.now()
        fingerprint = _fingerprint(query, test_mode)
        after = _read_cursor(query.cursor, fingerprint)
        if query.brand is None:
            return Found([], None, ["No fare of this cabin has what the filters ask."])
        run = OfferRun(self._feed, self._offers.pricer, query, now, test_mode)
        slices, stops = run.options()
        pricer = self._offers.pricer
        value = BEST_CENTS_A_MINUTE * query.party.seated * pricer.reference.rates.scale(query.currency) // SCALE_UNIT
        order = Order(query.sort, len(slices), value)
        combinations, more = page(slices, order, query.limit, after, run.fits)
        writer = OfferWriter(self._offers, pricer, self._feed.timetable, run.terms, run.prices, now, test_mode)
        cursor = None
        if more:
            cursor = encode_cursor({"q": fingerprint, "s": query.sort, "p": position_of(combinations[-1])})
        notes = ["Nothing with fewer stops was found, so journeys with two stops are shown."] if stops else []
        return Found([writer.offer(c) for c in combinations], cursor, notes)


class OfferRun:
    """One search under way."""

    def __init__(self, feed: TimetableFeed, pricer: FlightPricer, query: Query, now: datetime, test_mode: bool) -> None:
        assert query.brand is not None
        self._table: Timetable = feed.timetable
        self._query = query
        self._pricer = pricer
        self._network = self._table.test if test_mode else self._table.live
        self._search = JourneySearch(self._table, self._network, pricer.reference.airports)
        self._now = minutes(now) + 1
        self.terms = Terms(query.cabin, query.brand, query.currency, query.party, minutes(now))
        self.prices: dict[int, SegmentPrice] = {}

    def options(self) -> tuple[list[list[Option]], bool]:
        """Options slice by slice; whether more stops than asked had to be allowed."""
        stops = self._query.max_stops
        found = self.all_options(_DEFAULT_STOPS if stops is None else stops)
        if stops is None and not all(found):
            return self.all_options(_MOST_STOPS), True
        return found, False

    def fits(self, combination: Combination) -> bool:
        """Whether slices follow each other in time and the total is within the price asked."""
        for earlier, later in pairwise(combination):
            if later.departure < earlier.arrival:
                return False
        query = self._query
        if query.price_max is None and not query.price_min:
            return True
        total = sum(option.price for option in combination)
        return query.price_min <= total and (query.price_max is None or total <= query.price_max)

    def all_options(self, max_stops: int) -> list[list[Option]]:
        """Options slice by slice with at most so many stops."""
        return [list(self._slice(index, max_stops)) for index in range(len(self._query.slices))]

    def _slice(self, index: int, max_stops: int) -> Iterator[Option]:
        query, part = self._query, self._query.slices[index]
        wanted = Wanted(
            origins=part.origins,
            destinations=part.destinations,
            days=part.days,
            cabin=CABINS.index(query.cabin),
            seats=query.party.seated,
            max_stops=max_stops,
            not_before=self._now,
            min_layover=query.min_layover,
            max_layover=query.max_layover,
            flight_allowed=self._airline_test(),
        )
        departures, arrivals, no = self._table.departure, self._table.arrival, self._table.no
        for journey in self._search.find(wanted):
            departure, arrival = departures[journey[0]], arrivals[journey[-1]]
            if self._suits(journey, departure, arrival):
                price = 0
                for slot in journey:
                    price += self._price(slot).total
                yield Option(journey, price, departure, arrival, tuple([no[slot] for slot in journey]))

    def _price(self, slot: int) -> SegmentPrice:
        found = self.prices.get(slot)
        if found is None:
            found = self.prices[slot] = self._pricer.price(slot, self.terms)
        return found

    def _airline_test(self) -> Any:
        only, never, airline = self._query.airlines, self._query.exclude_airlines, self._table.airline
        if only:
            return lambda slot: airline[slot] in only and airline[slot] not in never
        return (lambda slot: airline[slot] not in never) if never else None

    def _suits(self, journey: tuple[int, ...], departure: int, arrival: int) -> bool:
        query, table = self._query, self._table
        if query.max_duration is not None and arrival - departure > query.max_duration:
            return False
        if query.flight_number is not None and all(table.number[slot] != query.flight_number for slot in journey):
            return False
        if query.departure_window is not None:
            local = (departure + table.departure_offset[journey[0]]) % 1440
            if not in_window(local, query.departure_window):
                return False
        if query.arrival_window is not None:
            local = (arrival + table.arrival_offset[journey[-1]]) % 1440
            if not in_window(local, query.arrival_window):
                return False
        return True


def _fingerprint(query: Query, test_mode: bool) -> str:
    """What a cursor belongs to: the same search, whatever the page size."""
    asked = msgspec.json.encode(
        [
            query.slices,
            query.party.counts,
            query.cabin,
            query.currency,
            query.sort,
            query.max_stops,
            query.brand,
            test_mode,
            sorted(query.airlines),
            sorted(query.exclude_airlines),
            query.flight_number,
            query.price_min,
            query.price_max,
            query.departure_window,
            query.arrival_window,
            query.max_duration,
            query.min_layover,
            query.max_layover,
        ]
    )
    return hashlib.blake2b(asked, digest_size=6).hexdigest()


def _read_cursor(cursor: str | None, fingerprint: str) -> list[Any] | None:
    if cursor is None:
        return None
    position = decode_cursor(cursor)
    if position.get("q") != fingerprint or not isinstance(position.get("p"), list):
        raise InvalidCursor("The cursor belongs to another search; start again without it.")
    after: list[Any] = position["p"]
    return after

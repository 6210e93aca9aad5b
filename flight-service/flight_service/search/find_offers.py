"""Search offers: journeys of the timetable, prices by the rules of now, and a page with ids that lock the price."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flight_service.catalogue.layout import CABINS
from flight_service.fares.currencies import SCALE_UNIT
from flight_service.offers.open_offer import OfferDesk
from flight_service.offers.price_flights import FlightPricer, Terms
from flight_service.search.departures import Ints
from flight_service.search.follow_changes import TimetableFeed
from flight_service.search.journeys import Journeys, JourneySearch, Wanted, day_window
from flight_service.search.query import Query, SliceWanted
from flight_service.search.rank import Combination, Options, Order, Priced, PriceRange, page, position_of
from flight_service.search.render import OfferWriter
from flight_service.search.timetable import Timetable, minutes
from rihla.kernel import Clock
from rihla.web.paging import InvalidCursor, decode_cursor

# What a minute of a passenger's time is worth to the sort `best`: 12 US dollars an hour.
BEST_CENTS_A_MINUTE = 20
_DEFAULT_STOPS = 1
_MOST_STOPS = 2
_JSON = msgspec.json.Encoder()
_NO_PRICES, _NO_TIMES = np.empty(0, np.int64), np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Found:
    """A page: offers as JSON and where the next page begins."""

    offers: list[str]
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
        pricer = self._offers.pricer
        run = OfferRun(self._feed, pricer, query, now, test_mode)
        slices, more_stops = run.options()
        value = BEST_CENTS_A_MINUTE * query.party.seated * pricer.reference.rates.scale(query.currency) // SCALE_UNIT
        order = Order(query.sort, len(slices), value)
        combinations, more = page(slices, order, query.limit, after, PriceRange(query.price_min, query.price_max))
        writer = OfferWriter(self._offers, pricer, run.book, run.terms, now, test_mode=test_mode)
        cursor = None
        if more:
            cursor = _write_cursor(fingerprint, combinations[-1])
        notes = ["Nothing with fewer stops was found, so journeys with two stops are shown."] if more_stops else []
        return Found([writer.offer(combination) for combination in combinations], cursor, notes)


class OfferRun:
    """One search under way."""

    def __init__(self, feed: TimetableFeed, pricer: FlightPricer, query: Query, now: datetime, test_mode: bool) -> None:
        assert query.brand is not None
        self._table: Timetable = feed.timetable
        self._query = query
        self._airports = pricer.reference.airports
        network = self._table.test if test_mode else self._table.live
        self._search = JourneySearch(self._table, network, self._airports)
        self._now = minutes(now) + 1
        self.terms = Terms(query.cabin, query.brand, query.currency, query.party, minutes(now))
        self._filtered = any(
            value is not None
            for value in (query.max_duration, query.flight_number, query.departure_window, query.arrival_window)
        )
        self.book = pricer.book(self.terms, test_mode=test_mode)

    def options(self) -> tuple[list[Options], bool]:
        """Options slice by slice; whether more stops than asked had to be allowed."""
        stops = self._query.max_stops
        found = self.all_options(_DEFAULT_STOPS if stops is None else stops)
        if stops is None and not all(map(len, found)):
            return self.all_options(_MOST_STOPS), True
        return found, False

    def all_options(self, max_stops: int) -> list[Options]:
        """Options slice by slice with at most so many stops."""
        return [self._slice(part, max_stops) for part in self._query.slices]

    def _slice(self, part: SliceWanted, max_stops: int) -> Options:
        query, found = self._query, []
        airlines = self._airlines()
        for origin in part.origins:
            span = self._span(origin, part)
            if span is None:
                continue
            wanted = Wanted(
                span=span,
                cabin=CABINS.index(query.cabin),
                seats=query.party.seated,
                max_stops=max_stops,
                min_layover=query.min_layover,
                max_layover=query.max_layover,
                airlines=airlines,
            )
            for destination in part.destinations:
                if origin != destination:
                    found += self._search.between(wanted, origin, destination)
        return self._priced([journeys for group in found if len(journeys := self._fitting(group))])

    def _span(self, origin: str, part: SliceWanted) -> tuple[int, int] | None:
        """The days wanted, which follow each other, as minutes at the origin; flights that have left are no use."""
        if not part.days:
            return None
        zone = self._airports[origin].zone
        first, last = day_window(zone, part.days[0])[0], day_window(zone, part.days[-1])[1]
        first = max(first, self._now)
        return (first, last) if first < last else None

    def _priced(self, groups: list[Journeys]) -> Options:
        """One table of all journeys with what they cost. Each flight is priced once, however many journeys take it."""
        view = self._table.view
        if not groups:
            return Options((), view.no, _NO_PRICES, _NO_TIMES, _NO_TIMES)
        flights = [leg.flights for group in groups for leg in group.legs]
        totals, keys = self.book.totals(np.concatenate(flights), self.terms)
        begin, at, parts = 0, 0, []
        prices, departures, arrivals = [], [], []
        for group in groups:
            price: Ints | None = None
            legs = []
            for leg in group.legs:
                end = at + len(leg.flights)
                total = totals[at:end] if leg.picks is None else totals[at:end][leg.picks]
                price = total if price is None else price + total
                legs.append(Priced(leg, keys[at:end]))
                at = end
            assert price is not None
            prices.append(price)
            departures.append(view.departure[group.legs[0].slots])
            arrivals.append(view.arrival[group.legs[-1].slots])
            parts.append((begin, tuple(legs)))
            begin += len(group)
        if len(groups) == 1:
            return Options(tuple(parts), view.no, prices[0], departures[0], arrivals[0])
        columns = np.concatenate(prices), np.concatenate(departures), np.concatenate(arrivals)
        return Options(tuple(parts), view.no, *columns)

    def _airlines(self) -> NDArray[np.bool_] | None:
        """By the timetable's number of the airline, whether it may be flown; None: all."""
        only, never, ids = self._query.airlines, self._query.exclude_airlines, self._table.airline_ids
        if not only and not never:
            return None
        return np.array([(not only or code in only) and code not in never for code in ids], np.bool_)

    def _fitting(self, group: Journeys) -> Journeys:
        """Those that pass the filters on times and flights."""
        query, view = self._query, self._table.view
        if not self._filtered:
            return group
        first, last = group.legs[0].slots, group.legs[-1].slots
        tests: list[NDArray[np.bool_]] = []
        if query.max_duration is not None:
            tests.append(view.arrival[last] - view.departure[first] <= query.max_duration)
        if query.flight_number is not None:
            number = self._table.number_ids.get(query.flight_number, -1)
            tests.append(np.any([view.number[leg.slots] == number for leg in group.legs], axis=0))
        if query.departure_window is not None:
            tests.append(_in_window(view.departure[first] + view.departure_offset[first], query.departure_window))
        if query.arrival_window is not None:
            tests.append(_in_window(view.arrival[last] + view.arrival_offset[last], query.arrival_window))
        kept = np.logical_and.reduce(tests)
        return Journeys(tuple(leg.kept(kept) for leg in group.legs))


def _in_window(local: NDArray[np.int32], window: tuple[int, int]) -> NDArray[np.bool_]:
    """Whether local minutes lie in the window of the day [after, before); one over midnight has after > before."""
    (after, before), minute = window, local % 1440
    if after <= before:
        return (after <= minute) & (minute < before)
    return (minute >= after) | (minute < before)


def _fingerprint(query: Query, test_mode: bool) -> str:
    """What a cursor belongs to: the same search, whatever the page size."""
    asked = _JSON.encode((test_mode, query._replace(cursor=None, limit=0)))
    return hashlib.blake2b(asked, digest_size=6).hexdigest()


def _write_cursor(fingerprint: str, last: Combination) -> str:
    """As shared's `encode_cursor` writes it, at a tenth of the cost."""
    position = _JSON.encode({"q": fingerprint, "p": position_of(last)})
    return urlsafe_b64encode(position).rstrip(b"=").decode("ascii")


def _read_cursor(cursor: str | None, fingerprint: str) -> list[Any] | None:
    if cursor is None:
        return None
    position = decode_cursor(cursor)
    if position.get("q") != fingerprint or not isinstance(position.get("p"), list):
        raise InvalidCursor("The cursor belongs to another search; start again without it.")
    after: list[Any] = position["p"]
    return after

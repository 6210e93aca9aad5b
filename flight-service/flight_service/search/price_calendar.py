"""The cheapest total of each day of a month, one-way or return. Pure computation over the timetable.

Direct and one-stop journeys count; with `trip_days` each day's price is a return that many days later.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flight_service.offers.price_flights import FlightPricer
from flight_service.search.find_offers import OfferRun
from flight_service.search.follow_changes import TimetableFeed
from flight_service.search.query import Query, SliceWanted
from flight_service.search.rank import Options


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """The cheapest total for one adult, minor units; None: nothing is on sale."""

    day: date
    total: int | None
    stops: int | None


def price_calendar(
    feed: TimetableFeed,
    pricer: FlightPricer,
    query: Query,
    first: date,
    last: date,
    trip_days: int | None,
    now: datetime,
    *,
    test_mode: bool,
) -> list[CalendarDay]:
    """Every day from `first` to `last`. `query` holds places, cabin, currency and party; its days are replaced."""
    out = query.slices[0]
    back = out._replace(origins=out.destinations, destinations=out.origins)
    known: dict[tuple[bool, date], tuple[int, int] | None] = {}

    def cheapest(part: SliceWanted, homeward: bool, day: date) -> tuple[int, int] | None:
        if (homeward, day) not in known:
            run = OfferRun(feed, pricer, query._replace(slices=(part._replace(days=(day,)),)), now, test_mode)
            known[homeward, day] = _cheapest(run.all_options(1)[0])
        return known[homeward, day]

    days = []
    for shift in range((last - first).days + 1):
        day = first + timedelta(days=shift)
        there = cheapest(out, False, day)
        if there is not None and trip_days is not None:
            home = cheapest(back, True, day + timedelta(days=trip_days))
            there = (there[0] + home[0], max(there[1], home[1])) if home else None
        days.append(CalendarDay(day, there[0] if there else None, there[1] if there else None))
    return days


def _cheapest(options: Options) -> tuple[int, int] | None:
    """The lowest price, and the fewest stops it is had with."""
    if not len(options):
        return None
    lowest = options.price.min()
    ends = [begin for begin, _ in options.groups[1:]] + [len(options)]
    stops = [
        len(legs) - 1
        for (begin, legs), end in zip(options.groups, ends, strict=True)
        if (options.price[begin:end] == lowest).any()
    ]
    return int(lowest), min(stops)

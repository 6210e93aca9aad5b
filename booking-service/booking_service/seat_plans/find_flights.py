"""Find the flight of every ride: by the public search, which locks a price for each, as for every other booking."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from booking_service.bootstrap import Container
from booking_service.seat_plans.plan import Departure, SeatPlan, departures, nearest

NO_FLIGHT, NO_SEATS = "no-flight", "no-seats"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Missing:
    """A ride that cannot be had, and why: `no-flight` or `no-seats`."""

    day: date
    route: str
    reason: str

    def document(self) -> dict[str, str]:
        """An entry of `missing` (docs/contracts.md)."""
        return {"date": self.day.isoformat(), "route": self.route, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The offer for a ride."""

    departure: Departure
    offer_id: str


async def find_flights(c: Container, plan: SeatPlan) -> tuple[list[Chosen], list[Missing]]:
    """What serves each ride, and which rides nothing serves. Rides that have left already are neither.

    Raises InvalidRequest for a route nobody knows and UpstreamUnavailable when flight-service does not answer.
    """
    turn = asyncio.Semaphore(_AT_ONCE)

    async def look(departure: Departure) -> Chosen | Missing | None:
        async with turn:
            return await _find(c, plan, departure)

    found = await asyncio.gather(*(look(one) for one in departures(plan)))
    return [one for one in found if isinstance(one, Chosen)], [one for one in found if isinstance(one, Missing)]


async def _find(c: Container, plan: SeatPlan, departure: Departure) -> Chosen | Missing | None:
    """On the days around now the board is asked first: the search does not know what has left, or past days."""
    now = c.clock.now()
    origin, _, destination = departure.route.partition("-")
    near_now = departure.day <= now.date()
    if near_now and (told := await _on_board(c, departure, origin, destination, now)) != NO_SEATS:
        return told if told is None else Missing(departure.day, departure.route, told)
    offers = await c.flights.search_direct(origin, destination, departure.day, plan.cabin, plan.currency)
    offer_id = nearest(departure, ((at, offer_id) for offer_id, at in offers))
    if offer_id is not None:
        return Chosen(departure, offer_id)
    reason = NO_SEATS if near_now else await _on_board(c, departure, origin, destination, now)
    return None if reason is None else Missing(departure.day, departure.route, reason)


async def _on_board(c: Container, departure: Departure, origin: str, destination: str, now: datetime) -> str | None:
    """Why nothing is sold for this ride: no flight near its time, or no seats on it. None: it has left."""
    if departure.day < now.date() - timedelta(days=1):
        return None
    flights = await c.flights.board(origin, destination, departure.day)
    flight: tuple[datetime, str] | None = nearest(departure, ((at, (at, status)) for at, status in flights))
    if flight is None or flight[1] == "cancelled":
        return NO_FLIGHT
    return None if flight[0] <= now else NO_SEATS

"""What a period's seats are, as plain values: which rides fall on which dates, and which flight serves one. Pure.

```
 reserving ──► held ──► confirming ──► confirmed
    │  ▲        │ │        │  ▲            │
    ▼  │        │ ▼        ▼  │            │
  refused       │ expired ◄───┘            │
                └───────────► released ◄───┘   (from every state; and the tombstone of what never arrived)
```

`reserving`, `refused` and `confirming` are internal: outside, a plan is held, confirmed,
released, expired or unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID


class PlanState(StrEnum):
    """Where a plan stands."""

    RESERVING = "reserving"
    REFUSED = "refused"
    HELD = "held"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    RELEASED = "released"


SHOWN: dict[PlanState, str] = {
    PlanState.HELD: "held",
    PlanState.CONFIRMING: "held",
    PlanState.CONFIRMED: "confirmed",
    PlanState.EXPIRED: "expired",
    PlanState.RELEASED: "released",
}
"""What is said outside; the other states are nobody's business, for nothing is reserved by them."""

NEAR = timedelta(minutes=90)
"""A ride takes the flight that leaves nearest to its time, but none further off than this."""
MOST_RIDES = 100
Flight = TypeVar("Flight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """One flight of every week. `departure_time` is local at the origin, `route` is `DAC-CXB`; Monday is 1 (ISO)."""

    weekday: int
    departure_time: time
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPlan:
    """The seats of a period: `starts_on` to the day before `ends_on`."""

    id: UUID
    subscription_id: UUID
    user_id: UUID
    starts_on: date
    ends_on: date
    expires_at: datetime
    cabin: str
    currency: str
    rides: tuple[Ride, ...]

    def content(self) -> dict[str, Any]:
        """What must be equal in a repeat, as it is stored; the window to pay is the first request's."""
        return {
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "cabin": self.cabin,
            "currency": self.currency,
            "rides": [
                {"weekday": one.weekday, "departure_time": one.departure_time.strftime("%H:%M"), "route": one.route}
                for one in self.rides
            ],
        }


@dataclass(frozen=True, slots=True)
class Departure:
    """A ride on a date. `day` is local at the origin."""

    day: date
    ride: Ride

    @property
    def route(self) -> str:
        return self.ride.route


def departures(plan: SeatPlan) -> list[Departure]:
    """Every ride of the period, in the order they are flown."""
    return sorted(_departures(plan), key=lambda one: (one.day, one.ride.departure_time, one.route))


def _departures(plan: SeatPlan) -> Iterator[Departure]:
    for shift in range((plan.ends_on - plan.starts_on).days):
        day = plan.starts_on + timedelta(days=shift)
        for ride in plan.rides:
            if ride.weekday == day.isoweekday():
                yield Departure(day, ride)


def distance(wanted: Departure, departure_at: datetime) -> timedelta | None:
    """How far a flight's local departure is from the wanted one; None beyond NEAR and on another local date."""
    local = departure_at.replace(tzinfo=None)
    if local.date() != wanted.day:
        return None
    off = abs(local - datetime.combine(wanted.day, wanted.ride.departure_time))
    return off if off <= NEAR else None


def nearest(wanted: Departure, flights: Iterable[tuple[datetime, Flight]]) -> Flight | None:
    """The flight nearest to the wanted time, the earlier of two as near; `flights` are (local departure, flight)."""
    near = [(off, at, one) for at, one in flights if (off := distance(wanted, at)) is not None]
    return min(near, key=lambda entry: entry[:2])[2] if near else None

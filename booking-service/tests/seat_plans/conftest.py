"""A flight-service that can be searched, and words for seat plans."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import httpx
import pytest
from fake_flight_service import FakeFlight, FlightFake
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rihla.kernel import FixedClock, new_id

Json = dict[str, Any]
DHAKA = timezone(timedelta(hours=6))


class SearchedFlights(FlightFake):
    """Also answers the board and the search of direct flights, with an offer for each that has seats."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__(clock)
        self.app.router.routes += [Route("/v1/flight-offers", self.search), Route("/v1/flights", self.show_board)]

    def add_departure(self, day: date, at: str = "08:30", *, route: str = "DAC-CXB", free: int = 5) -> FakeFlight:
        """A flight at a local time of Dhaka."""
        origin, destination = route.split("-")
        flight = self.add_flight(origin, destination, free=free, international=False)
        departure = datetime.combine(day, time.fromisoformat(at), DHAKA)
        flight.departure_at = departure.isoformat()
        flight.arrival_at = (departure + timedelta(hours=1)).isoformat()
        return flight

    def _of_day(self, request: Request, name: str) -> list[FakeFlight]:
        asked = request.query_params
        route = (asked["origin"], asked["destination"])
        found = [one for one in self.flights.values() if (one.origin, one.destination) == route]
        return [one for one in found if one.departure_at.startswith(asked[name])]

    async def search(self, request: Request) -> JSONResponse:
        assert request.query_params["max_stops"] == "0"
        sold = [one for one in self._of_day(request, "departure_date") if one.free > 0]
        items = [
            {"id": self.add_offer([one]), "slices": [{"segments": [{"departure_at": one.departure_at}]}]}
            for one in sold
        ]
        return JSONResponse({"items": items})

    async def show_board(self, request: Request) -> JSONResponse:
        flights = self._of_day(request, "date")
        return JSONResponse({"items": [{"departure_at": one.departure_at, "status": "scheduled"} for one in flights]})


@pytest.fixture
def flight_fake(clock: FixedClock) -> FlightFake:
    return SearchedFlights(clock)


@dataclass
class Plans:
    """payment-service's side: two rides a week, out in the morning and back in the evening."""

    house: Any
    person: Json

    def body(self, **changes: Any) -> Json:
        """A week from 7 December 2026, a Monday."""
        return {
            "subscription_id": str(new_id()),
            "user_id": str(self.house.user_id),
            "starts_on": "2026-12-07",
            "ends_on": "2026-12-14",
            "expires_at": (self.house.clock.now() + timedelta(minutes=15)).isoformat(),
            "cabin": "economy",
            "currency": "USD",
            "rides": [
                {"weekday": 1, "departure_time": "08:30", "route": "DAC-CXB"},
                {"weekday": 4, "departure_time": "18:00", "route": "CXB-DAC"},
            ],
            "traveller": {"passenger": self.person, "contact": {"email": "amina@example.com"}},
            **changes,
        }

    def flights(self, free: int = 5) -> tuple[FakeFlight, FakeFlight]:
        """The two flights of the week."""
        flight = self.house.flight
        out = flight.add_departure(date(2026, 12, 7), "08:30", free=free)
        return out, flight.add_departure(date(2026, 12, 10), "18:05", route="CXB-DAC", free=free)

    async def call(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        token = self.house.keyring.token(audience="booking", issuer="payment")
        headers = {"authorization": f"Bearer {token}"}
        return await self.house.client.request(method, f"/internal/v1/seat-plans/{path}", json=body, headers=headers)

    async def put(self, plan_id: Any, body: Json) -> httpx.Response:
        return await self.call("PUT", str(plan_id), body)

    async def held(self, **changes: Any) -> Json:
        answer = await self.put(new_id(), self.body(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def confirm(self, plan_id: Any) -> httpx.Response:
        return await self.call("POST", f"{plan_id}/confirm", {})

    async def release(self, plan_id: Any) -> httpx.Response:
        return await self.call("POST", f"{plan_id}/release", {})

    async def states(self) -> list[str]:
        """The state of every booking, sorted."""
        return sorted(row["state"] for row in await self.house.rows("SELECT state FROM booking"))

    def taken(self) -> int:
        """Seats that are held or sold."""
        return sum(any(hold.taken.values()) for hold in self.house.flight.holds.values())


@pytest.fixture
def plans(house: Any, traveller: Any) -> Plans:
    return Plans(house, traveller())

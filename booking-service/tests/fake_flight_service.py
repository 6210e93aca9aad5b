"""flight-service as a small ASGI application that obeys docs/contracts.md: seats of each flight, holds, tombstones."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fake_wire import Json, Wire, problem
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from rihla.kernel import Clock, apportion, new_id

STANDARD_BRACKETS = [
    {"hours_before": 168, "fee_percent": 10},
    {"hours_before": 48, "fee_percent": 25},
    {"hours_before": 4, "fee_percent": 50},
    {"hours_before": 0, "fee_percent": 100},
]


@dataclass
class FakeFlight:
    """One flight of the fake network."""

    id: str
    number: str
    origin: str
    destination: str
    departure_at: str
    arrival_at: str
    free: int = 100
    airline: str = "RQ"
    accounting_code: str = "901"
    international: bool = True
    seats: dict[str, str] = field(default_factory=dict)
    next_row: int = 30


@dataclass
class FakeHold:
    id: str
    content: Json
    status: str
    answer: Json
    taken: dict[tuple[str, str], bool]
    expires_at: datetime
    tombstone: bool = False


class FlightFake:
    """Sells `offers`: offer id -> slices of flights."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.flights: dict[str, FakeFlight] = {}
        self.offers: dict[str, Json] = {}
        self.holds: dict[str, FakeHold] = {}
        self.base_minor = 45_000
        self.app = Starlette(
            routes=[
                Route("/internal/v1/holds/placements", self.place_many, methods=["POST"]),
                Route("/internal/v1/holds/confirmations", self.confirm_many, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}", self.put_hold, methods=["PUT"]),
                Route("/internal/v1/holds/{hold_id}", self.get_hold, methods=["GET"]),
                Route("/internal/v1/hold-quotes", self.quote, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}/confirm", self.confirm, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}/release", self.release, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}/reinstate", self.reinstate, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}/seats/assign", self.assign, methods=["POST"]),
                Route("/internal/v1/holds/{hold_id}/seats", self.move, methods=["PUT"]),
                Route("/internal/v1/holds/{hold_id}/extras-quotes", self.extras, methods=["POST"]),
            ]
        )
        self.wire = Wire(self.app)

    # --- what a test sets up
    # -------------------------------------------------------------------------------------------

    def add_flight(
        self, origin: str = "DAC", destination: str = "JED", *, days: float = 30, hours: float = 6, **extra: Any
    ) -> FakeFlight:
        departure = self.clock.now() + timedelta(days=days)
        flight = FakeFlight(
            id=str(new_id()),
            number=f"RQ{100 + len(self.flights)}",
            origin=origin,
            destination=destination,
            departure_at=departure.isoformat(),
            arrival_at=(departure + timedelta(hours=hours)).isoformat(),
            **extra,
        )
        self.flights[flight.id] = flight
        return flight

    def add_offer(
        self,
        *slices: list[FakeFlight],
        brand: str = "standard",
        refundable: bool = True,
        currency: str = "USD",
        **rules: Any,
    ) -> str:
        offer_id = f"of_{new_id().hex}"
        brackets = {
            "flex": [{"hours_before": 0, "fee_percent": 0}],
            "basic": [{"hours_before": 0, "fee_percent": 100}],
        }.get(brand, STANDARD_BRACKETS)
        self.offers[offer_id] = {
            "slices": [[one.id for one in flights] for flights in slices],
            "brand": brand,
            "currency": currency,
            "expires_at": self.clock.now() + timedelta(minutes=20),
            "fare_rules": {
                "refundable": refundable,
                "changeable": True,
                "change_fee_minor": 5000,
                "checked_bag": True,
                "seat_choice": "free",
                "refund_brackets": brackets,
                **rules,
            },
        }
        return offer_id

    # --- routes
    # --------------------------------------------------------------------------------------------------------

    async def put_hold(self, request: Request) -> JSONResponse:
        return self._placed(request.path_params["hold_id"], await request.json())

    async def place_many(self, request: Request) -> JSONResponse:
        return self._outcomes(self._placed(one["id"], one["hold"]) for one in (await request.json())["placements"])

    async def confirm_many(self, request: Request) -> JSONResponse:
        return self._outcomes(self._sold(one["id"]) for one in (await request.json())["confirmations"])

    def _outcomes(self, answers: Iterable[JSONResponse]) -> JSONResponse:
        read = [(answer.status_code, json.loads(bytes(answer.body))) for answer in answers]
        named = [("hold" if status < 400 else "problem", status, body) for status, body in read]
        return JSONResponse({"outcomes": [{"status": status, name: body} for name, status, body in named]})

    def _placed(self, hold_id: str, body: Json) -> JSONResponse:
        known = self.holds.get(hold_id)
        if known is not None:
            if known.tombstone or known.status == "released":
                return problem(409, "hold-released")
            if known.content != body:
                return problem(422, "hold-content-differs")
            return JSONResponse(self._shown(known), 200)
        priced = self._price(body)
        if isinstance(priced, JSONResponse):
            return priced
        needed = self._needed(body)
        for flight_id, count in needed.items():
            if self.flights[flight_id].free < count:
                return problem(409, "not-enough-seats", free_seats=self.flights[flight_id].free)
        for line in body["lines"]:
            for seat in line["seats"]:
                if seat["designator"] in self.flights[seat["flight_id"]].seats:
                    return problem(409, "seat-taken", designator=seat["designator"])
        hold = FakeHold(hold_id, body, "held", priced, {}, datetime.fromisoformat(body["expires_at"]))
        self._take(hold)
        self.holds[hold_id] = hold
        return JSONResponse(self._shown(hold), 201)

    async def get_hold(self, request: Request) -> JSONResponse:
        hold = self.holds.get(request.path_params["hold_id"])
        return JSONResponse(self._shown(hold)) if hold and not hold.tombstone else problem(404, "hold-unknown")

    async def quote(self, request: Request) -> JSONResponse:
        priced = self._price(await request.json())
        return priced if isinstance(priced, JSONResponse) else JSONResponse(priced)

    async def confirm(self, request: Request) -> JSONResponse:
        return self._sold(request.path_params["hold_id"])

    def _sold(self, hold_id: str) -> JSONResponse:
        hold = self.holds.get(hold_id)
        if hold is None:
            return problem(404, "hold-unknown")
        if hold.status == "released":
            return problem(409, "hold-released")
        if hold.status == "expired":
            return problem(409, "hold-expired")
        hold.status = "confirmed"
        for line in hold.content["lines"]:
            if line["type"] != "infant":
                for flight_id in self._flight_ids(hold):
                    self._seat(hold, line, flight_id)
        return JSONResponse(self._shown(hold))

    async def release(self, request: Request) -> JSONResponse:
        hold_id, body = request.path_params["hold_id"], await request.json()
        hold = self.holds.get(hold_id)
        if hold is None:
            until = self.clock.now()
            self.holds[hold_id] = FakeHold(hold_id, {}, "released", {}, {}, until, tombstone=True)
            return JSONResponse({"id": hold_id, "status": "released"})
        items = body.get("items")
        pairs = list(hold.taken) if items is None else [(one["passenger_id"], one["flight_id"]) for one in items]
        for pair in pairs:
            self._free(hold, pair)
        if not any(hold.taken.values()):
            hold.status = "released"
        return JSONResponse(self._shown(hold))

    async def reinstate(self, request: Request) -> JSONResponse:
        hold, body = self.holds.get(request.path_params["hold_id"]), await request.json()
        if hold is None or hold.tombstone:
            return problem(404, "hold-unknown")
        if hold.status in {"released", "expired"}:
            for flight_id, count in self._needed(hold.content).items():
                if self.flights[flight_id].free < count:
                    return problem(409, "not-enough-seats")
            self._take(hold)
            hold.status = "held"
        hold.expires_at = datetime.fromisoformat(body["expires_at"])
        return JSONResponse(self._shown(hold))

    async def assign(self, request: Request) -> JSONResponse:
        hold, body = self.holds[request.path_params["hold_id"]], await request.json()
        for item in body["items"]:
            self._seat(hold, {"passenger_id": item["passenger_id"], "seats": []}, item["flight_id"])
        return JSONResponse(self._shown(hold))

    async def move(self, request: Request) -> JSONResponse:
        hold, body = self.holds[request.path_params["hold_id"]], await request.json()
        for item in body["items"]:
            owner = self.flights[item["flight_id"]].seats.get(item["designator"])
            if owner not in (None, item["passenger_id"]):
                return problem(409, "seat-taken", designator=item["designator"])
        for item in body["items"]:
            seats = self.flights[item["flight_id"]].seats
            for designator in [d for d, p in seats.items() if p == item["passenger_id"]]:
                del seats[designator]
            seats[item["designator"]] = item["passenger_id"]
        return JSONResponse(self._shown(hold))

    async def extras(self, request: Request) -> JSONResponse:
        hold, body = self.holds[request.path_params["hold_id"]], await request.json()
        lines = [
            {
                "passenger_id": line["passenger_id"],
                "flight_id": extra["flight_id"] or self._flight_ids(hold)[0],
                "kind": "extra",
                "code": extra["code"],
                "name": extra["code"],
                "amount_minor": 4_000 * extra["quantity"],
                "refund_class": "extra",
            }
            for line in body["lines"]
            for extra in line["extras"]
        ]
        total = sum(line["amount_minor"] for line in lines)
        return JSONResponse({"currency": hold.answer["currency"], "total_minor": total, "price_lines": lines})

    # --- inside
    # --------------------------------------------------------------------------------------------------------

    def expire(self, hold_id: str) -> None:
        """The hold's time is over and somebody else took the seats."""
        hold = self.holds[hold_id]
        for pair in list(hold.taken):
            self._free(hold, pair)
        hold.status = "expired"

    def _flight_ids(self, hold: FakeHold) -> list[str]:
        return [segment["flight_id"] for segment in hold.answer["segments"]]

    def _needed(self, body: Json) -> dict[str, int]:
        seats = sum(line["type"] != "infant" for line in body["lines"])
        return {flight: seats for flights in self.offers[body["offer_id"]]["slices"] for flight in flights}

    def _take(self, hold: FakeHold) -> None:
        for line in hold.content["lines"]:
            for flight_id in self._flight_ids(hold):
                seated = line["type"] != "infant"
                hold.taken[line["passenger_id"], flight_id] = True
                self.flights[flight_id].free -= seated
            for seat in line["seats"]:
                self.flights[seat["flight_id"]].seats[seat["designator"]] = line["passenger_id"]

    def _free(self, hold: FakeHold, pair: tuple[str, str]) -> None:
        if not hold.taken.get(pair):
            return
        hold.taken[pair] = False
        passenger_id, flight_id = pair
        line = next(one for one in hold.content["lines"] if one["passenger_id"] == passenger_id)
        flight = self.flights[flight_id]
        flight.free += line["type"] != "infant"
        flight.seats = {seat: owner for seat, owner in flight.seats.items() if owner != passenger_id}

    def _seat(self, hold: FakeHold, line: Json, flight_id: str) -> None:
        flight = self.flights[flight_id]
        if line["passenger_id"] not in flight.seats.values():
            flight.seats[f"{flight.next_row}A"] = line["passenger_id"]
            flight.next_row += 1

    def _shown(self, hold: FakeHold) -> Json:
        if hold.tombstone:
            return {"id": hold.id, "status": "released"}
        mine = {line["passenger_id"] for line in hold.content["lines"]}
        seats = [
            {"passenger_id": owner, "flight_id": flight_id, "designator": seat}
            for flight_id in self._flight_ids(hold)
            for seat, owner in self.flights[flight_id].seats.items()
            if owner in mine and hold.taken.get((owner, flight_id))
        ]
        return {**hold.answer, "id": hold.id, "status": hold.status, "seats": seats}

    def _price(self, body: Json) -> Json | JSONResponse:
        offer = self.offers.get(body["offer_id"])
        if offer is None:
            return problem(422, "offer-invalid")
        if offer["expires_at"] <= self.clock.now():
            return problem(410, "offer-expired")
        if "changed" in offer:
            return problem(409, "offer-changed", current_offer={"id": "of_new"})
        segments = self._segments(offer)
        lines = [line for one in body["lines"] for segment in segments for line in self._lines(one, segment)]
        return {
            "offer_id": body["offer_id"],
            "expires_at": body.get("expires_at"),
            "currency": offer["currency"],
            "total_minor": sum(line["amount_minor"] for line in lines),
            "segments": segments,
            "fare_rules": offer["fare_rules"],
            "price_lines": lines,
            "seats": [],
            "notes": [],
        }

    def _lines(self, one: Json, segment: Json) -> list[Json]:
        percent = {"infant": 10, "child": 75}.get(one["type"], 100)
        common = {"passenger_id": one["passenger_id"], "flight_id": segment["flight_id"]}
        base = self.base_minor * percent // 100
        made = [
            {"kind": "base", "code": "BASE", "name": "Fare", "amount_minor": base, "refund_class": "fare"},
            {
                "kind": "tax",
                "code": "BD",
                "name": "Departure tax",
                "amount_minor": 3_717,
                "refund_class": "airport_tax",
            },
        ]
        if self.base_minor == 0:
            made = [{**line, "amount_minor": 0} for line in made]
        for extra in one["extras"]:
            if extra["flight_id"] in (None, segment["flight_id"]):
                amount = apportion(4_000 * extra["quantity"], [1])[0]
                made.append(
                    {
                        "kind": "extra",
                        "code": extra["code"],
                        "name": extra["code"],
                        "amount_minor": amount,
                        "refund_class": "extra",
                    }
                )
        return [{**common, **line} for line in made]

    def _segments(self, offer: Json) -> list[Json]:
        return [
            {
                "flight_id": flight.id,
                "slice_index": slice_index,
                "segment_index": segment_index,
                "flight_number": flight.number,
                "airline": flight.airline,
                "airline_name": "Rihla Air",
                "accounting_code": flight.accounting_code,
                "aircraft": "32N",
                "origin": flight.origin,
                "destination": flight.destination,
                "departure_at": flight.departure_at,
                "arrival_at": flight.arrival_at,
                "duration_minutes": 360,
                "terminal": "1",
                "gate": None,
                "status": "scheduled",
                "cabin": "economy",
                "fare_brand": offer["brand"],
                "fare_class": "Y",
                "international": flight.international,
                "baggage": {"checked_kg": 20, "cabin_kg": 7},
            }
            for slice_index, ids in enumerate(offer["slices"])
            for segment_index, flight in enumerate(self.flights[one] for one in ids)
        ]

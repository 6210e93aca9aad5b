"""A fresh database with flights and cabins put in directly, and offers made by hand: no catalogue is needed here."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from flight_service.catalogue.layout import AircraftLayout, read_layout
from flight_service.fares.rule_set import Brand, Extra, RefundBracket
from flight_service.fares.rules import FareLine
from flight_service.inventory import api, confirm_many, place_many
from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.express_lane import open_express_lane
from flight_service.inventory.hold import Cabin, PreparedHold, SeatRow
from flight_service.inventory.hold_seats import HoldSeats
from flight_service.inventory.problems import PROBLEMS
from flight_service.offers.extras import PricedExtra, SeatPrices
from flight_service.offers.opened_offer import OpenedOffer, OpenedSegment
from flight_service.offers.price_hold import AgeMismatch, ExtraInvalid, PartyDiffers, SeatChoiceInvalid
from flight_service.settings import Settings
from rihla.kernel import DomainError, FixedClock, new_id
from rihla.testing import running
from rihla.testing.keyring import Keyring
from rihla.web import ProblemSpec, ProblemTable, build_app

DEPARTURE = datetime(2027, 1, 15, 6, 0, tzinfo=UTC)
LAYOUT = read_layout(
    {
        "cabins": [
            {"cabin": "business", "rows": [1, 2], "letters": "AC DF", "bassinet_rows": [1]},
            {
                "cabin": "economy",
                "rows": [10, 39],
                "letters": "ABC DEF",
                "exit_rows": [20],
                "extra_legroom_rows": [10, 20],
                "blocked": ["39A"],
            },
        ]
    }
)

_FLIGHT = """
INSERT INTO flight (id, flight_number, airline, origin, destination, local_date, departure_at, arrival_at,
                    departure_offset, arrival_offset, aircraft, base_fares)
VALUES ($1, $3, 'RQ', 'DAC', 'JED', $2::timestamptz::date, $2, $2 + interval '6 hours', 360, 180, '32N',
        '{45000,0,90000,0}')
"""


@dataclass
class Inventory:
    """Puts flights into the database and reads the counters back."""

    pool: "asyncpg.Pool[Any]"
    flights: list[str] = field(default_factory=list)

    async def flight(self, seats: int, *, cabin: str = "economy", departure_at: datetime = DEPARTURE) -> str:
        """A flight with one cabin of `seats` seats."""
        flight_id = new_id()
        async with self.pool.acquire() as connection, connection.transaction():
            # The catalogue's foreign keys are not the matter here.
            await connection.execute("SET LOCAL session_replication_role = replica")
            await connection.execute(_FLIGHT, flight_id, departure_at, f"RQ{100 + len(self.flights)}")
            await connection.execute(
                "INSERT INTO cabin_inventory (flight_id, cabin, capacity, free_seats) VALUES ($1, $2, $3, $3)",
                flight_id,
                cabin,
                seats,
            )
        self.flights.append(str(flight_id))
        return str(flight_id)

    async def counters(self, flight_id: str, cabin: str = "economy") -> tuple[int, int, int]:
        """(free, held, sold)."""
        row = await self.pool.fetchrow(
            "SELECT free_seats, held_seats, sold_seats FROM cabin_inventory WHERE flight_id = $1 AND cabin = $2",
            flight_id,
            cabin,
        )
        assert row is not None
        return tuple(row)

    async def drift(self) -> list[Any]:
        """Cabins whose counters differ from their seats."""
        return list(await self.pool.fetch("SELECT * FROM inventory_drift"))

    async def owners(self, flight_id: str) -> list[str]:
        """Designators with a live owner."""
        rows = await self.pool.fetch(
            "SELECT designator FROM hold_seat "
            "WHERE flight_id = $1 AND state IN ('held', 'sold') AND designator IS NOT NULL",
            flight_id,
        )
        return sorted(row[0] for row in rows)


MakeHold = Callable[..., PreparedHold]


@pytest.fixture
def make_hold(clock: FixedClock) -> MakeHold:
    """A prepared hold of `seats` adults on each of `flights` (or with the designators given, one adult each)."""

    def make(
        *flights: str,
        seats: int = 1,
        designators: Sequence[str | None] = (),
        id_: UUID | None = None,
        minutes: float = 15,
        offer_version: int = 1,
        content: bytes = b"content",
        flash: Sequence[tuple[UUID, int]] = (),
    ) -> PreparedHold:
        people = [new_id() for _ in (designators or range(seats))]
        named = list(designators) or [None] * len(people)
        rows = tuple(
            SeatRow(person, flight, "economy", designator, None, False, False)
            for flight in flights
            for person, designator in zip(people, named, strict=True)
        )
        takes: tuple[tuple[Cabin, int], ...] = tuple(((flight, "economy"), len(people)) for flight in sorted(flights))
        return PreparedHold(
            id=id_ or new_id(),
            fingerprint=content.ljust(16, b"."),
            offer_id="offer",
            expires_at=clock.now() + timedelta(minutes=minutes),
            currency="USD",
            total_minor=45_000 * len(people) * len(flights),
            priced=json.dumps(
                {
                    "offer_id": "offer",
                    "currency": "USD",
                    "total_minor": 0,
                    "segments": [],
                    "fare_rules": None,
                    "price_lines": [],
                }
            ),
            flights=tuple((flight, offer_version) for flight in flights),
            takes=takes,
            rows=rows,
            flash_uses=tuple(flash),
        )

    return make


@pytest_asyncio.fixture
async def pool(database_for: Callable[[str], Awaitable[str]]) -> AsyncIterator["asyncpg.Pool[Any]"]:
    async with asyncpg.create_pool(await database_for("flight-service"), min_size=1, max_size=12) as opened:
        yield opened


@pytest.fixture
def inventory(pool: "asyncpg.Pool[Any]") -> Inventory:
    return Inventory(pool)


class OneAircraft:
    """A fleet of one type."""

    def layout(self, aircraft: str) -> AircraftLayout:
        return LAYOUT


BRAND = Brand(
    "standard",
    10_000,
    True,
    True,
    5_000,
    "paid",
    10_000,
    MappingProxyType({"economy": 20, "business": 30}),
    MappingProxyType({"economy": 7, "business": 14}),
    MappingProxyType({"economy": "Y", "business": "J"}),
    (RefundBracket(168, 10), RefundBracket(0, 100)),
)


def _fare(base: int) -> tuple[FareLine, ...]:
    return (
        FareLine("base", "BASE", "Fare", base, "fare"),
        FareLine("tax", "BD", "Departure tax", 2_500, "airport_tax"),
    )


FARES = MappingProxyType(
    {
        "adult": _fare(45_000),
        "senior": _fare(40_000),
        "student": _fare(40_000),
        "child": _fare(33_750),
        "infant": (FareLine("base", "BASE", "Fare", 4_500, "fare"),),
    }
)


@dataclass
class HandMadeOffers:
    """Offers by id, made by a test. `opened` counts how often one was opened."""

    clock: FixedClock
    offers: dict[str, OpenedOffer] = field(default_factory=dict)
    opened: int = 0
    token: object = None
    rules_version: int = 0

    def make(self, *flights: str, minutes: int = 20, slices: Sequence[int] = (), **party: int) -> str:
        """An offer of these flights for a party (one adult when not said)."""
        offer_id = f"offer-{len(self.offers)}"
        segments = tuple(
            self._segment(flight, index, slices[index] if slices else 0) for index, flight in enumerate(flights)
        )
        self.offers[offer_id] = OpenedOffer(
            offer_id=offer_id,
            issued_at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(minutes=minutes),
            currency="USD",
            cabin="economy",
            brand=BRAND,
            change_fee_minor=5_000,
            party=MappingProxyType(party or {"adult": 1}),
            segments=segments,
            test_mode=False,
        )
        return offer_id

    def _segment(self, flight: str, index: int, slice_index: int) -> OpenedSegment:
        departure = (DEPARTURE + timedelta(hours=8 * index)).astimezone(timezone(timedelta(hours=6)))
        return OpenedSegment(
            flight_id=UUID(flight),
            offer_version=1,
            slice_index=slice_index,
            segment_index=index,
            flight_number=f"RQ{100 + index}",
            airline="RQ",
            airline_name="Rihla Air",
            accounting_code="901",
            aircraft="32N",
            origin="DAC",
            destination="JED",
            departure_at=departure,
            arrival_at=departure + timedelta(hours=6),
            duration_minutes=360,
            terminal=None,
            gate=None,
            status="scheduled",
            cabin="economy",
            fare_brand="standard",
            fare_class="Y",
            international=True,
            checked_kg=20,
            cabin_kg=7,
            layout=LAYOUT.cabins["economy"],
            fares=FARES,
            seats=SeatPrices("paid", 1_000, 1_500, 2_000, 2_500),
            extras=MappingProxyType(
                {"bag-20": PricedExtra(Extra("bag-20", "20 kg bag", "bag", 3_000, False, 3, 20), 3_000)}
            ),
            max_extra_kg=60,
        )

    async def open(self, offer_id: str) -> OpenedOffer:
        self.opened += 1
        offer = self.offers[offer_id]
        if offer.expires_at <= self.clock.now():
            raise OfferOver("The offer has expired; search again.")
        return offer

    async def current(self, offer_id: str) -> dict[str, Any] | None:
        return {"id": f"{offer_id}-now"}

    def segments_of(self, documents: Sequence[Any], currency: str) -> tuple[OpenedSegment, ...]:
        return tuple(self._segment(entry["flight_id"], index, 0) for index, entry in enumerate(documents))


class OfferOver(DomainError):
    """The offer has expired."""


@pytest.fixture
def offers(clock: FixedClock) -> HandMadeOffers:
    return HandMadeOffers(clock)


@dataclass
class Client:
    """booking-service, as seen from here."""

    http: httpx.AsyncClient
    clock: FixedClock

    def line(self, kind: str = "adult", born: str = "1988-04-01", **more: Any) -> dict[str, Any]:
        """One traveller of a request."""
        return {"passenger_id": str(new_id()), "type": kind, "date_of_birth": born, **more}

    def body(self, offer_id: str, *lines: dict[str, Any], minutes: float = 15) -> dict[str, Any]:
        """A request for these travellers, or for one adult."""
        ends = (self.clock.now() + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
        return {"offer_id": offer_id, "expires_at": ends, "lines": list(lines) or [self.line()]}

    async def put(self, offer_id: str, *lines: dict[str, Any], id_: UUID | None = None, **more: Any) -> httpx.Response:
        """PUT a new hold."""
        return await self.http.put(f"/internal/v1/holds/{id_ or new_id()}", json=self.body(offer_id, *lines, **more))

    async def post(self, hold_id: str | UUID, deed: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """POST to one of a hold's deeds."""
        return await self.http.post(f"/internal/v1/holds/{hold_id}/{deed}", json=body or {})


_OFFER_PROBLEMS: dict[type[DomainError], ProblemSpec] = {
    OfferOver: ProblemSpec(410, "offer-expired", "The offer has expired"),
    **{
        kind: ProblemSpec(422, "validation-failed", "The request is not valid")
        for kind in (PartyDiffers, AgeMismatch, SeatChoiceInvalid, ExtraInvalid)
    },
}


@pytest_asyncio.fixture
async def writers(pool: "asyncpg.Pool[Any]", clock: FixedClock) -> AsyncIterator[list[HoldSeats]]:
    """Four writers: what four processes are to one database."""
    made = [HoldSeats(pool, clock) for _ in range(4)]
    yield made
    for writer in made:
        await writer.close()


def booking_app(pool: "asyncpg.Pool[Any]", clock: FixedClock, offers: "HandMadeOffers", keyring: Keyring) -> FastAPI:
    """The routes of holds, without the express lane in front of them."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[SimpleNamespace]:
        desk = HoldDesk(pool, clock, offers, OneAircraft())
        yield SimpleNamespace(desk=desk)
        await desk.close()

    return build_app(
        Settings(**keyring.settings("flight")),
        title="flight",
        open_container=opened,
        routers=[api.router, place_many.router, confirm_many.router],
        problems=ProblemTable({**PROBLEMS, **_OFFER_PROBLEMS}),
    )


@pytest_asyncio.fixture
async def client(
    pool: "asyncpg.Pool[Any]", clock: FixedClock, offers: HandMadeOffers, keyring: Keyring
) -> AsyncIterator[Client]:
    """The routes of holds in process, called by booking-service."""
    app = booking_app(pool, clock, offers, keyring)
    open_express_lane(app)
    async with running(app, token=keyring.token(audience="flight", issuer="booking")) as http:
        yield Client(http, clock)


@pytest.fixture
def express_lane_closed(
    pool: "asyncpg.Pool[Any]", clock: FixedClock, offers: HandMadeOffers, keyring: Keyring
) -> Callable[[], FastAPI]:
    """The application without the express lane: every request takes the documented route."""
    return lambda: booking_app(pool, clock, offers, keyring)


@pytest.fixture
def inventory_type() -> type[Inventory]:
    """For tests that bring their own pool."""
    return Inventory


@pytest.fixture
def fleet() -> OneAircraft:
    return OneAircraft()

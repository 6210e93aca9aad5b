"""The deed behind GET /v1/flights/{id}/seat-map: every seat with its live state and the price of choosing it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from flight_service.catalogue.layout import AircraftLayout, CabinLayout, Seat
from flight_service.errors import FlightNotFound
from flight_service.fares.rule_set import BrandName
from flight_service.inventory.store import read_taken
from flight_service.offers.extras import SeatPrices, seat_prices
from flight_service.offers.open_offer import OfferDesk
from rihla.kernel import Clock
from rihla.kernel.money import format_minor

_READ_FLIGHT = """
SELECT f.aircraft, f.origin, f.destination, a.test_only FROM flight f JOIN airline a ON a.iata = f.airline
WHERE f.id = $1
"""


async def show_seat_map(
    pool: "asyncpg.Pool[Any]",
    clock: Clock,
    offers: OfferDesk,
    flight_id: UUID,
    *,
    currency: str,
    brand: BrandName,
    test_mode: bool,
) -> bytes:
    """The seat map as JSON. Test keys see the test airline only, everybody else everything but it.

    Raises FlightNotFound, and CurrencyUnknown for a currency without a rate.
    """
    async with pool.acquire() as connection:
        flight = await connection.fetchrow(_READ_FLIGHT, flight_id)
        if flight is None or flight["test_only"] != test_mode:
            raise FlightNotFound("There is no such flight.")
        taken = await read_taken(connection, [str(flight_id)], clock.now())
    reference = offers.pricer.reference
    layout = reference.layouts[flight["aircraft"]]
    rules, distance = reference.rules, offers.pricer.route(flight["origin"], flight["destination"]).distance_km
    prices: dict[str, SeatPrices] = {
        name: seat_prices(rules, reference.rates, currency, rules.brands[brand], name, distance)
        for name in layout.cabins
    }
    document = seat_map_document(layout, taken.get(str(flight_id), {}), prices, currency)
    return msgspec.json.encode({"flight_id": flight_id, "aircraft": flight["aircraft"], **document})


def seat_map_document(
    layout: AircraftLayout, taken: Mapping[str, str], prices: Mapping[str, SeatPrices], currency: str
) -> dict[str, Any]:
    """The cabins, with `taken` saying held, sold or stale (held by nobody any more: free for whoever asks first)."""
    return {"cabins": [_cabin(cabin, taken, prices[name], currency) for name, cabin in layout.cabins.items()]}


def _cabin(cabin: CabinLayout, taken: Mapping[str, str], prices: SeatPrices, currency: str) -> dict[str, Any]:
    rows: dict[int, list[dict[str, Any]]] = {number: [] for number in cabin.rows}
    for seat in cabin.seats.values():
        rows[seat.row].append(_seat(seat, taken.get(seat.designator, "free"), prices, currency))
    return {
        "cabin": cabin.cabin,
        "letters": cabin.letters,
        "rows": [
            {"number": number, "exit_row": number in cabin.exit_rows, "seats": seats} for number, seats in rows.items()
        ],
    }


def _seat(seat: Seat, state: str, prices: SeatPrices, currency: str) -> dict[str, Any]:
    state = "blocked" if seat.blocked else "free" if state == "stale" else state
    choosable = state != "blocked" and prices.choice != "none"
    return {
        "designator": seat.designator,
        "position": seat.position,
        "features": sorted(seat.features),
        "state": state,
        "price": {"amount": format_minor(prices.of(seat), currency), "currency": currency} if choosable else None,
    }

"""The few questions and commands booking-service has for flight-service (docs/contracts.md)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import httpx
import msgspec

from booking_service.bookings.errors import ExtrasNotOffered
from booking_service.bookings.flight_refusals import refusal
from booking_service.bookings.hold import Hold, HoldQuote
from booking_service.bookings.hold_batches import hold_batches
from rihla.http import ServiceClient

_holds = msgspec.json.Decoder(Hold)
_quotes = msgspec.json.Decoder(HoldQuote)


class _BoardFlight(msgspec.Struct):
    departure_at: datetime
    status: str


class _Board(msgspec.Struct):
    items: list[_BoardFlight]


class _OfferSegment(msgspec.Struct):
    departure_at: datetime


class _OfferSlice(msgspec.Struct):
    segments: list[_OfferSegment]


class _Offer(msgspec.Struct):
    id: str
    slices: list[_OfferSlice]


class _Offers(msgspec.Struct):
    items: list[_Offer]


_boards = msgspec.json.Decoder(_Board)
_offers = msgspec.json.Decoder(_Offers)

Item = tuple[UUID, UUID]
"""(passenger id, flight id)"""


class FlightClient:
    """Every call is idempotent by the hold's id and is tried again within its deadline.

    Raises UpstreamUnavailable when no answer came (whether flight-service acted is then unknown) and the domain words
    of
    `bookings/errors.py` for what it refused.
    """

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self._placements = hold_batches(client, "placements", self._put_alone)
        self._confirmations = hold_batches(client, "confirmations", self._confirm_alone)

    async def put_hold(self, hold_id: UUID, offer_id: str, expires_at: datetime, lines: list[dict[str, Any]]) -> Hold:
        """Hold seats for all lines on every segment, or nothing. The same id and content give the same answer."""
        hold = {"offer_id": offer_id, "expires_at": expires_at, "lines": lines}
        return await self._placements.ask((hold_id, {"hold": hold}))

    async def _put_alone(self, hold_id: UUID, body: dict[str, Any]) -> Hold:
        return _holds.decode((await self._call("PUT", f"/holds/{hold_id}", body["hold"])).content)

    async def quote(self, offer_id: str, lines: list[dict[str, Any]]) -> Hold:
        """What holding these lines would cost; holds nothing."""
        answer = await self._call("POST", "/hold-quotes", {"offer_id": offer_id, "lines": lines})
        return _holds.decode(answer.content)

    async def read(self, hold_id: UUID) -> Hold:
        """The hold as it stands."""
        return _holds.decode(_accepted(await self._client.request("GET", f"/internal/v1/holds/{hold_id}")).content)

    async def confirm(self, hold_id: UUID) -> Hold:
        """Sell what is held and give seats to those who chose none. HoldLost when others took it after it expired."""
        return await self._confirmations.ask((hold_id, {}))

    async def _confirm_alone(self, hold_id: UUID, body: dict[str, Any]) -> Hold:
        return _holds.decode((await self._call("POST", f"/holds/{hold_id}/confirm", body)).content)

    async def release(self, hold_id: UUID, items: Sequence[Item] | None = None) -> None:
        """Free everything, or these (passenger, flight) pairs. An unknown hold becomes a tombstone."""
        body = {"items": None if items is None else _items(items)}
        await self._call("POST", f"/holds/{hold_id}/release", body)

    async def reinstate(self, hold_id: UUID, expires_at: datetime) -> Hold:
        """Hold again after expiry, at the locked price. NotEnoughSeats or HoldLost when that cannot be."""
        answer = await self._call("POST", f"/holds/{hold_id}/reinstate", {"expires_at": expires_at})
        return _holds.decode(answer.content)

    async def assign_seats(self, hold_id: UUID, items: Sequence[tuple[UUID, UUID, str | None]]) -> Hold:
        """Give a seat to those of (passenger, flight, preference) who have none."""
        body = {"items": [{"passenger_id": p, "flight_id": f, "preference": wish} for p, f, wish in items]}
        return _holds.decode((await self._call("POST", f"/holds/{hold_id}/seats/assign", body)).content)

    async def move_seats(self, hold_id: UUID, items: Sequence[tuple[UUID, UUID, str]]) -> Hold:
        """Move (passenger, flight) to a seat, all or nothing. SeatTaken when one is not free."""
        body = {"items": [{"passenger_id": p, "flight_id": f, "designator": seat} for p, f, seat in items]}
        return _holds.decode((await self._call("PUT", f"/holds/{hold_id}/seats", body)).content)

    async def extras_quote(self, hold_id: UUID, lines: list[dict[str, Any]]) -> HoldQuote:
        """What extras for passengers of a sold hold cost now. ExtrasNotOffered when flight-service does not sell
        them.
        """
        answer = await self._request("POST", f"/holds/{hold_id}/extras-quotes", {"lines": lines})
        if answer.status_code in {404, 405}:
            raise ExtrasNotOffered("Extras cannot be bought for this booking now.")
        return _quotes.decode(_accepted(answer).content)

    async def search_direct(
        self, origin: str, destination: str, day: date, cabin: str, currency: str
    ) -> list[tuple[str, datetime]]:
        """Offers for one adult on the direct flights of a local day that have seats: (offer id, local departure).

        InvalidRequest for places or a currency nobody knows.
        """
        asked = {"origin": origin, "destination": destination, "departure_date": day.isoformat(), "cabin": cabin}
        rest = {"currency": currency, "max_stops": 0, "adults": 1, "sort": "departure", "limit": 100}
        answer = _accepted(await self._client.request("GET", "/v1/flight-offers", params={**asked, **rest}))
        return [(one.id, one.slices[0].segments[0].departure_at) for one in _offers.decode(answer.content).items]

    async def board(self, origin: str, destination: str, day: date) -> list[tuple[datetime, str]]:
        """Every flight of a local day, sold out, departed and cancelled ones too: (local departure, status)."""
        asked = {"origin": origin, "destination": destination, "date": day.isoformat(), "limit": 100}
        answer = _accepted(await self._client.request("GET", "/v1/flights", params=asked))
        return [(one.departure_at, one.status) for one in _boards.decode(answer.content).items]

    async def _call(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return _accepted(await self._request(method, path, body))

    async def _request(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self._client.request(
            method, f"/internal/v1{path}", content=msgspec.json.encode(body), idempotent=True
        )

    async def close(self) -> None:
        await self._placements.close()
        await self._confirmations.close()
        await self._client.close()


def _items(items: Sequence[Item]) -> list[dict[str, UUID]]:
    return [{"passenger_id": passenger_id, "flight_id": flight_id} for passenger_id, flight_id in items]


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    raise refusal(answer.status_code, _document(answer))


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}

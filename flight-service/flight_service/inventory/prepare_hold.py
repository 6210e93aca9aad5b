"""From a request to a hold ready for the inventory: checks that need no database, the price, and the answer's fixed
part.

Pure but for the cache of opened offers: opening one costs more than everything here, and buyers of one offer come
together.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec

from flight_service.inventory.hold import Cabin, HoldContent, HoldLine, PreparedHold, SeatRow, fingerprint
from flight_service.offers.opened_offer import OpenedOffer, OpenedSegment
from flight_service.offers.price_hold import CHILD_UNDER, PricedHold, age_on, price_hold
from rihla.web.problems import ValidationFailed

LARGEST_PARTY = 10
_KEPT = timedelta(seconds=20)
_MOST_KEPT = 4_000


class Offers(Protocol):
    """What the inventory asks of the offers capability."""

    @property
    def token(self) -> object:
        """Another object after every change of fare rules or reference data this process has heard of."""
        ...

    async def open(self, offer_id: str) -> OpenedOffer:
        """Verify and open an offer. Raises its own domain errors when it is forged, expired or changed."""
        ...

    async def current(self, offer_id: str) -> dict[str, Any] | None:
        """The same flights for the same party as they are sold now."""
        ...

    def segments_of(self, documents: Sequence[Mapping[str, Any]], currency: str) -> tuple[OpenedSegment, ...]:
        """Segments of a stored hold with present prices of seats and extras."""
        ...


@dataclass(frozen=True, slots=True)
class ReadyOffer:
    """An opened offer with the parts of each answer that do not depend on the passengers, encoded once."""

    opened: OpenedOffer
    flights: tuple[tuple[str, int], ...]
    head: str
    """`{"offer_id": ..., "segments": ..., "fare_rules": ...` without the end."""

    @classmethod
    def of(cls, opened: OpenedOffer) -> "ReadyOffer":
        """Encode what is fixed."""
        fixed = {
            "offer_id": opened.offer_id,
            "currency": opened.currency,
            "segments": [segment.segment_document() for segment in opened.segments],
            "fare_rules": opened.fare_rules_document(),
        }
        flights = tuple((str(segment.flight_id), segment.offer_version) for segment in opened.segments)
        return cls(opened, flights, msgspec.json.encode(fixed)[:-1].decode())

    def priced(self, price: PricedHold) -> str:
        """The answer's fixed part, complete: what is stored with the hold."""
        lines = msgspec.json.encode(price.lines).decode()
        return f'{self.head},"total_minor":{price.total_minor},"price_lines":{lines}}}'


class OfferShelf:
    """Opened offers, kept for a few seconds: what may move meanwhile (price, schedule, status) is checked by the hold
    in SQL.
    """

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        self._kept: OrderedDict[str, tuple[datetime, ReadyOffer]] = OrderedDict()
        self._token: object = None
        self._opening: dict[str, asyncio.Future[OpenedOffer]] = {}

    async def open(self, offer_id: str, now: datetime) -> ReadyOffer:
        """The opened offer, from the shelf when it was opened a moment ago."""
        if self._offers.token is not self._token:
            self._kept.clear()
            self._token = self._offers.token
        kept = self._kept.get(offer_id)
        if kept is not None and now < kept[0]:
            return kept[1]
        opening = self._opening.get(offer_id)
        if opening is None:
            # When a sale opens, thousands ask for one offer at once: it is opened once.
            opening = self._opening[offer_id] = asyncio.ensure_future(self._offers.open(offer_id))
            opening.add_done_callback(lambda _: self._opening.pop(offer_id, None))
        ready = ReadyOffer.of(await asyncio.shield(opening))
        self._kept[offer_id] = (min(now + _KEPT, ready.opened.expires_at), ready)
        self._kept.move_to_end(offer_id)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return ready

    def forget(self, offer_id: str) -> None:
        """Drop an offer that turned out to have changed."""
        self._kept.pop(offer_id, None)


def prepare_hold(hold_id: UUID, content: HoldContent, ready: ReadyOffer, now: datetime) -> PreparedHold:
    """Check and price a request. Raises ValidationFailed and the errors of `price_hold`, with pointers into the
    request.
    """
    if content.expires_at.tzinfo is None or content.expires_at <= now:
        raise _invalid("#/expires_at", "in-the-past", "A hold must end in the future.")
    opened = ready.opened
    priced = check_and_price(content.lines, opened)
    needed = {str(flight_id): seats for flight_id, seats in priced.seats_needed.items()}
    takes: dict[Cabin, int] = {
        (str(segment.flight_id), segment.cabin): needed[str(segment.flight_id)] for segment in opened.segments
    }
    return PreparedHold(
        id=hold_id,
        fingerprint=fingerprint(content),
        offer_id=content.offer_id,
        expires_at=content.expires_at.astimezone(UTC),
        currency=opened.currency,
        total_minor=priced.total_minor,
        priced=ready.priced(priced),
        flights=ready.flights,
        takes=tuple(takes.items()),
        rows=tuple(_rows(content.lines, opened, priced)),
        flash_uses=tuple((sale, needed[str(flight)]) for flight, sale in opened.flash_sales),
        rules_version=opened.rules_version,
    )


def check_and_price(lines: Sequence[HoldLine], opened: OpenedOffer) -> PricedHold:
    """The price of these passengers on this offer, with the rules about who may sit where."""
    if not 1 <= len(lines) <= LARGEST_PARTY:
        raise _invalid("#/lines", "party-size", f"A booking has from 1 to {LARGEST_PARTY} passengers.")
    priced = price_hold(opened, lines)
    if any(line.seats for line in lines):
        _check_seats(lines, opened, priced)
    return priced


def _check_seats(lines: Sequence[HoldLine], opened: OpenedOffer, priced: PricedHold) -> None:
    segments = {segment.flight_id: segment for segment in opened.segments}
    chosen: set[tuple[UUID, str]] = set()
    laps = {flight_id: _laps(lines, segment, priced) for flight_id, segment in segments.items()}
    for index, line in enumerate(lines):
        for number, seat in enumerate(line.seats):
            pointer = f"#/lines/{index}/seats/{number}/designator"
            if (seat.flight_id, seat.designator) in chosen:
                raise _invalid(pointer, "seat-chosen-twice", f"Seat {seat.designator} is chosen for two passengers.")
            chosen.add((seat.flight_id, seat.designator))
            segment = segments[seat.flight_id]
            in_exit_row = "exit_row" in segment.layout.seats[seat.designator].features
            if in_exit_row and (_under_12(line, segment) or line.passenger_id in laps[seat.flight_id]):
                raise _invalid(
                    pointer, "exit-row", "Children, and adults with an infant on the lap, cannot sit in an exit row."
                )


def _rows(lines: Sequence[HoldLine], opened: OpenedOffer, priced: PricedHold) -> list[SeatRow]:
    rows = []
    for segment in opened.segments:
        flight_id = str(segment.flight_id)
        laps = _laps(lines, segment, priced)
        for line in lines:
            if priced.types[line.passenger_id, segment.slice_index] == "infant":
                continue
            designator = next((s.designator for s in line.seats if s.flight_id == segment.flight_id), None)
            rows.append(
                SeatRow(
                    line.passenger_id,
                    flight_id,
                    segment.cabin,
                    designator,
                    line.seat_preference,
                    _under_12(line, segment),
                    line.passenger_id in laps,
                )
            )
    return rows


def _under_12(line: HoldLine, segment: OpenedSegment) -> bool:
    return age_on(line.date_of_birth, segment.departure_at.date()) < CHILD_UNDER


def _laps(lines: Sequence[HoldLine], segment: OpenedSegment, priced: PricedHold) -> set[UUID]:
    """The adults who carry an infant: one each, in the order of the request."""
    types = [(line, priced.types[line.passenger_id, segment.slice_index]) for line in lines]
    infants = sum(kind == "infant" for _, kind in types)
    if not infants:
        return set()
    adults = [line.passenger_id for line, kind in types if kind != "infant" and not _under_12(line, segment)]
    return set(adults[:infants])


def _invalid(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed({"pointer": pointer, "code": code, "message": message})

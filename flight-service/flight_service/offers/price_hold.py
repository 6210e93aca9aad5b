"""Price a hold from an opened offer: every line belongs to one passenger and one segment. Pure, no I/O."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from flight_service.fares.rule_set import PassengerType
from flight_service.fares.rules import LineKind, RefundClass
from flight_service.offers.opened_offer import OpenedOffer, OpenedSegment
from rihla.kernel import DomainError

INFANT_UNDER = 2
CHILD_UNDER = 12


class HoldInvalid(DomainError):
    """What is asked does not fit the offer. `errors` in the data say where, as every 422 does."""

    def __init__(self, detail: str, *, pointer: str) -> None:
        code = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(self).__name__).lower()
        super().__init__(detail, errors=[{"pointer": f"#{pointer}", "code": code, "message": detail}])


class PartyDiffers(HoldInvalid):
    """The passengers are not those the offer was made for."""


class AgeMismatch(HoldInvalid):
    """A passenger's age on the day of travel does not fit the declared type."""


class SeatChoiceInvalid(HoldInvalid):
    """A chosen seat does not exist, cannot be sold, or cannot be chosen with this fare."""


class ExtraInvalid(HoldInvalid):
    """An extra is unknown, or more of it is asked than may be sold."""


class ChosenSeat(Protocol):
    @property
    def flight_id(self) -> UUID: ...
    @property
    def designator(self) -> str: ...


class ChosenExtra(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def flight_id(self) -> UUID | None: ...
    @property
    def quantity(self) -> int: ...


class Line(Protocol):
    """One passenger of a hold request."""

    @property
    def passenger_id(self) -> UUID: ...
    @property
    def type(self) -> PassengerType: ...
    @property
    def date_of_birth(self) -> date: ...
    @property
    def seats(self) -> Sequence[ChosenSeat]: ...
    @property
    def extras(self) -> Sequence[ChosenExtra]: ...


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of the hold's price, minor units of the offer's currency."""

    passenger_id: UUID
    flight_id: UUID
    kind: LineKind
    code: str
    name: str
    amount_minor: int
    refund_class: RefundClass

    def document(self) -> dict[str, str | int]:
        """An entry of a hold's `price_lines` (docs/contracts.md)."""
        return {
            "passenger_id": str(self.passenger_id),
            "flight_id": str(self.flight_id),
            "kind": self.kind,
            "code": self.code,
            "name": self.name,
            "amount_minor": self.amount_minor,
            "refund_class": self.refund_class,
        }


@dataclass(frozen=True, slots=True)
class PricedHold:
    """The price, and who takes a seat where. `types` is the type by age on the day of each slice."""

    lines: tuple[PriceLine, ...]
    total_minor: int
    types: Mapping[tuple[UUID, int], PassengerType]
    seats_needed: Mapping[UUID, int]


def price_additions(segments: Sequence[OpenedSegment], passengers: Sequence[Line]) -> tuple[PriceLine, ...]:
    """Seats and extras bought later, at the segments' present prices. Raises SeatChoiceInvalid or ExtraInvalid.

    The declared type decides who may take a seat.
    """
    lines: list[PriceLine] = []
    for position, line in enumerate(passengers):
        _check_flights(segments, line, position)
        for segment in segments:
            lines += _seat_lines(segment, line, line.type, position)
            lines += _extra_lines(segment, line, position)
    return tuple(lines)


def price_hold(offer: OpenedOffer, passengers: Sequence[Line]) -> PricedHold:
    """Price `passengers` on `offer`.

    Raises PartyDiffers, AgeMismatch, SeatChoiceInvalid or ExtraInvalid, each with a `pointer` into the request.
    """
    _check_party(offer, passengers)
    types = {
        (line.passenger_id, index): type_on_day(
            line, segments[0].departure_at.date(), first=index == 0, position=position
        )
        for position, line in enumerate(passengers)
        for index, segments in enumerate(offer.slices)
    }
    lines: list[PriceLine] = []
    for position, line in enumerate(passengers):
        _check_flights(offer.segments, line, position)
        for segment in offer.segments:
            kind = types[line.passenger_id, segment.slice_index]
            lines += _fare_lines(segment, line, kind)
            lines += _seat_lines(segment, line, kind, position)
            lines += _extra_lines(segment, line, position)
    needed = {
        segment.flight_id: sum(types[line.passenger_id, segment.slice_index] != "infant" for line in passengers)
        for segment in offer.segments
    }
    return PricedHold(tuple(lines), sum(line.amount_minor for line in lines), types, needed)


def age_on(date_of_birth: date, day: date) -> int:
    """Whole years on `day`. Someone born on 29 February has the birthday on 1 March in other years."""
    return day.year - date_of_birth.year - ((day.month, day.day) < (date_of_birth.month, date_of_birth.day))


def type_on_day(line: Line, day: date, *, first: bool, position: int) -> PassengerType:
    """The passenger's type on a slice's local departure day. On the first slice it must be the declared one."""
    age = age_on(line.date_of_birth, day)
    pointer = f"/lines/{position}/date_of_birth"
    if age < 0:
        raise AgeMismatch("A passenger must have been born by the day of travel.", pointer=pointer)
    by_age: PassengerType = "infant" if age < INFANT_UNDER else "child" if age < CHILD_UNDER else "adult"
    # An adult's, senior's or student's fare is never lower than the age's own, so being young needs no refusal of it
    # except for a lap: an infant's own seat is sold as a child's.
    if line.type == "child" and by_age == "infant":
        return "child"
    if line.type in ("adult", "senior", "student"):
        if first and by_age != "adult":
            raise AgeMismatch(
                f"A passenger of type {line.type} must be at least {CHILD_UNDER} on {day}.", pointer=pointer
            )
        return line.type
    if first and by_age != line.type:
        limit = INFANT_UNDER if line.type == "infant" else CHILD_UNDER
        raise AgeMismatch(f"A passenger of type {line.type} must be younger than {limit} on {day}.", pointer=pointer)
    return by_age


def _check_party(offer: OpenedOffer, passengers: Sequence[Line]) -> None:
    asked = Counter(line.type for line in passengers)
    offered = Counter({kind: count for kind, count in offer.party.items() if count})
    if asked != offered:
        wanted = ", ".join(f"{count} {kind}" for kind, count in offered.items())
        raise PartyDiffers(f"The offer is for {wanted}; search again for another party.", pointer="/lines")
    if len({line.passenger_id for line in passengers}) != len(passengers):
        raise PartyDiffers("Two passengers have the same id.", pointer="/lines")


def _check_flights(segments: Sequence[OpenedSegment], line: Line, position: int) -> None:
    flights = {segment.flight_id for segment in segments}
    for index, seat in enumerate(line.seats):
        if seat.flight_id not in flights:
            pointer = f"/lines/{position}/seats/{index}/flight_id"
            raise SeatChoiceInvalid("The seat is on a flight this offer does not contain.", pointer=pointer)
    if len({seat.flight_id for seat in line.seats}) != len(line.seats):
        raise SeatChoiceInvalid("A passenger chooses one seat on a flight.", pointer=f"/lines/{position}/seats")
    for index, extra in enumerate(line.extras):
        if extra.flight_id is not None and extra.flight_id not in flights:
            pointer = f"/lines/{position}/extras/{index}/flight_id"
            raise ExtraInvalid("The extra is for a flight this offer does not contain.", pointer=pointer)


def _fare_lines(segment: OpenedSegment, line: Line, kind: PassengerType) -> list[PriceLine]:
    return [
        PriceLine(line.passenger_id, segment.flight_id, f.kind, f.code, f.name, f.amount_minor, f.refund_class)
        for f in segment.fares[kind]
    ]


def _seat_lines(segment: OpenedSegment, line: Line, kind: PassengerType, position: int) -> list[PriceLine]:
    lines = []
    for index, chosen in enumerate(line.seats):
        if chosen.flight_id != segment.flight_id:
            continue
        pointer = f"/lines/{position}/seats/{index}/designator"
        seat = segment.layout.seats.get(chosen.designator)
        if seat is None or seat.blocked:
            raise SeatChoiceInvalid(
                f"{segment.flight_number} has no seat {chosen.designator} for sale in {segment.cabin}.",
                pointer=pointer,
            )
        if kind == "infant":
            raise SeatChoiceInvalid("An infant travels on a lap and takes no seat.", pointer=pointer)
        if segment.seats.choice == "none":
            raise SeatChoiceInvalid("This fare gives seats; they cannot be chosen.", pointer=pointer)
        amount = segment.seats.of(seat)
        if amount:
            name = f"Seat {seat.designator}"
            lines.append(PriceLine(line.passenger_id, segment.flight_id, "seat", "SEAT", name, amount, "extra"))
    return lines


def _extra_lines(segment: OpenedSegment, line: Line, position: int) -> list[PriceLine]:
    lines: list[PriceLine] = []
    asked: Counter[str] = Counter()
    kilograms = 0
    for index, chosen in enumerate(line.extras):
        if chosen.flight_id not in (None, segment.flight_id):
            continue
        pointer = f"/lines/{position}/extras/{index}"
        priced = segment.extras.get(chosen.code)
        if priced is None:
            codes = ", ".join(sorted(segment.extras))
            raise ExtraInvalid(f"There is no extra {chosen.code}; there are {codes}.", pointer=f"{pointer}/code")
        asked[chosen.code] += chosen.quantity
        kilograms += priced.extra.kg * chosen.quantity
        if chosen.quantity < 1 or asked[chosen.code] > priced.extra.max_quantity:
            raise ExtraInvalid(
                f"{priced.extra.name}: from 1 to {priced.extra.max_quantity} for a passenger on a flight.",
                pointer=f"{pointer}/quantity",
            )
        if kilograms > segment.max_extra_kg:
            raise ExtraInvalid(
                f"At most {segment.max_extra_kg} kg of extra baggage for a passenger on a flight.",
                pointer=f"{pointer}/quantity",
            )
        amount = priced.amount_minor * chosen.quantity
        name = priced.extra.name if chosen.quantity == 1 else f"{priced.extra.name} x {chosen.quantity}"
        lines.append(PriceLine(line.passenger_id, segment.flight_id, "extra", chosen.code, name, amount, "extra"))
    return lines

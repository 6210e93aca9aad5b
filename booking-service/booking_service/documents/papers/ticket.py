"""What an e-ticket prints. Times are the airports' own, already worded; amounts are decimal strings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TicketPassenger:
    """`name` as the traveller writes it, `latin` as the airline keys it (`RAHMAN/AMINA MS`)."""

    name: str
    latin: str
    kind: str
    e_ticket_number: str
    requests: str


@dataclass(frozen=True, slots=True)
class TicketSeat:
    passenger: str
    seat: str
    cabin: str
    status: str


@dataclass(frozen=True, slots=True)
class TicketSegment:
    """One flight. `boarding` and `gate_closes` are local times of the airport of departure."""

    flight_number: str
    airline: str
    aircraft: str
    origin: str
    origin_name: str
    destination: str
    destination_name: str
    departure_date: str
    departure_time: str
    departure_zone: str
    arrival_date: str
    arrival_time: str
    arrival_zone: str
    duration: str
    terminal: str
    gate: str
    cabin: str
    fare_brand: str
    fare_class: str
    checked_baggage: str
    cabin_baggage: str
    report_by: str
    boarding: str
    gate_closes: str
    seats: tuple[TicketSeat, ...]


@dataclass(frozen=True, slots=True)
class ChargeLine:
    name: str
    amount: str


@dataclass(frozen=True, slots=True)
class TicketSheet:
    """All of one PDF: the passengers of a booking on the flights of one airline (of all, when `airline` is empty)."""

    title: str
    airline: str
    reference: str
    booked_on: str
    journey: str
    link: str
    qr_svg: str
    passengers: tuple[TicketPassenger, ...]
    segments: tuple[TicketSegment, ...]
    fare_rules: tuple[str, ...]
    charges: tuple[ChargeLine, ...]
    total: ChargeLine
    instructions: tuple[str, ...]
    keywords: tuple[str, ...]

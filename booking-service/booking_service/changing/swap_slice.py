"""Put other flights in the place of a slice's: segments, coupons and price lines.

The new lines carry what the change charge paid on that charge, and the rest on the charges that paid the old flights,
so that
what is refunded of a charge later is never more than what it took.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.hold import HeldLine, Hold
from booking_service.bookings.view import BookingView, SliceView
from booking_service.changing.attribute_lines import attribute_lines, scaled_to
from booking_service.placing.compose import coupons_of, slices_of
from rihla.kernel import new_id

_REPLACE = text("UPDATE booking_segment SET replaced_at = :now WHERE slice_id = :slice_id AND replaced_at IS NULL")
_SUPERSEDE = text(
    "UPDATE price_line SET superseded_by = :change_id WHERE booking_id = :booking_id AND superseded_by IS NULL "
    "AND refund_class <> 'none' AND segment_id = ANY(:segments) AND passenger_id = ANY(:passengers) "
    "RETURNING charge_id, amount_minor"
)
_SLICE = text("UPDATE booking_slice SET hold_id = :hold_id, fare_rules = CAST(:rules AS jsonb) WHERE id = :id")
_SEGMENTS = text(
    """INSERT INTO booking_segment (id, booking_id, slice_id, slice_index, segment_index, flight_id, flight_number,
    airline,
  airline_name, accounting_code, aircraft, origin, destination, departure_at, arrival_at, departs, arrives,
  duration_minutes,
  terminal, gate, status, cabin, fare_brand, fare_class, international, baggage)
SELECT g.id, :booking_id, :slice_id, :slice_index, g.segment_index, g.flight_id, g.flight_number, g.airline,
g.airline_name,
  g.accounting_code, g.aircraft, g.origin, g.destination, g.departure_at, g.arrival_at, CAST(g.departure_at AS
  timestamptz),
  CAST(g.arrival_at AS timestamptz), g.duration_minutes, g.terminal, g.gate, g.status, g.cabin, g.fare_brand,
  g.fare_class,
  g.international, g.baggage
FROM jsonb_to_recordset(CAST(:segments AS jsonb)) AS g(id uuid, segment_index int, flight_id uuid, flight_number text,
  airline text, airline_name text, accounting_code text, aircraft text, origin text, destination text, departure_at
  text,
  arrival_at text, duration_minutes int, terminal text, gate text, status text, cabin text, fare_brand text,
  fare_class text,
  international boolean, baggage jsonb)"""
)
_COUPON = text(
    "INSERT INTO coupon (id, booking_id, passenger_id, segment_id, slice_id, flight_id, state, seat) "
    "VALUES (:id, :booking_id, :passenger_id, :segment_id, :slice_id, :flight_id, 'open', :seat)"
)
_LINE = text(
    "INSERT INTO price_line (id, booking_id, charge_id, passenger_id, segment_id, flight_id, kind, code, name, "
    "amount_minor, refund_class) VALUES (:id, :booking_id, :charge_id, :passenger_id, :segment_id, :flight_id, :kind, "
    ":code, :name, :amount_minor, :refund_class)"
)
_TRIP = text(
    "UPDATE booking AS b SET trip_starts_at = t.starts, trip_ends_at = t.ends FROM ("
    "SELECT min(departs) AS starts, max(arrives) AS ends FROM booking_segment "
    "WHERE booking_id = :id AND replaced_at IS NULL) t WHERE b.id = :id"
)


async def swap_slice(
    session: AsyncSession,
    view: BookingView,
    old: SliceView,
    hold: Hold,
    change: Any,
    quote: Any,
    *,
    now: datetime,
) -> dict[UUID, int]:
    """Swap, in the caller's transaction, which holds the booking's lock. What goes back of each charge."""
    passengers = sorted({line.passenger_id for line in hold.price_lines})
    await session.execute(_REPLACE, {"now": now, "slice_id": old.id})
    superseded = await session.execute(
        _SUPERSEDE,
        {
            "change_id": change.id,
            "booking_id": view.id,
            "segments": [segment.id for segment in old.segments],
            "passengers": passengers,
        },
    )
    paid: dict[UUID, int] = {}
    for row in superseded:
        paid[row.charge_id] = paid.get(row.charge_id, 0) + row.amount_minor
    (new,) = slices_of(hold, change.hold_id)
    rules = msgspec.json.encode(hold.fare_rules).decode()
    await session.execute(_SLICE, {"id": old.id, "hold_id": change.hold_id, "rules": rules})
    common = {"booking_id": view.id, "slice_id": old.id}
    segments = msgspec.json.encode(new.segments).decode()
    await session.execute(_SEGMENTS, {**common, "slice_index": old.slice_index, "segments": segments})
    await _coupons(session, hold, new, common, passengers)
    leftover = await _lines(session, hold, new, change, quote, paid, view)
    await session.execute(_TRIP, {"id": view.id})
    return leftover


async def _coupons(
    session: AsyncSession, hold: Hold, new: SliceView, common: dict[str, Any], passengers: list[UUID]
) -> None:
    seats = {(seat.passenger_id, seat.flight_id): seat.designator for seat in hold.seats}
    for passenger_id in passengers:
        for coupon in coupons_of(passenger_id, (new,), seats):
            values = {"id": coupon.id, "passenger_id": passenger_id, "segment_id": coupon.segment_id}
            await session.execute(_COUPON, {**common, **values, "flight_id": coupon.flight_id, "seat": coupon.seat})


async def _lines(
    session: AsyncSession,
    hold: Hold,
    new: SliceView,
    change: Any,
    quote: Any,
    paid: dict[UUID, int],
    view: BookingView,
) -> dict[UUID, int]:
    segment_of = {segment.flight_id: segment.id for segment in new.segments}
    lines = list(hold.price_lines)
    if quote.involuntary:
        # The airline is at fault: the traveller keeps the value that was paid, whatever the new flight costs.
        lines = scaled_to(lines, sum(paid.values()))
    if quote.fee_minor:
        lines.append(_fee(hold, quote.fee_minor))
    purses = sorted(paid.items())
    if change.charge_id is not None:
        purses.append((change.charge_id, quote.due_minor))
    pairs, leftover = attribute_lines(lines, purses)
    for charge_id, line in pairs:
        await _add_line(session, view, charge_id, line, segment_of[line.flight_id])
    return leftover


def _fee(hold: Hold, fee_minor: int) -> HeldLine:
    first = hold.price_lines[0]
    return HeldLine(
        passenger_id=first.passenger_id,
        flight_id=first.flight_id,
        kind="charge",
        code="CHANGE",
        name="Change fee",
        amount_minor=fee_minor,
        refund_class="none",
    )


async def _add_line(
    session: AsyncSession, view: BookingView, charge_id: UUID, line: HeldLine, segment_id: UUID
) -> None:
    await session.execute(
        _LINE,
        {
            **{name: getattr(line, name) for name in HeldLine.__dataclass_fields__},
            "id": new_id(),
            "booking_id": view.id,
            "charge_id": charge_id,
            "segment_id": segment_id,
        },
    )

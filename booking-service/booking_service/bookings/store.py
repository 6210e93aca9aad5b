"""Queries on the booking itself that several deeds share. Whoever changes a booking has locked its row before."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.read_booking import load_booking
from booking_service.bookings.states import BookingState, ChargeState, CouponState, move_booking
from booking_service.bookings.view import BookingView
from rihla.contracts.events import EventData
from rihla.db.outbox import add_event
from rihla.kernel import new_id

_BUMP = text("UPDATE booking SET sequence = sequence + 1 WHERE id = :id RETURNING sequence")


async def next_sequence(session: AsyncSession, booking_id: UUID) -> int:
    """Lock the booking's row and take the next number of its events."""
    return int((await session.execute(_BUMP, {"id": booking_id})).scalar_one())


async def publish(
    session: AsyncSession, booking_id: UUID, make: Callable[[BookingView], EventData], *, now: datetime
) -> BookingView:
    """Put an event made of the booking as it stands now into the outbox, and give that view back."""
    sequence = await next_sequence(session, booking_id)
    view = await load_booking(session, booking_id)
    if view is None:
        raise LookupError(f"booking {booking_id} is gone")
    await add_event(session, make(view), aggregate_id=booking_id, sequence=sequence, now=now)
    return view


async def set_state(
    session: AsyncSession, view: BookingView, to: BookingState, *, now: datetime, step: str | None = None
) -> None:
    """Move the booking along one arrow of the state machine and stamp the instant. MoveNotAllowed when there is
    none.
    """
    if to is not view.state:
        move_booking(view.state, to)
    stamp = {
        BookingState.CONFIRMED: "confirmed_at",
        BookingState.EXPIRED: "expired_at",
        BookingState.CANCELLED: "cancelled_at",
        BookingState.COMPLETED: "completed_at",
    }.get(to)
    stamped = f", {stamp} = coalesce({stamp}, :now)" if stamp else ""
    await session.execute(
        text(f"UPDATE booking SET state = :state, step = :step, version = version + 1{stamped} WHERE id = :id"),
        {"id": view.id, "state": str(to), "step": step} | ({"now": now} if stamp else {}),
    )


async def set_step(session: AsyncSession, booking_id: UUID, step: str | None) -> None:
    """Say which internal step is under way."""
    await session.execute(text("UPDATE booking SET step = :step WHERE id = :id"), {"id": booking_id, "step": step})


async def step_of(session: AsyncSession, booking_id: UUID) -> str | None:
    """The internal step under way, if any."""
    found = await session.execute(text("SELECT step FROM booking WHERE id = :id"), {"id": booking_id})
    step = found.scalar_one_or_none()
    return None if step is None else str(step)


async def bump_version(session: AsyncSession, booking_id: UUID) -> None:
    """The booking is not what a quote made before speaks of."""
    await session.execute(text("UPDATE booking SET version = version + 1 WHERE id = :id"), {"id": booking_id})


async def set_coupons(session: AsyncSession, coupon_ids: Iterable[UUID], to: CouponState) -> None:
    """Move coupons the rules have allowed to move."""
    await session.execute(
        text("UPDATE coupon SET state = :state WHERE id = ANY(:ids)"), {"state": str(to), "ids": list(coupon_ids)}
    )


async def set_seats(session: AsyncSession, booking_id: UUID, seats: Mapping[tuple[UUID, UUID], str]) -> None:
    """Write the seat of each (passenger, flight)."""
    if not seats:
        return
    await session.execute(
        text(
            "UPDATE coupon AS c SET seat = s.seat FROM unnest(CAST(:passengers AS uuid[]), CAST(:flights AS uuid[]), "
            "CAST(:seats AS text[])) AS s(passenger_id, flight_id, seat) "
            "WHERE c.booking_id = :id AND c.passenger_id = s.passenger_id AND c.flight_id = s.flight_id "
            "AND c.seat IS DISTINCT FROM s.seat"
        ),
        {
            "id": booking_id,
            "passengers": [passenger for passenger, _ in seats],
            "flights": [flight for _, flight in seats],
            "seats": list(seats.values()),
        },
    )


async def set_charge(session: AsyncSession, charge_id: UUID, to: ChargeState) -> None:
    """Move a charge the rules have allowed to move."""
    await session.execute(text("UPDATE charge SET state = :state WHERE id = :id"), {"state": str(to), "id": charge_id})


async def pay_charge(
    session: AsyncSession, charge_id: UUID, payment_id: UUID | None, *, now: datetime, method: str | None = None
) -> None:
    """The charge is paid by this payment (None: there was nothing to pay)."""
    await session.execute(
        text(
            "UPDATE charge SET state = 'paid', payment_id = :payment_id, paid_at = :now, payment_method = :method "
            "WHERE id = :id"
        ),
        {"id": charge_id, "payment_id": payment_id, "method": method, "now": now},
    )


async def exists(session: AsyncSession, booking_id: UUID) -> bool:
    """Whether there is such a booking."""
    found = await session.execute(text("SELECT 1 FROM booking WHERE id = :id"), {"id": booking_id})
    return found.first() is not None


async def add_timeline(
    session: AsyncSession, booking_id: UUID, kind: str, *, actor: str, now: datetime, **detail: Any
) -> None:
    """Write down what happened, for support. Facts only: ids, codes, amounts; never personal data."""
    await session.execute(
        text(
            "INSERT INTO timeline (booking_id, at, kind, actor, detail) "
            "VALUES (:id, :now, :kind, :actor, CAST(:detail AS jsonb))"
        ),
        {"id": booking_id, "now": now, "kind": kind, "actor": actor, "detail": json.dumps(detail, default=str)},
    )


async def add_errand(
    session: AsyncSession,
    booking_id: UUID,
    kind: str,
    *,
    now: datetime,
    delay: timedelta = timedelta(0),
    **payload: Any,
) -> UUID:
    """Decide, in this commit, on a call to another service that a worker will make (and repeat until it is
    answered).
    """
    errand_id = new_id()
    await session.execute(
        text(
            "INSERT INTO errand (id, booking_id, kind, payload, due_at, created_at) "
            "VALUES (:errand_id, :id, :kind, CAST(:payload AS jsonb), :due_at, :now)"
        ),
        {
            "errand_id": errand_id,
            "id": booking_id,
            "kind": kind,
            "payload": json.dumps(payload, default=str),
            "due_at": now + delay,
            "now": now,
        },
    )
    return errand_id


async def finish_errand(session: AsyncSession, errand_id: UUID) -> None:
    """The call was answered and its outcome is in this transaction."""
    await session.execute(text("DELETE FROM errand WHERE id = :id"), {"id": errand_id})


_REFUND = text(
    "INSERT INTO refund (id, booking_id, charge_id, cancellation_id, payment_id, amount_minor, fee_minor, currency, "
    "reason, state, created_at) VALUES (:refund_id, :booking_id, :charge_id, :cancellation_id, :payment_id, "
    ":amount_minor, :fee_minor, :currency, :reason, 'requested', :now) ON CONFLICT (payment_id) DO NOTHING RETURNING id"
)
_GIVEN_BACK = text(
    "UPDATE charge SET refunded_minor = refunded_minor + :amount, "
    "state = CASE WHEN refunded_minor + :amount = amount_minor THEN 'refunded' ELSE state END WHERE id = :id"
)


async def request_refund(
    session: AsyncSession,
    *,
    booking_id: UUID,
    charge_id: UUID,
    amount_minor: int,
    currency: str,
    reason: str,
    now: datetime,
    fee_minor: int = 0,
    cancellation_id: UUID | None = None,
    payment_id: UUID | None = None,
) -> UUID | None:
    """Decide on a refund; the errand asks payment-service for it. None when this payment was given back before.

    With `payment_id` the refund is of a payment that was never applied, otherwise of the charge, whose refunded sum
    grows.
    """
    refund_id = new_id()
    made = await session.execute(
        _REFUND,
        {
            "refund_id": refund_id,
            "booking_id": booking_id,
            "charge_id": charge_id,
            "cancellation_id": cancellation_id,
            "payment_id": payment_id,
            "amount_minor": amount_minor,
            "fee_minor": fee_minor,
            "currency": currency,
            "reason": reason,
            "now": now,
        },
    )
    if made.first() is None:
        return None
    if payment_id is None:
        await session.execute(_GIVEN_BACK, {"id": charge_id, "amount": amount_minor})
    await add_errand(session, booking_id, "request_refund", now=now, refund_id=refund_id)
    return refund_id

"""The two transactions of an ordinary payment, one statement each, executed for all who wait together (ADR 0005): note
a payment that came in time for what is due, and store the confirmed booking. Whatever is not ordinary changes nothing
here and is left to `accept_payment` and `confirm_booking`.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from booking_service.bookings.read_booking import BOOKING_DOCUMENT
from booking_service.bookings.view import BookingView
from booking_service.documents.kinds import DocumentKind, JobState, Order
from booking_service.settling.rules import Paid
from booking_service.settling.sale import Sale
from rihla.contracts.events import Envelope
from rihla.kernel import new_id

# A rival (another delivery, the expiry) moves the booking's state or step, which the locked row shows when we get it.
ACCEPT = f"""
WITH due AS (
  SELECT h.id AS charge_id, b.id FROM booking b JOIN charge h ON h.booking_id = b.id
  WHERE b.id = $3 AND b.state = (SELECT 'pending_payment') AND b.step IS NULL AND h.id = $4 AND h.kind = 'initial'
    AND h.state = 'due' AND h.amount_minor = $5::bigint AND h.currency = $6
    AND NOT EXISTS (SELECT 1 FROM payment_receipt WHERE payment_id = $7)
  FOR NO KEY UPDATE OF b),
seen AS (
  INSERT INTO inbox (consumer, event_id) SELECT $1, $2::uuid FROM due ON CONFLICT DO NOTHING RETURNING 1),
paid AS (
  UPDATE charge SET state = 'paid', payment_id = $7, paid_at = $9, payment_method = $8
  FROM due, seen WHERE charge.id = due.charge_id AND charge.state = 'due' RETURNING charge.booking_id AS id),
confirming AS (
  UPDATE booking SET step = 'confirming' FROM paid WHERE booking.id = paid.id),
received AS (
  INSERT INTO payment_receipt (payment_id, booking_id, charge_id, amount_minor, currency, outcome, received_at)
  SELECT $7, id, $4, $5::bigint, $6, 'confirm', $9 FROM paid),
told AS (
  INSERT INTO timeline (booking_id, at, kind, actor, detail)
  SELECT id, $9, 'payment_received', 'payment', $12::jsonb FROM paid),
errands AS (
  INSERT INTO errand (id, booking_id, kind, payload, due_at, attempts, created_at)
  SELECT $10::uuid, id, 'confirm_hold', jsonb_build_object('payment_id', $7::uuid), $11, 1, $9 FROM paid)
SELECT ({BOOKING_DOCUMENT.format(which="b.id = (SELECT id FROM paid)")})"""
"""First transaction: inbox row, receipt, charge, the step and the errand leased to this process. Answers with the
booking's document as it stood before, or with nothing when this is not the ordinary case; then nothing was written.
"""

CONFIRM = """
WITH sold AS (
  UPDATE booking SET state = 'confirmed', step = NULL, version = version + 1, sequence = sequence + 1,
    confirmed_at = $4, notes = $5::jsonb
  WHERE id = $1 AND state = (SELECT 'pending_payment') AND step = 'confirming' AND version = $2 AND sequence = $3
  RETURNING id),
issued AS (
  INSERT INTO ticket (number, booking_id, passenger_id, accounting_code, issued_at)
  SELECT t.number, sold.id, t.passenger_id, t.code, $4
  FROM sold, unnest($6::text[], $7::uuid[], $22::text[]) AS t(number, passenger_id, code)),
seated AS (
  UPDATE coupon SET seat = t.seat, e_ticket_number = t.number
  FROM sold, unnest($8::uuid[], $9::text[], $10::text[]) AS t(id, seat, number) WHERE coupon.id = t.id),
named AS (
  UPDATE passenger SET e_ticket_number = t.number
  FROM sold, unnest($11::uuid[], $12::text[]) AS t(id, number) WHERE passenger.id = t.id),
told AS (
  INSERT INTO timeline (booking_id, at, kind, actor, detail)
  SELECT id, $4, 'confirmed', 'system', '{"late": false}' FROM sold),
papers AS (
  INSERT INTO document_job (id, booking_id, cause, orders, state, due_at, created_at)
  SELECT $13::uuid, id, 'confirmed', $14::jsonb, $15, $23, $4 FROM sold),
promo AS (
  INSERT INTO errand (id, booking_id, kind, due_at, created_at)
  SELECT $16::uuid, id, $17::text, $4, $4 FROM sold WHERE $17::text IS NOT NULL),
published AS (
  INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at)
  SELECT $18::uuid, id, $3::bigint + 1, $19, $20::jsonb, $4, $4 FROM sold),
done AS (
  DELETE FROM errand USING sold WHERE errand.id = $21)
SELECT count(*) FROM sold"""
"""Second transaction: tickets, seats, the document job, the event. 0, and nothing written, when the booking is not what
it was when it was read.
"""

_PAPERS = msgspec.json.encode([Order(kind).as_json() for kind in (DocumentKind.TICKET, DocumentKind.RECEIPT)]).decode()


def accept_values(
    envelope: Envelope,
    consumer: str,
    booking_id: UUID,
    paid: Paid,
    *,
    errand_id: UUID,
    lease_until: datetime,
    now: datetime,
) -> tuple[Any, ...]:
    """What ACCEPT takes."""
    detail = {
        "payment_id": paid.payment_id,
        "amount_minor": paid.amount_minor,
        "currency": paid.currency,
        "outcome": "confirm",
    }
    return (
        consumer,
        envelope.id,
        booking_id,
        paid.charge_id,
        paid.amount_minor,
        paid.currency,
        paid.payment_id,
        paid.method,
        now,
        errand_id,
        lease_until,
        msgspec.json.encode(detail).decode(),
    )


def confirm_values(sale: Sale, envelope: Envelope, errand_id: UUID, *, papers_due: datetime) -> tuple[Any, ...]:
    """What CONFIRM takes."""
    before, after = sale.before, sale.after
    coupons = after.coupons
    return (
        before.id,
        before.version,
        before.sequence,
        after.confirmed_at,
        msgspec.json.encode(after.notes).decode(),
        [number for number, _, _ in sale.tickets],
        [passenger_id for _, passenger_id, _ in sale.tickets],
        [one.id for one in coupons],
        [one.seat for one in coupons],
        [one.e_ticket_number for one in coupons],
        [one.id for one in after.passengers],
        [one.e_ticket_number for one in after.passengers],
        new_id(),
        _PAPERS,
        JobState.QUEUED,
        new_id(),
        _discount_errand(after),
        envelope.id,
        envelope.type,
        envelope.model_dump_json(),
        errand_id,
        [code for _, _, code in sale.tickets],
        papers_due,
    )


def _discount_errand(view: BookingView) -> str | None:
    """What payment-service is to be told of the sale: a booking has a promo code or a plan, never both."""
    if view.subscription_id is not None:
        return "consume_rides"
    return None if view.promo_code is None else "consume_promo"


async def draw_serials(pool: "asyncpg.Pool[Any]", count: int) -> list[int]:
    """So many serials of e-tickets, which nobody else gets."""
    rows = await pool.fetch("SELECT nextval('e_ticket_serial') AS serial FROM generate_series(1, $1::int)", count)
    return [row["serial"] for row in rows]

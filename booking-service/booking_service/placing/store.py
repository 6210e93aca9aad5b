"""Queries of placing. The transactions of the hot path (`BEGIN`, `PLACE` and `refusal_store.REFUSE`) are one statement
each, executed in groups on the bare driver: a round trip costs more than the work (stack.md).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.view import BookingView
from booking_service.placing.budget_store import free_slot, slot_at_once
from booking_service.placing.compose import Placing
from booking_service.placing.hold_budget import HoldBudget
from booking_service.placing.order import Order
from rihla.contracts.events import Envelope
from rihla.web.idempotency import IdempotentRequest

_COLUMNS = """(id, reference, user_id, organisation_id, api_key_id, test_mode, state, hold_id, offer_id,
  payment_required_by, contact_email, contact_phone, locale, promo_code, metadata, attempt, lease_until, draft,
  created_at, unpaid_slot, subscription_id)
  """
_VALUES = """$1::uuid, $2::text, $3::uuid, $4::uuid, $5::uuid, $6::boolean, 'placing', $7::uuid, $8::text,
$9::timestamptz,
  $10::text, $11::text, $12::text, $13::text, $14::jsonb, 1, $15::timestamptz, $16::jsonb, $17::timestamptz, slot.n,
  ($16::jsonb ->> 'subscription_id')::uuid"""
_SLOT = slot_at_once("coalesce($5::uuid, $3::uuid)", "$18::int", "$19::timestamptz")

BEGIN = f"""
WITH slot AS MATERIALIZED ({_SLOT}),
k AS (
  INSERT INTO idempotency_key (scope, key, fingerprint, resource_id, lease_until, created_at)
  SELECT $20, $21, $22, $1, $15, $17 FROM slot ON CONFLICT DO NOTHING RETURNING 1),
begun AS (
  INSERT INTO booking {_COLUMNS} SELECT {_VALUES} FROM k, slot RETURNING 1)
SELECT count(*) FROM begun"""
"""First transaction: the key and the booking with its ids, or nothing when the key was there already or the hold budget
must be looked at. A statement of its own is a transaction of its own."""

# No NOTIFY: it takes a lock that puts all commits in a row, and the relay looks every 100 ms anyway.
PLACE = """
WITH placed AS (
  UPDATE booking SET state = 'pending_payment', step = $4::text, currency = ($3::jsonb)->>'currency',
    total_minor = (($3::jsonb)->>'total_minor')::bigint, notes = ($3::jsonb)->'notes', trip_starts_at = $5,
    trip_ends_at = $6,
    sequence = 1, draft = NULL, lease_until = NULL, refusal = NULL
  WHERE id = $1 AND state = (SELECT 'placing') AND attempt = $2 RETURNING id),
slices AS (
  INSERT INTO booking_slice (id, booking_id, slice_index, hold_id, fare_rules)
  SELECT s.id, p.id, s.slice_index, s.hold_id, s.fare_rules FROM placed p,
    jsonb_to_recordset(($3::jsonb)->'slices') AS s(id uuid, slice_index int, hold_id uuid, fare_rules jsonb)),
segments AS (
  INSERT INTO booking_segment (id, booking_id, slice_id, slice_index, segment_index, flight_id, flight_number, airline,
    airline_name, accounting_code, aircraft, origin, destination, departure_at, arrival_at, departs, arrives,
    duration_minutes, terminal, gate, status, cabin, fare_brand, fare_class, international, baggage)
  SELECT g.id, p.id, s.id, s.slice_index, g.segment_index, g.flight_id, g.flight_number, g.airline, g.airline_name,
    g.accounting_code, g.aircraft, g.origin, g.destination, g.departure_at, g.arrival_at, g.departure_at::timestamptz,
    g.arrival_at::timestamptz, g.duration_minutes, g.terminal, g.gate, g.status, g.cabin, g.fare_brand, g.fare_class,
    g.international, g.baggage
  FROM placed p, jsonb_to_recordset(($3::jsonb)->'slices') AS s(id uuid, slice_index int, segments jsonb),
    jsonb_to_recordset(s.segments) AS g(id uuid, segment_index int, flight_id uuid, flight_number text, airline text,
      airline_name text, accounting_code text, aircraft text, origin text, destination text, departure_at text,
      arrival_at text, duration_minutes int, terminal text, gate text, status text, cabin text, fare_brand text,
      fare_class text, international boolean, baggage jsonb)),
travellers AS (
  INSERT INTO passenger (id, booking_id, position, type, title, given_name, surname, date_of_birth, gender,
    passport_masked, passport_sealed, passport_issuing_country, passport_nationality, passport_expires_on, visas,
    email, phone, seat_preference, ssr, extra_bags, accompanied_by)
  SELECT t.id, p.id, t.position, t.type, t.title, t.given_name, t.surname, t.date_of_birth, t.gender,
    t.passport_masked, t.passport_sealed, t.passport_issuing_country, t.passport_nationality, t.passport_expires_on,
    t.visas, t.email, t.phone, t.seat_preference, t.ssr, t.extra_bags, t.accompanied_by
  FROM placed p, jsonb_to_recordset(($3::jsonb)->'passengers') AS t(id uuid, position int, type text, title text,
    given_name text, surname text, date_of_birth date, gender text, passport_masked text, passport_sealed bytea,
    passport_issuing_country text, passport_nationality text, passport_expires_on date,
    visas jsonb, email text, phone text, seat_preference text,
    ssr text[], extra_bags int, accompanied_by uuid)),
coupons AS (
  INSERT INTO coupon (id, booking_id, passenger_id, segment_id, slice_id, flight_id, state, seat)
  SELECT c.id, p.id, t.id, c.segment_id, c.slice_id, c.flight_id, c.state, c.seat
  FROM placed p, jsonb_to_recordset(($3::jsonb)->'passengers') AS t(id uuid, coupons jsonb),
    jsonb_to_recordset(t.coupons) AS c(id uuid, segment_id uuid, slice_id uuid, flight_id uuid, state text, seat text)),
charges AS (
  INSERT INTO charge (id, booking_id, kind, amount_minor, currency, state, payable_until, created_at, paid_at)
  SELECT h.id, p.id, h.kind, h.amount_minor, h.currency, h.state, h.payable_until, h.created_at, h.paid_at
  FROM placed p, jsonb_to_recordset(($3::jsonb)->'charges') AS h(id uuid, kind text, amount_minor bigint, currency text,
    state text, payable_until timestamptz, created_at timestamptz, paid_at timestamptz)),
lines AS (
  INSERT INTO price_line (id, booking_id, charge_id, passenger_id, segment_id, flight_id, kind, code, name,
  amount_minor,
    refund_class)
  SELECT l.id, p.id, l.charge_id, l.passenger_id, l.segment_id, l.flight_id, l.kind, l.code, l.name, l.amount_minor,
    l.refund_class
  FROM placed p, jsonb_to_recordset(($3::jsonb)->'price_lines') AS l(id uuid, charge_id uuid, passenger_id uuid,
  segment_id uuid,
    flight_id uuid, kind text, code text, name text, amount_minor bigint, refund_class text)),
told AS (
  INSERT INTO timeline (booking_id, at, kind, actor, detail)
  SELECT id, $7, 'placed', 'traveller', jsonb_build_object('total_minor', ($3::jsonb)->'total_minor', 'currency',
  ($3::jsonb)->'currency')
  FROM placed),
errands AS (
  INSERT INTO errand (id, booking_id, kind, due_at, created_at)
  SELECT $8::uuid, id, 'confirm_hold', $7, $7 FROM placed WHERE $4::text IS NOT NULL),
published AS (
  INSERT INTO outbox (id, aggregate_id, sequence, type, envelope, created_at, next_attempt_at)
  SELECT $9::uuid, id, 1, $10::text, $11::jsonb, $7, $7 FROM placed WHERE $9::uuid IS NOT NULL),
answered AS (
  UPDATE idempotency_key SET status = 201, body = $14, media_type = 'application/json' FROM placed
  WHERE scope = $12 AND key = $13)
SELECT count(*) FROM placed
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a repeat or the sweeper found of a placing: how it stands, and the draft while there is one."""

    state: str
    placing: Placing | None
    refusal: dict[str, Any] | None


def _draft(order: Order) -> str:
    return msgspec.json.encode(order).decode()


def begin_values(
    placing: Placing, idem: IdempotentRequest, *, lease_until: datetime, budget: HoldBudget
) -> tuple[Any, ...]:
    """What `BEGIN` is given."""
    order = placing.order
    return (
        placing.booking_id,
        placing.reference,
        placing.user_id,
        placing.organisation_id,
        placing.api_key_id,
        placing.test_mode,
        placing.hold_id,
        order.offer_id,
        placing.payment_required_by,
        order.contact_email,
        order.contact_phone,
        order.locale,
        order.promo_code,
        msgspec.json.encode(order.metadata).decode(),
        lease_until,
        _draft(order),
        placing.created_at,
        budget.at_once,
        placing.created_at - budget.window,
        idem.scope,
        idem.key,
        idem.fingerprint,
    )


def place_values(
    view: BookingView,
    *,
    attempt: int,
    step: str | None,
    errand_id: UUID,
    envelope: Envelope | None,
    idem: IdempotentRequest | None,
    body: bytes,
    now: datetime,
) -> tuple[Any, ...]:
    """What `PLACE` is given: everything that was sold, the event (None: nobody is told yet) and the saved answer."""
    return (
        view.id,
        attempt,
        msgspec.json.encode(view).decode(),
        step,
        min(segment.departure_at for segment in view.segments),
        max(segment.arrival_at for segment in view.segments),
        now,
        errand_id,
        envelope.id if envelope else None,
        envelope.type if envelope else None,
        envelope.model_dump_json() if envelope else None,
        idem.scope if idem else None,
        idem.key if idem else None,
        body,
    )


_FREE_SLOT = free_slot("CAST(:holder AS uuid)", "CAST(:most AS int)")
_CLAIM = text(
    "UPDATE booking SET attempt = attempt + 1, lease_until = :lease_until "
    "WHERE id = :id AND state = 'placing' AND lease_until <= :now RETURNING *"
)
_FIND = text("SELECT * FROM booking WHERE id = :id")
_REVIVE = text(
    "UPDATE booking SET state = 'placing', attempt = attempt + 1, lease_until = :lease_until, hold_id = :hold_id, "
    "draft = CAST(:draft AS jsonb), refusal = NULL, payment_required_by = :required_by, created_at = :now, "
    f"unpaid_slot = ({_FREE_SLOT}) WHERE id = :id AND state = 'refused' RETURNING *"
)
_STEP_BACK = text(
    "UPDATE booking SET lease_until = :now WHERE id = :id AND state = 'placing' AND attempt = :attempt RETURNING id"
)
_STALLED = text(
    "UPDATE booking SET attempt = attempt + 1, lease_until = :lease_until WHERE id IN ("
    "SELECT id FROM booking WHERE state = 'placing' AND lease_until <= :now ORDER BY lease_until "
    "LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING *"
)


def _placing(row: Any) -> Placing:
    return Placing(
        booking_id=row.id,
        reference=row.reference,
        hold_id=row.hold_id,
        user_id=row.user_id,
        organisation_id=row.organisation_id,
        test_mode=row.test_mode,
        attempt=row.attempt,
        created_at=row.created_at,
        payment_required_by=row.payment_required_by,
        api_key_id=row.api_key_id,
        order=msgspec.convert(row.draft, Order),
    )


async def claim(session: AsyncSession, booking_id: UUID, *, now: datetime, lease: timedelta) -> Attempt | None:
    """Take over an attempt whose lease ran out, or say how the booking stands; None when there is no such booking."""
    taken = (await session.execute(_CLAIM, {"id": booking_id, "now": now, "lease_until": now + lease})).one_or_none()
    if taken is not None:
        return Attempt("placing", _placing(taken), None)
    found = (await session.execute(_FIND, {"id": booking_id})).one_or_none()
    if found is None:
        return None
    return Attempt(found.state, None, found.refusal)


_BEGIN_AGAIN = text(
    f"""INSERT INTO booking (id, reference, user_id, organisation_id, api_key_id, test_mode, state, hold_id, offer_id,
  payment_required_by, contact_email, contact_phone, locale, promo_code, metadata, attempt, lease_until, draft,
  created_at, unpaid_slot, subscription_id)
VALUES (:id, :reference, :user_id, :organisation_id, :api_key_id, :test_mode, 'placing', :hold_id, :offer_id,
  :required_by, :email, :phone, :locale, :promo_code, CAST(:metadata AS jsonb), 1, :lease_until, CAST(:draft AS jsonb),
  :now, ({_FREE_SLOT}), CAST(CAST(:draft AS jsonb) ->> 'subscription_id' AS uuid))"""
)


async def begin_again(
    session: AsyncSession, placing: Placing, booking_id: UUID, *, lease_until: datetime, budget: HoldBudget
) -> None:
    """The first transaction where the key is old (24 h) and was taken anew: only the booking is still to be written.

    Raises IntegrityError when a rival takes the last free slot meanwhile.
    """
    order = placing.order
    await session.execute(
        _BEGIN_AGAIN,
        {
            "id": booking_id,
            "reference": placing.reference,
            "user_id": placing.user_id,
            "organisation_id": placing.organisation_id,
            "api_key_id": placing.api_key_id,
            "holder": placing.holder,
            "most": budget.at_once,
            "test_mode": placing.test_mode,
            "hold_id": placing.hold_id,
            "offer_id": order.offer_id,
            "required_by": placing.payment_required_by,
            "email": order.contact_email,
            "phone": order.contact_phone,
            "locale": order.locale,
            "promo_code": order.promo_code,
            "metadata": msgspec.json.encode(order.metadata).decode(),
            "lease_until": lease_until,
            "draft": _draft(order),
            "now": placing.created_at,
        },
    )


async def revive(
    session: AsyncSession, placing: Placing, *, now: datetime, lease: timedelta, budget: HoldBudget
) -> Placing:
    """Begin again, under the same booking id with a new hold, what an outage had made us give up."""
    row = await session.execute(
        _REVIVE,
        {
            "id": placing.booking_id,
            "hold_id": placing.hold_id,
            "draft": _draft(placing.order),
            "required_by": placing.payment_required_by,
            "now": now,
            "lease_until": now + lease,
            "holder": placing.holder,
            "most": budget.at_once,
        },
    )
    return _placing(row.one())


async def stalled(session: AsyncSession, *, now: datetime, lease: timedelta, limit: int) -> list[Placing]:
    """Take over attempts whose process stopped; several workers never take the same."""
    rows = await session.execute(_STALLED, {"now": now, "lease_until": now + lease, "limit": limit})
    return [_placing(row) for row in rows]


async def step_back(session: AsyncSession, placing: Placing, idem: IdempotentRequest | None, *, now: datetime) -> None:
    """No answer came: give the lease back, so that the caller's repeat or the sweeper goes on at once with the same
    ids.
    """
    await session.execute(_STEP_BACK, {"id": placing.booking_id, "attempt": placing.attempt, "now": now})
    if idem is not None:
        await session.execute(
            text(
                "UPDATE idempotency_key SET lease_until = :now WHERE scope = :scope AND key = :key AND status IS NULL"
            ),
            {"now": now, "scope": idem.scope, "key": idem.key},
        )

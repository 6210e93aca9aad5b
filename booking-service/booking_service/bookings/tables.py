"""Tables of the booking itself: what was sold, to whom, for how much, and everything that happened to it since.

A guard in code has its constraint here: states are checked, references and e-ticket numbers are unique, a booking has
one
initial charge, a payment is applied to one charge.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from booking_service.bookings.states import BookingState, ChargeState, CouponState
from booking_service.tables_base import metadata
from rihla.db.idempotency import idempotency_table
from rihla.db.inbox import inbox_table
from rihla.db.outbox import outbox_table

Instant = DateTime(timezone=True)


def _one_of(column: str, values: type[BookingState] | type[ChargeState] | type[CouponState]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


outbox = outbox_table(metadata)
inbox, inbox_sequence = inbox_table(metadata)
idempotency = idempotency_table(metadata)

e_ticket_serial = Sequence("e_ticket_serial", start=1_000_001, metadata=metadata)
"""The ten digits after the airline's accounting code."""

booking = Table(
    "booking",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("reference", String(6), nullable=False, unique=True),
    Column("user_id", Uuid, nullable=False),
    Column("organisation_id", Uuid),
    Column("api_key_id", Uuid),
    Column("test_mode", Boolean, nullable=False, server_default=text("false")),
    Column("state", String(24), nullable=False),
    # The step that is under way inside the state; its call to another service is an errand.
    Column("step", String(12)),
    Column("state_before_disruption", String(24)),
    Column("hold_id", Uuid, nullable=False, unique=True),
    Column("offer_id", Text, nullable=False),
    Column("payment_required_by", Instant, nullable=False),
    Column("currency", String(3)),
    Column("total_minor", BigInteger),
    Column("contact_email", String(254), nullable=False),
    Column("contact_phone", String(20)),
    Column("locale", String(16), nullable=False, server_default=text("'en'")),
    Column("promo_code", String(40)),
    # The plan whose rides pay for it (payment-service counts them).
    Column("subscription_id", Uuid),
    # The period of the plan it was reserved for, as one of many (seat_plans/); null for a ride picked by the traveller.
    Column("seat_plan_id", Uuid),
    Column("metadata", JSONB, nullable=False, server_default=text("'{}'")),
    Column("notes", JSONB, nullable=False, server_default=text("'[]'")),
    Column("trip_starts_at", Instant),
    Column("trip_ends_at", Instant),
    # The counter behind `sequence` of this booking's events, and the version a quote was made of.
    Column("sequence", BigInteger, nullable=False, server_default=text("0")),
    Column("version", Integer, nullable=False, server_default=text("1")),
    # Placing: who drives it now (fencing number, lease), what was asked for, and why it was refused.
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("lease_until", Instant),
    Column("draft", JSONB),
    Column("refusal", JSONB),
    # The place an unpaid booking takes in its owner's hold budget.
    Column("unpaid_slot", SmallInteger),
    Column("created_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("expired_at", Instant),
    Column("cancelled_at", Instant),
    Column("completed_at", Instant),
    CheckConstraint(_one_of("state", BookingState), name="state"),
    CheckConstraint("step IN ('confirming', 'cancelling', 'changing')", name="step"),
    CheckConstraint("reference ~ '^[A-HJ-NP-Z2-9]{6}$'", name="reference"),
    CheckConstraint("total_minor >= 0", name="total"),
    # The rides of a plan take no place in the budget.
    CheckConstraint(
        "state NOT IN ('placing', 'pending_payment') OR unpaid_slot IS NOT NULL OR seat_plan_id IS NOT NULL",
        name="unpaid_slot",
    ),
    CheckConstraint("state IN ('placing', 'refused') OR total_minor IS NOT NULL", name="placed"),
)
Index("ix_booking_owner", booking.c.user_id, booking.c.created_at.desc(), booking.c.id.desc())
Index(
    "ix_booking_due", booking.c.payment_required_by, postgresql_where=text("state = 'pending_payment' AND step IS NULL")
)
Index("ix_booking_placing", booking.c.lease_until, postgresql_where=text("state = 'placing'"))
Index(
    "ix_booking_flying",
    booking.c.trip_ends_at,
    postgresql_where=text("state IN ('confirmed', 'partially_cancelled')"),
)
_HOLDER = text("coalesce(api_key_id, user_id)")
Index(
    "uq_booking_unpaid_slot",
    _HOLDER,
    booking.c.unpaid_slot,
    unique=True,
    postgresql_where=text("state IN ('placing', 'pending_payment')"),
)
Index(
    "ix_booking_lapsed",
    _HOLDER,
    text("coalesce(expired_at, cancelled_at)"),
    postgresql_where=text("confirmed_at IS NULL AND state IN ('expired', 'cancelled')"),
)
Index("ix_booking_seat_plan", booking.c.seat_plan_id, postgresql_where=text("seat_plan_id IS NOT NULL"))
Index("ix_booking_contact_email", text("lower(contact_email)"))

booking_slice = Table(
    "booking_slice",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("slice_index", Integer, nullable=False),
    # After a change a slice has a hold and fare rules of its own.
    Column("hold_id", Uuid, nullable=False),
    Column("fare_rules", JSONB, nullable=False),
    UniqueConstraint("booking_id", "slice_index"),
)

booking_segment = Table(
    "booking_segment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("slice_id", Uuid, nullable=False),
    Column("slice_index", Integer, nullable=False),
    Column("segment_index", Integer, nullable=False),
    Column("flight_id", Uuid, nullable=False),
    Column("flight_number", String(10), nullable=False),
    Column("airline", String(3), nullable=False),
    Column("airline_name", Text, nullable=False),
    Column("accounting_code", String(3), nullable=False),
    Column("aircraft", String(8), nullable=False),
    Column("origin", String(3), nullable=False),
    Column("destination", String(3), nullable=False),
    # Text, because a flight's local time carries the airport's offset and timestamptz forgets it.
    Column("departure_at", String(40), nullable=False),
    Column("arrival_at", String(40), nullable=False),
    Column("departs", Instant, nullable=False),
    Column("arrives", Instant, nullable=False),
    Column("duration_minutes", Integer, nullable=False),
    Column("terminal", String(16)),
    Column("gate", String(16)),
    Column("status", String(24), nullable=False),
    Column("delay_minutes", Integer, nullable=False, server_default=text("0")),
    Column("cabin", String(24), nullable=False),
    Column("fare_brand", String(24), nullable=False),
    Column("fare_class", String(2), nullable=False),
    Column("international", Boolean, nullable=False),
    Column("baggage", JSONB, nullable=False),
    Column("flight_sequence", BigInteger, nullable=False, server_default=text("0")),
    # A segment a change put another one in the place of; kept for the timeline and the refunds.
    Column("replaced_at", Instant),
)
Index("ix_booking_segment_booking", booking_segment.c.booking_id)
Index("ix_booking_segment_flight", booking_segment.c.flight_id)
Index(
    "uq_booking_segment_live",
    booking_segment.c.booking_id,
    booking_segment.c.flight_id,
    unique=True,
    postgresql_where=text("replaced_at IS NULL"),
)

passenger = Table(
    "passenger",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("type", String(10), nullable=False),
    Column("title", String(10)),
    Column("given_name", String(60), nullable=False),
    Column("surname", String(60), nullable=False),
    Column("date_of_birth", Date, nullable=False),
    Column("gender", String(12)),
    # Plain: only in rows written before numbers were sealed, until `seal_passports.py` has come to them.
    Column("passport_number", String(20)),
    # The number as it is shown, and as a whole, sealed with TRAVELLER_KEYS (`sealed_passport.py`).
    Column("passport_masked", String(20)),
    Column("passport_sealed", LargeBinary),
    Column("passport_issuing_country", String(2)),
    Column("passport_nationality", String(2)),
    Column("passport_expires_on", Date),
    Column("visas", JSONB, nullable=False, server_default=text("'[]'")),
    Column("email", String(254)),
    Column("phone", String(20)),
    Column("seat_preference", String(8)),
    Column("ssr", ARRAY(String(4)), nullable=False, server_default=text("'{}'")),
    Column("extra_bags", Integer, nullable=False, server_default=text("0")),
    Column("accompanied_by", Uuid, ForeignKey("passenger.id")),
    Column("e_ticket_number", String(13)),
    CheckConstraint("type IN ('adult', 'child', 'infant', 'senior', 'student')", name="type"),
    CheckConstraint("(passport_masked IS NULL) = (passport_sealed IS NULL)", name="passport_sealed"),
    UniqueConstraint("booking_id", "position"),
)
Index("ix_passenger_plain_passport", passenger.c.id, postgresql_where=text("passport_number IS NOT NULL"))

ticket = Table(
    "ticket",
    metadata,
    # Three digits of the airline, ten of the document (IATA Resolution 722f).
    Column("number", String(13), primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("passenger_id", Uuid, ForeignKey("passenger.id"), nullable=False),
    Column("accounting_code", String(3), nullable=False),
    Column("issued_at", Instant, nullable=False),
    CheckConstraint("number ~ '^[0-9]{13}$'", name="number"),
    UniqueConstraint("passenger_id", "accounting_code"),
)
Index("ix_ticket_booking", ticket.c.booking_id)

coupon = Table(
    "coupon",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("passenger_id", Uuid, ForeignKey("passenger.id"), nullable=False),
    Column("segment_id", Uuid, ForeignKey("booking_segment.id"), nullable=False),
    Column("slice_id", Uuid, nullable=False),
    Column("flight_id", Uuid, nullable=False),
    Column("state", String(12), nullable=False),
    Column("seat", String(4)),
    Column("e_ticket_number", String(13)),
    CheckConstraint(_one_of("state", CouponState), name="state"),
    UniqueConstraint("passenger_id", "segment_id"),
)
Index("ix_coupon_booking", coupon.c.booking_id)

charge = Table(
    "charge",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(12), nullable=False),
    Column("payable_until", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("paid_at", Instant),
    Column("payment_id", Uuid, unique=True),
    Column("payment_method", String(12)),
    Column("refunded_minor", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(_one_of("state", ChargeState), name="state"),
    CheckConstraint("kind IN ('initial', 'extras', 'change')", name="kind"),
    CheckConstraint("amount_minor >= 0", name="amount"),
    CheckConstraint("refunded_minor BETWEEN 0 AND amount_minor", name="refunded"),
)
Index("ix_charge_booking", charge.c.booking_id)
Index("uq_charge_initial", charge.c.booking_id, unique=True, postgresql_where=text("kind = 'initial'"))

price_line = Table(
    "price_line",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    # Ids of the same booking, written by the same statement: the foreign key to the booking is the guard that pays
    # its way.
    Column("charge_id", Uuid, nullable=False),
    Column("passenger_id", Uuid, nullable=False),
    Column("segment_id", Uuid, nullable=False),
    Column("flight_id", Uuid, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("code", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    # `none`: a change fee, returned only when the airline is at fault.
    Column("refund_class", String(12), nullable=False),
    # The change that put other lines in the place of this one.
    Column("superseded_by", Uuid),
    CheckConstraint("refund_class IN ('fare', 'airport_tax', 'extra', 'none')", name="refund_class"),
)
Index("ix_price_line_booking", price_line.c.booking_id)

payment_receipt = Table(
    "payment_receipt",
    metadata,
    # What became of each payment heard of, so that a second message about the same one changes nothing.
    Column("payment_id", Uuid, primary_key=True),
    Column("booking_id", Uuid, nullable=False),
    Column("charge_id", Uuid, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("outcome", String(24), nullable=False),
    Column("received_at", Instant, nullable=False),
)
Index("ix_payment_receipt_booking", payment_receipt.c.booking_id)

refund = Table(
    "refund",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("charge_id", Uuid, ForeignKey("charge.id"), nullable=False),
    Column("cancellation_id", Uuid),
    Column("payment_id", Uuid),
    Column("amount_minor", BigInteger, nullable=False),
    Column("fee_minor", BigInteger, nullable=False, server_default=text("0")),
    Column("currency", String(3), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("state", String(12), nullable=False),
    Column("destinations", JSONB, nullable=False, server_default=text("'[]'")),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    CheckConstraint("amount_minor > 0", name="amount"),
    CheckConstraint("state IN ('requested', 'pending', 'succeeded', 'failed')", name="state"),
    CheckConstraint("reason IN ('cancellation', 'disruption', 'late_payment', 'change', 'superseded')", name="reason"),
    # A payment that could not be honoured is given back once.
    UniqueConstraint("payment_id"),
)
Index("ix_refund_booking", refund.c.booking_id)

timeline = Table(
    "timeline",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("booking_id", Uuid, ForeignKey("booking.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", String(16), nullable=False),
    # Facts for support: ids, codes and amounts, never personal data.
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
)
Index("ix_timeline_booking", timeline.c.booking_id, timeline.c.id)

errand = Table(
    "errand",
    metadata,
    # A call to another service that was decided in a commit and is still to be made (house.md, section 3).
    Column("id", Uuid, primary_key=True),
    Column("booking_id", Uuid, nullable=False),
    Column("kind", String(24), nullable=False),
    Column("payload", JSONB, nullable=False, server_default=text("'{}'")),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False),
    Column("last_error", Text),
    CheckConstraint(
        "kind IN ('confirm_hold', 'reinstate_hold', 'release_hold', 'release_promo', 'consume_promo', "
        "'release_rides', 'consume_rides', 'request_refund', 'confirm_change', 'sync_seats')",
        name="kind",
    ),
)
Index("ix_errand_due", errand.c.due_at)
Index("ix_errand_booking", errand.c.booking_id)

lookup_failure = Table(
    "lookup_failure",
    metadata,
    Column("subject", String(120), primary_key=True),
    Column("window_starts", Instant, primary_key=True),
    Column("failures", Integer, nullable=False),
)

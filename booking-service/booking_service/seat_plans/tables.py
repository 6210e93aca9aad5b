"""Seat plans, and who travels on a subscription."""

from sqlalchemy import CheckConstraint, Column, DateTime, Index, Integer, LargeBinary, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from booking_service.seat_plans.plan import PlanState
from booking_service.tables_base import metadata

Instant = DateTime(timezone=True)

seat_plan = Table(
    "seat_plan",
    metadata,
    # payment-service's id of the period.
    Column("id", Uuid, primary_key=True),
    # Null in a tombstone: released before it arrived.
    Column("subscription_id", Uuid),
    Column("user_id", Uuid),
    Column("content", JSONB),
    Column("expires_at", Instant),
    Column("state", String(12), nullable=False),
    # Who drives it now: fencing number and lease, as in placing.
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("lease_until", Instant),
    Column("begun_at", Instant, nullable=False),
    CheckConstraint(f"state IN ({', '.join(repr(str(state)) for state in PlanState)})", name="state"),
    CheckConstraint(
        "state = 'released' OR (subscription_id IS NOT NULL AND user_id IS NOT NULL AND content IS NOT NULL "
        "AND expires_at IS NOT NULL)",
        name="content",
    ),
)
Index("ix_seat_plan_driven", seat_plan.c.lease_until, postgresql_where=text("state IN ('reserving', 'confirming')"))
Index("ix_seat_plan_held", seat_plan.c.expires_at, postgresql_where=text("state = 'held'"))
Index("ix_seat_plan_subscription", seat_plan.c.subscription_id)

kept_traveller = Table(
    "kept_traveller",
    metadata,
    Column("subscription_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    # Passenger and contact as one encrypted value (rihla.encryption), bound to the subscription.
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", Instant, nullable=False),
)
Index("ix_kept_traveller_user", kept_traveller.c.user_id)

"""Queries of seat plans. Whoever moves a plan has its row locked, or is fenced by `attempt`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.placing.compose import Placing
from booking_service.placing.order import Order
from booking_service.seat_plans.plan import PlanState, Ride, SeatPlan

LEASE = timedelta(seconds=60)
"""How long one process may drive a plan: a hundred searches and holds at a slow flight-service's pace."""

_INSERT = text(
    "INSERT INTO seat_plan (id, subscription_id, user_id, content, expires_at, state, lease_until, begun_at) "
    "VALUES (:id, :subscription_id, :user_id, CAST(:content AS jsonb), :expires_at, :state, :lease_until, :now) "
    "ON CONFLICT (id) DO NOTHING RETURNING *"
)
_LOCK = text("SELECT * FROM seat_plan WHERE id = :id FOR UPDATE")
_READ = text("SELECT * FROM seat_plan WHERE id = :id")
_AGAIN = text(
    "UPDATE seat_plan SET state = 'reserving', attempt = attempt + 1, lease_until = :lease_until, begun_at = :now, "
    "subscription_id = :subscription_id, user_id = :user_id, content = CAST(:content AS jsonb), "
    "expires_at = :expires_at WHERE id = :id RETURNING *"
)
_DRIVE = text(
    "UPDATE seat_plan SET state = :state, attempt = attempt + 1, lease_until = :lease_until WHERE id = :id RETURNING *"
)
_END = text(
    "UPDATE seat_plan SET state = :to, lease_until = NULL "
    "WHERE id = :id AND state = :state AND attempt = :attempt RETURNING id"
)
_STEP_BACK = text("UPDATE seat_plan SET lease_until = :now WHERE id = :id AND attempt = :attempt AND state = :state")
_STALLED = text(
    "UPDATE seat_plan SET attempt = attempt + 1, lease_until = :lease_until WHERE id IN ("
    "SELECT id FROM seat_plan WHERE state IN ('reserving', 'confirming') AND lease_until <= :now "
    "ORDER BY lease_until LIMIT :limit FOR UPDATE SKIP LOCKED) RETURNING *"
)
_DUE = text(
    "SELECT id FROM seat_plan WHERE state = 'held' AND expires_at <= :now ORDER BY expires_at "
    "LIMIT :limit FOR UPDATE SKIP LOCKED"
)
_BOOK = text(
    "INSERT INTO booking (id, reference, user_id, state, hold_id, offer_id, payment_required_by, contact_email, "
    "contact_phone, locale, attempt, draft, created_at, subscription_id, seat_plan_id) "
    "VALUES (:id, :reference, :user_id, 'placing', :hold_id, :offer_id, :required_by, :email, :phone, :locale, 1, "
    "CAST(:draft AS jsonb), :now, :subscription_id, :seat_plan_id)"
)
_PLACINGS = text("SELECT * FROM booking WHERE seat_plan_id = :id AND state = 'placing' ORDER BY id")
_REFUSE = text(
    "UPDATE booking SET state = 'refused', draft = NULL, refusal = CAST(:refusal AS jsonb) "
    "WHERE seat_plan_id = :id AND state = 'placing' RETURNING id, hold_id"
)
_BOOKINGS = text("SELECT id FROM booking WHERE seat_plan_id = :id AND state = ANY(CAST(:states AS text[])) ORDER BY id")
_SHOWN = text(
    "SELECT DISTINCT ON (b.id) b.id AS booking_id, b.reference, g.origin, g.destination, g.flight_id, "
    "g.flight_number, g.departure_at FROM booking b "
    "JOIN booking_segment g ON g.booking_id = b.id AND g.replaced_at IS NULL "
    "WHERE b.seat_plan_id = :id AND b.state NOT IN ('placing', 'refused') ORDER BY b.id, g.slice_index, g.segment_index"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A plan as it is stored. `plan` is None for a tombstone."""

    id: UUID
    state: PlanState
    attempt: int
    lease_until: datetime | None
    begun_at: datetime
    plan: SeatPlan | None

    def driven(self, now: datetime) -> bool:
        """Whether some process is on it now."""
        return self.lease_until is not None and self.lease_until > now


def _row(found: Any) -> Row:
    plan = None if found.content is None else _plan(found, found.content)
    return Row(found.id, PlanState(found.state), found.attempt, found.lease_until, found.begun_at, plan)


def _plan(found: Any, content: dict[str, Any]) -> SeatPlan:
    return SeatPlan(
        id=found.id,
        subscription_id=found.subscription_id,
        user_id=found.user_id,
        starts_on=date.fromisoformat(content["starts_on"]),
        ends_on=date.fromisoformat(content["ends_on"]),
        expires_at=found.expires_at,
        cabin=content["cabin"],
        currency=content["currency"],
        rides=tuple(
            Ride(
                weekday=one["weekday"],
                departure_time=time.fromisoformat(one["departure_time"]),
                route=one["route"],
            )
            for one in content["rides"]
        ),
    )


def _values(plan: SeatPlan, now: datetime) -> dict[str, Any]:
    return {
        "id": plan.id,
        "subscription_id": plan.subscription_id,
        "user_id": plan.user_id,
        "content": json.dumps(plan.content()),
        "expires_at": plan.expires_at,
        "lease_until": now + LEASE,
        "now": now,
    }


async def insert(session: AsyncSession, plan: SeatPlan, *, now: datetime) -> Row | None:
    """Begin a plan; None when its id is known."""
    values = {**_values(plan, now), "state": str(PlanState.RESERVING)}
    found = (await session.execute(_INSERT, values)).one_or_none()
    return None if found is None else _row(found)


async def begin_again(session: AsyncSession, plan: SeatPlan, *, now: datetime) -> Row:
    """Begin a plan that was refused: nothing of it was left, so it may be another plan by now."""
    return _row((await session.execute(_AGAIN, _values(plan, now))).one())


async def bury(session: AsyncSession, plan_id: UUID, *, now: datetime) -> bool:
    """Leave a tombstone for a plan that has not arrived; False when it has."""
    values = dict.fromkeys(("subscription_id", "user_id", "content", "expires_at", "lease_until"))
    made = await session.execute(_INSERT, {**values, "id": plan_id, "state": str(PlanState.RELEASED), "now": now})
    return made.one_or_none() is not None


async def lock(session: AsyncSession, plan_id: UUID) -> Row | None:
    """The plan, locked until the transaction ends."""
    found = (await session.execute(_LOCK, {"id": plan_id})).one_or_none()
    return None if found is None else _row(found)


async def read(session: AsyncSession, plan_id: UUID) -> Row | None:
    """The plan as it stands."""
    found = (await session.execute(_READ, {"id": plan_id})).one_or_none()
    return None if found is None else _row(found)


async def take(session: AsyncSession, plan_id: UUID, state: PlanState, *, now: datetime) -> Row:
    """Begin to drive a locked plan in this state: whoever drove it before is fenced off."""
    values = {"id": plan_id, "state": str(state), "lease_until": now + LEASE}
    return _row((await session.execute(_DRIVE, values)).one())


async def end(session: AsyncSession, row: Row, to: PlanState) -> bool:
    """Move a plan on from where `row` saw it. False when another process has taken it over."""
    values = {"id": row.id, "state": str(row.state), "attempt": row.attempt, "to": str(to)}
    return (await session.execute(_END, values)).one_or_none() is not None


async def step_back(session: AsyncSession, row: Row, *, now: datetime) -> None:
    """No answer came: a repeat or the sweeper may go on at once."""
    values = {"id": row.id, "attempt": row.attempt, "state": str(row.state), "now": now}
    await session.execute(_STEP_BACK, values)


async def stalled(session: AsyncSession, *, now: datetime, limit: int) -> list[Row]:
    """Take over plans whose process stopped; several workers never take the same."""
    found = await session.execute(_STALLED, {"now": now, "lease_until": now + LEASE, "limit": limit})
    return [_row(one) for one in found]


async def due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[UUID]:
    """Held plans whose window to pay is over, locked."""
    return (await session.execute(_DUE, {"now": now, "limit": limit})).scalars().all()


async def begin_bookings(session: AsyncSession, plan: SeatPlan, placings: Sequence[Placing]) -> None:
    """The bookings with their ids, seen by nobody yet. They take no place in the traveller's hold budget."""
    rows = [
        {
            "id": one.booking_id,
            "reference": one.reference,
            "user_id": plan.user_id,
            "hold_id": one.hold_id,
            "offer_id": one.order.offer_id,
            "required_by": one.payment_required_by,
            "email": one.order.contact_email,
            "phone": one.order.contact_phone,
            "locale": one.order.locale,
            "draft": msgspec.json.encode(one.order).decode(),
            "now": one.created_at,
            "subscription_id": plan.subscription_id,
            "seat_plan_id": plan.id,
        }
        for one in placings
    ]
    await session.execute(_BOOK, rows)


async def placings_of(session: AsyncSession, plan_id: UUID) -> list[Placing]:
    """The bookings that are begun and not placed."""
    return [
        Placing(
            booking_id=row.id,
            reference=row.reference,
            hold_id=row.hold_id,
            user_id=row.user_id,
            organisation_id=None,
            test_mode=False,
            attempt=row.attempt,
            created_at=row.created_at,
            payment_required_by=row.payment_required_by,
            order=msgspec.convert(row.draft, Order),
        )
        for row in await session.execute(_PLACINGS, {"id": plan_id})
    ]


async def refuse_bookings(session: AsyncSession, plan_id: UUID) -> list[tuple[UUID, UUID]]:
    """End what was begun; the personal data of the drafts goes. (booking id, hold id) of each."""
    found = await session.execute(_REFUSE, {"id": plan_id, "refusal": json.dumps({"kind": "seat_plan"})})
    return [(row.id, row.hold_id) for row in found]


async def bookings_of(session: AsyncSession, plan_id: UUID, *states: str) -> Sequence[UUID]:
    """The plan's bookings in these states, always in the same order: whoever locks them locks them alike."""
    return (await session.execute(_BOOKINGS, {"id": plan_id, "states": list(states)})).scalars().all()


async def shown_bookings(session: AsyncSession, plan_id: UUID) -> list[dict[str, Any]]:
    """The bookings as the answer lists them, in the order they are flown."""
    found = (await session.execute(_SHOWN, {"id": plan_id})).mappings().all()
    listed = [
        {
            "booking_id": row["booking_id"],
            "reference": row["reference"],
            "date": row["departure_at"][:10],
            "route": f"{row['origin']}-{row['destination']}",
            "flight_id": row["flight_id"],
            "flight_number": row["flight_number"],
            "departure_at": row["departure_at"],
        }
        for row in found
    ]
    return sorted(listed, key=lambda one: datetime.fromisoformat(one["departure_at"]))

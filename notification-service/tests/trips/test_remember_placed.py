"""Bookings that were just placed are remembered in groups, as the handler of every other event would."""

import asyncio
from typing import Any

import pytest

from notification_service.trips.consumers import TripConsumers
from rihla.contracts.events import Envelope, FlightDelayedV1
from rihla.kernel import new_id

_STORED = (
    "SELECT t.booking_id, t.user_id, t.reference, t.sequence, t.status, t.payment_required_by, t.facts, t.ends_at, "
    "f.flight_id, f.departs_at, f.departed FROM trip t LEFT JOIN trip_flight f ON f.booking_id = t.booking_id "
    "ORDER BY t.booking_id, f.flight_id"
)


def _told(trip: Any, clock: Any, *, sequence: int = 1, **changes: Any) -> Envelope:
    event = trip.created(clock.now()).model_copy(update=changes)
    return Envelope.of(event, subject=str(event.booking_id), sequence=sequence, time=clock.now())


async def test_both_ways_store_the_same(stack: Any, trip: Any, clock: Any) -> None:
    late = FlightDelayedV1(**trip.news(clock.now(), arrival_at=trip.departure_at, delay_minutes=45))
    await stack.hear(late, subject=trip.flight_id)
    envelope = _told(trip, clock)
    assert await stack.consumer.handle(envelope) == "handled"
    grouped = await stack.rows(_STORED)
    await stack.rows("DELETE FROM trip RETURNING 1")
    async with stack.container.db.transaction() as session:
        await TripConsumers(stack.container.teller, clock).on_booking(session, envelope)
    assert await stack.rows(_STORED) == grouped != []


async def test_many_at_once_and_their_repeats_are_each_remembered_once(stack: Any, trip: Any, clock: Any) -> None:
    told = [_told(trip, clock, booking_id=new_id()) for _ in range(40)]
    outcomes = await asyncio.gather(*(stack.consumer.handle(one) for one in [*told, *told]))
    assert sorted(outcomes) == ["handled"] * 40 + ["repeated"] * 40
    assert len(await stack.rows(_STORED)) == 40
    assert len(await stack.rows("SELECT 1 FROM inbox")) == 40


async def test_what_is_known_already_is_not_made_older(stack: Any, trip: Any, clock: Any) -> None:
    await stack.hear(trip.confirmed(), subject=trip.booking_id, sequence=2)
    known = await stack.rows(_STORED)
    assert await stack.consumer.handle(_told(trip, clock)) == "handled"
    assert await stack.rows(_STORED) == known


async def test_one_that_does_not_fit_fails_alone(stack: Any, trip: Any, clock: Any) -> None:
    good = [_told(trip, clock, booking_id=new_id()) for _ in range(5)]
    bad = _told(trip, clock, booking_id=new_id(), reference="far too long a reference")
    outcomes = await asyncio.gather(*(stack.consumer.handle(one) for one in [*good, bad]), return_exceptions=True)
    assert outcomes[:5] == ["handled"] * 5
    assert isinstance(outcomes[5], Exception)
    assert len(await stack.rows(_STORED)) == 5


@pytest.mark.parametrize("changes", [{"organisation_id": new_id()}, {"segments": ()}])
async def test_what_is_not_plain_goes_the_way_of_every_other_event(
    stack: Any, trip: Any, clock: Any, changes: dict[str, Any]
) -> None:
    assert await stack.consumer.handle(_told(trip, clock, **changes)) == "handled"
    (kept,) = await stack.rows("SELECT status, facts FROM trip")
    assert kept.status == "pending_payment"
    assert await stack.consumer.handle(_told(trip, clock, sequence=3, locale="bn")) == "handled"
    (newer,) = await stack.rows("SELECT facts FROM trip")
    assert newer.facts["locale"] == "bn"

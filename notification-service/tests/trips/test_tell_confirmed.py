"""Bookings that were just confirmed are remembered and told of in groups, as the handlers of other events would."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from notification_service.bootstrap import open_container
from notification_service.consuming import consumer_of
from notification_service.trips.consumers import TripConsumers
from notification_service.trips.documents import remember_documents
from rihla.contracts.events import BookingCancelledV1, Envelope, FlightDelayedV1, UserDeletedV1
from rihla.contracts.events.booking import ContactFact
from rihla.kernel import new_id
from rihla.testing import eventually

_TRIPS = (
    "SELECT t.booking_id, t.user_id, t.reference, t.sequence, t.status, t.payment_required_by, t.facts, t.ends_at, "
    "t.short_passport, t.short_visa, f.flight_id, f.departs_at, f.departed "
    "FROM trip t LEFT JOIN trip_flight f ON f.booking_id = t.booking_id "
    "ORDER BY t.booking_id, f.flight_id"
)
_TOLD = (
    "SELECT n.fact, n.user_id, n.kind, n.locale, n.booking_id, n.facts, n.created_at, d.channel, d.address, "
    "d.message_id, d.state, d.waits_for, d.waits_after, d.booking_id, d.due_at, d.created_at "
    "FROM notice n LEFT JOIN delivery d ON d.notice_id = n.id ORDER BY n.fact, d.channel, d.address"
)
_TURN = "hashtextextended(CAST(CAST(:booking_id AS uuid) AS text), 77)"
_TAKE = f"SELECT pg_advisory_xact_lock({_TURN})"
_HELD = (
    "SELECT l.granted FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid <> :pid "
    f"AND (CAST(l.classid AS bigint) << 32) | CAST(l.objid AS bigint) = {_TURN}"
)


def _told(trip: Any, clock: Any, *, sequence: int = 2, **changes: Any) -> Envelope:
    event = trip.confirmed().model_copy(update=changes)
    return Envelope.of(event, subject=str(event.booking_id), sequence=sequence, time=clock.now())


def _many(trip: Any, clock: Any, number: int) -> list[Envelope]:
    return [_told(trip, clock, booking_id=new_id(), user_id=new_id()) for _ in range(number)]


async def _states(stack: Any) -> list[str | None]:
    return [row.state for row in await stack.rows(_TOLD)]


async def test_both_ways_store_the_same(stack: Any, trip: Any, clock: Any) -> None:
    late = FlightDelayedV1(**trip.news(clock.now(), arrival_at=trip.departure_at, delay_minutes=45))
    await stack.hear(late, subject=trip.flight_id)
    await stack.rows(
        "INSERT INTO device (id, user_id, platform, token, registered_at) "
        "VALUES (:id, :user_id, 'android', 'a-token', now()) RETURNING 1",
        id=new_id(),
        user_id=trip.user_id,
    )
    await stack.rows(
        "INSERT INTO preference (user_id, channels, quiet_from, quiet_to, time_zone, locale, updated_at) "
        "VALUES (:user_id, CAST(:channels AS jsonb), '13:00', '15:00', 'Asia/Dhaka', 'bn', now()) RETURNING 1",
        user_id=trip.user_id,
        channels='{"booking": ["sms", "push"]}',
    )
    trip.phone = "+8801712345678"
    envelope = _told(trip, clock)
    assert await stack.consumer.handle(envelope) == "handled"
    grouped = await stack.rows(_TRIPS), await stack.rows(_TOLD)
    assert {row.channel for row in grouped[1]} == {"email", "sms", "push"}
    await stack.rows("DELETE FROM trip RETURNING 1")
    await stack.rows("DELETE FROM notice RETURNING 1")
    async with stack.container.db.transaction() as session:
        await TripConsumers(stack.container.teller, clock).on_booking(session, envelope)
    assert (await stack.rows(_TRIPS), await stack.rows(_TOLD)) == grouped


async def test_many_at_once_and_their_repeats_are_each_told_once(stack: Any, trip: Any, clock: Any) -> None:
    told = _many(trip, clock, 40)
    outcomes = await asyncio.gather(*(stack.consumer.handle(one) for one in [*told, *told]))
    assert sorted(outcomes) == ["handled"] * 40 + ["repeated"] * 40
    assert len(await stack.rows(_TRIPS)) == 40
    assert await _states(stack) == ["waiting"] * 40
    assert len(await stack.rows("SELECT 1 FROM inbox")) == 40


async def test_an_old_event_in_a_group_changes_nothing_and_is_told_only_while_it_is_true(
    stack: Any, trip: Any, clock: Any
) -> None:
    cancelled, moved, plain = (type(trip)() for _ in range(3))
    whole = BookingCancelledV1(**cancelled.common(), cancelled_at=clock.now())
    await stack.hear(whole, subject=cancelled.booking_id, sequence=4)
    await stack.consumer.handle(_told(moved, clock, sequence=3, locale="bn"))
    known = await stack.rows(_TRIPS)
    await stack.rows("DELETE FROM notice WHERE kind = 'booking_confirmed' RETURNING 1")
    told = [_told(one, clock) for one in (cancelled, moved, plain)]
    assert await asyncio.gather(*map(stack.consumer.handle, told)) == ["handled"] * 3
    assert [row for row in await stack.rows(_TRIPS) if row.booking_id != plain.booking_id] == known
    confirmed = {row.booking_id for row in await stack.rows(_TOLD) if row.kind == "booking_confirmed"}
    assert confirmed == {moved.booking_id, plain.booking_id}


async def test_whoever_is_not_known_yet_is_told_where_the_booking_says_and_sees_it_anyway(
    stack: Any, trip: Any, clock: Any
) -> None:
    nowhere = _told(trip, clock, booking_id=new_id(), user_id=new_id(), contact=ContactFact())
    await asyncio.gather(*map(stack.consumer.handle, [_told(trip, clock), nowhere]))
    addresses = {row.user_id: row.address for row in await stack.rows(_TOLD)}
    assert addresses == {trip.user_id: trip.email, UUID(nowhere.data["user_id"]): None}


async def test_nobody_who_was_erased_is_told(stack: Any, trip: Any, clock: Any) -> None:
    await stack.hear(UserDeletedV1(user_id=trip.user_id, deleted_at=clock.now()), subject=trip.user_id)
    (other,) = _many(trip, clock, 1)
    await asyncio.gather(*map(stack.consumer.handle, [_told(trip, clock), other]))
    assert [row.booking_id for row in await stack.rows(_TOLD)] == [UUID(other.subject)]
    assert len(await stack.rows(_TRIPS)) == 2


async def test_one_that_does_not_fit_fails_alone(stack: Any, trip: Any, clock: Any) -> None:
    good = _many(trip, clock, 5)
    bad = _told(trip, clock, reference="far too long a reference")
    outcomes = await asyncio.gather(*map(stack.consumer.handle, [*good, bad]), return_exceptions=True)
    assert outcomes[:5] == ["handled"] * 5
    assert isinstance(outcomes[5], Exception)
    assert len(await stack.rows(_TRIPS)) == 5
    assert await _states(stack) == ["waiting"] * 5
    assert await stack.consumer.handle(_told(trip, clock)) == "handled"


async def test_flights_the_booking_no_longer_has_are_forgotten(stack: Any, trip: Any, clock: Any) -> None:
    await stack.hear(trip.created(clock.now()), subject=trip.booking_id)
    (other,) = _many(trip, clock, 1)
    await stack.consumer.handle(other)
    trip.flight_id = new_id()
    await stack.consumer.handle(_told(trip, clock))
    flights = {row.booking_id: row.flight_id for row in await stack.rows(_TRIPS)}
    assert flights[trip.booking_id] == trip.flight_id
    assert flights[UUID(other.subject)] != trip.flight_id


async def test_two_processes_with_the_same_bookings_in_opposite_order_tell_each_once(
    stack: Any, trip: Any, clock: Any
) -> None:
    told = _many(trip, clock, 24)
    created = [_created(one, clock) for one in told]
    ready = [_ready(trip, one, clock) for one in told]
    async with open_container(stack.container.settings, clock) as second:
        other = consumer_of(second)
        outcomes = await asyncio.gather(
            *(stack.consumer.handle(one) for one in told),
            *(other.handle(one) for one in reversed(told)),
            *(stack.consumer.handle(one) for one in reversed(created)),
            other.handle_all(ready),
        )
    assert sorted(outcomes[:48]) == ["handled"] * 24 + ["repeated"] * 24
    assert outcomes[48:] == ["handled"] * 24 + [["handled"] * 24]
    assert {row.status for row in await stack.rows(_TRIPS)} == {"confirmed"}
    # Whichever came first: a mail and its documents have always seen each other.
    assert await _states(stack) == ["queued"] * 24


async def test_one_connection_is_enough_for_both_groups(stack: Any, trip: Any, clock: Any) -> None:
    told = _many(trip, clock, 4)
    events = [event for one in told for event in (_created(one, clock), one)]
    settings = stack.container.settings.model_copy(update={"db_pool_size": 1})
    async with open_container(settings, clock) as narrow:
        consumer = consumer_of(narrow)
        assert await asyncio.gather(*map(consumer.handle, events)) == ["handled"] * 8
    assert {row.status for row in await stack.rows(_TRIPS)} == {"confirmed"}


def _created(confirmed: Envelope, clock: Any) -> Envelope:
    data = {**confirmed.data, "payment_required_by": clock.now().isoformat()}
    return confirmed.model_copy(update={"id": new_id(), "type": "booking.created.v1", "sequence": 1, "data": data})


def _ready(trip: Any, confirmed: Envelope, clock: Any) -> Envelope:
    booking_id = UUID(confirmed.subject)
    event = trip.ready(f"bookings/{booking_id}/t.pdf").model_copy(update={"booking_id": booking_id})
    return Envelope.of(event, subject=str(booking_id), sequence=3, time=clock.now())


def _grouped(stack: Any, told: Sequence[Envelope]) -> Awaitable[Any]:
    return asyncio.gather(*map(stack.consumer.handle, told))


def _together(stack: Any, told: Sequence[Envelope]) -> Awaitable[Any]:
    outcomes: Awaitable[Any] = stack.consumer.handle_all(told)
    return outcomes


@pytest.mark.parametrize(
    ("way", "of"),
    [
        (_grouped, lambda trip, one, clock: one),
        (_grouped, lambda trip, one, clock: _created(one, clock)),
        (_together, _ready),
    ],
    ids=["confirmed", "created", "documents ready"],
)
async def test_turns_are_taken_in_the_order_of_the_bookings(
    stack: Any, trip: Any, clock: Any, way: Callable[..., Awaitable[Any]], of: Callable[..., Envelope]
) -> None:
    told = [of(trip, one, clock) for one in _many(trip, clock, 6)]
    bookings = sorted(UUID(one.subject) for one in told)

    async def turns(but_of: int) -> list[list[bool]]:
        return [[row.granted for row in await stack.rows(_HELD, booking_id=one, pid=but_of)] for one in bookings]

    async with stack.container.db.transaction() as session:
        ours = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await session.execute(text(_TAKE), {"booking_id": bookings[3]})
        handled = asyncio.ensure_future(way(stack, list(reversed(told))))
        await eventually(lambda: _is_waiting(stack, bookings[3], ours))
        assert await turns(ours) == [[True]] * 3 + [[False]] + [[]] * 2
    assert list(await handled) == ["handled"] * 6


async def test_a_mail_sees_the_documents_that_came_while_it_waited_for_its_turn(
    stack: Any, trip: Any, clock: Any
) -> None:
    ready = trip.ready("bookings/x/t.pdf")
    async with stack.container.db.transaction() as session:
        ours = (await session.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await remember_documents(
            session, trip.booking_id, "confirmed", ready.documents, sequence=3, now=clock.now() - timedelta(seconds=1)
        )
        handled = asyncio.ensure_future(stack.consumer.handle(_told(trip, clock)))
        await eventually(lambda: _is_waiting(stack, trip.booking_id, ours))
    assert await handled == "handled"
    assert await _states(stack) == ["queued"]


async def _is_waiting(stack: Any, booking_id: UUID, but: int) -> bool:
    """Whether somebody waits for this booking's turn."""
    return [row.granted for row in await stack.rows(_HELD, booking_id=booking_id, pid=but)] == [False]

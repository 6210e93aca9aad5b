"""Payments that wait together share statements and commits, and each ends as if it had come alone."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from booking_service.bookings.errands import LEASE, ErrandRunner
from booking_service.settling.paid_store import ACCEPT, accept_values
from booking_service.settling.rules import Paid
from rihla.contracts.events import Envelope
from rihla.kernel import new_id
from rihla.testing import eventually


async def _hear_together(house: Any, *payments: Any) -> None:
    """Deliver them at one instant, so that they wait together, and make the calls they decided on."""
    await asyncio.gather(*(house.hear(one) for one in payments))
    await house.worker.errands.run_due()


async def test_one_group_of_an_ordinary_a_repeated_a_late_and_a_lost_payment_has_four_ends(house: Any) -> None:
    late = await house.place()
    house.clock.advance(timedelta(minutes=15))
    assert await house.worker.expiry.expire_due() == 1
    await house.worker.errands.run_due()
    ordinary, repeated, lost = [await house.place() for _ in range(3)]
    flight_id = lost["slices"][0]["segments"][0]["flight_id"]
    (hold,) = [one.id for one in house.flight.holds.values() if flight_id in house.flight._flight_ids(one)]
    house.flight.expire(hold)
    house.flight.flights[flight_id].free = 0

    twice = [house.payment_of(repeated) for _ in range(2)]
    await _hear_together(house, house.payment_of(ordinary), *twice, house.payment_of(late), house.payment_of(lost))

    ends = [(await house.read(one["id"]))["status"] for one in (ordinary, repeated, late, lost)]
    assert ends == ["confirmed", "confirmed", "confirmed", "expired"]
    given_back = [one["amount_minor"] for one in house.payment.refunds.values()]
    assert given_back == [48_717, 48_717], "the second payment of one booking, and the one of the lost seats"
    assert len(await house.events("booking.confirmed.v1")) == 3
    assert len(await house.rows("SELECT number FROM ticket")) == 3
    assert await house.rows("SELECT 1 FROM errand") == []


async def test_a_payment_the_database_refuses_does_not_take_its_group_with_it(house: Any, monkeypatch: Any) -> None:
    bookings = [await house.place() for _ in range(4)]
    await house.rows("ALTER TABLE charge ADD CONSTRAINT no_coins CHECK (payment_method <> 'coins')")
    payments = [house.payment_of(one, method="coins" if at == 2 else "card") for at, one in enumerate(bookings)]
    outcomes = await asyncio.gather(*(house.hear(one) for one in payments), return_exceptions=True)
    assert [isinstance(one, asyncpg.CheckViolationError) for one in outcomes] == [False, False, True, False]
    await house.worker.errands.run_due()
    states = [(await house.read(one["id"]))["status"] for one in bookings]
    assert states == ["confirmed", "confirmed", "pending_payment", "confirmed"]


async def test_a_group_whose_process_died_before_it_asked_for_the_seats_is_confirmed_by_another(
    house: Any, monkeypatch: Any
) -> None:
    bookings = [await house.place() for _ in range(3)]
    with monkeypatch.context() as crash:
        crash.setattr(ErrandRunner, "_start", lambda *_: asyncio.get_running_loop().create_future())
        await _hear_together(house, *(house.payment_of(one) for one in bookings))
    assert {one.status for one in house.flight.holds.values()} == {"held"}
    assert await house.worker.errands.run_due() == 0, "the errands are leased to the process that died"
    house.clock.advance(LEASE)
    assert await house.worker.errands.run_due() == 3
    await _all_confirmed_once(house, bookings)


async def test_a_group_whose_process_died_after_the_seats_were_sold_is_confirmed_by_another(
    house: Any, monkeypatch: Any
) -> None:
    bookings = [await house.place() for _ in range(3)]

    async def died(*_: Any, **__: Any) -> Any:
        raise ConnectionError("the process died here")

    with monkeypatch.context() as crash:
        crash.setattr(house.worker.payments._storing, "execute", died)
        await _hear_together(house, *(house.payment_of(one) for one in bookings))
    assert {one.status for one in house.flight.holds.values()} == {"confirmed"}
    assert {(await house.read(one["id"]))["status"] for one in bookings} == {"pending_payment"}
    house.clock.advance(timedelta(minutes=1))
    assert await house.worker.errands.run_due() == 3
    await _all_confirmed_once(house, bookings)


async def _all_confirmed_once(house: Any, bookings: Any) -> None:
    assert {(await house.read(one["id"]))["status"] for one in bookings} == {"confirmed"}
    assert len(await house.events("booking.confirmed.v1")) == len(bookings)
    assert len(await house.rows("SELECT 1 FROM ticket")) == len(bookings)
    assert await house.rows("SELECT 1 FROM errand") == []


@pytest.mark.parametrize("guarded", [True, False])
async def test_a_booking_that_expires_while_its_payment_waits_is_not_confirmed_behind_the_expiry(
    house: Any, guarded: bool
) -> None:
    """Control: without the look at the state of the locked row, a booking that has just expired is being confirmed."""
    booking = await house.place()
    event = house.payment_of(booking)
    house.clock.advance(timedelta(minutes=15))
    now = house.clock.now()
    statement = (
        ACCEPT
        if guarded
        else ACCEPT.replace("b.state = (SELECT 'pending_payment') AND b.step IS NULL AND", "")
        .replace("AND h.kind = 'initial'\n    AND h.state = 'due'", "AND h.kind = 'initial'")
        .replace("AND charge.state = 'due'", "")
    )
    envelope = Envelope.of(event, subject=booking["id"], sequence=1, time=now)
    paid = Paid(event.payment_id, event.charge_id, event.amount_minor, event.currency, event.method)
    values = accept_values(
        envelope, "booking", event.booking_id, paid, errand_id=new_id(), lease_until=now + LEASE, now=now
    )
    pool = await house.worker.c.db.asyncpg_pool()
    async with house.worker.c.db.transaction() as session:
        await session.execute(
            text("UPDATE booking SET state = 'expired', expired_at = now() WHERE id = :id"), {"id": event.booking_id}
        )
        await session.execute(text("UPDATE charge SET state = 'void' WHERE booking_id = :id"), {"id": event.booking_id})
        accepting = asyncio.create_task(pool.fetchval(statement, *values))
        await eventually(lambda: _waits(house), timeout=60, what="the payment waits for the expiry")
    accepted = await accepting
    assert (accepted is None) is guarded


async def _waits(house: Any) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return bool(await house.rows(waiting))

"""Placing while others are down, slow, or answer into nothing: every booking ends in a state that is true."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from booking_service.placing import drive_placing, place_booking
from rihla.kernel import new_id
from rihla.testing import eventually


async def _state(house: Any) -> str:
    (row,) = await house.rows("SELECT state FROM booking")
    return str(row["state"])


async def test_with_flight_service_down_the_caller_hears_503_and_a_repeat_finishes_the_same_booking(house: Any) -> None:
    body = house.body()
    house.flight.wire.down = True
    answer = await house.post("/v1/bookings", body, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
    assert "retry-after" in answer.headers
    (row,) = await house.rows("SELECT id, hold_id FROM booking")
    house.flight.wire.down = False
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert again.json()["id"] == str(row["id"])
    assert list(house.flight.holds) == [str(row["hold_id"])]


async def test_an_answer_that_was_lost_after_the_hold_ends_in_one_booking_with_one_hold(house: Any) -> None:
    body = house.body()
    house.flight.wire.lose_answers_of = "PUT"
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 503
    house.flight.wire.lose_answers_of = ""
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert len(house.flight.holds) == 1
    assert {flight.free for flight in house.flight.flights.values()} == {99}


async def test_the_sweeper_finishes_what_an_outage_stopped_and_the_repeat_gets_that_booking(house: Any) -> None:
    body = house.body()
    house.flight.wire.down = True
    await house.post("/v1/bookings", body, key="k1")
    house.flight.wire.down = False
    assert await house.worker.placings.sweep() == 1
    assert await _state(house) == "pending_payment"
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert len(house.flight.holds) == 1
    assert len(await house.events("booking.created.v1")) == 1


async def test_after_its_patience_the_sweeper_releases_by_tombstone_and_a_repeat_begins_anew(house: Any) -> None:
    body = house.body()
    house.flight.wire.down = True
    await house.post("/v1/bookings", body, key="k1")
    house.clock.advance(timedelta(seconds=100))
    await house.worker.placings.sweep()
    assert await _state(house) == "refused"
    house.flight.wire.down = False
    house.clock.advance(timedelta(minutes=2))
    await house.worker.errands.run_due()
    (tombstone,) = house.flight.holds.values()
    assert tombstone.tombstone
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert len(house.flight.holds) == 2
    assert {flight.free for flight in house.flight.flights.values()} == {99}


async def test_a_process_that_died_after_the_first_commit_is_finished_by_the_sweeper(
    house: Any, monkeypatch: Any
) -> None:
    class Died(BaseException):
        pass

    async def die(*_: Any, **__: Any) -> Any:
        raise Died

    monkeypatch.setattr(place_booking, "drive", die)
    with contextlib.suppress(Died):
        await house.post("/v1/bookings", house.body(), key="k1")
    assert await house.worker.placings.sweep() == 0, "its lease still runs"
    house.clock.advance(timedelta(seconds=16))
    assert await house.worker.placings.sweep() == 1
    assert await _state(house) == "pending_payment"


async def test_a_process_that_died_after_the_hold_is_finished_with_the_same_hold(house: Any, monkeypatch: Any) -> None:
    class Died(BaseException):
        pass

    async def die(*_: Any, **__: Any) -> Any:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(drive_placing, "_store", die)
        with contextlib.suppress(Died):
            await house.post("/v1/bookings", house.body(), key="k1")
    house.clock.advance(timedelta(seconds=16))
    await house.worker.placings.sweep()
    assert await _state(house) == "pending_payment"
    assert len(house.flight.holds) == 1


async def test_a_slow_process_that_lost_its_lease_stores_nothing_twice(house: Any) -> None:
    body = house.body()
    house.flight.wire.gate = asyncio.Event()
    slow = asyncio.create_task(house.post("/v1/bookings", body, key="k1"))
    await eventually(lambda: house.flight.wire.calls)
    house.clock.advance(timedelta(seconds=16))
    sweep = asyncio.create_task(house.worker.placings.sweep())
    await eventually(lambda: len(house.flight.wire.calls) > 1)
    house.flight.wire.gate.set()
    await sweep
    answer = await slow
    assert answer.status_code in {201, 409}
    assert len(await house.events("booking.created.v1")) == 1
    assert len(await house.rows("SELECT 1 FROM charge")) == 1
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201


async def test_two_sweepers_never_take_the_same_placing(house: Any) -> None:
    house.flight.wire.down = True
    for _ in range(6):
        await house.post("/v1/bookings", house.body(), key=str(new_id()))
    house.flight.wire.down = False
    taken = await asyncio.gather(*(house.worker.placings.sweep() for _ in range(4)))
    assert sum(taken) == 6
    assert len(await house.events("booking.created.v1")) == 6


async def test_an_offer_that_expired_while_nobody_drove_ends_the_placing_and_the_repeat_hears_why(house: Any) -> None:
    body = house.body()
    house.flight.wire.down = True
    await house.post("/v1/bookings", body, key="k1")
    house.flight.wire.down = False
    house.clock.advance(timedelta(minutes=21))
    await house.worker.placings.sweep()
    answer = await house.post("/v1/bookings", body, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (410, "offer-expired")


async def test_with_payment_service_down_a_promo_booking_waits_and_is_finished_later(house: Any) -> None:
    house.payment.add_code("SPRING", 1_000, uses=1)
    body = house.body(promo_code="SPRING")
    house.payment.wire.lose_answers_of = "promo-uses"
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 503
    house.payment.wire.lose_answers_of = ""
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert house.payment.codes["SPRING"]["uses"] == 0
    assert again.json()["price"]["discount"]["amount"] == "-10.00"


async def test_where_too_many_wait_a_buyer_is_told_when_to_come_again_and_nothing_is_left(house: Any) -> None:
    desk = house.app.state.container.placings
    desk._begin._writer._longest_queue = 0
    body = house.body()
    answer = await house.post("/v1/bookings", body, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert await house.rows("SELECT 1 FROM booking") == await house.rows("SELECT 1 FROM idempotency_key") == []
    desk._begin._writer._longest_queue = 5_000
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 201


async def test_a_buyer_who_meets_the_full_line_after_the_hold_comes_again_to_the_same_seats(house: Any) -> None:
    desk = house.app.state.container.placings
    desk._place._writer._longest_queue = 0
    body = house.body()
    assert (await house.post("/v1/bookings", body, key="k1")).status_code == 429
    desk._place._writer._longest_queue = 5_000
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 201
    assert len(house.flight.holds) == 1
    assert {flight.free for flight in house.flight.flights.values()} == {99}

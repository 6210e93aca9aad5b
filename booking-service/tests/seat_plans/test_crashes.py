"""A process that stops between any two steps of a seat plan: a repeat or the sweeper goes on, or gives all back."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from booking_service.seat_plans import confirm_plan, drive_plan, reserve_plan
from rihla.kernel import new_id


class Died(BaseException):
    """The process is gone."""


async def _die(*_: Any, **__: Any) -> Any:
    raise Died


STEPS = {
    "after the plan is stored": (reserve_plan, "drive"),
    "after the flights are found": (drive_plan.store, "begin_bookings"),
    "after the bookings are stored": (drive_plan, "_hold_all"),
    "after every hold": (drive_plan, "_place_all"),
}


async def _put_and_die(plans: Any, monkeypatch: Any, step: str) -> tuple[Any, Any]:
    plan_id, body = new_id(), plans.body()
    module, name = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(module, name, _die)
        with contextlib.suppress(Died):
            await plans.put(plan_id, body)
    return plan_id, body


@pytest.mark.parametrize("step", STEPS)
async def test_the_sweeper_reserves_what_a_crash_left_once(house: Any, plans: Any, monkeypatch: Any, step: str) -> None:
    out, back = plans.flights()
    plan_id, body = await _put_and_die(plans, monkeypatch, step)
    assert await house.worker.seat_plans.sweep() == 0, "its lease still runs"
    assert (await plans.call("GET", str(plan_id))).status_code == 404
    house.clock.advance(timedelta(seconds=61))
    assert await house.worker.seat_plans.sweep() == 1
    assert (await plans.call("GET", str(plan_id))).json()["status"] == "held"
    again = await plans.put(plan_id, {**body, "traveller": None})
    assert (again.status_code, len(again.json()["bookings"])) == (200, 2)
    assert (out.free, back.free, len(house.flight.holds)) == (4, 4, 2)


@pytest.mark.parametrize("step", STEPS)
async def test_a_release_after_a_crash_leaves_nothing_held(house: Any, plans: Any, monkeypatch: Any, step: str) -> None:
    out, back = plans.flights()
    plan_id, _ = await _put_and_die(plans, monkeypatch, step)
    assert (await plans.release(plan_id)).json()["status"] == "released"
    house.clock.advance(timedelta(seconds=61))
    await house.worker.seat_plans.sweep()
    await house.worker.errands.run_due()
    assert (out.free, back.free, plans.taken()) == (5, 5, 0)


async def test_a_repeat_goes_on_at_once_after_an_outage_and_the_sweeper_gives_up_after_its_patience(
    house: Any, plans: Any
) -> None:
    out, back = plans.flights()
    plan_id, body = new_id(), plans.body()
    house.flight.wire.lose_answers_of = "PUT"
    assert (await plans.put(plan_id, body)).status_code == 503
    house.flight.wire.lose_answers_of = ""
    assert (await plans.put(plan_id, {**body, "traveller": None})).status_code == 201
    assert (out.free, back.free, len(house.flight.holds)) == (4, 4, 2)
    other = new_id()
    house.flight.wire.lose_answers_of = "PUT"
    assert (await plans.put(other, plans.body())).status_code == 503
    house.clock.advance(timedelta(seconds=100))
    await house.worker.seat_plans.sweep()
    house.flight.wire.lose_answers_of = ""
    await house.worker.errands.run_due()
    assert (await plans.call("GET", str(other))).status_code == 404
    assert (out.free, back.free) == (4, 4)


async def test_a_slow_process_that_lost_its_lease_places_nothing(house: Any, plans: Any, monkeypatch: Any) -> None:
    plans.flights()
    plan_id = new_id()
    place_all = drive_plan._place_all

    async def late(*args: Any) -> None:
        monkeypatch.setattr(drive_plan, "_place_all", place_all)
        house.clock.advance(timedelta(seconds=61))
        await house.worker.seat_plans.sweep()
        await place_all(*args)

    monkeypatch.setattr(drive_plan, "_place_all", late)
    answer = await plans.put(plan_id, plans.body())
    assert (answer.status_code, answer.json()["code"]) == (409, "request-in-progress")
    assert len(await house.rows("SELECT 1 FROM charge")) == 2
    assert (await plans.call("GET", str(plan_id))).json()["status"] == "held"


@pytest.mark.parametrize("name", ["drive_confirming", "_store_confirmed"])
async def test_the_sweeper_confirms_what_a_crash_left_once(house: Any, plans: Any, monkeypatch: Any, name: str) -> None:
    plans.flights()
    plan = await plans.held()
    with monkeypatch.context() as patch:
        patch.setattr(confirm_plan, name, _die)
        with contextlib.suppress(Died):
            await plans.confirm(plan["id"])
    assert await plans.states() == ["pending_payment", "pending_payment"]
    house.clock.advance(timedelta(seconds=61))
    assert await house.worker.seat_plans.sweep() == 1
    assert await plans.states() == ["confirmed", "confirmed"]
    assert len(await house.events("booking.confirmed.v1")) == 2
    assert (await plans.confirm(plan["id"])).json()["status"] == "confirmed"


async def test_with_flight_service_down_a_paid_plan_waits_and_is_confirmed_later(house: Any, plans: Any) -> None:
    plans.flights()
    plan = await plans.held()
    house.flight.wire.down = True
    assert (await plans.confirm(plan["id"])).status_code == 503
    house.clock.advance(timedelta(minutes=5))
    await house.worker.seat_plans.sweep()
    assert await plans.states() == ["pending_payment", "pending_payment"]
    house.flight.wire.down = False
    house.clock.advance(timedelta(seconds=61))
    await house.worker.seat_plans.sweep()
    assert await plans.states() == ["confirmed", "confirmed"]


async def test_a_release_during_the_confirmation_wins_and_frees_what_was_sold(
    house: Any, plans: Any, monkeypatch: Any
) -> None:
    out, back = plans.flights()
    plan = await plans.held()
    store_confirmed = confirm_plan._store_confirmed

    async def late(*args: Any) -> None:
        await plans.release(plan["id"])
        await store_confirmed(*args)

    monkeypatch.setattr(confirm_plan, "_store_confirmed", late)
    assert (await plans.confirm(plan["id"])).status_code == 409
    await house.worker.errands.run_due()
    assert (out.free, back.free) == (5, 5)
    assert await plans.states() == ["cancelled", "cancelled"]
    assert await house.events("booking.confirmed.v1") == []

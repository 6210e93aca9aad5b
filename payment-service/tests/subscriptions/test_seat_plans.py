"""Standing seats: held before the money, confirmed after it, released without it, whatever stops on the way."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payment_service.ledger import accounts
from payment_service.payments.pay import Till
from payment_service.subscriptions.renew import renew_due
from payment_service.subscriptions.seat_plan_client import SeatPlanClient
from payment_service.subscriptions.seats import Seats, drive_seat_plans
from rihla.kernel import new_id

Stack = Any
MONDAY = {"weekday": 1, "departure_time": "08:30:00", "route": "DAC-CXB"}
TRAVELLER = {
    "passenger": {"type": "adult", "given_name": "Nasreen", "surname": "Begum", "date_of_birth": "1988-04-01"},
    "contact": {"email": "nasreen@example.com"},
}


def card(number: str = "4242424242424242") -> dict[str, Any]:
    data = {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"}
    return {"type": "card", "provider": "sandbox", "card": data}


async def order(stack: Stack, **changes: Any) -> dict[str, Any]:
    """A plan of eight rides and the wish for one on Mondays: four in December 2026."""
    body = {
        "code": "COAST-8", "name": "Eight rides", "kind": "rides", "rides_per_period": 8, "routes": ["DAC-CXB"],
        "price": {"amount": "320.00", "currency": "USD"},
    }  # fmt: skip
    admin = stack.person(new_id(), roles=("admin",))
    plan = (await stack.client.post("/v1/admin/subscription-plans", json=body, headers=admin)).json()
    return {"plan_id": plan["id"], "rides": [MONDAY], "traveller": TRAVELLER, "method": card(), **changes}


async def buy(stack: Stack, headers: dict[str, str], body: dict[str, Any]) -> Any:
    return await stack.client.post("/v1/subscriptions", json=body, headers=headers)


async def drive(stack: Stack) -> None:
    while await drive_seat_plans(stack.container.seats):
        pass


async def mine(stack: Stack, user_id: UUID) -> dict[str, Any]:
    found = (await stack.client.get("/v1/subscriptions", headers=stack.person(user_id))).json()["items"]
    return dict(found[0])


def states(stack: Stack) -> list[str]:
    return [plan["status"] for plan in stack.booking.seat_plans.values()]


async def rides_used(stack: Stack) -> list[int]:
    rows = await stack.sql("SELECT rides_used FROM subscription_period ORDER BY starts_on")
    return [row["rides_used"] for row in rows]


async def test_the_months_seats_are_confirmed_with_its_payment_and_count_as_rides(stack: Stack, user_id: UUID) -> None:
    body, headers = await order(stack), stack.person(user_id)
    for _ in range(2):
        answer = await buy(stack, headers, body)
        assert answer.status_code == 201, answer.text
    assert answer.json()["subscription"]["status"] == "active"
    [plan] = stack.booking.seat_plans.values()
    assert (plan["status"], len(plan["bookings"])) == ("confirmed", 4)
    assert plan["asked"]["rides"] == [{**MONDAY, "departure_time": "08:30"}]
    assert (plan["asked"]["starts_on"], plan["asked"]["ends_on"]) == ("2026-12-01", "2027-01-01")
    assert plan["asked"]["traveller"] == TRAVELLER
    assert await rides_used(stack) == [4]
    path = f"/internal/v1/subscription-uses/{plan['bookings'][0]['booking_id']}/release"
    await stack.client.post(path, json={"segments": None}, headers=stack.service())
    assert await rides_used(stack) == [3]
    await stack.assert_books_balance()


async def test_nothing_of_the_traveller_is_kept(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    tables = await stack.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for table in (row["table_name"] for row in tables):
        found = await stack.sql(f"SELECT 1 FROM {table} AS r WHERE r::text ILIKE '%nasreen%'")
        assert not found, table


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"rides": [MONDAY] * 3}, "too-many-rides"),
        ({"rides": [MONDAY | {"route": "DAC-JED"}]}, "route-not-covered"),
        ({"traveller": None}, None),
        ({"rides": []}, None),
    ],
)
async def test_rides_that_do_not_fit_the_plan_are_refused(
    stack: Stack, user_id: UUID, changes: dict[str, Any], code: str | None
) -> None:
    answer = await buy(stack, stack.person(user_id), await order(stack, **changes))
    assert answer.status_code == 422
    assert code is None or answer.json()["errors"][0]["code"] == code
    assert stack.booking.seat_plans == {}


async def test_a_month_without_all_its_seats_is_not_sold(stack: Stack, user_id: UUID) -> None:
    body = await order(stack)
    stack.booking.no_seats = True
    answer = await buy(stack, stack.person(user_id), body)
    assert (answer.status_code, answer.json()["code"]) == (409, "seat-plan-not-possible")
    assert answer.json()["missing"][0]["reason"] == "no-seats"
    assert await stack.sql("SELECT 1 FROM payment") == []
    stack.booking.no_seats = False
    assert (await buy(stack, stack.person(user_id), body)).json()["subscription"]["status"] == "active"


async def test_a_declined_card_frees_the_seats_at_once(stack: Stack, user_id: UUID) -> None:
    answer = await buy(stack, stack.person(user_id), await order(stack, method=card("4000000000000002")))
    assert answer.json()["subscription"]["status"] == "cancelled"
    assert states(stack) == ["released"]


async def test_a_month_whose_seats_are_gone_after_the_payment_is_refunded(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 32_000)
    body = await order(stack, method={"type": "wallet"})
    stack.booking.seats_lost = True
    answer = await buy(stack, stack.person(user_id), body)
    assert (answer.status_code, answer.json()["payment"]["status"]) == (201, "succeeded")
    assert answer.json()["subscription"]["status"] == "cancelled"
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 32_000
    await drive(stack)
    assert states(stack) == ["released"]
    await stack.assert_books_balance()


async def test_an_unreachable_neighbour_takes_nothing_and_the_same_request_works_later(
    stack: Stack, user_id: UUID
) -> None:
    body, headers = await order(stack), stack.person(user_id)
    stack.booking.down = True
    assert (await buy(stack, headers, body)).status_code == 503
    stack.booking.down = False
    stack.clock.advance(timedelta(minutes=3))
    await drive(stack)
    assert (await buy(stack, headers, body)).json()["subscription"]["status"] == "active"
    assert sorted(states(stack)) == ["confirmed", "released"]


class Crash(Exception):
    """The process ended here."""


def crash_after(original: Any) -> Any:
    async def act(*arguments: Any, **named: Any) -> None:
        await original(*arguments, **named)
        raise Crash

    return act


async def crash(*arguments: Any, **named: Any) -> None:
    raise Crash


@pytest.mark.parametrize(
    ("owner", "name", "stand_in", "paid"),
    [
        (SeatPlanClient, "hold", crash, False),
        (SeatPlanClient, "hold", crash_after(SeatPlanClient.hold), False),
        (Till, "pay", crash, False),
        (Till, "pay", crash_after(Till.pay), True),
        (Seats, "drive_month", crash, True),
        (SeatPlanClient, "confirm", crash_after(SeatPlanClient.confirm), True),
    ],
    ids=["before-asking", "after-asking", "before-paying", "after-paying", "before-confirming", "after-confirming"],
)
async def test_a_crash_between_any_two_steps_ends_with_money_and_seats_or_with_neither(
    stack: Stack, user_id: UUID, owner: type, name: str, stand_in: Any, paid: bool
) -> None:
    body = await order(stack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, stand_in)
        assert (await buy(stack, stack.person(user_id), body)).status_code == 500
    stack.clock.advance(timedelta(minutes=3))
    await drive(stack)
    assert (await mine(stack, user_id))["status"] == ("active" if paid else "cancelled")
    assert states(stack) == ["confirmed" if paid else "released"]
    assert await stack.balance(accounts.subscriptions("USD")) == (32_000 if paid else 0)
    assert await rides_used(stack) == [4 if paid else 0]
    await stack.assert_books_balance()


async def test_money_for_seats_that_were_given_up_meanwhile_goes_back(stack: Stack, user_id: UUID) -> None:
    await stack.fund(user_id, 32_000)
    body = await order(stack, method={"type": "wallet"})
    pay = Till.pay

    async def late(self: Till, *arguments: Any) -> bytes:
        stack.clock.advance(timedelta(minutes=3))
        await drive_seat_plans(stack.container.seats)
        return await pay(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Till, "pay", late)
        answer = await buy(stack, stack.person(user_id), body)
    assert answer.json()["subscription"]["status"] == "cancelled"
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 32_000
    assert states(stack) == ["released"]
    await stack.assert_books_balance()


async def test_a_confirmation_that_finds_nobody_is_repeated(stack: Stack, user_id: UUID) -> None:
    body = await order(stack)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Seats, "drive_month", crash)
        assert (await buy(stack, stack.person(user_id), body)).status_code == 500
    stack.booking.down = True
    await drive_seat_plans(stack.container.seats)
    assert states(stack) == ["held"]
    stack.booking.down = False
    stack.clock.advance(timedelta(minutes=3))
    await drive(stack)
    assert states(stack) == ["confirmed"]


async def test_a_pause_frees_the_seats_and_gives_the_rides_back(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    stack.clock.advance(timedelta(days=8))
    path = f"/v1/subscriptions/{(await mine(stack, user_id))['id']}/pause"
    assert (await stack.client.post(path, headers=stack.person(user_id))).json()["status"] == "paused"
    await drive(stack)
    assert states(stack) == ["released"]
    assert await rides_used(stack) == [1]  # the Monday that was flown


async def renew(stack: Stack) -> None:
    await renew_due(stack.container.till, stack.container.seats, grace_days=7)
    await drive(stack)


async def test_the_next_months_seats_are_held_a_week_before_it_begins(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    await stack.fund(user_id, 50_000)
    await renew(stack)
    assert states(stack) == ["confirmed"]
    stack.clock.advance(timedelta(days=24))
    for _ in range(2):
        await renew(stack)
    assert states(stack) == ["confirmed", "confirmed"]
    later = list(stack.booking.seat_plans.values())[1]["asked"]
    assert (later["traveller"], later["starts_on"]) == (None, "2027-01-01")
    assert (await mine(stack, user_id))["current_period_end"] == "2027-02-01"
    assert await rides_used(stack) == [4, 4]
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 18_000


async def test_a_renewal_is_tried_daily_and_frees_its_seats_each_time(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    stack.clock.advance(timedelta(days=24))
    await renew(stack)
    assert states(stack) == ["confirmed", "released"]
    assert (await mine(stack, user_id))["status"] == "active"
    stack.clock.advance(timedelta(days=1))
    stack.booking.no_seats = True
    await stack.fund(user_id, 32_000)
    await renew(stack)
    assert await stack.balance(accounts.wallet(user_id, "USD")) == 32_000
    stack.booking.no_seats = False
    stack.clock.advance(timedelta(days=1))
    await renew(stack)
    assert states(stack) == ["confirmed", "released", "released", "confirmed"]
    await stack.assert_books_balance()


async def test_a_renewal_nobody_pays_ends_after_the_paid_month(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    stack.clock.advance(timedelta(days=24))
    for _ in range(7):
        await renew(stack)
        stack.clock.advance(timedelta(days=1))
    assert (await mine(stack, user_id))["status"] == "active"
    for _ in range(3):
        stack.clock.advance(timedelta(days=1))
        await renew(stack)
    assert (await mine(stack, user_id))["status"] == "cancelled"
    assert states(stack) == ["confirmed"] + ["released"] * (len(states(stack)) - 1)


async def test_what_is_cancelled_keeps_the_seats_of_its_paid_month(stack: Stack, user_id: UUID) -> None:
    await buy(stack, stack.person(user_id), await order(stack))
    await stack.fund(user_id, 32_000)
    path = f"/v1/subscriptions/{(await mine(stack, user_id))['id']}"
    await stack.client.delete(path, headers=stack.person(user_id))
    stack.clock.advance(timedelta(days=24))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "active"
    stack.clock.advance(timedelta(days=7))
    await renew(stack)
    assert (await mine(stack, user_id))["status"] == "cancelled"
    assert states(stack) == ["confirmed"]

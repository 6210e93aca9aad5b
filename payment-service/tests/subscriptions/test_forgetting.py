"""A person asks to be forgotten: no further charge, no trace of their card or habits, and books that still balance."""

from typing import Any
from uuid import UUID

from payment_service.ledger import accounts
from payment_service.subscriptions.consumers import subscription_bindings
from payment_service.subscriptions.renew import renew_due
from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.kernel import new_id

Stack = Any
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "737"}
TRAVELLER = {"passenger": {"type": "adult", "given_name": "A", "surname": "B"}, "contact": {"email": "a@example.com"}}


async def subscribe(stack: Stack, user_id: UUID, plan_id: str) -> None:
    rides = [{"weekday": 1, "departure_time": "08:30:00", "route": "DAC-CXB"}]
    method = {"type": "card", "provider": "sandbox", "card": CARD}
    body = {"plan_id": plan_id, "rides": rides, "traveller": TRAVELLER, "method": method}
    answer = await stack.client.post("/v1/subscriptions", json=body, headers=stack.person(user_id))
    assert answer.status_code == 201, answer.text


async def delete(stack: Stack, user_id: UUID) -> None:
    event, now = UserDeletedV1(user_id=user_id, deleted_at=stack.clock.now()), stack.clock.now()
    [binding] = subscription_bindings(stack.clock)
    async with stack.container.db.transaction() as session:
        await binding.handler(session, Envelope.of(event, subject=str(user_id), sequence=1, time=now))


async def test_a_deleted_person_is_never_charged_again_and_nobody_else_is_touched(stack: Stack, user_id: UUID) -> None:
    plan = {
        "code": "COAST-8", "name": "Eight rides", "kind": "rides", "rides_per_period": 8, "routes": ["DAC-CXB"],
        "price": {"amount": "320.00", "currency": "USD"},
    }  # fmt: skip
    admin, other = stack.person(new_id(), roles=("admin",)), new_id()
    made = (await stack.client.post("/v1/admin/subscription-plans", json=plan, headers=admin)).json()
    for person in (user_id, other):
        await subscribe(stack, person, made["id"])
    for _ in range(2):
        await delete(stack, user_id)
    rows = await stack.sql(
        "SELECT p.user_id, s.status, s.travel_pattern::text AS rides, part.card_last4 FROM payment p "
        "JOIN subscription s USING (user_id) JOIN payment_part part ON part.payment_id = p.id"
    )
    found = {row["user_id"]: (row["status"], row["rides"], row["card_last4"]) for row in rows}
    assert found[user_id] == ("cancelled", "[]", None)
    assert (found[other][0], found[other][2]) == ("active", "4242")
    await renew_due(stack.container.till, stack.container.seats, grace_days=7)
    assert await stack.balance(accounts.subscriptions("USD")) == 64_000
    await stack.assert_books_balance()

"""Operations search everybody's payments; nobody else does."""

from typing import Any
from uuid import UUID

from rihla.kernel import new_id

Stack = Any
PATH = "/v1/admin/payments"


def card(number: str = "4242424242424242") -> dict[str, Any]:
    data = {"number": number, "exp_month": 12, "exp_year": 2031, "cvc": "737"}
    return {"type": "card", "provider": "sandbox", "card": data}


async def found(stack: Stack, **params: Any) -> list[str]:
    staff = stack.person(new_id(), roles=("support",))
    answer = await stack.client.get(PATH, params=params, headers=staff)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_staff_find_payments_by_whom_for_what_and_how_they_ended(stack: Stack, user_id: UUID) -> None:
    charge = stack.booking.add_charge(user_id)
    declined = (await stack.pay(user_id, charge, card("4000000000000002"))).json()["id"]
    paid = (await stack.pay(user_id, charge, card())).json()["id"]
    top_up = {"amount": {"amount": "50.00", "currency": "USD"}, "method": card()}
    filled = await stack.client.post("/v1/wallet/top-ups", json=top_up, headers=stack.person(user_id))
    other = (await stack.pay(stranger := new_id(), stack.booking.add_charge(stranger), card())).json()["id"]
    topped_up = filled.json()["id"]
    assert await found(stack) == [other, topped_up, paid, declined]
    assert await found(stack, user_id=str(user_id)) == [topped_up, paid, declined]
    assert await found(stack, booking_id=charge["booking_id"]) == [paid, declined]
    assert await found(stack, booking_reference="K7QX2M", status="succeeded") == [other, paid]
    assert await found(stack, failure_code="card-declined") == [declined]
    assert await found(stack, purpose="top_up") == [topped_up]
    now = stack.clock.now().isoformat()
    assert (len(await found(stack, created_from=now)), await found(stack, created_until=now)) == (4, [])


async def test_pages_go_on_and_a_payment_is_read_with_what_operations_need(stack: Stack, user_id: UUID) -> None:
    ids = [(await stack.pay(user_id, stack.booking.add_charge(user_id), card())).json()["id"] for _ in range(3)]
    staff = stack.person(new_id(), roles=("admin",))
    first = (await stack.client.get(PATH, params={"limit": 2}, headers=staff)).json()
    rest = (await stack.client.get(PATH, params={"limit": 2, "cursor": first["next_cursor"]}, headers=staff)).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None
    read = (await stack.client.get(f"{PATH}/{ids[0]}", headers=staff)).json()
    [reference] = read["provider_references"]
    assert (read["user_id"], reference.startswith("pay_"), read["parts"][0]["card_last4"]) == (
        str(user_id), True, "4242",
    )  # fmt: skip


async def test_a_traveller_searches_nobodys_payments(stack: Stack, user_id: UUID) -> None:
    paid = (await stack.pay(user_id, stack.booking.add_charge(user_id), card())).json()["id"]
    for path in (PATH, f"{PATH}/{paid}", f"{PATH}/settlement-report?provider=sandbox&date=2026-12-01"):
        answer = await stack.client.get(path, headers=stack.person(user_id))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    unknown = await stack.client.get(f"{PATH}/{new_id()}", headers=stack.person(new_id(), roles=("admin",)))
    assert unknown.json()["code"] == "payment-not-found"

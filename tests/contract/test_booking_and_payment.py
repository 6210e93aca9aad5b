"""booking-service's client of payment-service, and payment-service's of booking-service, against the other side."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from booking_service.bookings.errors import PromoCodeNotApplicable, PromoCodeUsedUp
from booking_service.bookings.payment_client import RefundRefused
from payment_service.payments.errors import BookingNotFound, ChargeNotDue
from rihla.kernel import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def promo(platform: Any, **changes: Any) -> str:
    code = f"C{new_id().hex[-10:]}".upper()
    body = {"code": code, "title": "Ten", "kind": "percent", "percent": "10", "per_user_limit": None, **changes}
    admin = platform.headers("payment", roles=("admin",))
    answer = await platform.payment_http.post("/v1/admin/promo-codes", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    return code


def trip(platform: Any, code: str) -> dict[str, Any]:
    """The question booking-service asks about a code (placing/drive_placing.py, `promo_question`)."""
    return {
        "code": code,
        "user_id": platform.user_id,
        "currency": "USD",
        "lines_minor": [45000, 5000],
        "total_minor": 50000,
        "route": ["DAC", "JED"],
        "airlines": ["RQ"],
        "cabin": "economy",
        "departure_date": (platform.clock.now() + timedelta(days=3)).date(),
    }


async def test_a_code_is_checked_reserved_consumed_and_released(platform: Any) -> None:
    code = await promo(platform, total_limit=1)
    question = trip(platform, code)
    checked = await platform.payments.check_promo(question)
    assert (checked.discount_minor, checked.currency) == (5000, "USD")
    first, second = new_id(), new_id()
    until = {"expires_at": platform.clock.now() + timedelta(minutes=17)}
    for _ in range(2):
        assert (await platform.payments.reserve_promo(first, question | until)).discount_minor == 5000
    with pytest.raises(PromoCodeUsedUp):
        await platform.payments.reserve_promo(second, question | until)
    for _ in range(2):
        await platform.payments.release_promo(first)
    third = new_id()
    await platform.payments.reserve_promo(third, question | until)
    for _ in range(2):
        await platform.payments.consume_promo(third)
    with pytest.raises(PromoCodeUsedUp):
        await platform.payments.reserve_promo(new_id(), question | until)


async def test_a_released_use_that_arrives_late_stays_released(platform: Any) -> None:
    code, booking_id = await promo(platform), new_id()
    await platform.payments.release_promo(booking_id)
    until = {"expires_at": platform.clock.now() + timedelta(minutes=17)}
    with pytest.raises(PromoCodeNotApplicable):
        await platform.payments.reserve_promo(booking_id, trip(platform, code) | until)
    with pytest.raises(PromoCodeNotApplicable):
        await platform.payments.check_promo(trip(platform, "NO-SUCH-CODE"))


async def test_a_booking_with_a_code_costs_what_was_quoted(platform: Any) -> None:
    code, offer = await promo(platform), (await platform.offers())[0]
    booking = await platform.book(offer["id"], promo_code=code)
    full = int(offer["price"]["total"]["amount"].replace(".", ""))
    assert int(booking["total"]["amount"].replace(".", "")) < full


async def test_payment_asks_booking_what_is_due_and_gives_it_back(platform: Any) -> None:
    booking = await platform.book((await platform.offers())[0]["id"])
    charge = booking["charges"][0]
    amount = int(charge["amount"]["amount"].replace(".", ""))
    due = await platform.bookings.charge_due(booking["id"], None, platform.user_id)
    assert (str(due.booking_id), str(due.charge_id), due.reference) == (
        booking["id"],
        charge["id"],
        booking["reference"],
    )
    assert (due.amount_minor, due.currency, due.user_id) == (amount, charge["amount"]["currency"], platform.user_id)
    assert due.payable_until is not None
    assert due.payable_until.isoformat().startswith(booking["payment_required_by"][:19])
    assert await platform.bookings.charge_due(booking["id"], charge["id"], platform.user_id) == due
    with pytest.raises(BookingNotFound):
        await platform.bookings.charge_due(booking["id"], None, new_id())
    with pytest.raises(BookingNotFound):
        await platform.bookings.charge_due(new_id(), None, platform.user_id)
    await platform.fund(amount, due.currency)
    paid = await platform.pay_by_wallet(booking)
    assert (paid.status_code, paid.json()["status"]) == (201, "succeeded"), paid.text
    refund_id = new_id()
    question = {
        "booking_id": booking["id"],
        "charge_id": charge["id"],
        "user_id": platform.user_id,
        "amount_minor": amount,
        "currency": due.currency,
        "reason": "cancellation",
    }
    for _ in range(2):
        refund = await platform.payments.put_refund(refund_id, question)
        assert refund.status in {"pending", "succeeded"}
        assert [(one["kind"], one["amount_minor"]) for one in refund.destinations] == [("wallet", amount)]
    with pytest.raises(RefundRefused):
        await platform.payments.put_refund(new_id(), question)


async def test_charges_asked_for_together_are_answered_as_each_alone(platform: Any) -> None:
    mine, other = [await platform.book((await platform.offers())[0]["id"]) for _ in range(2)]
    stranger, wrong = new_id(), new_id()
    questions = [
        (mine["id"], None, platform.user_id),
        (mine["id"], None, stranger),
        (other["id"], other["charges"][0]["id"], platform.user_id),
        (other["id"], wrong, platform.user_id),
        (new_id(), None, platform.user_id),
    ]
    together = await asyncio.gather(*(platform.bookings.charge_due(*one) for one in questions), return_exceptions=True)
    alone = [await platform.bookings.charge_due(*questions[at]) for at in (0, 2)]
    assert [together[0], together[2]] == alone
    assert [str(one.charge_id) for one in alone] == [mine["charges"][0]["id"], other["charges"][0]["id"]]
    assert [type(together[at]) for at in (1, 3, 4)] == [BookingNotFound] * 3


async def test_an_expired_bookings_charge_is_not_due(platform: Any) -> None:
    booking = await platform.book((await platform.offers())[0]["id"])
    platform.clock.advance(timedelta(minutes=16))
    await platform.booking_worker.expiry.expire_due()
    with pytest.raises(ChargeNotDue):
        await platform.bookings.charge_due(booking["id"], None, platform.user_id)

"""The whole price of a booking before it is placed: seats, extras and promo code included. Holds and reserves
nothing.
"""

from dataclasses import replace
from datetime import datetime

import msgspec

from booking_service.bookings.errors import InvalidRequest
from booking_service.bookings.view import BookingView
from booking_service.bookings.wire import booking_document, money
from booking_service.bootstrap import Container
from booking_service.placing.compose import Placing, compose
from booking_service.placing.drive_placing import check_hold, promo_question
from booking_service.placing.order import Order
from booking_service.placing.rules import check_party
from rihla.auth import Principal
from rihla.kernel import new_id


async def quote_booking(c: Container, principal: Principal, order: Order) -> bytes:
    """The quote as JSON. Raises the same refusals as placing would."""
    now = c.clock.now()
    findings = check_party(order, now.date())
    if order.subscription_id is not None:
        findings.append(
            ("#/subscription_id", "plan-not-quoted", "Rides are counted when you book; ask without the plan.")
        )
    if findings:
        raise InvalidRequest(*findings)
    placing = _imagined(c, principal, order, now)
    hold = await c.flights.quote(order.offer_id, order.hold_lines())
    check_hold(placing, hold)
    discount = 0
    if order.promo_code:
        discount = (await c.payments.check_promo(promo_question(placing, hold))).discount_minor
    return _quote_json(replace(compose(placing, hold, discount), notes=hold.notes), now)


def _imagined(c: Container, principal: Principal, order: Order, now: datetime) -> Placing:
    return Placing(
        booking_id=new_id(),
        reference="QUOTED",
        hold_id=new_id(),
        user_id=principal.user_id,
        organisation_id=principal.organisation_id,
        test_mode=principal.test_mode,
        attempt=1,
        created_at=now,
        payment_required_by=now + c.settings.payment_window,
        order=order,
    )


def _quote_json(view: BookingView, now: datetime) -> bytes:
    document = booking_document(view, now)
    discount = -sum(line.amount_minor for line in view.price_lines if line.kind == "discount")
    return msgspec.json.encode(
        {
            "offer_id": view.offer_id,
            "total": document["total"],
            "price": document["price"],
            "slices": document["slices"],
            "promo_code": view.promo_code,
            "discount": money(discount, view.currency),
            "notes": view.notes,
        }
    )

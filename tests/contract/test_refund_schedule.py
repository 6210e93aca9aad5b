"""What an offer says a cancellation will give back is what booking-service gives back, at every instant."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from booking_service.bookings.states import ChargeState
from booking_service.bookings.view import BookingView
from booking_service.cancelling.fees import refund_of
from booking_service.placing.compose import Placing, compose
from booking_service.placing.order import Order, Traveller
from rihla.kernel import Money, new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
PARTY = (("adult", 1988), ("adult", 1990), ("child", 2020), ("infant", 2026))
BESIDE_A_BORDER = tuple(timedelta(seconds=seconds) for seconds in (-1, 0, 1))


async def placed(platform: Any, offer: dict[str, Any]) -> BookingView:
    """The paid booking of an offer, with the prices flight-service holds it at."""
    travellers = tuple(
        Traveller(
            id=new_id(), type=kind, given_name="A", surname="B", date_of_birth=platform.clock.now().date().replace(born)
        )
        for kind, born in PARTY
    )
    order = Order(offer_id=offer["id"], travellers=travellers, contact_email="a@example.com", metadata={})
    now = platform.clock.now()
    placing = Placing(
        booking_id=new_id(),
        reference="ABCDEF",
        hold_id=new_id(),
        user_id=new_id(),
        organisation_id=None,
        test_mode=False,
        attempt=1,
        created_at=now,
        payment_required_by=now + timedelta(minutes=15),
        order=order,
    )
    hold = await platform.flights.put_hold(
        placing.hold_id, offer["id"], now + timedelta(minutes=17), order.hold_lines()
    )
    view = compose(placing, hold, 0)
    return replace(view, charges=tuple(replace(one, state=ChargeState.PAID) for one in view.charges))


def said(schedule: list[dict[str, Any]], at: datetime) -> tuple[str, str] | None:
    """Refund and fee that the offer promises at this instant; None once the last line of its table has passed."""
    for step in schedule:
        if at <= datetime.fromisoformat(step["until"]):
            return step["refund"]["amount"], step["fee"]["amount"]
    return None


@pytest.mark.parametrize("brand", ["basic", "standard", "flex"])
@pytest.mark.parametrize("stops", [0, 1])
async def test_a_cancellation_gives_what_the_offer_said_at_every_instant(platform: Any, brand: str, stops: int) -> None:
    back = (platform.clock.now() + timedelta(days=7)).date().isoformat()
    found = await platform.offers(
        3, return_date=back, fare_brand=brand, max_stops=stops, adults=2, children=1, infants=1, limit=50
    )
    offer = max(found, key=lambda one: sum(len(part["segments"]) for part in one["slices"]))
    assert max(len(part["segments"]) for part in offer["slices"]) == stops + 1
    detail = (
        await platform.flight_http.get(f"/v1/flight-offers/{offer['id']}", headers=platform.headers("flight"))
    ).json()
    view = await placed(platform, offer)
    checked = 0
    for part, refunds in zip(view.slices, detail["refund_schedule"], strict=True):
        coupons = [coupon for coupon in view.coupons if coupon.slice_id == part.id]
        for step in refunds["schedule"]:
            for off in BESIDE_A_BORDER:
                at = datetime.fromisoformat(step["until"]) + off
                promised = said(refunds["schedule"], at)
                if promised is None:
                    continue
                money = refund_of(view, coupons, at=at, involuntary=False)
                given = tuple(
                    Money(amount, view.currency).decimal() for amount in (money.refund_minor, money.fee_minor)
                )
                assert given == promised
                checked += 1
    assert checked >= 4

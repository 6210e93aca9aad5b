"""The table of cancellation fees as administrators edit it: it decides what is sold from then on, never what was."""

from typing import Any
from uuid import UUID

import pytest

from rihla.contracts.events import Envelope, PaymentSucceededV1
from rihla.kernel import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")
HALF = [{"hours_before": 0, "fee_percent": 50}]


async def edit_standard(platform: Any, brackets: list[dict[str, int]]) -> None:
    """Set the refund brackets of the standard brand, as an administrator."""
    admin = platform.headers("flight", roles=("admin",))
    rules = (await platform.flight_http.get("/v1/admin/fare-rules", headers=admin)).json()["rules"]
    rules["brands"]["standard"]["refund_brackets"] = brackets
    saved = await platform.flight_http.put(
        "/v1/admin/fare-rules", json={"rules": rules, "note": "other fees"}, headers=admin
    )
    assert saved.status_code == 200, saved.text


async def bought(platform: Any) -> dict[str, Any]:
    """A paid and confirmed booking of the cheapest standard fare three days ahead."""
    offer = (await platform.offers(3, fare_brand="standard", max_stops=0, sort="price"))[0]
    booking: dict[str, Any] = await platform.book(offer["id"])
    charge = booking["charges"][0]
    paid = PaymentSucceededV1(
        payment_id=new_id(),
        booking_id=UUID(booking["id"]),
        charge_id=UUID(charge["id"]),
        user_id=platform.user_id,
        amount_minor=minor(charge["amount"]),
        currency=charge["amount"]["currency"],
        method="wallet",
        captured_at=platform.clock.now(),
    )
    now = platform.clock.now()
    await platform.booking_worker.consumer.handle(Envelope.of(paid, subject=str(new_id()), sequence=1, time=now))
    await platform.booking_worker.errands.run_due()
    return booking


async def fee_percent(platform: Any, booking: dict[str, Any]) -> tuple[str, int]:
    """Id of a fresh quote for the whole booking, and its fee as percent of the fare."""
    path = f"/v1/bookings/{booking['id']}/cancellation-quotes"
    quote = await platform.booking_http.post(path, json={"scope": "all"}, headers=platform.headers("booking"))
    assert quote.status_code == 201, quote.text
    return quote.json()["id"], percent_of_fare(booking, quote.json()["fee"])


def percent_of_fare(booking: dict[str, Any], fee: dict[str, str]) -> int:
    """The airline's own charges are part of the fare; airport taxes are not."""
    fare = sum(minor(booking["price"][part]) for part in ("base", "charges"))
    return round(100 * minor(fee) / fare)


def minor(money: dict[str, str]) -> int:
    """Minor units of an amount with two digits."""
    return int(money["amount"].replace(".", ""))


async def test_an_edited_table_decides_the_next_offer_and_its_quotes_but_nothing_promised_before(platform: Any) -> None:
    before = await bought(platform)
    given, percent = await fee_percent(platform, before)
    assert percent == 25
    await edit_standard(platform, HALF)
    after = await bought(platform)
    assert after["fare_rules"]["refund_brackets"] == HALF
    assert (await fee_percent(platform, after))[1] == 50
    assert (await fee_percent(platform, before))[1] == 25
    done = await platform.booking_http.post(
        f"/v1/bookings/{before['id']}/cancellations", json={"quote_id": given}, headers=platform.headers("booking")
    )
    assert done.status_code == 201, done.text
    assert percent_of_fare(before, done.json()["fee"]) == 25

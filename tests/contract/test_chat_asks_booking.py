"""The assistant's client of booking against the real application: what it reads is what its rules speak of."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from chat_service.assistant.booking_client import BookingReader, BookingsUnavailable
from chat_service.assistant.rules import Intent, pick_booking, reply_about_booking
from rihla.contracts.events import Envelope
from rihla.kernel import new_id
from rihla.testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def reader(platform: Any) -> AsyncIterator[BookingReader]:
    opened = BookingReader("http://booking.test", timeout=60, transport=httpx.ASGITransport(platform.booking_app))
    yield opened
    await opened.close()


async def answer(platform: Any, reader: BookingReader, intent: Intent, reference: str) -> str:
    mine = await reader.latest(platform.headers("booking", key=False)["authorization"])
    reply = reply_about_booking(intent, pick_booking(f"What about {reference}?", mine), platform.clock.now(), "en")
    assert [(one.kind, one.title) for one in reply.sources] == [("booking", reference)]
    return reply.text


async def confirm(platform: Any, booking: Any) -> None:
    """Pay by wallet, and let booking hear of it."""
    await platform.fund(10_000_000, booking["total"]["currency"])
    paid = await platform.pay_by_wallet(booking)
    assert paid.status_code == 201, paid.text
    query = text("SELECT envelope FROM outbox WHERE envelope->'data'->>'booking_id' = :id")
    async with platform.payment_app.state.container.db.transaction() as session:
        told = (await session.execute(query, {"id": booking["id"]})).scalars().all()
    for envelope in told:
        await platform.booking_worker.consumer.handle(Envelope.model_validate(envelope))

    async def confirmed() -> bool:
        await platform.booking_worker.errands.run_due()
        headers = platform.headers("booking", key=False)
        shown = (await platform.booking_http.get(f"/v1/bookings/{booking['id']}", headers=headers)).json()
        return bool(shown["status"] == "confirmed")

    await eventually(confirmed)


async def test_status_check_in_and_refund_are_told_from_what_booking_says(platform: Any, reader: Any) -> None:
    offer = (await platform.offers(days=1))[0]
    segment = offer["slices"][0]["segments"][0]
    booked = await platform.book(offer["id"])
    reference = booked["reference"]
    unpaid = await answer(platform, reader, Intent.STATUS, reference)
    assert f"{reference} is pending payment" in unpaid
    assert f"{segment['flight_number']} " in unpaid
    assert "no flight to check in" in await answer(platform, reader, Intent.CHECK_IN, reference)
    assert "no refund" in await answer(platform, reader, Intent.REFUND, reference)
    await confirm(platform, booked)
    assert f"{reference} is confirmed" in await answer(platform, reader, Intent.STATUS, reference)
    assert "is open until" in await answer(platform, reader, Intent.CHECK_IN, reference)
    place = f"/v1/bookings/{booked['id']}"
    wanted = {"json": {"scope": "all"}, "headers": platform.headers("booking")}
    quote = (await platform.booking_http.post(f"{place}/cancellation-quotes", **wanted)).json()
    order = {"json": {"quote_id": quote["id"]}, "headers": platform.headers("booking")}
    done = await platform.booking_http.post(f"{place}/cancellations", **order)
    assert done.status_code == 201, done.text
    back = done.json()["refund"]
    assert f"{back['amount']} {back['currency']}" in await answer(platform, reader, Intent.REFUND, reference)


async def test_a_token_opens_its_own_bookings_and_a_useless_one_is_an_outage(platform: Any, reader: Any) -> None:
    booked = await platform.book((await platform.offers())[0]["id"])
    stranger = platform.keyring.token(audience="booking", user_id=new_id(), roles=("traveller",))
    assert await reader.latest(f"Bearer {stranger}") == []
    for useless in (None, "Bearer nonsense", f"Bearer {platform.keyring.token(audience='chat', user_id=new_id())}"):
        with pytest.raises(BookingsUnavailable):
            await reader.latest(useless)
    owner = await reader.latest(platform.headers("booking", key=False)["authorization"])
    assert booked["id"] in {one["id"] for one in owner}

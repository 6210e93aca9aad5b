"""flight-service and payment-service a socket away, slow or answering when nobody waits any more: every booking still
ends in a state that is true.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from booking_service.main import create_app
from booking_service.worker import open_worker
from rihla.testing import eventually, running

SLOW_SECONDS = 0.2
LATE_SECONDS = 8.0
"""Enough for every answer that is not kept back, however busy the machine."""


class Late:
    """An application behind a server of its own whose answers can be kept back after their effect."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.answers = asyncio.Event()
        self.answers.set()
        self.slow = 0.0
        self.kept_back = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        said: list[Any] = []

        async def note(message: Any) -> None:
            said.append(message)

        await self._app(scope, receive, note)
        self.kept_back += not self.answers.is_set()
        await asyncio.sleep(self.slow)
        await self.answers.wait()
        for message in said:
            await send(message)


@asynccontextmanager
async def _served(app: Late) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="error", timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        app.answers.set()
        server.should_exit = True
        await serving


@pytest_asyncio.fixture
async def late(house: Any) -> AsyncIterator[tuple[Any, Late, Late]]:
    """The house with its neighbours a socket away, and the two that may be late."""
    flight, payment = Late(house.flight.app), Late(house.payment.app)
    async with AsyncExitStack() as stack:
        urls = {
            "flight_url": await stack.enter_async_context(_served(flight)),
            "payment_url": await stack.enter_async_context(_served(payment)),
            "flight_timeout_seconds": LATE_SECONDS,
            "payment_timeout_seconds": LATE_SECONDS,
        }
        settings = house.settings.model_copy(update=urls)
        client = await stack.enter_async_context(running(create_app(settings, clock=house.clock)))
        worker = await stack.enter_async_context(open_worker(settings, house.clock))
        yield replace(house, client=client, worker=worker, settings=settings), flight, payment


async def test_a_slow_flight_and_payment_service_place_and_confirm_all_the_same(late: Any) -> None:
    house, flight, payment = late
    house.payment.add_code("SPRING", 1_000, uses=1)
    flight.slow = payment.slow = SLOW_SECONDS
    booking = await house.place(house.body(promo_code="SPRING"))
    await house.pay(booking)
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    assert house.payment.codes["SPRING"]["uses"] == 0


@pytest.mark.parametrize("neighbour", ["flight", "payment"])
async def test_an_answer_after_the_deadline_is_a_503_and_the_repeat_finishes_the_same_booking(
    late: Any, neighbour: str
) -> None:
    house, flight, payment = late
    house.payment.add_code("SPRING", 1_000, uses=1)
    body, server = house.body(promo_code="SPRING"), {"flight": flight, "payment": payment}[neighbour]
    server.answers.clear()
    answer = await house.post("/v1/bookings", body, key="k1")
    assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
    await eventually(lambda: server.kept_back, what="its effect, whose answer did not come")
    server.answers.set()
    again = await house.post("/v1/bookings", body, key="k1")
    assert (again.status_code, again.json()["price"]["discount"]["amount"]) == (201, "-10.00")
    assert (len(house.flight.holds), house.payment.codes["SPRING"]["uses"]) == (1, 0)
    assert len(await house.rows("SELECT 1 FROM booking")) == 1


async def test_a_confirmation_answered_after_the_deadline_waits_and_is_sold_once(late: Any) -> None:
    house, flight, _ = late
    booking = await house.place()
    flight.answers.clear()
    await house.hear(house.payment_of(booking))
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "pending_payment"
    assert [hold.status for hold in house.flight.holds.values()] == ["confirmed"], "sold over there, not heard of"
    flight.answers.set()
    for _ in range(2):
        await house.rows("UPDATE errand SET due_at = :now", now=house.clock.now())
        await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "confirmed"
    assert len(await house.events("booking.confirmed.v1")) == 1
    assert house.payment.refunds == {}


async def test_a_refund_answered_after_the_deadline_is_asked_for_again_under_the_same_id(late: Any) -> None:
    house, _, payment = late
    booking = await house.confirmed()
    path = f"/v1/bookings/{booking['id']}"
    quote = (await house.post(f"{path}/cancellation-quotes", {"scope": "all"})).json()
    await house.post(f"{path}/cancellations", {"quote_id": quote["id"]})
    payment.answers.clear()
    await house.worker.errands.run_due()
    payment.answers.set()
    await house.rows("UPDATE errand SET due_at = :now", now=house.clock.now())
    await house.worker.errands.run_due()
    (refund,) = (await house.read(booking["id"]))["refunds"]
    assert (list(house.payment.refunds), refund["status"]) == ([refund["id"]], "pending")

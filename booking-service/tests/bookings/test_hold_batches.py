"""Holds that wait together travel together, and each booking hears of its own."""

import asyncio
from datetime import timedelta

import httpx
import pytest_asyncio

from booking_service.bookings.flight_client import FlightClient
from rihla.http import ServiceClient, UpstreamUnavailable
from rihla.kernel import new_id
from rihla.testing import eventually

MANY = "POST /internal/v1/holds/placements"


@pytest_asyncio.fixture
async def flights(flight_fake, keyring):
    client = ServiceClient(
        "http://flight", audience="flight", signer=keyring.signer("booking"), transport=flight_fake.wire
    )
    opened = FlightClient(client)
    yield opened
    await opened.close()


def hold(flights, fake, offer_id, hold_id=None):
    """A task that holds one adult's seat."""
    line = {"passenger_id": str(new_id()), "type": "adult", "seats": [], "extras": []}
    until = fake.clock.now() + timedelta(minutes=15)
    return asyncio.create_task(flights.put_hold(hold_id or new_id(), offer_id, until, [line]))


async def three_in_a_row(flights, fake, offer_id):
    """One on its way, held up by the gate; two that wait behind it."""
    fake.wire.gate = asyncio.Event()
    first = hold(flights, fake, offer_id)
    await eventually(lambda: len(fake.wire.calls) == 1)
    return [first, hold(flights, fake, offer_id), hold(flights, fake, offer_id)]


async def test_one_alone_is_put_and_those_who_wait_meanwhile_go_in_one_request(flights, flight_fake):
    offer = flight_fake.add_offer([flight_fake.add_flight()])
    holds = await three_in_a_row(flights, flight_fake, offer)
    flight_fake.wire.gate.set()
    answers = await asyncio.gather(*holds)
    assert flight_fake.wire.calls[0].startswith("PUT ")
    assert flight_fake.wire.calls[1:] == [MANY]
    assert {str(one.id) for one in answers} == flight_fake.holds.keys()


async def test_the_seats_of_a_batch_run_out_for_some_and_not_for_the_others(flights, flight_fake):
    flight = flight_fake.add_flight(free=2)
    holds = await three_in_a_row(flights, flight_fake, flight_fake.add_offer([flight]))
    flight_fake.wire.gate.set()
    answers = await asyncio.gather(*holds, return_exceptions=True)
    assert sorted(type(one).__name__ for one in answers) == ["Hold", "Hold", "NotEnoughSeats"]
    assert flight.free == 0


async def test_a_lost_answer_of_a_batch_may_be_asked_for_again_and_holds_nothing_twice(flights, flight_fake):
    flight = flight_fake.add_flight()
    offer, ids = flight_fake.add_offer([flight]), [new_id(), new_id()]
    first = (await three_in_a_row(flights, flight_fake, offer))[0]
    lost = [hold(flights, flight_fake, offer, id_) for id_ in ids]
    flight_fake.wire.lose_answers_of = MANY
    flight_fake.wire.gate.set()
    await first
    outcomes = await asyncio.gather(*lost, return_exceptions=True)
    assert {type(one) for one in outcomes} == {UpstreamUnavailable}
    taken = flight.free
    assert {str(id_) for id_ in ids} <= flight_fake.holds.keys(), "they were held: only the answer was lost"
    known = [await flights.read(id_) for id_ in ids]
    assert [one.id for one in known] == ids
    assert flight.free == taken


async def test_an_instance_that_does_not_know_batches_is_asked_one_by_one(flights, flight_fake):
    offer = flight_fake.add_offer([flight_fake.add_flight()])
    flight_fake.app.router.routes[:] = [one for one in flight_fake.app.router.routes if "placements" not in one.path]
    holds = await three_in_a_row(flights, flight_fake, offer)
    flight_fake.wire.gate.set()
    assert len({one.id for one in await asyncio.gather(*holds)}) == 3
    assert [line.split()[0] for line in flight_fake.wire.calls] == ["PUT", "POST", "PUT", "PUT"]


async def test_a_batch_that_flight_service_cannot_explain_is_asked_one_by_one(flights, flight_fake):
    offer = flight_fake.add_offer([flight_fake.add_flight()])
    inner = flight_fake.wire._inner

    class Unexplained(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            if "placements" not in request.url.path:
                return await inner.handle_async_request(request)
            return httpx.Response(200, json={"outcomes": [None, None]})

    flight_fake.wire._inner = Unexplained()
    holds = await three_in_a_row(flights, flight_fake, offer)
    flight_fake.wire.gate.set()
    assert len({one.id for one in await asyncio.gather(*holds)}) == 3


async def test_holds_that_are_sold_together_go_in_one_request_and_a_lost_one_spoils_no_other(flights, flight_fake):
    offer = flight_fake.add_offer([flight_fake.add_flight()])
    ids = [new_id() for _ in range(4)]
    for id_ in ids:
        await hold(flights, flight_fake, offer, id_)
    flight_fake.expire(str(ids[2]))
    flight_fake.wire.calls.clear()
    flight_fake.wire.gate = asyncio.Event()
    first = asyncio.create_task(flights.confirm(ids[0]))
    await eventually(lambda: len(flight_fake.wire.calls) == 1)
    rest = [asyncio.create_task(flights.confirm(id_)) for id_ in ids[1:]]
    flight_fake.wire.gate.set()
    answers = await asyncio.gather(first, *rest, return_exceptions=True)
    assert [type(one).__name__ for one in answers] == ["Hold", "Hold", "HoldLost", "Hold"]
    assert {one.status for one in (answers[0], answers[1], answers[3])} == {"confirmed"}
    assert flight_fake.wire.calls == [
        f"POST /internal/v1/holds/{ids[0]}/confirm",
        "POST /internal/v1/holds/confirmations",
    ]

"""The short way of an ordinary payment: the same end as the long way, and never an end of its own."""

import asyncio
from typing import Any

import pytest

from rihla.kernel import new_id
from rihla.testing import eventually

_TABLES = {
    "booking": "state, step, version, sequence, total_minor, confirmed_at, notes",
    "charge": "kind, state, amount_minor, paid_at, payment_method, refunded_minor",
    "coupon": "state, seat, left(e_ticket_number, 3) AS code, e_ticket_number IS NOT NULL AS ticketed",
    "ticket": "accounting_code, left(number, 3) AS code, issued_at",
    "passenger": "position, e_ticket_number IS NOT NULL AS ticketed",
    "payment_receipt": "amount_minor, currency, outcome, received_at",
    "timeline": "kind, actor, detail - 'payment_id' AS detail, at",
    "document_job": "cause, orders, state, due_at, attempts",
    "errand": "kind",
    "inbox": "consumer",
    "outbox": "type, sequence, next_attempt_at",
}


async def _stored(house: Any, booking_id: str) -> dict[str, list[Any]]:
    found = {}
    for table, columns in _TABLES.items():
        column = {"booking": "id", "outbox": "aggregate_id"}.get(table, "booking_id")
        where = "true" if table == "inbox" else f"{column} = CAST(:id AS uuid)"
        rows = await house.rows(f"SELECT {columns} FROM {table} WHERE {where}", id=booking_id)
        found[table] = sorted((dict(row) for row in rows), key=str)
    return found


def _party(house: Any, traveller: Any) -> Any:
    first = house.flight.add_flight()
    back = house.flight.add_flight(origin="JED", destination="DAC", days=40, airline="ZX", accounting_code="777")
    offer = house.flight.add_offer([first], [back])
    child = traveller(type="child", date_of_birth="2020-01-01", given_name="Noor")
    infant = traveller(type="infant", date_of_birth="2026-06-01", given_name="Zayd")
    return house.body(offer, traveller(), child, infant)


@pytest.fixture
def long_way(house: Any) -> Any:
    """Switches the short way off and on again."""
    bindings = house.worker.consumer._bindings
    short = bindings["payment.succeeded.v1"]

    def switch(on: bool) -> None:
        from dataclasses import replace

        bindings["payment.succeeded.v1"] = replace(short, at_once=None) if on else short

    return switch


async def test_both_ways_store_the_same(house: Any, traveller: Any, long_way: Any) -> None:
    ends = []
    for on in (True, False):
        long_way(on)
        await house.rows("DELETE FROM inbox")
        body = _party(house, traveller)
        booking = await house.confirmed(body)
        assert booking["status"] == "confirmed"
        ends.append(await _stored(house, booking["id"]))
    for end in ends:
        for rows in (end["coupon"], end["booking"]):
            for row in rows:
                row.pop("seat", None)
    assert ends[0].pop("booking")[0] | {"version": 0} == ends[1].pop("booking")[0] | {"version": 0}
    assert ends[0] == ends[1]


async def test_the_event_says_what_is_stored(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(_party(house, traveller))
    (event,) = await house.events("booking.confirmed.v1")
    told = {one["passenger_id"]: one for one in event["data"]["passengers"]}
    for passenger in booking["passengers"]:
        assert told[passenger["id"]]["e_ticket_number"] == passenger["e_ticket_number"]
        seats = [coupon["seat"] for coupon in passenger["coupons"]]
        assert [one["seat"] for one in told[passenger["id"]]["coupons"]] == seats
    assert event["sequence"] == (await house.rows("SELECT sequence FROM booking"))[0]["sequence"]


async def test_a_payment_told_by_eight_deliveries_at_once_is_taken_once(house: Any) -> None:
    booking = await house.place()
    event, event_id = house.payment_of(booking), new_id()
    outcomes = await asyncio.gather(*(house.hear(event, event_id=event_id) for _ in range(8)))
    assert sorted(outcomes) == ["handled"] + ["repeated"] * 7
    await house.worker.errands.run_due()
    assert len(await house.events("booking.confirmed.v1")) == 1
    assert len(await house.rows("SELECT 1 FROM ticket")) == 1


async def test_a_booking_changed_while_it_is_confirmed_is_told_as_it_is(house: Any) -> None:
    booking = await house.place()
    house.flight.wire.gate = asyncio.Event()
    await house.hear(house.payment_of(booking))
    passenger = booking["passengers"][0]["id"]
    changed = await house.client.patch(
        f"/v1/bookings/{booking['id']}/passengers/{passenger}", json={"given_name": "Aminah"}, headers=house.headers()
    )
    assert changed.status_code == 200, changed.text
    house.flight.wire.gate.set()
    await house.worker.errands.run_due()
    (event,) = await house.events("booking.confirmed.v1")
    assert event["data"]["passengers"][0]["given_name"] == "Aminah"
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_a_process_that_lags_behind_takes_no_more_payments_than_it_confirms_at_once(
    house: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(house.worker.errands, "_room", asyncio.Semaphore(2))
    bookings = [await house.place() for _ in range(5)]
    house.flight.wire.gate = asyncio.Event()
    hearing = [asyncio.ensure_future(house.hear(house.payment_of(booking))) for booking in bookings]

    async def two_are_taken() -> bool:
        return len(await house.rows("SELECT 1 FROM errand")) == 2

    await eventually(two_are_taken, timeout=60, what="two payments taken")
    assert sum(one.done() for one in hearing) <= 2
    assert len(await house.rows("SELECT 1 FROM payment_receipt")) == 2
    house.flight.wire.gate.set()
    assert await asyncio.gather(*hearing) == ["handled"] * 5
    await house.worker.errands.run_due()
    states = await house.rows("SELECT state FROM booking")
    assert [row["state"] for row in states] == ["confirmed"] * 5

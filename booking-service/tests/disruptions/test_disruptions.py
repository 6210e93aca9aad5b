"""The airline changes a flight: who is disrupted, and what the traveller may do."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rihla.contracts.events import FlightCancelledV1, FlightDelayedV1, FlightGateChangedV1, FlightRetimedV1
from rihla.kernel import new_id


def _facts(house: Any, **changes: Any) -> dict[str, Any]:
    flight = next(iter(house.flight.flights.values()))
    return {
        "flight_id": flight.id,
        "flight_number": flight.number,
        "airline": flight.airline,
        "origin": flight.origin,
        "destination": flight.destination,
        "departure_at": flight.departure_at,
        "arrival_at": flight.arrival_at,
        "occurred_at": house.clock.now(),
        **changes,
    }


def _retimed(house: Any, minutes: int) -> FlightRetimedV1:
    facts = _facts(house)
    was, arrival = datetime.fromisoformat(facts["departure_at"]), datetime.fromisoformat(facts["arrival_at"])
    moved = timedelta(minutes=minutes)
    return FlightRetimedV1.model_validate(
        {
            **facts,
            "departure_at": was + moved,
            "arrival_at": arrival + moved,
            "previous_departure_at": was,
            "previous_arrival_at": arrival,
        }
    )


async def test_a_cancelled_flight_disrupts_its_bookings_and_keeps_their_seats(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(FlightCancelledV1.model_validate(_facts(house)))
    seen = await house.read(booking["id"])
    assert seen["status"] == "disrupted"
    assert seen["slices"][0]["segments"][0]["status"] == "cancelled"
    assert seen["passengers"][0]["coupons"][0]["status"] == "open"
    (event,) = await house.events("booking.disrupted.v1")
    assert event["data"]["kind"] == "cancelled"
    assert event["data"]["answer_by"] == "2026-12-04T08:00:00Z"


@pytest.mark.parametrize(("minutes", "status"), [(30, "confirmed"), (31, "disrupted"), (-31, "disrupted")])
async def test_only_a_move_of_more_than_half_an_hour_disrupts(house: Any, minutes: int, status: str) -> None:
    booking = await house.confirmed()
    await house.hear(_retimed(house, minutes))
    seen = await house.read(booking["id"])
    assert seen["status"] == status
    assert seen["slices"][0]["departure_at"] != booking["slices"][0]["departure_at"]


@pytest.mark.parametrize(("minutes", "status"), [(180, "confirmed"), (181, "disrupted")])
async def test_only_a_delay_of_more_than_three_hours_disrupts(house: Any, minutes: int, status: str) -> None:
    booking = await house.confirmed()
    await house.hear(FlightDelayedV1.model_validate(_facts(house, delay_minutes=minutes)))
    assert (await house.read(booking["id"]))["status"] == status


async def test_a_new_gate_is_shown_and_older_news_is_ignored(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(FlightGateChangedV1.model_validate(_facts(house, gate="B7")))
    house.sequence = 0
    await house.hear(FlightGateChangedV1.model_validate(_facts(house, gate="A1")))
    assert (await house.read(booking["id"]))["slices"][0]["segments"][0]["gate"] == "B7"


async def test_the_traveller_accepts_a_new_time(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(_retimed(house, 120))
    path = f"/v1/bookings/{booking['id']}/disruptions"
    (open_one,) = (await house.get(path)).json()["items"]
    assert (open_one["kind"], open_one["status"]) == ("retimed", "open")
    accepted = await house.post(f"{path}/accept", {})
    assert (accepted.status_code, accepted.json()["status"]) == (200, "confirmed")
    again = await house.post(f"{path}/accept", {})
    assert (again.status_code, again.json()["code"]) == (409, "no-disruption")
    stranger = await house.post(f"{path}/accept", {}, user_id=new_id())
    assert stranger.status_code == 404


async def test_a_cancelled_flight_cannot_be_accepted(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(FlightCancelledV1.model_validate(_facts(house)))
    answer = await house.post(f"/v1/bookings/{booking['id']}/disruptions/accept", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-disruption")


async def test_a_disrupted_traveller_gets_everything_back(house: Any, traveller: Any) -> None:
    offer = house.flight.add_offer([house.flight.add_flight()], brand="basic", refundable=False)
    booking = await house.confirmed(house.body(offer, traveller(extra_bags=1)))
    await house.hear(FlightCancelledV1.model_validate(_facts(house)))
    quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", {"scope": "all"})).json()
    assert quote["involuntary"] is True
    assert quote["refund"] == booking["total"]
    done = await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    assert done.json()["booking"]["status"] == "cancelled"
    await house.worker.errands.run_due()
    assert [one["reason"] for one in house.payment.refunds.values()] == ["disruption"]


async def test_every_order_gives_everything_back_while_the_airline_is_at_fault(house: Any) -> None:
    legs = [house.flight.add_flight()], [house.flight.add_flight("JED", "DAC", days=31)]
    booking = await house.confirmed(house.body(house.flight.add_offer(*legs)))
    await house.hear(FlightCancelledV1.model_validate(_facts(house)))
    for one in booking["slices"]:
        scope = {"scope": "part", "slice_ids": [one["id"]]}
        quote = (await house.post(f"/v1/bookings/{booking['id']}/cancellation-quotes", scope)).json()
        await house.post(f"/v1/bookings/{booking['id']}/cancellations", {"quote_id": quote["id"]})
    await house.worker.errands.run_due()
    total = int(booking["total"]["amount"].replace(".", ""))
    assert sum(one["amount_minor"] for one in house.payment.refunds.values()) == total
    assert (await house.read(booking["id"]))["status"] == "cancelled"


async def test_no_answer_in_time_means_a_full_refund(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(_retimed(house, 120))
    house.clock.advance(timedelta(hours=71, minutes=59))
    assert await house.worker.disruptions.refund_due() == 0
    house.clock.advance(timedelta(minutes=1))
    assert await house.worker.disruptions.refund_due() == 1
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "cancelled"
    assert [one["amount_minor"] for one in house.payment.refunds.values()] == [48_717]


@pytest.mark.parametrize(
    ("moved", "hours", "answer_by"), [(120, 20, "2026-12-02T04:00:00Z"), (-180, 17, "2026-12-02T01:00:00Z")]
)
async def test_no_answer_by_four_hours_before_departure_means_a_full_refund(
    house: Any, moved: int, hours: int, answer_by: str
) -> None:
    booking = await house.confirmed(house.body(house.one_way(days=1)))
    await house.hear(_retimed(house, moved))
    (event,) = await house.events("booking.disrupted.v1")
    assert event["data"]["answer_by"] == answer_by
    house.clock.advance(timedelta(hours=hours, seconds=-1))
    assert await house.worker.disruptions.refund_due() == 0
    house.clock.advance(timedelta(seconds=1))
    assert await house.worker.disruptions.refund_due() == 1
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "cancelled"
    assert [one["amount_minor"] for one in house.payment.refunds.values()] == [48_717]


async def test_a_second_change_of_the_same_flight_replaces_the_question(house: Any) -> None:
    booking = await house.confirmed()
    await house.hear(_retimed(house, 60))
    await house.hear(FlightCancelledV1.model_validate(_facts(house)))
    items = (await house.get(f"/v1/bookings/{booking['id']}/disruptions")).json()["items"]
    assert sorted(item["status"] for item in items) == ["open", "superseded"]

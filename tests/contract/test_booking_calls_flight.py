"""booking-service's client of flight-service, against flight-service."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from booking_service.bookings.errors import (
    HoldLost,
    InvalidRequest,
    NotEnoughSeats,
    OfferExpired,
    OfferNotValid,
    SeatTaken,
)
from booking_service.bookings.hold import Hold
from rihla.kernel import new_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


def line(**changes: Any) -> dict[str, Any]:
    """One traveller of a hold, as booking-service sends it."""
    return {
        "passenger_id": new_id(),
        "type": "adult",
        "date_of_birth": "1988-04-01",
        "seats": [],
        "seat_preference": None,
        "extras": [],
        **changes,
    }


async def held(platform: Any, *lines: dict[str, Any], days: int = 3, minutes: float = 17) -> tuple[UUID, Hold]:
    hold_id, offer = new_id(), (await platform.offers(days, adults=max(1, len(lines))))[0]
    until = platform.clock.now() + timedelta(minutes=minutes)
    return hold_id, await platform.flights.put_hold(hold_id, offer["id"], until, list(lines) or [line()])


async def test_a_hold_gives_the_same_answer_again_and_its_price_is_the_offers(platform: Any) -> None:
    offer = (await platform.offers())[0]
    hold_id, lines, until = new_id(), [line(seat_preference="window")], platform.clock.now() + timedelta(minutes=17)
    first = await platform.flights.put_hold(hold_id, offer["id"], until, lines)
    again = await platform.flights.put_hold(hold_id, offer["id"], until, lines)
    assert first == again == await platform.flights.read(hold_id)
    assert (first.id, first.status, first.adds_up()) == (hold_id, "held", True)
    assert first.expires_at == until
    total = offer["price"]["total"]
    assert (f"{first.total_minor / 100:.2f}", first.currency) == (total["amount"], total["currency"])
    assert first.fare_rules.keys() >= {"refundable", "changeable", "change_fee_minor", "seat_choice", "refund_brackets"}
    assert {(rule["hours_before"], rule["fee_percent"]) for rule in first.fare_rules["refund_brackets"]}
    assert first.segments[0].departure_at.utcoffset() is not None
    assert first.segments[0].baggage.keys() == {"checked_kg", "cabin_kg"}
    with pytest.raises(HoldLost):
        await platform.flights.put_hold(hold_id, offer["id"], until, [line()])


async def test_holds_that_go_together_are_those_their_own_puts_would_give(platform: Any) -> None:
    offer = (await platform.offers(9))[0]
    until, ids, people = (
        platform.clock.now() + timedelta(minutes=17),
        [new_id() for _ in range(5)],
        [line() for _ in "12345"],
    )

    async def put(hold_id: UUID, who: dict[str, Any]) -> Hold:
        return await platform.flights.put_hold(hold_id, offer["id"], until, [who])

    unknown = platform.flights.put_hold(new_id(), "of_nonsense", until, [line()])
    *together, refused = await asyncio.gather(*map(put, ids, people), unknown, return_exceptions=True)
    assert isinstance(refused, OfferNotValid)
    assert [one.id for one in together] == ids
    assert together == [await put(hold_id, who) for hold_id, who in zip(ids, people, strict=True)]


async def test_a_quote_is_the_price_of_the_hold_and_holds_nothing(platform: Any) -> None:
    offer = (await platform.offers(children=1))[0]
    flight_id = offer["slices"][0]["segments"][0]["flight_id"]
    before = await platform.free_seats(flight_id)
    quote = await platform.flights.quote(offer["id"], [line(), line(type="child", date_of_birth="2019-05-05")])
    assert quote.adds_up()
    assert quote.status == "quoted"
    assert await platform.free_seats(flight_id) == before


async def test_a_chosen_seat_a_bag_and_services_are_kept_and_priced_in_the_total(platform: Any) -> None:
    offer = (await platform.offers(adults=2, fare_brand="standard", max_stops=0))[0]
    flight_id = offer["slices"][0]["segments"][0]["flight_id"]
    seat = (await platform.free_seats(flight_id))[-1]
    amina = {"type": "adult", "given_name": "Amina", "surname": "Rahman", "date_of_birth": "1988-04-01"}
    wishes = {
        "seats": [{"flight_id": flight_id, "designator": seat}],
        "ssr": ["MOML", "WCHR"],
        "extra_bags": 1,
    }
    karim = {**amina, "given_name": "Karim", "seat_preference": "aisle"}
    booking = await platform.book(offer["id"], passengers=[{**amina, **wishes}, karim])
    hers, his = booking["passengers"]
    assert (hers["ssr"], hers["extra_bags"], hers["coupons"][0]["seat"]) == (["MOML", "WCHR"], 1, seat)
    assert (his["ssr"], his["extra_bags"], his["seat_preference"]) == ([], 0, "aisle")
    lines = [(one["passenger_id"], one["kind"], minor(one["amount"])) for one in booking["price"]["lines"]]
    assert {kind for whose, kind, amount in lines if whose == hers["id"] and amount > 0} >= {"seat", "extra"}
    assert not {kind for whose, kind, _ in lines if whose == his["id"]} & {"seat", "extra"}
    assert sum(amount for _, _, amount in lines) == minor(booking["total"]) == minor(booking["charges"][0]["amount"])


def minor(money: dict[str, str]) -> int:
    """Minor units of an amount with two digits."""
    return int(money["amount"].replace(".", ""))


async def test_holds_sold_together_are_sold_as_each_would_be_alone(platform: Any) -> None:
    ids = [(await held(platform, days=9))[0] for _ in range(3)]
    deeds = [platform.flights.confirm(hold_id) for hold_id in (*ids, new_id())]
    *together, unknown = await asyncio.gather(*deeds, return_exceptions=True)
    assert isinstance(unknown, HoldLost)
    assert [(one.id, one.status) for one in together] == [(hold_id, "confirmed") for hold_id in ids]
    assert together == [await platform.flights.confirm(hold_id) for hold_id in ids]


async def test_confirming_seats_everybody_and_seats_can_be_moved_and_assigned(platform: Any) -> None:
    one, two = line(seat_preference="window"), line()
    hold_id, hold = await held(platform, one, two)
    sold = await platform.flights.confirm(hold_id)
    assert sold.status == "confirmed"
    assert {seat.passenger_id for seat in sold.seats} == {one["passenger_id"], two["passenger_id"]}
    assert await platform.flights.confirm(hold_id) == sold
    flight_id = hold.segments[0].flight_id
    free = (await platform.free_seats(str(flight_id)))[-1]
    moved = await platform.flights.move_seats(hold_id, [(one["passenger_id"], flight_id, free)])
    assert (one["passenger_id"], free) in {(seat.passenger_id, seat.designator) for seat in moved.seats}
    with pytest.raises(SeatTaken):
        await platform.flights.move_seats(hold_id, [(two["passenger_id"], flight_id, free)])
    assigned = await platform.flights.assign_seats(hold_id, [(two["passenger_id"], flight_id, "aisle")])
    assert {seat.passenger_id for seat in assigned.seats} == {one["passenger_id"], two["passenger_id"]}


async def test_extras_are_quoted_for_a_sold_hold(platform: Any) -> None:
    passenger = line()
    hold_id, hold = await held(platform, passenger)
    await platform.flights.confirm(hold_id)
    offer = (
        await platform.flight_http.get(f"/v1/flight-offers/{hold.offer_id}", headers=platform.headers("flight"))
    ).json()
    code = offer["services"]["bags"][0]["code"] if "bags" in offer["services"] else "bag-20"
    extra = {"code": code, "flight_id": None, "quantity": 1}
    wanted = {"passenger_id": passenger["passenger_id"], "seats": [], "extras": [extra]}
    quote = await platform.flights.extras_quote(hold_id, [wanted])
    assert quote.total_minor == sum(one.amount_minor for one in quote.price_lines) > 0
    assert {one.refund_class for one in quote.price_lines} == {"extra"}


async def test_a_release_of_part_or_all_repeats_harmlessly_and_tombstones_the_unknown(platform: Any) -> None:
    one, two = line(), line()
    hold_id, hold = await held(platform, one, two)
    for _ in range(2):
        await platform.flights.release(hold_id, [(one["passenger_id"], hold.segments[0].flight_id)])
    assert (await platform.flights.read(hold_id)).status == "held"
    for _ in range(2):
        await platform.flights.release(hold_id)
    assert (await platform.flights.read(hold_id)).status == "released"
    unknown = new_id()
    await platform.flights.release(unknown)
    offer = (await platform.offers())[0]
    with pytest.raises(HoldLost):
        await platform.flights.put_hold(unknown, offer["id"], platform.clock.now() + timedelta(minutes=5), [line()])
    with pytest.raises(HoldLost):
        await platform.flights.confirm(new_id())


async def test_refusals_arrive_as_the_words_booking_knows(platform: Any) -> None:
    offer, until = (await platform.offers())[0], platform.clock.now() + timedelta(minutes=17)
    flight_id = offer["slices"][0]["segments"][0]["flight_id"]
    seat = (await platform.free_seats(flight_id))[0]
    chosen = [{"flight_id": flight_id, "designator": seat}]
    await platform.flights.put_hold(new_id(), offer["id"], until, [line(seats=chosen)])
    with pytest.raises(SeatTaken):
        await platform.flights.put_hold(new_id(), offer["id"], until, [line(seats=chosen)])
    with pytest.raises(OfferNotValid):
        await platform.flights.put_hold(new_id(), "of_nonsense", until, [line()])
    with pytest.raises(InvalidRequest) as wrong:
        await platform.flights.put_hold(new_id(), offer["id"], until, [line(type="grandparent")])
    assert wrong.value.data["errors"][0]["pointer"].startswith("#/passengers/0")


async def test_the_last_seats_are_refused_as_not_enough(platform: Any) -> None:
    until = platform.clock.now() + timedelta(minutes=17)
    ten = (await platform.offers(4, adults=10))[0]
    flight_id = ten["slices"][0]["segments"][0]["flight_id"]

    async def same_flight(adults: int) -> dict[str, Any]:
        found = await platform.offers(4, adults=adults, limit=100)
        return next(one for one in found if [s["flight_id"] for s in one["slices"][0]["segments"]] == [flight_id])

    assert len(ten["slices"][0]["segments"]) == 1
    left = ten["slices"][0]["segments"][0]["free_seats"]
    last = await same_flight(left % 10 + 1)
    for _ in range(left // 10):
        await platform.flights.put_hold(new_id(), ten["id"], until, [line() for _ in range(10)])
    with pytest.raises(NotEnoughSeats):
        await platform.flights.put_hold(new_id(), last["id"], until, [line() for _ in range(left % 10 + 1)])


async def test_an_expired_hold_is_reinstated_at_the_locked_price_and_an_old_offer_is_refused(platform: Any) -> None:
    hold_id, hold = await held(platform, days=5, minutes=5)
    old = (await platform.offers(5))[0]
    platform.clock.advance(timedelta(minutes=21))
    until = platform.clock.now() + timedelta(minutes=10)
    back = await platform.flights.reinstate(hold_id, until)
    assert (back.status, back.total_minor, back.expires_at) == ("held", hold.total_minor, until)
    with pytest.raises(OfferExpired):
        await platform.flights.put_hold(new_id(), old["id"], until, [line()])


async def test_the_direct_flights_of_a_day_are_found_with_an_offer_that_can_be_held_and_stand_on_the_board(
    platform: Any,
) -> None:
    day = (platform.clock.now() + timedelta(days=3)).date()
    found = await platform.flights.search_direct("DAC", "CXB", day, "economy", "USD")
    board = await platform.flights.board("DAC", "CXB", day)
    assert found
    assert {at for _, at in found} <= {at for at, _ in board}
    assert all(at.utcoffset() == timedelta(hours=6) and at.date() == day for _, at in found)
    offer_id, departure_at = found[0]
    hold = await platform.flights.put_hold(new_id(), offer_id, platform.clock.now() + timedelta(minutes=17), [line()])
    assert [segment.departure_at for segment in hold.segments] == [departure_at]
    with pytest.raises(InvalidRequest):
        await platform.flights.search_direct("DAC", "QQQ", day, "economy", "USD")

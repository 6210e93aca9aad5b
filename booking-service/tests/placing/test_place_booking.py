"""POST /v1/bookings: the answer, what it stores, and what it refuses."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from booking_service.bookings.schemas import Booking
from rihla.kernel import new_id


async def test_a_placed_booking_is_pending_with_its_price_locked(house: Any) -> None:
    booking = await house.place()
    assert booking["status"] == "pending_payment"
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{6}", booking["reference"])
    assert booking["total"] == {"amount": "487.17", "currency": "USD"}
    assert booking["payment_required_by"] == "2026-12-01T08:15:00Z"
    assert booking["payment_seconds_left"] == 900
    assert booking["charges"][0]["status"] == "due"
    assert booking["charges"][0]["amount"] == booking["total"]
    assert booking["passengers"][0]["e_ticket_number"] is None
    assert booking["passengers"][0]["coupons"][0]["status"] == "open"
    assert booking["passengers"][0]["passport"]["number"] == "******456"


async def test_the_answer_is_the_stored_booking_and_fits_the_documented_schema(house: Any) -> None:
    offer = house.flight.add_offer([house.flight.add_flight()], [house.flight.add_flight("JED", "DAC", days=40)])
    placed = await house.place(house.body(offer))
    Booking.model_validate(placed)
    read = await house.read(placed["id"])
    assert read == placed


async def test_the_hold_outlives_the_payment_window_by_its_grace(house: Any) -> None:
    await house.place()
    (hold,) = house.flight.holds.values()
    assert hold.expires_at == house.clock.now() + timedelta(minutes=15, seconds=120)


async def test_placing_tells_of_it_once_with_a_sequence(house: Any) -> None:
    booking = await house.place()
    (event,) = await house.events("booking.created.v1")
    assert event["subject"] == booking["id"]
    assert event["sequence"] == 1
    assert event["data"]["contact"]["email"] == "amina@example.com"
    assert event["data"]["segments"][0]["origin"] == "DAC"


async def test_the_breakdown_adds_up_for_a_family_on_a_return_journey(house: Any, traveller: Any) -> None:
    offer = house.flight.add_offer([house.flight.add_flight()], [house.flight.add_flight("JED", "DAC", days=40)])
    party = [
        traveller(),
        traveller(type="child", given_name="Karim", date_of_birth="2019-01-01", extra_bags=1),
        traveller(type="infant", given_name="Noor", date_of_birth="2026-01-01"),
    ]
    booking = await house.place(house.body(offer, *party))
    lines = [int(line["amount"]["amount"].replace(".", "")) for line in booking["price"]["lines"]]
    assert sum(lines) == int(booking["total"]["amount"].replace(".", ""))
    per_type = [int(one["total"]["amount"].replace(".", "")) for one in booking["price"]["per_passenger"]]
    assert sum(per_type) == sum(lines)
    infant = booking["passengers"][2]
    assert infant["accompanied_by"] == booking["passengers"][0]["id"]
    assert {flight.free for flight in house.flight.flights.values()} == {98}


async def test_two_passengers_with_the_same_name_stay_two(house: Any, traveller: Any) -> None:
    booking = await house.place(house.body(None, traveller(), traveller()))
    first, second = booking["passengers"]
    assert first["id"] != second["id"]
    assert first["given_name"] == second["given_name"]


async def test_a_repeat_with_the_same_key_gives_the_same_answer_and_says_so(house: Any) -> None:
    body = house.body()
    first = await house.post("/v1/bookings", body, key="k1")
    second = await house.post("/v1/bookings", body, key="k1")
    assert second.status_code == 201
    assert second.headers["idempotency-replayed"] == "true"
    assert second.content == first.content
    assert len(house.flight.holds) == 1


async def test_the_same_key_with_another_payload_is_refused(house: Any) -> None:
    await house.post("/v1/bookings", house.body(), key="k1")
    answer = await house.post("/v1/bookings", house.body(metadata={"a": "b"}), key="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_missing_key_is_refused(house: Any) -> None:
    answer = await house.client.post("/v1/bookings", json=house.body(), headers=house.headers())
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")


async def test_twenty_at_once_with_one_key_make_one_booking(house: Any) -> None:
    body = house.body()
    answers = await asyncio.gather(*(house.post("/v1/bookings", body, key="k1") for _ in range(20)))
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(waiting) == 20
    assert {answer.json()["id"] for answer in made} == {made[0].json()["id"]}
    assert all(answer.json()["code"] == "request-in-progress" for answer in waiting)
    assert len(house.flight.holds) == 1
    assert len(await house.rows("SELECT 1 FROM booking")) == 1


async def test_without_keys_of_their_own_twenty_requests_make_twenty_bookings(house: Any) -> None:
    """The control of the race above: nothing but the key keeps them one."""
    body = house.body()
    answers = await asyncio.gather(*(house.post("/v1/bookings", body) for _ in range(20)))
    assert len({answer.json()["id"] for answer in answers}) == 20


async def test_many_buyers_of_few_seats_get_exactly_those_seats(house: Any) -> None:
    body = house.body(house.one_way(free=3))
    answers = await asyncio.gather(*(house.post("/v1/bookings", body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"not-enough-seats"}


async def test_a_sold_out_flight_costs_its_service_no_release_while_people_still_ask(house: Any) -> None:
    """Nothing was held; only a call that came late could hold, and its tombstone comes ten seconds later."""
    body = house.body(house.one_way(free=0))
    first = await house.post("/v1/bookings", body, key="mine")
    again = await house.post("/v1/bookings", body, key="mine")
    assert (first.status_code, again.status_code) == (409, 409)
    assert first.json()["code"] == again.json()["code"] == "not-enough-seats"
    await house.worker.errands.run_due()
    assert len(await house.rows("SELECT 1 FROM errand")) == 1
    house.clock.advance(timedelta(seconds=10))
    await house.worker.errands.run_due()
    assert await house.rows("SELECT 1 FROM errand") == []
    (tombstone,) = house.flight.holds.values()
    assert tombstone.tombstone


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"given_name": " "}, "#/passengers/0/given_name", "invalid-name"),
        ({"surname": "R" * 61}, "#/passengers/0/surname", "invalid-name"),
        ({"surname": "Rahman2"}, "#/passengers/0/surname", "invalid-name"),
        ({"date_of_birth": "2030-01-01"}, "#/passengers/0/date_of_birth", "date-in-future"),
        ({"type": "child", "date_of_birth": "2015-01-01"}, "#/passengers", None),
        ({"type": "infant", "date_of_birth": "2026-01-01"}, "#/passengers", "infant-without-adult"),
        (
            {
                "passport": {
                    "number": "BX1234",
                    "issuing_country": "BD",
                    "nationality": "BD",
                    "expires_on": "2026-11-30",
                }
            },
            "#/passengers/0/passport/expires_on",
            "passport-expired",
        ),
        ({"date_of_birth": "2020-01-01"}, "#/passengers/0/date_of_birth", "age-does-not-fit"),
        ({"ssr": ["XXXX"]}, "#/passengers/0/ssr/0", None),
        ({"extra_bags": -1}, "#/passengers/0/extra_bags", None),
        ({"seats": [{"flight_id": "x", "designator": "12A"}]}, "#/passengers/0/seats/0/flight_id", None),
        ({"type": "alien"}, "#/passengers/0/type", None),
        ({"unknown": 1}, "#/passengers/0/unknown", None),
    ],
)
async def test_what_cannot_be_is_pointed_at(
    house: Any, traveller: Any, change: dict[str, Any], pointer: str, code: str | None
) -> None:
    answer = await house.post("/v1/bookings", house.body(None, traveller(**change)))
    assert answer.status_code == 422, answer.text
    document = answer.json()
    assert document["code"] == "validation-failed"
    found = [error for error in document["errors"] if error["pointer"].startswith(pointer)]
    assert found, document
    assert code is None or found[0]["code"] == code


async def test_a_child_of_twelve_on_the_day_of_travel_is_refused_and_its_seats_are_free_again(
    house: Any, traveller: Any
) -> None:
    child = traveller(type="child", given_name="Karim", date_of_birth="2014-12-20")
    answer = await house.post("/v1/bookings", house.body(house.one_way(days=30), traveller(), child), key="k1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "age-does-not-fit"
    await house.worker.errands.run_due()
    assert {flight.free for flight in house.flight.flights.values()} == {100}
    child["type"] = "adult"
    corrected = await house.post("/v1/bookings", house.body(house.one_way(), traveller(), child), key="k1")
    assert corrected.status_code == 201


async def test_a_passport_that_expires_during_the_journey_is_refused(house: Any, traveller: Any) -> None:
    passport = {"number": "BX1234", "issuing_country": "BD", "nationality": "BD", "expires_on": "2026-12-20"}
    answer = await house.post("/v1/bookings", house.body(None, traveller(passport=passport)))
    assert answer.json()["errors"][0]["code"] == "passport-expires-before-travel"


@pytest.mark.parametrize("count", [0, 11])
async def test_nobody_and_eleven_are_not_a_booking(house: Any, traveller: Any, count: int) -> None:
    body = {**house.body(), "passengers": [traveller()] * count}
    answer = await house.post("/v1/bookings", body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == ("too-many-passengers" if count else "no-passengers")


async def test_an_expired_offer_is_gone_and_the_answer_is_kept(house: Any) -> None:
    body = house.body()
    house.clock.advance(timedelta(minutes=21))
    first = await house.post("/v1/bookings", body, key="k1")
    assert (first.status_code, first.json()["code"]) == (410, "offer-expired")
    again = await house.post("/v1/bookings", body, key="k1")
    assert again.status_code == 410
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_tampered_offer_id_is_not_valid(house: Any) -> None:
    answer = await house.post("/v1/bookings", house.body("of_forged"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-offer")


async def test_a_changed_offer_carries_the_current_one(house: Any) -> None:
    offer = house.one_way()
    house.flight.offers[offer]["changed"] = True
    answer = await house.post("/v1/bookings", house.body(offer))
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")
    assert answer.json()["current_offer"] == {"id": "of_new"}


async def test_a_refused_booking_is_seen_by_nobody_and_keeps_no_personal_data(house: Any) -> None:
    await house.post("/v1/bookings", house.body(house.one_way(free=0)))
    (row,) = await house.rows("SELECT id, state, draft FROM booking")
    assert (row["state"], row["draft"]) == ("refused", None)
    assert (await house.get(f"/v1/bookings/{row['id']}")).status_code == 404
    assert (await house.get("/v1/bookings")).json()["items"] == []


async def test_a_total_of_nothing_is_confirmed_at_once(house: Any) -> None:
    house.flight.base_minor = 0
    booking = await house.place()
    assert booking["status"] == "confirmed"
    assert booking["charges"][0]["status"] == "paid"
    assert booking["passengers"][0]["e_ticket_number"]


async def test_a_free_booking_is_confirmed_later_when_flight_service_stays_silent(house: Any) -> None:
    house.flight.base_minor = 0
    house.flight.wire.refuse = "confirm"
    booking = await house.place()
    assert booking["status"] == "pending_payment"
    house.flight.wire.refuse = ""
    house.clock.advance(timedelta(minutes=20))
    await house.worker.expiry.expire_due()
    await house.worker.errands.run_due()
    assert (await house.read(booking["id"]))["status"] == "confirmed"


async def test_a_promo_code_is_taken_off_and_spread_to_the_last_minor_unit(house: Any, traveller: Any) -> None:
    house.payment.add_code("SPRING", 10_001)
    offer = house.flight.add_offer([house.flight.add_flight()], [house.flight.add_flight("JED", "DAC", days=40)])
    booking = await house.place(house.body(offer, traveller(), traveller(), promo_code="spring"))
    assert booking["price"]["discount"]["amount"] == "-100.01"
    assert len([line for line in booking["price"]["lines"] if line["kind"] == "discount"]) == 4
    assert house.payment.uses[booking["id"]]["status"] == "reserved"


@pytest.mark.parametrize(("uses", "code"), [(0, "promo-code-used-up"), (None, "promo-code-not-applicable")])
async def test_a_refused_promo_code_releases_the_hold(house: Any, uses: int | None, code: str) -> None:
    if uses is not None:
        house.payment.add_code("SPRING", 1_000, uses=uses)
    answer = await house.post("/v1/bookings", house.body(promo_code="SPRING"))
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    await house.worker.errands.run_due()
    assert [hold.status for hold in house.flight.holds.values()] == ["released"]


async def test_a_quote_shows_the_same_price_and_holds_nothing(house: Any, traveller: Any) -> None:
    house.payment.add_code("SPRING", 2_500)
    body = house.body(None, traveller(extra_bags=2), promo_code="SPRING")
    quote = (await house.post("/v1/booking-quotes", body)).json()
    assert house.flight.holds == {}
    assert house.payment.uses == {}
    placed = await house.place(body)
    assert quote["total"] == placed["total"]
    assert quote["price"]["discount"] == placed["price"]["discount"]


async def test_a_test_key_books_the_test_airline_and_nothing_else(house: Any) -> None:
    headers = house.headers(key="k1", kind="partner", test_mode=True)
    real = await house.client.post("/v1/bookings", json=house.body(), headers=headers)
    assert (real.status_code, real.json()["code"]) == (422, "invalid-offer")
    sandbox = house.body(house.one_way(airline="ZZ"))
    answer = await house.client.post("/v1/bookings", json=sandbox, headers={**headers, "idempotency-key": "k2"})
    assert answer.status_code == 201
    person = await house.post("/v1/bookings", house.body(house.one_way(airline="ZZ")))
    assert person.status_code == 422


async def test_an_event_names_the_organisation_whose_key_booked_and_none_for_people(house: Any) -> None:
    organisation = str(new_id())
    key = house.headers(key="k1", kind="partner", test_mode=True, org=organisation)
    body = house.body(house.one_way(airline="ZZ"))
    assert (await house.client.post("/v1/bookings", json=body, headers=key)).status_code == 201
    await house.place()
    told = [one["data"] for one in await house.events("booking.created.v1")]
    assert [(one["organisation_id"], one["test_mode"]) for one in told] == [(organisation, True), (None, False)]


async def test_nobody_in_particular_cannot_book(house: Any) -> None:
    token = house.keyring.token(audience="booking")
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "k"}
    answer = await house.client.post("/v1/bookings", json=house.body(), headers=headers)
    assert answer.status_code == 401


async def test_malformed_json_is_told_as_such(house: Any) -> None:
    headers = {**house.headers(key=str(new_id())), "content-type": "application/json"}
    answer = await house.client.post("/v1/bookings", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")

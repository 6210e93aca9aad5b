"""List, read, look up and correct; whose booking it is."""

from datetime import timedelta
from typing import Any

from booking_service.bookings.schemas import Booking, BookingPage
from rihla.kernel import new_id


async def test_somebody_elses_booking_answers_404_in_every_operation(house: Any) -> None:
    booking = await house.confirmed()
    stranger = new_id()
    passenger = booking["passengers"][0]["id"]
    at = f"/v1/bookings/{booking['id']}"
    patch = await house.client.patch(
        f"{at}/passengers/{passenger}", json={"phone": "+8801712345678"}, headers=house.headers(stranger)
    )
    answers = [await house.get(at, user_id=stranger), patch]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert (await house.get("/v1/bookings", user_id=stranger)).json()["items"] == []


async def test_the_list_is_stable_while_bookings_are_added(house: Any) -> None:
    ids = [(await house.place())["id"] for _ in range(5)]
    first = (await house.get("/v1/bookings", limit=2)).json()
    BookingPage.model_validate(first)
    await house.place()
    second = (await house.get("/v1/bookings", limit=2, cursor=first["next_cursor"])).json()
    third = (await house.get("/v1/bookings", limit=2, cursor=second["next_cursor"])).json()
    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == list(reversed(ids))
    assert third["next_cursor"] is None


async def test_upcoming_is_soonest_first_and_past_is_what_has_ended(house: Any) -> None:
    far = await house.place(house.body(house.one_way(days=40)))
    near = await house.place(house.body(house.one_way(days=2)))
    upcoming = (await house.get("/v1/bookings", when="upcoming")).json()["items"]
    assert [item["id"] for item in upcoming] == [near["id"], far["id"]]
    house.clock.advance(timedelta(days=3))
    past = (await house.get("/v1/bookings", when="past")).json()["items"]
    assert [item["id"] for item in past] == [near["id"]]


async def test_the_list_filters_by_status(house: Any) -> None:
    await house.place()
    confirmed = await house.confirmed()
    found = (await house.get("/v1/bookings", status="confirmed")).json()["items"]
    assert [item["id"] for item in found] == [confirmed["id"]]


async def test_a_pending_booking_shows_the_seconds_left_on_any_device(house: Any) -> None:
    booking = await house.place()
    house.clock.advance(timedelta(seconds=100))
    assert (await house.read(booking["id"]))["payment_seconds_left"] == 800


async def test_a_forged_cursor_is_told_as_such(house: Any) -> None:
    for cursor in ("xxx", "eyJ3IjpudWxsfQ"):
        answer = await house.get("/v1/bookings", cursor=cursor)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-cursor")


async def test_reference_and_surname_find_a_booking_without_its_private_parts(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(house.body(None, traveller(surname="O’Neill-Zoë")))
    body = {"reference": booking["reference"].lower(), "surname": "ONEILL ZOE"}
    found = await house.post("/v1/bookings/lookup", body, user_id=new_id())
    assert found.status_code == 200
    Booking.model_validate(found.json())
    assert found.json()["contact"]["email"] is None
    assert found.json()["passengers"][0]["passport"] is None
    own = (await house.post("/v1/bookings/lookup", body)).json()
    assert own["contact"]["email"] == "amina@example.com"


async def test_wrong_reference_and_wrong_surname_answer_alike(house: Any) -> None:
    booking = await house.confirmed()
    wrong = [
        {"reference": booking["reference"], "surname": "Nobody"},
        {"reference": "AAAAAA", "surname": "Rahman"},
    ]
    answers = [await house.post("/v1/bookings/lookup", body, user_id=new_id()) for body in wrong]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_guessing_is_limited_for_each_caller_and_the_owner_is_not_locked_out(house: Any) -> None:
    booking = await house.confirmed()
    guesser = new_id()
    for index in range(10):
        body = {"reference": booking["reference"], "surname": f"Guess{chr(65 + index)}"}
        assert (await house.post("/v1/bookings/lookup", body, user_id=guesser)).status_code == 404
    right = {"reference": booking["reference"], "surname": "Rahman"}
    limited = await house.post("/v1/bookings/lookup", right, user_id=guesser)
    assert (limited.status_code, limited.json()["code"]) == (429, "too-many-lookups")
    assert int(limited.headers["retry-after"]) > 0
    assert (await house.post("/v1/bookings/lookup", right)).status_code == 200
    house.clock.advance(timedelta(minutes=15))
    assert (await house.post("/v1/bookings/lookup", right, user_id=guesser)).status_code == 200


async def _patch(house: Any, booking: Any, body: Any) -> Any:
    passenger = booking["passengers"][0]["id"]
    path = f"/v1/bookings/{booking['id']}/passengers/{passenger}"
    return await house.client.patch(path, json=body, headers=house.headers())


async def test_a_small_correction_of_a_name_makes_a_new_ticket(house: Any) -> None:
    booking = await house.confirmed()
    answer = await _patch(house, booking, {"given_name": "Aminah"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["passengers"][0]["given_name"] == "Aminah"
    (event,) = await house.events("booking.changed.v1")
    assert event["data"]["kind"] == "passenger"
    assert len(await house.rows("SELECT 1 FROM document_job")) == 2


async def test_a_ticket_is_not_given_to_somebody_else(house: Any) -> None:
    booking = await house.confirmed()
    answer = await _patch(house, booking, {"given_name": "Roberto"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not-a-correction")


async def test_passport_data_can_be_added_later(house: Any, traveller: Any) -> None:
    booking = await house.confirmed(house.body(None, traveller(passport=None)))
    passport = {"number": "AB1234567", "issuing_country": "BD", "nationality": "BD", "expires_on": "2030-01-01"}
    answer = await _patch(house, booking, {"passport": passport, "phone": None})
    assert answer.json()["passengers"][0]["passport"]["number"] == "******567"
    expired = await _patch(house, booking, {"passport": {**passport, "expires_on": "2026-12-02"}})
    assert expired.json()["errors"][0]["code"] == "passport-expires-before-travel"


async def test_visas_are_kept_told_with_every_event_and_hidden_from_who_only_knows_the_reference(
    house: Any, traveller: Any
) -> None:
    saudi, emirates = ({"country": code, "expires_on": "2027-02-01"} for code in ("SA", "AE"))
    booking = await house.confirmed(house.body(None, traveller(visas=[saudi])))
    assert booking["passengers"][0]["visas"] == [saudi]
    answer = await _patch(house, booking, {"visas": [saudi, emirates]})
    assert answer.json()["passengers"][0]["visas"] == [saudi, emirates]
    (told,) = await house.events("booking.changed.v1")
    assert told["data"]["passengers"][0]["visas"] == [saudi, emirates]
    body = {"reference": booking["reference"], "surname": "Rahman"}
    assert (await house.post("/v1/bookings/lookup", body, user_id=new_id())).json()["passengers"][0]["visas"] == []
    refused = await _patch(house, booking, {"visas": [{**saudi, "country": "Saudi"}]})
    assert refused.json()["errors"][0]["pointer"] == "#/visas/0/country"

"""Passengers who are picked from the profile."""

from typing import Any

import pytest

from rihla.kernel import new_id

PASSPORT = {
    "number": "BX7654321",
    "issuing_country": "BD",
    "nationality": "BD",
    "expires_on": "2031-05-01",
    "visas": [{"country": "SA", "expires_on": "2027-05-01"}],
}
NADIA = {"given_name": "Nadia", "surname": "Rahman", "date_of_birth": "2018-01-02", "gender": "female"}


@pytest.fixture
def nadia(house: Any) -> Any:
    return house.auth.save(house.user_id, new_id(), **NADIA, passport=PASSPORT)


async def test_a_companion_fills_in_what_was_not_sent(house: Any, traveller: Any, nadia: Any) -> None:
    body = house.body(None, traveller(), {**nadia, "type": "child", "surname": "Khan"})
    placed = await house.place(body)
    shown = placed["passengers"][1]
    assert (shown["given_name"], shown["surname"], shown["date_of_birth"]) == ("Nadia", "Khan", "2018-01-02")
    assert (shown["gender"], shown["passport"]["number"]) == ("female", "******321")
    assert shown["visas"] == PASSPORT["visas"]
    quote = await house.post("/v1/booking-quotes", body)
    assert quote.json()["total"] == placed["total"]


async def test_what_is_sent_wins_even_when_it_is_nothing(house: Any, traveller: Any, nadia: Any) -> None:
    child = {**nadia, "type": "child", "passport": None, "visas": [], "gender": None}
    shown = (await house.place(house.body(None, traveller(), child)))["passengers"][1]
    assert (shown["passport"], shown["visas"], shown["gender"]) == (None, [], None)


async def test_one_books_oneself_with_the_saved_passport(house: Any) -> None:
    oneself = house.auth.save(house.user_id, house.user_id, date_of_birth="1988-04-01", passport=PASSPORT)
    refused = await house.post("/v1/bookings", house.body(None, oneself))
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("#/passengers/0/given_name", "missing"),
        ("#/passengers/0/surname", "missing"),
    ]
    booking = await house.place(house.body(None, {**oneself, "given_name": "Amina", "surname": "Rahman"}))
    assert booking["passengers"][0]["passport"]["number"] == "******321"


async def test_a_companion_who_is_not_ones_own_is_refused(house: Any, traveller: Any, nadia: Any) -> None:
    stranger = new_id()
    for path in ("/v1/bookings", "/v1/booking-quotes"):
        refused = await house.post(path, house.body(None, traveller(), nadia), user_id=stranger)
        assert refused.status_code == 422
        assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
            ("#/passengers/1/companion_id", "companion-not-found")
        ]
    headers = house.headers(key="k", kind="partner", key_id=str(new_id()), scopes=["bookings:write"])
    partner = await house.client.post("/v1/bookings", json=house.body(None, nadia), headers=headers)
    assert partner.json()["errors"][0]["code"] == "companion-not-found"


async def test_a_repeat_is_answered_alike_after_the_companion_is_gone(house: Any, traveller: Any, nadia: Any) -> None:
    body = house.body(None, traveller(), {**nadia, "type": "child"})
    placed = await house.post("/v1/bookings", body, key="once")
    house.auth.travellers.clear()
    again = await house.post("/v1/bookings", body, key="once")
    assert (again.status_code, again.content) == (201, placed.content)
    other = await house.post("/v1/bookings", {**body, "promo_code": "SPRING"}, key="once")
    assert other.status_code == 422


async def test_nothing_is_asked_of_auth_for_passengers_given_in_full(house: Any, traveller: Any, nadia: Any) -> None:
    house.auth.wire.down = True
    await house.place(house.body(None, traveller()))
    assert house.auth.wire.calls == []
    away = await house.post("/v1/bookings", house.body(None, traveller(), {**nadia, "type": "child"}))
    assert (away.status_code, away.json()["code"]) == (503, "service-unavailable")


async def test_names_are_asked_for_where_no_companion_is_named(house: Any, traveller: Any) -> None:
    nameless = {name: value for name, value in traveller().items() if name != "surname"}
    refused = await house.post("/v1/bookings", house.body(None, nameless))
    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("#/passengers/0/surname", "missing")
    ]

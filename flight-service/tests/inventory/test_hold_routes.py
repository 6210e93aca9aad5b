"""The protocol of docs/contracts.md, over the routes."""

import asyncio
from datetime import timedelta

import pytest

from flight_service.inventory.expire_holds import expire_holds
from rihla.kernel import new_id
from rihla.testing import running


async def test_a_hold_answers_with_its_price_by_passenger_and_segment(client, inventory, offers):
    out, back = await inventory.flight(10), await inventory.flight(10)
    offer = offers.make(out, back, slices=[0, 1], adult=1, infant=1)
    bags = [{"code": "bag-20", "flight_id": None, "quantity": 2}]
    adult = client.line(seats=[{"flight_id": out, "designator": "12A"}], extras=bags)
    answer = await client.put(offer, adult, client.line("infant", "2026-02-01"))
    assert answer.status_code == 201, answer.text
    hold = answer.json()
    assert hold["status"] == "held"
    assert [segment["flight_id"] for segment in hold["segments"]] == [out, back]
    assert sum(line["amount_minor"] for line in hold["price_lines"]) == hold["total_minor"]
    assert hold["total_minor"] == 2 * (45_000 + 2_500 + 4_500 + 6_000) + 1_000
    assert hold["seats"] == [{"passenger_id": adult["passenger_id"], "flight_id": out, "designator": "12A"}]
    assert await inventory.counters(out) == (9, 1, 0), "the infant takes no seat"


async def test_the_whole_life_of_a_hold(client, inventory, offers):
    flight = await inventory.flight(10)
    id_ = new_id()
    assert (await client.put(offers.make(flight), id_=id_)).status_code == 201
    confirmed = await client.post(id_, "confirm")
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.json()["status"] == "confirmed"
    assert len(confirmed.json()["seats"]) == 1
    assert (await client.post(id_, "confirm")).json() == confirmed.json()
    assert (await client.http.get(f"/internal/v1/holds/{id_}")).json() == confirmed.json()
    assert await inventory.counters(flight) == (9, 0, 1)
    assert (await client.post(id_, "release")).json()["status"] == "released"
    assert await inventory.counters(flight) == (10, 0, 0)


async def test_the_same_put_gets_the_same_answer_even_after_the_offer_has_expired(client, inventory, offers, clock):
    flight = await inventory.flight(10)
    id_, body = new_id(), client.body(offers.make(flight, minutes=5), client.line(), minutes=30)
    first = await client.http.put(f"/internal/v1/holds/{id_}", json=body)
    again = await client.http.put(f"/internal/v1/holds/{id_}", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    differs = await client.http.put(f"/internal/v1/holds/{id_}", json={**body, "lines": [client.line()]})
    assert (differs.status_code, differs.json()["code"]) == (422, "hold-content-differs")
    assert differs.headers["content-type"] == "application/problem+json"
    clock.advance(timedelta(minutes=6))
    late = await client.http.put(f"/internal/v1/holds/{id_}", json=body)
    assert (late.status_code, late.json()) == (200, first.json())
    other = await client.http.put(f"/internal/v1/holds/{id_}", json={**body, "lines": [client.line()]})
    assert (other.status_code, other.json()["code"]) == (422, "hold-content-differs")
    new = await client.http.put(f"/internal/v1/holds/{new_id()}", json=body)
    assert (new.status_code, new.json()["code"]) == (410, "offer-expired")
    assert await inventory.counters(flight) == (9, 1, 0)


async def test_a_changed_flight_answers_with_the_current_offer(client, pool, inventory, offers):
    flight = await inventory.flight(10)
    offer = offers.make(flight)
    assert (await client.put(offer)).status_code == 201
    await pool.execute("UPDATE flight SET offer_version = 2 WHERE id = $1", flight)
    answer = await client.put(offer)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")
    assert answer.json()["current_offer"] == {"id": f"{offer}-now"}


async def test_refusals_say_what_is_left(client, inventory, offers):
    flight = await inventory.flight(1)
    offer = offers.make(flight, adult=2)
    answer = await client.put(offer, client.line(), client.line())
    assert (answer.status_code, answer.json()["code"]) == (409, "not-enough-seats")
    assert answer.json()["free_seats"] == 1
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"passenger_id": "x"}, "#/lines/0/passenger_id"),
        ({"type": "pilot"}, "#/lines/0/type"),
        ({"date_of_birth": "1988-13-01"}, "#/lines/0/date_of_birth"),
        ({"seats": [{"flight_id": "1", "designator": "12A"}]}, "#/lines/0/seats/0/flight_id"),
        ({"nickname": "A"}, "#/lines/0/nickname"),
    ],
)
async def test_a_wrong_field_is_pointed_at(client, inventory, offers, change, pointer):
    flight = await inventory.flight(10)
    answer = await client.put(offers.make(flight), client.line() | change)
    assert answer.status_code == 422, answer.text
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert await inventory.counters(flight) == (10, 0, 0)


async def test_bodies_that_are_not_a_hold_are_refused(client, inventory, offers):
    path = f"/internal/v1/holds/{new_id()}"
    headers = {"content-type": "application/json"}
    assert (await client.http.put(path, content=b"{", headers=headers)).json()["code"] == "malformed-json"
    assert (await client.http.put(path, content=b"[" * 100_000, headers=headers)).status_code == 400
    assert (await client.http.put(path, json=[])).status_code == 422
    assert (await client.http.put("/internal/v1/holds/seven", json={})).status_code == 422
    body = client.body(offers.make(await inventory.flight(9)))
    answer = await client.http.put(path, json={**body, "lines": []})
    assert answer.json()["errors"][0]["pointer"] == "#/lines"
    answer = await client.http.put(path, json={**body, "expires_at": "2020-01-01T00:00:00Z"})
    assert answer.json()["errors"][0]["pointer"] == "#/expires_at"


async def test_seats_are_checked_before_anything_is_held(client, inventory, offers):
    flight = await inventory.flight(10)

    async def chosen(designator, kind="adult", born="1988-04-01"):
        seat = {"flight_id": flight, "designator": designator}
        adult = client.line() if kind != "adult" else None
        party = {"adult": 1} if adult is None else {"adult": 1, kind: 1}
        lines = [line for line in (client.line(kind, born, seats=[seat]), adult) if line]
        return await client.put(offers.make(flight, **party), *lines)

    assert (await chosen("99Z")).status_code == 422
    assert (await chosen("39A")).status_code == 422, "blocked"
    refused = await chosen("20B", "child", "2020-01-01")
    assert refused.json()["errors"][0]["code"] == "exit-row"
    offer = offers.make(flight, adult=2)
    same = [client.line(seats=[{"flight_id": flight, "designator": "12A"}]) for _ in range(2)]
    assert (await client.put(offer, *same)).json()["errors"][0]["pointer"] == "#/lines/1/seats/0/designator"
    assert await inventory.counters(flight) == (10, 0, 0)


async def test_only_booking_may_call(client, inventory, offers, keyring):
    path, body = f"/internal/v1/holds/{new_id()}", client.body(offers.make(await inventory.flight(9)))
    for token, status in (
        (keyring.token(audience="flight", issuer="payment"), 403),
        (keyring.token(audience="flight", user_id=new_id()), 403),
        (keyring.token(audience="booking", issuer="booking"), 401),
        ("nonsense", 401),
    ):
        headers = {"authorization": f"Bearer {token}"}
        assert (await client.http.put(path, json=body, headers=headers)).status_code == status
        assert (await client.http.get(path, headers=headers)).status_code == status


async def test_the_documented_route_behind_the_express_lane_answers_alike(
    express_lane_closed, offers, keyring, inventory, client
):
    flight = await inventory.flight(9)
    body = client.body(offers.make(flight), client.line())
    id_ = new_id()
    async with running(express_lane_closed(), token=keyring.token(audience="flight", issuer="booking")) as http:
        slow = await http.put(f"/internal/v1/holds/{id_}", json=body)
        assert slow.status_code == 201, slow.text
        wrong = await http.put(f"/internal/v1/holds/{id_}", json={**body, "lines": [7]})
        document = (await http.get("/openapi.json")).json()
    fast = await client.http.put(f"/internal/v1/holds/{id_}", json=body)
    assert (fast.status_code, fast.json()) == (200, slow.json())
    same_wrong = await client.http.put(f"/internal/v1/holds/{id_}", json={**body, "lines": [7]})
    assert same_wrong.json()["errors"] == wrong.json()["errors"]
    operation = document["paths"]["/internal/v1/holds/{hold_id}"]["put"]
    assert {"201", "200", "409", "422", "503"} <= operation["responses"].keys()


async def test_a_quote_holds_nothing(client, inventory, offers):
    flight = await inventory.flight(9)
    body = client.body(offers.make(flight))
    del body["expires_at"]
    answer = await client.http.post("/internal/v1/hold-quotes", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total_minor"] == 47_500
    assert await inventory.counters(flight) == (9, 0, 0)


async def test_an_expired_hold_confirms_while_its_seats_are_there(client, pool, inventory, offers, clock):
    flight = await inventory.flight(1)
    waiting, swept, lost = new_id(), new_id(), new_id()
    assert (await client.put(offers.make(flight), id_=waiting, minutes=1)).status_code == 201
    clock.advance(timedelta(minutes=2))
    assert (await client.post(waiting, "confirm")).json()["status"] == "confirmed"
    await client.post(waiting, "release")

    assert (await client.put(offers.make(flight), id_=swept, minutes=1)).status_code == 201
    clock.advance(timedelta(minutes=2))
    assert await expire_holds(pool, clock) == 1
    assert (await client.http.get(f"/internal/v1/holds/{swept}")).json()["status"] == "expired"
    assert (await client.post(swept, "confirm")).json()["status"] == "confirmed"
    await client.post(swept, "release")

    assert (await client.put(offers.make(flight), id_=lost, minutes=1)).status_code == 201
    clock.advance(timedelta(minutes=2))
    assert (await client.put(offers.make(flight))).status_code == 201
    refused = await client.post(lost, "confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "hold-expired")


async def test_seats_of_some_travellers_come_back_once(client, inventory, offers):
    out, back = await inventory.flight(10), await inventory.flight(10)
    lines = [client.line() for _ in range(3)]
    id_ = new_id()
    await client.put(offers.make(out, back, slices=[0, 1], adult=3), *lines, id_=id_)
    await client.post(id_, "confirm")
    items = [{"passenger_id": lines[0]["passenger_id"], "flight_id": back}]
    first = await client.post(id_, "release", {"items": items})
    assert (await client.post(id_, "release", {"items": items})).json() == first.json()
    assert first.json()["status"] == "confirmed"
    assert len(first.json()["seats"]) == 5
    assert await inventory.counters(out) == (7, 0, 3)
    assert await inventory.counters(back) == (8, 0, 2)
    rest = [{"passenger_id": line["passenger_id"], "flight_id": flight} for line in lines for flight in (out, back)]
    assert (await client.post(id_, "release", {"items": rest})).json()["status"] == "released"
    assert await inventory.counters(back) == (10, 0, 0)
    assert await inventory.drift() == []


async def test_releasing_an_unknown_hold_leaves_a_tombstone(client, inventory, offers):
    flight = await inventory.flight(10)
    id_ = new_id()
    released = await client.post(id_, "release")
    assert (released.status_code, released.json()["status"]) == (200, "released")
    late = await client.put(offers.make(flight), id_=id_)
    assert (late.status_code, late.json()["code"]) == (409, "hold-released")
    assert (await client.post(id_, "confirm")).json()["code"] == "hold-released"
    again = {"expires_at": "2027-01-01T00:00:00Z"}
    assert (await client.post(id_, "reinstate", again)).json()["code"] == "hold-released"


async def test_unknown_holds_are_unknown(client):
    id_ = new_id()
    assert (await client.http.get(f"/internal/v1/holds/{id_}")).json()["code"] == "hold-unknown"
    for deed, body in (
        ("confirm", {}),
        ("reinstate", {"expires_at": "2027-01-01T00:00:00Z"}),
        ("seats/assign", {"items": [{"passenger_id": str(id_), "flight_id": str(id_)}]}),
        ("extras-quotes", {"lines": [{"passenger_id": str(id_)}]}),
    ):
        answer = await client.post(id_, deed, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "hold-unknown"), deed


async def test_a_late_payment_brings_back_the_same_seat_or_the_same_cabin(client, pool, inventory, offers, clock):
    flight = await inventory.flight(2)
    seat = {"flight_id": flight, "designator": "12A"}
    id_ = new_id()
    held = await client.put(offers.make(flight), client.line(seats=[seat]), id_=id_, minutes=1)
    clock.advance(timedelta(minutes=2))
    await expire_holds(pool, clock)
    until = {"expires_at": (clock.now() + timedelta(minutes=5)).isoformat()}
    same = await client.post(id_, "reinstate", until)
    assert (same.json()["status"], same.json()["seats"]) == ("held", held.json()["seats"])
    assert (await client.post(id_, "reinstate", until)).json() == same.json()

    clock.advance(timedelta(minutes=6))
    await expire_holds(pool, clock)
    assert (await client.put(offers.make(flight), client.line(seats=[seat]))).status_code == 201
    until = {"expires_at": (clock.now() + timedelta(minutes=5)).isoformat()}
    other = await client.post(id_, "reinstate", until)
    assert other.json()["seats"] == []
    assert other.json()["total_minor"] == held.json()["total_minor"]
    assert "12A" in other.json()["notes"][0]
    assert len((await client.post(id_, "confirm")).json()["seats"]) == 1
    assert await inventory.counters(flight) == (0, 1, 1)


async def test_a_late_payment_for_a_full_flight_is_refused(client, pool, inventory, offers, clock):
    flight, other = await inventory.flight(1), await inventory.flight(1)
    id_ = new_id()
    await client.put(offers.make(flight, other), id_=id_, minutes=1)
    clock.advance(timedelta(minutes=2))
    assert (await client.put(offers.make(flight), minutes=1)).status_code == 201
    until = {"expires_at": (clock.now() + timedelta(minutes=5)).isoformat()}
    refused = await client.post(id_, "reinstate", until)
    assert (refused.status_code, refused.json()["code"]) == (409, "not-enough-seats")
    assert await inventory.counters(other) == (1, 0, 0)
    clock.advance(timedelta(minutes=2))
    taken = await client.post(id_, "reinstate", {"expires_at": (clock.now() + timedelta(minutes=5)).isoformat()})
    assert taken.json()["status"] == "held", "the other buyer's hold has expired and gives way"
    assert await inventory.drift() == []


async def test_a_hold_given_up_unpaid_can_come_back_and_a_cancelled_one_cannot(client, inventory, offers, clock):
    flight = await inventory.flight(5)
    abandoned, cancelled = new_id(), new_id()
    for id_ in (abandoned, cancelled):
        await client.put(offers.make(flight), id_=id_)
    await client.post(cancelled, "confirm")
    for id_ in (abandoned, cancelled):
        await client.post(id_, "release")
    until = {"expires_at": (clock.now() + timedelta(minutes=5)).isoformat()}
    assert (await client.post(abandoned, "reinstate", until)).json()["status"] == "held"
    assert (await client.post(cancelled, "reinstate", until)).json()["code"] == "hold-released"
    assert await inventory.counters(flight) == (4, 1, 0)


async def test_travellers_change_places_all_or_none(client, inventory, offers):
    flight = await inventory.flight(10)
    people = [client.line(seats=[{"flight_id": flight, "designator": seat}]) for seat in ("12A", "12B")]
    a, b = (line["passenger_id"] for line in people)
    id_ = new_id()
    await client.put(offers.make(flight, adult=2), *people, id_=id_)
    await client.put(offers.make(flight), client.line(seats=[{"flight_id": flight, "designator": "14C"}]))

    async def move(*moves):
        items = [{"passenger_id": who, "flight_id": flight, "designator": seat} for who, seat in moves]
        return await client.http.put(f"/internal/v1/holds/{id_}/seats", json={"items": items})

    swapped = await move((a, "12B"), (b, "12A"))
    assert {seat["passenger_id"]: seat["designator"] for seat in swapped.json()["seats"]} == {a: "12B", b: "12A"}
    refused = await move((a, "15A"), (b, "14C"))
    assert (refused.status_code, refused.json()["code"]) == (409, "seat-taken")
    assert (await move((a, "12A"))).json()["code"] == "seat-taken", "the other one of the hold sits there"
    assert (await move((a, "39A"))).json()["errors"][0]["pointer"] == "#/items/0/designator"
    assert (await move((str(new_id()), "15A"))).json()["errors"][0]["pointer"] == "#/items/0/passenger_id"
    assert await inventory.owners(flight) == ["12A", "12B", "14C"]
    assert await inventory.counters(flight) == (7, 3, 0)


async def test_seats_are_assigned_to_those_who_have_none(client, inventory, offers):
    flight = await inventory.flight(10)
    people = [client.line(), client.line()]
    id_ = new_id()
    await client.put(offers.make(flight, adult=2), *people, id_=id_)
    items = [{"passenger_id": line["passenger_id"], "flight_id": flight, "preference": "aisle"} for line in people]
    one = await client.post(id_, "seats/assign", {"items": items[:1]})
    assert [seat["passenger_id"] for seat in one.json()["seats"]] == [people[0]["passenger_id"]]
    assert one.json()["seats"][0]["designator"][-1] in "CD"
    both = await client.post(id_, "seats/assign", {"items": items})
    assert len(both.json()["seats"]) == 2
    assert (await client.post(id_, "seats/assign", {"items": items})).json() == both.json()


async def test_additions_are_quoted_at_present_prices(client, inventory, offers):
    flight = await inventory.flight(10)
    person, id_ = client.line(), new_id()
    await client.put(offers.make(flight), person, id_=id_)
    bag = {"code": "bag-20", "flight_id": flight, "quantity": 1}
    line = {
        "passenger_id": person["passenger_id"],
        "seats": [{"flight_id": flight, "designator": "12A"}],
        "extras": [bag],
    }
    quote = await client.post(id_, "extras-quotes", {"lines": [line]})
    assert quote.status_code == 200, quote.text
    assert quote.json()["total_minor"] == 1_000 + 3_000
    assert await inventory.owners(flight) == []
    stranger = await client.post(id_, "extras-quotes", {"lines": [{**line, "passenger_id": str(new_id())}]})
    assert stranger.json()["errors"][0]["pointer"] == "#/lines/0/passenger_id"


async def test_parties_that_confirm_at_once_each_get_their_own_seats(client, inventory, offers):
    flight = await inventory.flight(60)
    ids = [new_id() for _ in range(20)]
    offer = offers.make(flight, adult=3)
    for id_ in ids:
        await client.put(offer, *(client.line() for _ in range(3)), id_=id_)
    answers = await asyncio.gather(*(client.post(id_, "confirm") for id_ in ids))
    assert {answer.status_code for answer in answers} == {200}
    seats = [seat["designator"] for answer in answers for seat in answer.json()["seats"]]
    assert len(set(seats)) == 60
    assert await inventory.counters(flight) == (0, 0, 60)
    assert offers.opened == 1, "an offer is opened once for all its buyers"

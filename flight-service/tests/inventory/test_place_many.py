"""Many holds in one request: each is placed or refused as its own PUT would be."""

import asyncio

import pytest

from rihla.kernel import new_id


async def ask(client, *wanted):
    """(id, body) of each hold; the outcomes."""
    answer = await client.http.post(
        "/internal/v1/holds/placements", json={"placements": [{"id": str(id_), "hold": body} for id_, body in wanted]}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["outcomes"]


async def test_each_hold_of_many_gets_what_its_put_would_answer(client, inventory, offers):
    flight, full = await inventory.flight(10), await inventory.flight(1)
    first, repeated = (new_id(), client.body(offers.make(flight))), (new_id(), client.body(offers.make(flight)))
    too_many = (new_id(), client.body(offers.make(full, adult=2), client.line(), client.line()))
    put = await client.http.put(f"/internal/v1/holds/{repeated[0]}", json=repeated[1])
    outcomes = await ask(client, first, too_many, repeated)
    assert [one["status"] for one in outcomes] == [201, 409, 200]
    assert outcomes[0]["hold"]["id"] == str(first[0])
    assert outcomes[2]["hold"] == put.json()
    alone = (await client.http.put(f"/internal/v1/holds/{new_id()}", json=too_many[1])).json()
    assert outcomes[1]["problem"] | {"request_id": ""} == alone | {"request_id": ""}
    assert await inventory.counters(flight) == (8, 2, 0)
    assert await inventory.counters(full) == (1, 0, 0)


async def test_the_same_request_again_holds_nothing_twice(client, inventory, offers):
    flight = await inventory.flight(10)
    wanted = [(new_id(), client.body(offers.make(flight))) for _ in range(4)]
    first, again = await asyncio.gather(ask(client, *wanted), ask(client, *wanted))
    assert sorted(one["status"] for one in first + again) == [200] * 4 + [201] * 4
    assert [one["hold"] for one in first] == [one["hold"] for one in again]
    assert await inventory.counters(flight) == (6, 4, 0)
    assert await inventory.drift() == []


async def test_ten_for_six_seats_are_six_holds_and_four_clean_refusals(client, inventory, offers):
    flight = await inventory.flight(6)
    outcomes = await ask(client, *((new_id(), client.body(offers.make(flight))) for _ in range(10)))
    assert sorted(one["status"] for one in outcomes) == [201] * 6 + [409] * 4
    assert {one["problem"]["code"] for one in outcomes if one["status"] == 409} == {"not-enough-seats"}
    assert await inventory.counters(flight) == (0, 6, 0)


async def test_what_only_its_own_put_can_explain_is_left_to_it_and_spoils_nothing(client, inventory, offers):
    flight = await inventory.flight(10)
    good, nobody = client.body(offers.make(flight)), client.body(offers.make(flight))
    nobody["lines"] = []
    unreadable = {**good, "offer_id": 7}
    outcomes = await ask(
        client,
        (new_id(), unreadable),
        (new_id(), {**good, "offer_id": "no such offer"}),
        (new_id(), nobody),
        (new_id(), good),
    )
    assert outcomes[0] is outcomes[1] is None
    assert outcomes[2]["status"] == 422
    assert outcomes[3]["status"] == 201
    assert await inventory.counters(flight) == (9, 1, 0)


@pytest.mark.parametrize("body", [{}, {"placements": []}, {"placements": [{"id": "x", "hold": {}}]}, []])
async def test_a_request_that_names_no_holds_is_refused(client, body):
    answer = await client.http.post("/internal/v1/holds/placements", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")

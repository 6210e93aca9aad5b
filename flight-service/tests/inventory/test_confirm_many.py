"""Many holds sold in one request: each is sold or refused as its own confirmation would be."""

import asyncio

import pytest

from rihla.kernel import new_id

ROUTE = "/internal/v1/holds/confirmations"


async def ask(client, *ids):
    """The outcomes for these holds."""
    answer = await client.http.post(ROUTE, json={"confirmations": [{"id": str(id_)} for id_ in ids]})
    assert answer.status_code == 200, answer.text
    return answer.json()["outcomes"]


async def held(client, offers, flight):
    """A hold of one adult."""
    hold_id = new_id()
    answer = await client.http.put(f"/internal/v1/holds/{hold_id}", json=client.body(offers.make(flight)))
    assert answer.status_code == 201, answer.text
    return hold_id


async def test_each_hold_of_many_is_sold_or_refused_as_if_it_came_alone(client, inventory, offers):
    flight = await inventory.flight(10)
    first, sold, given_up = [await held(client, offers, flight) for _ in range(3)]
    alone = await client.http.post(f"/internal/v1/holds/{sold}/confirm", json={})
    await client.http.post(f"/internal/v1/holds/{given_up}/release", json={"items": None})
    outcomes = await ask(client, first, new_id(), sold, given_up)
    assert [one["status"] for one in outcomes] == [200, 404, 200, 409]
    assert (outcomes[0]["hold"]["id"], outcomes[0]["hold"]["status"]) == (str(first), "confirmed")
    assert len(outcomes[0]["hold"]["seats"]) == 1
    assert [outcomes[at]["problem"]["code"] for at in (1, 3)] == ["hold-unknown", "hold-released"]
    assert outcomes[2]["hold"] == alone.json()
    assert await inventory.counters(flight) == (8, 0, 2)


async def test_the_same_holds_confirmed_by_two_requests_at_once_are_sold_once(client, inventory, offers):
    flight = await inventory.flight(10)
    ids = [await held(client, offers, flight) for _ in range(4)]
    first, again = await asyncio.gather(ask(client, *ids), ask(client, *ids))
    assert [one["hold"]["seats"] for one in first] == [one["hold"]["seats"] for one in again]
    seats = [one["hold"]["seats"][0]["designator"] for one in first]
    assert len(set(seats)) == 4, "parties that confirm together do not get one another's seats"
    assert await inventory.counters(flight) == (6, 0, 4)
    assert await inventory.drift() == []


@pytest.mark.parametrize("body", [{}, {"confirmations": []}, {"confirmations": [{"id": "x"}]}, []])
async def test_a_request_that_names_no_holds_to_sell_is_refused(client, body):
    answer = await client.http.post(ROUTE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")

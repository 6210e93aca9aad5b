"""Many holds sold in one request: each is sold or refused as its own confirmation would be."""

import asyncio

import pytest

from rihla.kernel import new_id
from rihla.testing import running

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


async def test_the_documented_routes_behind_the_express_lanes_answer_alike(
    express_lane_closed, offers, keyring, inventory, client
):
    flight = await inventory.flight(9)
    hold = {"id": str(new_id()), "hold": client.body(offers.make(flight), client.line())}
    sold, wrong = {"confirmations": [{"id": hold["id"]}]}, {"confirmations": [{"id": hold["id"], "more": 1}]}
    ways = {}
    async with running(express_lane_closed(), token=keyring.token(audience="flight", issuer="booking")) as behind:
        for way, http in (("behind", behind), ("lane", client.http)):
            answers = [await http.post(ROUTE.replace("confirmations", "placements"), json={"placements": [hold]})]
            answers += [await http.post(ROUTE, json=body) for body in (sold, wrong)]
            answers.append(await http.post(ROUTE, content=b"{"))
            answers.append(await http.post(ROUTE, json=sold, headers={"authorization": "Bearer nonsense"}))
            other = keyring.token(audience="flight", issuer="payment")
            answers.append(await http.post(ROUTE, json=sold, headers={"authorization": f"Bearer {other}"}))
            ways[way] = [(one.status_code, one.json() | {"request_id": ""}) for one in answers]
    first, again = ways["behind"][0][1]["outcomes"][0], ways["lane"][0][1]["outcomes"][0]
    assert (first["status"], again["status"], again["hold"]["status"]) == (201, 200, "confirmed")
    assert [status for status, _ in ways["lane"]] == [200, 200, 422, 422, 401, 403]
    assert ways["lane"][1:] == ways["behind"][1:]


@pytest.mark.parametrize("body", [{}, {"confirmations": []}, {"confirmations": [{"id": "x"}]}, []])
async def test_a_request_that_names_no_holds_to_sell_is_refused(client, body):
    answer = await client.http.post(ROUTE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-failed")

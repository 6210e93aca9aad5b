"""The protocol of docs/contracts.md, over the routes."""

from rihla.kernel import new_id


async def test_a_hold_answers_with_its_price_by_passenger_and_segment(client, inventory, offers):
    out, back = await inventory.flight(10), await inventory.flight(10)
    offer = offers.make(out, back, slices=[0, 1], adult=1, infant=1)
    adult = client.line(
        seats=[{"flight_id": out, "designator": "12A"}], extras=[{"code": "bag-20", "flight_id": None, "quantity": 2}]
    )
    answer = await client.put(offer, adult, client.line("infant", "2026-02-01"))
    assert answer.status_code == 201, answer.text
    hold = answer.json()
    assert hold["status"] == "held"
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

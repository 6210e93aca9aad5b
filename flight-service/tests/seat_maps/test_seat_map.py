"""The seat map, and a hold on an offer found by search, on the seeded network."""

from decimal import Decimal

from rihla.kernel import new_id


def states(seat_map):
    return {
        seat["designator"]: seat["state"]
        for cabin in seat_map["cabins"]
        for row in cabin["rows"]
        for seat in row["seats"]
    }


def booking(service):
    return {"authorization": f"Bearer {service.keyring.token(audience='flight', issuer='booking')}"}


async def hold(service, offer, seats=(), *, id_=None):
    line = {
        "passenger_id": str(new_id()),
        "type": "adult",
        "date_of_birth": "1988-04-01",
        "seats": [{"flight_id": flight, "designator": seat} for flight, seat in seats],
        "seat_preference": "window",
        "extras": [],
    }
    body = {"offer_id": offer["id"], "expires_at": f"{service.day(1)}T00:00:00Z", "lines": [line]}
    return await service.client.put(f"/internal/v1/holds/{id_ or new_id()}", json=body, headers=booking(service))


async def test_a_held_seat_shows_as_held_and_then_as_sold(service):
    offer = (await service.search(origin="DAC", destination="JED", max_stops=0))[0]
    segment = offer["slices"][0]["segments"][0]
    flight = segment["flight_id"]
    brand = segment["fare_brand"]
    before = (await service.get(f"/v1/flights/{flight}/seat-map", fare_brand=brand)).json()
    assert before["flight_id"] == flight
    economy = next(cabin for cabin in before["cabins"] if cabin["cabin"] == "economy")
    seats = [seat for row in economy["rows"] for seat in row["seats"]]
    chosen = next(seat for seat in seats if seat["state"] == "free" and not seat["features"])
    id_ = new_id()
    answer = await hold(service, offer, [(flight, chosen["designator"])], id_=id_)
    assert answer.status_code == 201, answer.text
    lines = answer.json()["price_lines"]
    total = Decimal(offer["price"]["total"]["amount"]) + Decimal(chosen["price"]["amount"])
    assert sum(line["amount_minor"] for line in lines) == int(total * 100)
    assert states((await service.get(f"/v1/flights/{flight}/seat-map")).json())[chosen["designator"]] == "held"
    path = f"/internal/v1/holds/{id_}/confirm"
    assert (await service.client.post(path, json={}, headers=booking(service))).status_code == 200
    assert states((await service.get(f"/v1/flights/{flight}/seat-map")).json())[chosen["designator"]] == "sold"
    again = await service.search(origin="DAC", destination="JED", max_stops=0, limit=100)
    found = [o["slices"][0]["segments"][0] for o in again if o["slices"][0]["segments"][0]["flight_id"] == flight]
    assert found[0]["free_seats"] == segment["free_seats"] - 1, "the search knows the exact number at once"


async def test_an_edited_fare_refuses_the_hold_with_the_current_offer(service):
    offer = (await service.search(origin="DAC", destination="JED", max_stops=0))[0]
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    assert (await hold(service, offer)).status_code == 201
    await service.sql(
        "UPDATE flight SET base_fares[1] = base_fares[1] + 1000, offer_version = offer_version + 1 WHERE id = $1",
        flight,
    )
    answer = await hold(service, offer)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")
    current = answer.json()["current_offer"]
    assert Decimal(current["price"]["total"]["amount"]) > Decimal(offer["price"]["total"]["amount"])
    assert (await hold(service, current)).status_code == 201


async def test_edited_fare_rules_refuse_a_hold_at_once(service):
    offer = (await service.search(origin="DAC", destination="JED", max_stops=0))[0]
    assert (await hold(service, offer)).status_code == 201
    await service.sql(
        "INSERT INTO fare_rule_set (version, document) SELECT version + 1, document FROM fare_rule_set "
        "ORDER BY version DESC LIMIT 1"
    )
    answer = await hold(service, offer)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")


async def test_a_seat_map_in_another_currency_and_of_no_flight(service):
    offer = (await service.search(origin="DAC", destination="JED", max_stops=0))[0]
    flight = offer["slices"][0]["segments"][0]["flight_id"]
    seat_map = (await service.get(f"/v1/flights/{flight}/seat-map", currency="JPY", fare_brand="flex")).json()
    prices = [seat["price"] for cabin in seat_map["cabins"] for row in cabin["rows"] for seat in row["seats"]]
    assert all(price is None or (price["currency"] == "JPY" and price["amount"].isdigit()) for price in prices)
    assert any(prices)
    refused = await service.get(f"/v1/flights/{flight}/seat-map", currency="XXX")
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown-currency")
    unknown = await service.get(f"/v1/flights/{new_id()}/seat-map")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "flight-not-found")

"""What reaches a service, and what comes back."""

from typing import Any


async def test_a_request_reaches_its_service_with_an_internal_token_for_that_service(stack: Any) -> None:
    person = stack.sign_in("traveller", "support")
    answer = await stack.client.get("/v1/bookings?when=past&x=%20y", headers=person.headers)
    seen = answer.json()
    assert answer.status_code == 200
    assert (seen["service"], seen["path"], seen["query"]) == ("booking", "/v1/bookings", "when=past&x=%20y")
    assert (seen["kind"], seen["user"], seen["roles"]) == ("person", str(person.user_id), ["support", "traveller"])


async def test_somebody_without_credentials_is_passed_on_as_anonymous_where_the_row_allows_it(stack: Any) -> None:
    answer = await stack.client.get("/v1/flights?date=today")
    assert answer.json()["kind"] == "anonymous"
    assert (await stack.client.get("/v1/bookings")).status_code == 401


async def test_a_body_arrives_whole_and_unchanged(stack: Any) -> None:
    person = stack.sign_in()
    answer = await stack.client.post(
        "/v1/bookings", content=b'{"offer_id": "x"}', headers={**person.headers, "content-type": "application/json"}
    )
    assert answer.json()["body"] == '{"offer_id": "x"}'
    empty = await stack.client.post("/v1/bookings", headers=person.headers)
    assert (empty.status_code, empty.json()["length"]) == (200, 0)

"""What reaches a service, and what comes back."""

import asyncio
import hashlib
from typing import Any

import httpx
import pytest


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
    headers = {**person.headers, "content-type": "application/json"}
    answer = await stack.client.post("/v1/bookings", content=b'{"offer_id": "x"}', headers=headers)
    assert answer.json()["body"] == '{"offer_id": "x"}'
    empty = await stack.client.post("/v1/bookings", headers=person.headers)
    assert (empty.status_code, empty.json()["length"]) == (200, 0)


async def test_a_body_without_a_length_arrives_whole(stack: Any) -> None:
    async def pieces() -> Any:
        for _ in range(30):
            yield b"x" * 10_000

    answer = await stack.client.post("/v1/chat/attachments", content=pieces(), headers=stack.sign_in().headers)
    assert answer.json() == {"length": 300_000}


async def test_a_large_upload_and_a_large_download_are_streamed(stack: Any) -> None:
    person = stack.sign_in()
    answer = await stack.client.post("/v1/chat/attachments", content=b"x" * 5_000_000, headers=person.headers)
    assert answer.json() == {"length": 5_000_000}
    pdf = await stack.client.get("/v1/bookings/1/tickets.pdf", headers=person.headers)
    assert hashlib.sha256(pdf.content).digest() == hashlib.sha256(b"p" * 1_000_000).digest()


async def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(stack: Any) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await stack.client.get("/v1/bookings/1/broken", headers=stack.sign_in().headers)


async def test_a_services_own_problem_passes_through(stack: Any) -> None:
    answer = await stack.client.get("/v1/bookings/1/problem", headers=stack.sign_in().headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "offer-changed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


async def test_many_requests_at_once_each_get_their_own_answer(stack: Any) -> None:
    people = [stack.sign_in() for _ in range(40)]
    answers = await asyncio.gather(*(stack.client.get(f"/v1/bookings/{p.user_id}", headers=p.headers) for p in people))
    assert [answer.json()["user"] for answer in answers] == [str(person.user_id) for person in people]
    assert [answer.json()["path"] for answer in answers] == [f"/v1/bookings/{person.user_id}" for person in people]

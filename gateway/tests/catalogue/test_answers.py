"""Short copies of public catalogue answers."""

import asyncio
from typing import Any

from gateway.catalogue.answers import KeptAnswer, KeptAnswers, may_keep


async def test_a_second_reader_gets_the_copy_and_a_third_who_has_it_gets_304(stack: Any) -> None:
    first = await stack.client.get("/v1/airports?query=dha")
    second = await stack.client.get("/v1/airports?query=dha")
    assert first.json() == second.json() == {"items": ["DAC"], "asked": 1, "test": False}
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["cache-control"].startswith("public, max-age=")
    assert {"age", "ratelimit", "x-request-id"} <= set(second.headers)
    third = await stack.client.get(
        "/v1/airports?query=dha", headers={"If-None-Match": f'W/{first.headers["etag"]}, "other"'}
    )
    assert (third.status_code, third.content) == (304, b"")
    other = await stack.client.get("/v1/airports?query=jed", headers={"If-None-Match": first.headers["etag"]})
    assert (other.status_code, other.json()["asked"]) == (200, 2)


async def test_many_readers_at_once_are_one_question(stack: Any) -> None:
    answers = await asyncio.gather(*(stack.client.get("/v1/airports?query=slow") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert stack.services["flight"].app.state.airports == 1


async def test_what_a_test_key_sees_is_kept_apart_and_what_people_see_is_asked_as_nobody(stack: Any) -> None:
    person = await stack.client.get("/v1/airports", headers=stack.sign_in().headers)
    partner = await stack.client.get("/v1/airports", headers=stack.partner())
    assert (person.json()["test"], partner.json()["test"]) == (False, True)
    assert partner.headers["cache-control"].startswith("private")
    assert [seen["kind"] for seen in stack.services["flight"].seen] == ["anonymous", "partner"]


async def test_what_a_service_calls_private_is_not_kept(stack: Any) -> None:
    for _ in range(2):
        answer = await stack.client.get("/v1/airports?query=private")
        assert answer.headers["cache-control"] == "private"
    assert stack.services["flight"].app.state.airports == 2


async def test_what_staff_change_shows_at_the_next_read(stack: Any) -> None:
    assert (await stack.client.get("/v1/airports")).json()["asked"] == 1
    change = await stack.client.put("/v1/admin/fares/7", json={}, headers=stack.sign_in("admin").headers)
    assert change.status_code == 200
    assert (await stack.client.get("/v1/airports")).json()["asked"] == 2


async def test_a_bad_credential_is_refused_for_copies_too(stack: Any) -> None:
    await stack.client.get("/v1/airports")
    answer = await stack.client.get("/v1/airports", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_only_plain_successes_are_kept() -> None:
    assert may_keep(200, [(b"content-type", b"application/json")])
    assert not may_keep(404, [])
    assert not may_keep(200, [(b"set-cookie", b"a=b")])
    assert not may_keep(200, [(b"cache-control", b"No-Store")])
    assert not may_keep(200, [(b"vary", b"*")])


async def test_an_answer_from_before_a_change_is_given_but_not_kept() -> None:
    answers, key = KeptAnswers(), (b"a", b"", b"", b"", False)

    async def changed_meanwhile() -> KeptAnswer:
        answers.forget()
        return KeptAnswer([], b"old", 60)

    kept = await answers.get_or_ask(key, changed_meanwhile)
    assert kept is not None
    assert answers.get(key) is None


async def test_the_oldest_copies_make_room() -> None:
    answers = KeptAnswers(most_bytes=250)

    async def ask(name: bytes) -> None:
        async def of_100_bytes() -> KeptAnswer:
            return KeptAnswer([], name * 100, 60)

        await answers.get_or_ask((name, b"", b"", b"", False), of_100_bytes)

    for name in (b"a", b"b", b"c"):
        await ask(name)
    assert answers.get((b"a", b"", b"", b"", False)) is None
    assert answers.get((b"c", b"", b"", b"", False)) is not None

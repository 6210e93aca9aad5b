"""Registering: alike for everybody, one account for an address, however many ask at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth_service.people.tables import Account


def body(email: str = "amina@example.com", **more: Any) -> dict[str, Any]:
    return {"email": email, "password": "four wild geese over Sylhet", "full_name": "Amina Rahman", **more}


async def test_a_person_registers_verifies_and_reads_their_profile(auth: Any) -> None:
    answer = await auth.post("/v1/auth/register", body(locale="bn-BD", currency="BDT", location="Dhaka"))
    assert answer.status_code == 201
    verification = answer.json()["verification"]
    assert verification["channel"] == "email"
    assert verification["expires_at"] == "2026-12-01T08:10:00Z"
    code = await auth.code_for("amina@example.com", "verify")
    message = auth.mail.messages[0]
    assert message == {
        "request_id": verification["request_id"],
        "channel": "email",
        "address": "amina@example.com",
        "code": code,
        "purpose": "verify",
        "locale": "bn-BD",
        "expires_at": "2026-12-01T08:10:00Z",
        "client_ip": "203.0.113.7",
    }
    pair = await auth.post("/v1/auth/verify", {"identifier": "Amina@Example.com ", "code": code})
    assert pair.status_code == 200
    assert pair.json().keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair.json()["token_type"], pair.json()["expires_in"]) == ("Bearer", 600)
    person = await auth.login()
    me = (await auth.get("/v1/me", person)).json()
    assert (me["email"], me["full_name"], me["locale"], me["location"]) == (
        "amina@example.com",
        "Amina Rahman",
        "bn-BD",
        "Dhaka",
    )
    assert me["roles"] == ["traveller"]
    assert "password" not in str(me).replace("has_password", "")
    [event] = await auth.events("user.registered.v1")
    assert event["data"]["email"] == "amina@example.com"
    assert event["sequence"] == 1


async def test_registering_a_known_address_answers_the_same_and_tells_its_owner(auth: Any) -> None:
    await auth.registered()
    known = await auth.post("/v1/auth/register", body())
    fresh = await auth.post("/v1/auth/register", body("karim@example.com"))
    assert known.status_code == fresh.status_code == 201
    for answer in (known, fresh):
        assert answer.json()["verification"].pop("request_id")
    assert known.json()["verification"].keys() == fresh.json()["verification"].keys()
    assert known.json()["verification"]["expires_at"] == fresh.json()["verification"]["expires_at"]
    await auth.code_for("amina@example.com", "account-exists")
    [note] = auth.mail.sent_to("amina@example.com", "account-exists")
    assert note["code"] is None


async def test_nobody_takes_over_an_account_by_registering_it_again(auth: Any) -> None:
    await auth.registered()
    await auth.post("/v1/auth/register", body(password="the attacker chose this"))
    await auth.code_for("amina@example.com", "account-exists")
    answer = await auth.post(
        "/v1/auth/login", {"identifier": "amina@example.com", "password": "the attacker chose this"}
    )
    assert answer.status_code == 401


async def test_an_unverified_address_can_be_registered_again_after_a_minute(auth: Any) -> None:
    await auth.post("/v1/auth/register", body(full_name="First Try"))
    first = await auth.code_for("amina@example.com", "verify")
    auth.clock.advance(timedelta(seconds=61))
    await auth.post("/v1/auth/register", body(full_name="Second Try"))
    second = await auth.code_for("amina@example.com", "verify", 2)
    assert (await auth.post("/v1/auth/verify", {"identifier": "amina@example.com", "code": first})).status_code == 401
    assert (await auth.post("/v1/auth/verify", {"identifier": "amina@example.com", "code": second})).status_code == 200
    person = await auth.login()
    assert (await auth.get("/v1/me", person)).json()["full_name"] == "Second Try"


async def test_within_a_minute_the_first_registration_stands_and_only_its_author_learns_its_id(auth: Any) -> None:
    first = (await auth.post("/v1/auth/register", body())).json()["verification"]
    again = (await auth.post("/v1/auth/register", body())).json()["verification"]
    stranger = (await auth.post("/v1/auth/register", body(password="somebody else's choice"))).json()["verification"]
    assert again["request_id"] == first["request_id"]
    assert stranger["request_id"] != first["request_id"]
    code = await auth.code_for("amina@example.com", "verify")
    bound = {"identifier": "amina@example.com", "code": code, "request_id": stranger["request_id"]}
    assert (await auth.post("/v1/auth/verify", bound)).status_code == 401
    assert (await auth.post("/v1/auth/verify", {**bound, "request_id": first["request_id"]})).status_code == 200
    assert len(auth.mail.sent_to("amina@example.com")) == 1


async def test_twenty_registrations_of_one_address_make_one_account(auth: Any) -> None:
    answers = await asyncio.gather(*(auth.post("/v1/auth/register", body()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    code = await auth.code_for("amina@example.com", "verify")
    assert len(auth.mail.sent_to("amina@example.com")) == 1
    verified = {"identifier": "amina@example.com", "code": code}
    outcomes = await asyncio.gather(*(auth.post("/v1/auth/verify", verified) for _ in range(20)))
    assert sorted(answer.status_code for answer in outcomes) == [200] + [401] * 19
    assert len(await auth.sql("SELECT 1 FROM account")) == 1
    assert len(await auth.events("user.registered.v1")) == 1


async def _race(auth: Any, verify_once: Callable[[], Awaitable[httpx.Response]]) -> list[int]:
    answers = await asyncio.gather(*(verify_once() for _ in range(2)))
    return sorted(answer.status_code for answer in answers)


async def test_of_two_verifications_at_once_one_wins(auth: Any) -> None:
    await auth.post("/v1/auth/register", body())
    code = await auth.code_for("amina@example.com", "verify")
    assert await _race(
        auth, lambda: auth.post("/v1/auth/verify", {"identifier": "amina@example.com", "code": code})
    ) == [
        200,
        401,
    ]


async def test_without_the_row_lock_a_code_is_good_twice(auth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the race above, on sign-in codes: what keeps a code to one use is the lock and nothing else."""
    from auth_service.codes import redeem, store

    await auth.registered()
    await auth.post("/v1/auth/login/code", {"identifier": "amina@example.com"})
    code = await auth.code_for("amina@example.com", "login")
    both_have_read = asyncio.Barrier(2)
    locked = store.latest_request

    async def unguarded(session: Any, purpose: str, identifier: str, *, lock: bool = False) -> Any:
        found = await locked(session, purpose, identifier, lock=False)
        await both_have_read.wait()
        return found

    monkeypatch.setattr(redeem.store, "latest_request", unguarded)
    sign_in = {"identifier": "amina@example.com", "code": code}
    assert await _race(auth, lambda: auth.post("/v1/auth/login/code/verify", sign_in)) == [200, 200]


async def test_a_telephone_number_registers_as_well(auth: Any) -> None:
    answer = await auth.post(
        "/v1/auth/register",
        {"phone": "+880 1712-345678", "password": "four wild geese over Sylhet", "full_name": "Karim Uddin"},
    )
    assert answer.json()["verification"]["channel"] == "sms"
    code = await auth.code_for("+8801712345678", "verify")
    answer = await auth.post("/v1/auth/verify", {"identifier": "+8801712345678", "code": code})
    assert answer.status_code == 200
    rows = await auth.sql("SELECT phone, email FROM account")
    assert [tuple(row) for row in rows] == [("+8801712345678", None)]


async def test_what_cannot_be_accepted_is_named(auth: Any) -> None:
    for pointer, change in (
        ("#/password", {"password": "short"}),
        ("#/password", {"password": "password123"}),
        ("#/email", {"email": "not an address"}),
        ("#/roles", {"roles": ["admin"]}),
        ("#/locale", {"locale": "xx-nowhere"}),
        ("#/", {"email": None}),
    ):
        answer = await auth.post("/v1/auth/register", body(**change))
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_the_table_itself_refuses_a_second_account_for_an_address() -> None:
    assert Account.__table__.c.email.unique
    assert Account.__table__.c.phone.unique

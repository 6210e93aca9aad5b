"""Passwords: rules, reset by code, change, hashes that grow stronger."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from passlib.hash import argon2

from auth_service.passwords.hashing import Passwords
from auth_service.passwords.rules import breached_passwords, password_problem
from auth_service.problems import TooBusy

EMAIL = "amina@example.com"
NEW = "a kettle on the Padma bank"


def test_the_offline_list_holds_more_than_ten_thousand_passwords_that_length_alone_would_accept() -> None:
    assert len(breached_passwords()) > 10_000
    assert all(len(password) >= 8 for password in breached_passwords())


@pytest.mark.parametrize(
    "weak", ["password1", "PASSWORD1", "iloveyou", "short", "x" * 129, "aaaaaaaaaaaa", "amina rahman"]
)
def test_a_weak_password_is_refused(weak: str) -> None:
    assert password_problem(weak, breached=breached_passwords(), own_words=("Amina Rahman",))


@pytest.mark.parametrize("good", ["four wild geese", "কবুতর উড়ে যায় সকালে", "alllowercaseandlong"])
def test_no_composition_is_demanded(good: str) -> None:
    assert password_problem(good, breached=breached_passwords()) is None


async def test_hashes_are_argon2id_of_the_agreed_strength() -> None:
    passwords = Passwords(threads=1, queue=1)
    stored = await passwords.hash("four wild geese")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify("four wild geese", stored)
    assert not await passwords.verify("four wild geese", None)
    passwords.close()


async def test_more_password_work_than_the_queue_holds_is_turned_away() -> None:
    passwords = Passwords(threads=1, queue=1)
    outcomes = await asyncio.gather(*(passwords.hash("four wild geese") for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, TooBusy) for outcome in outcomes) == 2
    passwords.close()


async def test_a_forgotten_password_is_reset_by_code_and_every_session_ends(auth: Any) -> None:
    person = await auth.registered()
    assert (await auth.post("/v1/auth/password/forgot", {"identifier": EMAIL})).status_code == 202
    code = await auth.code_for(EMAIL, "password-reset")
    body = {"identifier": EMAIL, "code": code, "new_password": NEW}
    assert (await auth.post("/v1/auth/password/reset", body)).status_code == 204
    assert (await auth.post("/v1/auth/password/reset", body)).status_code == 401
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": person.refresh_token})).status_code == 401
    assert (
        await auth.post("/v1/auth/login", {"identifier": EMAIL, "password": "four wild geese over Sylhet"})
    ).status_code == 401
    await auth.login(password=NEW)
    kinds = [event["data"]["kind"] for event in await auth.events("user.security_notice.v1")]
    assert kinds == ["password_reset"]


async def test_forgot_answers_alike_for_nobody_and_beyond_every_limit(auth: Any) -> None:
    await auth.registered()
    answers = []
    for _ in range(12):
        answers.append(await auth.post("/v1/auth/password/forgot", {"identifier": EMAIL}))
        answers.append(await auth.post("/v1/auth/password/forgot", {"identifier": "nobody@example.com"}))
        auth.clock.advance(timedelta(seconds=61))
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    await auth.code_for(EMAIL, "password-reset", 8)
    assert auth.mail.sent_to("nobody@example.com") == []


async def test_a_reset_code_signs_nobody_in(auth: Any) -> None:
    await auth.registered()
    await auth.post("/v1/auth/password/forgot", {"identifier": EMAIL})
    code = await auth.code_for(EMAIL, "password-reset")
    assert (await auth.post("/v1/auth/login/code/verify", {"identifier": EMAIL, "code": code})).status_code == 401


async def test_a_password_is_changed_by_who_knows_it_and_other_devices_are_signed_out(auth: Any) -> None:
    other, person = await auth.registered(), await auth.login()
    body = {"current_password": "not this one", "new_password": NEW}
    assert (await auth.post("/v1/me/password", body, person)).status_code == 401
    body["current_password"] = "four wild geese over Sylhet"
    assert (await auth.post("/v1/me/password", {**body, "new_password": "password1"}, person)).status_code == 422
    assert (await auth.post("/v1/me/password", body, person)).status_code == 204
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": other.refresh_token})).status_code == 401
    assert (await auth.post("/v1/auth/refresh", {"refresh_token": person.refresh_token})).status_code == 200
    await auth.login(password=NEW)


async def test_a_weaker_hash_grows_stronger_at_the_next_sign_in(auth: Any) -> None:
    person = await auth.registered()
    weak = argon2.using(type="ID", memory_cost=1024, time_cost=1, parallelism=1).hash("four wild geese over Sylhet")
    await auth.sql("UPDATE account SET password_hash = $1 RETURNING id", weak)
    await auth.login()
    [row] = await auth.sql("SELECT password_hash FROM account WHERE id = $1", person.id)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_spaces_around_a_password_belong_to_it(auth: Any) -> None:
    await auth.registered(password=" four wild geese ")
    await auth.login(password=" four wild geese ")
    answer = await auth.post("/v1/auth/login", {"identifier": EMAIL, "password": "four wild geese"})
    assert answer.status_code == 401

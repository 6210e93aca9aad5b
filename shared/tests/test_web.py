import json
from typing import Any

import pytest

from rihla.kernel import DomainError, new_id
from rihla.testing import running
from rihla.testing.keyring import Keyring
from rihla.web import ProblemSpec, ProblemTable
from rihla.web.problems import domain_problem


def person(keyring: Keyring, **claims: Any) -> dict[str, str]:
    token = keyring.token(audience="flight", user_id=claims.pop("user_id", None) or new_id(), **claims)
    return {"authorization": f"Bearer {token}"}


async def test_every_error_is_a_problem_document(tea_app: Any, keyring: Keyring) -> None:
    async with running(tea_app) as client:
        signed_in = person(keyring)
        keyed = {**signed_in, "idempotency-key": "any"}
        cases = [
            (await client.get("/nowhere"), 404, "not-found"),
            (await client.delete("/v1/cups"), 405, "method-not-allowed"),
            (await client.get("/v1/me"), 401, "unauthenticated"),
            (await client.get("/v1/admin", headers=signed_in), 403, "forbidden"),
            (await client.get("/v1/cups?limit=0"), 422, "validation-failed"),
            (await client.get("/v1/cups?cursor=???"), 422, "invalid-cursor"),
            (await client.get("/v1/broken"), 500, "internal-error"),
            (await client.get("/v1/forgotten"), 500, "internal-error"),
            (await client.post("/v1/orders", headers=signed_in, json={"cups": 1}), 400, "idempotency-key-required"),
            (
                await client.post("/v1/orders", headers={**keyed, "content-type": "application/json"}, content="{"),
                400,
                "malformed-json",
            ),
            (
                await client.post("/v1/orders", headers={**keyed, "content-type": "text/plain"}, content="hi"),
                415,
                "unsupported-media-type",
            ),
            (await client.post("/v1/orders", headers=keyed, content=b"x" * 20_000), 413, "payload-too-large"),
        ]
        for answer, status, code in cases:
            body = answer.json()
            assert (answer.status_code, body["code"], body["status"]) == (status, code, status)
            assert answer.headers["content-type"] == "application/problem+json"
            assert body["request_id"] == answer.headers["x-request-id"]


async def test_an_error_of_ours_tells_nothing_about_the_implementation(tea_app: Any) -> None:
    async with running(tea_app) as client:
        answer = await client.get("/v1/broken")
    assert "secret of the implementation" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_validation_problem_points_at_the_field(tea_app: Any, keyring: Keyring) -> None:
    async with running(tea_app) as client:
        answer = await client.post(
            "/v1/orders", json={"cups": "many", "sugar": 1}, headers={**person(keyring), "idempotency-key": "k"}
        )
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == {"#/cups", "#/sugar"}


async def test_a_well_formed_request_id_is_kept_and_another_replaced(tea_app: Any) -> None:
    async with running(tea_app) as client:
        kept = await client.get("/v1/cups", headers={"x-request-id": "my-request-0001"})
        replaced = await client.get("/v1/cups", headers={"x-request-id": 'bad"id'})
    assert kept.headers["x-request-id"] == "my-request-0001"
    assert '"' not in replaced.headers["x-request-id"]


async def test_internal_routes_accept_only_the_callers_they_list(tea_app: Any, keyring: Keyring) -> None:
    async with running(tea_app) as client:

        async def call(token: str) -> int:
            answer = await client.get("/internal/v1/cups", headers={"authorization": f"Bearer {token}"})
            return answer.status_code

        assert await call(keyring.token(audience="flight", issuer="booking")) == 200
        assert await call(keyring.token(audience="flight", issuer="payment")) == 403
        assert await call(keyring.token(audience="payment", issuer="booking")) == 401
        assert await call(keyring.token(audience="flight", user_id=new_id())) == 403


async def test_a_token_that_is_old_forged_or_speaks_for_others_is_refused(tea_app: Any, keyring: Keyring) -> None:
    stranger = Keyring()
    signer = keyring.signer("payment")
    forged_person = signer.sign(
        {"kind": "person", "sub": str(new_id()), "aud": "flight", "iat": 2_000_000_000, "exp": 2_000_000_050},
        token_type="rihla-internal+jwt",
    )
    tokens = [
        keyring.token(audience="flight", user_id=new_id(), iat=1, exp=60),
        stranger.token(audience="flight", user_id=new_id()),
        forged_person,
        "not.a.token",
        "",
    ]
    async with running(tea_app) as client:
        for token in tokens:
            answer = await client.get("/v1/who", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_repeated_key_gives_the_saved_answer(tea_app: Any, keyring: Keyring) -> None:
    headers = {**person(keyring), "idempotency-key": "order-1"}
    async with running(tea_app) as client:
        first = await client.post("/v1/orders", json={"cups": 2}, headers=headers)
        again = await client.post("/v1/orders", json={"cups": 2}, headers=headers)
        other = await client.post("/v1/orders", json={"cups": 3}, headers=headers)
        someone_else = await client.post(
            "/v1/orders", json={"cups": 3}, headers={**person(keyring), "idempotency-key": "order-1"}
        )
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert someone_else.status_code == 201


async def test_a_refusal_is_saved_under_its_key(tea_app: Any, keyring: Keyring) -> None:
    headers = {**person(keyring), "idempotency-key": "order-2"}
    async with running(tea_app) as client:
        first = await client.post("/v1/orders", json={"cups": 20}, headers=headers)
        again = await client.post("/v1/orders", json={"cups": 20}, headers=headers)
    assert (first.status_code, first.json()["code"], first.json()["most"]) == (409, "too-many-cups", 10)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (409, "true")


async def test_health_says_which_check_fails(tea_app: Any) -> None:
    async with running(tea_app) as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).json() == {"status": "ok", "checks": {"database": "ok"}}

        async def broken() -> None:
            raise ConnectionError

        tea_app.state.checks = {"broker": broken}
        failing = await client.get("/health/ready")
    assert (failing.status_code, failing.json()["checks"]) == (503, {"broker": "failed"})


async def test_metrics_count_by_route_template(tea_app: Any) -> None:
    async with running(tea_app) as client:
        await client.get("/v1/cups")
        text = (await client.get("/metrics")).text
    assert 'rihla_http_requests_total{method="GET",route="/v1/cups",service="flight",status="200"}' in text


@pytest.mark.parametrize("cursor", ["e30", "W10"])
async def test_a_cursor_is_an_object_or_nothing(tea_app: Any, cursor: str) -> None:
    async with running(tea_app) as client:
        answer = await client.get(f"/v1/cups?cursor={cursor}")
    assert answer.status_code == (200 if cursor == "e30" else 422)


def test_a_fact_named_like_a_member_of_the_document_does_not_replace_it() -> None:
    class Full(DomainError):
        pass

    table = ProblemTable({Full: ProblemSpec(409, "full", "It is full")})
    spec, body = domain_problem(Full("Wait.", status="ours", code="ours", left=3), table, "request-1")
    assert (spec.status, json.loads(body)["code"], json.loads(body)["status"], json.loads(body)["left"]) == (
        409,
        "full",
        409,
        3,
    )

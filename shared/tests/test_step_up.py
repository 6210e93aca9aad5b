"""Who has two-factor sign-in proves it again before money goes out; nobody else is disturbed."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter

from rihla.auth import Principal, SteppedUp, StepUpRequired, TokenVerifier, require_step_up
from rihla.kernel import FixedClock, new_id
from rihla.settings import ServiceSettings
from rihla.testing import running
from rihla.web import build_app

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
PROVED = int(NOW.timestamp())
TEN = timedelta(minutes=10)


def _person(second_factor_at: int | None) -> Principal:
    return Principal(kind="person", issuer="gateway", subject=new_id(), second_factor_at=second_factor_at)


def test_a_proof_holds_for_ten_minutes_and_not_a_second_longer() -> None:
    require_step_up(_person(PROVED), now=NOW + timedelta(minutes=9, seconds=59), within=TEN)
    for proved_at, now in ((PROVED, NOW + TEN), (0, NOW)):
        with pytest.raises(StepUpRequired) as refused:
            require_step_up(_person(proved_at), now=now, within=TEN)
        assert refused.value.data["next"]["href"] == "/v1/me/two-factor/step-up"


def test_people_without_a_second_factor_are_not_asked() -> None:
    require_step_up(_person(None), now=NOW, within=TEN)


@pytest.mark.parametrize("proved_at", [None, 0, PROVED])
def test_the_proof_travels_in_the_internal_token(keyring: Any, proved_at: int | None) -> None:
    person = _person(proved_at)
    token = keyring.signer("gateway").internal_token("booking", person)
    assert TokenVerifier(keyring.jwks, "booking").verify(token) == person


@pytest.mark.parametrize("wrong", [-1, "1764576000", True, 1.5])
def test_a_claim_that_is_no_instant_is_refused(wrong: object) -> None:
    claims = json.loads(json.dumps(_person(0).claims() | {"iss": "gateway", "second_factor_at": wrong}))
    with pytest.raises(ValueError, match="instant"):
        Principal.from_claims(claims)


class _Settings(ServiceSettings):
    service = "booking"


async def test_a_route_that_asks_for_it_says_what_to_do_next(keyring: Any) -> None:
    router = APIRouter()

    @router.post("/money-out")
    async def money_out(person: SteppedUp) -> str:
        return str(person.user_id)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        yield SimpleNamespace(clock=FixedClock(NOW))

    settings = _Settings(step_up_minutes=3, **keyring.settings("booking"))
    app = build_app(settings, title="t", routers=[router], open_container=opened)
    proofs = {None: 200, PROVED - 179: 200, PROVED - 180: 403, 0: 403}
    async with running(app) as client:
        for proved_at, status in proofs.items():
            claims = {} if proved_at is None else {"second_factor_at": proved_at}
            token = keyring.token(audience="booking", user_id=new_id(), **claims)
            answer = await client.post("/money-out", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status, (proved_at, answer.text)
            if status == 403:
                assert answer.json()["code"] == "step-up-required"
                assert answer.json()["next"]["href"] == "/v1/me/two-factor/step-up"
        assert (await client.post("/money-out")).status_code == 401

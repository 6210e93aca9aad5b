"""A token made to be handed on reads and changes nothing; a partner's contract travels in its token."""

import json
import time
from dataclasses import replace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from jose import JWTError, jwt

from rihla.auth import Forbidden, InvalidToken, Principal, TokenSigner, TokenVerifier
from rihla.auth.dependencies import current_principal
from rihla.kernel import new_id


@pytest.fixture
def signer(keyring: Any) -> TokenSigner:
    return TokenSigner(keyring.settings("gateway")["service_key"])


@pytest.fixture
def app(keyring: Any) -> FastAPI:
    made = FastAPI()
    made.state.verifier = TokenVerifier(keyring.jwks, "booking")

    @made.exception_handler(Forbidden)
    async def forbidden(*_: Any) -> Any:
        from fastapi.responses import JSONResponse

        return JSONResponse({}, 403)

    @made.api_route("/mine", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def mine(principal: Annotated[Principal, Depends(current_principal)]) -> str:
        return principal.kind

    return made


async def test_a_token_for_reading_changes_nothing_by_any_method(app: FastAPI, signer: TokenSigner) -> None:
    person = Principal(kind="person", issuer="gateway", subject=new_id(), roles=frozenset({"traveller"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://booking.test") as client:
        for principal, writing in ((replace(person, read_only=True), 403), (person, 200)):
            headers = {"authorization": f"Bearer {signer.internal_token('booking', principal)}"}
            assert (await client.get("/mine", headers=headers)).status_code == 200
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert (await client.request(method, "/mine", headers=headers)).status_code == writing, method


def test_a_token_says_how_many_bookings_a_key_may_keep_unpaid(keyring: Any, signer: TokenSigner) -> None:
    partner = Principal(kind="partner", issuer="gateway", subject=new_id(), key_id=new_id(), unpaid_bookings=40)
    assert TokenVerifier(keyring.jwks, "booking").verify(signer.internal_token("booking", partner)) == partner
    for wrong in (0, -1, "7"):
        claims = json.loads(json.dumps(partner.claims() | {"iss": "gateway", "unpaid_bookings": wrong}))
        with pytest.raises(ValueError, match="number of bookings"):
            Principal.from_claims(claims)


def test_a_signer_says_until_when_a_new_token_holds_and_gives_others_again_for_half_their_life(keyring: Any) -> None:
    made_at = int(time.time()) + 1_000  # the library also looks at the machine's clock, and only for what is past
    now = [made_at + 0.7]
    signer = TokenSigner(keyring.settings("gateway")["service_key"], time_source=lambda: now[0])
    verifier = TokenVerifier(keyring.jwks, "booking", time_source=lambda: now[0])
    person = Principal(kind="person", issuer="gateway", subject=new_id())
    token, expires = signer.new_internal_token("booking", person)
    assert expires == made_at + 60
    assert signer.new_internal_token("booking", person)[0] != token
    again = signer.internal_token("booking", person)
    now[0] += 29
    assert signer.internal_token("booking", person) == again
    now[0] += 1
    assert signer.internal_token("booking", person) != again
    now[0] = expires - 0.1
    assert verifier.verify(token) == person
    now[0] = expires
    with pytest.raises(InvalidToken):
        verifier.verify(token)


def test_what_a_signer_writes_is_a_plain_es256_token(keyring: Any) -> None:
    settings = keyring.settings("gateway")
    token = TokenSigner(settings["service_key"]).sign({"aud": "booking", "name": "سارة"}, token_type="some+jwt")
    kid = json.loads(settings["service_key"])["kid"]
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": kid, "typ": "some+jwt"}
    (key,) = [key for key in json.loads(keyring.jwks)["keys"] if key["kid"] == kid]
    assert jwt.decode(token, key, algorithms=["ES256"], audience="booking") == {
        "iss": "gateway", "aud": "booking", "name": "سارة",
    }  # fmt: skip
    for other in (key for key in json.loads(keyring.jwks)["keys"] if key["kid"] != kid):
        with pytest.raises(JWTError):
            jwt.decode(token, other, algorithms=["ES256"], audience="booking")


def test_a_token_that_ended_takes_no_room(keyring: Any) -> None:
    now = [time.time() + 1_000]
    signer = TokenSigner(keyring.settings("gateway")["service_key"], time_source=lambda: now[0])
    verifier = TokenVerifier(keyring.jwks, "booking", time_source=lambda: now[0])
    for _ in range(5):
        now[0] += 61
        for _ in range(20):
            person = Principal(kind="person", issuer="gateway", subject=new_id())
            assert verifier.verify(signer.internal_token("booking", person)) == person
    assert len(verifier._cache) == 20

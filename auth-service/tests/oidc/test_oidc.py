"""Signing in with a provider, against a local one that checks what it is sent."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form
from fastapi.responses import JSONResponse
from jose import jwk, jwt

from auth_service.access.tokens import generate_jwk
from auth_service.oidc.providers import read_providers
from auth_service.oidc.rules import challenge_of, may_return_to
from auth_service.settings import Settings
from rihla.kernel import FixedClock
from rihla.testing.keyring import Keyring

ISSUER = "https://id.example"
EMAIL = "amina@example.com"
VERIFIER = "v" * 43


@cache
def provider_key() -> rsa.RSAPrivateKey:
    """Made once: it costs a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class FakeProvider:
    """An OpenID provider: one client, PKCE checked, RS256."""

    clock: FixedClock
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "subject-1", "email": EMAIL, "email_verified": True})
    trips: dict[str, dict[str, str]] = field(default_factory=dict)
    key: Any = field(default_factory=provider_key)
    sign_with: Any = None

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> dict[str, str]:
            return {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
            }

        @app.get("/keys")
        async def keys() -> dict[str, Any]:
            pem = self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return {"keys": [{**jwk.construct(pem.decode(), "RS256").to_dict(), "kid": "k1", "use": "sig"}]}

        @app.post("/token")
        async def token(
            code: str = Form(), client_secret: str = Form(), code_verifier: str = Form(), redirect_uri: str = Form()
        ) -> JSONResponse:
            trip = self.trips.pop(code, None)
            digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
            if trip is None or client_secret != "shh" or trip["code_challenge"] != digest:
                return JSONResponse({"error": "invalid_grant"}, 400)
            assert redirect_uri == trip["redirect_uri"]
            return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self._token(trip["nonce"])})

        return app

    def _token(self, nonce: str) -> str:
        now = int(self.clock.now().timestamp())
        claims = {"iss": ISSUER, "aud": "client-1", "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        if self.sign_with is not None:
            return str(self.sign_with(claims))
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return str(jwt.encode(claims, pem.decode(), algorithm="RS256", headers={"kid": "k1"}))

    def consent(self, url: str) -> tuple[str, str]:
        """The person agrees: state and code as the provider sends them back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert url.startswith(f"{ISSUER}/authorize?")
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.trips)}-{query['state'][:6]}"
        self.trips[code] = query
        return query["state"], code


@dataclass
class Stage:
    """auth-service beside the provider."""

    auth: Any
    provider: FakeProvider

    async def depart(self, name: str = "work", **params: str) -> tuple[str, str, str]:
        """State, code and cookie of a trip the person agreed to."""
        answer = await self.auth.client.get(
            f"/v1/auth/oidc/{name}/authorize", params=params, headers=self.auth.headers(), follow_redirects=False
        )
        assert answer.status_code == 302, answer.text
        cookie = answer.cookies["rihla_oidc"]
        self.auth.client.cookies.clear()
        state, code = self.provider.consent(answer.headers["location"])
        return state, code, cookie

    async def arrive(self, state: str, code: str, cookie: str | None, name: str = "work", **more: str) -> Any:
        headers = self.auth.headers() | ({"cookie": f"rihla_oidc={cookie}"} if cookie else {})
        params = {"state": state, "code": code, **more}
        return await self.auth.client.get(f"/v1/auth/oidc/{name}/callback", params=params, headers=headers)

    async def sign_in(self, name: str = "work") -> Any:
        state, code, cookie = await self.depart(name)
        return await self.arrive(state, code, cookie, name)

    async def ticket(self) -> str:
        state, code, cookie = await self.depart(
            return_to="https://app.example/back", code_challenge=challenge_of(VERIFIER)
        )
        answer = await self.arrive(state, code, cookie)
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("https://app.example/back?ticket=")
        return parse_qs(urlsplit(answer.headers["location"]).query)["ticket"][0]


@pytest_asyncio.fixture
async def stage(settings: Settings, keyring: Keyring, clock: FixedClock, run_auth: Any) -> AsyncIterator[Stage]:
    provider = FakeProvider(clock)
    own = {"issuer": ISSUER, "client_id": "client-1", "client_secret": "shh"}
    providers = {"work": {**own, "trusted_email": True}, "loose": own}
    changed = Settings(
        **{
            **settings.model_dump(),
            "oidc_providers": json.dumps(providers),
            "oidc_return_urls": "https://app.example/back",
        }
    )
    async with run_auth(changed, keyring, clock, provider.app()) as auth:
        yield Stage(auth, provider)


def test_presets_need_only_the_clients_own_values() -> None:
    providers = read_providers(
        json.dumps(
            {
                "google": {"client_id": "g", "client_secret": "s"},
                "apple": {"client_id": "a", "signing_secret": {"team_id": "T", "key_id": "K", "private_key": "pem"}},
                "facebook": {"client_id": "f", "client_secret": "s"},
            }
        )
    )
    assert providers["google"].discovery == "https://accounts.google.com/.well-known/openid-configuration"
    assert providers["apple"].response_mode == "form_post"
    assert providers["facebook"].trusted_email is False
    assert "pem" not in repr(providers["apple"])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://app.example/back", True),
        ("https://app.example/back/deep?x=1", True),
        ("https://app.example/backwards", False),
        ("https://app.example.evil.example/back", False),
        ("https://app.example@evil.example/back", False),
        ("http://app.example/back", False),
        ("https://app.example/back/../out", False),
        ("//app.example/back", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_page_to_return_to_lies_under_an_allowed_one(url: str, allowed: bool) -> None:
    assert may_return_to(url, ("https://app.example/back",)) is allowed


async def test_somebody_new_gets_an_account_and_the_same_one_the_next_time(stage: Stage) -> None:
    stage.provider.claims["name"] = "Amina Rahman"
    first, second = await stage.sign_in(), await stage.sign_in()
    assert first.status_code == second.status_code == 200
    people = [jwt.get_unverified_claims(answer.json()["access_token"])["sub"] for answer in (first, second)]
    assert people[0] == people[1]
    [row] = await stage.auth.sql("SELECT email, full_name, password_hash FROM account")
    assert tuple(row) == (EMAIL, "Amina Rahman", None)
    assert len(await stage.auth.events("user.registered.v1")) == 1


async def test_a_trusted_verified_address_joins_the_account_that_has_it(stage: Stage) -> None:
    person = await stage.auth.registered()
    answer = await stage.sign_in()
    assert jwt.get_unverified_claims(answer.json()["access_token"])["sub"] == str(person.id)


@pytest.mark.parametrize(("provider", "verified"), [("loose", True), ("work", False)])
async def test_an_address_nobody_vouches_for_joins_nothing(stage: Stage, provider: str, verified: bool) -> None:
    await stage.auth.registered()
    stage.provider.claims["email_verified"] = verified
    answer = await stage.sign_in(provider)
    assert (answer.status_code, answer.json()["code"]) == (409, "address-in-use")


async def test_an_unproven_address_of_somebody_new_waits_for_its_code(stage: Stage) -> None:
    assert (await stage.sign_in("loose")).status_code == 200
    [row] = await stage.auth.sql("SELECT email, pending_email FROM account")
    assert tuple(row) == (None, EMAIL)


async def test_the_callback_is_taken_once_and_only_from_the_browser_that_went(stage: Stage) -> None:
    state, code, cookie = await stage.depart()
    for stranger in (None, "another-browser"):
        assert (await stage.arrive(state, code, stranger)).json()["code"] == "oidc-failed"
    assert (await stage.arrive(state, code, cookie, "loose")).status_code == 400
    assert (await stage.arrive(state, code, cookie)).status_code == 200
    assert (await stage.arrive(state, code, cookie)).status_code == 400


async def test_a_trip_ends_after_ten_minutes_and_a_cancelled_one_at_once(stage: Stage) -> None:
    state, code, cookie = await stage.depart()
    stage.auth.clock.advance(timedelta(minutes=10))
    assert (await stage.arrive(state, code, cookie)).status_code == 400
    assert (await stage.arrive(state, "", cookie, error="access_denied")).json()["code"] == "oidc-failed"


async def test_an_id_token_that_is_not_for_this_trip_is_refused(stage: Stage) -> None:
    right = dict(stage.provider.claims)
    wrong: tuple[dict[str, Any], ...] = (
        {"nonce": "another"},
        {"aud": "another-client"},
        {"aud": ["client-1", "other"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 1},
        {"sub": ""},
    )
    for change in wrong:
        stage.provider.claims = {**right, **change}
        answer = await stage.sign_in()
        assert (answer.status_code, answer.json()["code"]) == (400, "oidc-failed"), change
    assert await stage.auth.sql("SELECT 1 FROM account") == []


async def test_a_forged_signature_is_refused(stage: Stage) -> None:
    other = generate_jwk("k1")

    def unsigned(claims: dict[str, Any]) -> str:
        parts = ({"alg": "none", "kid": "k1"}, claims)
        return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts) + "."

    def hmac_with_public_key(claims: dict[str, Any]) -> str:
        return str(jwt.encode(claims, "client-1", algorithm="HS256", headers={"kid": "k1"}))

    def another_key(claims: dict[str, Any]) -> str:
        return str(jwt.encode(claims, other, algorithm="ES256", headers={"kid": "k1"}))

    for forge in (unsigned, hmac_with_public_key, another_key):
        stage.provider.sign_with = forge
        assert (await stage.sign_in()).json()["code"] == "oidc-failed"


async def test_a_page_gets_a_ticket_that_only_its_own_client_can_use_once(stage: Stage) -> None:
    ticket = await stage.ticket()
    body = {"ticket": ticket, "code_verifier": VERIFIER}
    stolen = await stage.auth.post("/v1/auth/oidc/token", {**body, "code_verifier": "w" * 43})
    assert stolen.status_code == 400
    assert (await stage.auth.post("/v1/auth/oidc/token", body)).status_code == 200
    assert (await stage.auth.post("/v1/auth/oidc/token", body)).status_code == 400


async def test_a_page_that_is_not_allowed_gets_nothing(stage: Stage) -> None:
    answer = await stage.auth.get(
        "/v1/auth/oidc/work/authorize", return_to="https://evil.example/", code_challenge=challenge_of(VERIFIER)
    )
    assert answer.status_code == 422


async def test_a_provider_is_linked_and_unlinked(stage: Stage) -> None:
    stage.provider.claims["email"] = "other@example.com"
    person, karim = await stage.auth.registered(), await stage.auth.registered("karim@example.com")
    link = {"ticket": await stage.ticket(), "code_verifier": VERIFIER}
    assert (await stage.auth.post("/v1/me/links", link, person)).status_code == 204
    [linked] = (await stage.auth.get("/v1/me/links", person)).json()["items"]
    assert (linked["provider"], linked["email"]) == ("work", "other@example.com")
    answer = await stage.sign_in()
    assert jwt.get_unverified_claims(answer.json()["access_token"])["sub"] == str(person.id)
    taken = {"ticket": await stage.ticket(), "code_verifier": VERIFIER}
    assert (await stage.auth.post("/v1/me/links", taken, karim)).json()["code"] == "linked-elsewhere"
    assert (await stage.auth.delete("/v1/me/links/work", karim)).status_code == 404
    assert (await stage.auth.delete("/v1/me/links/work", person)).status_code == 204
    assert (await stage.auth.get("/v1/me/links", person)).json()["items"] == []


async def test_the_last_way_in_stays(stage: Stage) -> None:
    stage.provider.claims = {"sub": "no-address"}
    pair = (await stage.sign_in()).json()
    claims = jwt.get_unverified_claims(pair["access_token"])
    token = stage.auth.keyring.token(audience="auth", user_id=claims["sub"], sid=claims["sid"])
    answer = await stage.auth.client.delete("/v1/me/links/work", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["code"] == "last-way-in"


async def test_two_who_come_back_at_once_open_one_account(stage: Stage) -> None:
    trips = [await stage.depart() for _ in range(4)]
    answers = await asyncio.gather(*(stage.arrive(*trip) for trip in trips))
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert 200 in {answer.status_code for answer in answers}
    assert len(await stage.auth.sql("SELECT 1 FROM account")) == 1


async def test_an_unknown_provider_is_not_found(stage: Stage) -> None:
    assert (await stage.auth.get("/v1/auth/oidc/nobody/authorize")).status_code == 404
    listed = (await stage.auth.get("/v1/auth/oidc")).json()["items"]
    assert [item["name"] for item in listed] == ["loose", "work"]

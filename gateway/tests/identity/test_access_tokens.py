"""Which tokens hold."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateway.identity.access_token import NotAccepted, PublicKey, read_token
from gateway.identity.access_tokens import AccessTokens
from gateway.identity.key_set import KeySet
from gateway.identity.revocations import Revocations
from rihla.auth import TokenVerifier
from rihla.kernel import new_id
from rihla.testing import eventually
from rihla.testing.keyring import Keyring, new_key, public_part


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def changed(token: str, *, header: dict[str, Any] | None = None, claims: dict[str, Any] | None = None) -> str:
    """The token with another header or other claims and its old signature."""
    parts = token.split(".")
    for index, changes in ((0, header), (1, claims)):
        if changes is not None:
            old = json.loads(base64.urlsafe_b64decode(parts[index] + "=="))
            parts[index] = part({**old, **changes})
    return ".".join(parts)


def with_secret(token: str, key: dict[str, str], algorithm: str = "HS256") -> str:
    """Signed by HMAC with the public key as the secret: the classic confusion of algorithms."""
    head, payload, _ = changed(token, header={"alg": algorithm}).split(".")
    secret = json.dumps(public_part(key)).encode()
    return f"{head}.{payload}.{part(hmac.new(secret, f'{head}.{payload}'.encode(), hashlib.sha256).digest())}"


async def refused(stack: Any, token: str) -> bool:
    answer = await stack.client.get("/v1/bookings", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 200:
        return False
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "invalid-token"
    return True


async def test_tokens_that_do_not_hold_are_401(stack: Any, keyring: Keyring, make_token: Any) -> None:
    key, now = stack.auth.keys[0], int(time.time())
    ids = {"user": new_id(), "session": new_id()}

    def token(key_: dict[str, str] = key, **claims: Any) -> str:
        return make_token(key_, ids["user"], ids["session"], claims.pop("roles", ("traveller",)), **claims)

    good = token()
    assert not await refused(stack, good)
    attacker = {**new_key(key["kid"])}
    tricks = {
        "expired": token(exp=now - 1),
        "not yet issued": token(iat=now + 3600),
        "not yet valid": token(nbf=now + 3600),
        "without expiry": token(exp=None),
        "another issuer": token(iss="http://evil.test"),
        "another audience": token(aud="booking"),
        "another type": token(token_type="JWT"),
        "an internal token": stack.services["booking"].verifier
        and keyring.token(audience="rihla", user_id=ids["user"]),
        "without a session": token(sid=None),
        "a subject that is no id": token(sub="admin"),
        "roles that are no list": token(roles={"admin": 1}),
        "a second factor proved at no instant": token(second_factor_at="now"),
        "a second factor proved before all time": token(second_factor_at=-1),
        "a second factor that is a mere yes": token(second_factor_at=True),
        "none": changed(good, header={"alg": "none"}).rsplit(".", 1)[0] + ".",
        "None": changed(good, header={"alg": "None"}),
        "HS256 with the public key": with_secret(good, key),
        "jku": changed(good, header={"jku": "http://evil.test/keys"}),
        "x5u": changed(good, header={"x5u": "http://evil.test/cert"}),
        "jwk": changed(good, header={"jwk": public_part(attacker)}),
        "signed by an attacker under a known kid": token(attacker),
        "an unknown kid": token(new_key("access-9")),
        "other claims under the old signature": changed(good, claims={"roles": ["admin"]}),
        "an empty signature": good.rsplit(".", 1)[0] + ".",
        "zeros as signature": good.rsplit(".", 1)[0] + "." + part(bytes(64)),
        "a signature in DER length": good.rsplit(".", 1)[0] + "." + part(bytes(70)),
        "padding": good + "==",
        "garbage": "a.b.c",
        "too long": good + "a" * 5000,
    }
    taken = [name for name, trick in tricks.items() if not await refused(stack, trick)]
    assert taken == []


@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "bearer", "Token abc", ""])
async def test_other_schemes_are_401(stack: Any, value: str) -> None:
    answer = await stack.client.get("/v1/bookings", headers={"Authorization": value})
    assert answer.status_code == 401


async def test_a_new_key_is_fetched_when_a_token_names_it_but_not_each_time(stack: Any, make_token: Any) -> None:
    person = stack.sign_in()
    assert (await stack.client.get("/v1/bookings", headers=person.headers)).status_code == 200
    asked = stack.auth.key_set_asked
    stack.auth.keys.append(new_key("access-2"))
    rotated = stack.sign_in()
    accepted = await eventually(lambda: _works(stack.client, rotated.headers))
    assert accepted
    stranger = make_token(new_key("access-77"), new_id(), new_id(), ("traveller",))
    for _ in range(20):
        assert await refused(stack, stranger)
    assert stack.auth.key_set_asked - asked < 20


async def _works(client: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    return (await client.get("/v1/bookings", headers=headers)).status_code == 200


async def _verifying(published: list[dict[str, str]], wall: Callable[[], float]) -> tuple[AccessTokens, KeySet]:
    """Verifies tokens of the keys in the list, which is asked for again at `refresh`, by this clock."""

    async def fetch() -> dict[str, Any]:
        return {"keys": [public_part(key) for key in published]}

    async def no_revocations(after: int) -> bytes:
        return b'{"items":[],"last_seq":0}'

    keys = KeySet(fetch)
    await keys.refresh()
    return AccessTokens(keys, Revocations(no_revocations), "http://gateway.test", "rihla", wall), keys


async def test_an_expired_token_ends_even_when_it_was_cached(make_token: Any) -> None:
    key, now = new_key("access-1"), time.time()
    instants = [now, now + 299, now + 301]
    tokens, _ = await _verifying([key], lambda: instants[0])
    token = make_token(key, new_id(), new_id(), ("traveller",), exp=int(now) + 300)
    first = await tokens.caller(token)
    del instants[0]
    assert await tokens.caller(token) is first
    del instants[0]
    with pytest.raises(NotAccepted):
        await tokens.caller(token)


async def test_a_token_whose_key_was_withdrawn_ends_even_when_it_was_cached(make_token: Any) -> None:
    published = [new_key("access-1"), new_key("access-2")]
    tokens, keys = await _verifying(published, time.time)
    mine, other = (make_token(key, new_id(), new_id(), ("traveller",)) for key in published)
    first = await tokens.caller(mine)
    published.append(new_key("access-3"))
    await keys.refresh()
    assert await tokens.caller(mine) is first, "a new key takes nothing from the others"
    del published[0]
    await keys.refresh()
    with pytest.raises(NotAccepted):
        await tokens.caller(mine)
    assert await tokens.caller(other)


async def test_signing_in_works_with_a_stale_token_still_in_hand(stack: Any) -> None:
    answer = await stack.client.post("/v1/auth/login", json={}, headers={"Authorization": "Bearer stale"})
    assert (answer.status_code, answer.json()["kind"]) == (200, "anonymous")


async def test_staff_rows_need_a_role_and_unknown_roles_are_dropped(stack: Any) -> None:
    for roles, status in ((("traveller",), 403), (("support",), 200), (("admin",), 200), (("service",), 403)):
        answer = await stack.client.get("/v1/admin/bookings", headers=stack.sign_in(*roles).headers)
        assert answer.status_code == status, roles
    assert (await stack.client.get("/v1/admin/bookings")).status_code == 401


def test_only_one_spelling_of_a_signature_is_taken(make_token: Any) -> None:
    key = new_key("k-1")
    token = make_token(key, new_id(), new_id(), ("traveller",))
    public = PublicKey(public_part(key))
    assert read_token(token, lambda _: public, "http://gateway.test", "rihla", time.time()).kind == "person"
    last = token[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(last) ^ 1]  # the last character of 64 bytes carries four unused bits
    with pytest.raises(NotAccepted):
        read_token(token[:-1] + other, lambda _: public, "http://gateway.test", "rihla", time.time())


@pytest.mark.parametrize("change", [{"kty": "RSA"}, {"crv": "P-384"}, {"alg": "HS256"}, {"use": "enc"}, {"d": "AAAA"}])
def test_only_public_es256_keys_are_taken(change: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        PublicKey({**public_part(new_key("k-1")), **change})


async def test_the_proof_of_a_second_factor_reaches_the_service(stack: Any, keyring: Keyring) -> None:
    proved_at = int(time.time()) - 30
    for claims in ({}, {"second_factor_at": 0}, {"second_factor_at": proved_at}):
        answer = await stack.client.get("/v1/bookings", headers=stack.sign_in(**claims).headers)
        sent = dict(map(tuple, answer.json()["headers"]))["authorization"].removeprefix("Bearer ")
        principal = TokenVerifier(keyring.jwks, "booking").verify(sent)
        assert principal.second_factor_at == claims.get("second_factor_at")

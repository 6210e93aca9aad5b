"""Partner keys: shown once, exchanged by the gateway, gone when revoked."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auth_service.partners.rules import new_api_key, read_api_key


async def _partner(auth: Any, email: str = "partner@example.com") -> Any:
    person = await auth.registered(email)
    await auth.sql("UPDATE account SET roles = '{traveller,partner}' WHERE id = $1 RETURNING id", person.id)
    return await auth.login(email)


async def _exchange(auth: Any, key: str) -> Any:
    headers = {"authorization": f"Bearer {auth.keyring.signer('gateway').internal_token('auth')}"}
    return await auth.client.post("/internal/v1/api-keys/exchange", json={"key": key}, headers=headers)


def test_a_key_shows_its_mode_and_has_a_public_beginning() -> None:
    key = new_api_key(test_mode=True)
    assert key.startswith("rk_test_")
    parts = read_api_key(key)
    assert (parts.test_mode, key.startswith(parts.prefix), len(parts.prefix)) == (True, True, 16)
    assert read_api_key(new_api_key(test_mode=False)).test_mode is False
    for wrong in ("", "rk_test_", "rk_prod_" + "a" * 40, key + "x"):
        with pytest.raises(ValueError, match="API key"):
            read_api_key(wrong)


async def test_a_partner_makes_a_key_and_the_gateway_learns_whom_it_speaks_for(auth: Any) -> None:
    partner = await _partner(auth)
    made = await auth.post("/v1/me/api-keys", {"name": "Site", "scopes": ["offers:read"]}, partner)
    assert made.status_code == 201
    key = made.json()["key"]
    exchanged = (await _exchange(auth, key)).json()
    assert exchanged == {
        "key_id": made.json()["id"],
        "user_id": str(partner.id),
        "organisation_id": made.json()["organisation_id"],
        "scopes": ["offers:read"],
        "test_mode": True,
        "roles": ["partner"],
        "rate_limit_per_minute": 600,
        "unpaid_bookings": None,
        "expires_at": None,
    }
    [listed] = (await auth.get("/v1/me/api-keys", partner)).json()["items"]
    assert "key" not in listed
    assert listed["last_used_at"] == "2026-12-01T08:00:00Z"
    [row] = await auth.sql("SELECT api_key::text AS everything FROM api_key")
    assert key.removeprefix(listed["prefix"]) not in row["everything"]
    [notice] = [e for e in await auth.events("user.security_notice.v1") if e["data"]["kind"] == "api_key_created"]
    assert notice["data"]["user_id"] == str(partner.id)


async def test_a_key_may_read_webhook_endpoints_without_changing_them(auth: Any) -> None:
    partner = await _partner(auth)
    made = await auth.post("/v1/me/api-keys", {"name": "Watcher", "scopes": ["webhooks:read"]}, partner)
    assert (made.status_code, made.json()["scopes"]) == (201, ["webhooks:read"])
    assert (await _exchange(auth, made.json()["key"])).json()["scopes"] == ["webhooks:read"]


async def test_every_key_that_does_not_hold_is_refused_in_the_same_words(auth: Any) -> None:
    partner = await _partner(auth)
    expiring = {"name": "Short", "expires_at": "2026-12-01T09:00:00Z"}
    expired = (await auth.post("/v1/me/api-keys", expiring, partner)).json()
    revoked = (await auth.post("/v1/me/api-keys", {"name": "Gone"}, partner)).json()
    assert (await _exchange(auth, expired["key"])).status_code == 200
    assert (await auth.delete(f"/v1/me/api-keys/{revoked['id']}", partner)).status_code == 204
    auth.clock.advance(timedelta(hours=1))
    forged = revoked["key"][:-1] + ("a" if revoked["key"][-1] != "a" else "b")
    answers = [
        await _exchange(auth, key) for key in (expired["key"], revoked["key"], forged, new_api_key(test_mode=True), "x")
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "invalid-api-key")}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    [row] = await auth.sql("SELECT kind, subject_id FROM revocation WHERE kind = 'api_key'")
    assert str(row["subject_id"]) == revoked["id"]


async def test_a_suspended_or_demoted_partner_has_no_keys(auth: Any) -> None:
    partner = await _partner(auth)
    key = (await auth.post("/v1/me/api-keys", {"name": "Site"}, partner)).json()["key"]
    await auth.sql("UPDATE account SET roles = '{traveller}' WHERE id = $1 RETURNING id", partner.id)
    assert (await _exchange(auth, key)).status_code == 401


async def test_travellers_make_no_keys_and_keys_make_no_keys(auth: Any) -> None:
    traveller = await auth.registered()
    assert (await auth.post("/v1/me/api-keys", {"name": "Site"}, traveller)).status_code == 403
    key_token = auth.keyring.token(audience="auth", user_id=traveller.id, roles=("partner",), kind="partner")
    headers = {"authorization": f"Bearer {key_token}"}
    for method, path in (("POST", "/v1/me/api-keys"), ("GET", "/v1/me"), ("GET", "/v1/me/sessions")):
        answer = await auth.client.request(
            method, path, json={"name": "Site"} if method == "POST" else None, headers=headers
        )
        assert answer.status_code == 403


async def test_somebody_elses_key_is_not_found(auth: Any) -> None:
    partner, other = await _partner(auth), await _partner(auth, "other@example.com")
    key_id = (await auth.post("/v1/me/api-keys", {"name": "Site"}, partner)).json()["id"]
    assert (await auth.delete(f"/v1/me/api-keys/{key_id}", other)).status_code == 404


async def test_keys_made_at_once_share_one_organisation_and_the_limit(auth: Any) -> None:
    partner = await _partner(auth)
    answers = await asyncio.gather(*(auth.post("/v1/me/api-keys", {"name": f"Key {n}"}, partner) for n in range(55)))
    assert sorted(answer.status_code for answer in answers) == [201] * 50 + [409] * 5
    assert len(await auth.sql("SELECT 1 FROM organisation")) == 1

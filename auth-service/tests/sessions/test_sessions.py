"""Sign-in, refresh families, devices and revocations."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import redis.asyncio as redis
from jose import jwt

from auth_service.settings import Settings
from rihla.kernel import FixedClock
from rihla.testing.keyring import Keyring

EMAIL = "amina@example.com"


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.get_unverified_claims(token)
    return claims


async def _refresh(auth: Any, token: str) -> Any:
    return await auth.post("/v1/auth/refresh", {"refresh_token": token})


async def test_an_access_token_says_who_for_ten_minutes_and_verifies_by_the_published_keys(auth: Any) -> None:
    person = await auth.registered()
    header = jwt.get_unverified_header(person.access_token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    keys = (await auth.client.get("/.well-known/jwks.json")).json()["keys"]
    [key] = [key for key in keys if key["kid"] == header["kid"]]
    assert "d" not in key
    claims = jwt.decode(person.access_token, key, algorithms=["ES256"], audience="rihla", options={"verify_exp": False})
    assert claims.keys() == {"iss", "aud", "sub", "sid", "roles", "iat", "exp", "jti"}
    assert claims["iss"] == auth.settings.public_url
    assert claims["exp"] - claims["iat"] == 600
    assert claims["roles"] == ["traveller"]


async def test_a_restart_and_a_second_replica_publish_the_same_keys(auth: Any, keyring: Keyring) -> None:
    from auth_service.main import create_app
    from rihla.testing import running

    mine = (await auth.client.get("/.well-known/jwks.json")).json()
    async with running(create_app(auth.settings, clock=auth.clock)) as other:
        assert (await other.get("/.well-known/jwks.json")).json() == mine


async def test_unknown_user_and_wrong_password_answer_alike(auth: Any) -> None:
    await auth.registered()
    wrong = await auth.post("/v1/auth/login", {"identifier": EMAIL, "password": "not the password"})
    nobody = await auth.post("/v1/auth/login", {"identifier": "nobody@example.com", "password": "not the password"})
    odd = await auth.post("/v1/auth/login", {"identifier": "?? ??", "password": "not the password"})
    bodies = [{**answer.json(), "request_id": ""} for answer in (wrong, nobody, odd)]
    assert {answer.status_code for answer in (wrong, nobody, odd)} == {401}
    assert bodies[0] == bodies[1] == bodies[2]
    assert wrong.headers["www-authenticate"].startswith("Bearer")


async def test_a_code_signs_in_without_a_password_once(auth: Any) -> None:
    await auth.registered()
    asked = await auth.post("/v1/auth/login/code", {"identifier": EMAIL})
    assert asked.status_code == 202
    code = await auth.code_for(EMAIL, "login")
    first = await auth.post("/v1/auth/login/code/verify", {"identifier": EMAIL, "code": code})
    second = await auth.post("/v1/auth/login/code/verify", {"identifier": EMAIL, "code": code})
    assert (first.status_code, second.status_code) == (200, 401)
    assert second.json()["code"] == "invalid-code"


async def test_a_code_is_asked_for_alike_when_nobody_has_the_address(auth: Any) -> None:
    await auth.registered()
    known = (await auth.post("/v1/auth/login/code", {"identifier": EMAIL})).json()
    unknown = (await auth.post("/v1/auth/login/code", {"identifier": "nobody@example.com"})).json()
    await auth.code_for(EMAIL, "login")
    assert known.pop("request_id") != unknown.pop("request_id")
    assert known == unknown
    assert auth.mail.sent_to("nobody@example.com") == []


async def test_a_refresh_token_rotates_and_the_old_one_is_answered_with_the_same_pair_for_ten_seconds(
    auth: Any,
) -> None:
    person = await auth.registered()
    auth.clock.advance(timedelta(minutes=9))
    first = await _refresh(auth, person.refresh_token)
    auth.clock.advance(timedelta(seconds=9))
    again = await _refresh(auth, person.refresh_token)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert first.json()["refresh_token"] != person.refresh_token
    assert first.json()["access_token"] != person.access_token
    assert _claims(first.json()["access_token"])["sid"] == str(person.session_id)


async def test_two_refreshes_at_once_get_the_same_pair(auth: Any) -> None:
    person = await auth.registered()
    answers = await asyncio.gather(*(_refresh(auth, person.refresh_token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({json.dumps(answer.json()) for answer in answers}) == 1
    assert await auth.events("user.security_notice.v1") == []


async def test_without_the_grace_one_of_two_refreshes_at_once_ends_the_family(
    settings: Settings, keyring: Keyring, clock: FixedClock, run_auth: Any
) -> None:
    """The control of the race above."""
    async with run_auth(settings.model_copy(update={"refresh_grace_seconds": 0}), keyring, clock) as auth:
        person = await auth.registered()
        answers = await asyncio.gather(*(_refresh(auth, person.refresh_token) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_reuse_of_an_old_refresh_token_ends_the_family_and_tells_the_owner(auth: Any) -> None:
    person = await auth.registered()
    newest = (await _refresh(auth, person.refresh_token)).json()["refresh_token"]
    auth.clock.advance(timedelta(seconds=11))
    stolen = await _refresh(auth, person.refresh_token)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh-token-reused")
    owner = await _refresh(auth, newest)
    assert (owner.status_code, owner.json()["code"]) == (401, "invalid-refresh-token")
    [notice] = await auth.events("user.security_notice.v1")
    assert notice["data"]["kind"] == "refresh_token_reused"
    [revoked] = await auth.sql("SELECT kind, subject_id FROM revocation")
    assert (revoked["kind"], revoked["subject_id"]) == ("session", person.session_id)


async def test_only_hashes_of_refresh_tokens_are_stored(auth: Any) -> None:
    person = await auth.registered()
    [row] = await auth.sql("SELECT token_hash, session::text AS everything FROM session")
    assert len(row["token_hash"]) == 32
    assert person.refresh_token not in row["everything"]


async def test_a_forged_refresh_token_is_refused(auth: Any) -> None:
    person = await auth.registered()
    end = "AA" if not person.refresh_token.endswith("AA") else "BB"
    for forged in (person.refresh_token[:-2] + end, "rt_", "rt_!!", person.access_token[:150], "x"):
        assert (await _refresh(auth, forged)).status_code == 401


async def test_logging_out_ends_the_session_and_tells_gateways_at_once(auth: Any) -> None:
    person = await auth.registered()
    async with redis.from_url(auth.settings.redis_url) as cache, cache.pubsub() as heard:
        await heard.subscribe(f"{auth.settings.namespace}:revocations")
        await heard.get_message(timeout=60)
        answer = await auth.post("/v1/auth/logout", {"refresh_token": person.refresh_token})
        message = await heard.get_message(ignore_subscribe_messages=True, timeout=60)
    assert answer.status_code == 204
    assert message is not None
    pushed = json.loads(message["data"])
    assert (pushed["kind"], pushed["id"]) == ("session", str(person.session_id))
    assert (await _refresh(auth, person.refresh_token)).status_code == 401
    gateway = auth.keyring.signer("gateway").internal_token("auth")
    headers = {"authorization": f"Bearer {gateway}"}
    feed = (await auth.client.get("/internal/v1/revocations", params={"after": 0}, headers=headers)).json()
    assert feed == {"items": [pushed], "last_seq": pushed["seq"]}
    after = {"after": pushed["seq"]}
    feed = (await auth.client.get("/internal/v1/revocations", params=after, headers=headers)).json()
    assert feed == {"items": [], "last_seq": pushed["seq"]}


async def test_only_the_gateway_reads_the_feed(auth: Any) -> None:
    person = await auth.registered()
    booking = {"authorization": f"Bearer {auth.keyring.token(audience='auth', issuer='booking')}"}
    assert (await auth.client.get("/internal/v1/revocations", headers=booking)).status_code == 403
    assert (await auth.get("/internal/v1/revocations", person)).status_code == 403
    assert (await auth.client.get("/internal/v1/revocations")).status_code == 401


async def test_a_person_sees_their_devices_and_signs_one_out(auth: Any) -> None:
    phone = await auth.registered()
    laptop = await auth.login(
        agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 14) Chrome/129 Safari/537", ip="198.51.100.4"
    )
    listed = (await auth.get("/v1/me/sessions", laptop)).json()
    assert [(item["device"], item["client_ip"], item["current"]) for item in listed["items"]] == [
        ("Chrome on macOS", "198.51.100.4", True),
        ("Firefox on Windows", "203.0.113.7", False),
    ]
    [notice] = await auth.events("user.security_notice.v1")
    assert (notice["data"]["kind"], notice["data"]["device"]) == ("new_device", "Chrome on macOS")
    assert (await auth.delete(f"/v1/me/sessions/{phone.session_id}", laptop)).status_code == 204
    assert (await auth.delete(f"/v1/me/sessions/{phone.session_id}", laptop)).status_code == 404
    assert (await _refresh(auth, phone.refresh_token)).status_code == 401
    assert (await _refresh(auth, laptop.refresh_token)).status_code == 200


async def test_somebody_elses_session_is_not_found(auth: Any) -> None:
    amina, karim = await auth.registered(), await auth.registered("karim@example.com")
    assert (await auth.delete(f"/v1/me/sessions/{amina.session_id}", karim)).status_code == 404
    assert (await _refresh(auth, amina.refresh_token)).status_code == 200


async def test_signing_out_everywhere_else_keeps_this_device(auth: Any) -> None:
    phone, laptop = await auth.registered(), await auth.login()
    assert (await auth.delete("/v1/me/sessions", laptop)).status_code == 204
    assert (await _refresh(auth, phone.refresh_token)).status_code == 401
    assert (await _refresh(auth, laptop.refresh_token)).status_code == 200


async def test_sessions_are_listed_in_pages(auth: Any) -> None:
    person = await auth.registered()
    for _ in range(4):
        person = await auth.login()
    first = (await auth.get("/v1/me/sessions", person, limit=3)).json()
    rest = (await auth.get("/v1/me/sessions", person, limit=3, cursor=first["next_cursor"])).json()
    ids = [item["id"] for item in first["items"] + rest["items"]]
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (3, 2, None)
    assert ids == sorted(set(ids), reverse=True)


async def test_a_refresh_token_expires_after_thirty_days_without_use(auth: Any) -> None:
    person = await auth.registered()
    auth.clock.advance(timedelta(days=29))
    newer = (await _refresh(auth, person.refresh_token)).json()["refresh_token"]
    auth.clock.advance(timedelta(days=30))
    assert (await _refresh(auth, newer)).status_code == 401


async def test_without_redis_people_still_sign_in_and_out(
    settings: Settings, keyring: Keyring, clock: FixedClock, run_auth: Any
) -> None:
    gone = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    async with run_auth(gone, keyring, clock) as auth:
        person = await auth.registered()
        person = await auth.login()
        assert (await auth.post("/v1/auth/logout", {"refresh_token": person.refresh_token})).status_code == 204


async def test_the_feed_shows_no_number_before_a_smaller_one(auth: Any) -> None:
    people = [await auth.registered(f"p{number}@example.com") for number in range(3)]
    tokens = [p.refresh_token for p in people] + [(await auth.login(p.email)).refresh_token for p in people]
    await asyncio.gather(*(auth.post("/v1/auth/logout", {"refresh_token": token}) for token in tokens))
    rows = await auth.sql("SELECT seq, xmin::text::bigint AS tx FROM revocation ORDER BY seq")
    assert len(rows) == 6
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


async def test_a_route_for_people_refuses_a_request_without_the_gateways_token(auth: Any) -> None:
    body = {"identifier": EMAIL, "password": "whatever it was"}
    assert (await auth.client.post("/v1/auth/login", json=body)).status_code == 401
    direct = {"authorization": f"Bearer {auth.keyring.token(audience='auth', issuer='booking')}"}
    assert (await auth.client.post("/v1/auth/login", json=body, headers=direct)).status_code == 403
    person = await auth.registered()
    raw = {"authorization": f"Bearer {person.access_token}"}
    assert (await auth.client.get("/v1/me", headers=raw)).status_code == 401


async def test_every_session_that_ends_is_told_once(auth: Any) -> None:
    first = await auth.registered()
    second, third = await auth.login(), await auth.login()
    assert (await auth.delete(f"/v1/me/sessions/{second.session_id}", first)).status_code == 204
    assert (await auth.delete(f"/v1/me/sessions/{second.session_id}", first)).status_code == 404
    assert (await auth.post("/v1/auth/logout", {"refresh_token": third.refresh_token})).status_code == 204
    told = [event["data"]["session_id"] for event in await auth.events("session.ended.v1")]
    assert told == [str(second.session_id), str(third.session_id)]

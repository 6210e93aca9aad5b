"""Two-factor sign-in: on, in, replayed, recovered, off."""

import asyncio
import base64
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import zxingcpp
from jose import jwt
from PIL import Image

from auth_service.two_factor.qr_code import qr_data_uri
from auth_service.two_factor.rules import matching_step, new_recovery_codes, new_secret, recovery_code_hash

EMAIL, PASSWORD = "amina@example.com", "four wild geese over Sylhet"
NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_the_secret_of_rfc_6238_gives_the_codes_of_rfc_6238() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    at = datetime.fromtimestamp(1111111109, UTC)
    assert matching_step(secret, "081804", now=at, after=0) == 37037036


def test_a_neighbouring_step_is_accepted_and_a_used_one_is_not() -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    step = int(NOW.timestamp()) // 30
    for drift in (-30, 0, 30):
        assert matching_step(secret, code, now=NOW + timedelta(seconds=drift), after=step - 1) == step
    assert matching_step(secret, code, now=NOW, after=step) is None
    assert matching_step(secret, code, now=NOW + timedelta(seconds=90), after=0) is None


def test_recovery_codes_forgive_spelling() -> None:
    from uuid import uuid4

    owner, [code, *_] = uuid4(), new_recovery_codes()
    spelt = code.upper().replace("-", " ")
    assert recovery_code_hash(b"k", account_id=owner, code=code) == recovery_code_hash(
        b"k", account_id=owner, code=spelt
    )


def test_the_picture_says_what_the_uri_says() -> None:
    picture = base64.b64decode(qr_data_uri("otpauth://totp/Rihla:a?secret=ABC").partition(",")[2])
    [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    assert read.text == "otpauth://totp/Rihla:a?secret=ABC"


def _code(auth: Any, secret: str) -> str:
    return str(pyotp.TOTP(secret).at(auth.clock.now()))


async def _enabled(auth: Any) -> tuple[Any, str, list[str]]:
    person = await auth.registered()
    offer = (await auth.post("/v1/me/two-factor", {"password": PASSWORD}, person)).json()
    confirmed = await auth.post("/v1/me/two-factor/confirm", {"code": _code(auth, offer["secret"])}, person)
    assert confirmed.status_code == 200
    auth.clock.advance(timedelta(seconds=30))
    return person, offer["secret"], confirmed.json()["recovery_codes"]


async def _first_step(auth: Any) -> str:
    answer = (await auth.post("/v1/auth/login", {"identifier": EMAIL, "password": PASSWORD})).json()
    assert answer["mfa_required"] is True
    assert "access_token" not in answer
    return str(answer["mfa_token"])


async def test_turning_it_on_needs_password_and_code_and_then_signing_in_needs_both_factors(auth: Any) -> None:
    person = await auth.registered()
    assert (await auth.post("/v1/me/two-factor", {}, person)).status_code == 401
    assert (await auth.post("/v1/me/two-factor", {"password": "wrong one"}, person)).status_code == 401
    offer = (await auth.post("/v1/me/two-factor", {"password": PASSWORD}, person)).json()
    assert offer["otpauth_uri"].startswith("otpauth://totp/Rihla:amina%40example.com?secret=")
    wrong = f"{(int(_code(auth, offer['secret'])) + 1) % 1_000_000:06d}"
    assert (await auth.post("/v1/me/two-factor/confirm", {"code": wrong}, person)).status_code == 401
    await auth.login()
    confirm = {"code": _code(auth, offer["secret"])}
    codes = (await auth.post("/v1/me/two-factor/confirm", confirm, person)).json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert (await auth.get("/v1/me/two-factor", person)).json() == {"enabled": True, "recovery_codes_left": 10}
    assert (await auth.post("/v1/me/two-factor", {"password": PASSWORD}, person)).status_code == 409
    token = await _first_step(auth)
    auth.clock.advance(timedelta(seconds=30))
    pair = await auth.post("/v1/auth/mfa", {"mfa_token": token, "code": _code(auth, offer["secret"])})
    assert pair.status_code == 200
    [row] = await auth.sql("SELECT methods FROM session ORDER BY id DESC LIMIT 1")
    assert row["methods"] == ["password", "totp"]
    [stored] = await auth.sql("SELECT secret_encrypted FROM totp_device")
    assert offer["secret"].encode() not in stored["secret_encrypted"]


async def test_a_code_is_good_once(auth: Any) -> None:
    _, secret, _ = await _enabled(auth)
    code = _code(auth, secret)
    tokens = [await _first_step(auth) for _ in range(2)]
    answers = await asyncio.gather(*(auth.post("/v1/auth/mfa", {"mfa_token": t, "code": code}) for t in tokens))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_a_recovery_code_is_good_once(auth: Any) -> None:
    person, _, codes = await _enabled(auth)
    first = await auth.post("/v1/auth/mfa", {"mfa_token": await _first_step(auth), "code": codes[0].upper()})
    second = await auth.post("/v1/auth/mfa", {"mfa_token": await _first_step(auth), "code": codes[0]})
    assert (first.status_code, second.status_code) == (200, 401)
    assert (await auth.get("/v1/me/two-factor", person)).json()["recovery_codes_left"] == 9


async def test_five_wrong_codes_or_five_minutes_end_the_attempt(auth: Any) -> None:
    _, secret, _ = await _enabled(auth)
    token = await _first_step(auth)
    wrong = f"{(int(_code(auth, secret)) + 7) % 1_000_000:06d}"
    codes = []
    for _ in range(6):
        answer = await auth.post("/v1/auth/mfa", {"mfa_token": token, "code": wrong})
        codes.append(answer.json()["code"])
        auth.clock.advance(timedelta(seconds=2))
    token = await _first_step(auth)
    auth.clock.advance(timedelta(minutes=5))
    late = await auth.post("/v1/auth/mfa", {"mfa_token": token, "code": _code(auth, secret)})
    assert late.json()["code"] == "invalid-mfa-token"


async def test_guessing_second_factors_is_slowed_down_wherever_the_guesses_come_from(auth: Any) -> None:
    _, secret, _ = await _enabled(auth)
    wrong = f"{(int(_code(auth, secret)) + 7) % 1_000_000:06d}"
    statuses = []
    for number in range(6):
        body = {"mfa_token": await _first_step(auth), "code": wrong}
        statuses.append((await auth.post("/v1/auth/mfa", body, ip=f"198.51.100.{number}")).status_code)
    assert statuses == [401] * 5 + [429]


async def test_password_less_sign_in_asks_for_the_second_factor_too(auth: Any) -> None:
    await _enabled(auth)
    await auth.post("/v1/auth/login/code", {"identifier": EMAIL})
    code = await auth.code_for(EMAIL, "login")
    answer = (await auth.post("/v1/auth/login/code/verify", {"identifier": EMAIL, "code": code})).json()
    assert answer["mfa_required"] is True


async def test_it_is_turned_off_and_codes_are_renewed_by_who_has_a_second_factor(auth: Any) -> None:
    person, secret, old = await _enabled(auth)
    renewed = await auth.post("/v1/me/two-factor/recovery-codes", {"code": _code(auth, secret)}, person)
    fresh = renewed.json()["recovery_codes"]
    assert not set(fresh) & set(old)
    assert (await auth.delete("/v1/me/two-factor", person, {"code": old[0]})).status_code == 401
    assert (await auth.delete("/v1/me/two-factor", person, {"code": fresh[0]})).status_code == 204
    assert (await auth.delete("/v1/me/two-factor", person, {"code": fresh[1]})).status_code == 409
    await auth.login()
    kinds = [event["data"]["kind"] for event in await auth.events("user.security_notice.v1")]
    assert kinds == ["two_factor_enabled", "two_factor_disabled"]


claims_of = jwt.get_unverified_claims


async def _refreshed(auth: Any, person: Any) -> dict[str, Any]:
    answer = await auth.post("/v1/auth/refresh", {"refresh_token": person.refresh_token})
    assert answer.status_code == 200
    return dict(answer.json())


async def test_access_tokens_say_when_the_session_last_proved_a_second_factor(auth: Any) -> None:
    before = await auth.registered()
    assert "second_factor_at" not in claims_of(before.access_token)
    offer = (await auth.post("/v1/me/two-factor", {"password": PASSWORD}, before)).json()
    await auth.post("/v1/me/two-factor/confirm", {"code": _code(auth, offer["secret"])}, before)
    assert claims_of((await _refreshed(auth, before))["access_token"])["second_factor_at"] == 0
    auth.clock.advance(timedelta(seconds=30))
    signed_in_at = int(auth.clock.now().timestamp())
    code = _code(auth, offer["secret"])
    pair = (await auth.post("/v1/auth/mfa", {"mfa_token": await _first_step(auth), "code": code})).json()
    assert claims_of(pair["access_token"])["second_factor_at"] == signed_in_at
    auth.clock.advance(timedelta(minutes=7))
    later = await auth.post("/v1/auth/refresh", {"refresh_token": pair["refresh_token"]})
    assert claims_of(later.json()["access_token"])["second_factor_at"] == signed_in_at


async def test_stepping_up_proves_the_factor_again_in_the_same_session(auth: Any) -> None:
    person, secret, recovery = await _enabled(auth)
    for number, code in enumerate((_code(auth, secret), recovery[0])):
        answer = await auth.post("/v1/me/two-factor/step-up", {"code": code}, person)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
        claims = claims_of(answer.json()["access_token"])
        assert (claims["sid"], claims["sub"]) == (str(person.session_id), str(person.id))
        assert claims["second_factor_at"] == claims["iat"] == int(auth.clock.now().timestamp()), number
        auth.clock.advance(timedelta(minutes=1))
    proved_at = claims["second_factor_at"]
    assert claims_of((await _refreshed(auth, person))["access_token"])["second_factor_at"] == proved_at


async def test_a_step_up_needs_a_right_unused_code_and_a_session_that_lives(auth: Any) -> None:
    person, secret, _ = await _enabled(auth)
    code = _code(auth, secret)
    wrong = f"{(int(code) + 7) % 1_000_000:06d}"
    refused = await auth.post("/v1/me/two-factor/step-up", {"code": wrong}, person)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid-code")
    assert claims_of((await _refreshed(auth, person))["access_token"])["second_factor_at"] == 0
    assert (await auth.post("/v1/me/two-factor/step-up", {"code": code}, person)).status_code == 200
    assert (await auth.post("/v1/me/two-factor/step-up", {"code": code}, person)).json()["code"] == "invalid-code"
    assert (await auth.delete(f"/v1/me/sessions/{person.session_id}", person)).status_code == 204
    auth.clock.advance(timedelta(seconds=60))
    over = await auth.post("/v1/me/two-factor/step-up", {"code": _code(auth, secret)}, person)
    assert (over.status_code, over.json()["code"]) == (401, "unauthenticated")


async def test_guessing_at_the_step_up_is_slowed_down(auth: Any) -> None:
    person, secret, _ = await _enabled(auth)
    wrong = {"code": f"{(int(_code(auth, secret)) + 7) % 1_000_000:06d}"}
    codes = [(await auth.post("/v1/me/two-factor/step-up", wrong, person)).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]


async def test_who_has_no_second_factor_has_nothing_to_step_up(auth: Any) -> None:
    person = await auth.registered()
    answer = await auth.post("/v1/me/two-factor/step-up", {"code": "123456"}, person)
    assert (answer.status_code, answer.json()["code"]) == (409, "two-factor-not-on")

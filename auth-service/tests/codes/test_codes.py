"""Codes: bound, counted, limited, and not lost by a crash."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from auth_service.codes.rules import CodePolicy, code_of, redelivery_delay, wait_before_next
from rihla.testing import eventually

EMAIL = "amina@example.com"
REQUEST = UUID("0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11")
OTHER = UUID("0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c12")


def test_a_code_has_six_digits_and_belongs_to_purpose_address_and_request() -> None:
    code = code_of(b"secret", purpose="login", identifier=EMAIL, request_id=REQUEST)
    assert len(code) == 6
    assert code.isdigit()
    assert code == code_of(b"secret", purpose="login", identifier=EMAIL, request_id=REQUEST)
    others = {
        code_of(b"secret", purpose="verify", identifier=EMAIL, request_id=REQUEST),
        code_of(b"secret", purpose="login", identifier="b@example.com", request_id=REQUEST),
        code_of(b"secret", purpose="login", identifier=EMAIL, request_id=OTHER),
        code_of(b"another", purpose="login", identifier=EMAIL, request_id=REQUEST),
    }
    assert code not in others


def test_another_code_waits_a_minute() -> None:
    asked = datetime(2026, 12, 1, tzinfo=UTC)
    policy = CodePolicy()
    assert wait_before_next(last_asked=None, now=asked, policy=policy) == timedelta(0)
    assert wait_before_next(last_asked=asked, now=asked + timedelta(seconds=20), policy=policy) == timedelta(seconds=40)
    assert wait_before_next(last_asked=asked, now=asked + timedelta(seconds=60), policy=policy) == timedelta(0)


def test_redelivery_backs_off_to_half_a_minute() -> None:
    assert [redelivery_delay(n).total_seconds() for n in (1, 2, 3, 6, 60)] == [1, 2, 4, 30, 30]


async def _asked(auth: Any) -> str:
    await auth.registered()
    await auth.post("/v1/auth/login/code", {"identifier": EMAIL})
    return str(await auth.code_for(EMAIL, "login"))


async def _try(auth: Any, code: str) -> int:
    answer = await auth.post("/v1/auth/login/code/verify", {"identifier": EMAIL, "code": code})
    return int(answer.status_code)


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_five_wrong_tries_use_a_code_up(auth: Any) -> None:
    code = await _asked(auth)
    assert [await _try(auth, _wrong(code)) for _ in range(5)] == [401] * 5
    assert await _try(auth, code) == 401


async def test_the_fifth_try_may_be_the_right_one(auth: Any) -> None:
    code = await _asked(auth)
    assert [await _try(auth, _wrong(code)) for _ in range(4)] == [401] * 4
    assert await _try(auth, code) == 200


async def test_a_code_expires_after_ten_minutes(auth: Any) -> None:
    code = await _asked(auth)
    auth.clock.advance(timedelta(minutes=10))
    assert await _try(auth, code) == 401


async def test_a_new_code_replaces_the_last_and_comes_after_a_minute_at_the_earliest(auth: Any) -> None:
    first = await _asked(auth)
    early = (await auth.post("/v1/auth/login/code", {"identifier": EMAIL})).json()
    assert early["resend_at"] == "2026-12-01T08:01:00Z"
    auth.clock.advance(timedelta(seconds=60))
    await auth.post("/v1/auth/login/code", {"identifier": EMAIL})
    second = await auth.code_for(EMAIL, "login", 2)
    assert len(auth.mail.sent_to(EMAIL, "login")) == 2
    assert await _try(auth, first) == 401
    assert await _try(auth, second) == 200


async def test_ten_codes_an_hour_are_the_most(auth: Any) -> None:
    statuses = []
    for _ in range(11):
        statuses.append((await auth.post("/v1/auth/login/code", {"identifier": "nobody@example.com"})).status_code)
        auth.clock.advance(timedelta(seconds=61))
    assert statuses == [202] * 10 + [429]
    refused = await auth.post("/v1/auth/login/code", {"identifier": "nobody@example.com"})
    assert refused.json()["code"] == "too-many-codes"
    assert int(refused.headers["retry-after"]) > 0
    auth.clock.advance(timedelta(hours=1))
    assert (await auth.post("/v1/auth/login/code", {"identifier": "nobody@example.com"})).status_code == 202


async def test_text_messages_have_a_daily_budget_for_each_network_address(auth: Any) -> None:
    statuses = []
    for number in range(31):
        phone = f"+88017123456{number:02d}"
        statuses.append((await auth.post("/v1/auth/login/code", {"identifier": phone})).status_code)
    assert statuses == [202] * 30 + [429]
    elsewhere = await auth.post("/v1/auth/login/code", {"identifier": "+8801712345699"}, ip="198.51.100.9")
    assert elsewhere.status_code == 202


async def test_text_messages_have_a_daily_budget_for_each_number_wherever_they_are_asked_from(auth: Any) -> None:
    phone = {"identifier": "+8801712345601"}

    async def ask(number: int) -> int:
        auth.clock.advance(timedelta(hours=1))
        return int((await auth.post("/v1/auth/login/code", phone, ip=f"198.51.100.{number}")).status_code)

    assert [await ask(number) for number in range(11)] == [202] * 10 + [429]
    assert (await auth.post("/v1/auth/login/code", {"identifier": "+8801712345602"})).status_code == 202
    auth.clock.advance(timedelta(hours=14))
    assert await ask(1) == 202


async def test_a_code_waits_while_notification_service_is_away_and_is_sent_when_it_is_back(auth: Any) -> None:
    auth.mail.down = True
    await auth.post("/v1/auth/register", {"email": EMAIL, "password": "four wild geese over", "full_name": "A"})

    async def tried() -> bool:
        rows = await auth.sql("SELECT 1 FROM code_request WHERE status = 'sending' AND deliveries > 0")
        return bool(rows)

    await eventually(tried)
    assert auth.mail.messages == []
    auth.mail.down = False
    auth.clock.advance(timedelta(seconds=20))
    code = await auth.code_for(EMAIL, "verify")
    assert (await auth.post("/v1/auth/verify", {"identifier": EMAIL, "code": code})).status_code == 200


async def test_a_sender_that_died_after_handing_over_repeats_the_same_message(auth: Any) -> None:
    await auth.post("/v1/auth/register", {"email": EMAIL, "password": "four wild geese over", "full_name": "A"})
    await auth.code_for(EMAIL, "verify")
    await auth.sql("UPDATE code_request SET status = 'sending', next_attempt_at = $1 RETURNING id", auth.clock.now())
    await auth.code_for(EMAIL, "verify", 2)
    first, second = auth.mail.sent_to(EMAIL, "verify")
    assert first == second


async def test_no_code_is_kept(auth: Any) -> None:
    code = await _asked(auth)
    rows = await auth.sql("SELECT code_request::text AS everything FROM code_request")
    assert all(code not in row["everything"] for row in rows)

"""Failed sign-ins slow down the next ones; the owner is never locked out."""

from datetime import timedelta
from typing import Any

from auth_service.throttle.rules import Failures, address_refusal_seconds, pair_refusal_seconds, pause_seconds

EMAIL = "amina@example.com"


def test_refusals_double_and_are_bounded() -> None:
    assert [pair_refusal_seconds(Failures(pair=n)) for n in (4, 5, 6, 9, 40)] == [0, 1, 2, 16, 300]
    assert [address_refusal_seconds(Failures(address=n)) for n in (99, 100, 102, 400)] == [0, 1, 4, 60]


def test_an_account_under_attack_answers_later_but_never_refuses() -> None:
    assert [pause_seconds(Failures(account=n)) for n in (9, 10, 12, 1000)] == [0.0, 0.25, 1.0, 3.0]
    assert pair_refusal_seconds(Failures(account=1000)) == 0


async def _fail(auth: Any, times: int, *, ip: str, email: str = EMAIL) -> list[int]:
    answers = [
        await auth.post("/v1/auth/login", {"identifier": email, "password": "wrong one"}, ip=ip) for _ in range(times)
    ]
    return [answer.status_code for answer in answers]


async def test_after_five_failures_this_address_waits_and_the_owner_elsewhere_does_not(auth: Any) -> None:
    await auth.registered()
    assert await _fail(auth, 6, ip="198.51.100.66") == [401] * 5 + [429]
    refused = await auth.post("/v1/auth/login", {"identifier": EMAIL, "password": "any"}, ip="198.51.100.66")
    assert int(refused.headers["retry-after"]) >= 1
    await auth.login(ip="203.0.113.7")


async def test_the_wait_ends_and_success_forgets_it(auth: Any) -> None:
    await auth.registered()
    await _fail(auth, 5, ip="203.0.113.7")
    auth.clock.advance(timedelta(seconds=2))
    await auth.login()
    assert await _fail(auth, 5, ip="203.0.113.7") == [401] * 5


async def test_an_attack_from_many_addresses_only_slows_the_owner_down(auth: Any) -> None:
    await auth.registered()
    for number in range(14):
        await _fail(auth, 1, ip=f"198.51.100.{number}")
    auth.pauses.clear()
    await auth.login()
    assert auth.pauses == [3.0]


async def test_unknown_accounts_slow_down_like_known_ones(auth: Any) -> None:
    assert await _fail(auth, 6, ip="198.51.100.66", email="nobody@example.com") == [401] * 5 + [429]

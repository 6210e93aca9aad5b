"""Revocations are effective within five seconds, for cached tokens too."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from gateway.identity.caller import Caller
from gateway.identity.revocations import Revocations, concerns
from rihla.auth import Principal
from rihla.kernel import new_id
from rihla.testing import eventually


async def _status(stack: Any, headers: dict[str, str]) -> int:
    return int((await stack.client.get("/v1/bookings", headers=headers)).status_code)


@pytest.mark.parametrize("kind", ["session", "user"])
async def test_a_pushed_revocation_ends_a_cached_token_at_once(stack: Any, kind: str) -> None:
    person, neighbour = stack.sign_in(), stack.sign_in()
    assert await _status(stack, person.headers) == 200
    stack.auth.hide_revocations = True  # whoever asks for them hears of none
    entry = stack.auth.revoke(kind, str(person.session_id if kind == "session" else person.user_id))
    await stack.redis.publish(f"{stack.namespace}:revocations", json.dumps(entry))

    async def ended() -> bool:
        return await _status(stack, person.headers) == 401

    assert await eventually(ended)
    assert await _status(stack, neighbour.headers) == 200


async def test_a_message_that_never_came_is_made_up_for_by_asking_auth(stack: Any) -> None:
    person = stack.sign_in()
    assert await _status(stack, person.headers) == 200
    stack.auth.revoke("session", str(person.session_id))  # no message

    async def ended() -> bool:
        return await _status(stack, person.headers) == 401

    assert await eventually(ended)


async def test_a_gap_in_the_messages_is_filled_at_once(start: Any) -> None:
    stack = await start(beyond={"revocation_poll_seconds": 3600.0})
    first, second = stack.sign_in(), stack.sign_in()
    assert [await _status(stack, p.headers) for p in (first, second)] == [200, 200]
    stack.auth.revoke("session", str(first.session_id))  # lost
    entry = stack.auth.revoke("session", str(second.session_id))
    await stack.redis.publish(f"{stack.namespace}:revocations", json.dumps(entry))

    async def both_ended() -> bool:
        return [await _status(stack, p.headers) for p in (first, second)] == [401, 401]

    assert await eventually(both_ended)


async def test_with_redis_gone_auth_is_asked(start: Any) -> None:
    stack = await start(redis_url="redis://127.0.0.1:1/0")
    person = stack.sign_in()
    assert await _status(stack, person.headers) == 200
    stack.auth.revoke("user", str(person.user_id))

    async def ended() -> bool:
        return await _status(stack, person.headers) == 401

    assert await eventually(ended)


async def test_a_revoked_key_ends_at_once(stack: Any) -> None:
    headers = stack.partner()
    assert await _status(stack, headers) == 200
    stack.auth.hide_revocations = True
    entry = stack.auth.revoke("api_key", next(iter(stack.auth.api_keys.values()))["key_id"])
    await stack.redis.publish(f"{stack.namespace}:revocations", json.dumps(entry))

    async def ended() -> bool:
        return await _status(stack, headers) == 401

    assert await eventually(ended)


async def test_an_unreadable_message_changes_nothing(stack: Any) -> None:
    person = stack.sign_in()
    for message in (b"\xff", b"[]", b'{"seq": "x"}', b'{"seq": 1, "kind": "planet", "id": "x", "at": "now"}'):
        await stack.redis.publish(f"{stack.namespace}:revocations", message)
    assert await _status(stack, person.headers) == 200


def caller(issued_at: float, session: UUID | None = None) -> Caller:
    principal = Principal(kind="person", issuer="gateway", subject=new_id(), session_id=session)
    return Caller(principal, issued_at=issued_at)


def at_millisecond(millisecond: int) -> UUID:
    return UUID(int=(millisecond << 80) | (0x7 << 76) | (0b10 << 62))


def test_somebody_who_signs_in_right_after_a_revocation_stays_signed_in() -> None:
    revoked_at = 1_800_000_000.5
    assert concerns(revoked_at, caller(1_800_000_000, at_millisecond(1_800_000_000_499)))
    assert not concerns(revoked_at, caller(1_800_000_000, at_millisecond(1_800_000_000_500)))
    assert concerns(revoked_at, caller(1_800_000_000))
    assert not concerns(revoked_at, caller(1_800_000_001))


async def test_a_feed_that_comes_in_pages_is_read_to_its_end() -> None:
    at = datetime.now(UTC).isoformat()

    async def fetch(after: int) -> bytes:
        page = [
            {"seq": n, "kind": "session", "id": f"s{n}", "at": at} for n in range(after + 1, min(after + 10, 25) + 1)
        ]
        return json.dumps({"items": page, "last_seq": page[-1]["seq"] if page else after}).encode()

    revocations = Revocations(fetch)
    await revocations.poll()
    known = caller(0)
    known.session_id = "s25"
    assert revocations.is_revoked(known)


async def test_a_smaller_number_that_appears_late_is_still_seen() -> None:
    answers = [
        {"items": [{"seq": 6, "kind": "session", "id": "late", "at": datetime.now(UTC).isoformat()}], "last_seq": 6},
        {"items": [{"seq": 5, "kind": "session", "id": "slow", "at": datetime.now(UTC).isoformat()}], "last_seq": 6},
    ]
    asked: list[int] = []

    async def fetch(after: int) -> bytes:
        asked.append(after)
        return json.dumps(answers.pop(0) if answers else {"items": [], "last_seq": after}).encode()

    revocations = Revocations(fetch)
    answers.insert(1, {"items": [], "last_seq": 6})
    await revocations.poll()
    await revocations.poll()
    assert asked[2] < 5
    for session in ("late", "slow"):
        known = caller(0)
        known.session_id = session
        assert revocations.is_revoked(known)

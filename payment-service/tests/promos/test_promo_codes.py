"""Promo codes over the API: limits that hold under concurrency, reservations that follow their booking."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from payment_service.promos.use_promo import release_expired
from rihla.kernel import new_id

Stack = Any


async def define(stack: Stack, **changes: Any) -> dict[str, Any]:
    body = {"code": "eid25", "title": "25 % for Eid", "kind": "percent", "percent": "25", **changes}
    admin = stack.person(new_id(), roles=("admin",))
    answer = await stack.client.post("/v1/admin/promo-codes", json=body, headers=admin)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def trip(user_id: UUID, **changes: Any) -> dict[str, Any]:
    return {
        "code": "EID25", "user_id": str(user_id), "currency": "USD", "lines_minor": [50000, 11240],
        "total_minor": 61240,
        "route": ["DAC", "JED"], "airlines": ["RQ"], "cabin": "economy", "departure_date": "2026-12-20",
        "expires_at": "2026-12-01T08:17:00Z", **changes,
    }  # fmt: skip


async def put(stack: Stack, user_id: UUID, booking_id: UUID | None = None, **changes: Any) -> Any:
    path = f"/internal/v1/promo-uses/{booking_id or new_id()}"
    return await stack.client.put(path, json=trip(user_id, **changes), headers=stack.service())


async def act(stack: Stack, booking_id: UUID, step: str) -> Any:
    return await stack.client.post(f"/internal/v1/promo-uses/{booking_id}/{step}", json={}, headers=stack.service())


async def used(stack: Stack) -> int:
    [row] = await stack.sql("SELECT used_count FROM promo_code")
    return int(row["used_count"])


async def test_a_use_is_reserved_once_for_a_booking(stack: Stack, user_id: UUID) -> None:
    await define(stack)
    booking_id = new_id()
    first, again = [await put(stack, user_id, booking_id) for _ in range(2)]
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert (first.json()["discount_minor"], first.json()["status"]) == (15310, "reserved")
    assert await used(stack) == 1
    other = await put(stack, user_id, booking_id, total_minor=1000)
    assert (other.status_code, other.json()["code"]) == (409, "promo-code-not-applicable")


async def test_a_reservation_that_expires_later_is_still_the_same_use(stack: Stack, user_id: UUID) -> None:
    await define(stack)
    booking_id = new_id()
    await put(stack, user_id, booking_id)
    assert (await put(stack, user_id, booking_id, expires_at="2026-12-01T09:00:00Z")).status_code == 200


async def test_fifty_racing_users_get_exactly_the_ten_uses_there_are(stack: Stack) -> None:
    await define(stack, total_limit=10)
    answers = await asyncio.gather(*(put(stack, new_id()) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [409] * 40
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"promo-code-used-up"}
    assert await used(stack) == 10


async def test_the_same_race_by_counting_first_gives_more_than_there_are(stack: Stack) -> None:
    """The control: read the count, decide, insert - with the counter's guard left out."""
    promo = await define(stack, total_limit=10)
    pool = await stack.container.db.asyncpg_pool()
    barrier = asyncio.Barrier(10)

    async def unguarded(wave: int) -> bool:
        async with pool.acquire() as connection:
            count = await connection.fetchval("SELECT count(*) FROM promo_use WHERE status = 'reserved'")
            await barrier.wait()
            if count >= 10:
                return False
            await connection.execute(
                "INSERT INTO promo_use (booking_id, promo_code_id, status, created_at, updated_at) "
                "VALUES ($1, $2, 'reserved', now(), now())",
                new_id(),
                UUID(promo["id"]),
            )
            return True

    given = 9
    for _ in range(9):
        await stack.sql(
            "INSERT INTO promo_use (booking_id, promo_code_id, status, created_at, updated_at) "
            "VALUES ($1, $2, 'reserved', now(), now())",
            new_id(),
            UUID(promo["id"]),
        )
    given += sum(await asyncio.gather(*(unguarded(wave) for wave in range(10))))
    assert given > 10


async def test_our_own_code_without_its_guard_gives_more_than_there_are(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the race above: the counter's condition and its constraint are all that holds the limit."""
    await define(stack, total_limit=1)
    await stack.sql("ALTER TABLE promo_code DROP CONSTRAINT ck_promo_code_used_within_limit")
    barrier = asyncio.Barrier(5)

    async def unguarded(session: Any, promo_code_id: UUID) -> bool:
        row = await session.execute(text("SELECT used_count, total_limit FROM promo_code"))
        used_count, total_limit = row.one()
        await barrier.wait()
        if used_count >= total_limit:
            return False
        await session.execute(text("UPDATE promo_code SET used_count = :n"), {"n": used_count + 1})
        return True

    monkeypatch.setattr("payment_service.promos.store.count_one", unguarded)
    answers = await asyncio.gather(*(put(stack, new_id()) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5


async def test_consuming_a_use_nobody_reserved_is_answered_and_not_repeated(stack: Stack, user_id: UUID) -> None:
    await define(stack, total_limit=1)
    answer = await act(stack, new_id(), "consume")
    assert (answer.status_code, answer.json()["status"]) == (200, "unknown")
    booking_id = new_id()
    facts = {"code": "eid25", "user_id": str(user_id), "discount_minor": 15310, "currency": "USD"}
    path = f"/internal/v1/promo-uses/{booking_id}/consume"
    for _ in range(2):
        answer = await stack.client.post(path, json=facts, headers=stack.service())
        assert (answer.json()["status"], answer.json()["discount_minor"]) == ("consumed", 15310)
    assert await used(stack) == 1
    await act(stack, booking_id, "release")
    assert await used(stack) == 0
    assert (await act(stack, booking_id, "consume")).json()["status"] == "consumed"


async def test_one_person_racing_against_themselves_uses_a_code_once(stack: Stack, user_id: UUID) -> None:
    await define(stack, per_user_limit=1)
    answers = await asyncio.gather(*(put(stack, user_id) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert await used(stack) == 1


async def test_the_same_booking_sent_many_times_at_once_takes_one_use(stack: Stack, user_id: UUID) -> None:
    await define(stack, per_user_limit=None)
    booking_id = new_id()
    answers = await asyncio.gather(*(put(stack, user_id, booking_id) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert await used(stack) == 1


async def test_a_released_use_can_be_had_by_somebody_else(stack: Stack, user_id: UUID) -> None:
    await define(stack, total_limit=1)
    booking_id = new_id()
    await put(stack, user_id, booking_id)
    for _ in range(2):
        assert (await act(stack, booking_id, "release")).json()["status"] == "released"
    assert await used(stack) == 0
    assert (await put(stack, new_id())).status_code == 200
    assert (await put(stack, user_id, booking_id)).json()["code"] == "promo-code-not-applicable"


async def test_releasing_an_unknown_booking_leaves_a_tombstone(stack: Stack, user_id: UUID) -> None:
    await define(stack)
    booking_id = new_id()
    assert (await act(stack, booking_id, "release")).status_code == 200
    late = await put(stack, user_id, booking_id)
    assert (late.status_code, late.json()["code"]) == (409, "promo-code-not-applicable")
    assert await used(stack) == 0


async def test_a_consumed_use_stays_and_returns_only_when_the_booking_gives_it_back(
    stack: Stack, user_id: UUID
) -> None:
    await define(stack)
    booking_id = new_id()
    await put(stack, user_id, booking_id)
    for _ in range(2):
        assert (await act(stack, booking_id, "consume")).json()["status"] == "consumed"
    stack.clock.advance(timedelta(hours=2))
    await release_expired(stack.container.db, stack.clock)
    assert await used(stack) == 1
    await act(stack, booking_id, "release")
    assert await used(stack) == 0


async def test_a_reservation_falls_with_its_hold_and_a_late_payment_takes_it_again(stack: Stack, user_id: UUID) -> None:
    await define(stack, total_limit=1)
    booking_id = new_id()
    await put(stack, user_id, booking_id)
    stack.clock.advance(timedelta(hours=1))
    assert await release_expired(stack.container.db, stack.clock) == 1
    assert await used(stack) == 0
    assert (await put(stack, new_id(), expires_at="2026-12-01T10:00:00Z")).status_code == 200
    late = await act(stack, booking_id, "consume")
    assert (late.status_code, late.json()["status"]) == (200, "consumed")
    assert await used(stack) == 1


async def test_a_traveller_checks_a_code_in_any_case_and_signed_in_or_not(stack: Stack) -> None:
    await define(stack)
    body = {"total": {"amount": "612.40", "currency": "USD"}, "route": ["DAC", "JED"]}
    anonymous = {"authorization": f"Bearer {stack.keyring.token(audience='payment')}"}
    answer = await stack.client.post("/v1/promo-codes/Eid25/check", json=body, headers=anonymous)
    assert answer.status_code == 200, answer.text
    assert answer.json()["discount"] == {"amount": "153.10", "currency": "USD"}
    assert answer.json()["total"] == {"amount": "459.30", "currency": "USD"}
    unknown = await stack.client.post("/v1/promo-codes/NOPE/check", json=body, headers=anonymous)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "promo-code-not-found")


async def test_a_check_reserves_nothing(stack: Stack, user_id: UUID) -> None:
    await define(stack)
    body = trip(user_id)
    del body["expires_at"]
    answer = await stack.client.post("/internal/v1/promo-checks", json=body, headers=stack.service())
    assert (answer.status_code, answer.json()["discount_minor"]) == (200, 15310)
    assert await used(stack) == 0


async def test_live_special_offers_are_public(stack: Stack) -> None:
    await define(stack, special_offer=True, ends_at="2026-12-02T00:00:00Z")
    await define(stack, code="HIDDEN")
    await define(stack, code="LATER", special_offer=True, starts_at="2026-12-05T00:00:00Z")
    headers = {"authorization": f"Bearer {stack.keyring.token(audience='payment')}"}
    offers = (await stack.client.get("/v1/special-offers", headers=headers)).json()["items"]
    assert [offer["code"] for offer in offers] == ["EID25"]


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": "0"}, {"percent": "100.01"}, {"percent": "-5"}, {"percent": None}, {"kind": "fixed"},
        {"kind": "fixed", "percent": None, "value": {"amount": "-1.00", "currency": "USD"}}, {"total_limit": 0},
        {"code": "a b"}, {"routes": ["DAC"]}, {"starts_at": "2026-12-02T00:00:00Z", "ends_at": "2026-12-01T00:00:00Z"},
        {"unknown": 1},
    ],
)  # fmt: skip
async def test_a_code_that_makes_no_sense_is_422(stack: Stack, changes: dict[str, Any]) -> None:
    body = {"code": "eid25", "title": "t", "kind": "percent", "percent": "25", **changes}
    answer = await stack.client.post(
        "/v1/admin/promo-codes", json=body, headers=stack.person(new_id(), roles=("admin",))
    )
    assert answer.status_code == 422


async def test_administrators_define_change_and_retire_codes(stack: Stack, user_id: UUID) -> None:
    promo = await define(stack)
    admin = stack.person(new_id(), roles=("admin",))
    twice = {"code": "EID25", "title": "t", "kind": "percent", "percent": "10"}
    again = await stack.client.post("/v1/admin/promo-codes", json=twice, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "promo-code-exists")
    path = f"/v1/admin/promo-codes/{promo['id']}"
    changed = await stack.client.put(path, json={**twice, "percent": "12.5"}, headers=admin)
    assert (changed.json()["percent"], changed.json()["version"]) == ("12.50", 2)
    assert (await stack.client.delete(path, headers=admin)).status_code == 204
    assert (await put(stack, user_id)).json()["code"] == "promo-code-not-applicable"
    assert (await stack.client.get(path, headers=stack.person(user_id))).status_code == 403
    listed = (await stack.client.get("/v1/admin/promo-codes", headers=admin)).json()
    assert [item["id"] for item in listed["items"]] == [promo["id"]]

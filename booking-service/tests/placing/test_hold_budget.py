"""At most so many unpaid bookings for each caller; letting them lapse costs waiting time."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from booking_service.placing.desk import PlacingDesk
from booking_service.placing.hold_budget import HoldBudget, TooManyUnpaidBookings, check_budget, waits_until
from rihla.db import Database
from rihla.kernel import new_id
from rihla.testing import eventually

BUDGET = HoldBudget(at_once=3, window=timedelta(minutes=60), first_wait=timedelta(minutes=5))
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("lapsed", "minutes"), [(3, None), (4, 5), (5, 10), (6, 20), (8, 60), (500, 60)])
def test_each_lapsed_booking_beyond_the_third_doubles_the_wait(lapsed: int, minutes: int | None) -> None:
    until = waits_until(BUDGET, [NOON] * lapsed)
    assert until == (None if minutes is None else NOON + timedelta(minutes=minutes))


def test_waiting_ends_when_its_time_is_over() -> None:
    check_budget(BUDGET, 0, [NOON] * 4, NOON + timedelta(minutes=5))
    with pytest.raises(TooManyUnpaidBookings) as refused:
        check_budget(BUDGET, 0, [NOON] * 4, NOON + timedelta(minutes=4))
    assert refused.value.data["retry_after"] == 60


@pytest_asyncio.fixture
async def strict(house: Any) -> Any:
    """The service with the budget a traveller has by default."""
    settings = house.settings.model_copy(update={"unpaid_bookings_per_traveller": 3, "unpaid_bookings_per_key": 5})
    object.__setattr__(house.app.state.container, "settings", settings)
    return house


async def test_a_fourth_unpaid_booking_is_refused_until_one_is_paid(strict: Any) -> None:
    first = await strict.place()
    for _ in range(2):
        await strict.place()
    body = strict.body()
    refused = await strict.post("/v1/bookings", body, key="fourth")
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-unpaid-bookings")
    assert (refused.json()["limit"], refused.json()["unpaid"]) == (3, 3)
    assert len(strict.flight.holds) == 3
    await strict.pay(first)
    assert (await strict.post("/v1/bookings", body, key="fourth")).status_code == 201


async def test_a_repeat_of_the_third_still_gets_its_saved_answer(strict: Any) -> None:
    body = strict.body()
    await strict.place(body, key="kept")
    for _ in range(2):
        await strict.place()
    again = await strict.post("/v1/bookings", body, key="kept")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


async def test_what_was_refused_leaves_room(strict: Any) -> None:
    offer = strict.flight.add_offer([strict.flight.add_flight(free=0)])
    for _ in range(4):
        assert (await strict.post("/v1/bookings", strict.body(offer))).status_code == 409
    assert (await strict.place())["status"] == "pending_payment"


async def test_one_traveller_does_not_spend_the_budget_of_another(strict: Any) -> None:
    for _ in range(3):
        await strict.place()
    assert await strict.place(user_id=new_id())


async def test_a_partner_key_has_a_budget_of_its_own(strict: Any) -> None:
    offer = strict.flight.add_offer([strict.flight.add_flight(airline="ZZ")])
    key = {"kind": "partner", "key_id": str(new_id()), "org": str(new_id()), "test_mode": True}

    async def place(name: str) -> int:
        headers = strict.headers(key=name, **key)
        return int((await strict.client.post("/v1/bookings", json=strict.body(offer), headers=headers)).status_code)

    assert [await place(f"p{n}") for n in range(6)] == [201] * 5 + [409]
    key["unpaid_bookings"] = 7
    assert [await place(f"c{n}") for n in range(3)] == [201] * 2 + [409], "its contract allows it seven"


async def test_letting_bookings_expire_costs_waiting_time(strict: Any) -> None:
    for _ in range(4):
        await strict.place()
        strict.clock.advance(timedelta(minutes=12))
        await strict.worker.expiry.expire_due()
    strict.clock.advance(timedelta(minutes=6))
    await strict.worker.expiry.expire_due()
    body = strict.body()
    refused = await strict.post("/v1/bookings", body, key="patience")
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-unpaid-bookings")
    assert 0 < int(refused.headers["retry-after"]) <= 300
    strict.clock.advance(timedelta(seconds=int(refused.headers["retry-after"])))
    assert (await strict.post("/v1/bookings", body, key="patience")).status_code == 201


_WAITING = "SELECT count(*) AS n FROM pg_locks WHERE NOT granted AND relation = 'booking'::regclass"


class _Desks:
    """The desks of several processes, used in turn: one process alone lets its callers begin one after the other."""

    def __init__(self, desks: list[PlacingDesk]) -> None:
        self._turn = itertools.cycle(desks)

    def __getattr__(self, deed: str) -> Any:
        return getattr(next(self._turn), deed)


@pytest_asyncio.fixture
async def eight_processes(strict: Any) -> AsyncIterator[Any]:
    """The strict service, as if each request came to another one of eight processes."""
    databases = [Database(strict.settings.database_url, pool_size=3) for _ in range(8)]
    desks = [PlacingDesk(database) for database in databases]
    object.__setattr__(strict.app.state.container, "placings", _Desks(desks))
    yield strict
    for desk, database in zip(desks, databases, strict=True):
        await desk.close()
        await database.close()


async def _race(house: Any) -> int:
    """Twelve begin while the table is locked: they run at the same instant, whatever else the machine does."""
    async with house.worker.c.db.transaction() as session:
        await session.execute(text("LOCK TABLE booking IN SHARE MODE"))
        racing = [asyncio.create_task(house.post("/v1/bookings", house.body())) for _ in range(12)]
        await eventually(lambda: _waiting(house, 8), what="eight requests at the lock")
    answers = await asyncio.gather(*racing)
    assert {answer.status_code for answer in answers} <= {201, 409}
    return sum(answer.status_code == 201 for answer in answers)


async def _waiting(house: Any, count: int) -> bool:
    return bool((await house.rows(_WAITING))[0]["n"] >= count)


async def test_twelve_at_once_get_three(eight_processes: Any) -> None:
    assert await _race(eight_processes) == 3


async def test_control_without_the_index_the_same_race_gives_more(eight_processes: Any) -> None:
    async with eight_processes.worker.c.db.transaction() as session:
        await session.execute(text("DROP INDEX uq_booking_unpaid_slot"))
    most = 0
    for _ in range(50):
        # On one busy core the twelve may come out one after the other, and then the count alone holds them.
        eight_processes.user_id = new_id()
        most = max(most, await _race(eight_processes))
        if most > 3:
            break
    assert most > 3

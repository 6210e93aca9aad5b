"""Putting holds on the inventory: exact under races, all or nothing, each answered for itself."""

import asyncio

import asyncpg
import pytest

from flight_service.inventory.hold_seats import Taken
from flight_service.inventory.problems import (
    HoldContentDiffers,
    HoldExpired,
    HoldReleased,
    NotEnoughSeats,
    OfferMoved,
    SeatTaken,
)
from flight_service.inventory.release_hold import release_hold
from rihla.kernel import new_id
from rihla.testing import eventually

NEW, AGAIN = Taken(new=True), Taken(new=False)


async def race(writers, holds, *, group=5):
    """Every hold through one of four writers, in groups, all at once; the answers."""
    groups = [holds[start : start + group] for start in range(0, len(holds), group)]
    answers = await asyncio.gather(*(writers[n % 4].group(group) for n, group in enumerate(groups)))
    return [answer for group in answers for answer in group]


def count(answers, kind):
    return sum(isinstance(answer, kind) for answer in answers)


async def drop_version_guard(pool):
    """Make the optimistic update a blind one."""
    text = await pool.fetchval("SELECT pg_get_functiondef('take_cabins'::regproc)")
    for guard in (
        "WHERE c.version = w.version AND c.free_seats >= w.takes",
        "AND c.version = w.version AND c.free_seats >= w.takes",
        "AND (c.version = wanted OR k.takes = 0) AND c.free_seats + k.gives >= k.takes",
    ):
        assert guard in text
        text = text.replace(guard, "")
    await pool.execute(text)


async def held_back(pool, flight, racing):
    """The race with its starting line between reading and writing: nobody writes before all four have read."""
    async with pool.acquire() as gate:
        transaction = gate.transaction()
        await transaction.start()
        await gate.execute("SELECT 1 FROM cabin_inventory WHERE flight_id = $1 FOR UPDATE", flight)
        running = asyncio.create_task(racing)
        await eventually(lambda: waiting_for_a_lock(pool, 4), what="four writers wait for the row")
        await transaction.commit()
    return await running


async def waiting_for_a_lock(pool, expected):
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return await pool.fetchval(sql) >= expected


async def test_two_hundred_buyers_of_forty_seats_take_exactly_forty(inventory, writers, make_hold):
    flight = await inventory.flight(40)
    answers = await race(writers, [make_hold(flight) for _ in range(200)])
    assert count(answers, Taken) == 40
    assert count(answers, NotEnoughSeats) == 160
    assert await inventory.counters(flight) == (0, 40, 0)
    assert await inventory.drift() == []


async def test_without_the_version_and_the_constraints_the_same_race_oversells(pool, inventory, writers, make_hold):
    """The control: what the guard in `take_cabins` and the CHECKs behind it are good for."""
    await drop_version_guard(pool)
    await pool.execute("ALTER TABLE cabin_inventory DROP CONSTRAINT ck_cabin_inventory_free_within_capacity")
    flight = await inventory.flight(40)
    answers = await held_back(pool, flight, race(writers, [make_hold(flight) for _ in range(200)], group=25))
    assert count(answers, Taken) > 40
    assert (await inventory.counters(flight))[0] < 0


async def test_one_seat_wanted_by_fifty_has_one_owner(inventory, writers, make_hold):
    flight = await inventory.flight(100)
    answers = await race(writers, [make_hold(flight, designators=["12A"]) for _ in range(50)])
    assert count(answers, Taken) == 1
    assert count(answers, SeatTaken) == 49
    assert await inventory.owners(flight) == ["12A"]
    assert await inventory.counters(flight) == (99, 1, 0)


async def test_without_the_unique_index_the_same_seat_has_several_owners(pool, inventory, writers, make_hold):
    """The control of the race before: two guards must go, for the version would send the later ones back to read."""
    await drop_version_guard(pool)
    await pool.execute("DROP INDEX uq_hold_seat_one_owner")
    text = await pool.fetchval("SELECT pg_get_functiondef('take_holds'::regproc)")
    guard = "ON CONFLICT (flight_id, designator) WHERE state IN ('held', 'sold') DO NOTHING"
    assert guard in text
    await pool.execute(text.replace(guard, ""))
    flight = await inventory.flight(100)
    holds = [make_hold(flight, designators=["12A"]) for _ in range(50)]
    answers = await held_back(pool, flight, race(writers, holds, group=10))
    assert count(answers, Taken) > 1
    assert len(await inventory.owners(flight)) > 1


async def test_overlapping_itineraries_in_any_order_do_not_deadlock(inventory, writers, make_hold):
    a, b, c = [await inventory.flight(30) for _ in range(3)]
    routes = [(a, b), (b, a), (b, c), (c, b), (c, a), (a, c), (c, b, a)]
    answers = await race(writers, [make_hold(*routes[n % 7]) for n in range(140)], group=4)
    assert count(answers, Taken | NotEnoughSeats) == 140
    assert await inventory.drift() == []
    held = [(await inventory.counters(flight))[1] for flight in (a, b, c)]
    assert max(held) == 30, "they sold until one was full"


async def test_all_segments_are_held_or_none(inventory, writers, make_hold):
    free, full = await inventory.flight(5), await inventory.flight(1)
    (answer,) = await writers[0].group([make_hold(free, full, seats=2)])
    assert isinstance(answer, NotEnoughSeats)
    assert answer.data == {"flight_id": full, "cabin": "economy", "free_seats": 1}
    assert await inventory.counters(free) == (5, 0, 0)


async def test_a_refused_hold_does_not_fail_its_neighbours(inventory, writers, make_hold):
    flight = await inventory.flight(4)
    holds = [
        make_hold(flight),
        make_hold(flight, seats=9),
        make_hold(flight, offer_version=7),
        make_hold(flight, designators=["12A"]),
        make_hold(flight, designators=["12A"]),
        make_hold(flight),
    ]
    answers = await writers[0].group(holds)
    assert [type(answer) for answer in answers] == [Taken, NotEnoughSeats, OfferMoved, Taken, SeatTaken, Taken]
    assert await inventory.counters(flight) == (1, 3, 0)


async def test_a_hold_the_database_cannot_store_fails_alone(inventory, writers, make_hold):
    flight = await inventory.flight(9)
    broken = make_hold(flight)
    object.__setattr__(broken, "offer_id", "nul\x00byte")
    answers = await writers[0].group([make_hold(flight), broken, make_hold(flight)])
    assert answers[0] == NEW
    assert isinstance(answers[1], asyncpg.PostgresError)
    assert answers[2] == NEW
    assert await inventory.counters(flight) == (7, 2, 0)


async def test_the_same_hold_again_changes_nothing_and_other_content_is_refused(inventory, writers, make_hold):
    flight = await inventory.flight(9)
    hold = make_hold(flight)
    assert await writers[0].group([hold]) == [NEW]
    assert await writers[1].group([hold]) == [AGAIN]
    (answer,) = await writers[0].group([make_hold(flight, id_=hold.id, content=b"other")])
    assert isinstance(answer, HoldContentDiffers)
    assert await inventory.counters(flight) == (8, 1, 0)


async def test_the_same_hold_sent_to_two_processes_at_once_is_held_once(inventory, writers, make_hold):
    flight = await inventory.flight(9)
    for _ in range(5):
        hold = make_hold(flight)
        answers = await asyncio.gather(*(writer.group([hold]) for writer in writers))
        assert sorted(answer.new for (answer,) in answers) == [False, False, False, True]
    assert await inventory.counters(flight) == (4, 5, 0)


async def test_a_version_that_moved_is_read_again(pool, inventory, writers, make_hold):
    flight = await inventory.flight(9)
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(
            "UPDATE cabin_inventory SET free_seats = 1, sold_seats = 8, version = version + 1 WHERE flight_id = $1",
            flight,
        )
        waiting = asyncio.create_task(writers[0].group([make_hold(flight), make_hold(flight)]))
        await eventually(
            lambda: waiting_for_a_lock(pool, 1),
            what="the group waits for the row",
        )
        await transaction.commit()
    answers = await waiting
    assert [type(answer) for answer in answers] == [Taken, NotEnoughSeats]
    assert await inventory.counters(flight) == (0, 1, 8)
    assert await pool.fetchval("SELECT version FROM cabin_inventory WHERE flight_id = $1", flight) == 2


async def test_a_changed_cancelled_or_departed_flight_cannot_be_held(pool, inventory, writers, make_hold, clock):
    changed, cancelled = await inventory.flight(9), await inventory.flight(9)
    departed = await inventory.flight(9, departure_at=clock.now())
    await pool.execute("UPDATE flight SET offer_version = 2 WHERE id = $1", changed)
    await pool.execute("UPDATE flight SET status = 'cancelled' WHERE id = $1", cancelled)
    answers = await writers[0].group([make_hold(flight) for flight in (changed, cancelled, departed, str(new_id()))])
    assert [type(answer) for answer in answers] == [OfferMoved] * 4


async def test_a_flight_that_changes_between_reading_and_writing_refuses_the_hold(pool, inventory, writers, make_hold):
    """The check is in the writing transaction too: here the change commits while the write waits for the cabin."""
    flight = await inventory.flight(9)
    async with pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT 1 FROM cabin_inventory WHERE flight_id = $1 FOR UPDATE", flight)
        await other.execute("UPDATE flight SET offer_version = 2 WHERE id = $1", flight)
        waiting = asyncio.create_task(writers[0].group([make_hold(flight)]))
        await eventually(
            lambda: waiting_for_a_lock(pool, 1),
            what="the group waits for the row",
        )
        await transaction.commit()
    assert [type(answer) for answer in await waiting] == [OfferMoved]
    assert await inventory.counters(flight) == (9, 0, 0)


async def test_other_fare_rules_refuse_an_offer_made_before(pool, inventory, writers, make_hold):
    flight = await inventory.flight(9)
    await pool.execute("INSERT INTO fare_rule_set (version, document) VALUES (41, '{}'), (42, '{}')")
    old, new = make_hold(flight), make_hold(flight)
    object.__setattr__(old, "rules_version", 41)
    object.__setattr__(new, "rules_version", 42)
    assert [type(answer) for answer in await writers[0].group([old, new])] == [OfferMoved, Taken]


async def test_an_expired_hold_gives_way_only_when_it_is_needed(pool, inventory, writers, make_hold, clock):
    first, second = await inventory.flight(3), await inventory.flight(3)
    stale = make_hold(first, second, seats=2, minutes=1)
    await writers[0].group([stale])
    clock.advance(stale.expires_at - clock.now())
    assert await writers[0].group([make_hold(first)]) == [NEW]
    assert await pool.fetchval("SELECT status FROM hold WHERE id = $1", stale.id) == "held"
    assert await writers[0].group([make_hold(first)]) == [NEW]
    assert await pool.fetchval("SELECT status FROM hold WHERE id = $1", stale.id) == "expired"
    assert await inventory.counters(first) == (1, 2, 0)
    assert await inventory.counters(second) == (3, 0, 0), "its other segments came back too"
    assert await inventory.drift() == []


async def test_a_stale_seat_is_taken_and_its_holder_released_in_one_transaction(
    pool, inventory, writers, make_hold, clock
):
    flight = await inventory.flight(9)
    stale = make_hold(flight, designators=["12A", "12B"], minutes=1)
    await writers[0].group([stale])
    answers = await writers[0].group([make_hold(flight, designators=["12A"])])
    assert [type(answer) for answer in answers] == [SeatTaken]
    clock.advance(stale.expires_at - clock.now())
    answers = await race(writers, [make_hold(flight, designators=["12A"]) for _ in range(12)], group=3)
    assert count(answers, Taken) == 1
    assert count(answers, SeatTaken) == 11
    assert await pool.fetchval("SELECT status FROM hold WHERE id = $1", stale.id) == "expired"
    assert await inventory.counters(flight) == (8, 1, 0)
    assert await inventory.owners(flight) == ["12A"]


async def test_buyers_race_for_what_expired_holds_give_back(inventory, writers, make_hold, clock):
    flight = await inventory.flight(20)
    await race(writers, [make_hold(flight, seats=2, minutes=1) for _ in range(10)])
    clock.advance(make_hold(flight, minutes=2).expires_at - clock.now())
    answers = await race(writers, [make_hold(flight) for _ in range(60)], group=6)
    assert count(answers, Taken) == 20
    assert await inventory.counters(flight) == (0, 20, 0)
    assert await inventory.drift() == []


async def test_a_tombstone_refuses_the_hold_that_arrives_late(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(9)
    hold = make_hold(flight)
    assert (await release_hold(pool, clock, hold.id, None)).tombstone
    assert [type(answer) for answer in await writers[0].group([hold])] == [HoldReleased]
    assert await inventory.counters(flight) == (9, 0, 0)


async def test_a_hold_and_its_release_that_cross_leave_no_seat_behind(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(40)
    holds = [make_hold(flight) for _ in range(20)]
    await asyncio.gather(
        *(writers[n % 4].group([hold]) for n, hold in enumerate(holds)),
        *(release_hold(pool, clock, hold.id, None) for hold in holds),
    )
    assert await inventory.counters(flight) == (40, 0, 0)


async def test_a_swept_hold_answers_its_repeat_with_hold_expired(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(9)
    hold = make_hold(flight, minutes=1)
    await writers[0].group([hold])
    clock.advance(hold.expires_at - clock.now())
    await pool.execute("SELECT expire_holds($1, 10)", clock.now())
    assert [type(answer) for answer in await writers[0].group([hold])] == [HoldExpired]


async def flash_sale(pool, flight, stock):
    """A sale of `stock` seats of this flight; its id."""
    sale = new_id()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            "INSERT INTO flash_sale (id, flight_id, cabin, percent_off, stock, stock_left, starts_at, ends_at) "
            "VALUES ($1, $2, 'economy', 20, $3, $3, now(), now() + interval '1 day')",
            sale,
            flight,
            stock,
        )
    return sale


async def stock_left(pool, sale):
    return await pool.fetchval("SELECT stock_left FROM flash_sale WHERE id = $1", sale)


async def test_the_stock_of_a_flash_sale_is_counted_at_the_hold(pool, inventory, writers, make_hold, clock):
    flight = await inventory.flight(90)
    sale = await flash_sale(pool, flight, 10)
    holds = [make_hold(flight, seats=2, flash=[(sale, 2)], minutes=1 if n == 0 else 15) for n in range(20)]
    answers = await race(writers, holds)
    assert count(answers, Taken) == 5
    assert count(answers, OfferMoved) == 15
    assert await stock_left(pool, sale) == 0
    taken = [hold for hold, answer in zip(holds, answers, strict=True) if isinstance(answer, Taken)]
    await release_hold(pool, clock, taken[1].id, None)
    await release_hold(pool, clock, taken[1].id, None)
    assert await stock_left(pool, sale) == 2


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
async def test_the_stock_of_a_flash_sale_has_its_own_guard(pool, inventory, writers, make_hold, guarded):
    """The version is off in both, for it would send the later ones back to read. Control: without the guard of the
    stock, and the CHECK behind it, all four groups sell the ten seats that each of them read."""
    await drop_version_guard(pool)
    if not guarded:
        text = await pool.fetchval("SELECT pg_get_functiondef('take_holds'::regproc)")
        guard = " AND stock_left >= k.uses"
        assert guard in text
        await pool.execute(text.replace(guard, ""))
        await pool.execute("ALTER TABLE flash_sale DROP CONSTRAINT ck_flash_sale_stock_left")
    flight = await inventory.flight(90)
    sale = await flash_sale(pool, flight, 10)
    holds = [make_hold(flight, seats=2, flash=[(sale, 2)]) for _ in range(20)]
    answers = await held_back(pool, flight, race(writers, holds))
    assert count(answers, Taken) == (5 if guarded else 20)
    assert await stock_left(pool, sale) == (0 if guarded else -30)
    assert await inventory.drift() == []

"""A hold that crosses its release, and buyers who claim expired holds back at once. With the controls.

A gate on the row of the cabin stands between reading and writing: nobody writes before everybody has read.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from flight_service.inventory import store
from flight_service.inventory.expire_holds import expire_holds
from flight_service.inventory.hold_seats import Taken
from flight_service.inventory.problems import HoldReleased, NotEnoughSeats
from flight_service.inventory.reinstate_hold import ReinstateHold
from rihla.testing import eventually

GUARDED_AND_CONTROL = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
NO_TOMBSTONE = (
    "release_hold",
    "INSERT INTO hold (id, status, created_at) VALUES (p_hold, 'released', p_now) ON CONFLICT (id) DO NOTHING;",
    "PERFORM 1 WHERE NOT EXISTS (SELECT 1 FROM hold WHERE id = p_hold);",
)
NO_LOOK_AT_THE_ID = ("take_holds", "IF n <> cardinality(h_ids) THEN", "IF false THEN")
NO_WAIT_FOR_THE_ID = [(name, "ON CONFLICT (id) DO NOTHING", "") for name in ("take_holds", "release_hold")]
NO_LOCK_ON_THE_HOLD = ("reinstate_hold", " FOR UPDATE", "")
NO_LOOK_AT_FREE_SEATS = [
    ("take_cabins", " AND c.free_seats + k.gives >= k.takes", ""),
    ("take_cabins", " OR free + k.gives < k.takes", ""),
]


async def without(pool, function, guard, instead):
    """Put the function back without one of its guards."""
    source = await pool.fetchval("SELECT pg_get_functiondef($1::regproc)", function)
    assert guard in source
    await pool.execute(source.replace(guard, instead))


async def waiting(pool, expected):
    sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return await pool.fetchval(sql) >= expected


@asynccontextmanager
async def gate(pool, flight):
    """Nobody moves seats of the flight until the block ends."""
    async with pool.acquire() as keeper, keeper.transaction():
        await keeper.execute("SELECT 1 FROM cabin_inventory WHERE flight_id = $1 FOR UPDATE", flight)
        yield


async def swept(pool, writers, clock, hold):
    """Put the hold on the inventory, let its time pass and give its seats back."""
    assert await writers[0].group([hold]) == [Taken(new=True)]
    clock.advance(hold.expires_at - clock.now())
    assert await expire_holds(pool, clock) == 1


async def claimed_back_at_once(pool, clock, flight, *ids):
    """What confirming a swept hold does first, for all of `ids` at once; the answers."""
    claim, until = ReinstateHold(pool, clock), clock.now() + timedelta(minutes=5)
    async with gate(pool, flight):
        claims = [asyncio.create_task(claim(id_, until, same_seats=True)) for id_ in ids]
        await eventually(lambda: waiting(pool, len(ids)), timeout=60, what="everybody has read and waits")
    return await asyncio.gather(*claims, return_exceptions=True)


@pytest.mark.parametrize("removed", [None, NO_TOMBSTONE, NO_LOOK_AT_THE_ID], ids=["guarded", "control", "control-id"])
async def test_a_release_that_overtakes_its_hold_leaves_no_seat_behind(
    pool, inventory, writers, make_hold, clock, removed
):
    """Controls: without the tombstone, or without the look whether the id is still new, the seat stays held."""
    if removed:
        await without(pool, *removed)
    flight = await inventory.flight(9)
    hold = make_hold(flight)
    async with gate(pool, flight), pool.acquire() as releasing:
        holding = asyncio.create_task(writers[0].group([hold]))
        await eventually(lambda: waiting(pool, 1), timeout=60, what="the hold has read and waits for the cabin")
        await store.release(releasing, hold.id, None, clock.now())
    (answer,) = await holding
    assert isinstance(answer, HoldReleased) == (removed is None)
    assert await inventory.counters(flight) == ((8, 1, 0) if removed else (9, 0, 0))


@GUARDED_AND_CONTROL
async def test_a_release_waits_for_the_hold_that_is_being_written(pool, inventory, make_hold, clock, guarded):
    """Control: without the key on the id the release finds nothing to give back, and the seat stays held."""
    if not guarded:
        for removed in NO_WAIT_FOR_THE_ID:
            await without(pool, *removed)
        await pool.execute("ALTER TABLE hold DROP CONSTRAINT pk_hold CASCADE")
    flight = await inventory.flight(9)
    hold = make_hold(flight)
    takes = [((flight, "economy"), 1, 0)]
    async with pool.acquire() as holding, pool.acquire() as releasing:
        async with holding.transaction():
            await store.take(holding, [hold], takes=takes, stale=(), now=clock.now(), patient=False)
            release = asyncio.create_task(store.release(releasing, hold.id, None, clock.now()))
            if guarded:
                await eventually(lambda: waiting(pool, 1), timeout=60, what="the release waits for the hold")
            else:
                await release
        await release
    assert await inventory.counters(flight) == ((9, 0, 0) if guarded else (8, 1, 0))


@GUARDED_AND_CONTROL
async def test_a_swept_hold_claimed_back_twice_at_once_takes_its_seats_once(
    pool, inventory, writers, make_hold, clock, guarded
):
    """Control: without the lock on the hold a second seat goes that nobody sits on."""
    if not guarded:
        await without(pool, *NO_LOCK_ON_THE_HOLD)
    flight = await inventory.flight(9)
    hold = make_hold(flight, designators=["12A"], minutes=1)
    await swept(pool, writers, clock, hold)
    answers = await claimed_back_at_once(pool, clock, flight, hold.id, hold.id)
    assert [answer.status for answer in answers] == ["held", "held"]
    assert await inventory.counters(flight) == ((8, 1, 0) if guarded else (7, 2, 0))
    assert (await inventory.drift() == []) == guarded


@GUARDED_AND_CONTROL
async def test_a_seat_claimed_back_by_two_people_at_once_has_one_owner(
    pool, inventory, writers, make_hold, clock, guarded
):
    """Both had 12A once, one after the other. Control: without the unique index both have it again."""
    flight = await inventory.flight(9)
    holds = [make_hold(flight, designators=["12A"], minutes=minutes) for minutes in (1, 2)]
    for hold in holds:
        await swept(pool, writers, clock, hold)
    if not guarded:
        await pool.execute("DROP INDEX uq_hold_seat_one_owner")
    answers = await claimed_back_at_once(pool, clock, flight, *(hold.id for hold in holds))
    assert sum(isinstance(answer, NotEnoughSeats) for answer in answers) == guarded
    assert await inventory.owners(flight) == (["12A"] if guarded else ["12A", "12A"])
    assert await inventory.counters(flight) == ((8, 1, 0) if guarded else (7, 2, 0))


@GUARDED_AND_CONTROL
async def test_the_last_seat_claimed_back_by_two_people_at_once_is_sold_once(
    pool, inventory, writers, make_hold, clock, guarded
):
    """Control: without the look at what is free, and the CHECK behind it, the cabin is oversold."""
    flight = await inventory.flight(1)
    holds = [make_hold(flight, minutes=minutes) for minutes in (1, 2)]
    for hold in holds:
        await swept(pool, writers, clock, hold)
    if not guarded:
        for removed in NO_LOOK_AT_FREE_SEATS:
            await without(pool, *removed)
        await pool.execute("ALTER TABLE cabin_inventory DROP CONSTRAINT ck_cabin_inventory_free_within_capacity")
    answers = await claimed_back_at_once(pool, clock, flight, *(hold.id for hold in holds))
    assert sum(isinstance(answer, NotEnoughSeats) for answer in answers) == guarded
    assert await inventory.counters(flight) == ((0, 1, 0) if guarded else (-1, 2, 0))

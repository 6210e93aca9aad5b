"""For any sequence of hold, confirm, release, expire, reinstate and crash: free + held + sold = capacity, never below
zero, no seat with two owners, and every hold says of itself what the counters say.
"""

import asyncio
from datetime import timedelta
from typing import Any, ClassVar

import asyncpg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from flight_service.inventory import store
from flight_service.inventory.confirm_hold import ConfirmHolds
from flight_service.inventory.expire_holds import expire_holds
from flight_service.inventory.hold_seats import HoldSeats, Taken
from flight_service.inventory.reinstate_hold import ReinstateHold
from flight_service.inventory.release_hold import release_hold
from rihla.kernel import DomainError
from rihla.testing import eventually

CAPACITY = 6


class Sales(RuleBasedStateMachine):
    """Two flights of six seats. `tools` comes from the test: a loop in its thread, the fixtures' own helpers."""

    holds = Bundle("holds")
    tools: ClassVar[Any]

    def run(self, awaitable):
        return self.tools.runner.run(awaitable)

    @initialize()
    def flights_open(self):
        # Each example by itself, so that one that fails can be read by itself.
        self.run(self.tools.pool.execute("TRUNCATE hold_seat, hold_flash_use, hold, cabin_inventory"))
        self.tools.clock.set(self.tools.start)
        self.flights = [self.run(self.tools.inventory.flight(CAPACITY)) for _ in range(2)]
        self.status = {}

    @rule(
        target=holds,
        on=st.sets(st.integers(0, 1), min_size=1),
        seats=st.lists(st.sampled_from([None, None, "12A", "12B"]), min_size=1, max_size=3),
        minutes=st.integers(1, 4),
    )
    def hold(self, on, seats, minutes):
        chosen = [seat for seat in seats if seat]
        designators = seats if len(chosen) == len(set(chosen)) else [None] * len(seats)
        hold = self.tools.make_hold(*(self.flights[n] for n in sorted(on)), designators=designators, minutes=minutes)
        before = self.run(self.free())
        (answer,) = self.run(self.tools.seats.group([hold]))
        if isinstance(answer, Taken):
            self.status[hold.id] = "held"
        else:
            assert isinstance(answer, DomainError)
            assert self.run(self.free()) == before
        return hold

    @rule(hold=holds)
    def hold_again(self, hold):
        known = self.run(self.known(hold))
        (answer,) = self.run(self.tools.seats.group([hold]))
        if known in ("held", "confirmed"):
            assert answer == Taken(new=False)

    @rule(hold=holds)
    def confirm(self, hold):
        before = self.run(self.known(hold))
        (answer,) = self.run(self.tools.confirmations.group([hold.id]))
        if before in ("held", "confirmed"):
            assert answer.status == "confirmed"
            assert all(row.designator for row in answer.rows if row.live)
        else:
            assert isinstance(answer, DomainError)

    @rule(hold=holds)
    def release(self, hold):
        assert self.run(release_hold(self.tools.pool, self.tools.clock, hold.id, None)).status == "released"

    @rule(hold=holds, twice=st.booleans())
    def release_one_traveller(self, hold, twice):
        row = hold.rows[0]
        for _ in range(1 + twice):
            item = (row.passenger_id, row.flight_id)
            after = self.run(release_hold(self.tools.pool, self.tools.clock, hold.id, [item]))
            assert not any(r.live and (r.passenger_id, r.flight_id) == item for r in after.rows)

    @rule(hold=holds)
    def reinstate(self, hold):
        try:
            back = self.run(self.tools.reinstate(hold.id, self.tools.clock.now() + timedelta(minutes=2)))
        except DomainError:
            return
        assert back.status in ("held", "confirmed")

    @rule(minutes=st.integers(1, 3))
    def time_passes(self, minutes):
        self.tools.clock.advance(timedelta(minutes=minutes))

    @rule()
    def sweep(self):
        self.run(expire_holds(self.tools.pool, self.tools.clock))

    @rule(hold=holds, deed=st.sampled_from(["confirm", "release", "expire"]))
    def crash(self, hold, deed):
        """The process dies before its commit: as if nothing had happened."""
        before = self.run(self.free()), self.run(self.known(hold))
        self.run(self.killed(hold, deed))
        assert (self.run(self.free()), self.run(self.known(hold))) == before

    async def killed(self, hold, deed):
        connection = await asyncpg.connect(self.tools.url)
        pid = connection.get_server_pid()
        await connection.execute("BEGIN")
        now = self.tools.clock.now()
        try:
            if deed == "confirm":
                await store.confirm(connection, {hold.id: []}, [])
            elif deed == "release":
                await store.release(connection, hold.id, None, now)
            else:
                await store.expire(connection, now, 50)
        except store.Moved:
            pass
        await self.tools.pool.execute("SELECT pg_terminate_backend($1)", pid)
        connection.terminate()
        alive = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
        await eventually(lambda: self.tools.pool.fetchval(alive, pid), every=0.001)

    async def known(self, hold):
        return await self.tools.pool.fetchval("SELECT status FROM hold WHERE id = $1", hold.id)

    async def free(self):
        return [(await self.tools.inventory.counters(flight))[0] for flight in self.flights]

    @invariant()
    def seats_add_up(self):
        if not hasattr(self, "flights"):
            return
        for flight in self.flights:
            free, held, sold = self.run(self.tools.inventory.counters(flight))
            assert free + held + sold == CAPACITY
            assert min(free, held, sold) >= 0
            owners = self.run(self.tools.inventory.owners(flight))
            assert len(owners) == len(set(owners)) <= held + sold
        assert self.run(self.tools.inventory.drift()) == []


class Tools:
    """What the machine works with; a loop of its own, because hypothesis is not asynchronous."""

    def __init__(self, url, clock, make_hold, inventory_type, fleet):
        self.runner = asyncio.Runner()
        self.url, self.clock, self.make_hold = url, clock, make_hold
        self.start = clock.now()
        self.pool = self.runner.run(self._pool())
        self.inventory = inventory_type(self.pool)
        self.seats = HoldSeats(self.pool, clock)
        self.confirmations = ConfirmHolds(self.pool, fleet)
        self.reinstate = ReinstateHold(self.pool, clock)

    async def _pool(self):
        return await asyncpg.create_pool(self.url, min_size=1, max_size=4)

    def close(self):
        self.runner.run(self.seats.close())
        self.runner.run(self.confirmations.close())
        self.runner.run(self.pool.close())
        self.runner.close()


async def test_seats_add_up_after_any_sequence_of_deeds(database_for, clock, make_hold, inventory_type, fleet):
    url = await database_for("flight-service")

    def play():
        Sales.tools = Tools(url, clock, make_hold, inventory_type, fleet)
        try:
            run_state_machine_as_test(
                Sales,
                settings=settings(
                    max_examples=25,
                    stateful_step_count=25,
                    deadline=None,
                    derandomize=True,
                    phases=[Phase.generate],  # shortening a failure takes minutes of real transactions
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            Sales.tools.close()

    await asyncio.to_thread(play)

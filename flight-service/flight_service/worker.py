"""The worker process: outbox relay, flight generation and archive, expiry of holds."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from fastapi import FastAPI

from flight_service.bootstrap import open_database
from flight_service.inventory.expire_holds import sweep
from flight_service.schedules.keep_ahead import KeepAhead
from flight_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock, SystemClock
from rihla.messaging import Broker, OutboxRelay
from rihla.web import build_worker
from rihla.web.housekeeping import Housekeeping
from rihla.web.loops import Loop


@dataclass(frozen=True, slots=True)
class WorkerContainer:
    """What the loops work with."""

    clock: Clock
    db: Database
    pool: "asyncpg.Pool[Any]"
    broker: Broker
    relay: OutboxRelay
    schedules: KeepAhead


@asynccontextmanager
async def open_worker(settings: Settings, clock: Clock) -> AsyncIterator[WorkerContainer]:
    """Engine and broker."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        broker = await Broker.connect(settings.amqp_url, namespace=settings.namespace, service="flight")
        stack.push_async_callback(broker.close)
        yield WorkerContainer(
            clock=clock,
            db=db,
            pool=await db.asyncpg_pool(),
            broker=broker,
            relay=OutboxRelay(db, broker, producer="flight", clock=clock),
            schedules=KeepAhead(db, clock, settings),
        )


def _loops(parts: WorkerContainer) -> Sequence[Loop]:
    async def expire_holds(stop: asyncio.Event) -> None:
        await sweep(parts.pool, parts.clock, stop)

    housekeeping = Housekeeping(parts.db, parts.clock)
    return [parts.relay.run, parts.schedules.run, parts.schedules.prune, expire_holds, housekeeping.run]


def create_worker(settings: Settings | None = None, *, clock: Clock | None = None) -> FastAPI:
    """The worker; settings come from the environment when none are given."""
    settings = settings or Settings()
    return build_worker(
        settings,
        open_container=lambda: open_worker(settings, clock or SystemClock()),
        run=_loops,
        checks=lambda c: {"database": c.db.check, "broker": c.broker.check},
    )

"""Where settings become engines and caches."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from flight_service.catalogue.layout import AircraftLayout
from flight_service.inventory.desk import HoldDesk
from flight_service.offers.offer_id import OfferSigner
from flight_service.offers.open_offer import OfferDesk
from flight_service.search.find_offers import OfferSearchDesk
from flight_service.search.follow_changes import TimetableFeed
from flight_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock
from rihla.web.loops import LoopGroup


@dataclass(frozen=True, slots=True)
class Fleet:
    """Seat layouts of the aircraft types, as last loaded."""

    feed: TimetableFeed

    def layout(self, aircraft: str) -> AircraftLayout:
        """The layout of an aircraft type. KeyError for a code nobody flies."""
        return self.feed.reference.layouts[aircraft]


@dataclass(frozen=True, slots=True)
class Container:
    """What the API process works with."""

    settings: Settings
    clock: Clock
    db: Database
    pool: "asyncpg.Pool[Any]"
    feed: TimetableFeed
    fleet: Fleet
    offers: OfferDesk
    search: OfferSearchDesk
    desk: HoldDesk


@asynccontextmanager
async def open_database(settings: Settings, url: str = "") -> AsyncIterator[Database]:
    """The service's own database, or the replica of it at `url`."""
    db = Database(url or settings.database_url, pool_size=settings.db_pool_size, application_name="flight")
    try:
        yield db
    finally:
        await db.close()


@asynccontextmanager
async def open_container(settings: Settings, clock: Clock) -> AsyncIterator[Container]:
    """Engines, the loaded timetable, and the desks that work on it. Ready when this has entered."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        pool = await db.asyncpg_pool()
        feed_pool = pool
        if settings.search_database_url:
            replica = await stack.enter_async_context(open_database(settings, settings.search_database_url))
            feed_pool = await replica.asyncpg_pool()
        feed = await stack.enter_async_context(open_feed(feed_pool, settings, clock))
        offers = OfferDesk(feed, OfferSigner(settings.offer_keys), clock, settings.offer_lifetime)
        fleet = Fleet(feed)
        desk = HoldDesk(pool, clock, offers, fleet)
        stack.push_async_callback(desk.close)
        # The timetable and the application stay for good: a full collection that walks them was the p99 of a hold (100
        # ms).
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        gc.set_threshold(50_000, 20, 100)
        yield Container(
            settings=settings,
            clock=clock,
            db=db,
            pool=pool,
            feed=feed,
            fleet=fleet,
            offers=offers,
            search=OfferSearchDesk(feed, offers, clock),
            desk=desk,
        )


@asynccontextmanager
async def open_feed(pool: "asyncpg.Pool[Any]", settings: Settings, clock: Clock) -> AsyncIterator[TimetableFeed]:
    """The timetable, loaded, and followed as long as this is open."""
    feed = TimetableFeed(pool, clock, staleness=timedelta(seconds=settings.timetable_staleness_seconds))
    await feed.load()
    loops = LoopGroup([feed.run])
    loops.start()
    try:
        yield feed
    finally:
        async with asyncio.timeout(10):
            await loops.stop()
            await feed.close()

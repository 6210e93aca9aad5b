"""`python -m flight_service.seed`: load the seeded network and its flights. May be repeated."""

import asyncio
import time

from flight_service.network.load_network import load_network
from flight_service.settings import Settings
from rihla.db import Database
from rihla.kernel import Clock, SystemClock


async def seed(settings: Settings, clock: Clock) -> int:
    """Load what is missing; the number of flights created."""
    db = Database(settings.database_url, pool_size=2, statement_timeout_ms=120_000)
    try:
        made = await load_network(db, now=clock.now(), days_ahead=settings.seed_days_ahead)
        async with db.transaction() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("ANALYZE")
        return made.flights
    finally:
        await db.close()


def main() -> None:
    started = time.perf_counter()
    flights = asyncio.run(seed(Settings(), SystemClock()))
    print(f"flight-service: {flights} flights created in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()

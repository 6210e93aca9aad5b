"""`python -m payment_service.seed`: two plans and two promo codes to begin with. May be repeated.

What is there already stays as it is, whatever an administrator made of it.
"""

import asyncio
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.promos.tables import promo_code
from payment_service.settings import Settings
from payment_service.subscriptions.tables import subscription_plan
from rihla.db import Database
from rihla.kernel import Clock, SystemClock, new_id

PROMO_CODES: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "WELCOME10",
        "title": "10 % off your first booking",
        "description": "For your first booking with us, up to 50.00 USD.",
        "kind": "percent",
        "percent_basis_points": 1000,
        "currency": "USD",
        "max_discount_minor": 5000,
        "first_booking_only": True,
        "per_user_limit": 1,
        "stackable": True,
        "special_offer": True,
    },
    {
        "code": "COAST20",
        "title": "20.00 USD off the coast",
        "description": "To Cox's Bazar and back, from 100.00 USD.",
        "kind": "fixed",
        "value_minor": 2000,
        "currency": "USD",
        "min_spend_minor": 10_000,
        "routes": ["*-CXB", "CXB-*"],
        "per_user_limit": 4,
        "stackable": False,
        "special_offer": True,
    },
)
PLANS: Final[tuple[dict[str, Any], ...]] = (
    {
        "code": "COAST-8",
        "name": "Eight rides to the coast",
        "description": "Eight rides a month between Dhaka and Cox's Bazar in economy.",
        "kind": "rides",
        "rides_per_period": 8,
        "routes": ["DAC-CXB", "CXB-DAC"],
        "cabin": "economy",
        "price_minor": 32_000,
        "currency": "USD",
    },
    {
        "code": "EVERYWHERE-15",
        "name": "15 % off everywhere",
        "description": "Fifteen percent off every fare in economy, for a month.",
        "kind": "discount",
        "discount_basis_points": 1500,
        "routes": [],
        "cabin": "economy",
        "price_minor": 4900,
        "currency": "USD",
    },
)


async def seed(db: Database, clock: Clock) -> int:
    """Add what is missing; how many rows were added."""
    now = clock.now()
    async with db.transaction() as session:
        added = [await _add(session, promo_code, row, now) for row in PROMO_CODES]
        added += [await _add(session, subscription_plan, row, now) for row in PLANS]
    return sum(added)


async def _add(session: AsyncSession, table: Table, row: dict[str, Any], now: datetime) -> bool:
    values = {"id": new_id(), "created_at": now, "updated_at": now, **row}
    statement = insert(table).values(values).on_conflict_do_nothing(index_elements=["code"]).returning(table.c.id)
    return (await session.execute(statement)).first() is not None


async def _seed_database() -> int:
    db = Database(Settings().database_url, pool_size=1, application_name="payment-seed")
    try:
        return await seed(db, SystemClock())
    finally:
        await db.close()


def main() -> None:
    """Seed the database of the environment. The launcher calls this in a process of its own."""
    print(f"payment-service: {asyncio.run(_seed_database())} codes and plans added")


if __name__ == "__main__":
    main()

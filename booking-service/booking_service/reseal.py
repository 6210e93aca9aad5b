"""`python -m booking_service.reseal` moves everything sealed at rest to the first key of TRAVELLER_KEYS.

Run it two minutes after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when
it ends well no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are
unreadable.
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, bindparam, select, update

from booking_service.bookings.sealed_passport import PASSPORT_NUMBER
from booking_service.bookings.tables import passenger
from booking_service.seat_plans.kept_traveller import KEPT_TRAVELLER
from booking_service.seat_plans.tables import kept_traveller
from booking_service.settings import Settings
from rihla.db import Database
from rihla.encryption import DataCipher, UnreadableData

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values: whose they are, and what they are bound to."""

    owner: Column[Any]
    column: Column[Any]
    what: str


ALL: Final = (
    Sealed(passenger.c.id, passenger.c.passport_sealed, PASSPORT_NUMBER),
    Sealed(kept_traveller.c.subscription_id, kept_traveller.c.sealed, KEPT_TRAVELLER),
)


async def reseal(db: Database, cipher: DataCipher, *, batch: int = _BATCH) -> tuple[int, int]:
    """Move every value, `batch` rows a transaction; how many were moved, and how many nobody can read."""
    moved = unreadable = 0
    for one in ALL:
        after: UUID | None = None
        while True:
            seen, renewed, lost = await _batch(db, cipher, one, after, batch)
            moved, unreadable = moved + renewed, unreadable + lost
            if seen is None:
                break
            after = seen
    return moved, unreadable


async def _batch(
    db: Database, cipher: DataCipher, one: Sealed, after: UUID | None, limit: int
) -> tuple[UUID | None, int, int]:
    """The last owner of the next rows (None: there was nobody left), how many were moved, how many cannot be read."""
    query = select(one.owner, one.column).where(one.column.is_not(None)).order_by(one.owner).limit(limit)
    if after is not None:
        query = query.where(one.owner > after)
    async with db.transaction() as session:
        rows = (await session.execute(query.with_for_update(key_share=True))).all()
        renewed = []
        unreadable = 0
        for owner, sealed in rows:
            if cipher.is_current(sealed):
                continue
            try:
                plain = cipher.decrypt(sealed, what=one.what, owner=owner)
            except UnreadableData:
                unreadable += 1
                continue
            renewed.append({"of": owner, "to": cipher.encrypt(plain, what=one.what, owner=owner)})
        if renewed:
            moving = update(one.column.table).where(one.owner == bindparam("of"))
            await session.execute(moving.values({one.column.name: bindparam("to")}), renewed)
    return (rows[-1][0] if rows else None), len(renewed), unreadable


async def _run(settings: Settings) -> int:
    db = Database(settings.database_url, pool_size=2, application_name="booking-reseal")
    try:
        moved, unreadable = await reseal(db, DataCipher(settings.encryption_keys()))
    finally:
        await db.close()
    sys.stdout.write(f"{moved} moved, {unreadable} unreadable\n")
    return 1 if unreadable else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(Settings())))

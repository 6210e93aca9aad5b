"""`python -m payment_service.saved_methods.reseal` moves what is sealed to the first key of METHOD_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, select, update

from payment_service.saved_methods.tables import method_customer, saved_method
from payment_service.saved_methods.vault import CUSTOMER, SECRET, TOKEN
from payment_service.settings import Settings
from rihla.db import Database
from rihla.encryption import DataCipher, UnreadableData


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of sealed values: whose they are, and what they are bound to."""

    owner: Column[Any]
    column: Column[Any]
    what: str


ALL: Final = (
    Sealed(method_customer.c.user_id, method_customer.c.sealed, CUSTOMER),
    Sealed(saved_method.c.id, saved_method.c.token_sealed, TOKEN),
    Sealed(saved_method.c.id, saved_method.c.secret_sealed, SECRET),
)


async def reseal(db: Database, cipher: DataCipher) -> tuple[int, int]:
    """Move every value, each in a transaction of its own; how many were moved, and how many nobody can read."""
    moved = unreadable = 0
    for one in ALL:
        async with db.transaction() as session:
            rows = (await session.execute(select(one.owner, one.column).where(one.column.is_not(None)))).all()
        for owner, sealed in rows:
            if cipher.is_current(sealed):
                continue
            try:
                renewed = cipher.encrypt(cipher.decrypt(sealed, what=one.what, owner=owner), what=one.what, owner=owner)
            except UnreadableData:
                unreadable += 1
                continue
            async with db.transaction() as session:
                same = update(one.column.table).where(one.owner == owner, one.column == sealed)
                await session.execute(same.values({one.column.name: renewed}))
            moved += 1
    return moved, unreadable


async def _run(settings: Settings) -> int:
    db = Database(settings.database_url, pool_size=2, application_name="payment-reseal")
    try:
        moved, unreadable = await reseal(db, DataCipher(settings.encryption_keys()))
    finally:
        await db.close()
    sys.stdout.write(f"{moved} moved, {unreadable} unreadable\n")
    return 1 if unreadable else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(Settings())))

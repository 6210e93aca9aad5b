"""`python -m auth_service.reencrypt` moves everything encrypted at rest to the first key of DATA_KEYS.

Run it after a new key was put in front (docs/runbooks/secret-rotation.md), with the service running; when it ends well
no row names an older key, and that key may go. It may be stopped and run again; 1 when rows are unreadable.
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from auth_service.bootstrap import open_database
from auth_service.people.encryption import DataCipher, UnreadableData
from auth_service.people.passports import PASSPORT_NUMBER
from auth_service.people.tables import Passport
from auth_service.settings import Settings
from auth_service.two_factor.check_factor import SECRET
from auth_service.two_factor.tables import TotpDevice
from rihla.db import Database

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """Where encrypted values lie: a table, whose they are, and what they are bound to."""

    table: Any
    owner: InstrumentedAttribute[UUID]
    column: InstrumentedAttribute[bytes]
    what: str


ALL = (
    Kept(Passport, Passport.holder_id, Passport.number_encrypted, PASSPORT_NUMBER),
    Kept(TotpDevice, TotpDevice.account_id, TotpDevice.secret_encrypted, SECRET),
)


@dataclass(slots=True)
class Outcome:
    """Rows of one table."""

    seen: int = 0
    moved: int = 0
    unreadable: int = 0


async def reencrypt(db: Database, cipher: DataCipher) -> dict[str, Outcome]:
    """Move every row, a few hundred a transaction; by table, what was done. What cannot be read is left as it is."""
    done = {}
    for kept in ALL:
        outcome = done[str(kept.table.__tablename__)] = Outcome()
        after: UUID | None = None
        while True:
            async with db.transaction() as session:
                after = await _batch(session, cipher, kept, after, outcome)
            if after is None:
                break
    return done


async def _batch(
    session: AsyncSession, cipher: DataCipher, kept: Kept, after: UUID | None, outcome: Outcome
) -> UUID | None:
    """The next rows by owner, locked while they are moved; the last owner, None when there was nobody left."""
    query = select(kept.table).order_by(kept.owner).limit(_BATCH).with_for_update()
    rows = (await session.scalars(query if after is None else query.where(kept.owner > after))).all()
    for row in rows:
        owner, stored = getattr(row, kept.owner.key), getattr(row, kept.column.key)
        outcome.seen += 1
        if cipher.is_current(stored):
            continue
        try:
            text = cipher.decrypt(stored, what=kept.what, owner=owner)
        except UnreadableData:
            outcome.unreadable += 1
            continue
        setattr(row, kept.column.key, cipher.encrypt(text, what=kept.what, owner=owner))
        outcome.moved += 1
    return getattr(rows[-1], kept.owner.key) if rows else None


async def run(settings: Settings) -> int:
    """Re-encrypt and say what was done; 1 when something could not be read."""
    async with open_database(settings) as db:
        done = await reencrypt(db, DataCipher(settings.encryption_keys()))
    for table, outcome in done.items():
        words = f"{outcome.seen} rows, {outcome.moved} moved to the first key, {outcome.unreadable} unreadable"
        sys.stdout.write(f"{table}: {words}\n")
    return 1 if any(outcome.unreadable for outcome in done.values()) else 0


def main() -> int:
    """Command line."""
    return asyncio.run(run(Settings()))


if __name__ == "__main__":
    sys.exit(main())

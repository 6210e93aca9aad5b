"""Move what is sealed at rest to the first of the keys: a service names its sealed columns, this moves them."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Column, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.db.database import Database
from rihla.encryption import DataCipher, UnreadableData

BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values: whose they are (UUID), and what they are bound to."""

    owner: Column[Any]
    column: Column[Any]
    what: str


@dataclass(slots=True)
class Resealed:
    """Values of one column: looked at, moved to the first key, readable with no key."""

    seen: int = 0
    moved: int = 0
    unreadable: int = 0


async def reseal_column(db: Database, cipher: DataCipher, sealed: SealedColumn, *, batch: int = BATCH) -> Resealed:
    """Move every value, `batch` rows a transaction. What cannot be read is left as it is. It may be begun again."""
    done = Resealed()
    after: UUID | None = None
    while True:
        async with db.transaction() as session:
            after = await _batch(session, cipher, sealed, after, batch, done)
        if after is None:
            return done


async def reseal(
    db: Database, cipher: DataCipher, columns: Iterable[SealedColumn], *, batch: int = BATCH
) -> tuple[int, int]:
    """All columns: how many values were moved, and how many nobody can read."""
    done = [await reseal_column(db, cipher, one, batch=batch) for one in columns]
    return sum(one.moved for one in done), sum(one.unreadable for one in done)


async def reseal_and_say(database_url: str, keys: dict[str, bytes], columns: Sequence[SealedColumn]) -> int:
    """The command of a service: exit code 1 when something could not be read."""
    db = Database(database_url, pool_size=2, application_name="reseal")
    try:
        moved, unreadable = await reseal(db, DataCipher(keys), columns)
    finally:
        await db.close()
    sys.stdout.write(f"{moved} moved, {unreadable} unreadable\n")
    return 1 if unreadable else 0


async def _batch(
    session: AsyncSession, cipher: DataCipher, sealed: SealedColumn, after: UUID | None, limit: int, done: Resealed
) -> UUID | None:
    """The next rows by owner, locked while they are moved; the last owner, None when there was nobody left."""
    owner, column, what = sealed.owner, sealed.column, sealed.what
    query = select(owner, column).where(column.is_not(None)).order_by(owner).limit(limit)
    query = query if after is None else query.where(owner > after)
    rows = (await session.execute(query.with_for_update(key_share=True))).all()
    renewed = []
    for whose, stored in rows:
        done.seen += 1
        if cipher.is_current(stored):
            continue
        try:
            plain = cipher.decrypt(stored, what=what, owner=whose)
        except UnreadableData:
            done.unreadable += 1
            continue
        renewed.append({"of": whose, "to": cipher.encrypt(plain, what=what, owner=whose)})
    if renewed:
        moving = update(column.table).where(owner == bindparam("of")).values({column.name: bindparam("to")})
        await session.execute(moving, renewed)
    done.moved += len(renewed)
    return rows[-1][0] if rows else None

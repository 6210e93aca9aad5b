"""The sealer: one process at a time links new postings into the hash chain, in batches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, LargeBinary, Uuid

from payment_service.ledger.chain import GENESIS, SealedEntry, SealedPosting, link_hash
from rihla.db import Database

# Any constant; taken for the transaction so that two workers never grow the chain at once.
_SEALER_LOCK = 7_201_001

# One row for each posting: half the rows are half the time of a recomputation.
_LOAD = text(
    "SELECT p.id, p.key, p.kind, p.reference_id, p.actor_id, p.reason, p.posted_at, e.ids, e.accounts, e.units, "
    "e.amounts, e.balances FROM ledger_posting p CROSS JOIN LATERAL (SELECT array_agg(id ORDER BY id) AS ids, "
    "array_agg(account_id ORDER BY id) AS accounts, array_agg(unit ORDER BY id) AS units, "
    "array_agg(amount ORDER BY id) AS amounts, array_agg(balance_after ORDER BY id) AS balances "
    "FROM ledger_entry WHERE posting_id = p.id) e WHERE p.id = ANY(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))

_LINK = text(
    "INSERT INTO ledger_link (position, posting_id, hash, sealed_at) "
    "SELECT l.position, l.posting_id, l.hash, :now "
    "FROM unnest(:positions, :ids, :hashes) AS l(position, posting_id, hash)"
).bindparams(
    bindparam("positions", type_=ARRAY(BigInteger)),
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
)


async def seal_batch(db: Database, *, now: datetime, limit: int = 1000) -> int:
    """Link up to `limit` postings; how many were linked (0 as well while another sealer is at work)."""
    async with db.transaction() as session:
        locked = await session.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SEALER_LOCK})
        if not locked.scalar_one():
            return 0
        queued = await session.execute(
            text(
                "DELETE FROM ledger_unsealed WHERE queued IN "
                "(SELECT queued FROM ledger_unsealed ORDER BY queued LIMIT :limit) RETURNING queued, posting_id"
            ),
            {"limit": limit},
        )
        ids = [posting_id for _, posting_id in sorted(tuple(row) for row in queued)]
        if ids:
            await _link(session, ids, now)
        return len(ids)


async def _link(session: AsyncSession, ids: list[UUID], now: datetime) -> None:
    last = (
        await session.execute(text("SELECT position, hash FROM ledger_link ORDER BY position DESC LIMIT 1"))
    ).one_or_none()
    position, previous = (last.position, last.hash) if last else (0, GENESIS)
    postings = await load_postings(session, ids)
    positions, hashes = [], []
    for posting_id in ids:
        position += 1
        previous = link_hash(previous, position, postings[posting_id])
        positions.append(position)
        hashes.append(previous)
    await session.execute(_LINK, {"positions": positions, "ids": ids, "hashes": hashes, "now": now})


async def load_postings(session: AsyncSession, ids: list[UUID]) -> dict[UUID, SealedPosting]:
    """The postings with their entries, as the chain sees them."""
    found: dict[UUID, SealedPosting] = {}
    for row in await session.execute(_LOAD, {"ids": ids}):
        posting_id, key, kind, reference_id, actor_id, reason, posted_at, *columns = tuple[Any, ...](row)
        entries = [SealedEntry(*entry) for entry in zip(*columns, strict=True)] if columns[0] else []
        found[posting_id] = SealedPosting(posting_id, key, kind, reference_id, actor_id, reason, posted_at, entries)
    return found

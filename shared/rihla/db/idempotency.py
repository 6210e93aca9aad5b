"""Idempotency keys: the row is written in the effect's own transaction (IETF httpapi draft).

The first transaction commits the key with the id it will use and a lease; the last one stores the answer. After the
lease a repeat drives the same id to the end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, String, Table, Uuid, text
from sqlalchemy.ext.asyncio import AsyncSession

from rihla.kernel import DomainError

KEPT_FOR = timedelta(hours=24)


class KeyReused(DomainError):
    """The key came before with another payload."""


class RequestInProgress(DomainError):
    """The first request with this key is still running."""


@dataclass(frozen=True, slots=True)
class Began:
    """Go on, using `resource_id`. `resumed`: an earlier try with the same id stopped somewhere on the way."""

    resource_id: UUID
    resumed: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """The saved answer."""

    status: int
    body: bytes
    media_type: str


def idempotency_table(metadata: MetaData) -> Table:
    """The table `idempotency_key`, kept 24 hours."""
    return Table(
        "idempotency_key",
        metadata,
        Column("scope", String(200), primary_key=True),
        Column("key", String(255), primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("resource_id", Uuid, nullable=False),
        Column("lease_until", DateTime(timezone=True), nullable=False),
        Column("status", Integer),
        Column("media_type", String(60)),
        Column("body", LargeBinary),
        Column("created_at", DateTime(timezone=True), nullable=False, index=True),
    )


async def begin_key(
    session: AsyncSession,
    *,
    scope: str,
    key: str,
    fingerprint: bytes,
    resource_id: UUID,
    now: datetime,
    lease: timedelta,
) -> Began | Replay:
    """Take the key, or say what is known of it. Part of the caller's first transaction.

    A concurrent first request makes this wait for its commit, so that exactly one begins.
    Raises KeyReused (other payload) and RequestInProgress (its lease still runs).
    """
    values = {
        "scope": scope,
        "key": key,
        "fingerprint": fingerprint,
        "resource_id": resource_id,
        "lease_until": now + lease,
        "now": now,
        "oldest": now - KEPT_FOR,
    }
    taken = await session.execute(
        text(
            "INSERT INTO idempotency_key AS k (scope, key, fingerprint, resource_id, lease_until, created_at) "
            "VALUES (:scope, :key, :fingerprint, :resource_id, :lease_until, :now) "
            "ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, "
            "resource_id = excluded.resource_id, lease_until = excluded.lease_until, status = NULL, body = NULL, "
            "media_type = NULL, created_at = excluded.created_at WHERE k.created_at < :oldest RETURNING 1"
        ),
        values,
    )
    if taken.first() is not None:
        return Began(resource_id, resumed=False)
    found = await session.execute(
        text(
            "SELECT fingerprint, resource_id, lease_until, status, body, media_type FROM idempotency_key "
            "WHERE scope = :scope AND key = :key FOR UPDATE"
        ),
        values,
    )
    row = found.one()
    if row.fingerprint != fingerprint:
        raise KeyReused("This Idempotency-Key was used with another payload; send a new key for a new request.")
    if row.status is not None:
        return Replay(row.status, bytes(row.body), row.media_type)
    if row.lease_until > now:
        raise RequestInProgress("The first request with this Idempotency-Key is still running; try again shortly.")
    await session.execute(
        text("UPDATE idempotency_key SET lease_until = :lease_until WHERE scope = :scope AND key = :key"), values
    )
    return Began(row.resource_id, resumed=True)


async def finish_key(
    session: AsyncSession,
    *,
    scope: str,
    key: str,
    status: int,
    body: bytes,
    media_type: str = "application/json",
) -> None:
    """Store the answer, in the transaction of the last effect."""
    await session.execute(
        text(
            "UPDATE idempotency_key SET status = :status, body = :body, media_type = :media_type "
            "WHERE scope = :scope AND key = :key"
        ),
        {"scope": scope, "key": key, "status": status, "body": body, "media_type": media_type},
    )


async def forget_keys(session: AsyncSession, *, now: datetime, most: int | None = None) -> int:
    """Drop keys older than 24 hours, `most` of them at a time; how many went."""
    result = await session.execute(
        text(
            "DELETE FROM idempotency_key WHERE ctid = ANY(ARRAY("
            "SELECT ctid FROM idempotency_key WHERE created_at < :oldest LIMIT CAST(:most AS bigint)))"
        ),
        {"oldest": now - KEPT_FOR, "most": most},
    )
    return int(getattr(result, "rowcount", 0) or 0)

"""Reads of the ledger: balances and statements."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.selectable import LateralFromClause

from payment_service.ledger.tables import ledger_account, ledger_entry, ledger_posting


@dataclass(frozen=True, slots=True)
class Balance:
    """One user account; `version` grows with each entry."""

    account_id: UUID
    kind: str
    unit: str
    amount: int
    version: int
    frozen: bool


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One line of a statement; `balance_after` is null for system accounts."""

    id: int
    posting_id: UUID
    account_id: UUID
    account_kind: str
    owner_id: UUID | None
    unit: str
    amount: int
    balance_after: int | None
    kind: str
    reference_id: UUID | None
    actor_id: UUID | None
    reason: str | None
    posted_at: datetime


async def balances_of(session: AsyncSession, owner_id: UUID) -> list[Balance]:
    """All accounts of one person, by kind and unit."""
    account = ledger_account.c
    rows = await session.execute(
        select(account.id, account.kind, account.unit, account.balance, account.version, account.frozen)
        .where(account.owner_id == owner_id)
        .order_by(account.kind, account.unit)
    )
    return [Balance(*row) for row in rows]


async def balance(session: AsyncSession, account_id: UUID) -> int:
    """The cached balance of a user account; zero for one that was never used."""
    found = await session.execute(select(ledger_account.c.balance).where(ledger_account.c.id == account_id))
    return found.scalar_one_or_none() or 0


async def derived_balance(session: AsyncSession, account_id: UUID) -> int:
    """The sum of the account's entries."""
    found = await session.execute(
        select(func.coalesce(func.sum(ledger_entry.c.amount), 0)).where(ledger_entry.c.account_id == account_id)
    )
    return int(found.scalar_one())


async def entries(
    session: AsyncSession,
    *,
    account_ids: list[UUID] | None = None,
    reference_id: UUID | None = None,
    before: int | None = None,
    limit: int,
) -> list[StatementEntry]:
    """Entries newest first, those with an id below `before` (stable while rows are added)."""
    posting, account = ledger_posting.c, ledger_account.c
    # One payment has few entries and its own index; what is wanted of it must not fall behind newer entries.
    by_account = account_ids is not None and reference_id is None
    source = _newest_of_each(before, limit) if by_account else ledger_entry
    entry = source.c
    query = (
        select(
            entry.id, entry.posting_id, entry.account_id, account.kind, account.owner_id, entry.unit, entry.amount,
            entry.balance_after, posting.kind, posting.reference_id, posting.actor_id, posting.reason,
            posting.posted_at,
        )
        .select_from(ledger_account)
        .join(source, true() if by_account else entry.account_id == account.id)
        .join(ledger_posting, posting.id == entry.posting_id)
        .order_by(entry.id.desc())
        .limit(limit)
    )  # fmt: skip
    if account_ids is not None:
        query = query.where(account.id.in_(account_ids))
    if reference_id is not None:
        query = query.where(posting.reference_id == reference_id)
    if before is not None:
        query = query.where(entry.id < before)
    return [StatementEntry(*tuple(row)) for row in await session.execute(query)]


def _newest_of_each(before: int | None, limit: int) -> LateralFromClause:
    """The newest entries of each account by its own index: never the whole ledger backwards to find an old one."""
    newest = select(ledger_entry).where(ledger_entry.c.account_id == ledger_account.c.id).correlate(ledger_account)
    if before is not None:
        newest = newest.where(ledger_entry.c.id < before)
    return newest.order_by(ledger_entry.c.id.desc()).limit(limit).lateral("newest")


async def system_balances(session: AsyncSession) -> list[tuple[str, str, int]]:
    """(kind, unit, sum of entries) of each system account."""
    rows = await session.execute(
        text(
            "SELECT a.kind, a.unit, coalesce(sum(e.amount), 0)::bigint FROM ledger_account a "
            "LEFT JOIN ledger_entry e ON e.account_id = a.id WHERE a.owner_id IS NULL "
            "GROUP BY a.kind, a.unit ORDER BY a.kind, a.unit"
        )
    )
    return [(kind, unit, amount) for kind, unit, amount in rows]


async def set_frozen(session: AsyncSession, account_id: UUID, *, frozen: bool) -> bool:
    """Freeze or unfreeze a user account; False when there is none."""
    changed = await session.execute(
        update(ledger_account)
        .where(ledger_account.c.id == account_id, ledger_account.c.owner_id.is_not(None))
        .values(frozen=frozen)
        .returning(ledger_account.c.id)
    )
    return changed.first() is not None

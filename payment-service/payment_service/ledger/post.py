"""Write a posting inside the caller's transaction."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import BigInteger, Text, Uuid

from payment_service.ledger.accounts import Account
from payment_service.ledger.errors import InsufficientFunds, WalletFrozen
from payment_service.ledger.posting import Line, Posting, merged
from rihla.kernel import new_id

_INSERT_POSTING = text(
    "INSERT INTO ledger_posting (id, key, kind, reference_id, actor_id, reason, posted_at) "
    "VALUES (:id, :key, :kind, :reference_id, :actor_id, :reason, :now) ON CONFLICT (key) DO NOTHING RETURNING id"
)

# The existence test keeps the common case free of dead tuples and sequence use; ON CONFLICT decides the race.
_OPEN_ACCOUNTS = text(
    "INSERT INTO ledger_account (id, kind, unit, owner_id, balance) "
    "SELECT a.id, a.kind, a.unit, a.owner_id, CASE WHEN a.owner_id IS NULL THEN NULL ELSE 0 END "
    "FROM unnest(:ids, :kinds, :units, :owners) AS a(id, kind, unit, owner_id) "
    "WHERE NOT EXISTS (SELECT 1 FROM ledger_account known WHERE known.id = a.id) "
    "ORDER BY a.id ON CONFLICT DO NOTHING"
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("units", type_=ARRAY(Text)),
    bindparam("owners", type_=ARRAY(Uuid)),
)

_MOVE_BALANCE = text(
    "UPDATE ledger_account SET balance = balance + :amount, version = version + 1 "
    "WHERE id = :id AND balance + :amount >= 0 AND (NOT frozen OR :amount > 0 OR :force) RETURNING balance"
)

_INSERT_ENTRIES = text(
    "INSERT INTO ledger_entry (posting_id, account_id, unit, amount, balance_after) "
    "SELECT :posting_id, e.account_id, e.unit, e.amount, e.balance_after "
    "FROM unnest(:accounts, :units, :amounts, :balances) WITH ORDINALITY "
    "AS e(account_id, unit, amount, balance_after, n) ORDER BY e.n"
).bindparams(
    bindparam("accounts", type_=ARRAY(Uuid)),
    bindparam("units", type_=ARRAY(Text)),
    bindparam("amounts", type_=ARRAY(BigInteger)),
    bindparam("balances", type_=ARRAY(BigInteger)),
)


async def post(session: AsyncSession, posting: Posting, *, now: datetime, force: bool = False) -> UUID | None:
    """Write the posting and move the cached balances; None when this key was posted before.

    `force` lets an administrator take from a frozen account; it never lets a balance fall below zero.
    Raises InsufficientFunds and WalletFrozen; the caller's transaction must then be given up.
    """
    lines = merged(posting.lines)
    inserted = await session.execute(
        _INSERT_POSTING,
        {
            "id": new_id(),
            "key": posting.key,
            "kind": posting.kind,
            "reference_id": posting.reference_id,
            "actor_id": posting.actor_id,
            "reason": posting.reason,
            "now": now,
        },
    )
    posting_id: UUID | None = inserted.scalar_one_or_none()
    if posting_id is None:
        return None
    await _open_accounts(session, [line.account for line in lines])
    balances = [await _move(session, line, force=force) if line.account.cached else None for line in lines]
    await session.execute(
        _INSERT_ENTRIES,
        {
            "posting_id": posting_id,
            "accounts": [line.account.id for line in lines],
            "units": [line.account.unit for line in lines],
            "amounts": [line.amount for line in lines],
            "balances": balances,
        },
    )
    return posting_id


async def _open_accounts(session: AsyncSession, accounts: list[Account]) -> None:
    await session.execute(
        _OPEN_ACCOUNTS,
        {
            "ids": [account.id for account in accounts],
            "kinds": [account.kind for account in accounts],
            "units": [account.unit for account in accounts],
            "owners": [account.owner_id for account in accounts],
        },
    )


async def _move(session: AsyncSession, line: Line, *, force: bool) -> int:
    """Guarded update of one cached balance; the row lock also puts the account's entries in order."""
    moved = await session.execute(_MOVE_BALANCE, {"id": line.account.id, "amount": line.amount, "force": force})
    balance: int | None = moved.scalar_one_or_none()
    if balance is not None:
        return balance
    found = await session.execute(
        text("SELECT balance, frozen FROM ledger_account WHERE id = :id"), {"id": line.account.id}
    )
    available, frozen = found.one()
    if frozen and available + line.amount >= 0:
        raise WalletFrozen("This account is frozen. Contact support, or pay another way.")
    raise InsufficientFunds(
        "The balance does not cover this amount. Top up, or pay another way.",
        unit=line.account.unit,
        available_minor=available,
        needed_minor=-line.amount,
    )

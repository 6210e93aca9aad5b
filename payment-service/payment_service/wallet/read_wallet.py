"""A person reads balances and statement."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts, store
from payment_service.ledger.accounts import COIN, POINT
from payment_service.ledger.units import shown
from payment_service.wallet.schemas import CoinsOut, ExpiringCoins, WalletBalance, WalletEntryOut, WalletOut
from payment_service.wallet.tables import coin_lot
from rihla.db import Database
from rihla.kernel import Clock
from rihla.web import InvalidCursor, MoneyModel, Page, encode_cursor


async def read_wallet(db: Database, clock: Clock, user_id: UUID, coin_values: Mapping[str, int]) -> WalletOut:
    """Balances per currency, coins with their expiry, points."""
    async with db.transaction() as session:
        found = await store.balances_of(session, user_id)
        expiring = await _lots(session, user_id, clock.now())
    coins = sum(lot.coins for lot in expiring)
    return WalletOut(
        balances=[
            WalletBalance(balance=shown(account.amount, account.unit), frozen=account.frozen, version=account.version)
            for account in found
            if account.kind == "wallet"
        ],
        coins=CoinsOut(
            balance=coins,
            worth=[MoneyModel.of(coins * value, currency) for currency, value in sorted(coin_values.items())],
            expiring=expiring,
        ),
        points=sum(account.amount for account in found if account.kind == "points"),
    )


async def _lots(session: AsyncSession, user_id: UUID, now: datetime) -> list[ExpiringCoins]:
    rows = await session.execute(
        select(coin_lot.c.remaining, coin_lot.c.expires_at)
        .where(coin_lot.c.user_id == user_id, coin_lot.c.remaining > 0, coin_lot.c.expires_at > now)
        .order_by(coin_lot.c.expires_at, coin_lot.c.id)
    )
    return [ExpiringCoins(coins=row.remaining, expires_at=row.expires_at) for row in rows]


async def list_entries(
    db: Database, user_id: UUID, *, unit: str | None, limit: int, cursor: Mapping[str, Any] | None
) -> Page[WalletEntryOut]:
    """A page of the statement, newest first, with the running balance of each line's account."""
    before = entry_cursor(cursor)
    async with db.transaction() as session:
        if unit is None:
            account_ids = [account.account_id for account in await store.balances_of(session, user_id)]
        else:
            account_ids = [_account(user_id, unit).id]
        found = await store.entries(session, account_ids=account_ids, before=before, limit=limit + 1)
    items = [_entry(entry) for entry in found[:limit]]
    following = encode_cursor({"before": items[-1].id}) if len(found) > limit else None
    return Page(items=items, next_cursor=following)


def _account(user_id: UUID, unit: str) -> accounts.Account:
    if unit == COIN:
        return accounts.coins(user_id)
    return accounts.points(user_id) if unit == POINT else accounts.wallet(user_id, unit)


def _entry(entry: store.StatementEntry) -> WalletEntryOut:
    kind: dict[str, Literal["wallet", "coins", "points"]] = {"wallet": "wallet", "coins": "coins", "points": "points"}
    return WalletEntryOut(
        id=entry.id,
        account=kind[entry.account_kind],
        kind=entry.kind,
        amount=shown(entry.amount, entry.unit),
        balance_after=shown(entry.balance_after or 0, entry.unit),
        reference_id=entry.reference_id,
        reason=entry.reason,
        posted_at=entry.posted_at,
    )


def entry_cursor(cursor: Mapping[str, Any] | None) -> int | None:
    """The entry a page goes on from. Raises InvalidCursor."""
    if cursor is None:
        return None
    before = cursor.get("before")
    if not isinstance(before, int) or isinstance(before, bool) or not 0 <= before < 2**63:
        raise InvalidCursor("Start again without a cursor.")
    return before

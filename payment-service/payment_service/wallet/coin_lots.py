"""Moves of coin lots inside a caller's transaction; the ledger posting is the caller's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger.accounts import COIN
from payment_service.ledger.errors import InsufficientFunds
from payment_service.wallet.coins import Lot, choose_lots, returned_expiry
from payment_service.wallet.tables import coin_lot, coin_lot_use
from rihla.kernel import new_id


async def add_lot(
    session: AsyncSession, user_id: UUID, *, source: str, coins: int, expires_at: datetime, now: datetime
) -> bool:
    """Store a lot; False when this source granted it before."""
    added = await session.execute(
        upsert(coin_lot)
        .values(
            id=new_id(), user_id=user_id, source=source, granted=coins, remaining=coins,
            expires_at=expires_at, created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["source"])
        .returning(coin_lot.c.id)
    )  # fmt: skip
    return added.first() is not None


async def spend_lots(session: AsyncSession, user_id: UUID, *, part_id: UUID, coins: int, now: datetime) -> None:
    """Take coins out of the person's lots, first to expire first. Raises InsufficientFunds.

    Lots are locked before the coin account, here and in the expiry.
    """
    rows = await session.execute(
        select(coin_lot.c.id, coin_lot.c.remaining, coin_lot.c.expires_at)
        .where(coin_lot.c.user_id == user_id, coin_lot.c.remaining > 0, coin_lot.c.expires_at > now)
        .order_by(coin_lot.c.id)
        .with_for_update()
    )
    lots = [Lot(*row) for row in rows]
    chosen = choose_lots(lots, coins)
    if chosen is None:
        available = sum(lot.remaining for lot in lots)
        raise InsufficientFunds("There are not enough coins.", unit=COIN, available_minor=available, needed_minor=coins)
    for lot_id, taken in chosen:
        await session.execute(
            update(coin_lot).where(coin_lot.c.id == lot_id).values(remaining=coin_lot.c.remaining - taken)
        )
        await session.execute(insert(coin_lot_use).values(payment_part_id=part_id, lot_id=lot_id, coins=taken))


async def return_lots(
    session: AsyncSession, user_id: UUID, *, part_id: UUID, coins: int, source: str, now: datetime
) -> None:
    """Give coins of a payment part back as new lots, what was to live longest first."""
    uses = await session.execute(
        select(coin_lot_use.c.lot_id, coin_lot_use.c.coins - coin_lot_use.c.given_back, coin_lot.c.expires_at)
        .join(coin_lot, coin_lot.c.id == coin_lot_use.c.lot_id)
        .where(coin_lot_use.c.payment_part_id == part_id, coin_lot_use.c.given_back < coin_lot_use.c.coins)
        .order_by(coin_lot.c.expires_at.desc(), coin_lot.c.id)
        .with_for_update(of=coin_lot_use)
    )
    for lot_id, left, expires_at in uses.all():
        back = min(left, coins)
        if back == 0:
            break
        coins -= back
        await session.execute(
            update(coin_lot_use)
            .where(coin_lot_use.c.payment_part_id == part_id, coin_lot_use.c.lot_id == lot_id)
            .values(given_back=coin_lot_use.c.given_back + back)
        )
        await add_lot(
            session,
            user_id,
            source=f"{source}:{lot_id}",
            coins=back,
            expires_at=returned_expiry(expires_at, now),
            now=now,
        )
    if coins:
        raise ValueError(f"part {part_id} never held {coins} of the coins it is to return")

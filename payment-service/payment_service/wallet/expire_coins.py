"""Take expired coins back, lot by lot."""

from sqlalchemy import select, update

from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.wallet.tables import coin_lot
from rihla.db import Database
from rihla.kernel import Clock


async def expire_coins(db: Database, clock: Clock, *, limit: int = 200) -> int:
    """Expire up to `limit` lots whose time is over; how many were."""
    now = clock.now()
    async with db.transaction() as session:
        due = await session.execute(
            select(coin_lot.c.id, coin_lot.c.user_id, coin_lot.c.remaining)
            .where(coin_lot.c.remaining > 0, coin_lot.c.expires_at <= now)
            .order_by(coin_lot.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        lots = due.all()
        # Accounts are locked in one order, whoever owns the lots.
        for lot in sorted(lots, key=lambda lot: (accounts.coins(lot.user_id).id, lot.id)):
            await session.execute(update(coin_lot).where(coin_lot.c.id == lot.id).values(remaining=0))
            lines = transfer(accounts.coins(lot.user_id), accounts.coin_issue(), lot.remaining)
            await post(session, Posting(f"coins_expired:{lot.id}", "coins_expired", lines), now=now, force=True)
    return len(lots)

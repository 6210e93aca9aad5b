"""Grant coins for a fact, once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Posting, transfer
from payment_service.wallet.coin_lots import add_lot


async def grant_coins(
    session: AsyncSession,
    user_id: UUID,
    *,
    source: str,
    coins: int,
    expires_at: datetime,
    now: datetime,
    actor_id: UUID | None = None,
    reason: str | None = None,
) -> bool:
    """Add a lot and its posting, in the caller's transaction; False when `source` granted before."""
    if not await add_lot(session, user_id, source=source, coins=coins, expires_at=expires_at, now=now):
        return False
    lines = transfer(accounts.coin_issue(), accounts.coins(user_id), coins)
    await post(session, Posting(f"coins:{source}", "coins_granted", lines, actor_id=actor_id, reason=reason), now=now)
    return True

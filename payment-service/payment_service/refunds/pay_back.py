"""The ledger side of money going back: from the in-flight account to wallet, coins or provider."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger import accounts
from payment_service.ledger.post import post
from payment_service.ledger.posting import Line, Posting, transfer
from payment_service.refunds import store
from payment_service.refunds.records import RefundPartRecord, RefundRecord
from payment_service.wallet.coin_lots import return_lots


async def pay_back_inside(
    session: AsyncSession, refund: RefundRecord, part: RefundPartRecord, *, now: datetime
) -> RefundPartRecord:
    """Credit wallet or coins; this cannot be refused by anybody."""
    if part.kind == "coins":
        coins = part.coins or 0
        lines = coin_refund_lines(refund, part.amount_minor, coins)
        if coins:
            await return_lots(
                session, refund.user_id, part_id=part.payment_part_id, coins=coins, source=f"refund:{part.id}", now=now
            )
    else:
        wallet = accounts.wallet(refund.user_id, part.currency)
        lines = transfer(accounts.in_flight(part.currency), wallet, part.amount_minor)
    await post(session, Posting(f"refund_part:{part.provider_key}", "refund", tuple(lines), refund.id), now=now)
    return await store.change_part(session, part.id, status="succeeded", kind=part.kind)


async def pay_back_outside(
    session: AsyncSession, refund: RefundRecord, part: RefundPartRecord, *, provider: str, now: datetime
) -> None:
    """The provider has sent the money back: it no longer holds it for us."""
    lines = transfer(accounts.in_flight(part.currency), accounts.provider(provider, part.currency), part.amount_minor)
    await post(session, Posting(f"refund_part:{part.provider_key}", "refund", lines, refund.id), now=now)


async def take_back_outside(
    session: AsyncSession, refund: RefundRecord, part: RefundPartRecord, *, provider: str, now: datetime
) -> None:
    """The provider said it had sent the money and now says it has not: it holds it again, and we still owe it."""
    lines = transfer(accounts.provider(provider, part.currency), accounts.in_flight(part.currency), part.amount_minor)
    key = f"refund_part:{part.provider_key}:reversed"
    await post(session, Posting(key, "refund_reversed", lines, refund.id), now=now)


def coin_refund_lines(refund: RefundRecord, amount_minor: int, coins: int) -> tuple[Line, ...]:
    """Money back to what funded the coins, and the coins back to their owner."""
    lines = transfer(accounts.in_flight(refund.currency), accounts.coin_funding(refund.currency), amount_minor)
    if not coins:
        return lines
    return lines + transfer(accounts.coins_redeemed(), accounts.coins(refund.user_id), coins)

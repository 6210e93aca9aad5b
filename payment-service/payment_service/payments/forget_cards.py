"""What payments remember of a person beside amounts: brands and last digits of cards, pages of confirmation."""

from uuid import UUID

from sqlalchemy import null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.tables import payment, payment_part


async def forget_cards(session: AsyncSession, user_id: UUID) -> None:
    """Erase them for somebody who asked to be forgotten. Amounts, ids and the ledger stay, as the law on books asks."""
    theirs = select(payment.c.id).where(payment.c.user_id == user_id)
    await session.execute(
        update(payment_part)
        .where(payment_part.c.payment_id.in_(theirs), payment_part.c.card_last4.is_not(None))
        .values(card_brand=None, card_last4=None)
    )
    open_page = payment.c.next_action.is_not(None) & payment.c.status.in_(("succeeded", "failed"))
    await session.execute(update(payment).where(payment.c.user_id == user_id, open_page).values(next_action=null()))

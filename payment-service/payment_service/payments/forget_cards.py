"""What payments remember of a person beside amounts: brands and last digits of cards, pages of confirmation."""

from uuid import UUID

from sqlalchemy import Text, cast, exists, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.tables import payment, payment_part
from payment_service.providers.interface import PERSONAL
from payment_service.saved_methods.tables import method_customer
from payment_service.webhooks.tables import provider_event

_OPEN = ("processing", "requires_action")


async def forget_cards(session: AsyncSession, user_id: UUID) -> None:
    """Erase them for somebody who asked to be forgotten. Amounts, ids and the ledger stay, as the law on books asks.

    A word on its way either is stored before and erased here, or sees that the person is gone (`is_forgotten`): whoever
    brings a payment on locks it, or writes under the sequence that is counted up here.
    """
    mine = payment.c.user_id == user_id
    await session.execute(select(payment.c.id).where(mine).order_by(payment.c.id).with_for_update())
    going_on = update(payment).where(mine, payment.c.status.in_(_OPEN))
    await session.execute(going_on.values(sequence=payment.c.sequence + 1))
    theirs = select(payment.c.id).where(mine)
    await session.execute(
        update(payment_part)
        .where(payment_part.c.payment_id.in_(theirs), payment_part.c.card_last4.is_not(None))
        .values(card_brand=None, card_last4=None)
    )
    ended = payment.c.next_action.is_not(None) & payment.c.status.in_(("succeeded", "failed"))
    await session.execute(update(payment).where(mine, ended).values(next_action=null()))
    await _forget_words(session, user_id)


async def _forget_words(session: AsyncSession, user_id: UUID) -> None:
    """Of words that wait to be applied; those that have been hold nothing of a person any more."""
    parts = select(cast(payment_part.c.id, Text)).join(payment).where(payment.c.user_id == user_id)
    facts = provider_event.c.facts
    waiting = update(provider_event).where(provider_event.c.status == "pending", facts["key"].astext.in_(parts))
    for name in PERSONAL:
        await session.execute(waiting.values(facts=facts.delete_path(["outcome", name])))


async def is_forgotten(session: AsyncSession, user_id: UUID) -> bool:
    """Whether the person's account was deleted: it closes the customer every provider knows them as."""
    gone = (method_customer.c.user_id == user_id) & (method_customer.c.state != "open")
    return bool((await session.execute(select(exists().where(gone)))).scalar_one())

"""What subscriptions do when something has happened elsewhere."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments.forget_cards import forget_cards
from payment_service.saved_methods.store import remove_all
from payment_service.subscriptions import seat_store
from payment_service.subscriptions.tables import subscription
from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.kernel import Clock
from rihla.messaging import Binding


def subscription_bindings(clock: Clock) -> list[Binding]:
    """The events subscriptions listen to."""

    async def person_deleted(session: AsyncSession, envelope: Envelope) -> None:
        """Nobody who asked to be forgotten is charged again. The ledger keeps bare ids, as the law asks."""
        event = envelope.parse()
        assert isinstance(event, UserDeletedV1)
        await forget_cards(session, event.user_id)
        await remove_all(session, event.user_id, now=clock.now())
        mine = await session.execute(select(subscription.c.id).where(subscription.c.user_id == event.user_id))
        for subscription_id in mine.scalars().all():
            await seat_store.lock_of(session, subscription_id)
            unpaid = {"states": seat_store.UNPAID, "subscription_id": subscription_id}
            await seat_store.release_of(session, now=clock.now(), **unpaid)
        await session.execute(
            update(subscription)
            .where(subscription.c.user_id == event.user_id, subscription.c.status != "cancelled")
            .values(
                status="cancelled",
                next_renewal_at=None,
                travel_pattern=[],
                version=subscription.c.version + 1,
                updated_at=clock.now(),
            )
        )

    return [Binding("auth", UserDeletedV1.event_type, person_deleted)]

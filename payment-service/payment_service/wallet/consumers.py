"""What the wallet does when something has happened elsewhere."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.settings import Settings
from payment_service.wallet.grant_coins import grant_coins
from rihla.contracts.events import Envelope, UserRegisteredV1
from rihla.kernel import Clock
from rihla.messaging import Binding
from rihla.messaging.consumer import Handler


def wallet_bindings(settings: Settings, clock: Clock) -> list[Binding]:
    """The events the wallet listens to."""
    return [Binding("auth", UserRegisteredV1.event_type, joining_coins(settings, clock))]


def joining_coins(settings: Settings, clock: Clock) -> Handler:
    """A person who joins gets coins, once, whatever is delivered how often."""

    async def handle(session: AsyncSession, envelope: Envelope) -> None:
        event = envelope.parse()
        assert isinstance(event, UserRegisteredV1)
        if not settings.joining_coins:
            return
        await grant_coins(
            session,
            event.user_id,
            source=f"joining:{event.user_id}",
            coins=settings.joining_coins,
            expires_at=event.registered_at + timedelta(days=settings.joining_coins_days),
            now=clock.now(),
            reason="Welcome coins",
        )

    return handle

"""Events of payment-service: tell whose money moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.telling.facts import Fact, Recipient
from notification_service.telling.tell import Teller
from notification_service.trips.recipients import owner_of
from notification_service.trips.tables import trip
from rihla.contracts.events import Envelope
from rihla.kernel import Clock


@dataclass(frozen=True, slots=True)
class PaymentConsumers:
    """Handlers run in the transaction that recorded the event."""

    teller: Teller
    clock: Clock

    async def on_failed(self, session: AsyncSession, envelope: Envelope) -> None:
        """An attempt to pay ended without money."""
        await self._tell(session, envelope, "payment_failed", "payment_id")

    async def on_succeeded(self, session: AsyncSession, envelope: Envelope) -> None:
        """Money that is not for a booking (a top-up, a plan); a booking's own confirmation says the rest."""
        if envelope.data.get("booking_id") is None:
            await self._tell(session, envelope, "payment_received", "payment_id")

    async def of_a_booking(self, envelope: Envelope, _consumer: str) -> bool:
        """Whether `on_succeeded` has nothing to tell of this payment: then not even that it was heard is stored."""
        return envelope.data.get("booking_id") is not None

    async def on_refunded(self, session: AsyncSession, envelope: Envelope) -> None:
        """Money is on its way back."""
        await self._tell(session, envelope, "refund_sent", "refund_id")

    async def on_refund_failed(self, session: AsyncSession, envelope: Envelope) -> None:
        """The provider refused to send money back: operations see to it, the traveller hears that it takes longer."""
        await self._tell(session, envelope, "refund_delayed", "refund_id")

    async def _tell(self, session: AsyncSession, envelope: Envelope, kind: str, id_name: str) -> None:
        values = envelope.parse().model_dump(mode="json")
        booking_id = UUID(values["booking_id"]) if values.get("booking_id") else None
        known = await _trip_facts(session, booking_id)
        recipient = owner_of(known) if known else Recipient(UUID(values["user_id"]))
        values["reference"] = known["reference"] if known else None
        fact = Fact(f"{kind}:{values[id_name]}", kind, values, booking_id=booking_id)
        await self.teller.tell(session, fact, [recipient], now=self.clock.now())


async def _trip_facts(session: AsyncSession, booking_id: UUID | None) -> Mapping[str, Any] | None:
    if booking_id is None:
        return None
    found: Mapping[str, Any] | None = await session.scalar(select(trip.c.facts).where(trip.c.booking_id == booking_id))
    return found

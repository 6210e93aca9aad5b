"""Events that partners hear of, in the transaction that remembered them: only those of their own bookings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.partner_webhooks import store
from notification_service.partner_webhooks.publish import Message, publish
from notification_service.trips.partners import PartnerBooking, partner_booking, partner_bookings_on
from rihla.contracts.events import Envelope, UserDeletedV1
from rihla.kernel import Clock

_STATES = {
    "booking.created": "pending_payment",
    "booking.confirmed": "confirmed",
    "booking.expired": "expired",
    "booking.disrupted": "disrupted",
    "booking.completed": "completed",
}


@dataclass(frozen=True, slots=True)
class PartnerConsumers:
    """Handlers run after those of `trips/`, which know whose booking it is. `nudge`: something may be sent now."""

    clock: Clock
    public_url: str
    nudge: Callable[[], object]

    async def on_booking(self, session: AsyncSession, envelope: Envelope) -> None:
        """Anything about one booking of a partner."""
        data = envelope.data
        if data.get("organisation_id") is None:
            return
        booking = PartnerBooking(
            UUID(data["booking_id"]), data["reference"], UUID(data["organisation_id"]), bool(data["test_mode"])
        )
        await self._tell(session, envelope, [booking], status=_state_of(envelope))

    async def on_documents_ready(self, session: AsyncSession, envelope: Envelope) -> None:
        """Papers can be fetched."""
        await self._about(session, envelope, UUID(envelope.data["booking_id"]))

    async def on_refund(self, session: AsyncSession, envelope: Envelope) -> None:
        """Money for a booking goes back, or does not."""
        booking_id, refund_id = envelope.data.get("booking_id"), envelope.data["refund_id"]
        if booking_id is not None:
            await self._about(session, envelope, UUID(booking_id), status=_past(envelope), refund_id=refund_id)

    async def on_flight(self, session: AsyncSession, envelope: Envelope) -> None:
        """News of a flight: one message for each booking on it."""
        flight_id = envelope.data["flight_id"]
        bookings = await partner_bookings_on(session, UUID(flight_id))
        await self._tell(session, envelope, bookings, status=_past(envelope), flight_id=flight_id)

    async def on_user_deleted(self, session: AsyncSession, envelope: Envelope) -> None:
        """An organisation ended with its last person: its endpoints go, and all that was waiting for them."""
        gone = envelope.parse()
        assert isinstance(gone, UserDeletedV1)
        if gone.ended_organisation_id is not None:
            await store.forget_organisation(session, gone.ended_organisation_id)

    async def _about(
        self, session: AsyncSession, envelope: Envelope, booking_id: UUID, status: str | None = None, **ids: str
    ) -> None:
        booking = await partner_booking(session, booking_id)
        if booking is not None:
            await self._tell(session, envelope, [booking], status=status, **ids)

    async def _tell(
        self,
        session: AsyncSession,
        envelope: Envelope,
        bookings: Sequence[PartnerBooking],
        *,
        status: str | None,
        **ids: str,
    ) -> None:
        messages = [self._message(envelope, one, status, ids) for one in bookings]
        if await publish(session, messages, self.clock.now()):
            event.listen(session.sync_session, "after_commit", lambda _: self.nudge(), once=True)

    def _message(self, envelope: Envelope, booking: PartnerBooking, status: str | None, ids: dict[str, str]) -> Message:
        data = {"booking_id": str(booking.booking_id), "reference": booking.reference, **ids}
        return Message(
            organisation_id=booking.organisation_id,
            test_mode=booking.test_mode,
            fact=f"{envelope.id}:{booking.booking_id}",
            type=envelope.type.removesuffix(".v1"),
            occurred_at=envelope.time,
            data={
                **data,
                **({"status": status} if status else {}),
                "sequence": envelope.sequence,
                "url": f"{self.public_url}/v1/bookings/{booking.booking_id}",
            },
        )


def _past(envelope: Envelope) -> str:
    """`delayed` of `flight.delayed.v1`."""
    return envelope.type.split(".")[1]


def _state_of(envelope: Envelope) -> str | None:
    """The state an event puts its booking into; None where it leaves it as it is."""
    if envelope.type == "booking.cancelled.v1":
        return "cancelled" if envelope.data.get("whole", True) else "partially_cancelled"
    return _STATES.get(envelope.type.removesuffix(".v1"))

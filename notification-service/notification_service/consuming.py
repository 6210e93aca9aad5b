"""Which events this service hears, and who handles each."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from notification_service.bootstrap import Container
from notification_service.contacts.consumers import ContactConsumers
from notification_service.partner_webhooks.consumers import PartnerConsumers
from notification_service.telling.payments import PaymentConsumers
from notification_service.telling.support import SupportConsumers
from notification_service.trips.consumers import TripConsumers
from rihla.contracts.events import Envelope
from rihla.messaging import Binding, Consumer
from rihla.messaging.consumer import AtOnce, Handler

_BOOKING_EVENTS = ("expired", "cancelled", "changed", "disrupted", "checked_in", "completed")
_FLIGHT_EVENTS = ("delayed", "gate_changed", "cancelled", "retimed")


def consumer_of(c: Container) -> Consumer:
    """The one queue of this service; each handled event wakes the sender of mails in this process."""
    trips = TripConsumers(c.teller, c.clock)
    payments = PaymentConsumers(c.teller, c.clock)
    support = SupportConsumers(c.teller, c.clock)
    contacts = ContactConsumers(c.teller, c.clock)
    partners = PartnerConsumers(c.clock, c.public_url, c.webhook_sender.nudge)

    def bind(producer: str, event_type: str, *handlers: Handler, at_once: AtOnce | None = None) -> Binding:
        # News of a flight may concern hundreds of bookings: each has its transaction for itself.
        return Binding(
            producer,
            f"{event_type}.v1",
            _in_turn(handlers),
            after_commit=c.delivery_sender.nudge,
            at_once=at_once,
            together=producer != "flight",
        )

    return Consumer(
        c.broker,
        c.db,
        name="notification",
        clock=c.clock,
        bindings=[
            bind(
                "booking",
                "booking.created",
                trips.on_booking,
                partners.on_booking,
                at_once=c.placements.take,
            ),
            bind(
                "booking",
                "booking.confirmed",
                trips.on_booking,
                partners.on_booking,
                at_once=c.confirmations.take,
            ),
            *(bind("booking", f"booking.{name}", trips.on_booking, partners.on_booking) for name in _BOOKING_EVENTS),
            bind("booking", "booking.documents_ready", trips.on_documents_ready, partners.on_documents_ready),
            *(bind("flight", f"flight.{name}", trips.on_flight, partners.on_flight) for name in _FLIGHT_EVENTS),
            bind("flight", "flight.departed", trips.on_flight),
            bind("flight", "price_alert.triggered", trips.on_price_alert),
            bind("payment", "payment.succeeded", payments.on_succeeded, at_once=payments.of_a_booking),
            bind("payment", "payment.failed", payments.on_failed),
            bind("payment", "refund.succeeded", payments.on_refunded, partners.on_refund),
            bind("payment", "refund.failed", payments.on_refund_failed, partners.on_refund),
            bind("chat", "chat.message_missed", support.on_message_missed),
            bind("chat", "ticket.answered", support.on_ticket_answered),
            bind("auth", "user.registered", contacts.on_registered),
            bind("auth", "user.updated", contacts.on_updated),
            bind("auth", "user.security_notice", contacts.on_security_notice),
            bind("auth", "session.ended", contacts.on_session_ended),
            bind("auth", "user.suspended", contacts.on_suspended),
            bind("auth", "user.deleted", contacts.on_deleted, partners.on_user_deleted),
        ],
    )


def _in_turn(handlers: Sequence[Handler]) -> Handler:
    """All of them in the one transaction, each after the one before."""

    async def handle(session: AsyncSession, envelope: Envelope) -> None:
        for handler in handlers:
            await handler(session, envelope)

    return handle

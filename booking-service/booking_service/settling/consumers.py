"""Events of payment-service. Each handler calls one deed, in the transaction that recorded the event."""

from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.store import add_timeline, exists
from booking_service.bootstrap import Container
from booking_service.settling.accept_payment import UnknownCharge, accept_payment
from booking_service.settling.rules import Paid
from booking_service.settling.settle_refund import settle_refund
from rihla.contracts.events import Envelope, PaymentFailedV1, PaymentSucceededV1, RefundFailedV1, RefundSucceededV1
from rihla.messaging import Poison


class PaymentEvents:
    """Handlers of what payment-service tells."""

    def __init__(self, c: Container) -> None:
        self._c = c

    async def payment_succeeded(self, session: AsyncSession, envelope: Envelope) -> None:
        """Money for a charge was captured. Payments of other things (wallet top-ups) are not ours."""
        event = envelope.parse()
        assert isinstance(event, PaymentSucceededV1)
        if event.booking_id is None or event.charge_id is None:
            return
        paid = Paid(event.payment_id, event.charge_id, event.amount_minor, event.currency, event.method)
        try:
            await accept_payment(session, event.booking_id, paid, now=self._c.clock.now())
        except UnknownCharge as error:
            raise Poison(str(error)) from error

    async def payment_failed(self, session: AsyncSession, envelope: Envelope) -> None:
        """An attempt ended without money: nothing changes, but support sees it on the booking's timeline."""
        event = envelope.parse()
        assert isinstance(event, PaymentFailedV1)
        if event.booking_id is None or not await exists(session, event.booking_id):
            return
        now, detail = self._c.clock.now(), {"payment_id": event.payment_id, "failure_code": event.failure_code}
        await add_timeline(session, event.booking_id, "payment_failed", actor="payment", now=now, **detail)

    async def refund_succeeded(self, session: AsyncSession, envelope: Envelope) -> None:
        """A refund we asked for is on its way."""
        event = envelope.parse()
        assert isinstance(event, RefundSucceededV1)
        await settle_refund(session, event.refund_id, "succeeded", now=self._c.clock.now())

    async def refund_failed(self, session: AsyncSession, envelope: Envelope) -> None:
        """A refund we asked for waits for a person in operations."""
        event = envelope.parse()
        assert isinstance(event, RefundFailedV1)
        await settle_refund(session, event.refund_id, "failed", now=self._c.clock.now())

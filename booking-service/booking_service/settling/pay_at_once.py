"""The ordinary payment, in two statements around flight-service's confirmation: for the hundred thousand a quarter.
Payments that wait together share the statements and the commits.

What makes it safe is what makes the long way safe: the first commit stores the errand, leased to this process. If the
confirmation fails, or the process dies, the errand is there, and `confirm_booking` makes the same call again.
"""

import asyncio
from functools import partial
from uuid import UUID

from booking_service.bookings import facts
from booking_service.bookings.errands import LEASE, Errand, ErrandRunner, Handler
from booking_service.bookings.read_booking import view_of
from booking_service.bookings.view import BookingView
from booking_service.bootstrap import Container
from booking_service.documents.rush import promised
from booking_service.settling.confirm_booking import CONFIRM_SECONDS, CONFIRMED, confirm_hold
from booking_service.settling.paid_store import ACCEPT, CONFIRM, accept_values, confirm_values, draw_serials
from booking_service.settling.rules import Paid
from booking_service.settling.sale import sold, tickets_needed
from rihla.contracts.events import Envelope, PaymentSucceededV1
from rihla.db.grouped_statement import GroupedStatement
from rihla.http import UpstreamUnavailable
from rihla.kernel import DomainError, new_id

_SERIALS_AT_ONCE = 100


class PayAtOnce:
    """What the consumer of `payment.succeeded.v1` asks before its handler."""

    def __init__(self, c: Container, errands: ErrandRunner) -> None:
        self._c = c
        self._errands = errands
        self._serials: list[int] = []
        self._drawing = asyncio.Lock()
        self._accepting = GroupedStatement(c.db, "accept_payment", ACCEPT, full=_full)
        self._storing = GroupedStatement(c.db, "confirm_booking", CONFIRM, full=_full)

    async def close(self) -> None:
        """Finish what is waiting."""
        await self._accepting.close()
        await self._storing.close()

    async def take(self, envelope: Envelope, consumer: str) -> bool:
        """Accept the payment and begin to confirm. False when this is not the ordinary case; nothing is changed then.

        While this process lags behind, it waits: the event stays at the broker, for whichever worker is free.
        """
        event = envelope.parse()
        assert isinstance(event, PaymentSucceededV1)
        if event.booking_id is None or event.charge_id is None:
            return False
        paid = Paid(event.payment_id, event.charge_id, event.amount_minor, event.currency, event.method)
        return await self._errands.begin_after(partial(self._accept, envelope, consumer, event.booking_id, paid))

    async def _accept(
        self, envelope: Envelope, consumer: str, booking_id: UUID, paid: Paid
    ) -> tuple[Errand, Handler] | None:
        now, errand_id = self._c.clock.now(), new_id()
        values = accept_values(
            envelope, consumer, booking_id, paid, errand_id=errand_id, lease_until=now + LEASE, now=now
        )
        document = await self._accepting.execute(values, order=str(booking_id))
        if document is None:
            return None
        view = view_of(document)
        errand = Errand(errand_id, view.id, "confirm_hold", {"payment_id": str(paid.payment_id)}, attempts=1)
        return errand, partial(self._confirm, view)

    async def _confirm(self, view: BookingView, c: Container, errand: Errand) -> None:
        needed = tickets_needed(view)
        if not needed:
            await confirm_hold(c, errand)
            return
        paid_at = c.clock.now()
        try:
            hold = await c.flights.confirm(view.hold_id)
        except UpstreamUnavailable:
            raise
        except DomainError:
            # The hold is lost: the long way knows what can still be done.
            await confirm_hold(c, errand)
            return
        now, papers_due = c.clock.now(), await c.rush.papers_due()
        sale = sold(view, hold, await self._take_serials(needed), now)
        event = facts.confirmed(sale.after, now=now, late=False, documents_by=promised(papers_due, now))
        envelope = Envelope.of(event, subject=str(view.id), sequence=sale.after.sequence, time=now)
        values = confirm_values(sale, envelope, errand.id, papers_due=papers_due)
        if not await self._storing.execute(values, order=str(view.id)):
            await confirm_hold(c, errand)
            return
        CONFIRMED.labels("false").inc()
        CONFIRM_SECONDS.observe((now - paid_at).total_seconds())

    async def _take_serials(self, count: int) -> list[int]:
        async with self._drawing:
            if len(self._serials) < count:
                self._serials += await draw_serials(await self._c.db.asyncpg_pool(), _SERIALS_AT_ONCE + count)
            taken, self._serials = self._serials[:count], self._serials[count:]
            return taken


def _full() -> Exception:
    return RuntimeError("too many payments are waiting")

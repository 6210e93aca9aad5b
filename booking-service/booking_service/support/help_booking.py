"""What support does for a traveller: make the documents again, cancel with a full refund. Each is in the timeline."""

from uuid import UUID

from booking_service.bookings.errors import BookingNotFound
from booking_service.bookings.read_booking import lock_booking
from booking_service.bookings.states import TRAVELLING, BookingState, MoveNotAllowed
from booking_service.bookings.store import add_timeline, step_of
from booking_service.bootstrap import Container
from booking_service.cancelling.cancel_booking import Decided, apply_cancellation
from booking_service.cancelling.quote_cancellation import work_out
from booking_service.cancelling.scope import Scope
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from booking_service.problems import PROBLEMS
from rihla.auth import Principal, require_step_up
from rihla.db.idempotency import Replay
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest


async def resend_documents(c: Container, principal: Principal, booking_id: UUID) -> None:
    """Make ticket and receipt again and tell of it. Raises BookingNotFound and MoveNotAllowed (nothing was sold)."""
    now = c.clock.now()
    async with c.db.transaction() as session:
        view = await lock_booking(session, booking_id)
        if view is None:
            raise BookingNotFound("There is no such booking.")
        if view.state not in TRAVELLING | {BookingState.COMPLETED}:
            raise MoveNotAllowed(f"A booking that is {view.status} has no ticket.", state=view.status)
        await request_documents(session, booking_id, [DocumentKind.TICKET, DocumentKind.RECEIPT], now=now)
        await add_timeline(
            session, booking_id, "documents_resent", actor="support", now=now, staff_id=principal.user_id
        )


async def cancel_for_traveller(
    c: Container, principal: Principal, booking_id: UUID, idem: IdempotentRequest, *, full_refund: bool
) -> bytes | Replay:
    """Cancel everything still to be flown: by the fare's rules, or returning everything. The cancellation as JSON.

    Raises BookingNotFound, MoveNotAllowed, NothingToCancel, AlreadyDeparted and StepUpRequired (money comes back).
    """
    now = c.clock.now()
    try:
        async with c.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=now)
            if isinstance(began, Replay):
                return began
            view = await lock_booking(session, booking_id)
            if view is None:
                raise BookingNotFound("There is no such booking.")
            if view.state is BookingState.PENDING_PAYMENT and await step_of(session, booking_id) is not None:
                raise MoveNotAllowed("A payment was just accepted; try again in a moment.", state=view.status)
            quoted = work_out(view, Scope(whole=True), now=now, involuntary=full_refund)
            decided = Decided(
                coupon_ids=frozenset(coupon.id for coupon in quoted.coupons),
                by_charge=quoted.money.by_charge,
                whole=quoted.whole,
                involuntary=full_refund,
                quote_id=None,
                reason="disruption" if full_refund else "cancellation",
                actor="support",
            )
            if decided.refund_minor > 0:
                require_step_up(principal, now=now, within=c.settings.step_up_window)
            body = await apply_cancellation(session, view, decided, began.resource_id, now=now)
            await add_timeline(
                session, booking_id, "cancelled_by_support", actor="support", now=now, staff_id=principal.user_id
            )
            await idem.finish(session, status=201, body=body)
            return body
    except DomainError as refusal:
        await idem.finish_with_error(c.db, refusal, PROBLEMS)
        raise

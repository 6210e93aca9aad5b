"""A refund asked for by booking-service or by an administrator."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.payments.errors import PaymentNotFound
from payment_service.providers.registry import Providers
from payment_service.refunds import store
from payment_service.refunds.drive_refunds import drive_refunds
from payment_service.refunds.errors import RefundContentDiffers, RefundExceedsCaptured, RefundNotFound
from payment_service.refunds.open_refund import RefundRequest, open_refund
from payment_service.refunds.records import RefundRecord
from payment_service.refunds.schemas import PutRefund, RefundOut
from payment_service.refunds.views import refund_out
from rihla.db import Database
from rihla.kernel import Clock


async def request_refund(
    db: Database, providers: Providers, clock: Clock, refund_id: UUID, body: PutRefund
) -> tuple[RefundOut, bool]:
    """The refund and whether it is new. Repeating the same id and content changes nothing.

    Raises RefundExceedsCaptured, RefundContentDiffers. The provider is called at once; the worker repeats.
    """
    try:
        new = await _open(db, clock, refund_id, body)
    except IntegrityError as error:
        if "pk_refund" not in str(error.orig):
            raise
        new = await _open(db, clock, refund_id, body)  # a twin request was first: answer as a repeat
    if new:
        await drive_refunds(db, providers, clock, refund_id=refund_id)
    return await read_refund(db, refund_id), new


async def read_refund(db: Database, refund_id: UUID) -> RefundOut:
    """One refund. Raises RefundNotFound."""
    async with db.transaction() as session:
        refund = await store.find(session, refund_id)
        if refund is None:
            raise RefundNotFound("There is no such refund.")
        return refund_out(refund, await store.parts_of(session, refund_id))


async def _open(db: Database, clock: Clock, refund_id: UUID, body: PutRefund) -> bool:
    async with db.transaction() as session:
        known = await store.find(session, refund_id)
        if known is not None:
            _check_same(known, body)
            return False
        payment_id = body.payment_id or await store.succeeded_payment_of(session, body.charge_id)
        if payment_id is None:
            raise RefundExceedsCaptured("Nothing was captured for this charge.", refundable_minor=0)
        request = RefundRequest(refund_id, body.amount_minor, body.reason)
        return await _open_on(session, clock, payment_id, request, body)


async def _open_on(
    session: AsyncSession, clock: Clock, payment_id: UUID, request: RefundRequest, body: PutRefund
) -> bool:
    payment = await payments.find(session, payment_id, lock=True)
    if payment is None:
        raise PaymentNotFound("There is no such payment.")
    known = await store.find(session, request.id)  # a twin request may have held the lock before us
    if known is not None:
        _check_same(known, body)
        return False
    theirs = (payment.user_id, payment.booking_id, payment.charge_id, payment.currency)
    if theirs != (body.user_id, body.booking_id, body.charge_id, body.currency):
        raise RefundExceedsCaptured(
            "The payment was for another charge or booking, or in another currency.", refundable_minor=0
        )
    parts = await payments.parts_of(session, payment_id)
    await open_refund(session, payment, parts, request, now=clock.now())
    return True


def _check_same(known: RefundRecord, body: PutRefund) -> None:
    before = (known.booking_id, known.charge_id, known.amount_minor, known.currency, known.reason)
    if before != (body.booking_id, body.charge_id, body.amount_minor, body.currency, body.reason):
        raise RefundContentDiffers("This refund id was used for another refund; choose a new one.")

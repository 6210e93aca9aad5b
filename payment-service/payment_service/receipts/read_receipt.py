"""A person asks for the receipt of a payment; its number is given at the first time and stays."""

from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store
from payment_service.payments.errors import PaymentNotFound
from payment_service.payments.records import PaymentRecord
from payment_service.payments.views import payment_out
from payment_service.receipts.errors import ReceiptNotReady
from payment_service.receipts.schemas import ReceiptOut, ReceiptRefundOut
from payment_service.receipts.tables import receipt
from payment_service.refunds.tables import refund
from rihla.db import Database
from rihla.kernel import Clock
from rihla.web import MoneyModel

# The row of the year is locked until the number is committed: a number that was given up leaves no gap.
_NEXT = text(
    "INSERT INTO receipt_series (year, last_number) VALUES (:year, 1) "
    "ON CONFLICT (year) DO UPDATE SET last_number = receipt_series.last_number + 1 RETURNING last_number"
)


async def read_receipt(db: Database, clock: Clock, payment_id: UUID, user_id: UUID) -> ReceiptOut:
    """The receipt. Raises PaymentNotFound, ReceiptNotReady."""
    async with db.transaction() as session:
        payment = await store.find(session, payment_id, lock=True)
        if payment is None or payment.user_id != user_id:
            raise PaymentNotFound("There is no such payment.")
        if payment.succeeded_at is None:
            raise ReceiptNotReady("There is a receipt once the payment has succeeded.")
        row = (await session.execute(select(receipt).where(receipt.c.payment_id == payment_id))).one_or_none()
        if row is None:
            now = clock.now()
            number = (await session.execute(_NEXT, {"year": now.year})).scalar_one()
            values = {"payment_id": payment_id, "year": now.year, "number": number, "issued_at": now}
            row = (await session.execute(insert(receipt).values(values).returning(*receipt.c))).one()
        parts = payment_out(payment, await store.parts_of(session, payment_id)).parts
        refunds = await _refunds(session, payment)
    back = sum(amount for _, amount in refunds)
    return ReceiptOut(
        number=f"R-{row.year}-{row.number:06d}",
        issued_at=row.issued_at,
        payment_id=payment.id,
        purpose=payment.purpose,
        booking_id=payment.booking_id,
        booking_reference=payment.booking_reference,
        paid_at=payment.succeeded_at,
        amount=MoneyModel.of(payment.amount_minor, payment.currency),
        parts=parts,
        refunds=[out for out, _ in refunds],
        remaining=MoneyModel.of(payment.amount_minor - back, payment.currency),
    )


async def _refunds(session: AsyncSession, payment: PaymentRecord) -> list[tuple[ReceiptRefundOut, int]]:
    rows = await session.execute(
        select(refund)
        .where(refund.c.payment_id == payment.id, refund.c.status == "succeeded")
        .order_by(refund.c.succeeded_at, refund.c.id)
    )
    return [
        (
            ReceiptRefundOut(
                id=row.id,
                amount=MoneyModel.of(row.amount_minor, row.currency),
                reason=row.reason,
                refunded_at=row.succeeded_at,
            ),
            row.amount_minor,
        )
        for row in rows
    ]

"""A person reads their own payments; somebody else's do not exist for them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from payment_service.payments import store
from payment_service.payments.errors import PaymentNotFound
from payment_service.payments.schemas import PaymentOut
from payment_service.payments.views import payment_out
from rihla.db import Database
from rihla.web import InvalidCursor, Page, encode_cursor


async def read_payment(db: Database, payment_id: UUID, user_id: UUID) -> PaymentOut:
    """One payment. Raises PaymentNotFound."""
    async with db.transaction() as session:
        payment = await store.find(session, payment_id)
        if payment is None or payment.user_id != user_id:
            raise PaymentNotFound("There is no such payment.")
        return payment_out(payment, await store.parts_of(session, payment_id))


async def list_payments(
    db: Database, user_id: UUID, *, booking_id: UUID | None, limit: int, cursor: Mapping[str, Any] | None
) -> Page[PaymentOut]:
    """A page of payments, newest first."""
    before = cursor_id(cursor)
    async with db.transaction() as session:
        found = await store.payments_of(session, user_id, booking_id=booking_id, before=before, limit=limit + 1)
        items = [payment_out(payment, await store.parts_of(session, payment.id)) for payment in found[:limit]]
    following = encode_cursor({"before": str(items[-1].id)}) if len(found) > limit else None
    return Page(items=items, next_cursor=following)


def cursor_id(cursor: Mapping[str, Any] | None) -> UUID | None:
    """The id a page goes on from. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        return UUID(cursor["before"])
    except (KeyError, ValueError, TypeError, AttributeError):
        raise InvalidCursor("Start again without a cursor.") from None

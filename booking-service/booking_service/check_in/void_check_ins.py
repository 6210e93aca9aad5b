"""Void check-ins: their sequence numbers stay recorded and are never given again."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings.states import CouponState
from booking_service.bookings.view import CouponView
from booking_service.documents.request_documents import void_boarding_passes


async def void_check_ins(
    session: AsyncSession, booking_id: UUID, coupons: Iterable[CouponView], *, now: datetime
) -> list[CouponView]:
    """Void the check-ins of those of `coupons` that have one, and their boarding passes; which these were."""
    checked_in = [coupon for coupon in coupons if coupon.state is CouponState.CHECKED_IN]
    if not checked_in:
        return []
    await session.execute(
        text("UPDATE check_in SET state = 'void', voided_at = :now WHERE coupon_id = ANY(:ids) AND state = 'active'"),
        {"ids": [coupon.id for coupon in checked_in], "now": now},
    )
    pairs = [(coupon.passenger_id, coupon.flight_id) for coupon in checked_in]
    await void_boarding_passes(session, booking_id, pairs, now=now)
    return checked_in

"""Cancel what a quote described: seats freed at once, refund started, all decided in one transaction."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from booking_service.bookings import facts
from booking_service.bookings.read_booking import lock_owned
from booking_service.bookings.states import (
    TRAVELLING,
    BookingState,
    CouponState,
    MoveNotAllowed,
    move_coupon,
    state_of_coupons,
)
from booking_service.bookings.store import (
    add_errand,
    add_timeline,
    publish,
    request_refund,
    set_coupons,
    set_state,
    step_of,
)
from booking_service.bookings.view import BookingView, CouponView
from booking_service.bookings.wire import booking_document, money, utc
from booking_service.bootstrap import Container
from booking_service.cancelling.errors import NothingToCancel, QuoteExpired, QuoteNotFound, QuoteOutdated
from booking_service.cancelling.fees import Share
from booking_service.check_in.void_check_ins import void_check_ins
from booking_service.disruptions.store import close_disruptions
from booking_service.documents.kinds import DocumentKind
from booking_service.documents.request_documents import request_documents
from booking_service.problems import PROBLEMS
from booking_service.settling.expire_bookings import void_unpaid
from rihla.auth import Principal, require_step_up
from rihla.db.idempotency import Replay
from rihla.kernel import DomainError, new_id
from rihla.web.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is cancelled, and what comes back. `reason` is payment-service's word for why."""

    coupon_ids: frozenset[UUID]
    by_charge: dict[UUID, Share]
    whole: bool
    involuntary: bool
    quote_id: UUID | None
    reason: str
    actor: str
    tell_plan: bool = True
    """Whether payment-service is to hear that rides come back; false when it asked for this itself."""

    @property
    def refund_minor(self) -> int:
        return sum(share.refund_minor for share in self.by_charge.values())

    @property
    def fee_minor(self) -> int:
        return sum(share.fee_minor for share in self.by_charge.values())


async def cancel_by_quote(
    c: Container, principal: Principal, booking_id: UUID, quote_id: UUID, idem: IdempotentRequest
) -> bytes | Replay:
    """The cancellation as JSON, or the saved answer of the same request.

    Raises BookingNotFound, QuoteNotFound, QuoteExpired (410), QuoteOutdated, NothingToCancel and MoveNotAllowed (409),
    and StepUpRequired (403) where money comes back.
    """
    now = c.clock.now()
    try:
        async with c.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=now)
            if isinstance(began, Replay):
                return began
            view = await lock_owned(session, booking_id, principal)
            decided = await _by_quote(session, view, quote_id, now=now)
            if decided.refund_minor > 0:
                require_step_up(principal, now=now, within=c.settings.step_up_window)
            body = await apply_cancellation(session, view, decided, began.resource_id, now=now)
            await idem.finish(session, status=201, body=body)
            return body
    except DomainError as refusal:
        await idem.finish_with_error(c.db, refusal, PROBLEMS)
        raise


async def _by_quote(session: AsyncSession, view: BookingView, quote_id: UUID, *, now: datetime) -> Decided:
    found = await session.execute(
        text("SELECT * FROM cancellation_quote WHERE id = :id AND booking_id = :booking_id"),
        {"id": quote_id, "booking_id": view.id},
    )
    quote = found.one_or_none()
    if quote is None:
        raise QuoteNotFound("This booking has no such quote.")
    if view.state not in TRAVELLING | {BookingState.PENDING_PAYMENT}:
        raise NothingToCancel(f"The booking is {view.status} already.", state=view.status)
    if quote.expires_at <= now:
        raise QuoteExpired("This quote has expired; ask for a new one.")
    if quote.booking_version != view.version:
        raise QuoteOutdated("The booking has changed since this quote; ask for a new one.")
    if view.state is BookingState.PENDING_PAYMENT and await step_of(session, view.id) is not None:
        raise MoveNotAllowed("A payment of this booking was just accepted; ask again in a moment.", state=view.status)
    return Decided(
        coupon_ids=frozenset(UUID(one) for one in quote.coupon_ids),
        by_charge={
            UUID(charge): Share(share["refund_minor"], share["fee_minor"]) for charge, share in quote.by_charge.items()
        },
        whole=quote.whole,
        involuntary=quote.involuntary,
        quote_id=quote_id,
        reason="disruption" if quote.involuntary else "cancellation",
        actor="traveller",
    )


async def apply_cancellation(
    session: AsyncSession, view: BookingView, decided: Decided, cancellation_id: UUID, *, now: datetime
) -> bytes:
    """Cancel inside the caller's transaction, which holds the booking's lock. The cancellation as JSON."""
    await _record(session, view, decided, cancellation_id, now=now)
    coupons = [coupon for coupon in view.coupons if coupon.id in decided.coupon_ids]
    if view.state is BookingState.PENDING_PAYMENT:
        await void_unpaid(session, view, BookingState.CANCELLED, now=now)
        if view.seat_plan_id:
            await add_errand(session, view.id, "release_rides", now=now)
        refunds: list[UUID] = []
    else:
        refunds = await _cancel_paid(session, view, decided, coupons, cancellation_id, now=now)
    items = tuple((coupon.passenger_id, coupon.flight_id) for coupon in coupons)
    await add_timeline(
        session,
        view.id,
        "cancelled" if decided.whole else "partially_cancelled",
        actor=decided.actor,
        now=now,
        cancellation_id=cancellation_id,
        refund_minor=decided.refund_minor,
        fee_minor=decided.fee_minor,
        involuntary=decided.involuntary,
        coupons=len(coupons),
    )
    after = await publish(
        session,
        view.id,
        lambda seen: facts.cancelled(
            seen,
            now=now,
            whole=decided.whole,
            refund_minor=decided.refund_minor,
            fee_minor=decided.fee_minor,
            refund_id=refunds[0] if refunds else None,
            reason=decided.reason,
            items=items,
        ),
        now=now,
    )
    return _json(after, decided, cancellation_id, refunds, now)


def _json(after: BookingView, decided: Decided, cancellation_id: UUID, refunds: list[UUID], now: datetime) -> bytes:
    return msgspec.json.encode(
        {
            "id": cancellation_id,
            "booking_id": after.id,
            "scope": "all" if decided.whole else "part",
            "involuntary": decided.involuntary,
            "refund": money(decided.refund_minor, after.currency),
            "fee": money(decided.fee_minor, after.currency),
            "refund_ids": refunds,
            "created_at": utc(now),
            "booking": booking_document(after, now),
        }
    )


async def _cancel_paid(
    session: AsyncSession,
    view: BookingView,
    decided: Decided,
    coupons: list[CouponView],
    cancellation_id: UUID,
    *,
    now: datetime,
) -> list[UUID]:
    for coupon in coupons:
        move_coupon(coupon.state, CouponState.REFUNDED)
    await void_check_ins(session, view.id, coupons, now=now)
    await set_coupons(session, decided.coupon_ids, CouponState.REFUNDED)
    await close_disruptions(session, view, coupons, "refunded", now=now)
    await set_state(session, view, await _state_after(session, view, decided), now=now)
    await _release(session, view, coupons, decided, now=now)
    refunds = []
    for charge_id, share in decided.by_charge.items():
        if share.refund_minor <= 0:
            continue
        refund_id = await request_refund(
            session,
            booking_id=view.id,
            charge_id=charge_id,
            amount_minor=share.refund_minor,
            fee_minor=share.fee_minor,
            currency=view.currency,
            reason=decided.reason,
            now=now,
            cancellation_id=cancellation_id,
        )
        if refund_id is not None:
            refunds.append(refund_id)
    if decided.whole and decided.involuntary and view.promo_code:
        await add_errand(session, view.id, "release_promo", now=now)
    if view.subscription_id and decided.tell_plan:
        back = sum(one.state is CouponState.REFUNDED or one.id in decided.coupon_ids for one in view.coupons)
        await add_errand(session, view.id, "release_rides", now=now, segments=None if decided.whole else back)
    if not decided.whole:
        await request_documents(session, view.id, [DocumentKind.TICKET], now=now, cause="cancelled")
    return refunds


async def _state_after(session: AsyncSession, view: BookingView, decided: Decided) -> BookingState:
    """All gone: cancelled. Some left: partially cancelled, or still disrupted while an answer is owed."""
    states = [CouponState.REFUNDED if coupon.id in decided.coupon_ids else coupon.state for coupon in view.coupons]
    if not any(state in {CouponState.OPEN, CouponState.CHECKED_IN, CouponState.FLOWN} for state in states):
        return BookingState.CANCELLED
    owed = await session.execute(
        text("SELECT 1 FROM disruption WHERE booking_id = :id AND state = 'open'"), {"id": view.id}
    )
    if view.state is BookingState.DISRUPTED and owed.first() is not None:
        return BookingState.DISRUPTED
    left = state_of_coupons(states)
    return BookingState.PARTIALLY_CANCELLED if left is BookingState.CONFIRMED else left


async def _release(
    session: AsyncSession, view: BookingView, coupons: list[CouponView], decided: Decided, *, now: datetime
) -> None:
    """One errand for each hold the coupons stand in (a changed slice has one of its own)."""
    holds = {one.id: one.hold_id for one in view.slices}
    by_hold: dict[UUID, list[tuple[str, str]]] = {}
    for coupon in coupons:
        by_hold.setdefault(holds[coupon.slice_id], []).append((str(coupon.passenger_id), str(coupon.flight_id)))
    for hold_id, items in by_hold.items():
        await add_errand(session, view.id, "release_hold", now=now, hold_id=hold_id, items=items)


async def _record(
    session: AsyncSession, view: BookingView, decided: Decided, cancellation_id: UUID, *, now: datetime
) -> None:
    await session.execute(
        text(
            "INSERT INTO cancellation (id, booking_id, quote_id, whole, involuntary, reason, coupon_ids, refund_minor, "
            "fee_minor, currency, created_at) VALUES (:id, :booking_id, :quote_id, :whole, :involuntary, :reason, "
            "CAST(:coupon_ids AS jsonb), :refund_minor, :fee_minor, :currency, :now)"
        ),
        {
            "id": cancellation_id,
            "booking_id": view.id,
            "quote_id": decided.quote_id,
            "whole": decided.whole,
            "involuntary": decided.involuntary,
            "reason": decided.reason,
            "coupon_ids": json.dumps([str(one) for one in sorted(decided.coupon_ids)]),
            "refund_minor": decided.refund_minor,
            "fee_minor": decided.fee_minor,
            "currency": view.currency,
            "now": now,
        },
    )

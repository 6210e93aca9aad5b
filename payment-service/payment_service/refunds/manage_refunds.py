"""Operations: the queue of failed refunds, trying again, paying another way, refunding by hand."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.payments import store as payments
from payment_service.payments.errors import PaymentNotFound
from payment_service.payments.payable import LEASE
from payment_service.problems import PROBLEMS
from payment_service.providers.interface import ProviderRefused, ProviderSilent, RefundOrder
from payment_service.providers.registry import Providers
from payment_service.refunds import store
from payment_service.refunds.drive_refunds import drive_refunds, order_of
from payment_service.refunds.errors import RefundNotFailed, RefundNotFound
from payment_service.refunds.open_refund import RefundRequest, open_refund
from payment_service.refunds.pay_back import pay_back_inside
from payment_service.refunds.record_refund import record_refund
from payment_service.refunds.records import RefundPartRecord, RefundRecord
from payment_service.refunds.schemas import AdminRefundOut, RefundPayment
from payment_service.refunds.telling import tell_if_ended
from payment_service.refunds.views import admin_refund_out
from rihla.db import Database
from rihla.http import UpstreamUnavailable
from rihla.kernel import Clock, DomainError, Money, new_id
from rihla.web import ValidationFailed
from rihla.web.idempotency import IdempotentRequest, Replay


async def list_refunds(
    db: Database,
    *,
    status: str | None,
    payment_id: UUID | None,
    user_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[AdminRefundOut]:
    """Refunds, newest first."""
    async with db.transaction() as session:
        found = await store.search(
            session, status=status, payment_id=payment_id, user_id=user_id, before=before, limit=limit
        )
        return [admin_refund_out(refund, await store.parts_of(session, refund.id)) for refund in found]


async def read_admin_refund(db: Database, refund_id: UUID) -> AdminRefundOut:
    """One refund. Raises RefundNotFound."""
    async with db.transaction() as session:
        refund = await store.find(session, refund_id)
        if refund is None:
            raise RefundNotFound("There is no such refund.")
        return admin_refund_out(refund, await store.parts_of(session, refund_id))


async def retry_refund(db: Database, providers: Providers, clock: Clock, refund_id: UUID) -> AdminRefundOut:
    """Ask the provider again, with the same key. Raises RefundNotFound, RefundNotFailed."""
    now = clock.now()
    async with db.transaction() as session:
        refund, failed = await _failed(session, refund_id)
        for part in failed:
            # Never again a first attempt: a provider without idempotency keys is asked what it did before.
            await store.change_part(session, part.id, status="pending", attempts=1, next_attempt_at=now)
        await tell_if_ended(session, refund, now=now)
    await drive_refunds(db, providers, clock, refund_id=refund_id)
    return await read_admin_refund(db, refund_id)


async def refund_to_wallet(db: Database, providers: Providers, clock: Clock, refund_id: UUID) -> AdminRefundOut:
    """Pay what the provider refused into the traveller's wallet, after asking the provider that it did not act.

    Raises RefundNotFound, RefundNotFailed, UpstreamUnavailable.
    """
    async with db.transaction() as session:
        _, failed = await _failed(session, refund_id)
        orders = [(part, *await _order(session, part)) for part in failed]
    for part, provider, order in orders:
        try:
            outcome = await providers.get(provider).look_up_refund(order, part.provider_reference)
        except (ProviderSilent, ProviderRefused):
            raise UpstreamUnavailable("The provider does not say whether it refunded; try later.") from None
        async with db.transaction() as session:
            if outcome is not None and outcome.status == "succeeded":
                await record_refund(session, part.provider_key, outcome, now=clock.now())
                continue
            refund, still_failed = await _failed(session, refund_id)
            if part.id in {known.id for known in still_failed}:
                changed = await store.change_part(session, part.id, kind="wallet")
                await pay_back_inside(session, refund, changed, now=clock.now())
                await tell_if_ended(session, refund, now=clock.now())
    return await read_admin_refund(db, refund_id)


async def refund_payment(
    db: Database,
    providers: Providers,
    clock: Clock,
    payment_id: UUID,
    body: RefundPayment,
    actor_id: UUID,
    idem: IdempotentRequest,
) -> bytes | Replay:
    """A refund by an administrator. Raises PaymentNotFound, RefundExceedsCaptured."""
    async with db.transaction() as session:
        began = await idem.begin(session, resource_id=new_id(), now=clock.now(), lease=LEASE)
    if isinstance(began, Replay):
        return began
    refund_id = began.resource_id
    try:
        async with db.transaction() as session:
            if await store.find(session, refund_id) is None:
                payment = await payments.find(session, payment_id, lock=True)
                if payment is None or payment.status != "succeeded":
                    raise PaymentNotFound("There is no such payment, or it has not succeeded.")
                amount = _amount(body.amount, payment.currency)
                request = RefundRequest(refund_id, amount, "goodwill", body.reason, actor_id)
                await open_refund(
                    session, payment, await payments.parts_of(session, payment_id), request, now=clock.now()
                )
    except DomainError as error:
        await idem.finish_with_error(db, error, PROBLEMS)
        raise
    await drive_refunds(db, providers, clock, refund_id=refund_id)
    answer = (await read_admin_refund(db, refund_id)).model_dump_json().encode()
    async with db.transaction() as session:
        await idem.finish(session, status=201, body=answer)
    return answer


def _amount(amount: str, currency: str) -> int:
    try:
        minor = Money.parse(amount, currency).amount_minor
    except ValueError as error:
        raise ValidationFailed({"pointer": "#/amount", "code": "amount", "message": str(error)}) from None
    if minor <= 0:
        raise ValidationFailed({"pointer": "#/amount", "code": "amount", "message": "must be more than zero"})
    return minor


async def _failed(session: AsyncSession, refund_id: UUID) -> tuple[RefundRecord, list[RefundPartRecord]]:
    refund = await store.find(session, refund_id, lock=True)
    if refund is None:
        raise RefundNotFound("There is no such refund.")
    failed = [part for part in await store.parts_of(session, refund_id) if part.status == "failed"]
    if not failed:
        raise RefundNotFailed("This refund has not failed.")
    return refund, failed


async def _order(session: AsyncSession, part: RefundPartRecord) -> tuple[str, RefundOrder]:
    taken = await payments.find_part(session, key=part.payment_part_id)
    assert taken is not None  # a foreign key
    assert taken.provider is not None  # only card parts can fail
    return taken.provider, await order_of(session, part, taken)

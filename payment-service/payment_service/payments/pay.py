"""Pay a charge: the states are committed before the provider is called, the outcome after, never a call in between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from payment_service.ledger.errors import InsufficientFunds, WalletFrozen
from payment_service.payments import store
from payment_service.payments.asked import CardStart, WalletPayment
from payment_service.payments.attempt import Attempt, call_providers
from payment_service.payments.booking_client import BookingClient
from payment_service.payments.desk import PaymentDesk
from payment_service.payments.errors import ChargeNotDue, PaymentWindowClosed
from payment_service.payments.methods import Method, PlannedPart, plan_parts
from payment_service.payments.payable import LEASE, Payable
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.settle import fail
from payment_service.payments.taking import take_inside
from payment_service.payments.telling import tell_succeeded
from payment_service.payments.views import payment_json
from payment_service.problems import PROBLEMS
from payment_service.providers.interface import ProviderNotAvailable
from payment_service.providers.registry import Providers
from payment_service.saved_methods.vault import Vault
from rihla.db import Database
from rihla.kernel import Clock, DomainError, Money, new_id
from rihla.web.idempotency import IdempotentRequest, Replay


@dataclass(frozen=True, slots=True)
class PayCharge:
    """What the caller asked: never an amount."""

    user_id: UUID
    booking_id: UUID
    charge_id: UUID | None
    method: Method
    test_mode: bool
    return_url: str | None = None


@dataclass(frozen=True, slots=True)
class Till:
    """What taking money needs."""

    db: Database
    clock: Clock
    providers: Providers
    booking: BookingClient
    coin_values: Mapping[str, int]
    sandbox_for_everyone: bool
    desk: PaymentDesk
    vault: Vault

    async def pay_charge(self, command: PayCharge, idem: IdempotentRequest) -> bytes | Replay:
        """The payment as JSON (201), or the saved answer of the same request.

        A decline is a payment with status `failed`. Raises BookingNotFound, ChargeNotDue, PaymentWindowClosed,
        MethodNotAccepted, ProviderNotAvailable, UpstreamUnavailable.
        """
        if command.method.type not in ("wallet", "card"):
            return await self._long_way(command, idem)
        try:
            payable = await self._payable(command)
            answer = await self.desk.ask(self._asked(command, payable, idem))
        except DomainError as error:
            return await self._refused(error, command, idem)
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, tuple):
            payment, part = answer
            sources = {part.id: command.method.sources[0]}
            return await call_providers(self._attempt(), payment, [part], sources, idem, command.return_url)
        return await self._long_way(command, idem)

    async def _payable(self, command: PayCharge) -> Payable:
        await self.check_method(command.method, command.user_id, test_mode=command.test_mode)
        charge = await self.booking.charge_due(command.booking_id, command.charge_id, command.user_id)
        payable = Payable(
            "charge", command.user_id, Money(charge.amount_minor, charge.currency), charge.booking_id,
            charge.charge_id, None, charge.reference, charge.payable_until,
        )  # fmt: skip
        self._in_time(payable)
        return payable

    def _asked(self, command: PayCharge, payable: Payable, idem: IdempotentRequest) -> WalletPayment | CardStart:
        [source] = command.method.sources
        if source.kind == "wallet":
            return WalletPayment(new_id(), new_id(), payable, idem, command.test_mode)
        return CardStart(new_id(), new_id(), payable, idem, source.provider or "", command.test_mode)

    async def _refused(self, error: DomainError, command: PayCharge, idem: IdempotentRequest) -> bytes | Replay:
        """A refusal, unless an earlier try of the same request did something: then that is the answer.

        A paid charge is no longer due, so a repeat is refused by booking-service before its key was looked at.
        """
        async with self.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=self.clock.now(), lease=LEASE)
            if isinstance(began, Replay):
                return began
            known = await store.find(session, began.resource_id) if began.resumed else None
            spec = PROBLEMS.spec(error)
            if known is None and (spec is None or spec.status not in (409, 410)):
                raise error  # rolls the key back: the same request may succeed in a moment
        if known is not None:
            return await self.resume(known, command.method, idem)
        await idem.finish_with_error(self.db, error, PROBLEMS)
        raise error

    async def _long_way(self, command: PayCharge, idem: IdempotentRequest) -> bytes | Replay:
        """Several parts, coins, or a request that was here before: the key commits first, then all else."""
        async with self.db.transaction() as session:
            began = await idem.begin(session, resource_id=new_id(), now=self.clock.now(), lease=LEASE)
        if isinstance(began, Replay):
            return began
        try:
            known = await self.known(began.resource_id) if began.resumed else None
            if known is not None:
                return await self.resume(known, command.method, idem)
            payable = await self._payable(command)
            return await self.pay(
                began.resource_id, payable, command.method, idem, command.test_mode, command.return_url
            )
        except DomainError as error:
            await idem.finish_with_error(self.db, error, PROBLEMS)
            raise

    async def pay(
        self,
        payment_id: UUID,
        payable: Payable,
        method: Method,
        idem: IdempotentRequest,
        test_mode: bool,
        return_url: str | None = None,
    ) -> bytes:
        """Start an attempt and take it as far as it goes now. Also the way of top-ups and subscriptions."""
        now = self.clock.now()
        self._in_time(payable)
        planned = plan_parts(method, payable.amount, self.coin_values)
        try:
            async with self.db.transaction() as session:
                payment, parts = await self._start(session, payment_id, payable, method, planned, test_mode, now)
                if payment.status != "processing":
                    answer = payment_json(payment, parts)
                    await idem.finish(session, status=201, body=answer)
                    return answer
        except IntegrityError as error:
            if "uq_payment_succeeded" in str(error.orig):
                raise ChargeNotDue("This charge has just been paid.") from None
            raise
        sources = {part.id: plan.source for part, plan in zip(parts, planned, strict=True)}
        return await call_providers(self._attempt(), payment, parts, sources, idem, return_url)

    def _attempt(self) -> Attempt:
        return Attempt(self.db, self.clock, self.providers, self.desk, self.vault)

    def _in_time(self, payable: Payable) -> None:
        if payable.payable_until is not None and self.clock.now() >= payable.payable_until:
            raise PaymentWindowClosed("The time to pay for this is over. Place the booking again.")

    async def check_method(self, method: Method, user_id: UUID, *, test_mode: bool) -> None:
        """Refuse providers that are not there, everything but the sandbox to a test key, and cards saved by others."""
        for source in method.sources:
            if source.kind != "card" and test_mode:
                raise ProviderNotAvailable("A test key pays with sandbox cards only.")
            if source.kind != "card":
                continue
            if source.provider == "sandbox" and not (test_mode or self.sandbox_for_everyone):
                raise ProviderNotAvailable("The sandbox is for test keys.")
            self.providers.for_caller(source.provider or "", test_mode=test_mode)
            if source.saved_method_id is not None:
                await self.vault.check(source.saved_method_id, user_id, source.provider or "")

    async def known(self, payment_id: UUID) -> PaymentRecord | None:
        """What an earlier try of the same request stored."""
        async with self.db.transaction() as session:
            return await store.find(session, payment_id)

    async def resume(self, payment: PaymentRecord, method: Method, idem: IdempotentRequest) -> bytes:
        """An earlier try of the same request stopped on the way: go on with the same keys, which cannot take twice."""
        async with self.db.transaction() as session:
            parts = await store.parts_of(session, payment.id)
        plan = plan_parts(method, Money(payment.amount_minor, payment.currency), self.coin_values)
        sources = {part.id: planned.source for part, planned in zip(parts, plan, strict=True)}
        return await call_providers(self._attempt(), payment, parts, sources, idem, None)

    async def _start(
        self,
        session: AsyncSession,
        payment_id: UUID,
        payable: Payable,
        method: Method,
        planned: Sequence[PlannedPart],
        test_mode: bool,
        now: datetime,
    ) -> tuple[PaymentRecord, list[PartRecord]]:
        if payable.charge_id is not None and await store.charge_is_paid(session, payable.charge_id):
            raise ChargeNotDue("This charge is paid.")
        inside_only = all(plan.source.kind != "card" for plan in planned)
        values = _payment_values(payment_id, payable, method, test_mode, now)
        payment, parts = await store.insert_payment(session, values, _part_values(payment_id, payable, planned, now))
        if all(plan.source.kind == "card" for plan in planned):
            return payment, parts
        try:
            async with session.begin_nested():
                await take_inside(session, payment, parts, now=now)
        except (InsufficientFunds, WalletFrozen) as error:
            return await _declined(session, payment, parts, error, now)
        if inside_only:
            payment = await store.change(session, payment_id, status="succeeded", succeeded_at=now, updated_at=now)
            await tell_succeeded(session, payment, parts, now=now)
        return payment, parts


async def _declined(
    session: AsyncSession, payment: PaymentRecord, parts: Sequence[PartRecord], error: DomainError, now: datetime
) -> tuple[PaymentRecord, list[PartRecord]]:
    """Our own wallet declines as a card would: the attempt is recorded as failed, and nothing was taken."""
    code = "wallet-frozen" if isinstance(error, WalletFrozen) else "insufficient-funds"
    failed = [
        await store.change_part(session, part.id, status="failed", failure_code=code, failure_message=error.detail)
        for part in parts
    ]
    payment = await fail(session, payment, failed, code=code, message=error.detail, reason="payment_failed", now=now)
    return payment, failed


def _payment_values(
    payment_id: UUID, payable: Payable, method: Method, test_mode: bool, now: datetime
) -> dict[str, object]:
    return {
        "id": payment_id,
        "user_id": payable.user_id,
        "purpose": payable.purpose,
        "booking_id": payable.booking_id,
        "charge_id": payable.charge_id,
        "subscription_period_id": payable.subscription_period_id,
        "booking_reference": payable.booking_reference,
        "amount_minor": payable.amount.amount_minor,
        "currency": payable.amount.currency,
        "method_type": method.type,
        "status": "processing",
        "payable_until": payable.payable_until,
        "test_mode": test_mode,
        "lease_until": now + LEASE,
        "created_at": now,
        "updated_at": now,
    }


def _part_values(
    payment_id: UUID, payable: Payable, planned: Sequence[PlannedPart], now: datetime
) -> list[dict[str, object]]:
    return [
        {
            "id": new_id(),
            "payment_id": payment_id,
            "position": position,
            "kind": plan.source.kind,
            "provider": plan.source.provider,
            "amount_minor": plan.amount_minor,
            "currency": payable.amount.currency,
            "coins": plan.coins,
            "status": "taking" if plan.source.kind == "card" else "taken",
            "created_at": now,
            "taken_at": None if plan.source.kind == "card" else now,
        }
        for position, plan in enumerate(planned)
    ]

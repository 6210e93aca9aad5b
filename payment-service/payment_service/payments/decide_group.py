"""What a group of payments does to the books, decided on what was read. Pure: writes nothing, asks nobody.

Members are decided in order of arrival, each by itself: a refusal changes nothing for its neighbours. Whatever is not
the plain case is left to the long way round (`LONG_WAY`), which locks, looks again and knows every case.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from payment_service.ledger import accounts
from payment_service.ledger.posting import Posting, transfer
from payment_service.payments.asked import Asked, CardStart, Taking, WalletPayment
from payment_service.payments.errors import ChargeNotDue
from payment_service.payments.group_batch import Batch, with_outcome
from payment_service.payments.group_facts import Facts, TakingFact
from payment_service.payments.payable import LEASE, Payable
from payment_service.payments.records import PartRecord, PaymentRecord
from payment_service.payments.states import OPEN_PARTS, PaymentStatus
from payment_service.payments.telling import failed_event, succeeded_event
from payment_service.payments.views import payment_json


class Way(Enum):
    """How a member goes on when it was not answered here."""

    LONG = "long"


LONG_WAY: Final = Way.LONG
Started = tuple[PaymentRecord, PartRecord]
Decided = bytes | Started | str | Way


class Decision:
    """Goes through one group; `batch` and `answers` are its result."""

    def __init__(self, facts: Facts, now: datetime) -> None:
        self.batch = Batch()
        self._facts, self._now = facts, now
        self._paid = set(facts.paid_charges)
        self._left = {wallet.id: wallet.balance for wallet in facts.wallets.values()}

    def run(self, group: Sequence[Asked]) -> list[Decided | Exception]:
        """An answer or an exception for each member, in order."""
        return [self._one(asked) for asked in group]

    def _one(self, asked: Asked) -> Decided | Exception:
        if isinstance(asked, Taking):
            return self._taking(asked)
        if (asked.idem.scope, asked.idem.key) in self._facts.known_keys:
            return LONG_WAY  # a repeat: the saved answer, or a refusal, or a crashed attempt to go on with
        if asked.payable.charge_id in self._paid:
            return ChargeNotDue("This charge is paid.")
        return self._wallet(asked) if isinstance(asked, WalletPayment) else self._card(asked)

    def _wallet(self, asked: WalletPayment) -> bytes:
        account, amount = asked.wallet.id, asked.payable.amount.amount_minor
        fact = self._facts.wallets.get(account)
        left = self._left.get(account, 0)
        if left < amount or fact is None:
            return self._declined(
                asked, "insufficient-funds", "The balance does not cover this amount. Top up, or pay another way."
            )
        if fact.frozen:
            return self._declined(
                asked, "wallet-frozen", "This account is frozen. Contact support, or pay another way."
            )
        self._left[account] = left - amount
        payment, part = self._rows(asked, "wallet", "succeeded")
        payment = replace(payment, succeeded_at=self._now)
        self.batch.spend(account, version=fact.version, amount=amount)
        lines = transfer(asked.wallet, payment.target, amount)
        posting = Posting(f"payment:{payment.id}:succeeded", "payment", lines, payment.id)
        self.batch.post(posting, balances={account: left - amount})
        self.batch.event(succeeded_event(payment, [part], now=self._now), payment, now=self._now)
        if payment.charge_id is not None:
            self._paid.add(payment.charge_id)
        return self._finished(asked, payment, part)

    def _declined(self, asked: WalletPayment, code: str, message: str) -> bytes:
        """Our own wallet declines as a card would: the attempt is recorded as failed, and nothing was taken."""
        payment, part = self._rows(asked, "wallet", "failed")
        failure = {"failure_code": code, "failure_message": message}
        payment = replace(payment, **failure)  # type: ignore[arg-type]
        part = replace(part, status="failed", taken_at=None, **failure)  # type: ignore[arg-type]
        self.batch.event(failed_event(payment, now=self._now), payment, now=self._now)
        return self._finished(asked, payment, part)

    def _finished(self, asked: WalletPayment, payment: PaymentRecord, part: PartRecord) -> bytes:
        answer = payment_json(payment, [part])
        self.batch.payments.append(payment)
        self.batch.parts.append(part)
        self.batch.key(asked.idem, payment.id, self._now + LEASE, answer)
        return answer

    def _card(self, asked: CardStart) -> Started:
        payment, part = self._rows(asked, "card", "processing")
        self.batch.payments.append(payment)
        self.batch.parts.append(part)
        self.batch.key(asked.idem, payment.id, self._now + LEASE)
        return payment, part

    def _rows(self, asked: WalletPayment | CardStart, kind: str, status: PaymentStatus) -> Started:
        payable, now, card = asked.payable, self._now, isinstance(asked, CardStart)
        payment = new_payment(asked.payment_id, payable, kind, status, asked.test_mode, now)
        part = PartRecord(
            id=asked.part_id, payment_id=payment.id, position=0, kind=kind,
            provider=asked.provider if isinstance(asked, CardStart) else None, provider_reference=None,
            amount_minor=payable.amount.amount_minor, currency=payable.amount.currency, coins=None,
            status="taking" if card else "taken", failure_code=None, failure_message=None, card_brand=None,
            card_last4=None, refunded_minor=0, created_at=now, taken_at=None if card else now,
        )  # fmt: skip
        return payment, part

    def _taking(self, asked: Taking) -> Decided:
        """A webhook's result, or the payment's JSON for the request that waits for it."""
        if asked.event is not None and (asked.provider, asked.event.event_id) in self._facts.known_events:
            return "repeated"
        if asked.outcome is None:
            return self._told(asked, "ignored")
        fact = self._fact(asked)
        if fact is None:
            return self._told(asked, "pending") if asked.event is not None else LONG_WAY
        if fact.part.provider != asked.provider:
            return self._told(asked, "ignored") if asked.event is not None else LONG_WAY
        if asked.event is not None and _nothing_new(fact, asked):
            return self._told(asked, "handled")
        if not _plain_success(fact, asked) or fact.payment.charge_id in self._paid:
            return LONG_WAY
        return self._success(asked, fact)

    def _fact(self, asked: Taking) -> TakingFact | None:
        part_id: UUID | None = asked.part_id
        if part_id is None:
            part_id = self._facts.references.get((asked.provider, asked.reference or ""))
        return self._facts.takings.get(part_id) if part_id is not None else None

    def _told(self, asked: Taking, result: str) -> str:
        assert asked.event is not None
        self.batch.tell(asked.provider, asked.event, result, now=self._now)
        return result

    def _success(self, asked: Taking, fact: TakingFact) -> Decided:
        """The only part of an open payment was taken: its money goes straight to what was paid for."""
        assert asked.outcome is not None
        now, before = self._now, fact.payment
        part = replace(fact.part, status="taken", taken_at=now, **with_outcome(fact.part, asked.outcome))
        payment = replace(
            before, status="succeeded", next_action=None, succeeded_at=now, updated_at=now, sequence=before.sequence + 1
        )
        self.batch.settle(before, part)
        lines = transfer(accounts.provider(asked.provider, part.currency), payment.target, part.amount_minor)
        self.batch.post(Posting(f"part:{part.id}:taken", "payment", lines, payment.id), balances={})
        self.batch.event(succeeded_event(payment, [part], now=now), payment, now=now)
        assert payment.charge_id is not None
        self._paid.add(payment.charge_id)
        if asked.event is not None:
            return self._told(asked, "handled")
        answer = payment_json(payment, [part])
        if asked.idem is not None:
            self.batch.answer(asked.idem, answer)
        return answer


def _nothing_new(fact: TakingFact, asked: Taking) -> bool:
    """A success we know of: our own call's answer was quicker, as it mostly is."""
    assert asked.outcome is not None
    return (
        asked.outcome.status == "succeeded"
        and fact.part.status == "taken"
        and asked.outcome.reference in (None, fact.part.provider_reference)
        and _as_asked(fact, asked)
    )


def _plain_success(fact: TakingFact, asked: Taking) -> bool:
    assert asked.outcome is not None
    return (
        asked.outcome.status == "succeeded"
        and fact.alone
        and not fact.lost
        and not fact.forgotten
        and fact.payment.purpose == "charge"
        and fact.payment.status in ("processing", "requires_action")
        and fact.part.status in OPEN_PARTS
        and _as_asked(fact, asked)
    )


def _as_asked(fact: TakingFact, asked: Taking) -> bool:
    """Whether the provider speaks of the amount and currency we asked for."""
    outcome = asked.outcome
    assert outcome is not None
    return (outcome.amount_minor, outcome.currency) == (fact.part.amount_minor, fact.part.currency)


def new_payment(
    payment_id: UUID, payable: Payable, method: str, status: PaymentStatus, test_mode: bool, now: datetime
) -> PaymentRecord:
    """The row of a new attempt; one that ends in its first transaction has counted one change."""
    return PaymentRecord(
        id=payment_id, user_id=payable.user_id, purpose=payable.purpose, booking_id=payable.booking_id,
        charge_id=payable.charge_id, subscription_period_id=payable.subscription_period_id,
        booking_reference=payable.booking_reference, amount_minor=payable.amount.amount_minor,
        currency=payable.amount.currency, method_type=method, status=status, failure_code=None, failure_message=None,
        next_action=None, payable_until=payable.payable_until, test_mode=test_mode,
        sequence=0 if status == "processing" else 1, lease_until=now + LEASE, reconcile_attempts=0, created_at=now,
        updated_at=now, succeeded_at=None,
    )  # fmt: skip

"""Rows of payments as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from payment_service.ledger import accounts
from payment_service.ledger.accounts import Account
from payment_service.payments.states import PartStatus, PaymentStatus


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """One attempt to pay something."""

    id: UUID
    user_id: UUID
    purpose: str
    booking_id: UUID | None
    charge_id: UUID | None
    subscription_period_id: UUID | None
    booking_reference: str | None
    amount_minor: int
    currency: str
    method_type: str
    status: PaymentStatus
    failure_code: str | None
    failure_message: str | None
    next_action: dict[str, str] | None
    payable_until: datetime | None
    test_mode: bool
    sequence: int
    lease_until: datetime
    reconcile_attempts: int
    created_at: datetime
    updated_at: datetime
    succeeded_at: datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> "PaymentRecord":
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__})

    @property
    def target(self) -> Account:
        """The account that a successful payment credits."""
        if self.purpose == "top_up":
            return accounts.wallet(self.user_id, self.currency)
        if self.purpose == "subscription":
            return accounts.subscriptions(self.currency)
        return accounts.charges(self.currency)


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One part of a payment."""

    id: UUID
    payment_id: UUID
    position: int
    kind: str
    provider: str | None
    provider_reference: str | None
    amount_minor: int
    currency: str
    coins: int | None
    status: PartStatus
    failure_code: str | None
    failure_message: str | None
    card_brand: str | None
    card_last4: str | None
    refunded_minor: int
    created_at: datetime
    taken_at: datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> "PartRecord":
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__})

    @property
    def left_minor(self) -> int:
        """What can still be refunded of this part."""
        return self.amount_minor - self.refunded_minor

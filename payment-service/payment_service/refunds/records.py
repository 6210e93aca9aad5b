"""Rows of refunds as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """One refund asked for."""

    id: UUID
    payment_id: UUID
    user_id: UUID
    booking_id: UUID | None
    charge_id: UUID | None
    amount_minor: int
    currency: str
    reason: str
    note: str | None
    actor_id: UUID | None
    status: str
    sequence: int
    created_at: datetime
    updated_at: datetime
    succeeded_at: datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> "RefundRecord":
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class RefundPartRecord:
    """One way the money goes back."""

    id: UUID
    provider_key: UUID
    refund_id: UUID
    payment_part_id: UUID
    kind: str
    amount_minor: int
    currency: str
    coins: int | None
    status: str
    provider_reference: str | None
    attempts: int
    next_attempt_at: datetime
    last_error: str | None

    @classmethod
    def of(cls, row: Row[Any]) -> "RefundPartRecord":
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__})

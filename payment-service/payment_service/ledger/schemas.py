"""Requests and answers of the ledger's operations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rihla.web import MoneyModel, RequestModel, Schema


class AccountOut(Schema):
    """One account and its balance."""

    id: UUID | None
    kind: str
    owner_id: UUID | None
    balance: MoneyModel
    frozen: bool


class LedgerEntryOut(Schema):
    """One entry; positive credits the account."""

    id: int
    posting_id: UUID
    account: str
    owner_id: UUID | None
    kind: str
    amount: MoneyModel
    balance_after: MoneyModel | None
    reference_id: UUID | None
    actor_id: UUID | None
    reason: str | None
    posted_at: datetime


class Adjust(RequestModel):
    """A correction of one person's account; itself a posting, with who and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                    "account": "wallet",
                    "amount": "-12.50",
                    "unit": "USD",
                    "reason": "Credited twice on 2 December",
                }
            ]
        }
    )

    user_id: UUID
    account: Literal["wallet", "coins", "points"]
    amount: str = Field(pattern=r"^-?\d{1,13}(\.\d{1,4})?$", description="negative takes away")
    unit: str = Field(pattern=r"^[A-Z]{3,5}$", description="a currency for the wallet, COIN or POINT otherwise")
    reason: str = Field(min_length=3, max_length=500)
    expires_in_days: int = Field(default=365, ge=1, le=3650, description="of granted coins")


class AdjustmentOut(Schema):
    posting_id: UUID
    balance: MoneyModel


class Freeze(RequestModel):
    """Freeze or unfreeze a wallet: nothing can be taken from a frozen one, refunds still arrive."""

    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])
    frozen: bool
    reason: str = Field(min_length=3, max_length=500)


class LedgerCheckOut(Schema):
    """One recomputation of the whole ledger."""

    started_at: datetime
    finished_at: datetime
    passed: bool
    links: int
    findings: dict[str, list[str]]

"""Requests and answers of the wallet."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict

from payment_service.payments.schemas import CardMethod, MoneyIn
from rihla.web import MoneyModel, RequestModel, Schema


class WalletBalance(Schema):
    """Money of one currency; `version` grows with each entry."""

    balance: MoneyModel
    frozen: bool
    version: int


class ExpiringCoins(Schema):
    coins: int
    expires_at: datetime


class CoinsOut(Schema):
    """Virtual coins; what expires first is spent first."""

    balance: int
    worth: list[MoneyModel]
    expiring: list[ExpiringCoins]


class WalletOut(Schema):
    """What a person has with us."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "balances": [{"balance": {"amount": "50.00", "currency": "USD"}, "frozen": False, "version": 1}],
                    "coins": {
                        "balance": 1500,
                        "worth": [{"amount": "15.00", "currency": "USD"}],
                        "expiring": [{"coins": 1500, "expires_at": "2027-12-01T08:00:00Z"}],
                    },
                    "points": 0,
                }
            ]
        }
    )

    balances: list[WalletBalance]
    coins: CoinsOut
    points: int


class WalletEntryOut(Schema):
    """One line of the statement. `amount` is positive when it was added."""

    id: int
    account: Literal["wallet", "coins", "points"]
    kind: str
    amount: MoneyModel
    balance_after: MoneyModel
    reference_id: UUID | None
    reason: str | None
    posted_at: datetime


class CreateTopUp(RequestModel):
    """Money into the wallet, by card."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "amount": {"amount": "50.00", "currency": "USD"},
                    "method": {
                        "type": "card",
                        "provider": "sandbox",
                        "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "123"},
                    },
                }
            ]
        }
    )

    amount: MoneyIn
    method: CardMethod

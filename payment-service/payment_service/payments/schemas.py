"""Requests and answers of payments, with the examples that show up in OpenAPI."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from payment_service.payments.methods import Method, Source
from payment_service.providers.interface import Card
from rihla.kernel import Money
from rihla.web import MoneyModel, RequestModel, Schema


class MoneyIn(RequestModel):
    """An amount a caller states: more than zero, with no more digits than the currency has."""

    amount: str = Field(pattern=r"^\d{1,13}(\.\d{1,4})?$", examples=["50.00"])
    currency: str = Field(pattern=r"^[A-Z]{3}$", examples=["USD"])

    @field_validator("currency")
    @classmethod
    def _parses(cls, currency: str, info: object) -> str:
        amount = getattr(info, "data", {}).get("amount")
        if amount is not None and Money.parse(amount, currency).amount_minor <= 0:
            raise ValueError("the amount must be more than zero")
        return currency

    def money(self) -> Money:
        """The amount in minor units."""
        return Money.parse(self.amount, self.currency)


class CardIn(RequestModel):
    """A test card for the sandbox. Real providers take a token made in the browser; we never see their numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    number: SecretStr = Field(min_length=12, max_length=23, examples=["4242424242424242"])
    exp_month: int = Field(ge=1, le=12, examples=[12])
    exp_year: int = Field(ge=2000, le=2100, examples=[2031])
    cvc: SecretStr = Field(min_length=3, max_length=4, examples=["123"])

    def card(self) -> Card:
        """The card as the adapter takes it."""
        number = self.number.get_secret_value().replace(" ", "").replace("-", "")
        return Card(number, self.exp_month, self.exp_year, self.cvc.get_secret_value())


class CardMethod(RequestModel):
    """Raw numbers in the sandbox only; real providers take a token, or ask for the card on a page of their own."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal["card"]
    provider: Literal["sandbox", "stripe", "paymob"]
    card: CardIn | None = Field(default=None, description="required with `sandbox`, refused with every other provider")
    token: SecretStr | None = Field(default=None, max_length=255, description="the provider's token for a card")
    saved_method_id: UUID | None = Field(default=None, description="one of your payment methods, with `stripe` only")

    @model_validator(mode="after")
    def _card_in_the_sandbox_only(self) -> Self:
        if (self.provider == "sandbox") != (self.card is not None):
            raise ValueError("`card` goes with the provider `sandbox`, and with no other")
        if self.provider == "sandbox" and self.token is not None:
            raise ValueError("the sandbox takes no token")
        if self.saved_method_id is not None and self.provider != "stripe":
            raise ValueError("only `stripe` keeps cards: `saved_method_id` goes with it, and with no other")
        if self.saved_method_id is not None and self.token is not None:
            raise ValueError("`token` and `saved_method_id` are two cards; send one")
        return self

    def source(self) -> Source:
        token = self.token.get_secret_value() if self.token else None
        card = self.card.card() if self.card else None
        return Source("card", self.provider, card=card, token=token, saved_method_id=self.saved_method_id)


class WalletMethod(RequestModel):
    type: Literal["wallet"]

    def source(self) -> Source:
        return Source("wallet")


class CoinsMethod(RequestModel):
    type: Literal["coins"]

    def source(self) -> Source:
        return Source("coins")


SingleMethod = Annotated[CardMethod | WalletMethod | CoinsMethod, Field(discriminator="type")]


class SplitPart(RequestModel):
    method: SingleMethod
    amount: MoneyIn


class SplitMethod(RequestModel):
    """Several ways at once, all or nothing: what was taken is given back when one part fails."""

    type: Literal["split"]
    parts: list[SplitPart] = Field(min_length=2, max_length=5)


PaymentMethod = Annotated[CardMethod | WalletMethod | CoinsMethod | SplitMethod, Field(discriminator="type")]


def to_method(method: PaymentMethod) -> Method:
    """The request's method as a plain value."""
    if isinstance(method, SplitMethod):
        return Method(
            "split",
            tuple(part.method.source() for part in method.parts),
            tuple(part.amount.money() for part in method.parts),
        )
    return Method(method.type, (method.source(),))


class CreatePayment(RequestModel):
    """Pay what a booking owes. There is no amount: booking-service states it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11",
                    "method": {
                        "type": "card",
                        "provider": "sandbox",
                        "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2031, "cvc": "123"},
                    },
                },
                {"booking_id": "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11", "method": {"type": "wallet"}},
            ]
        }
    )

    booking_id: UUID
    charge_id: UUID | None = Field(
        default=None, description="one of the booking's charges; default: the one that is due"
    )
    method: PaymentMethod
    return_url: str | None = Field(
        default=None,
        max_length=2000,
        pattern=r"^https?://",
        description="where a confirmation page sends the person back",
    )


class FailureOut(Schema):
    """Why an attempt ended without money; `code` is stable."""

    code: str = Field(examples=["card-declined"])
    message: str = Field(examples=["The card was declined."])


class NextActionOut(Schema):
    """What the person must do for the payment to go on."""

    type: str = Field(examples=["redirect"])
    url: str


class PaymentPartOut(Schema):
    kind: Literal["card", "wallet", "coins"]
    provider: str | None
    amount: MoneyModel
    coins: int | None = None
    status: str = Field(description="taking, requires_action, taken, failed or given_back")
    card_brand: str | None = None
    card_last4: str | None = None
    refunded: MoneyModel


class PaymentOut(Schema):
    """An attempt to pay something."""

    id: UUID
    booking_id: UUID | None
    charge_id: UUID | None
    purpose: Literal["charge", "top_up", "subscription"]
    status: Literal["requires_action", "processing", "succeeded", "failed"]
    amount: MoneyModel
    method: str = Field(examples=["card"])
    failure: FailureOut | None
    next_action: NextActionOut | None
    parts: list[PaymentPartOut]
    created_at: datetime
    succeeded_at: datetime | None


class AdminPaymentOut(PaymentOut):
    """A payment as operations see it."""

    user_id: UUID
    booking_reference: str | None
    test_mode: bool
    provider_references: list[str]

"""Base models of the API and the shape of money on the wire."""

from pydantic import BaseModel, ConfigDict, Field

from rihla.kernel.money import format_minor


class Schema(BaseModel):
    """A resource as the API shows it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class RequestModel(BaseModel):
    """What a caller sends; an unknown field is a mistake worth telling."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class MoneyModel(Schema):
    """An amount with exactly the digits ISO 4217 gives its currency."""

    amount: str = Field(examples=["123.45"], description="Decimal string", pattern=r"^-?\d{1,15}(\.\d{1,4})?$")
    currency: str = Field(examples=["USD"], pattern=r"^[A-Z]{3,5}$", description="ISO 4217")

    @classmethod
    def of(cls, amount_minor: int, currency: str) -> "MoneyModel":
        """From minor units."""
        return MoneyModel.model_construct(amount=format_minor(amount_minor, currency), currency=currency)

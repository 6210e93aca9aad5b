"""What payment-service asks: is this charge due, and how much is it?"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from booking_service.bootstrap import Container
from booking_service.problems import PROBLEMS
from booking_service.settling.charge_due import Asked, charge_due, charges_due
from rihla.auth import require_service
from rihla.web import RequestModel, Schema, container, problem_responses

router = APIRouter(prefix="/internal/v1", tags=["internal"], dependencies=[Depends(require_service("payment"))])


class ChargeDue(Schema):
    """Amount in minor units. `payable_until`: no attempt to pay starts after it."""

    booking_id: UUID
    charge_id: UUID
    user_id: UUID
    reference: str
    kind: Literal["initial", "extras", "change"]
    amount_minor: int
    currency: str
    status: Literal["due", "paid", "refunded", "void"]
    payable_until: datetime


class ChargeAsked(RequestModel):
    """As the query of `GET /charges/due`."""

    booking_id: UUID
    user_id: UUID
    charge_id: UUID | None = None


class ChargesAsked(RequestModel):
    """What payments that wait together ask."""

    charges: list[ChargeAsked] = Field(min_length=1, max_length=64)


class ChargesDue(Schema):
    """One for each that was asked."""

    charges: list[ChargeDue | None]


@router.get(
    "/charges/due",
    summary="A charge that may be paid now",
    response_model=ChargeDue,
    responses=problem_responses("booking-not-found", "charge-not-due", table=PROBLEMS),
)
async def read_charge_due(
    c: Annotated[Container, Depends(container)],
    booking_id: Annotated[UUID, Query()],
    user_id: Annotated[UUID, Query()],
    charge_id: Annotated[UUID | None, Query(description="Default: the oldest charge that is due")] = None,
) -> ChargeDue:
    """404 for an unknown booking and for somebody else's; 409 for a charge that is paid, void or past its time."""
    charge = await charge_due(c, Asked(booking_id, user_id, charge_id))
    return ChargeDue.model_validate(charge, from_attributes=True)


@router.post(
    "/charges/due",
    summary="Charges of several bookings that may be paid now",
    response_model=ChargesDue,
    status_code=200,
)
async def read_charges_due(asked: ChargesAsked, c: Annotated[Container, Depends(container)]) -> ChargesDue:
    """In the order asked; null where the same question alone is refused, for whatever reason."""
    found = await charges_due(c, [Asked(one.booking_id, one.user_id, one.charge_id) for one in asked.charges])
    return ChargesDue.model_validate({"charges": found}, from_attributes=True)

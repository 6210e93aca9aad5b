"""What payment-service asks: is this charge due, and how much is it?"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from booking_service.bootstrap import Container
from booking_service.problems import PROBLEMS
from booking_service.settling.charge_due import charge_due
from rihla.auth import require_service
from rihla.web import Schema, container, problem_responses

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
    charge = await charge_due(c, booking_id, user_id, charge_id)
    return ChargeDue.model_validate(charge, from_attributes=True)

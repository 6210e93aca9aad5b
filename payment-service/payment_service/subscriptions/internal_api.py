"""Routes of subscriptions for booking-service (docs/contracts.md)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from payment_service.bootstrap import Container
from payment_service.problems import PROBLEMS
from payment_service.subscriptions import use_rides
from payment_service.subscriptions.use_schemas import PutSubscriptionUse, ReleaseSubscriptionUse, SubscriptionUseOut
from rihla.auth import require_service
from rihla.web import container, problem_responses

C = Annotated[Container, Depends(container)]
internal = APIRouter(
    prefix="/internal/v1/subscription-uses", tags=["internal"], dependencies=[Depends(require_service("booking"))]
)


@internal.put(
    "/{booking_id}",
    operation_id="reserve_subscription_use",
    summary="Take rides for a booking",
    responses=problem_responses(
        "subscription-not-active", "subscription-route-not-covered", "subscription-rides-used-up",
        "subscription-use-differs", "validation-failed", table=PROBLEMS,
    ),
)  # fmt: skip
async def put_use(booking_id: UUID, body: PutSubscriptionUse, c: C) -> SubscriptionUseOut:
    return await use_rides.reserve_rides(c.db, c.clock, booking_id, body)


@internal.post(
    "/{booking_id}/consume",
    operation_id="consume_subscription_use",
    summary="The booking is confirmed: its rides are used",
    responses=problem_responses("subscription-use-unknown", table=PROBLEMS),
)
async def consume_use(booking_id: UUID, c: C) -> SubscriptionUseOut:
    return await use_rides.consume_rides(c.db, c.clock, booking_id)


@internal.post("/{booking_id}/release", operation_id="release_subscription_use", summary="Give rides back")
async def release_use(booking_id: UUID, body: ReleaseSubscriptionUse, c: C) -> SubscriptionUseOut:
    return await use_rides.release_rides(c.db, c.clock, booking_id, body.segments)

"""What payment-service asks: a period's seats, held, sold and given back as one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from booking_service.bootstrap import Container
from booking_service.problems import PROBLEMS
from booking_service.seat_plans.confirm_plan import confirm_plan
from booking_service.seat_plans.read_plan import read_plan
from booking_service.seat_plans.release_plan import release_plan
from booking_service.seat_plans.reserve_plan import reserve_plan
from booking_service.seat_plans.schemas import SeatPlanRequest, SeatPlanView
from rihla.auth import require_service
from rihla.web import container, problem_responses

router = APIRouter(
    prefix="/internal/v1/seat-plans", tags=["internal"], dependencies=[Depends(require_service("payment"))]
)
Deps = Annotated[Container, Depends(container)]


@router.put(
    "/{period_id}",
    summary="Reserve the rides of a period, all or nothing",
    status_code=201,
    responses=problem_responses(
        "seat-plan-not-possible",
        "seat-plan-released",
        "seat-plan-differs",
        "validation-failed",
        "request-in-progress",
        "service-unavailable",
        table=PROBLEMS,
    ),
)
async def put_seat_plan(period_id: UUID, body: SeatPlanRequest, c: Deps, response: Response) -> SeatPlanView:
    """201, and 200 for the same again. `missing` says which rides could not be had; then nothing is held."""
    who = body.traveller.who() if body.traveller else None
    if not await reserve_plan(c, body.plan(period_id), who):
        response.status_code = 200
    return await read_plan(c, period_id)


@router.post(
    "/{period_id}/confirm",
    summary="The period is paid: all its bookings become tickets",
    responses=problem_responses(
        "seat-plan-unknown",
        "seat-plan-released",
        "seat-plan-expired",
        "request-in-progress",
        "service-unavailable",
        table=PROBLEMS,
    ),
)
async def confirm_seat_plan(period_id: UUID, c: Deps) -> SeatPlanView:
    """Idempotent. After the window it still confirms when every seat is still free."""
    await confirm_plan(c, period_id)
    return await read_plan(c, period_id)


@router.post("/{period_id}/release", summary="Give back what is not yet flown")
async def release_seat_plan(period_id: UUID, c: Deps) -> SeatPlanView:
    """Idempotent; an unknown id leaves a tombstone."""
    await release_plan(c, period_id)
    return await read_plan(c, period_id)


@router.get(
    "/{period_id}",
    summary="A plan as it stands",
    responses=problem_responses("seat-plan-unknown", table=PROBLEMS),
)
async def read_seat_plan(period_id: UUID, c: Deps) -> SeatPlanView:
    """The same answer as the commands give."""
    return await read_plan(c, period_id)

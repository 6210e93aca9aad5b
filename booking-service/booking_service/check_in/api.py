"""Check in, and undo it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from booking_service.bookings.schemas import Booking
from booking_service.bootstrap import Container
from booking_service.check_in.check_in import check_in, undo_check_in
from booking_service.problems import PROBLEMS
from rihla.auth import Person
from rihla.web import RequestModel, container, problem_responses

router = APIRouter(prefix="/v1/bookings/{booking_id}/check-in", tags=["check-in"])
Deps = Annotated[Container, Depends(container)]


class CheckInRequest(RequestModel):
    """Lap infants are checked in with their adults. Without flights: every flight whose check-in is open."""

    passenger_ids: list[UUID] = Field(min_length=1, max_length=10)
    flight_ids: list[UUID] = Field(default_factory=list, max_length=12)


@router.post(
    "",
    summary="Check in: 48 hours to 60 minutes before departure",
    response_model=Booking,
    responses=problem_responses(
        "unauthenticated",
        "booking-not-found",
        "passenger-not-found",
        "check-in-not-open",
        "check-in-closed",
        "passport-required",
        "nothing-to-check-in",
        "service-unavailable",
        table=PROBLEMS,
    ),
)
async def check_in_passengers(booking_id: UUID, body: CheckInRequest, principal: Person, c: Deps) -> Response:
    """A seat is given to those who have none; boarding passes follow."""
    done = await check_in(c, principal, booking_id, frozenset(body.passenger_ids), frozenset(body.flight_ids))
    return Response(done, media_type="application/json")


@router.delete(
    "",
    summary="Undo a check-in",
    response_model=Booking,
    responses=problem_responses(
        "unauthenticated",
        "booking-not-found",
        "passenger-not-found",
        "not-checked-in",
        "check-in-closed",
        table=PROBLEMS,
    ),
)
async def undo_passengers_check_in(
    booking_id: UUID,
    principal: Person,
    c: Deps,
    passenger_id: Annotated[list[UUID] | None, Query(max_length=10, description="Default: everybody")] = None,
    flight_id: Annotated[list[UUID] | None, Query(max_length=12, description="Default: every flight")] = None,
) -> Response:
    """The sequence number stays recorded as void and is never given again; the boarding pass counts no more."""
    done = await undo_check_in(c, principal, booking_id, frozenset(passenger_id or ()), frozenset(flight_id or ()))
    return Response(done, media_type="application/json")

"""What the airline changed, and the traveller's answer."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import text

from booking_service.bookings.read_booking import load_owned
from booking_service.bookings.schemas import Booking
from booking_service.bootstrap import Container
from booking_service.disruptions.answer_disruption import accept_disruption
from booking_service.problems import PROBLEMS
from rihla.auth import Person
from rihla.web import Page, Schema, container, problem_responses

router = APIRouter(prefix="/v1/bookings/{booking_id}/disruptions", tags=["disruption"])
Deps = Annotated[Container, Depends(container)]


class Disruption(Schema):
    """A change by the airline. Until `answer_by` the traveller accepts, moves free of charge, or takes a full
    refund.
    """

    id: UUID
    flight_id: UUID
    kind: Literal["cancelled", "retimed", "delayed"]
    status: Literal["open", "accepted", "moved", "refunded", "superseded"]
    departure_was: datetime | None
    departure_is: datetime | None
    delay_minutes: int
    noticed_at: datetime
    answer_by: datetime


class DisruptionPage(Page[Disruption]):
    """All disruptions of one booking, newest first."""


@router.get(
    "",
    summary="What the airline changed on this booking",
    response_model=DisruptionPage,
    responses=problem_responses("unauthenticated", "booking-not-found", table=PROBLEMS),
)
async def list_disruptions(booking_id: UUID, principal: Person, c: Deps) -> DisruptionPage:
    """Open ones wait for an answer: accept below, or change or cancel free of charge."""
    async with c.db.transaction() as session:
        await load_owned(session, booking_id, principal)
        rows = await session.execute(
            text("SELECT *, state AS status FROM disruption WHERE booking_id = :id ORDER BY noticed_at DESC, id DESC"),
            {"id": booking_id},
        )
        return DisruptionPage(items=[Disruption.model_validate(row) for row in rows])


@router.post(
    "/accept",
    summary="Accept the new times and keep the seats",
    response_model=Booking,
    responses=problem_responses("unauthenticated", "booking-not-found", "no-disruption", table=PROBLEMS),
)
async def accept_a_disruption(booking_id: UUID, principal: Person, c: Deps) -> Response:
    """A cancelled flight cannot be accepted."""
    return Response(await accept_disruption(c, principal, booking_id), media_type="application/json")

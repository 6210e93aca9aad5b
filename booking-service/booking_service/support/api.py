"""The support view, for the roles `support` and `admin`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from booking_service.bookings.schemas import Booking, BookingPage, Status
from booking_service.bookings.wire import booking_json
from booking_service.bootstrap import Container
from booking_service.cancelling.schemas import Cancellation
from booking_service.problems import PROBLEMS
from booking_service.support.help_booking import cancel_for_traveller, resend_documents
from booking_service.support.search_bookings import Search, any_booking, search_bookings, timeline_of
from rihla.auth import Person, require_roles
from rihla.web import Page, PageParams, RequestModel, Schema, container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(
    prefix="/v1/admin/bookings", tags=["admin"], dependencies=[Depends(require_roles("admin", "support"))]
)
Deps = Annotated[Container, Depends(container)]
_COMMON = ("unauthenticated", "forbidden", "booking-not-found")


class TimelineEntry(Schema):
    """Something that happened; `detail` holds ids, codes and amounts."""

    at: datetime
    kind: str
    actor: str
    detail: dict[str, Any]


class Timeline(Page[TimelineEntry]):
    """Everything that happened to one booking, oldest first."""


class SupportCancellation(RequestModel):
    """`full_refund`: return everything, whatever the fare says."""

    full_refund: bool = False


@router.get(
    "",
    summary="Find bookings of anybody",
    response_model=BookingPage,
    responses=problem_responses("unauthenticated", "forbidden", "invalid-cursor", table=PROBLEMS),
)
async def search_all_bookings(
    c: Deps,
    page: PageParams,
    reference: Annotated[str | None, Query(max_length=6)] = None,
    email: Annotated[str | None, Query(max_length=254, description="The contact's address")] = None,
    user_id: UUID | None = None,
    flight_id: UUID | None = None,
    e_ticket_number: Annotated[str | None, Query(pattern=r"^\d{13}$")] = None,
    status: Status | None = None,
) -> Response:
    """All conditions together; newest first."""
    search = Search(
        reference=reference,
        email=email,
        user_id=user_id,
        flight_id=flight_id,
        e_ticket_number=e_ticket_number,
        status=status,
    )
    found = await search_bookings(c, search, limit=page.limit, cursor=page.cursor)
    return Response(found, media_type="application/json")


@router.get(
    "/{booking_id}",
    summary="Anybody's booking",
    response_model=Booking,
    responses=problem_responses(*_COMMON, table=PROBLEMS),
)
async def read_any_booking(booking_id: UUID, c: Deps) -> Response:
    """As its owner sees it."""
    return Response(booking_json(await any_booking(c, booking_id), c.clock.now()), media_type="application/json")


@router.get(
    "/{booking_id}/timeline",
    summary="Everything that happened to a booking",
    response_model=Timeline,
    responses=problem_responses(*_COMMON, table=PROBLEMS),
)
async def read_timeline(booking_id: UUID, c: Deps) -> Timeline:
    """Oldest first; no personal data."""
    return Timeline(items=[TimelineEntry.model_validate(row) for row in await timeline_of(c, booking_id)])


@router.post(
    "/{booking_id}/documents",
    summary="Make ticket and receipt again",
    status_code=202,
    responses=problem_responses(*_COMMON, "booking-state-conflict", table=PROBLEMS),
)
async def make_documents_again(booking_id: UUID, principal: Person, c: Deps) -> Response:
    """They are made by a worker; the traveller is told when they are ready."""
    await resend_documents(c, principal, booking_id)
    return Response(status_code=202)


@router.post(
    "/{booking_id}/cancellations",
    summary="Cancel for a traveller",
    status_code=201,
    response_model=Cancellation,
    responses=problem_responses(
        *_COMMON,
        "step-up-required",
        "booking-state-conflict",
        "nothing-to-cancel",
        "flight-departed",
        "idempotency-key-required",
        table=PROBLEMS,
    ),
)
async def cancel_any_booking(
    booking_id: UUID,
    body: SupportCancellation,
    principal: Person,
    c: Deps,
    idem: Annotated[IdempotentRequest, Depends(idempotent_request(required=True))],
) -> Response:
    """By the fare's rules, or with everything returned."""
    done = await cancel_for_traveller(c, principal, booking_id, idem, full_refund=body.full_refund)
    return replay_response(done) if isinstance(done, Replay) else Response(done, 201, media_type="application/json")

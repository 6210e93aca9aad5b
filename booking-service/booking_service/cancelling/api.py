"""Quote a cancellation, then confirm the quote."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from booking_service.bootstrap import Container
from booking_service.cancelling.cancel_booking import cancel_by_quote
from booking_service.cancelling.quote_cancellation import quote_cancellation
from booking_service.cancelling.schemas import (
    Cancellation,
    CancellationQuote,
    CancellationQuoteRequest,
    CancellationRequest,
)
from booking_service.problems import PROBLEMS
from rihla.auth import Person
from rihla.web import container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1/bookings/{booking_id}", tags=["cancellation"])
Deps = Annotated[Container, Depends(container)]
_COMMON = ("unauthenticated", "booking-not-found", "validation-failed", "booking-state-conflict", "nothing-to-cancel")


@router.post(
    "/cancellation-quotes",
    summary="What a cancellation would give back",
    status_code=201,
    response_model=CancellationQuote,
    responses=problem_responses(*_COMMON, "flight-departed", table=PROBLEMS),
)
async def quote_a_cancellation(
    booking_id: UUID, body: CancellationQuoteRequest, principal: Person, c: Deps
) -> Response:
    """Fees go by each slice's departure. Unused airport taxes always return; an infant leaves with its adult."""
    quote = await quote_cancellation(c, principal, booking_id, body.as_scope())
    return Response(quote, 201, media_type="application/json")


@router.post(
    "/cancellations",
    summary="Cancel as quoted: seats freed at once, refund started",
    status_code=201,
    response_model=Cancellation,
    responses=problem_responses(
        *_COMMON,
        "step-up-required",
        "quote-not-found",
        "quote-expired",
        "quote-outdated",
        "idempotency-key-required",
        "idempotency-key-reused",
        "request-in-progress",
        table=PROBLEMS,
    ),
)
async def cancel_a_booking(
    booking_id: UUID,
    body: CancellationRequest,
    principal: Person,
    c: Deps,
    idem: Annotated[IdempotentRequest, Depends(idempotent_request(required=True))],
) -> Response:
    """An unpaid booking is simply abandoned. Where money comes back and two-factor sign-in is on, the second factor
    must have been proved a moment ago."""
    done = await cancel_by_quote(c, principal, booking_id, body.quote_id, idem)
    return replay_response(done) if isinstance(done, Replay) else Response(done, 201, media_type="application/json")

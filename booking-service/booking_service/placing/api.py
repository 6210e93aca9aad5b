"""Quote and place."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from booking_service.bookings.errors import InvalidRequest
from booking_service.bookings.schemas import Booking
from booking_service.bootstrap import Container
from booking_service.placing.fill_passengers import filled_order, saved_answer
from booking_service.placing.place_booking import place_booking
from booking_service.placing.quote_booking import quote_booking
from booking_service.placing.schemas import BookingQuote, BookingRequest
from booking_service.problems import PROBLEMS
from rihla.auth import Person
from rihla.web import container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1", tags=["bookings"])
_REFUSALS = (
    "unauthenticated",
    "validation-failed",
    "invalid-offer",
    "offer-expired",
    "offer-changed",
    "not-enough-seats",
    "seat-taken",
    "promo-code-not-applicable",
    "promo-code-used-up",
    "subscription-not-active",
    "subscription-route-not-covered",
    "subscription-rides-used-up",
    "service-unavailable",
)
Deps = Annotated[Container, Depends(container)]


@router.post(
    "/booking-quotes",
    summary="The whole price before placing: seats, extras and promo code included",
    response_model=BookingQuote,
    responses=problem_responses(*_REFUSALS, table=PROBLEMS),
)
async def quote_a_booking(body: BookingRequest, principal: Person, c: Deps) -> Response:
    """Prices the very body that would place the booking. Nothing is held and no promo code is used."""
    order = await filled_order(c, principal, body)
    return Response(await quote_booking(c, principal, order), media_type="application/json")


@router.post(
    "/bookings",
    summary="Place a booking: hold the seats at the locked price",
    status_code=201,
    response_model=Booking,
    responses=problem_responses(
        *_REFUSALS,
        "too-many-unpaid-bookings",
        "too-many-requests",
        "idempotency-key-required",
        "idempotency-key-reused",
        "request-in-progress",
        table=PROBLEMS,
    ),
)
async def place_a_booking(
    body: BookingRequest,
    principal: Person,
    c: Deps,
    idem: Annotated[IdempotentRequest, Depends(idempotent_request(required=True))],
) -> Response:
    """Seats and price are kept until `payment_required_by`. A total of nothing is confirmed at once.

    A traveller may keep three unpaid bookings (a partner as its contract says); letting many lapse costs waiting time.
    """
    try:
        order = await filled_order(c, principal, body)
    except InvalidRequest:
        # A companion may be gone since the first request of this key was answered.
        answered = await saved_answer(c, idem)
        if answered is None:
            raise
        return replay_response(answered)
    placed = await place_booking(c, principal, order, idem)
    if isinstance(placed, Replay):
        return replay_response(placed)
    return Response(placed, 201, media_type="application/json")

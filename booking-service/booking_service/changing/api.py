"""Other seats, more extras, another flight."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from booking_service.bookings.schemas import Booking
from booking_service.bootstrap import Container
from booking_service.changing.buy_extras import buy_extras
from booking_service.changing.change_flights import change_flights
from booking_service.changing.move_seats import move_seats
from booking_service.changing.quote_change import Wish, quote_change
from booking_service.changing.schemas import ChangeQuote, ChangeQuoteRequest, ChangeRequest, ExtrasRequest, SeatMoves
from booking_service.problems import PROBLEMS
from rihla.auth import Person
from rihla.web import container, problem_responses
from rihla.web.idempotency import IdempotentRequest, Replay, idempotent_request, replay_response

router = APIRouter(prefix="/v1/bookings/{booking_id}", tags=["change"])
Deps = Annotated[Container, Depends(container)]
Keyed = Annotated[IdempotentRequest, Depends(idempotent_request(required=True))]
_COMMON = ("unauthenticated", "booking-not-found", "booking-state-conflict", "validation-failed", "service-unavailable")
_KEYED = ("idempotency-key-required", "idempotency-key-reused", "request-in-progress")


def _created(done: bytes | Replay) -> Response:
    return replay_response(done) if isinstance(done, Replay) else Response(done, 201, media_type="application/json")


@router.put(
    "/seats",
    summary="Move to other seats",
    response_model=Booking,
    responses=problem_responses(*_COMMON, "passenger-not-found", "seat-taken", "seat-not-offered", table=PROBLEMS),
)
async def move_to_other_seats(booking_id: UUID, body: SeatMoves, principal: Person, c: Deps) -> Response:
    """Seats that cost something are bought as extras."""
    done = await move_seats(c, principal, booking_id, [one.wish() for one in body.items])
    return Response(done, media_type="application/json")


@router.post(
    "/extras",
    summary="Buy bags, meals, assistance or seats after purchase",
    status_code=201,
    response_model=Booking,
    responses=problem_responses(
        *_COMMON, *_KEYED, "passenger-not-found", "extras-not-offered", "seat-taken", table=PROBLEMS
    ),
)
async def buy_more_extras(booking_id: UUID, body: ExtrasRequest, principal: Person, c: Deps, idem: Keyed) -> Response:
    """Adds a further charge; what was bought is added once it is paid. Assistance is free and added at once."""
    return _created(await buy_extras(c, principal, booking_id, tuple(one.wish() for one in body.passengers), idem))


@router.post(
    "/change-quotes",
    summary="What moving to another flight of the route would cost",
    status_code=201,
    response_model=ChangeQuote,
    responses=problem_responses(*_COMMON, "not-changeable", "other-route", "offer-expired", table=PROBLEMS),
)
async def quote_a_change(booking_id: UUID, body: ChangeQuoteRequest, principal: Person, c: Deps) -> Response:
    """Not on the day of departure. Holds nothing."""
    quote = await quote_change(c, principal, booking_id, Wish(body.slice_id, body.offer_id))
    return Response(quote, 201, media_type="application/json")


@router.post(
    "/changes",
    summary="Move to the quoted flight",
    status_code=201,
    response_model=Booking,
    responses=problem_responses(
        *_COMMON,
        *_KEYED,
        "step-up-required",
        "quote-not-found",
        "quote-expired",
        "quote-outdated",
        "not-changeable",
        "not-enough-seats",
        "booking-step-under-way",
        table=PROBLEMS,
    ),
)
async def change_a_booking(booking_id: UUID, body: ChangeRequest, principal: Person, c: Deps, idem: Keyed) -> Response:
    """New seats are held before the old ones are freed; with something to pay, a further charge is due first."""
    return _created(await change_flights(c, principal, booking_id, body.quote_id, idem))

"""Read, list, look up and correct bookings."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from pydantic import EmailStr, Field

from booking_service.bookings.correct_passenger import Correction, correct_passenger
from booking_service.bookings.list_bookings import Question, list_bookings
from booking_service.bookings.lookup_booking import lookup_booking
from booking_service.bookings.read_booking import load_owned
from booking_service.bookings.schemas import Booking, BookingLookup, BookingPage, Status
from booking_service.bookings.wire import booking_document, booking_json, without_contact
from booking_service.bootstrap import Container
from booking_service.placing.schemas import PassportRequest, Phone, VisaRequest
from booking_service.problems import PROBLEMS
from rihla.auth import CurrentPrincipal, Person
from rihla.web import PageParams, RequestModel, container, problem_responses

router = APIRouter(prefix="/v1/bookings", tags=["bookings"])
Deps = Annotated[Container, Depends(container)]


class PassengerCorrection(RequestModel):
    """Only the members sent are changed."""

    given_name: str | None = Field(default=None, max_length=200, examples=["Amina"])
    surname: str | None = Field(default=None, max_length=200, examples=["Rahman"])
    passport: PassportRequest | None = None
    visas: list[VisaRequest] | None = Field(default=None, max_length=5)
    email: EmailStr | None = Field(default=None, max_length=254)
    phone: Phone | None = None

    def correction(self) -> Correction:
        """As columns of the passenger."""
        sent = self.model_fields_set
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("given_name", "surname", "email", "phone")
            if name in sent and (getattr(self, name) is not None or name in ("email", "phone"))
        }
        if self.passport is not None:
            values |= {
                "passport_issuing_country": self.passport.issuing_country,
                "passport_nationality": self.passport.nationality,
                "passport_expires_on": self.passport.expires_on,
            }
        if self.visas is not None:
            values["visas"] = tuple(one.visa() for one in self.visas)
        return Correction(values=values, passport_number=self.passport.number if self.passport else None)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


@router.get(
    "",
    summary="Your bookings: upcoming, past, or by status",
    response_model=BookingPage,
    responses=problem_responses("unauthenticated", "invalid-cursor", "validation-failed", table=PROBLEMS),
)
async def list_my_bookings(
    principal: Person,
    c: Deps,
    page: PageParams,
    when: Annotated[
        Literal["upcoming", "past"] | None, Query(description="By the journey's end; upcoming: soonest first")
    ] = None,
    status: Annotated[Status | None, Query(description="Only bookings in this state")] = None,
) -> Response:
    """Pending bookings are among the upcoming, with the seconds left to pay: they can be taken up on another device."""
    return _json(await list_bookings(c, principal, Question(when, status, page.limit, page.cursor)))


@router.post(
    "/lookup",
    summary="Find a booking by reference and surname",
    response_model=Booking,
    responses=problem_responses("booking-not-found", "too-many-lookups", "validation-failed", table=PROBLEMS),
)
async def look_up_a_booking(
    body: BookingLookup,
    principal: CurrentPrincipal,
    c: Deps,
    x_client_ip: Annotated[str, Header(include_in_schema=False)] = "unknown",
) -> Response:
    """Wrong guesses are limited. Whoever is not the owner sees no contact, passport or birth data."""
    view, owner = await lookup_booking(c, principal, x_client_ip, body.reference, body.surname)
    now = c.clock.now()
    if owner:
        return _json(booking_json(view, now))
    return _json(msgspec.json.encode(without_contact(booking_document(view, now))))


@router.get(
    "/{booking_id}",
    summary="One of your bookings",
    response_model=Booking,
    responses=problem_responses("unauthenticated", "booking-not-found", table=PROBLEMS),
)
async def read_a_booking(booking_id: UUID, principal: Person, c: Deps) -> Response:
    """Somebody else's booking is not found."""
    async with c.db.transaction() as session:
        view = await load_owned(session, booking_id, principal)
    return _json(booking_json(view, c.clock.now()))


@router.patch(
    "/{booking_id}/passengers/{passenger_id}",
    summary="Passport and contact data, small corrections of a name",
    response_model=Booking,
    responses=problem_responses(
        "unauthenticated",
        "booking-not-found",
        "passenger-not-found",
        "booking-state-conflict",
        "validation-failed",
        table=PROBLEMS,
    ),
)
async def correct_a_passenger(
    booking_id: UUID, passenger_id: UUID, body: PassengerCorrection, principal: Person, c: Deps
) -> Response:
    """A name may be corrected by at most three letters; a ticket is not passed on."""
    return _json(await correct_passenger(c, principal, booking_id, passenger_id, body.correction()))

"""The departure board and single flights: public reading."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from flight_service.bootstrap import Container
from flight_service.catalogue.layout import Cabin
from flight_service.fares.price_history import read_history
from flight_service.problems import problems
from flight_service.schedules.read_flights import BoardQuery, read_board, read_flight
from flight_service.schedules.schemas import FlightDetail, FlightPage, PriceHistory, PricePoint
from flight_service.schedules.wire import json_response
from rihla.auth import CurrentPrincipal
from rihla.web import MoneyModel, PageParams, ValidationFailed, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1", tags=["flights"])
Parts = Annotated[Container, Depends(container)]
Code = Annotated[str | None, Query(pattern=r"^[A-Za-z]{3}$", description="Airport or city code", examples=["DAC"])]
_SHIFTS = {"yesterday": -1, "today": 0, "tomorrow": 1}


@router.get(
    "/flights",
    summary="The departure board of a day",
    response_model=FlightPage,
    responses=problem_responses("unauthenticated", "validation-failed", "invalid-cursor", table=problems),
)
async def list_flights(
    parts: Parts,
    principal: CurrentPrincipal,
    paging: PageParams,
    date: Annotated[str, Query(description="`today`, `tomorrow` or YYYY-MM-DD: local days of each origin")] = "today",
    origin: Code = None,
    destination: Code = None,
    airline: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9]{2}$", examples=["RQ"])] = None,
    flight_number: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9]{2}\d{1,4}$", examples=["RQ101"])] = None,
    available: Annotated[bool, Query(description="Only flights that can still be booked")] = False,
) -> Response:
    """By departure. Free seats are exact; `from_price` is the cheapest adult price now, in US dollars."""
    query = BoardQuery(
        day=_day(date),
        shift=_SHIFTS.get(date, 0),
        origins=_airports(parts, origin, "origin"),
        destinations=_airports(parts, destination, "destination"),
        airline=airline.upper() if airline else None,
        flight_number=flight_number.upper() if flight_number else None,
        available=available,
        test_mode=principal.test_mode,
        limit=paging.limit,
        cursor=paging.cursor,
    )
    board = await read_board(parts.db, query, parts.offers.pricer, parts.clock.now())
    cursor = encode_cursor(board.after) if board.after else None
    return json_response({"items": board.items, "next_cursor": cursor})


@router.get(
    "/flights/{flight_id}",
    summary="One flight",
    response_model=FlightDetail,
    responses=problem_responses("unauthenticated", "flight-not-found", table=problems),
)
async def get_flight(flight_id: UUID, parts: Parts, principal: CurrentPrincipal) -> Response:
    """With its estimated times and what happened to it."""
    found = await read_flight(
        parts.db, flight_id, parts.offers.pricer, parts.clock.now(), test_mode=principal.test_mode
    )
    return json_response(found)


def _day(text: str) -> date | None:
    if text in _SHIFTS:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = "A date is today, tomorrow or YYYY-MM-DD."
        raise ValidationFailed({"pointer": "#/query/date", "code": "invalid-date", "message": message}) from error


def _airports(parts: Container, code: str | None, name: str) -> list[str] | None:
    """The airports of an airport's or city's code."""
    if code is None:
        return None
    reference = parts.feed.reference
    if code.upper() in reference.airports:
        return [code.upper()]
    if code.upper() in reference.cities:
        return list(reference.cities[code.upper()])
    message = f"There is no airport or city with the code {code.upper()}."
    raise ValidationFailed({"pointer": f"#/query/{name}", "code": "unknown-place", "message": message})


@router.get(
    "/flights/{flight_id}/price-history",
    summary="How a flight's price moved",
    responses=problem_responses("unauthenticated", "validation-failed", "flight-not-found", table=problems),
)
async def list_price_history(
    flight_id: UUID, parts: Parts, principal: CurrentPrincipal, cabin: Cabin | None = None
) -> PriceHistory:
    """The newest four hundred points: a new fare, and every day's lowest adult fare, without taxes, in US dollars."""
    now = parts.clock.now()
    await read_flight(parts.db, flight_id, parts.offers.pricer, now, test_mode=principal.test_mode)
    points = await read_history(parts.db, flight_id, cabin)
    return PriceHistory(
        items=[
            PricePoint(
                at=point["at"],
                cabin=point["cabin"],
                published_fare=MoneyModel.of(point["base_minor"], "USD"),
                adult_price=MoneyModel.of(point["adult_minor"], "USD"),
                reason=point["reason"],
            )
            for point in points
        ]
    )

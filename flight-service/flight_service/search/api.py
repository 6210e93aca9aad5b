"""Searching for offers."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as QueryParam
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from flight_service.bootstrap import Container
from flight_service.catalogue.layout import Cabin
from flight_service.offers.schemas import OfferPage
from flight_service.problems import problems
from flight_service.search.lacking_cabin import refuse_lacking_cabin
from flight_service.search.plain_params import read_plain
from flight_service.search.price_calendar import price_calendar
from flight_service.search.query import QueryReader
from flight_service.search.schemas import CalendarDayView, CalendarView, OfferSearch, SearchParams, journey_of
from rihla.auth import CurrentPrincipal, Principal
from rihla.web import MoneyModel, container, problem_responses

router = APIRouter(prefix="/v1", tags=["search"])
CalendarPlace = Annotated[str, QueryParam(pattern=r"^[A-Za-z]{3}$", description="Airport or city code")]
_LISTS = frozenset({"airlines", "exclude_airlines"})
_RESPONSES = problem_responses(
    "validation-failed", "invalid-cursor", "unauthenticated", "search-unavailable", table=problems
)


def _parameters() -> list[dict[str, Any]]:
    """The OpenAPI parameters of SearchParams: the route reads the query itself, to save time."""
    schema = SearchParams.model_json_schema()
    listed = []
    for name, entry in schema["properties"].items():
        entry = {key: value for key, value in entry.items() if key != "title"}
        parameter: dict[str, Any] = {
            "name": name,
            "in": "query",
            "required": name in schema["required"],
            "schema": entry,
        }
        if "description" in entry:
            parameter["description"] = entry.pop("description")
        listed.append(parameter)
    return listed


@router.get(
    "/flight-offers",
    summary="Search one-way and return flights",
    response_model=OfferPage,
    responses=_RESPONSES,
    openapi_extra={"parameters": _parameters()},
)
async def search_flight_offers(request: Request, principal: CurrentPrincipal) -> Response:
    """Offers for one journey, or for two with `return_date`. An offer keeps its price until `expires_at`.

    `best` sorts by price plus journey time, an hour of a passenger counted as 12 US dollars.
    """
    found: Container = request.app.state.container
    body = await answer_search(found, principal, read_params(request.scope["query_string"]))
    return Response(body, media_type="application/json")


@router.post(
    "/flight-offers",
    summary="Search with one to six slices",
    response_model=OfferPage,
    responses=_RESPONSES,
)
async def search_multi_city(
    body: OfferSearch, principal: CurrentPrincipal, found: Annotated[Container, Depends(container)]
) -> Response:
    """The same search for any number of slices up to six (multi-city)."""
    return Response(await answer_search(found, principal, body), media_type="application/json")


@router.get(
    "/price-calendar",
    summary="The cheapest total of each day of a month",
    responses=problem_responses("validation-failed", "unauthenticated", "search-unavailable", table=problems),
)
async def get_price_calendar(
    principal: CurrentPrincipal,
    found: Annotated[Container, Depends(container)],
    origin: CalendarPlace,
    destination: CalendarPlace,
    month: Annotated[str, QueryParam(pattern=r"^20\d{2}-(0[1-9]|1[0-2])$", examples=["2026-12"])],
    cabin: Cabin = "economy",
    trip_days: Annotated[int | None, QueryParam(ge=0, le=60, description="Return so many days later")] = None,
    currency: Annotated[str, QueryParam(pattern=r"^[A-Za-z]{3}$")] = "USD",
) -> CalendarView:
    """For one adult, direct or with one stop, at the price of now. Past days are left out."""
    await found.feed.fresh()
    now = found.clock.now()
    first, last = _month(month)
    network = found.feed.timetable.test if principal.test_mode else found.feed.timetable.live
    today = now.date() - timedelta(days=1)
    asked = SearchParams(
        origin=origin,
        destination=destination,
        departure_date=max(last, now.date() + timedelta(days=1)),
        cabin=cabin,
        currency=currency,
    )
    query = QueryReader(found.feed.reference, network, now).from_params(asked)
    days = price_calendar(
        found.feed, found.offers.pricer, query, max(first, today), last, trip_days, now, test_mode=principal.test_mode
    )
    lowest = min((day.total for day in days if day.total is not None), default=None)
    return CalendarView(
        origin=asked.origin,
        destination=asked.destination,
        month=month,
        cabin=cabin,
        trip_days=trip_days,
        items=[
            CalendarDayView(
                date=day.day,
                price=None if day.total is None else MoneyModel.of(day.total, asked.currency),
                stops=day.stops,
                cheapest=day.total is not None and day.total == lowest,
            )
            for day in days
        ],
    )


def _month(text: str) -> tuple[date, date]:
    first = date(int(text[:4]), int(text[5:]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


async def answer_search(found: Container, principal: Principal, asked: SearchParams | OfferSearch) -> bytes:
    """A page as JSON. Raises ValidationFailed, InvalidCursor, TimetableStale."""
    await found.feed.fresh()
    network = found.feed.timetable.test if principal.test_mode else found.feed.timetable.live
    reader = QueryReader(found.feed.reference, network, found.clock.now())
    query = reader.from_params(asked) if isinstance(asked, SearchParams) else reader.from_body(asked)
    page = found.search.find(query, test_mode=principal.test_mode)
    if not page.offers and query.cursor is None:
        pointer = "#/query/cabin" if isinstance(asked, SearchParams) else "#/cabin"
        refuse_lacking_cabin(found.feed.timetable, network, found.feed.reference, query, pointer)
    tail = {
        "journey": journey_of(asked),
        "next_cursor": page.next_cursor,
        "cabin": query.cabin,
        "currency": query.currency,
        "notes": page.notes,
    }
    return f'{{"items":[{",".join(page.offers)}],'.encode() + msgspec.json.encode(tail)[1:]


def read_params(query_string: bytes) -> SearchParams:
    """The parameters of a query string. Raises RequestValidationError."""
    text = query_string.decode("latin-1")
    plain = read_plain(text)
    if plain is not None:
        return plain
    try:
        return SearchParams.model_validate(_split(text))
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("query", *item["loc"])} for item in error.errors()]) from error


def _split(text: str) -> dict[str, Any]:
    """Names and values; of a name given several times the last counts, and all of a list's."""
    pairs = parse_qsl(text, keep_blank_values=True)
    values: dict[str, Any] = dict(pairs)
    for name in _LISTS & values.keys():
        values[name] = [value for key, value in pairs if key == name]
    return values

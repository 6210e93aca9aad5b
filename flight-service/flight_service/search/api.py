"""Searching for offers."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from flight_service.bootstrap import Container
from flight_service.offers.schemas import OfferPage
from flight_service.problems import problems
from flight_service.search.query import Query, QueryReader
from flight_service.search.schemas import OfferSearch, SearchParams
from rihla.auth import CurrentPrincipal, Principal
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1", tags=["search"])
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
    params = _read_params(request)
    return await _answer(found, principal, params)


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
    return await _answer(found, principal, body)


async def _answer(found: Container, principal: Principal, asked: SearchParams | OfferSearch) -> Response:
    await found.feed.fresh()
    network = found.feed.timetable.test if principal.test_mode else found.feed.timetable.live
    reader = QueryReader(found.feed.reference, network, found.clock.now())
    query = reader.from_params(asked) if isinstance(asked, SearchParams) else reader.from_body(asked)
    page = found.search.find(query, test_mode=principal.test_mode)
    return Response(_page_bytes(page.offers, page.next_cursor, page.notes, query), media_type="application/json")


def _page_bytes(offers: list[bytes], next_cursor: str | None, notes: list[str], query: Query) -> bytes:
    tail = {"next_cursor": next_cursor, "cabin": query.cabin, "currency": query.currency, "notes": notes}
    return b'{"items":[' + b",".join(offers) + b"]," + msgspec.json.encode(tail)[1:]


def _read_params(request: Request) -> SearchParams:
    asked = request.query_params
    values = {name: asked.getlist(name) if name in _LISTS else value for name, value in asked.items()}
    try:
        return SearchParams.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError([{**item, "loc": ("query", *item["loc"])} for item in error.errors()]) from error

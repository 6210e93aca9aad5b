"""Airports, airlines and aircraft types: public reading."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from flight_service.bootstrap import Container
from flight_service.catalogue.find_airports import find_airports, find_nearby
from flight_service.catalogue.find_airports import get_airport as read_airport
from flight_service.catalogue.list_places import list_cities as read_cities
from flight_service.catalogue.list_places import list_countries as read_countries
from flight_service.catalogue.list_reference import list_aircraft as read_aircraft
from flight_service.catalogue.list_reference import list_airlines as read_airlines
from flight_service.catalogue.schemas import (
    AircraftView,
    AirlineView,
    AirportView,
    CityView,
    CountryView,
    NearbyAirport,
    NearbyAirports,
)
from flight_service.cursors import after_text
from flight_service.problems import problems
from rihla.auth import CurrentPrincipal
from rihla.web import Page, PageParams, container, encode_cursor, problem_responses

router = APIRouter(prefix="/v1", tags=["places and fleets"])
Parts = Annotated[Container, Depends(container)]
Iata = Annotated[str, Path(pattern=r"^[A-Za-z]{3}$", description="IATA code", examples=["DAC"])]
_LISTED = problem_responses("unauthenticated", "validation-failed", "invalid-cursor", table=problems)


@router.get("/airports", summary="Find airports", responses=_LISTED)
async def list_airports(
    parts: Parts,
    principal: CurrentPrincipal,
    paging: PageParams,
    query: Annotated[
        str | None,
        Query(max_length=80, description="Code, city or name; mistakes are forgiven", examples=["lond"]),
    ] = None,
    country: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2}$", description="ISO 3166-1", examples=["GB"])] = None,
) -> Page[AirportView]:
    """All airports with an IATA code. With `query`, codes come first, then beginnings of words, then likeness."""
    page = await find_airports(
        parts.db, query=query, country=country.upper() if country else None, limit=paging.limit, cursor=paging.cursor
    )
    items = [AirportView.model_validate(row) for row in page.rows]
    return Page[AirportView](items=items, next_cursor=encode_cursor(page.after) if page.after else None)


@router.get(
    "/airports/{iata}",
    summary="One airport",
    responses=problem_responses("unauthenticated", "not-found", table=problems),
)
async def get_airport(iata: Iata, parts: Parts, principal: CurrentPrincipal) -> AirportView:
    """City, country, coordinates, time zone and connection times."""
    return AirportView.model_validate(await read_airport(parts.db, iata))


@router.get(
    "/airports/{iata}/nearby",
    summary="Airports around one",
    responses=problem_responses("unauthenticated", "not-found", table=problems),
)
async def list_nearby_airports(
    iata: Iata,
    parts: Parts,
    principal: CurrentPrincipal,
    radius_km: Annotated[int, Query(ge=1, le=1000, description="Great-circle distance")] = 150,
) -> NearbyAirports:
    """At most 100, nearest first."""
    found = await find_nearby(parts.db, iata, radius_km)
    return NearbyAirports(items=[NearbyAirport.model_validate(row) for row in found])


@router.get("/cities", summary="Cities with several airports", responses=_LISTED)
async def list_cities(
    parts: Parts,
    principal: CurrentPrincipal,
    paging: PageParams,
    prefix: Annotated[str, Query(max_length=80, description="Beginning of the code or name", examples=["lon"])] = "",
    country: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2}$", description="ISO 3166-1", examples=["GB"])] = None,
) -> Page[CityView]:
    """By code; a search from or to a city's code covers all its airports."""
    rows = await read_cities(
        parts.db,
        prefix=prefix.strip(),
        country_code=country.upper() if country else None,
        after=after_text(paging.cursor, "code"),
        limit=paging.limit,
    )
    items = [CityView.model_validate(row) for row in rows[: paging.limit]]
    more = len(rows) > paging.limit
    return Page[CityView](items=items, next_cursor=encode_cursor({"code": items[-1].code}) if more else None)


@router.get("/countries", summary="Countries with an airport", responses=_LISTED)
async def list_countries(parts: Parts, principal: CurrentPrincipal, paging: PageParams) -> Page[CountryView]:
    """By code."""
    rows = await read_countries(parts.db, after=after_text(paging.cursor, "code"), limit=paging.limit)
    items = [CountryView.model_validate(row) for row in rows[: paging.limit]]
    more = len(rows) > paging.limit
    return Page[CountryView](items=items, next_cursor=encode_cursor({"code": items[-1].code}) if more else None)


@router.get("/airlines", summary="All airlines", responses=_LISTED)
async def list_airlines(parts: Parts, principal: CurrentPrincipal, paging: PageParams) -> Page[AirlineView]:
    """By code. Test keys see the test airline only."""
    rows = await read_airlines(
        parts.db, test_mode=principal.test_mode, after=after_text(paging.cursor, "code"), limit=paging.limit
    )
    more = len(rows) > paging.limit
    items = [AirlineView.model_validate(row) for row in rows[: paging.limit]]
    return Page[AirlineView](items=items, next_cursor=encode_cursor({"code": items[-1].iata}) if more else None)


@router.get("/aircraft", summary="Aircraft types with their seats", responses=_LISTED)
async def list_aircraft(parts: Parts, principal: CurrentPrincipal, paging: PageParams) -> Page[AircraftView]:
    """By code, with cabins, rows, exits, bassinets and blocked seats."""
    rows = await read_aircraft(parts.db, after=after_text(paging.cursor, "code"), limit=paging.limit)
    more = len(rows) > paging.limit
    items = [AircraftView.model_validate(row) for row in rows[: paging.limit]]
    return Page[AircraftView](items=items, next_cursor=encode_cursor({"code": items[-1].code}) if more else None)

"""Airlines, aircraft types, airports, cities and countries: what admins do."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from sqlalchemy import select

from flight_service.bootstrap import Container
from flight_service.catalogue.admin_schemas import (
    AircraftBody,
    AirlineBody,
    AirportBody,
    CityBody,
    CountryBody,
    WholeAirportBody,
)
from flight_service.catalogue.find_airports import get_airport
from flight_service.catalogue.keep_places import (
    put_airport,
    put_city,
    put_country,
    remove_airport,
    remove_city,
    remove_country,
)
from flight_service.catalogue.keep_reference import (
    change_airport,
    put_aircraft,
    put_airline,
    remove_aircraft,
    remove_airline,
)
from flight_service.catalogue.list_reference import aircraft_document, get_aircraft
from flight_service.catalogue.schemas import AircraftView, AirlineView, AirportView, CityChanged, CountryView
from flight_service.catalogue.tables import aircraft_type, airline
from flight_service.problems import problems
from rihla.auth import Principal, require_roles
from rihla.web import Page, container, problem_responses

router = APIRouter(prefix="/v1/admin", tags=["places and fleets: administration"])
Parts = Annotated[Container, Depends(container)]
Admin = Annotated[Principal, Depends(require_roles("admin"))]
AirlineCode = Annotated[str, Path(pattern=r"^[A-Z0-9]{2}$")]
AirportCode = Annotated[str, Path(pattern=r"^[A-Z]{3}$")]
CountryCode = Annotated[str, Path(pattern=r"^[A-Z]{2}$")]
AircraftCode = Annotated[str, Path(pattern=r"^[A-Z0-9]{3,4}$")]


def _refused(*codes: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses("unauthenticated", "forbidden", "validation-failed", *codes, table=problems)


@router.get("/airlines", summary="Airlines, inactive ones included", responses=_refused())
async def list_admin_airlines(parts: Parts, admin: Admin) -> Page[AirlineView]:
    """All of them, by code."""
    async with parts.db.transaction() as session:
        rows = (await session.execute(select(airline).order_by(airline.c.iata))).mappings().all()
    return Page[AirlineView](items=[AirlineView.model_validate(dict(row)) for row in rows])


@router.put("/airlines/{iata}", summary="Create or replace an airline", responses=_refused("already-exists"))
async def put_one_airline(
    iata: AirlineCode, body: AirlineBody, parts: Parts, admin: Admin, response: Response
) -> AirlineView:
    """201 when it is new."""
    values = body.model_dump(mode="json")
    if await put_airline(parts.db, iata, values, actor=admin.user_id, now=parts.clock.now()):
        response.status_code = 201
    return AirlineView.model_validate({"iata": iata, **values})


@router.delete(
    "/airlines/{iata}", status_code=204, summary="Remove an airline", responses=_refused("not-found", "in-use")
)
async def delete_airline(iata: AirlineCode, parts: Parts, admin: Admin) -> None:
    """Only one that nothing names; others are made inactive."""
    await remove_airline(parts.db, iata, actor=admin.user_id, now=parts.clock.now())


@router.get("/aircraft", summary="Aircraft types, inactive ones included", responses=_refused())
async def list_admin_aircraft(parts: Parts, admin: Admin) -> Page[AircraftView]:
    """All of them, by code."""
    async with parts.db.transaction() as session:
        rows = (await session.execute(select(aircraft_type).order_by(aircraft_type.c.code))).mappings().all()
    return Page[AircraftView](items=[AircraftView.model_validate(aircraft_document(dict(row))) for row in rows])


@router.put(
    "/aircraft/{code}", summary="Create or replace an aircraft type", responses=_refused("layout-invalid", "in-use")
)
async def put_one_aircraft(
    code: AircraftCode, body: AircraftBody, parts: Parts, admin: Admin, response: Response
) -> AircraftView:
    """201 when it is new. The layout of a type that flies cannot be changed."""
    values = body.model_dump()
    if await put_aircraft(parts.db, code, values, actor=admin.user_id, now=parts.clock.now()):
        response.status_code = 201
    return AircraftView.model_validate(aircraft_document({"code": code, **values}))


@router.get("/aircraft/{code}", summary="An aircraft type to edit or take along", responses=_refused("not-found"))
async def export_aircraft(code: AircraftCode, parts: Parts, admin: Admin) -> AircraftBody:
    """Its layout in the form PUT takes: what is read here under one code can be sent under another."""
    return AircraftBody.model_validate(await get_aircraft(parts.db, code))


@router.delete(
    "/aircraft/{code}", status_code=204, summary="Remove an aircraft type", responses=_refused("not-found", "in-use")
)
async def delete_aircraft(code: AircraftCode, parts: Parts, admin: Admin) -> None:
    """Only one that nothing names; others are made inactive."""
    await remove_aircraft(parts.db, code, actor=admin.user_id, now=parts.clock.now())


@router.patch("/airports/{iata}", summary="Change an airport", responses=_refused("not-found"))
async def patch_airport(iata: AirportCode, body: AirportBody, parts: Parts, admin: Admin) -> AirportView:
    """Names and minimum connection times."""
    values = body.model_dump(exclude_unset=True)
    for required in ("name", "city"):
        if values.get(required, "") is None:
            del values[required]
    if values:
        await change_airport(parts.db, iata, values, actor=admin.user_id, now=parts.clock.now())
    return AirportView.model_validate(await get_airport(parts.db, iata))


@router.put(
    "/airports/{iata}",
    summary="Create or replace an airport",
    responses=_refused("already-exists", "in-use"),
)
async def put_one_airport(
    iata: AirportCode, body: WholeAirportBody, parts: Parts, admin: Admin, response: Response
) -> AirportView:
    """201 when it is new. Where flights go, the position, country and time zone stay."""
    if await put_airport(parts.db, iata, body.model_dump(), actor=admin.user_id, now=parts.clock.now()):
        response.status_code = 201
    return AirportView.model_validate(await get_airport(parts.db, iata))


@router.delete(
    "/airports/{iata}", status_code=204, summary="Remove an airport", responses=_refused("not-found", "in-use")
)
async def delete_airport(iata: AirportCode, parts: Parts, admin: Admin) -> None:
    """Only one that no schedule and no flight serves."""
    await remove_airport(parts.db, iata, actor=admin.user_id, now=parts.clock.now())


@router.put("/cities/{code}", summary="Create or replace a city", responses=_refused())
async def put_one_city(
    code: AirportCode, body: CityBody, parts: Parts, admin: Admin, response: Response
) -> CityChanged:
    """201 when it is new. Airports name the city they belong to."""
    if await put_city(parts.db, code, body.model_dump(), actor=admin.user_id, now=parts.clock.now()):
        response.status_code = 201
    return CityChanged(code=code, name=body.name, country=body.country)


@router.delete("/cities/{code}", status_code=204, summary="Remove a city", responses=_refused("not-found", "in-use"))
async def delete_city(code: AirportCode, parts: Parts, admin: Admin) -> None:
    """Only one that no airport belongs to."""
    await remove_city(parts.db, code, actor=admin.user_id, now=parts.clock.now())


@router.put("/countries/{code}", summary="Create or rename a country", responses=_refused())
async def put_one_country(
    code: CountryCode, body: CountryBody, parts: Parts, admin: Admin, response: Response
) -> CountryView:
    """201 when it is new. Codes are those of ISO 3166-1."""
    if await put_country(parts.db, code, body.name, actor=admin.user_id, now=parts.clock.now()):
        response.status_code = 201
    return CountryView(code=code, name=body.name)


@router.delete(
    "/countries/{code}", status_code=204, summary="Remove a country", responses=_refused("not-found", "in-use")
)
async def delete_country(code: CountryCode, parts: Parts, admin: Admin) -> None:
    """Only one that no place and no airline is in."""
    await remove_country(parts.db, code, actor=admin.user_id, now=parts.clock.now())

"""The seat map of a flight."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from flight_service.bootstrap import Container
from flight_service.fares.rule_set import BrandName
from flight_service.problems import problems
from flight_service.seat_maps.schemas import SeatMapModel
from flight_service.seat_maps.show_seat_map import show_seat_map
from rihla.auth import CurrentPrincipal
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1", tags=["flights"])


@router.get(
    "/flights/{flight_id}/seat-map",
    summary="Seats of a flight",
    response_model=SeatMapModel,
    responses=problem_responses("flight-not-found", "unknown-currency", table=problems),
)
async def get_seat_map(
    flight_id: UUID,
    principal: CurrentPrincipal,
    found: Annotated[Container, Depends(container)],
    currency: Annotated[str, Query(pattern="^[A-Z]{3}$", description="ISO 4217")] = "USD",
    fare_brand: Annotated[BrandName, Query(description="Seats cost differently in each fare brand")] = "standard",
) -> Response:
    """Every seat with its live state, and the price of choosing it under one fare brand."""
    body = await show_seat_map(
        found.pool,
        found.clock,
        found.offers,
        flight_id,
        currency=currency,
        brand=fare_brand,
        test_mode=principal.test_mode,
    )
    return Response(body, media_type="application/json")

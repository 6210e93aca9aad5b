"""Reading one offer."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Response

from flight_service.bootstrap import Container
from flight_service.offers.schemas import OfferDetail
from flight_service.problems import problems
from rihla.auth import CurrentPrincipal
from rihla.web import container, problem_responses

router = APIRouter(prefix="/v1", tags=["search"])


@router.get(
    "/flight-offers/{offer_id}",
    summary="An offer at its locked price",
    response_model=OfferDetail,
    responses=problem_responses(
        "offer-not-found", "offer-expired", "offer-changed", "unauthenticated", "search-unavailable", table=problems
    ),
)
async def get_flight_offer(
    offer_id: Annotated[str, Path(max_length=600)],
    principal: CurrentPrincipal,
    found: Annotated[Container, Depends(container)],
) -> Response:
    """With the breakdown of the price, all that can be added, what a refund would give when, and the other brands."""
    document = await found.offers.read(offer_id, test_mode=principal.test_mode)
    # Written as it is: pydantic would turn an airport's +00:00 into Z.
    return Response(msgspec.json.encode(document), media_type="application/json")

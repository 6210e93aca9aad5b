"""POST /internal/v1/holds/placements: the PUTs of many who wait in one process of booking-service, in one request."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.hold import HoldContent
from flight_service.inventory.outcomes import outcomes
from flight_service.inventory.read_body import read_body
from flight_service.inventory.schemas import HoldOutcomes, HoldPlacements
from flight_service.problems import problems
from rihla.auth import require_service
from rihla.web import problem_responses
from rihla.web.problems import request_id_of

router = APIRouter(prefix="/internal/v1", tags=["holds"], dependencies=[Depends(require_service("booking"))])


class _Placement(msgspec.Struct):
    id: UUID
    hold: msgspec.Raw


class _Placements(msgspec.Struct):
    placements: Annotated[list[_Placement], msgspec.Meta(min_length=1, max_length=64)]


_placements = msgspec.json.Decoder(_Placements)
_content = msgspec.json.Decoder(HoldContent)


@router.post(
    "/holds/placements",
    response_model=HoldOutcomes,
    responses=problem_responses("validation-failed", table=problems),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": HoldPlacements.model_json_schema()}},
        }
    },
)
async def place_many(request: Request) -> Response:
    """Each of these holds as its PUT would place it, answered in the order asked. Repeating it is harmless."""
    asked = (await read_body(request, _placements)).placements
    desk = request.app.state.container.desk
    return await outcomes(((one.id, _place(desk, one)) for one in asked), request_id_of(request))


async def _place(desk: HoldDesk, asked: _Placement) -> tuple[int, bytes]:
    placed = await desk.place(asked.id, _content.decode(asked.hold))
    return 201 if placed.new else 200, placed.body

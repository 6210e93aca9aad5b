"""POST /internal/v1/holds/confirmations: many holds that are paid, sold in one request."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.outcomes import outcomes
from flight_service.inventory.read_body import read_body
from flight_service.inventory.schemas import HoldConfirmations, HoldOutcomes
from flight_service.problems import problems
from rihla.auth import require_service
from rihla.web import problem_responses
from rihla.web.problems import request_id_of

router = APIRouter(prefix="/internal/v1", tags=["holds"], dependencies=[Depends(require_service("booking"))])


class _Confirmation(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID


class _Confirmations(msgspec.Struct, forbid_unknown_fields=True):
    confirmations: Annotated[list[_Confirmation], msgspec.Meta(min_length=1, max_length=64)]


_confirmations = msgspec.json.Decoder(_Confirmations)


@router.post(
    "/holds/confirmations",
    response_model=HoldOutcomes,
    responses=problem_responses("validation-failed", table=problems),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": HoldConfirmations.model_json_schema()}},
        }
    },
)
async def confirm_many(request: Request) -> Response:
    """Each of these holds as its own confirmation would sell it, answered in the order asked. Repeating it is
    harmless.
    """
    asked = (await read_body(request, _confirmations)).confirmations
    desk = request.app.state.container.desk
    sold = ((one.id, _confirm(desk, one.id)) for one in asked)
    return await outcomes(sold, request_id_of(request))


async def _confirm(desk: HoldDesk, hold_id: UUID) -> tuple[int, bytes]:
    return 200, await desk.confirm(hold_id)

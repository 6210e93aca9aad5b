"""POST /internal/v1/holds/placements: the PUTs of many who wait in one process of booking-service, in one request.

A request costs both sides more than its hold (ADR 0003), and holds that come together are put on the inventory together
anyway. An entry whose answer is neither a hold nor a refusal, or that cannot be read, is answered with null: its caller
sends it alone and hears from PUT what is wrong.
"""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.hold import HoldContent
from flight_service.inventory.schemas import HoldOutcomes, HoldPlacements
from flight_service.problems import problems
from rihla.auth import require_service
from rihla.kernel import DomainError
from rihla.telemetry import get_logger
from rihla.web.problems import domain_problem, request_id_of

router = APIRouter(prefix="/internal/v1", tags=["holds"], dependencies=[Depends(require_service("booking"))])
log = get_logger("inventory")

_UNANSWERED = b"null"


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
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": HoldPlacements.model_json_schema()}},
        }
    },
)
async def place_many(request: Request) -> Response:
    """Each of these holds as its PUT would place it, answered in the order asked. Repeating it is harmless."""
    try:
        asked = _placements.decode(await request.body()).placements
    except msgspec.ValidationError as error:
        raise RequestValidationError([{"type": "invalid", "loc": ("body",), "msg": str(error)}]) from error
    desk, request_id = request.app.state.container.desk, request_id_of(request)
    outcomes = await asyncio.gather(*(_outcome(desk, one, request_id) for one in asked))
    return Response(b'{"outcomes":[' + b",".join(outcomes) + b"]}", media_type="application/json")


async def _outcome(desk: HoldDesk, asked: _Placement, request_id: str) -> bytes:
    try:
        placed = await desk.place(asked.id, _content.decode(asked.hold))
    except DomainError as refusal:
        return _refused(refusal, request_id)
    except Exception as error:
        log.warning("placed_alone", hold_id=str(asked.id), error=type(error).__name__)
        return _UNANSWERED
    return b'{"status":%d,"hold":%b}' % (201 if placed.new else 200, placed.body)


def _refused(refusal: DomainError, request_id: str) -> bytes:
    if problems.spec(refusal) is None:
        return _UNANSWERED
    spec, problem = domain_problem(refusal, problems, request_id)
    return b'{"status":%d,"problem":%b}' % (spec.status, problem)

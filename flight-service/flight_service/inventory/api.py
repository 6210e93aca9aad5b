"""The internal routes of holds (docs/contracts.md). Only booking-service may call them.

PUT is the hottest write of the platform: it reads and writes with msgspec, keeps the pydantic models as documentation
and has an express lane in front of this router (ADR 0003).
"""

from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
import pydantic
from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response

from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.hold import HoldContent, QuoteContent
from flight_service.inventory.problems import PROBLEMS
from flight_service.inventory.schemas import (
    AssignRequest,
    ExtrasQuoteModel,
    ExtrasQuoteRequest,
    HoldModel,
    HoldQuoteModel,
    HoldQuoteRequest,
    HoldRequest,
    MoveRequest,
    ReinstateRequest,
    ReleaseRequest,
)
from rihla.auth import require_service
from rihla.web import ProblemTable, ValidationFailed, problem_responses

router = APIRouter(prefix="/internal/v1", tags=["holds"], dependencies=[Depends(require_service("booking"))])
_table = ProblemTable(PROBLEMS)
Content = TypeVar("Content", HoldContent, QuoteContent)
_hold_content = msgspec.json.Decoder(HoldContent)
_quote_content = msgspec.json.Decoder(QuoteContent)


async def _desk(request: Request) -> HoldDesk:
    desk: HoldDesk = request.app.state.container.desk
    return desk


Desk = Annotated[HoldDesk, Depends(_desk)]


def _documented(model: type[pydantic.BaseModel]) -> dict[str, Any]:
    """OpenAPI of a body that the route reads by itself."""
    schema = model.model_json_schema(ref_template=f"#/components/schemas/{model.__name__}/$defs/{{model}}")
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _refused(*codes: str) -> dict[int | str, dict[str, Any]]:
    return problem_responses(*codes, table=_table)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


@router.put(
    "/holds/{hold_id}",
    response_model=HoldModel,
    responses={
        201: {"model": HoldModel, "description": "The seats are held"},
        **_refused(
            "offer-changed",
            "not-enough-seats",
            "seat-taken",
            "hold-released",
            "hold-expired",
            "hold-content-differs",
            "inventory-busy",
        ),
    },
    openapi_extra=_documented(HoldRequest),
)
async def put_hold(hold_id: UUID, request: Request, desk: Desk) -> Response:
    """Hold every segment of an offer for these travellers, or nothing. 201 when new, 200 for the same request again."""
    placed = await desk.place(hold_id, await read_hold(request))
    return _json(placed.body, 201 if placed.new else 200)


@router.get("/holds/{hold_id}", response_model=HoldModel, responses=_refused("hold-unknown"))
async def get_hold(hold_id: UUID, desk: Desk) -> Response:
    """The hold as it is."""
    return _json(await desk.show(hold_id))


@router.post(
    "/holds/{hold_id}/confirm",
    response_model=HoldModel,
    responses=_refused("hold-unknown", "hold-expired", "hold-released", "inventory-busy"),
)
async def confirm_hold(hold_id: UUID, desk: Desk) -> Response:
    """Sell what is held and seat those who have no seat. Idempotent; an expired hold nobody has taken yet still
    confirms.
    """
    return _json(await desk.confirm(hold_id))


@router.post("/holds/{hold_id}/release", response_model=HoldModel, responses=_refused("inventory-busy"))
async def release_hold(hold_id: UUID, body: ReleaseRequest, desk: Desk) -> Response:
    """Give seats back. Idempotent; an unknown id leaves a tombstone and a PUT that arrives later is refused."""
    items = None if body.items is None else [(item.passenger_id, item.flight_id) for item in body.items]
    return _json(await desk.release(hold_id, items))


@router.post(
    "/holds/{hold_id}/reinstate",
    response_model=HoldModel,
    responses=_refused("hold-unknown", "not-enough-seats", "hold-released", "inventory-busy"),
)
async def reinstate_hold(hold_id: UUID, body: ReinstateRequest, desk: Desk) -> Response:
    """For a late payment: the same seats or the same cabin again, at the locked price."""
    return _json(await desk.reinstate(hold_id, body.expires_at))


@router.post(
    "/hold-quotes",
    response_model=HoldQuoteModel,
    responses=_refused("offer-changed"),
    openapi_extra=_documented(HoldQuoteRequest),
)
async def quote_hold(request: Request, desk: Desk) -> Response:
    """What a hold would cost now, with seats and extras. Holds nothing."""
    content = await _read(request, _quote_content, HoldQuoteRequest)
    return _json(await desk.quote(content.offer_id, content.lines))


@router.post(
    "/holds/{hold_id}/extras-quotes",
    response_model=ExtrasQuoteModel,
    responses=_refused("hold-unknown", "hold-expired", "hold-released"),
)
async def quote_extras(hold_id: UUID, body: ExtrasQuoteRequest, desk: Desk) -> Response:
    """What seats and extras added to this hold cost at present prices. Changes nothing."""
    return _json(await desk.quote_extras(hold_id, body.lines))


@router.put(
    "/holds/{hold_id}/seats",
    response_model=HoldModel,
    responses=_refused("hold-unknown", "hold-expired", "hold-released", "seat-taken", "inventory-busy"),
)
async def move_seats(hold_id: UUID, body: MoveRequest, desk: Desk) -> Response:
    """Move travellers to the seats named, all or none; two may change places."""
    moves = [(item.passenger_id, str(item.flight_id), item.designator) for item in body.items]
    return _json(await desk.move_seats(hold_id, moves))


@router.post(
    "/holds/{hold_id}/seats/assign",
    response_model=HoldModel,
    responses=_refused("hold-unknown", "hold-expired", "hold-released", "inventory-busy"),
)
async def assign_seats(hold_id: UUID, body: AssignRequest, desk: Desk) -> Response:
    """Give a seat to those who have none. Idempotent; what cannot be met is said in `notes`."""
    wanted = {(item.passenger_id, str(item.flight_id)): item.preference for item in body.items}
    return _json(await desk.assign_seats(hold_id, wanted))


async def read_hold(request: Request) -> HoldContent:
    """The body of a PUT."""
    return await _read(request, _hold_content, HoldRequest)


async def _read(request: Request, decoder: "msgspec.json.Decoder[Content]", model: type[pydantic.BaseModel]) -> Content:
    """The body, read fast; one that is not right is read again by the documented model, which says exactly what is
    wrong.
    """
    raw = await request.body()
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        try:
            read = model.model_validate_json(raw)
        except pydantic.ValidationError as error:
            raise _refusal(error) from error
    try:
        return msgspec.convert(read.model_dump(mode="json"), decoder.type)
    except msgspec.ValidationError as error:
        raise ValidationFailed({"pointer": "#/", "code": "invalid", "message": str(error)}) from error


def _refusal(error: pydantic.ValidationError) -> RequestValidationError:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**detail, "loc": ("body", *detail["loc"])} for detail in found])

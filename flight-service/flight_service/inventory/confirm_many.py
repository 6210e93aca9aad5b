"""POST /internal/v1/holds/confirmations: many holds that are paid, sold in one request."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from flight_service.inventory.desk import HoldDesk
from flight_service.inventory.outcomes import outcomes
from flight_service.inventory.schemas import HoldConfirmations, HoldOutcomes
from rihla.auth import require_service
from rihla.web.problems import request_id_of

router = APIRouter(prefix="/internal/v1", tags=["holds"], dependencies=[Depends(require_service("booking"))])


@router.post("/holds/confirmations", response_model=HoldOutcomes)
async def confirm_many(asked: HoldConfirmations, request: Request) -> Response:
    """Each of these holds as its own confirmation would sell it, answered in the order asked. Repeating it is
    harmless.
    """
    desk = request.app.state.container.desk
    sold = ((one.id, _confirm(desk, one.id)) for one in asked.confirmations)
    return await outcomes(sold, request_id_of(request))


async def _confirm(desk: HoldDesk, hold_id: UUID) -> tuple[int, bytes]:
    return 200, await desk.confirm(hold_id)

"""Internal routes of refunds, for booking-service."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from payment_service.bootstrap import Container
from payment_service.problems import PROBLEMS
from payment_service.refunds.request_refund import read_refund, request_refund
from payment_service.refunds.schemas import PutRefund, RefundOut
from rihla.auth import require_service
from rihla.web import container, problem_responses

router = APIRouter(prefix="/internal/v1/refunds", tags=["internal"], dependencies=[Depends(require_service("booking"))])
C = Annotated[Container, Depends(container)]


@router.put(
    "/{refund_id}",
    operation_id="put_refund",
    summary="Refund a paid charge, back the way the money came",
    responses={
        201: {"model": RefundOut, "description": "Opened by this request"},
        **problem_responses(
            "refund-exceeds-captured", "refund-content-differs", "validation-failed", "forbidden", table=PROBLEMS
        ),
    },
)
async def put_refund(refund_id: UUID, body: PutRefund, response: Response, c: C) -> RefundOut:
    refund, new = await request_refund(c.db, c.providers, c.clock, refund_id, body)
    response.status_code = 201 if new else 200
    return refund


@router.get(
    "/{refund_id}",
    operation_id="get_refund",
    summary="Read a refund",
    responses=problem_responses("refund-not-found", "forbidden", table=PROBLEMS),
)
async def get_refund(refund_id: UUID, c: C) -> RefundOut:
    return await read_refund(c.db, refund_id)
